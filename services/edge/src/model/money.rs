//! Whose the money of a record is: role by role, and model by model as far as its worker says. Pure.

use cadre_core::{
    ids::StepId,
    task::{Event, ModelUse, Record, Task, Usage},
};

/// What was spent, by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sums {
    pub(super) attempts: u64,
    pub(super) failures: u64,
    /// Answers of models.
    pub(super) calls: u64,
    pub(super) usage: Usage,
}

/// A role and a model; each is empty where there is none, or nobody has said.
pub(super) type Spender = (String, String);

impl Sums {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            attempts: self.attempts + other.attempts,
            failures: self.failures + other.failures,
            calls: self.calls.saturating_add(other.calls),
            usage: self.usage.plus(other.usage),
        }
    }
}

/// What an event charges, and to whom; `task` is the state before it.
pub(super) fn charged(task: &Task, event: &Event, record: &Record) -> Vec<(Spender, Sums)> {
    let Some((role, usage)) = task.bill(event) else { return Vec::new() };
    let role = role.map_or(String::new(), ToString::to_string);
    let models = match own_step(event) {
        Some(step) => models_of(task, step, record),
        None => &[],
    };
    split(models, usage).into_iter().map(|(model, sums)| ((role.clone(), model), sums)).collect()
}

/// The model that an attempt counts for: the dearest one that its report names.
pub(super) fn main_model(task: &Task, step: &StepId, record: &Record) -> String {
    models_of(task, step, record).first().map_or(String::new(), |one| one.model.clone())
}

/// The step of whose attempt the event tells the end.
fn own_step(event: &Event) -> Option<&StepId> {
    if let Event::StepCompleted { step, .. }
    | Event::StepDelayed { step, .. }
    | Event::StepFailed { step, .. }
    | Event::StepWaiting { step, .. } = event
    {
        return Some(step);
    }
    None
}

/// What models have done of the attempt that is out, if its report caused the record.
fn models_of<'a>(task: &Task, step: &StepId, record: &'a Record) -> &'a [ModelUse] {
    let attempt = task.steps.get(step).map_or(0, |step| step.attempt);
    if record.cause.is_report_of(step, attempt) { &record.cause.models } else { &[] }
}

/// Each model's part; what is left of the sum is nobody's. A worker that says more than it charges is not believed.
fn split(models: &[ModelUse], usage: Usage) -> Vec<(String, Sums)> {
    let mut left = usage;
    let mut parts = Vec::with_capacity(models.len() + 1);
    for one in models {
        let part = Usage {
            usd_micros: one.usd_micros.min(left.usd_micros),
            tokens: one.tokens.min(left.tokens),
            // Nobody knows whose time it was.
            work_ms: std::mem::take(&mut left.work_ms),
        };
        left.usd_micros -= part.usd_micros;
        left.tokens -= part.tokens;
        let sums = Sums { calls: one.calls.into(), usage: part, ..Sums::default() };
        parts.push((one.model.clone(), sums));
    }
    parts.push((String::new(), Sums { usage: left, ..Sums::default() }));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(model: &str, usd_micros: u64, tokens: u64) -> ModelUse {
        ModelUse { model: model.to_owned(), calls: 2, usd_micros, tokens }
    }

    #[test]
    fn parts_add_up_to_the_bill_whatever_the_worker_says() {
        let usage = Usage { usd_micros: 100, tokens: 50, work_ms: 9 };
        for (models, expected) in [
            (vec![], vec![("", 100, 50, 9)]),
            (vec![one("a/x", 60, 20)], vec![("a/x", 60, 20, 9), ("", 40, 30, 0)]),
            (
                vec![one("a/x", 60, 20), one("b/y", 40, 30)],
                vec![("a/x", 60, 20, 9), ("b/y", 40, 30, 0), ("", 0, 0, 0)],
            ),
            (
                vec![one("a/x", 900, 20), one("b/y", 1, 99)],
                vec![("a/x", 100, 20, 9), ("b/y", 0, 30, 0), ("", 0, 0, 0)],
            ),
        ] {
            let parts = split(&models, usage);
            let seen: Vec<_> = parts
                .iter()
                .map(|(name, it)| {
                    (name.as_str(), it.usage.usd_micros, it.usage.tokens, it.usage.work_ms)
                })
                .collect();
            assert_eq!(seen, expected);
            let all = parts.iter().fold(Usage::default(), |sum, (_, it)| sum.plus(it.usage));
            assert_eq!(all, usage);
        }
    }
}
