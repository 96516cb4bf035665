//! Subjects with wildcards, for streams and consumers.

use cadre_core::ids::{Name, Partition};

/// Records of a partition's tasks.
#[must_use]
pub fn logs(partition: Partition) -> String {
    format!("cadre.{partition}.log.*")
}

/// Scheduled timers of a partition.
#[must_use]
pub fn timers(partition: Partition) -> String {
    format!("cadre.{partition}.timer.*.wake")
}

/// Timers of a partition that fired.
#[must_use]
pub fn due(partition: Partition) -> String {
    format!("cadre.{partition}.due.*.wake")
}

/// Dead letters of a partition.
#[must_use]
pub fn dead(partition: Partition) -> String {
    format!("cadre.{partition}.dead.>")
}

/// Work orders of a partition.
#[must_use]
pub fn work(partition: Partition) -> String {
    format!("cadre.{partition}.work.*.*.*.*")
}

/// Work orders of a role, in every partition.
#[must_use]
pub fn work_of(role: &Name) -> String {
    format!("cadre.*.work.{role}.*.*.*")
}

/// Everything that comes in for a partition's tasks.
#[must_use]
pub fn inputs(partition: Partition) -> String {
    format!("cadre.{partition}.in.>")
}

/// Step journals of a partition.
#[must_use]
pub fn runs(partition: Partition) -> String {
    format!("cadre.{partition}.run.*.*.*")
}

/// The public intake and what was rejected there.
pub const GOALS: &str = "goals.>";

/// Answers of every task.
pub const ANSWERS: &str = "answers.*.*.*";
