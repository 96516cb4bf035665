//! Where a declared step stands as a whole, and why it has no output.

use super::state::{FanOut, NOT_NEEDED, StepState, Task};
use crate::{
    ids::{Name, StepId},
    workflow::{Each, Race, StepPlan},
};

/// How the reason of a step begins that is not wanted for this data.
pub(super) const WHEN_FALSE: &str = "when is false: ";

/// How the reason of a step begins that has lost what it comes after, and how it goes on.
const COMES_AFTER: &str = "it comes after ";
const NO_OUTPUT: &str = ", which has no output: ";

/// What stands before the reason when a skipped step is named as a cause.
const SKIPPED: &str = "skipped: ";

/// Where a declared step stands as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing was decided about it yet.
    Unstarted,
    /// It has begun and is not over.
    Open,
    /// It has an output.
    Done,
    /// It is over without an output; the text says why.
    Absent(String),
}

/// The reason of a step that is skipped for want of `name`: the first cause of a chain, not the chain.
pub(super) fn inherited(name: &Name, why: &str) -> String {
    match why.strip_prefix(SKIPPED).filter(|root| root.starts_with(COMES_AFTER)) {
        Some(root) => root.to_owned(),
        None => format!("{COMES_AFTER}{name}{NO_OUTPUT}{why}"),
    }
}

/// Whether a step was skipped because its `when`, or that of a step it comes after, was false:
/// what the pack declares is no loss.
pub(super) fn is_as_declared(reason: &str) -> bool {
    let root = reason.strip_prefix(COMES_AFTER).and_then(|chain| chain.split_once(NO_OUTPUT));
    let why = root.map_or(reason, |(_, why)| why.strip_prefix(SKIPPED).unwrap_or_default());
    why.starts_with(WHEN_FALSE) || why.starts_with(NOT_NEEDED)
}

/// Where a declared step stands as a whole.
pub(super) fn standing(task: &Task, declared: &StepPlan) -> Standing {
    if let (Some(each), Some(fan_out)) = (&declared.each, task.fan_outs.get(&declared.name)) {
        return match (&fan_out.closed, task.joined.get(&declared.name), &each.take) {
            (_, Some(joined), _) if joined.winners.is_empty() => {
                Standing::Absent(joined.reason.clone())
            }
            (_, Some(_), _) => Standing::Done,
            (Some(why), None, _) => Standing::Absent(format!("{SKIPPED}{why}")),
            (None, None, Some(race)) => race_standing(fan_out, race, task.limited.is_some()),
            (None, None, None) => fan_out_standing(fan_out, each, task.limited.is_some()),
        };
    }
    let id = StepId::single(declared.name.clone());
    match task.steps.get(&id).map(|step| &step.state) {
        None if task.crews.contains_key(&declared.name) => Standing::Open,
        None => Standing::Unstarted,
        Some(
            StepState::Dispatched { .. } | StepState::Delayed { .. } | StepState::Waiting { .. },
        ) => Standing::Open,
        Some(StepState::Completed { .. }) => Standing::Done,
        Some(StepState::Failed(failure)) => {
            Standing::Absent(format!("{}: {}", failure.kind.as_str(), failure.message))
        }
        Some(StepState::Skipped(reason)) => Standing::Absent(format!("{SKIPPED}{reason}")),
        Some(StepState::Cancelled) => Standing::Absent("cancelled".to_owned()),
    }
}

fn fan_out_standing(fan_out: &FanOut, each: &Each, is_limited: bool) -> Standing {
    let total = fan_out.total();
    let no_more = fan_out.begun == total || is_limited || is_hopeless(fan_out, each);
    if fan_out.open > 0 || !no_more {
        return Standing::Open;
    }
    let kept = u64::from(fan_out.completed) * 1000;
    if kept >= u64::from(total) * u64::from(each.keep_partial_permille) {
        return Standing::Done;
    }
    Standing::Absent(format!("{} of {total} items completed", fan_out.completed))
}

/// A race is not over before its winners are on record, unless there can be none.
fn race_standing(fan_out: &FanOut, race: &Race, is_limited: bool) -> Standing {
    let total = fan_out.total();
    let wanted = match race {
        Race::Quorum(wanted) => *wanted,
        Race::Best(_) => 1,
    };
    let no_more = fan_out.begun == total || is_limited || total - fan_out.failed < wanted;
    if fan_out.open == 0 && no_more && fan_out.completed < wanted {
        let completed = fan_out.completed;
        return Standing::Absent(format!(
            "{completed} of {total} items completed, {wanted} are wanted"
        ));
    }
    Standing::Open
}

/// Whether so many items failed that the rest cannot save the step.
pub(super) fn is_hopeless(fan_out: &FanOut, each: &Each) -> bool {
    if let Some(race) = &each.take {
        let wanted = match race {
            Race::Quorum(wanted) => *wanted,
            Race::Best(_) => 1,
        };
        return fan_out.total().saturating_sub(fan_out.failed) < wanted;
    }
    let may_fail =
        u64::from(fan_out.total()) * (1000 - u64::from(each.keep_partial_permille.min(1000)));
    u64::from(fan_out.failed) * 1000 > may_fail
}
