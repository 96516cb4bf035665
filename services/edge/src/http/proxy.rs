//! Who a request comes from when a proxy stands in front of us: its own word counts, and nobody else's.

use std::{net::IpAddr, str::FromStr};

use axum::http::HeaderMap;

use super::limit::Client;

/// What proxies write into.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Proxies that are believed when they say whom they speak for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

/// A text that names no proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no proxy: use an address like 10.0.0.7 or a network like 10.0.0.0/8, several with commas between them"
)]
pub struct ProxyError(String);

impl Network {
    fn has(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(one)) => {
                let differing = u32::from(net) ^ u32::from(one);
                differing.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(one)) => {
                let differing = u128::from(net) ^ u128::from(one);
                differing.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let wrong = || ProxyError(text.chars().take(80).collect());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl FromStr for Proxies {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl Proxies {
    /// Whoever is limited: the peer itself, or the last one before all of our proxies.
    ///
    /// Each proxy appends whom it has heard, so the list is read from its end for as long as our proxies wrote it;
    /// what stands before that anybody may have made up.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let mut client = peer;
        let lines = headers.get_all(FORWARDED_FOR);
        let lines = lines.iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>();
        let mut said = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim);
        while self.0.iter().any(|network| network.has(client)) {
            match said.next().and_then(address) {
                Some(before) => client = before,
                None => break,
            }
        }
        Client::of(client)
    }
}

/// An address, also with a port behind it, as some proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    bare.unwrap_or(text).parse().ok().or_else(|| {
        let socket: std::net::SocketAddr = text.parse().ok()?;
        Some(socket.ip())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, said: &[&str]) -> Client {
        let mut headers = HeaderMap::new();
        for line in said {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        trusted.parse::<Proxies>().unwrap().client(peer.parse().unwrap(), &headers)
    }

    #[test]
    fn only_our_proxies_are_believed_and_only_what_they_have_seen_themselves() {
        let ours = "10.0.0.0/8, fd00::/8, 192.0.2.1";
        for (trusted, peer, said, expected) in [
            // Nobody is trusted: anybody could write anything.
            ("", "10.0.0.1", &["203.0.113.9"][..], "10.0.0.1"),
            (ours, "198.51.100.7", &["203.0.113.9"], "198.51.100.7"),
            (ours, "10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            (ours, "::ffff:10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            (ours, "fd00::1", &["[2001:db8::9]:80"], "2001:db8::9"),
            // What the client itself has sent stands before what the proxy appends.
            (ours, "10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (ours, "10.0.0.1", &["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
            // Two proxies behind each other.
            (ours, "10.0.0.1", &["1.1.1.1, 203.0.113.9, 192.0.2.1"], "203.0.113.9"),
            // A proxy that says nothing, or nonsense, counts as itself.
            (ours, "10.0.0.1", &[], "10.0.0.1"),
            (ours, "10.0.0.1", &["unknown"], "10.0.0.1"),
            (ours, "10.0.0.1", &["10.0.0.2"], "10.0.0.2"),
        ] {
            let expected = Client::of(expected.parse().unwrap());
            assert_eq!(client(trusted, peer, said), expected, "{trusted} {peer} {said:?}");
        }
    }

    #[test]
    fn networks_are_read_or_refused() {
        for wrong in ["x", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "10.0.0.1 10.0.0.2"] {
            assert!(wrong.parse::<Proxies>().is_err(), "{wrong}");
        }
        assert_eq!("".parse::<Proxies>(), Ok(Proxies::default()));
        let all: Proxies = "0.0.0.0/0".parse().unwrap();
        let none = HeaderMap::new();
        assert_eq!(
            all.client("1.2.3.4".parse().unwrap(), &none),
            Client::of("1.2.3.4".parse().unwrap())
        );
    }
}
