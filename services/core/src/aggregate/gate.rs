//! The final gate: resolves every field, names what is missing, checks the contract.

use serde_json::{Map, Value};

use super::{Absence, Conflict, Field, Missing, Request, Response, rules};
use crate::{
    contract::{Contract, ContractError},
    ids::StepId,
    limits::{CANDIDATES_MAX, CONFLICTS_MAX, MISSING_MAX},
    task::{EndStatus, clip},
};

/// One workflow's gate: its response contract, whole and relaxed, compiled once.
#[derive(Debug)]
pub struct Gate {
    whole: Contract,
    /// Without the root's `required`: what a partial answer must satisfy.
    relaxed: Contract,
}

impl Gate {
    /// Compiles the gate of a workflow whose answers must satisfy `output`.
    ///
    /// # Errors
    /// [`ContractError`] when the contract does not compile without its root's `required`.
    pub fn new(output: &Contract) -> Result<Self, ContractError> {
        let compile = |schema: &Value| Contract::compile(output.name(), output.version(), schema);
        let mut relaxed = output.schema().clone();
        if let Some(root) = relaxed.as_object_mut() {
            root.remove("required");
        }
        Ok(Self { whole: compile(output.schema())?, relaxed: compile(&relaxed)? })
    }

    /// Makes one answer of all parts.
    #[must_use]
    pub fn resolve(&self, request: &Request) -> Response {
        let mut parts = Parts::default();
        for field in &request.fields {
            parts.take(field, &request.gaps);
        }
        parts.take_gaps(&request.gaps);
        let mut response = parts.respond(request);
        self.check(&mut response);
        response
    }

    fn check(&self, response: &mut Response) {
        let contract = match response.status {
            EndStatus::Completed => &self.whole,
            EndStatus::Partial => &self.relaxed,
            EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete => return,
        };
        if let Err(violations) = contract.check(&Value::Object(response.result.clone())) {
            let broken = format!("the answer breaks contract {}: {violations}", contract.id());
            response.reason = if response.status == EndStatus::Partial {
                clip(&format!("{broken}; besides, {}", response.reason))
            } else {
                clip(&broken)
            };
            response.status = EndStatus::Failed;
        }
    }
}

/// Makes one answer of all parts, for a caller with one request; see [`Gate`] for many.
///
/// # Errors
/// As [`Gate::new`].
pub fn resolve(request: &Request, output: &Contract) -> Result<Response, ContractError> {
    Ok(Gate::new(output)?.resolve(request))
}

/// The answer in the making.
#[derive(Default)]
struct Parts {
    result: Map<String, Value>,
    missing: Vec<Absence>,
    conflicts: Vec<Conflict>,
    /// Why the answer is not complete.
    losses: Vec<String>,
    lacks_required: bool,
}

impl Parts {
    fn take(&mut self, field: &Field, gaps: &[Missing]) {
        let settled = rules::settle(field);
        let is_split = settled.value.is_none() && !settled.conflicts.is_empty();
        self.conflicts.extend(settled.conflicts);
        let name = clip(&field.name);
        if let Some(extra) =
            field.candidates.get(CANDIDATES_MAX..).filter(|extra| !extra.is_empty())
        {
            let step = extra.first().map_or("", |candidate| &candidate.from).to_owned();
            let cause = format!("{} candidates over {CANDIDATES_MAX} were left out", extra.len());
            self.losses.push(format!("field {name} has too many candidates"));
            self.missing.push(Absence { field: Some(name.clone()), step: clip(&step), cause });
        }
        if let Some(value) = settled.value {
            self.result.insert(field.name.clone(), value);
            return;
        }
        let is_lost =
            field.missing.iter().any(|missing| gaps.iter().any(|gap| is_of(gap, missing)));
        if !field.is_required && !is_lost && !is_split {
            return;
        }
        self.lacks_required |= field.is_required;
        let causes = causes(field, is_split);
        let first = causes.first().map_or("", |cause| cause.cause.as_str());
        let kind = if field.is_required { "required field" } else { "field" };
        self.losses.push(format!("{kind} {name} is missing ({first})"));
        self.missing.extend(causes.into_iter().map(|cause| Absence {
            field: Some(name.clone()),
            step: cause.step,
            cause: cause.cause,
        }));
    }

    /// Lists what ended without an output. A lost item always is a loss; a lost step counts by the
    /// fields that it leaves empty, for another step may have stood in for it.
    fn take_gaps(&mut self, gaps: &[Missing]) {
        let items = gaps.iter().filter(|gap| item_of(&gap.step).is_some()).count();
        if items > 0 {
            let verb = if items == 1 { "item has" } else { "items have" };
            self.losses.push(format!("{items} fan-out {verb} no output"));
        }
        for gap in gaps {
            if !self.missing.iter().take(MISSING_MAX).any(|absence| absence.step == gap.step) {
                let (step, cause) = (clip(&gap.step), clip(&gap.cause));
                self.missing.push(Absence { field: None, step, cause });
            }
        }
    }

    fn respond(mut self, request: &Request) -> Response {
        if let Some(limit) = &request.limit {
            self.losses.insert(0, format!("a limit was met: {limit}"));
        }
        let status = if self.losses.is_empty() {
            EndStatus::Completed
        } else if self.lacks_required && self.result.is_empty() {
            EndStatus::Failed
        } else {
            EndStatus::Partial
        };
        let mut reason = if self.losses.is_empty() {
            "every part is there".to_owned()
        } else {
            self.losses.join("; ")
        };
        if let Some(count) = excess(&mut self.conflicts, CONFLICTS_MAX) {
            reason = format!("{reason}; {count} further conflicts are not listed");
        }
        if let Some(count) = excess(&mut self.missing, MISSING_MAX) {
            let cause = format!("{count} further missing parts are not listed");
            self.missing.push(Absence { field: None, step: "others".to_owned(), cause });
        }
        let (missing, conflicts) = (self.missing, self.conflicts);
        Response { status, reason: clip(&reason), result: self.result, missing, conflicts }
    }
}

/// Cuts `list` to `max` entries; how many that were, if any.
fn excess<T>(list: &mut Vec<T>, max: usize) -> Option<usize> {
    let count = list.len().checked_sub(max).filter(|count| *count > 0)?;
    list.truncate(max);
    Some(count)
}

/// Why a field has no value; never empty.
fn causes(field: &Field, is_split: bool) -> Vec<Missing> {
    let from = field.candidates.first().map_or("result", |candidate| &candidate.from);
    let of = |step: &str, cause: &str| Missing { step: clip(step), cause: clip(cause) };
    if is_split {
        return vec![of(from, "its candidates disagree")];
    }
    if field.missing.is_empty() {
        return vec![of(from, "nothing gave a value")];
    }
    field.missing.iter().map(|missing| of(&missing.step, &missing.cause)).collect()
}

/// Whether `missing` is missing because of `gap`: the same step, or a fan-out of which it is an item.
fn is_of(gap: &Missing, missing: &Missing) -> bool {
    gap.step == missing.step
        || item_of(&gap.step).is_some_and(|step| step.name.as_str() == missing.step)
}

fn item_of(step: &str) -> Option<StepId> {
    StepId::parse(step).ok().filter(|step| step.item.is_some())
}
