//! Where messages may go: whoever may add webhooks must not reach what only this machine or its network can.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use cadre_core::limits::WEBHOOK_URL_BYTES_MAX;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// Where webhooks may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// At public addresses, over https.
    #[default]
    Public,
    /// Anywhere, also over plain http: for development, and where the network itself keeps them apart.
    Any,
    /// Nowhere: this process sends none.
    Off,
}

/// A text that names no [`Reach`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not where webhooks may be: use public, any or off")]
pub struct ReachError(String);

impl FromStr for Reach {
    type Err = ReachError;

    fn from_str(text: &str) -> Result<Self, ReachError> {
        match text {
            "public" => Ok(Self::Public),
            "any" => Ok(Self::Any),
            "off" => Ok(Self::Off),
            other => Err(ReachError(other.chars().take(80).collect())),
        }
    }
}

/// Why nothing can be sent to an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none that a message can be sent to.
    #[error("the address {0}")]
    Malformed(&'static str),
    /// Anybody on the way could read what is sent.
    #[error("the address must begin with https://; cadre serve --webhooks any allows http://")]
    Plain,
    /// It is of this machine, or of a network that is nobody else's.
    #[error("{0} is no public address; cadre serve --webhooks any allows it")]
    Private(String),
    /// This process sends nothing.
    #[error("webhooks are off here: cadre serve --webhooks public")]
    Off,
}

/// An address that something can be sent to, as far as it is known without its name's addresses.
///
/// # Errors
/// [`AddressError`].
pub fn check(text: &str, reach: Reach) -> Result<Url, AddressError> {
    if text.len() > WEBHOOK_URL_BYTES_MAX {
        return Err(AddressError::Malformed("is too long"));
    }
    let url = Url::parse(text).map_err(|_| AddressError::Malformed("is no URL"))?;
    let is_plain = match url.scheme() {
        "https" => false,
        "http" => true,
        _ => return Err(AddressError::Malformed("must begin with https://")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Malformed("must have no login: messages are signed"));
    }
    if url.fragment().is_some() {
        return Err(AddressError::Malformed("must have no fragment"));
    }
    let Some(host) = url.host_str() else {
        return Err(AddressError::Malformed("has no host"));
    };
    match reach {
        Reach::Off => Err(AddressError::Off),
        Reach::Any => Ok(url),
        Reach::Public if is_plain => Err(AddressError::Plain),
        Reach::Public => {
            // Numbers are no names: nobody resolves them, so they are checked here.
            let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            match number {
                Ok(ip) if !is_public(ip) => Err(AddressError::Private(host.to_owned())),
                Ok(_) | Err(_) => Ok(url),
            }
        }
    }
}

/// Whether an address is one of the public internet, by IANA's registries of special purposes.
#[must_use]
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = matches!(
        (a, b, c),
        // This network, private, loopback, link-local, shared (CGNAT), and what lies above unicast.
        (0 | 10 | 127, ..) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) | (224.., ..)
        // Protocol assignments, documentation, 6to4 relays, AS112, benchmarks.
        | (192, 0, 0 | 2) | (192, 88, 99) | (192, 31, 196) | (192, 52, 193) | (192, 175, 48)
        | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113)
    );
    !is_special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b, c, d, e, f) {
        // NAT64 and 6to4 lead to the address inside.
        (0x64, 0xff9b, 0, 0, 0, 0) => embedded(g, h),
        (0x2002, high, low, ..) => embedded(high, low),
        // Protocol assignments with Teredo, and documentation.
        (0x2001, 0..=0x01ff | 0x0db8, ..) | (0x3fff, 0..=0x0fff, ..) => false,
        // Only this is global unicast: not loopback, unique local, link-local, site-local or multicast.
        _ => a & 0xe000 == 0x2000,
    }
}

/// Resolves names, and gives away no address that must not be reached: what is connected to is what was checked,
/// whatever the name means a moment later.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckedNames(pub(super) Reach);

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed = allowed(&found, reach);
            if allowed.is_empty() {
                return Err(Box::new(NotReached(name)) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// The addresses that may be reached; none as soon as one of them may not.
fn allowed(found: &[SocketAddr], reach: Reach) -> Vec<SocketAddr> {
    match reach {
        Reach::Any => found.to_vec(),
        Reach::Public if found.iter().all(|address| is_public(address.ip())) => found.to_vec(),
        Reach::Public | Reach::Off => Vec::new(),
    }
}

/// The name leads to where nothing may be sent, or nowhere.
#[derive(Debug)]
struct NotReached(String);

impl fmt::Display for NotReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = AddressError::Private(self.0.clone());
        write!(f, "{error}")
    }
}

impl Error for NotReached {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_address_is_https_without_login_and_of_the_public_internet() {
        let private = |host: &str| AddressError::Private(host.to_owned());
        let malformed = AddressError::Malformed;
        for (text, expected) in [
            ("https://example.com/hook?a=1", None),
            ("https://example.com:8443/", None),
            ("https://8.8.8.8/", None),
            ("http://example.com/", Some(AddressError::Plain)),
            ("https://127.0.0.1/", Some(private("127.0.0.1"))),
            // Other spellings of the same.
            ("https://2130706433/", Some(private("127.0.0.1"))),
            ("https://0x7f.1/", Some(private("127.0.0.1"))),
            ("https://0177.0.0.1/", Some(private("127.0.0.1"))),
            ("https://[::1]/", Some(private("[::1]"))),
            ("https://[::ffff:169.254.169.254]/", Some(private("[::ffff:a9fe:a9fe]"))),
            (
                "https://user:pw@example.com/",
                Some(malformed("must have no login: messages are signed")),
            ),
            ("https://example.com/#part", Some(malformed("must have no fragment"))),
            ("ftp://example.com/", Some(malformed("must begin with https://"))),
            ("file:///etc/passwd", Some(malformed("must begin with https://"))),
            ("example.com", Some(malformed("is no URL"))),
            ("", Some(malformed("is no URL"))),
        ] {
            assert_eq!(check(text, Reach::Public).err(), expected, "{text}");
        }
        assert!(check("http://127.0.0.1:8080/hook", Reach::Any).is_ok());
        assert_eq!(check("https://example.com/", Reach::Off), Err(AddressError::Off));
        let long = format!("https://example.com/{}", "x".repeat(WEBHOOK_URL_BYTES_MAX));
        assert_eq!(check(&long, Reach::Any), Err(malformed("is too long")));
    }

    #[test]
    fn a_name_with_one_private_address_is_private() {
        let [public, private] = ["8.8.8.8:0", "10.0.0.1:0"].map(|text| text.parse().unwrap());
        assert_eq!(allowed(&[public], Reach::Public), [public]);
        assert_eq!(allowed(&[public, private], Reach::Public), []);
        assert_eq!(allowed(&[private], Reach::Any), [private]);
        assert_eq!(allowed(&[], Reach::Public), []);
    }
}
