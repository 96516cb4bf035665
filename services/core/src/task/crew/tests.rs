//! Plans and circles, without a task around them.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::{
    loops::{Trace, find},
    planned::read,
};
use crate::{
    contract::Contract,
    ids::Name,
    payload::Hash,
    workflow::{Crew, Effects, Grant, LoopTerms, Pattern, Retry, Role, Runtime},
};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn crew() -> Crew {
    let schema = json!({"type": "object", "required": ["x"]});
    let contract = Arc::new(Contract::compile("work", 1, &schema).unwrap());
    let role = |text: &str| {
        Arc::new(Role {
            name: name(text),
            runtime: Runtime::Script,
            accepts: Arc::clone(&contract),
            returns: Arc::clone(&contract),
            timeout: std::time::Duration::from_secs(1),
            concurrency: 1,
            grant: Grant::default(),
            effects: Effects::Repeatable,
            retry: Retry::default(),
            script: Vec::new(),
            model: None,
        })
    };
    Crew {
        pattern: Pattern::Planner,
        lead: role("boss"),
        team: vec![role("one"), role("two")],
        turns_max: 4,
        loops: LoopTerms::default(),
        returns: None,
    }
}

#[test]
fn a_plan_is_refused_with_every_reason() {
    let one = json!({"id": "a", "role": "one", "input": {"x": 1}});
    let from =
        |id: &str, path: &str| json!({"id": id, "role": "two", "input": {"x": {"$from": path}}});
    let after = |id: &str, after: &str| json!({"id": id, "role": "one", "input": {"x": 1}, "after": [after]});
    let rows = [
        (json!({"steps": [one, from("b", "a.y"), from("c", "input.z")], "why": "so"}), ""),
        (json!({"steps": []}), "has no steps"),
        (json!({"stages": []}), "is no plan: missing field `steps`"),
        (json!({"steps": [{"id": "a"}]}), "is no plan: missing field `role`"),
        (json!({"steps": [{"id": "a", "role": "one", "if": 1}]}), "is no plan: unknown field `if`"),
        (
            json!({"steps": [one, after("b", "a"), after("c", "a"), after("d", "a")]}),
            "has 4 steps, more than the 3 that max_turns leaves",
        ),
        (json!({"steps": [one, one]}), "step a is planned twice"),
        (
            json!({"steps": [{"id": "a", "role": "boss", "input": {"x": 1}}]}),
            "step a: role boss is not in the team (one, two)",
        ),
        (json!({"steps": [{"id": "a", "role": "one"}]}), "step a: input breaks work@1: /: "),
        (json!({"steps": [after("b", "a")]}), "step b needs a, which is not planned"),
        (json!({"steps": [from("b", "a.y")]}), "step b needs a, which is not planned"),
        (json!({"steps": [after("a", "b"), from("b", "a")]}), "steps wait for each other: a, b"),
        (json!({"steps": [from("a", "a.x")]}), "steps wait for each other: a"),
        (
            json!({"steps": [after("input", "a"), one]}),
            "step input: the name means what the planner",
        ),
        (
            json!({"steps": [{"id": "A b", "role": "one", "input": {"x": 1}}]}),
            "step id \"A b\" is not a name",
        ),
        (
            json!({"steps": [after("a", "z"), {"id": "a", "role": "no", "input": {}}]}),
            "step a is planned twice; step a: role no is not in the team (one, two); step a needs z",
        ),
    ];
    for (plan, expected) in rows {
        let problems = read(&crew(), &plan, 100).err().unwrap_or_default().join("; ");
        assert!(problems.starts_with(expected), "{plan}: {problems}");
        assert_eq!(problems.is_empty(), expected.is_empty(), "{plan}: {problems}");
    }
    let plan = json!({"steps": [one, after("b", "a")]});
    let problems = read(&crew(), &plan, 1).unwrap_err();
    assert_eq!(problems, ["has 2 steps, more than the 1 the task has left"]);
}

/// One turn: whose, which fingerprint, which output after it (0: none).
fn traces(turns: &[(&str, u8, u8)]) -> Vec<Trace> {
    let trace = |(role, fingerprint, state): &(&str, u8, u8)| Trace {
        role: name(role),
        fingerprint: Hash([*fingerprint; 32]),
        state: (*state > 0).then_some(Hash([*state; 32])),
    };
    turns.iter().map(trace).collect()
}

#[test]
fn circles_are_found_at_their_thresholds() {
    let terms = LoopTerms { repeats_max: 3, pingpong_max: 2, stall_after: 3 };
    type Row<'a> = (&'a [(&'a str, u8, u8)], &'a str, Option<&'a str>, Option<&'a str>);
    let rows: [Row; 12] = [
        (&[], "a", None, None),
        (&[("a", 1, 1), ("b", 2, 2), ("a", 1, 3), ("b", 2, 4)], "c", None, None),
        (
            &[("a", 1, 1), ("c", 2, 2), ("a", 1, 3), ("b", 3, 4), ("a", 1, 5)],
            "c",
            None,
            Some("repeated"),
        ),
        // Each round of the two is new, and yet they only hand it to each other.
        (&[("a", 1, 1), ("b", 2, 2), ("a", 3, 3), ("b", 4, 4)], "a", None, Some("ping_pong")),
        (&[("a", 1, 1), ("b", 2, 2), ("a", 3, 3), ("b", 4, 4)], "c", None, None),
        (&[("c", 9, 9), ("b", 2, 2), ("a", 3, 3), ("b", 4, 4)], "a", None, None),
        (&[("a", 1, 1), ("a", 2, 2), ("a", 3, 3), ("a", 4, 4)], "a", None, None),
        // A router takes every other turn: only the others count.
        (&[("r", 1, 0), ("a", 2, 2), ("r", 3, 2), ("a", 4, 4), ("r", 5, 4)], "a", Some("r"), None),
        (
            &[
                ("r", 1, 0),
                ("a", 2, 2),
                ("r", 3, 2),
                ("b", 4, 4),
                ("r", 5, 4),
                ("a", 6, 6),
                ("r", 7, 6),
                ("b", 8, 8),
                ("r", 9, 8),
            ],
            "a",
            Some("r"),
            Some("ping_pong"),
        ),
        (&[("a", 1, 0), ("b", 2, 0), ("c", 3, 0)], "a", None, Some("stalled")),
        (&[("a", 1, 1), ("b", 2, 1), ("c", 3, 1)], "a", None, None),
        (&[("a", 1, 1), ("b", 2, 1), ("c", 3, 1), ("d", 4, 1)], "a", None, Some("stalled")),
    ];
    for (turns, next, hub, expected) in rows {
        let found = find(terms, &traces(turns), &name(next), hub.map(name).as_ref());
        assert_eq!(
            found.as_ref().map(|(sign, _)| *sign),
            expected,
            "{turns:?} then {next}: {found:?}"
        );
    }
}

proptest! {
    #[test]
    fn progress_without_repetition_is_no_circle(roles in prop::collection::vec(0..3_usize, 0..40)) {
        // Three roles one after the other, each turn with an output of its own.
        let names = ["a", "b", "c"];
        let turns: Vec<_> = (1..).zip(&roles).map(|(n, _)| (names[usize::from(n) % 3], n, n)).collect();
        let next = name(names[(turns.len() + 1) % 3]);
        prop_assert_eq!(find(LoopTerms::default(), &traces(&turns), &next, None), None);
    }

    #[test]
    fn nothing_new_always_comes_to_an_end(roles in prop::collection::vec(0..3_usize, 4..40)) {
        let names = ["a", "b", "c"];
        let turns: Vec<_> = (1..).zip(&roles).map(|(n, role)| (names[*role], n, 0)).collect();
        let found = find(LoopTerms::default(), &traces(&turns), &name("a"), None);
        prop_assert!(found.is_some());
    }
}
