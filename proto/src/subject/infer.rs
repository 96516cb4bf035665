//! Subjects of the inference gateway. On plain NATS: none of them is in a stream.

use std::str::FromStr as _;

use cadre_core::ids::{Name, Partition, StepId, TaskId};

/// Every question to a model.
pub const ALL: &str = "cadre.infer.*";

/// The one group of gateways: each question is heard by one of them.
pub const GROUP: &str = "cadre-inference";

/// What gateways tell each other.
pub const WORDS: &str = "cadre.gateways";

/// `cadre.infer.<tenant>`.
#[must_use]
pub fn ask(tenant: &Name) -> String {
    format!("cadre.infer.{tenant}")
}

/// Whose question came on `subject`; `None` when it is no such subject.
#[must_use]
pub fn tenant(subject: &str) -> Option<Name> {
    Name::from_str(subject.strip_prefix("cadre.infer.")?).ok()
}

/// `cadre.<p>.said.<task>.<step>`: parts of a model's answer.
#[must_use]
pub fn said(partition: Partition, task: &TaskId, step: &StepId) -> String {
    format!("cadre.{partition}.said.{task}.{step}")
}

/// `cadre.<p>.said.<task>.*`: parts of all answers for a task.
#[must_use]
pub fn said_of(partition: Partition, task: &TaskId) -> String {
    format!("cadre.{partition}.said.{task}.*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_is_read_back_and_nothing_else_is_one() {
        let acme = Name::new("acme").unwrap();
        assert_eq!(tenant(&ask(&acme)), Some(acme));
        for bad in ["cadre.infer", "cadre.infer.", "cadre.infer.a.b", "cadre.infer.*", "x"] {
            assert_eq!(tenant(bad), None, "{bad}");
        }
    }
}
