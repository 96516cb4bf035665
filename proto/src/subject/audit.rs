//! Subjects of the audit trail: `audit.fleet` and `audit.tenant.<tenant>`.

use cadre_core::audit::Chain;

/// Who writes the trail.
pub const AUDITOR: &str = "alerts.auditor";

/// Where the entries of a chain are.
#[must_use]
pub fn chain(chain: &Chain) -> String {
    format!("audit.{chain}")
}

/// The chain whose subject this is, as text; `None` for any other subject.
#[must_use]
pub fn chain_of(subject: &str) -> Option<&str> {
    subject.strip_prefix("audit.")
}
