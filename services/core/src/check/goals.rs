//! The goals: what was confirmed is kept, what was accepted ends.

use std::collections::BTreeSet;

use super::{
    CheckOptions,
    fact::{LetterFact, Place},
    rule::Rule,
    tasks::Tasks,
    verdict::Findings,
};
use crate::ids::TaskId;

/// What is known of goals without a log.
#[derive(Debug, Default)]
pub(super) struct Goals {
    waiting: Vec<(Place, Option<TaskId>)>,
    /// Tasks of goals that became dead letters.
    buried: BTreeSet<TaskId>,
}

impl Goals {
    pub(super) fn waits(&mut self, place: Place, task: Option<TaskId>) {
        self.waiting.push((place, task));
    }

    pub(super) fn buried(&mut self, letter: &LetterFact) {
        self.buried.extend(letter.goal.clone());
    }
}

/// Judges the goals at the end of the reading.
pub(super) fn finish(
    goals: &Goals,
    tasks: &Tasks,
    options: &CheckOptions,
    findings: &mut Findings,
) {
    let waiting: BTreeSet<_> = goals.waiting.iter().filter_map(|(_, task)| task.as_ref()).collect();
    for (task, called) in &options.acknowledged {
        let is_kept =
            tasks.get(task).is_some() || waiting.contains(task) || goals.buried.contains(task);
        if !is_kept {
            let place =
                Place { stream: "CADRE_LOG".into(), shard: 0, sequence: 0, at: Default::default() };
            let text = format!("the goal {called} was confirmed and there is no trace of it");
            findings.accuse(Rule::AcknowledgedKept, Some(task), &place, text);
        }
    }
    if !options.is_quiescent {
        return;
    }
    for (id, entry, live) in tasks.open() {
        let text = format!("it is {} at revision {}", live.task.status(), entry.rev);
        findings.accuse(Rule::GoalEnded, Some(id), &entry.place, text);
    }
    for (place, task) in &goals.waiting {
        findings.accuse(Rule::GoalEnded, task.as_ref(), place, "the goal still waits");
    }
}
