//! The version of a nats-server, as far as comparing goes.

use std::{fmt, str::FromStr};

/// A version of nats-server. A pre-release is older than its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
    /// False for `-beta`, `-RC.1` and the like.
    pub is_release: bool,
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read a version like `nats-server: v2.15.1` from `{text}`")]
pub struct VersionError {
    /// The text that was read.
    pub text: String,
}

impl Version {
    /// A released version.
    pub const fn release(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch, is_release: true }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.is_release { "" } else { "-pre" };
        write!(f, "{}.{}.{}{suffix}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    /// Reads `2.15.1`, `v2.15.1-RC.1` or what `nats-server --version` prints.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || VersionError {
            text: text.trim().lines().next().unwrap_or_default().chars().take(80).collect(),
        };
        let word = text.split_whitespace().last().ok_or_else(error)?;
        let word = word.strip_prefix('v').unwrap_or(word);
        let (numbers, is_release) = match word.split_once('-') {
            Some((numbers, _)) => (numbers, false),
            None => (word, true),
        };
        let mut numbers = numbers.split('.').map(str::parse::<u32>);
        let mut next = || numbers.next().and_then(Result::ok).ok_or_else(error);
        let version = Self { major: next()?, minor: next()?, patch: next()?, is_release };
        if next().is_ok() { Err(error()) } else { Ok(version) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_the_program_prints() {
        let cases = [
            ("nats-server: v2.15.1\n", Some(Version::release(2, 15, 1))),
            ("2.9.10", Some(Version::release(2, 9, 10))),
            ("v2.14.5-RC.1", Some(Version { is_release: false, ..Version::release(2, 14, 5) })),
            ("", None),
            ("nats-server: v2.15", None),
            ("nats-server: v2.15.1.4", None),
            ("hello", None),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Version>().ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_pre_release_is_older_than_its_release_and_ten_is_more_than_nine() {
        let pre = Version { is_release: false, ..Version::release(2, 14, 5) };
        assert!(pre < Version::release(2, 14, 5));
        assert!(pre > Version::release(2, 14, 4));
        assert!(Version::release(2, 9, 10) < Version::release(2, 14, 5));
    }
}
