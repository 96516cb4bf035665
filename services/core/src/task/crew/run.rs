//! What the state keeps of a crew beside its turns.

use std::collections::BTreeMap;

use crate::{ids::Name, payload::Payload, workflow::Pattern};

/// A crew that has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct CrewRun {
    /// Who says whose turn is next.
    pub pattern: Pattern,
    /// Turns in all.
    pub turns_max: u32,
    /// The step's own input, the same in every turn.
    pub input: Payload,
    /// Turns that ended with a hand-off.
    pub hand_offs: BTreeMap<u32, HandOff>,
    /// Why it gets no other turn; `None` while nothing was found.
    pub loop_found: Option<String>,
}

/// One hand-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOff {
    /// Who takes the next turn.
    pub to: Name,
    /// Why.
    pub reason: String,
}

impl CrewRun {
    pub(in crate::task) fn new(pattern: Pattern, turns_max: u32, input: Payload) -> Self {
        Self { pattern, turns_max, input, hand_offs: BTreeMap::new(), loop_found: None }
    }

    pub(in crate::task) fn hand_off(&mut self, turn: u32, to: &Name, reason: &str) {
        let hand_off = HandOff { to: to.clone(), reason: reason.to_owned() };
        self.hand_offs.insert(turn, hand_off);
    }
}
