//! What can be wrong with a message.

use cadre_core::{
    ids::{NameError, StepIdError, TaskIdError},
    payload::{Hash, PayloadError},
};

/// Bytes that are not the message they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A newer build wrote it and says that this one must not read it; time or an upgrade helps.
    #[error(
        "{message} needs a reader of schema {min_reader} and this build reads up to {reads}: \
         upgrade this process"
    )]
    TooNew {
        /// Which message.
        message: &'static str,
        /// The oldest schema that reads it.
        min_reader: u32,
        /// The newest schema that this process reads.
        reads: u32,
    },
    /// Not the protobuf encoding of the message.
    #[error("{message} is not valid protobuf: {cause}")]
    Protobuf {
        /// Which message.
        message: &'static str,
        /// What the parser says.
        cause: String,
    },
    /// Not the ProtoJSON encoding of the message.
    #[error("{message} is not valid ProtoJSON: {cause}")]
    Json {
        /// Which message.
        message: &'static str,
        /// What the parser says; names an unknown field.
        cause: String,
    },
    /// The encoding is fine, a field's value is not.
    #[error("{message}: {field} {problem}")]
    Field {
        /// Which message.
        message: &'static str,
        /// Path of the field, such as `events[2].step_completed.confidence`.
        field: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

impl DecodeError {
    /// The document to fetch before trying again; `None` when fetching would not help.
    #[must_use]
    pub fn missing_blob(&self) -> Option<Hash> {
        match self {
            Self::Field { problem: Problem::BlobMissing(hash), .. } => Some(*hash),
            Self::Field { .. }
            | Self::TooNew { .. }
            | Self::Protobuf { .. }
            | Self::Json { .. } => None,
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is required.
    #[error("is missing")]
    Missing,
    /// A variant that this build does not know, or none at all.
    #[error("is not set, or of a kind that this build does not know")]
    UnknownKind,
    /// A value of an enumeration that this build does not know.
    #[error("has the unknown value {0}")]
    UnknownValue(i32),
    /// Outside the allowed range.
    #[error("{0}")]
    Range(&'static str),
    /// Not a name.
    #[error("is invalid: {0}")]
    Name(NameError),
    /// Not a task id.
    #[error("is invalid: {0}")]
    Task(TaskIdError),
    /// Not a step.
    #[error("is invalid: {0}")]
    Step(StepIdError),
    /// Not an acceptable JSON document.
    #[error("is invalid: {0}")]
    Document(PayloadError),
    /// A referenced document was not given to the decoder.
    #[error("refers to the document {0}, which was not found in the object store")]
    BlobMissing(Hash),
    /// A referenced document has other content than the reference says.
    #[error("refers to the document {expected}, but the content found hashes to {found}")]
    BlobMismatch {
        /// Hash in the reference.
        expected: Hash,
        /// Hash of the content.
        found: Hash,
    },
}

/// A message that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} cannot be written as ProtoJSON: {cause}")]
pub struct EncodeError {
    /// Which message.
    pub message: &'static str,
    /// What the writer says.
    pub cause: String,
}

/// A problem and the path to its field, on its way up to the message's name.
#[derive(Debug)]
pub(crate) struct Fault {
    field: String,
    problem: Problem,
}

impl Fault {
    pub(crate) fn new(field: &str, problem: Problem) -> Self {
        Self { field: field.to_owned(), problem }
    }

    /// The same fault seen from the message that holds `parent`.
    pub(crate) fn inside(self, parent: &str) -> Self {
        Self { field: format!("{parent}.{}", self.field), problem: self.problem }
    }

    pub(crate) fn of(self, message: &'static str) -> DecodeError {
        DecodeError::Field { message, field: self.field, problem: self.problem }
    }
}
