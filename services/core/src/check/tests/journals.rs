//! Corruptions of journals: of the step `read` of `done`, whose report says 3 micro-USD and 7 tokens.

use super::{
    kit::{History, history, name, place, step, task},
    *,
};
use crate::{
    journal::{CallKind, CallOutcome, Claim, Entry, Fact as Noted, Intent, JournalId},
    payload::{Hash, Payload},
    task::Event,
    workflow::Grant,
};

const COST: Grant = Grant { usd_micros: 3, tokens: 7 };

fn claim(delivery: u32) -> Noted {
    Noted::Claimed(Claim { attempt: 1, delivery, worker: "w".to_owned() })
}

fn begun(is_idempotent: bool) -> Noted {
    let intent = Intent {
        kind: CallKind::Tool,
        target: "pay".to_owned(),
        arguments: Hash::of(b"30 EUR"),
        description: "pay 30 EUR".to_owned(),
        is_idempotent,
        reserved: COST,
    };
    Noted::Begun { call: 1, intent }
}

fn done() -> Noted {
    let outcome = CallOutcome::Done(Payload::null());
    Noted::Ended { call: 1, outcome, cost: COST, ruled_by: None }
}

fn good() -> Vec<Noted> {
    vec![claim(1), begun(false), done()]
}

/// A journal of `role` that was written entry behind entry, and a grant that allows it.
fn written(facts: &[Noted], role: &str) -> History {
    let mut history = history();
    // Its role grants nothing.
    history.forget_pack();
    granted(&mut history, COST);
    note(&mut history, facts, role);
    history
}

fn note(history: &mut History, facts: &[Noted], role: &str) {
    let id = JournalId { role: name(role), task: task("done"), step: step("read") };
    for (index, fact) in facts.iter().enumerate() {
        let (rev, last) = (index as u64 + 1, index as u64 * 10);
        let entry = Ok(Entry { rev, fact: fact.clone() });
        let fact = JournalFact { id: id.clone(), expected: Some(last), entry };
        let content = Content::Journal(Box::new(fact));
        history.facts.insert(1 + index, Fact { place: place("CADRE_RUN_0", last + 10), content });
    }
}

fn granted(history: &mut History, wanted: Grant) {
    let dispatched = |event: &Event| matches!(event, Event::StepDispatched { .. });
    let (rev, index) = history.with("done", dispatched);
    let event = &mut history.record("done", rev).record.events[index];
    let Event::StepDispatched { grant, .. } = event else { unreachable!() };
    *grant = wanted;
    history.rechain();
}

fn entry(history: &mut History, index: usize) -> &mut JournalFact {
    let Content::Journal(fact) = &mut history.facts[1 + index].content else { unreachable!() };
    fact
}

#[test]
fn a_good_journal_is_no_news() {
    assert_eq!(written(&good(), "reader").rules(), []);
    let twice = [claim(1), begun(true), claim(2), begun(true)];
    let verdict = written(&twice, "other").check();
    assert_eq!(verdict.violations, [], "of a role that has never reported");
}

#[test]
fn each_damage_of_a_journal_is_found() {
    for (what, corrupt) in [
        ("an entry is gone", (|it| drop(it.facts.remove(2))) as fn(&mut History)),
        ("an entry without its guard", |it| entry(it, 1).expected = None),
        ("an entry that means nothing", |it| entry(it, 1).entry = Err("json: x".to_owned())),
        ("a claim that went back", |it| {
            let older = Claim { attempt: 0, delivery: 1, worker: "w".to_owned() };
            entry(it, 2).entry = Ok(Entry { rev: 3, fact: Noted::Claimed(older) });
        }),
    ] {
        let mut history = written(&good(), "reader");
        corrupt(&mut history);
        assert_eq!(history.rules(), [Rule::JournalWhole], "{what}");
    }
}

#[test]
fn an_effect_that_happened_twice_is_found() {
    let again: Vec<_> = good().into_iter().chain([claim(2), begun(false), done()]).collect();
    assert_eq!(written(&again, "reader").rules(), [Rule::EffectOnce]);
    let mut history = written(&good(), "reader");
    note(&mut history, &good(), "spare");
    assert_eq!(history.rules(), [Rule::EffectOnce], "by two roles");
}

#[test]
fn an_effect_that_nobody_accounts_for_is_found() {
    let open = [claim(1), begun(false)];
    assert_eq!(written(&open, "reader").rules(), [Rule::EffectKnown]);
}

#[test]
fn spending_that_was_not_granted_or_not_told_is_found() {
    let mut history = written(&good(), "reader");
    granted(&mut history, Grant { usd_micros: 2, tokens: 7 });
    assert_eq!(history.rules(), [Rule::JournalSpending]);
    let mut facts = good();
    let Noted::Ended { cost, .. } = &mut facts[2] else { unreachable!() };
    cost.tokens = 6;
    let Noted::Begun { intent, .. } = &mut facts[1] else { unreachable!() };
    intent.reserved.tokens = 9;
    assert_eq!(written(&facts, "reader").rules(), [Rule::JournalSpending]);
}

#[test]
fn a_worker_that_has_not_heard_of_its_last_outcome_says_what_was_set_aside() {
    let mut facts = good();
    let Noted::Ended { cost, .. } = &mut facts[2] else { unreachable!() };
    cost.tokens = 1;
    assert_eq!(written(&facts, "reader").rules(), [], "7 were set aside, and reported");
}
