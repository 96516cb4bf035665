//! Names and identities. Each is valid by construction and safe as a NATS subject token.

use std::{fmt, str::FromStr, sync::Arc};

use sha2::{Digest, Sha256};

use crate::limits::NAME_CHARS_MAX;

/// A name that a person wrote: tenant, workflow, role or step.
///
/// One subject token: `[a-z][a-z0-9_-]{0,62}`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// A text that cannot be a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a name: use a lower-case letter, then up to 62 of a-z, 0-9, '_' or '-'")]
pub struct NameError {
    text: String,
}

impl Name {
    /// Checks `text` and makes a name of it.
    ///
    /// # Errors
    /// [`NameError`] when it has other characters or another length.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let mut chars = text.chars();
        let first = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        let rest =
            chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if first && rest && text.len() <= NAME_CHARS_MAX {
            return Ok(Self(Arc::from(text)));
        }
        Err(NameError { text: text.chars().take(80).collect() })
    }

    /// The name that stands for nobody in particular.
    #[must_use]
    pub fn nobody() -> Self {
        Self(Arc::from("nobody"))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// A task's identity: follows from tenant and idempotency key, so the same key is the same task.
///
/// 26 characters of lower-case base32 (130 bits of SHA-256): one subject token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(Arc<str>);

/// A text that cannot be a [`TaskId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a task id: it has 26 characters of a-z and 2-7")]
pub struct TaskIdError {
    text: String,
}

/// Characters of a [`TaskId`].
const TASK_ID_CHARS: usize = 26;

impl TaskId {
    /// Derives the id of the task that `tenant` means by `key`.
    #[must_use]
    pub fn derive(tenant: &Name, key: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"cadre.task.v1\0");
        hash.update(tenant.as_str());
        hash.update(b"\0");
        hash.update(key);
        let mut text = data_encoding::BASE32_NOPAD.encode(&hash.finalize()).to_ascii_lowercase();
        text.truncate(TASK_ID_CHARS);
        Self(Arc::from(text))
    }

    /// Reads an id that was printed before.
    ///
    /// # Errors
    /// [`TaskIdError`] when it is none.
    pub fn parse(text: &str) -> Result<Self, TaskIdError> {
        let valid = |c: u8| c.is_ascii_lowercase() || (b'2'..=b'7').contains(&c);
        if text.len() == TASK_ID_CHARS && text.bytes().all(valid) {
            return Ok(Self(Arc::from(text)));
        }
        Err(TaskIdError { text: text.chars().take(80).collect() })
    }

    /// The partition that owns the task, of `partitions` in all.
    #[must_use]
    pub fn partition(&self, partitions: Partitions) -> Partition {
        // FNV-1a: stable for ever, since it decides where a task lives.
        let hash = self.0.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let count = u64::from(partitions.0);
        Partition(u16::try_from((hash >> 16) % count).unwrap_or_default())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many partitions a deployment has; fixed for the life of its streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions(u16);

impl Partitions {
    /// Makes a count of 1 to 1,024 partitions; other values are drawn to the nearest bound.
    #[must_use]
    pub fn new(count: u16) -> Self {
        Self(count.clamp(1, 1024))
    }

    /// The number of partitions.
    #[must_use]
    pub fn count(self) -> u16 {
        self.0
    }

    /// Every partition, in order.
    pub fn all(self) -> impl Iterator<Item = Partition> {
        (0..self.0).map(Partition)
    }
}

/// The unit of ownership: one of the deployment's partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub u16);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One step of one task: a declared step, or one item of a fan-out (`extract-3`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId {
    /// The step's name in the workflow.
    pub name: Name,
    /// Position in the fan-out's list, from 0; `None` for a step without `each`.
    pub item: Option<u32>,
}

/// A text that cannot be a [`StepId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a step: it is a name, with `-<number>` behind for one item of a fan-out")]
pub struct StepIdError {
    text: String,
}

impl StepId {
    /// The step without a fan-out of this name.
    #[must_use]
    pub fn single(name: Name) -> Self {
        Self { name, item: None }
    }

    /// Item `index` of the fan-out of this name.
    #[must_use]
    pub fn item(name: Name, index: u32) -> Self {
        Self { name, item: Some(index) }
    }

    /// Reads what [`fmt::Display`] wrote.
    ///
    /// # Errors
    /// [`StepIdError`] when it is no step.
    pub fn parse(text: &str) -> Result<Self, StepIdError> {
        let error = || StepIdError { text: text.chars().take(80).collect() };
        let (name, item) = match text.split_once('-') {
            Some((name, item)) => {
                let canonical = item == "0" || !item.starts_with('0');
                let digits = item.bytes().all(|c| c.is_ascii_digit());
                let index = item.parse().ok().filter(|_| canonical && digits);
                (name, Some(index.ok_or_else(error)?))
            }
            None => (text, None),
        };
        Ok(Self { name: Name::new(name).map_err(|_| error())?, item })
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item {
            None => write!(f, "{}", self.name),
            Some(item) => write!(f, "{}-{item}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_safe_subject_token() {
        for good in ["a", "contract-intake", "extractor_2"] {
            assert_eq!(Name::new(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(64);
        for bad in ["", "A", "1a", "a.b", "a b", "a*", "a>", "ä", "a\r\n", long.as_str()] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_same_tenant_and_key_are_the_same_task() {
        let acme = Name::new("acme").unwrap();
        let id = TaskId::derive(&acme, "order-7");
        assert_eq!(id, TaskId::derive(&acme, "order-7"));
        assert_eq!(TaskId::parse(id.as_str()), Ok(id.clone()));
        assert_ne!(id, TaskId::derive(&Name::new("other").unwrap(), "order-7"));
        assert_ne!(id, TaskId::derive(&acme, "order-8"));
        // Golden: a change here would make known keys new tasks.
        assert_eq!(id.as_str(), "b3xlc6fpudch6yiinfqcwapkdp");
    }

    #[test]
    fn partitions_share_tasks_evenly() {
        let (acme, partitions) = (Name::new("acme").unwrap(), Partitions::new(8));
        let mut counts = [0_u32; 8];
        for key in 0..8_000 {
            let id = TaskId::derive(&acme, &key.to_string());
            counts[usize::from(id.partition(partitions).0)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn step_ids_read_back() {
        for text in ["classify", "extract-0", "extract-17"] {
            assert_eq!(StepId::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "extract-", "extract-x", "extract-01", "extract-+1", "a.b", "extract-1-2"] {
            assert!(StepId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
