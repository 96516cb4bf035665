//! Finds out that a crew goes in circles: pure functions of what its turns were.

use serde_json::{Value, json};

use super::history::{History, digest};
use crate::{ids::Name, payload::Hash, workflow::LoopTerms};

/// One turn, as far as circles are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    /// Whose.
    pub(super) role: Name,
    /// Role, canonical input and class of result in one.
    pub(super) fingerprint: Hash,
    /// The last output after it; `None` while there is none.
    pub(super) state: Option<Hash>,
}

/// What was found: the sign as one word, and a sentence.
pub(super) type Found = (&'static str, String);

/// The turns of a crew; what differs in every turn (how many there were) is no part of its input.
pub(super) fn traces(history: &History<'_>) -> Vec<Trace> {
    let (mut from, mut reason, mut state) = (None, None, None);
    let traces = history.turns.iter().map(|turn| {
        let previous = state.map(|state: Hash| state.to_string());
        let class = turn.class();
        let role = turn.role.as_str();
        let input = json!({"from": from, "reason": reason, "previous": previous});
        let fingerprint = digest(&json!({"role": role, "input": input, "result": class}));
        (from, reason) = (Some(turn.role.to_string()), turn.reason());
        state = turn.output().map(|output| digest(output.value())).or(state);
        Trace { role: turn.role.clone(), fingerprint, state }
    });
    traces.collect()
}

/// Looks for a circle before the turn of `next`; `hub` hands work out and gets it back, so that
/// taking turns with it means nothing.
pub(super) fn find(
    terms: LoopTerms,
    traces: &[Trace],
    next: &Name,
    hub: Option<&Name>,
) -> Option<Found> {
    let roles = traces.iter().map(|trace| &trace.role).chain([next]);
    let roles: Vec<_> = roles.filter(|role| hub != Some(role)).collect();
    repeated(terms, traces).or_else(|| stalled(terms, traces)).or_else(|| ping_pong(terms, &roles))
}

fn repeated(terms: LoopTerms, traces: &[Trace]) -> Option<Found> {
    let last = traces.last()?;
    let same = traces.iter().filter(|trace| trace.fingerprint == last.fingerprint).count();
    (same >= count(terms.repeats_max)).then(|| {
        let text = format!("{} did the same with the same input {same} times", last.role);
        ("repeated", text)
    })
}

fn stalled(terms: LoopTerms, traces: &[Trace]) -> Option<Found> {
    let last = traces.last()?.state;
    let mut still = traces.iter().rev().take_while(|trace| trace.state == last).count();
    // The first turn with this output made it.
    if last.is_some() {
        still -= 1;
    }
    (still >= count(terms.stall_after))
        .then(|| ("stalled", format!("the last {still} turns changed nothing")))
}

fn ping_pong(terms: LoopTerms, roles: &[&Name]) -> Option<Found> {
    let [.., a, b] = roles else { return None };
    if a == b {
        return None;
    }
    let back = roles.iter().rev().enumerate();
    let same =
        |(index, role): &(usize, &&Name)| if index % 2 == 0 { *role == b } else { *role == a };
    let alternating = back.take_while(same).count();
    (alternating > count(terms.pingpong_max) * 2).then(|| {
        let (first, second) = if alternating % 2 == 1 { (b, a) } else { (a, b) };
        let text =
            format!("{first} and {second} handed the work to each other {} times", alternating - 1);
        ("ping_pong", text)
    })
}

fn count(max: u32) -> usize {
    usize::try_from(max).unwrap_or(usize::MAX)
}

/// What shows a circle: the sign, and every turn.
pub(super) fn evidence(sign: &str, history: &History<'_>, traces: &[Trace]) -> Value {
    let turns = history.turns.iter().zip(traces).map(|(turn, trace)| {
        json!({
            "turn": turn.index,
            "role": turn.role.as_str(),
            "result": turn.class(),
            "fingerprint": trace.fingerprint.short(),
            "output": trace.state.map(|state| state.short()),
        })
    });
    json!({"sign": sign, "turns": turns.collect::<Vec<_>>()})
}
