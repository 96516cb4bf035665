//! What a crew does next: a pure function of its turns so far.

use serde_json::Value;

use super::super::{
    input::{Failure, FailureKind},
    state::Task,
};
use super::{
    Made,
    history::{History, Outcome, Past, expected, may_complete},
    loops, planned,
};
use crate::{
    ids::Name,
    payload::Payload,
    workflow::{Crew, Pattern},
};

/// What happens next.
pub(super) enum Next {
    /// Nothing, until a report comes.
    Wait,
    /// A turn begins.
    Turn(Turn),
    /// The crew is over.
    End(Ending),
}

/// A turn that can begin.
pub(super) struct Turn {
    pub(super) index: u32,
    pub(super) role: Name,
    /// Or why it has none.
    pub(super) input: Result<Value, String>,
}

/// How a crew ends.
pub(super) enum Ending {
    /// It has made something.
    Made(Made),
    /// It gives nothing.
    Fail(Failure),
    /// It goes in circles; with its last output, if there is one.
    Loop { text: String, evidence: Payload, last: Option<Payload> },
}

/// What the crew does next.
pub(super) fn next(crew: &Crew, history: &History<'_>, task: &Task) -> Next {
    match crew.pattern {
        Pattern::Network | Pattern::Supervisor => in_turns(crew, history, task),
        Pattern::Planner => planned::next(crew, history, task),
    }
}

fn in_turns(crew: &Crew, history: &History<'_>, task: &Task) -> Next {
    let last = history.turns.last();
    match last.map(|last| (&last.result, &last.role)) {
        None => {}
        Some((Outcome::Open, _)) => return Next::Wait,
        Some((Outcome::Done { output, confidence, unsure, hand_off: None }, role))
            if may_complete(crew, role) =>
        {
            return Next::End(Ending::Made(Made {
                output: (*output).clone(),
                confidence: *confidence,
                unsure: unsure.map(str::to_owned),
            }));
        }
        Some((Outcome::Failed(failure), role)) if may_complete(crew, role) => {
            return Next::End(failed(last, failure));
        }
        // The work goes on to another role, or back to the router.
        Some((Outcome::Done { .. } | Outcome::Failed(_), _)) => {}
    }
    if let Some(ending) = limited(task) {
        return Next::End(ending);
    }
    let role = expected(crew, last);
    if let Some(ending) = circle(crew, history, &role) {
        return Next::End(ending);
    }
    let index = last.map_or(0, |last| last.index.saturating_add(1));
    let mut input = history.input();
    if crew.pattern == Pattern::Supervisor && role == crew.lead.name {
        let left = history.run.turns_max.saturating_sub(index.saturating_add(1));
        extend(
            &mut input,
            [("team", team(crew)), ("turns", history.listed()), ("turns_left", left.into())],
        );
    }
    Next::Turn(Turn { index, role, input: Ok(input) })
}

/// A turn that failed ends the crew.
pub(super) fn failed(turn: Option<&Past<'_>>, failure: &Failure) -> Ending {
    let text = match turn {
        Some(turn) => format!("turn {} of role {}: {}", turn.index, turn.role, failure.message),
        None => failure.message.clone(),
    };
    Ending::Fail(Failure::new(failure.kind, &text))
}

/// At a limit no turn begins.
pub(super) fn limited(task: &Task) -> Option<Ending> {
    let limit = task.limited.as_ref()?;
    Some(Ending::Fail(Failure::new(FailureKind::Limit, limit)))
}

fn circle(crew: &Crew, history: &History<'_>, next: &Name) -> Option<Ending> {
    let traces = loops::traces(history);
    let hub = (crew.pattern == Pattern::Supervisor).then_some(&crew.lead.name);
    let is_used_up = || {
        let all = u32::try_from(traces.len()).unwrap_or(u32::MAX);
        let text = format!("all {all} turns are used and the work is not done");
        (all >= history.run.turns_max).then_some(("max_turns", text))
    };
    let (sign, text) = loops::find(crew.loops, &traces, next, hub).or_else(is_used_up)?;
    let evidence = loops::evidence(sign, history, &traces);
    let evidence = Payload::from_value(evidence).unwrap_or_else(|_| Payload::null());
    Some(Ending::Loop { text, evidence, last: history.last_output().cloned() })
}

/// Names of those who can be given work.
pub(super) fn team(crew: &Crew) -> Value {
    crew.team.iter().map(|role| role.name.as_str()).collect()
}

pub(super) fn extend<const N: usize>(input: &mut Value, more: [(&str, Value); N]) {
    if let Some(fields) = input.as_object_mut() {
        fields.extend(more.map(|(key, value)| (key.to_owned(), value)));
    }
}
