//! Who may do what: the access of a credential, and API tokens as they are kept.
//!
//! A token is 256 random bits that its holder keeps; the bus keeps only their SHA-256, under which the
//! [`Token`] lies. So whoever reads the bucket can use none. Called by the edge, which asks for each request
//! whether it may, and by `cadre token`. Pure.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ids::Name, payload::Hash, time::UnixMillis};

/// The version of a token's document that this build writes, and the newest that it reads.
const VERSION: u32 = 1;

/// What every token begins with, so that scanners for leaked secrets know one.
const PREFIX: &str = "cadre_";

/// Characters of a token's name.
pub const TOKEN_NAME_CHARS_MAX: usize = 80;

/// How much a credential allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Looks.
    Viewer,
    /// Looks, publishes goals and steers tasks, breakers and dead letters.
    Operator,
    /// Looks, also at the audit trail, and decides what people are asked.
    Approver,
    /// All of it.
    Admin,
}

/// Something that takes access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Looks at something.
    Read,
    /// Publishes a goal, or changes how something goes on.
    Steer,
    /// Decides a question.
    Decide,
    /// Looks at who did what.
    Audit,
}

impl Access {
    /// Every access, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Approver, Self::Admin];

    /// Whether it allows `act`.
    #[must_use]
    pub fn may(self, act: Act) -> bool {
        match (self, act) {
            (Self::Viewer | Self::Operator | Self::Approver | Self::Admin, Act::Read)
            | (Self::Operator | Self::Admin, Act::Steer)
            | (Self::Approver | Self::Admin, Act::Decide | Act::Audit) => true,
            (Self::Viewer | Self::Approver, Act::Steer)
            | (Self::Viewer | Self::Operator, Act::Decide | Act::Audit) => false,
        }
    }

    /// The access as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl Act {
    /// What it takes, in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "looking",
            Self::Steer => "publishing and steering",
            Self::Decide => "deciding",
            Self::Audit => "looking at the audit trail",
        }
    }
}

/// A text that names no [`Access`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: use viewer, operator, approver or admin")]
pub struct AccessError(String);

impl FromStr for Access {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        let found = Self::ALL.into_iter().find(|access| access.as_str() == text);
        found.ok_or_else(|| AccessError(text.chars().take(80).collect()))
    }
}

/// What the bus knows of one API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// SHA-256 of the secret; its name on the bus.
    pub hash: Hash,
    /// What people call it.
    pub name: String,
    /// Whose goals it publishes, and the only tenant that it sees unless `is_fleet`.
    pub tenant: Name,
    /// Whether it sees every tenant, and may hold breakers, which serve all of them.
    pub is_fleet: bool,
    /// How much it allows.
    pub access: Access,
    /// Who made it.
    pub by: String,
    /// When, on the broker's clock.
    pub created_at: UnixMillis,
    /// When it ends; `None` for one that only ends by hand.
    pub expires_at: Option<UnixMillis>,
}

/// A document that is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A newer build wrote it.
    #[error("token has version {0}, this build reads up to {VERSION}: update this process")]
    TooNew(u32),
    /// It is not what [`Token::encode`] wrote.
    #[error("token cannot be read: {0}")]
    Malformed(String),
}

#[derive(Deserialize)]
struct VersionWire {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct TokenWire {
    v: u32,
    name: String,
    tenant: String,
    #[serde(default)]
    fleet: bool,
    access: Access,
    by: String,
    created_unix_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_unix_ms: Option<u64>,
}

impl Token {
    /// What its holder keeps, of 256 random bits.
    #[must_use]
    pub fn secret(random: [u8; 32]) -> String {
        format!("{PREFIX}{}", data_encoding::BASE64URL_NOPAD.encode(&random))
    }

    /// The name under which the token of a secret lies; `None` for a text that is no secret of ours.
    #[must_use]
    pub fn hash_of(secret: &str) -> Option<Hash> {
        let random = secret.strip_prefix(PREFIX)?;
        let bytes = data_encoding::BASE64URL_NOPAD.decode(random.as_bytes()).ok()?;
        (bytes.len() == 32).then(|| Hash::of(secret.as_bytes()))
    }

    /// The first digits of its hash: enough to name it, useless to whoever wants in.
    #[must_use]
    pub fn id(&self) -> String {
        self.hash.short()
    }

    /// Whether it counts.
    #[must_use]
    pub fn is_live(&self, now: UnixMillis) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    /// Its document.
    #[must_use]
    pub fn encode(&self) -> String {
        let wire = TokenWire {
            v: VERSION,
            name: self.name.clone(),
            tenant: self.tenant.to_string(),
            fleet: self.is_fleet,
            access: self.access,
            by: self.by.clone(),
            created_unix_ms: self.created_at.0,
            expires_unix_ms: self.expires_at.map(|at| at.0),
        };
        // Texts and numbers always become JSON.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Reads the document of the token that lies under `hash`.
    ///
    /// # Errors
    /// [`TokenError`] when it is none, or a newer build's: nobody is let in by it.
    pub fn decode(hash: Hash, document: &[u8]) -> Result<Self, TokenError> {
        let malformed = |error: &dyn std::fmt::Display| TokenError::Malformed(error.to_string());
        let VersionWire { v } =
            serde_json::from_slice(document).map_err(|error| malformed(&error))?;
        if v > VERSION {
            return Err(TokenError::TooNew(v));
        }
        let wire: TokenWire =
            serde_json::from_slice(document).map_err(|error| malformed(&error))?;
        Ok(Self {
            hash,
            name: wire.name,
            tenant: Name::new(&wire.tenant).map_err(|error| malformed(&error))?,
            is_fleet: wire.fleet,
            access: wire.access,
            by: wire.by,
            created_at: UnixMillis(wire.created_unix_ms),
            expires_at: wire.expires_unix_ms.map(UnixMillis),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_access_allows_what_it_is_for() {
        let table = [
            (Access::Viewer, [true, false, false, false]),
            (Access::Operator, [true, true, false, false]),
            (Access::Approver, [true, false, true, true]),
            (Access::Admin, [true, true, true, true]),
        ];
        for (access, expected) in table {
            let found = [Act::Read, Act::Steer, Act::Decide, Act::Audit].map(|act| access.may(act));
            assert_eq!(found, expected, "{access:?}");
            assert_eq!(access.as_str().parse(), Ok(access));
        }
        assert!("root".parse::<Access>().is_err());
    }

    #[test]
    fn a_token_reads_back_and_names_no_secret() {
        let secret = Token::secret([7; 32]);
        let token = Token {
            hash: Token::hash_of(&secret).unwrap(),
            name: "ci".to_owned(),
            tenant: Name::new("acme").unwrap(),
            is_fleet: false,
            access: Access::Operator,
            by: "ann".to_owned(),
            created_at: UnixMillis(5),
            expires_at: Some(UnixMillis(9)),
        };
        let document = token.encode();
        assert!(!document.contains(&secret[PREFIX.len()..]), "{document}");
        assert_eq!(Token::decode(token.hash, document.as_bytes()), Ok(token.clone()));
        assert!(token.is_live(UnixMillis(8)) && !token.is_live(UnixMillis(9)));
        let newer = document.replace("\"v\":1", "\"v\":2");
        assert_eq!(Token::decode(token.hash, newer.as_bytes()), Err(TokenError::TooNew(2)));
        assert!(matches!(Token::decode(token.hash, b""), Err(TokenError::Malformed(_))));
    }

    #[test]
    fn only_secrets_of_ours_have_a_hash() {
        let secret = Token::secret([9; 32]);
        assert!(secret.starts_with("cadre_") && Token::hash_of(&secret).is_some());
        for other in ["", "cadre_", "cadre_abc", &secret[1..], &format!("{secret}A")] {
            assert_eq!(Token::hash_of(other), None, "{other:?}");
        }
    }
}
