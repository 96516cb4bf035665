//! What a breaker stands in front of.

use std::{fmt, str::FromStr};

use crate::ids::Name;

/// A role, a tool or a model: never a tenant, whose goals must not harm each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// An agent role of a pack.
    Role(Name),
    /// A tool that roles call.
    Tool(Name),
    /// A model that roles call.
    Model(Name),
}

/// A text that names no [`Target`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no breaker: write role.NAME, tool.NAME or model.NAME")]
pub struct TargetError {
    text: String,
}

impl Target {
    /// `role`, `tool` or `model`; a closed set, used as metric label.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Tool(_) => "tool",
            Self::Model(_) => "model",
        }
    }

    /// Its name among its kind.
    #[must_use]
    pub fn name(&self) -> &Name {
        match self {
            Self::Role(name) | Self::Tool(name) | Self::Model(name) => name,
        }
    }
}

/// The stable key: `role.<name>`, safe as the end of a NATS subject.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind(), self.name())
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let error = || TargetError { text: text.chars().take(80).collect() };
        let (kind, name) = text.split_once('.').ok_or_else(error)?;
        let name = Name::new(name).map_err(|_| error())?;
        match kind {
            "role" => Ok(Self::Role(name)),
            "tool" => Ok(Self::Tool(name)),
            "model" => Ok(Self::Model(name)),
            _ => Err(error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_nothing_else_does() {
        for text in ["role.extractor", "tool.web-search", "model.large_2"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for bad in ["", "extractor", "role.", "role.a.b", "Role.a", "pod.a", "role.*", "role.A"] {
            let error = bad.parse::<Target>().unwrap_err();
            assert!(error.to_string().contains("write role.NAME"), "{error}");
        }
    }
}
