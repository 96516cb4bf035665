//! What an operator looks at on the bus itself: how it differs from what is declared, and single messages.

use crate::time::UnixMillis;

/// Something on the broker that is not as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The stream, or the stream that the consumer reads.
    pub stream: String,
    /// The consumer; `None` for a stream or bucket.
    pub consumer: Option<String>,
    /// What would mend it, in one line.
    pub text: String,
    /// How it differs, key by key; empty for what is missing or too many.
    pub fields: Vec<DriftField>,
    /// Somebody added it by hand, and it is left alone.
    pub is_tolerated: bool,
}

/// One setting that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftField {
    /// Which.
    pub field: String,
    /// As the broker has it.
    pub found: String,
    /// As it is declared.
    pub declared: String,
}

/// Which messages of a stream are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeekQuery {
    /// The stream.
    pub stream: String,
    /// The first sequence; `None` begins with the oldest message of a work queue, and with the last few of any
    /// other stream.
    pub from: Option<u64>,
    /// At most so many, and never more than [`crate::limits::PEEK_MESSAGES_MAX`].
    pub limit: usize,
}

/// Some messages of a stream, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peek {
    /// Messages in the stream.
    pub total: u64,
    /// Its first sequence.
    pub first: u64,
    /// Its last sequence; below `first` in an empty one.
    pub last: u64,
    /// Those that were asked for and are still there.
    pub messages: Vec<Peeked>,
}

/// One message, looked into. Nobody else misses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// Its place in the stream.
    pub sequence: u64,
    /// When the broker stored it.
    pub at: UnixMillis,
    /// Its subject.
    pub subject: String,
    /// What it is, as one word.
    pub kind: String,
    /// What it says, on one line.
    pub text: String,
    /// Somebody should look: a rejection, a failure, a dead letter, something unreadable.
    pub is_bad: bool,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Size of its body.
    pub size_bytes: u64,
    /// All of it as JSON, of a large one the beginning; `None` when it cannot be decoded or says nothing more.
    pub document: Option<String>,
    /// More than `document` is there.
    pub is_cut: bool,
}
