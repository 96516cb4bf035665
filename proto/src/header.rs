//! Headers: names, and strict typed readers and writers over plain pairs.
//!
//! Every value that Cadre reads or writes is 1 to [`BYTES_MAX`] bytes of printable
//! ASCII, so none can break a header block or inject another. Duplicates are refused,
//! and so are unknown names beginning with `Cadre-`: a typo in a limit must not be a
//! limit that silently does not hold. Other foreign headers are ignored.

use std::time::Duration;

use cadre_core::time::UnixMillis;

mod goal;
mod when;
mod work;

pub use goal::{GoalHeaders, Until, own_key};
pub use work::{Grant, WorkHeaders};

/// Bytes of a header's value.
pub const BYTES_MAX: usize = 256;

/// The task that a work order belongs to.
pub const TASK: &str = "Cadre-Task";
/// The step that it asks for.
pub const STEP: &str = "Cadre-Step";
/// Which try of the step it is, from 1.
pub const ATTEMPT: &str = "Cadre-Attempt";
/// The role that shall do it.
pub const ROLE: &str = "Cadre-Role";
/// Who asked for the task.
pub const USER: &str = "Cadre-User";
/// Contract of the input, as `name@version`.
pub const CONTRACT_IN: &str = "Cadre-Contract-In";
/// Contract of the output, as `name@version`.
pub const CONTRACT_OUT: &str = "Cadre-Contract-Out";
/// Absolute deadline in Unix milliseconds of the broker's clock; goals may use RFC 3339.
pub const DEADLINE: &str = "Cadre-Deadline";
/// Milliseconds from publishing to the deadline.
pub const TIMEOUT_MS: &str = "Cadre-Timeout-Ms";
/// Model tokens that the work may spend; missing means none.
pub const GRANT_TOKENS: &str = "Cadre-Grant-Tokens";
/// Money that the work may spend, in millionths of a US dollar; missing means none.
pub const GRANT_USD_MICROS: &str = "Cadre-Grant-Usd-Micros";
/// Further steps that the work may start; missing means none.
pub const GRANT_STEPS: &str = "Cadre-Grant-Steps";
/// How many services passed the call on before; missing means 0.
pub const HOP: &str = "Cadre-Hop";
/// Key for side effects: the same on every delivery and attempt of a step.
pub const IDEMPOTENCY_KEY: &str = "Cadre-Idempotency-Key";
/// Schema of the body.
pub const SCHEMA: &str = "Cadre-Schema";
/// Money that a goal may cost, in US dollars with up to six decimals.
pub const BUDGET_USD: &str = "Cadre-Budget-Usd";
/// Model tokens that a goal may cost.
pub const BUDGET_TOKENS: &str = "Cadre-Budget-Tokens";
/// Work orders that a goal may cost.
pub const BUDGET_STEPS: &str = "Cadre-Budget-Steps";
/// Encoding of the body.
pub const CONTENT_TYPE: &str = "Content-Type";
/// W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// W3C trace context, vendors' part.
pub const TRACESTATE: &str = "tracestate";
/// A publisher's idempotency key; the broker deduplicates by it for a while, Cadre for ever.
pub const MSG_ID: &str = "Nats-Msg-Id";
/// Guard of a publish: the sequence of the subject's last message, 0 for none.
pub const EXPECTED_LAST_SUBJECT_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";

/// Beginning of every name that is Cadre's own.
const PREFIX: &str = "Cadre-";

/// Headers that are not as they must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No header of Cadre's has this name.
    #[error("header {0:?} is unknown: check its spelling")]
    Unknown(String),
    /// Given more than once.
    #[error("header {0} is given twice: send it once")]
    Duplicate(&'static str),
    /// Required, but not there.
    #[error("header {0} is missing")]
    Missing(&'static str),
    /// Empty, too long, or with characters other than printable ASCII.
    #[error("header {0} must have 1 to {BYTES_MAX} bytes of printable ASCII")]
    Unprintable(&'static str),
    /// Readable, but not what this header holds.
    #[error("header {name}: {value:?} is not {expected}")]
    Invalid {
        /// The header.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it should say.
        expected: &'static str,
    },
    /// Two headers that contradict each other.
    #[error("headers {0} and {1} exclude each other: send one")]
    Contradiction(&'static str, &'static str),
}

/// Whether `text` can be a header's value.
#[must_use]
pub fn is_value(text: &str) -> bool {
    (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(|c| (0x20..=0x7e).contains(&c))
}

/// Whether `text` is a W3C `traceparent`; others are dropped, since a trace must not fail work.
#[must_use]
pub fn is_traceparent(text: &str) -> bool {
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |part: &str, length| is_hex(part, length) && part.bytes().any(|c| c != b'0');
    let parts: Vec<&str> = text.splitn(5, '-').collect();
    match parts.as_slice() {
        [version, trace, span, flags, rest @ ..] => {
            let is_known = *version == "00" && rest.is_empty();
            let is_later = is_hex(version, 2) && *version != "00" && *version != "ff";
            (is_known || is_later) && is_id(trace, 32) && is_id(span, 16) && is_hex(flags, 2)
        }
        _ => false,
    }
}

/// What one reader knows of a message's headers.
struct Fields<'a, const N: usize> {
    names: [&'static str; N],
    values: [Option<&'a str>; N],
    /// The first name that begins as ours and is none of them.
    unknown: Option<String>,
}

impl<'a, const N: usize> Fields<'a, N> {
    fn collect(
        names: [&'static str; N],
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, HeaderError> {
        let mut fields = Self { names, values: [None; N], unknown: None };
        for (name, value) in pairs {
            fields.put(name, value)?;
        }
        Ok(fields)
    }

    fn put(&mut self, name: &str, value: &'a str) -> Result<(), HeaderError> {
        let mut slots = self.names.iter().zip(&mut self.values);
        let Some((name, slot)) = slots.find(|(known, _)| **known == name) else {
            let is_ours = |prefix: &str| prefix.eq_ignore_ascii_case(PREFIX);
            if name.get(..PREFIX.len()).is_some_and(is_ours) {
                self.unknown.get_or_insert_with(|| name.chars().take(80).collect());
            }
            return Ok(());
        };
        if !is_value(value) {
            return Err(HeaderError::Unprintable(name));
        }
        if slot.replace(value).is_some() {
            return Err(HeaderError::Duplicate(name));
        }
        Ok(())
    }

    fn refuse_unknown(&mut self) -> Result<(), HeaderError> {
        self.unknown.take().map_or(Ok(()), |name| Err(HeaderError::Unknown(name)))
    }

    fn get(&self, name: &'static str) -> Option<&'a str> {
        let mut slots = self.names.iter().zip(&self.values);
        slots.find(|(known, _)| **known == name).and_then(|(_, value)| *value)
    }

    fn required(&self, name: &'static str) -> Result<&'a str, HeaderError> {
        self.get(name).ok_or(HeaderError::Missing(name))
    }

    /// A whole number as it is printed: digits only, no sign, no leading zero.
    fn number(&self, name: &'static str) -> Result<Option<u64>, HeaderError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = when::number(value);
        let expected = "a whole number below 2^64";
        number.map(Some).ok_or_else(|| invalid(name, value, expected))
    }

    fn small_number(&self, name: &'static str) -> Result<Option<u32>, HeaderError> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        let value = self.get(name).unwrap_or_default();
        let number = u32::try_from(number);
        number.map(Some).map_err(|_| invalid(name, value, "a whole number below 2^32"))
    }

    /// A duration in milliseconds, at least one.
    fn timeout(&self) -> Result<Option<Duration>, HeaderError> {
        match self.number(TIMEOUT_MS)? {
            Some(0) => Err(invalid(TIMEOUT_MS, "0", "a number of milliseconds from 1")),
            number => Ok(number.map(Duration::from_millis)),
        }
    }

    fn traceparent(&self) -> Option<&'a str> {
        self.get(TRACEPARENT).filter(|text| is_traceparent(text))
    }
}

fn invalid(name: &'static str, value: &str, expected: &'static str) -> HeaderError {
    HeaderError::Invalid { name, value: value.to_owned(), expected }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn unix(point: UnixMillis) -> String {
    point.0.to_string()
}

#[cfg(test)]
mod tests;
