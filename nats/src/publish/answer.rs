//! What the broker says about one publication (JetStream publish acknowledgement).

use async_nats::{Message, StatusCode};
use serde::Deserialize;

/// The guarded subject does not end where it was expected to.
const WRONG_LAST_SEQUENCE: u64 = 10_071;

/// The message is over the stream's limit.
const TOO_LARGE: u64 = 10_054;

/// The stream is full, and refuses rather than forgets.
const STREAM_FULL: u64 = 10_077;

/// The broker's answer, by what it means for the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Stored under this sequence.
    Stored(u64),
    /// The guard did not hold; the subject's last sequence, if it was said.
    Guarded(Option<u64>),
    /// Not stored, and never will be.
    Never(String),
    /// Not stored now.
    Later(String),
}

#[derive(Deserialize)]
struct Ack {
    #[serde(default)]
    seq: u64,
    error: Option<AckError>,
}

#[derive(Deserialize)]
struct AckError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

impl Answer {
    pub(super) fn of(message: &Message) -> Self {
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            // No leader at the moment, or the server is just starting.
            return Self::Later("no stream takes this subject".to_owned());
        }
        Self::read(&message.payload)
    }

    fn read(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Ack { seq, error: None }) if seq > 0 => Self::Stored(seq),
            Ok(Ack { error: Some(error), .. }) => match error.err_code {
                WRONG_LAST_SEQUENCE => Self::Guarded(last_sequence(&error.description)),
                TOO_LARGE | STREAM_FULL => Self::Never(error.description),
                code => Self::Later(format!("{} ({code})", error.description)),
            },
            Ok(Ack { .. }) => Self::Later("answer without a sequence".to_owned()),
            Err(error) => Self::Later(format!("answer is not understood: {error}")),
        }
    }
}

/// The broker says `wrong last sequence: 17`.
fn last_sequence(description: &str) -> Option<u64> {
    description.strip_prefix("wrong last sequence: ")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_its_meaning() {
        let error = |code: u64, text: &str| {
            format!(
                r#"{{"error":{{"code":400,"err_code":{code},"description":"{text}"}},"stream":"S","seq":0}}"#
            )
        };
        let later = |text: &str| Answer::Later(text.to_owned());
        let table = [
            (r#"{"stream":"S","seq":17}"#.to_owned(), Answer::Stored(17)),
            (r#"{"stream":"S","seq":17,"duplicate":true}"#.to_owned(), Answer::Stored(17)),
            (error(10_071, "wrong last sequence: 5"), Answer::Guarded(Some(5))),
            (error(10_071, "wrong last sequence"), Answer::Guarded(None)),
            (
                error(10_054, "message size exceeds maximum allowed"),
                Answer::Never("message size exceeds maximum allowed".to_owned()),
            ),
            (
                error(10_077, "maximum bytes exceeded"),
                Answer::Never("maximum bytes exceeded".to_owned()),
            ),
            (error(10_164, "in flight"), later("in flight (10164)")),
            (error(10_008, "no quorum"), later("no quorum (10008)")),
            (r#"{"stream":"S"}"#.to_owned(), later("answer without a sequence")),
        ];
        for (body, expected) in table {
            assert_eq!(Answer::read(body.as_bytes()), expected, "{body}");
        }
        assert!(matches!(Answer::read(b"\xff"), Answer::Later(_)));
    }
}
