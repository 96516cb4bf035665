//! What the journals of a task say of its calls of models.

use cadre_core::{
    ids::TaskId,
    journal::{CallKind, CallOutcome, History},
    workflow::Grant,
};
use serde_json::Value;

use crate::bed::Bed;

/// The calls of a task, by kind.
#[derive(Debug, Default)]
pub struct Calls {
    /// Decision records of its calls of models, with what each cost.
    pub models: Vec<(Value, Grant)>,
    /// Calls of tools.
    pub tools: usize,
}

impl Calls {
    /// Reads them; each has been made.
    ///
    /// # Panics
    /// When one has no result, or a journal cannot be read.
    pub async fn of(bed: &Bed, task: &TaskId) -> Self {
        let mut calls = Self::default();
        for (_, pages) in bed.bus.read_journals(task).await.expect("journals") {
            let mut history = History::default();
            for entry in &pages.entries {
                history.apply(entry).expect("a whole journal");
            }
            for (_, call) in history.calls() {
                let ended = call.ended.as_ref().expect("an outcome");
                let CallOutcome::Done(record) = &ended.outcome else { panic!("{ended:?}") };
                match call.intent.kind {
                    CallKind::Model => calls.models.push((record.value().clone(), ended.cost)),
                    CallKind::Tool => calls.tools += 1,
                }
            }
        }
        calls
    }

    /// What its calls of models cost in all, in millionths of a US dollar.
    #[must_use]
    pub fn usd_micros(&self) -> u64 {
        self.models.iter().map(|(_, cost)| cost.usd_micros).sum()
    }
}
