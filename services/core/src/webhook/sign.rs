//! Secrets and signatures by Standard Webhooks 1.0: `v1,` and HMAC-SHA256 over `id.timestamp.body`, in base64.

use std::fmt;

use data_encoding::BASE64;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// What every secret begins with.
const PREFIX: &str = "whsec_";

/// What signatures of this kind begin with.
const SCHEME: &str = "v1";

/// What messages of one webhook are signed with: 256 bits, shown by [`Secret::reveal`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

/// A text that is no [`Secret`]; it is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's secret is {PREFIX} and 32 bytes in base64")]
pub struct SecretError;

impl Secret {
    /// A secret of 256 random bits.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Reads what [`Secret::reveal`] wrote.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError)?;
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| SecretError)?;
        bytes.try_into().map(Self).map_err(|_| SecretError)
    }

    /// The secret as its receiver keeps it.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }

    /// The header `webhook-signature` of a message that is sent at `timestamp`, in seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: u64, body: &str) -> String {
        sign(&self.0, id, timestamp, body)
    }
}

pub(super) fn sign(key: &[u8], id: &str, timestamp: u64, body: &str) -> String {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("{SCHEME},{}", BASE64.encode(&mac.finalize().into_bytes()))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
