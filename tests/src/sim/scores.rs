//! What is played in the storms: three packs that together have every kind of step.

use std::sync::Arc;

use cadre_core::pack::PackSource;

use super::{PackSet, chance::Chance, packs};
use crate::packs::{ANYTHING, pack};

/// Every kind of step that stands for itself: a fan-out, fallbacks, approvals, effects.
const STORM: &str = r#"apiVersion: pack/v1
name: storm
roles:
  doer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s, max_usd: 0.0001, max_tokens: 40}
    retry: {attempts: 3, backoff: 300ms}
  spare:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s, max_usd: 0.0001, max_tokens: 40}
  payer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s, max_usd: 0.0001, max_tokens: 40}
    effects: once
    retry: {attempts: 3, backoff: 300ms}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 45s, max_steps: 30, max_usd: 0.01, max_tokens: 4000}
  when_limited: partial
  steps:
    first: {role: doer, fallback: spare, with: "${ goal }", otherwise: accept_unsure}
    spread:
      role: doer
      fallback: spare
      after: [first]
      each: {over: "${ goal.items }", as: item, parallel: 3, keep_partial: 0.5}
      with: {item: "${ item }", n: "${ first.n }"}
      otherwise: accept_unsure
    extra: {role: spare, after: [first], optional: true, with: "${ first }", otherwise: ask_human}
    approve:
      after: [spread]
      approval: {question: "Go on with ${ first.n }?", expires: 8s}
      with: {n: "${ first.n }"}
    pay: {role: payer, after: [approve], with: "${ first }", otherwise: accept_unsure}
  result:
    first: {from: ["${ first.n }"], required: false}
    spread: {from: ["${ spread }"], required: false}
    extra: {from: ["${ extra.n }"], required: false}
    paid: {from: ["${ pay.n }"], required: false}
"#;

/// Steps that hang on each other: races, crews, and what is undone at a bad end.
const RALLY: &str = r#"apiVersion: pack/v1
name: rally
roles:
  racer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s}
    retry: {attempts: 2, backoff: 300ms}
  booker:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s, max_usd: 0.0001, max_tokens: 40}
    effects: once
    retry: {attempts: 2, backoff: 300ms}
  undoer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s}
    effects: once
    retry: {attempts: 3, backoff: 300ms}
  tidier:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s}
    retry: {attempts: 3, backoff: 300ms}
  chief:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s}
  mate:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s}
    retry: {attempts: 2, backoff: 300ms}
  boss:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s}
workflow:
  input: contracts/any.v1.json
  output: contracts/closed.v1.json
  limits: {deadline: 45s, max_steps: 40, max_usd: 0.01, max_tokens: 4000}
  when_limited: ask_human
  compensation: {within: 20s, on_partial: true}
  steps:
    hold:
      role: booker
      with: "${ goal }"
      otherwise: accept_unsure
      compensate: {role: undoer, with: "${ hold }"}
    rent: {role: racer, with: "${ goal }", otherwise: accept_unsure}
    lend:
      crew: {pattern: network, lead: chief, team: [chief, mate], max_turns: 3}
      with: {items: "${ goal.items }"}
      otherwise: accept_unsure
    pick:
      role: racer
      after: [hold, rent, lend]
      join: {quorum: 2}
      with: "${ task.winners.pick[0].output }"
      otherwise: accept_unsure
    probe:
      role: racer
      after: [pick]
      each: {over: "[1, 2, 3]", as: way, take: first}
      with: {way: "${ way }"}
    offer:
      role: racer
      after: [pick]
      each: {over: "${ goal.items }", as: one, parallel: 3, take: {best: "double(output.n)"}}
      with: {one: "${ one }"}
    rooms:
      role: booker
      after: [probe, offer]
      join: settled
      each: {over: "[1, 2]", as: night, keep_partial: 0.5}
      with: {night: "${ night }"}
      compensate: {role: undoer, with: "${ rooms }"}
    desk:
      crew: {pattern: network, lead: chief, team: [chief, mate], max_turns: 5}
      after: [pick]
      with: {n: "${ pick.n }"}
      otherwise: accept_unsure
      compensate: {role: tidier, with: "${ desk }"}
    hub:
      crew: {pattern: supervisor, lead: boss, team: [mate], max_turns: 5}
      after: [pick]
      with: {n: "${ pick.n }"}
      ask: {expires: 6s}
    best:
      role: racer
      after: [desk, hub]
      join: {best: "double(output.n)"}
      with: "${ task.winners.best[0].output }"
      optional: true
    sign:
      after: [rooms, best]
      approval: {question: "Sign?", expires: 8s, when_expired: accept, quorum: 2}
      with: {n: "${ pick.n }"}
    close: {role: racer, after: [sign], with: "${ pick }", accept_if: close.n > 3}
  result:
    closed: "${ close.n }"
    rooms: {from: ["${ rooms }"], required: false}
"#;

/// Conversations with models, and a crew whose planner says who does what.
const MINDS: &str = r#"apiVersion: pack/v1
name: minds
models:
  wise: {routes: [{model: simulated/wise}]}
  plain: {routes: [{model: simulated/plain}]}
roles:
  thinker:
    runtime: model
    model: wise
    model_when_low: plain
    prompt: prompts/thinker.md
    tools: [clock, lookup]
    documents: [documents/book.md]
    loop: {max_calls: 4, max_output_tokens: 200}
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s, max_usd: 0.002, max_tokens: 9000}
    retry: {attempts: 3, backoff: 300ms}
  planner:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/plan.v1.json
    limits: {timeout: 4s}
    retry: {attempts: 3, backoff: 300ms}
  scout:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s}
    retry: {attempts: 3, backoff: 300ms}
workflow:
  input: contracts/any.v1.json
  output: contracts/thought.v1.json
  limits: {deadline: 45s, max_steps: 30, max_usd: 0.01, max_tokens: 50000}
  when_limited: partial
  steps:
    think: {role: thinker, with: "${ goal }", otherwise: accept_unsure, optional: true}
    muse:
      role: thinker
      after: [think]
      each: {over: "${ goal.items }", as: item, parallel: 2, keep_partial: 0.5}
      with: {item: "${ item }"}
      otherwise: accept_unsure
    tour:
      crew: {pattern: planner, lead: planner, team: [scout, thinker], max_turns: 6}
      with: {items: "${ goal.items }"}
      otherwise: accept_unsure
  result:
    thought: {from: ["${ think.n }"], required: false}
    muse: {from: ["${ muse }"], required: false}
    tour: {from: ["${ tour }"], required: false}
"#;

const PLAN: &str =
    r#"{"type": "object", "required": ["steps"], "properties": {"steps": {"type": "array"}}}"#;

const THOUGHT: &str =
    r#"{"type": "object", "properties": {"thought": {}, "muse": {}, "tour": {}}}"#;

const OUT: &str =
    r#"{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}"#;

const ANSWER: &str =
    r#"{"type": "object", "properties": {"first": {}, "spread": {}, "extra": {}, "paid": {}}}"#;

const CLOSED: &str =
    r#"{"type": "object", "required": ["closed"], "properties": {"closed": {}, "rooms": {}}}"#;

fn storm() -> PackSource {
    let contracts = [
        ("contracts/any.v1.json", ANYTHING),
        ("contracts/out.v1.json", OUT),
        ("contracts/answer.v1.json", ANSWER),
    ];
    pack(STORM, &contracts)
}

fn rally() -> PackSource {
    let contracts = [
        ("contracts/any.v1.json", ANYTHING),
        ("contracts/out.v1.json", OUT),
        ("contracts/closed.v1.json", CLOSED),
    ];
    pack(RALLY, &contracts)
}

fn minds() -> PackSource {
    let contracts = [
        ("contracts/any.v1.json", ANYTHING),
        ("contracts/out.v1.json", OUT),
        ("contracts/plan.v1.json", PLAN),
        ("contracts/thought.v1.json", THOUGHT),
        ("prompts/thinker.md", "Think of a number."),
        ("documents/book.md", "Numbers are small.\n\nSome are not."),
    ];
    pack(MINDS, &contracts)
}

thread_local! {
    static SETS: [PackSet; 5] = [
        packs(&[storm()]),
        packs(&[rally()]),
        packs(&[storm(), rally()]),
        packs(&[minds()]),
        packs(&[storm(), rally(), minds()]),
    ];
}

/// One of the packs, or several.
pub(super) fn choose(chance: &mut Chance) -> PackSet {
    let which = chance.between(0, 4) as usize;
    SETS.with(|sets| Arc::clone(&sets[which]))
}
