//! What models have done of an attempt's work, as its worker knows from the step's journal.

use super::input::Input;

/// What one model has done of an attempt's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelUse {
    /// Who answered, as `provider/model`.
    pub model: String,
    /// Answers.
    pub calls: u32,
    /// Millionths of a US dollar.
    pub usd_micros: u64,
    /// Tokens, in and out.
    pub tokens: u64,
}

impl Input {
    /// What models have done for it: of a report, what its worker says.
    #[must_use]
    pub fn models(&self) -> &[ModelUse] {
        if let Self::Report(report) = self { &report.models } else { &[] }
    }
}
