//! What crews brought.

use cadre_core::{task::Event, workflow::Pattern};
use proptest::prelude::*;

use super::{name, payload, step};

pub(super) fn event() -> impl Strategy<Value = Event> {
    let text = any::<String>;
    let pattern =
        prop::sample::select(vec![Pattern::Network, Pattern::Supervisor, Pattern::Planner]);
    prop_oneof![
        (name(), pattern, any::<u32>(), payload()).prop_map(|(step, pattern, turns_max, input)| {
            Event::CrewBegan { step, pattern, turns_max, input }
        }),
        (step(), name(), text()).prop_map(|(step, to, reason)| Event::HandedOff {
            step,
            to,
            reason
        }),
        (name(), text(), payload()).prop_map(|(step, text, evidence)| Event::LoopFound {
            step,
            text,
            evidence
        }),
    ]
}
