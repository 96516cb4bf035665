//! What a person is asked, and what the answer is bound to.
//!
//! A decision names the hash of exactly what was shown: when the step, the attempt,
//! the question or the content is another one by then, the decision is refused.

use crate::{
    ids::{StepId, TaskId},
    payload::{Hash, Payload},
    time::UnixMillis,
    workflow::WhenExpired,
};

/// What a person is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// What kind of question.
    pub kind: AskKind,
    /// The question.
    pub question: String,
    /// What is to be approved, or what the worker would answer.
    pub content: Option<Payload>,
    /// When it expires, on the broker's clock; `None` at the task's deadline.
    pub expires: Option<UnixMillis>,
    /// What happens then.
    pub when_expired: WhenExpired,
    /// People who must agree, at least 1.
    pub quorum: u32,
    /// Whoever published the goal cannot decide.
    pub four_eyes: bool,
    /// Whoever grants may change the content first.
    pub editable: bool,
}

/// What kind of question a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskKind {
    /// The step is an approval: yes or no to its content.
    Approval,
    /// A worker could not go on, or its output was not good enough: an output is wanted.
    Question,
    /// What a step does may have happened, and must not happen twice: the content, if there is any,
    /// names the calls that are in doubt.
    Doubt,
}

impl AskKind {
    /// The kind as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Question => "question",
            Self::Doubt => "doubt",
        }
    }
}

impl Ask {
    /// What a decision about it must name.
    ///
    /// SHA-256 over task, step, attempt, kind, question and content, each with its length before it.
    #[must_use]
    pub fn hash(&self, task: &TaskId, step: &StepId, attempt: u32) -> Hash {
        let content = self.content.as_ref().map_or("", Payload::text);
        let mut bytes = Vec::with_capacity(128 + self.question.len() + content.len());
        let parts = [
            task.as_str(),
            &step.to_string(),
            &attempt.to_string(),
            self.kind.as_str(),
            &self.question,
            content,
        ];
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Hash::of(&bytes)
    }
}
