//! Which models a step's calls were answered by: for whoever asks what a model costs.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{CallKind, CallOutcome, History};
use crate::{limits::MODEL_USES_MAX, model::answered_by, task::ModelUse, workflow::Grant};

impl History {
    /// Who answered the calls that an attempt has begun, the dearest first; at most [`MODEL_USES_MAX`].
    ///
    /// What calls without an answer may have cost is nobody's. A try of another model that was lost before the answer
    /// came counts as its cost: only the whole call's is known.
    #[must_use]
    pub fn models(&self, attempt: u32) -> Vec<ModelUse> {
        let mut uses: BTreeMap<&str, (u32, Grant)> = BTreeMap::new();
        for (_, call) in self.calls() {
            if call.begun.attempt != attempt || call.intent.kind != CallKind::Model {
                continue;
            }
            let Some(ended) = call.ended.as_ref().filter(|ended| ended.ruled_by.is_none()) else {
                continue;
            };
            let CallOutcome::Done(record) = &ended.outcome else { continue };
            let Some(model) = answered_by(record) else { continue };
            let (calls, cost) = uses.entry(model).or_default();
            *calls = calls.saturating_add(1);
            *cost = cost.plus(ended.cost);
        }
        let named = |(model, (calls, cost)): (&str, (u32, Grant))| {
            let Grant { usd_micros, tokens } = cost;
            ModelUse { model: model.to_owned(), calls, usd_micros, tokens }
        };
        let mut uses: Vec<_> = uses.into_iter().map(named).collect();
        uses.sort_by_key(|one| Reverse((one.usd_micros, one.tokens)));
        uses.truncate(MODEL_USES_MAX);
        uses
    }
}
