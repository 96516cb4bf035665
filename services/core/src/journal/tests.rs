use proptest::prelude::*;

use super::*;
use crate::task::FailureKind;

const GRANT: Grant = Grant { usd_micros: 100, tokens: 1_000 };

fn claim(attempt: u32, delivery: u32) -> Fact {
    Fact::Claimed(Claim { attempt, delivery, worker: format!("w{attempt}.{delivery}") })
}

fn intent(is_idempotent: bool) -> Intent {
    Intent {
        kind: CallKind::Tool,
        target: "pay".to_owned(),
        arguments: Hash::of(b"30 EUR"),
        description: "pay 30 EUR".to_owned(),
        is_idempotent,
        reserved: Grant { usd_micros: 40, tokens: 10 },
    }
}

fn begun(call: u32, is_idempotent: bool) -> Fact {
    Fact::Begun { call, intent: intent(is_idempotent) }
}

fn ended(call: u32, outcome: CallOutcome) -> Fact {
    let cost = Grant { usd_micros: 30, tokens: 5 };
    Fact::Ended { call, outcome, cost, ruled_by: None }
}

fn done() -> CallOutcome {
    CallOutcome::Done(Payload::null())
}

fn failed() -> CallOutcome {
    CallOutcome::Failed(Failure::new(FailureKind::Unavailable, "away"))
}

fn try_history(facts: &[Fact]) -> Result<History, HistoryError> {
    let mut history = History::default();
    for (rev, fact) in (1..).zip(facts) {
        history.apply(&Entry { rev, fact: fact.clone() })?;
    }
    Ok(history)
}

fn history(facts: &[Fact]) -> History {
    try_history(facts).unwrap()
}

fn next(facts: &[Fact], call: u32, is_idempotent: bool) -> Next {
    history(facts).next(call, &intent(is_idempotent), (GRANT, None)).unwrap()
}

#[test]
fn an_attempt_names_the_models_that_answered_it() {
    let model = || Intent { kind: CallKind::Model, target: "alias".to_owned(), ..intent(true) };
    let asked = |call| Fact::Begun { call, intent: model() };
    let answered = |call, model: &str, usd_micros| {
        let record = Payload::from_value(serde_json::json!({ "model": model })).unwrap();
        let (outcome, cost) = (CallOutcome::Done(record), Grant { usd_micros, tokens: 7 });
        Fact::Ended { call, outcome, cost, ruled_by: None }
    };
    let used = |model: &str, calls, usd_micros, tokens| crate::task::ModelUse {
        model: model.to_owned(),
        calls,
        usd_micros,
        tokens,
    };
    let facts = [
        claim(1, 1),
        asked(1),
        answered(1, "a/x", 9),
        claim(2, 1),
        asked(2),
        answered(2, "a/x", 5),
        // A tool, and a model that gave no answer: their cost is nobody's.
        begun(3, true),
        ended(3, done()),
        asked(4),
        ended(4, failed()),
        asked(5),
        answered(5, "b/y", 40),
        asked(6),
        answered(6, "a/x", 1),
        asked(7),
    ];
    let history = history(&facts);
    assert_eq!(history.models(1), [used("a/x", 1, 9, 7)]);
    assert_eq!(history.models(2), [used("b/y", 1, 40, 7), used("a/x", 2, 6, 14)]);
    assert_eq!(history.models(3), []);
}

#[test]
fn a_takeover_knows_what_to_do_about_each_call() {
    let first = claim(1, 1);
    let (again, later) = (claim(1, 2), claim(2, 1));
    for (what, facts, is_idempotent, expected) in [
        ("never begun", vec![first.clone(), again.clone()], false, Next::Make),
        (
            "done",
            vec![first.clone(), begun(1, false), ended(1, done()), again.clone()],
            false,
            Next::Known(done()),
        ),
        (
            "done before a retry",
            vec![first.clone(), begun(1, false), ended(1, done()), later.clone()],
            false,
            Next::Known(done()),
        ),
        (
            "failed in this attempt",
            vec![first.clone(), begun(1, false), ended(1, failed()), again.clone()],
            false,
            Next::Known(failed()),
        ),
        (
            "failed in a former attempt",
            vec![first.clone(), begun(1, false), ended(1, failed()), later.clone()],
            false,
            Next::Make,
        ),
        ("in doubt", vec![first.clone(), begun(1, false), again.clone()], false, Next::Unknown),
        ("may happen twice", vec![first, begun(1, true), later], true, Next::Make),
    ] {
        assert_eq!(next(&facts, 1, is_idempotent), expected, "{what}");
    }
}

#[test]
fn a_person_settles_what_no_worker_knows() {
    let facts = [claim(1, 1), begun(1, false), claim(2, 1)];
    let ruled = |attempt, ruling| Ruled { attempt, by: "ada".to_owned(), ruling };
    let next = |ruled: &Ruled| history(&facts).next(1, &intent(false), (GRANT, Some(ruled)));
    let happened = ruled(1, CallRuling::Happened(Payload::null()));
    assert_eq!(next(&happened), Ok(Next::Ruled(done(), "ada".to_owned())));
    let Ok(Next::Ruled(outcome @ CallOutcome::Failed(_), by)) = next(&ruled(1, CallRuling::DidNot))
    else {
        panic!("it did not happen")
    };
    // About an attempt before the call was begun, the person has seen another call.
    assert_eq!(next(&ruled(0, CallRuling::DidNot)), Ok(Next::Unknown));

    let settled = Fact::Ended { call: 1, outcome, cost: Grant::default(), ruled_by: Some(by) };
    let mut facts = facts.to_vec();
    facts.push(settled);
    assert_eq!(super::tests::next(&facts, 1, false), Next::Make);
    facts.push(begun(1, false));
    assert_eq!(history(&facts).unknown().count(), 1);
}

#[test]
fn an_effect_key_is_the_same_for_every_attempt() {
    let role = Name::new("payer").unwrap();
    let task = TaskId::derive(&role, "a");
    let step = StepId::parse("pay-2").unwrap();
    let id = JournalId { role, task: task.clone(), step };
    assert_eq!(id.effect_key(3), format!("{task}.pay-2.3"));
}

#[test]
fn a_call_is_refused_that_could_exceed_the_grant() {
    let facts = [claim(1, 1), begun(1, true), ended(1, done()), begun(2, true)];
    let ledger = history(&facts).ledger(1, GRANT);
    assert_eq!(ledger.spent, Grant { usd_micros: 30, tokens: 5 });
    assert_eq!(ledger.reserved, Grant { usd_micros: 40, tokens: 10 });
    assert_eq!(ledger.left(), Grant { usd_micros: 30, tokens: 985 });
    assert!(!ledger.is_near(), "70 of 100");
    let refused = history(&facts).next(3, &intent(true), (GRANT, None)).unwrap_err();
    assert!(refused.to_string().starts_with("a call of up to 40 micro-USD"), "{refused}");
    // A grant that is not there is no grant.
    let nothing = history(&facts[..1]).next(1, &intent(true), (Grant::default(), None));
    assert!(matches!(nothing, Err(Refusal::Grant(_))), "{nothing:?}");
}

#[test]
fn a_call_whose_worker_died_costs_what_was_set_aside() {
    let mut facts = vec![claim(1, 1), begun(1, true), claim(1, 2)];
    assert_eq!(history(&facts).ledger(1, GRANT).left().usd_micros, 60);
    facts.extend([begun(1, true)]);
    let ledger = history(&facts).ledger(1, GRANT);
    assert_eq!((ledger.spent.usd_micros, ledger.reserved.usd_micros), (40, 40));
    assert!(ledger.is_near(), "80 of 100");
    facts.extend([ended(1, done())]);
    assert_eq!(history(&facts).ledger(1, GRANT).used().usd_micros, 70);
    // The next attempt has a grant of its own.
    facts.push(claim(2, 1));
    assert_eq!(history(&facts).ledger(2, GRANT).used(), Grant::default());
    assert_eq!([1, 2, 3].map(|attempt| history(&facts).tries(attempt)), [1, 2, 2]);
}

#[test]
fn what_cannot_follow_is_refused() {
    let open = vec![claim(1, 1), begun(1, false)];
    let with = |facts: &[Fact]| {
        let all: Vec<_> = open.iter().chain(facts).cloned().collect();
        try_history(&all).unwrap_err()
    };
    assert_eq!(try_history(&[begun(1, true)]).unwrap_err(), HistoryError::Unclaimed(1));
    assert_eq!(with(&[begun(3, false)]), HistoryError::Skipped(3));
    assert_eq!(with(&[begun(0, false)]), HistoryError::Skipped(0));
    assert_eq!(with(&[begun(1, true)]), HistoryError::Changed(1));
    assert_eq!(with(&[begun(1, false)]), HistoryError::Repeated(1));
    assert_eq!(with(&[claim(2, 1), begun(1, false)]), HistoryError::Repeated(1));
    assert_eq!(with(&[ended(1, done()), claim(2, 1), begun(1, false)]), HistoryError::Repeated(1));
    assert_eq!(with(&[ended(1, done()), ended(1, done())]), HistoryError::NotOut(1));
    assert_eq!(with(&[claim(1, 2), ended(1, done())]), HistoryError::NotOut(1));
    assert_eq!(with(&[ended(2, done())]), HistoryError::NotOut(2));
    let older = with(&[claim(2, 1), claim(1, 9)]);
    assert_eq!(older, HistoryError::WentBack { attempt: 1, delivery: 9 });
    let mut history = history(&open);
    let gap = history.apply(&Entry { rev: 4, fact: claim(2, 1) }).unwrap_err();
    assert_eq!(gap, HistoryError::Gap { expected: 3, found: 4 });
    assert_eq!(history.rev(), 2);
}

#[test]
fn another_call_by_the_same_number_is_refused() {
    let history = history(&[claim(1, 1), begun(1, false), ended(1, done()), claim(1, 2)]);
    let other = Intent { arguments: Hash::of(b"31 EUR"), ..intent(false) };
    assert_eq!(history.next(1, &other, (GRANT, None)), Err(Refusal::Changed(1)));
    let reworded = Intent { description: "again".to_owned(), ..intent(false) };
    assert_eq!(history.next(1, &reworded, (GRANT, None)), Ok(Next::Known(done())));
}

/// What may go wrong at a call.
#[derive(Debug, Clone, Copy)]
enum Luck {
    Fine,
    Fails,
    DiesBeforeIt,
    DiesBehindIt,
}

fn luck() -> impl Strategy<Value = Vec<Luck>> {
    let one = prop_oneof![
        4 => Just(Luck::Fine),
        1 => Just(Luck::Fails),
        1 => Just(Luck::DiesBeforeIt),
        1 => Just(Luck::DiesBehindIt),
    ];
    prop::collection::vec(one, 0..40)
}

proptest! {
    /// Three calls that must not happen twice, workers that die anywhere, and a person who looks:
    /// each call happens once at most, and the account is never overdrawn.
    #[test]
    fn no_call_happens_twice_whoever_dies(luck in luck()) {
        let grant = Grant { usd_micros: 10_000, tokens: 10_000 };
        let mut luck = luck.into_iter().chain(std::iter::repeat(Luck::Fine));
        let mut journal = History::default();
        let mut happened = [0_u32; 4];
        let note = |journal: &mut History, fact| {
            let rev = journal.rev() + 1;
            journal.apply(&Entry { rev, fact })
        };
        'attempts: for attempt in 1.. {
            note(&mut journal, claim(attempt, 1)).unwrap();
            let mut call = 1;
            while call <= 3 {
                let truth = happened[call as usize] > 0;
                let ruling = if truth { CallRuling::Happened(Payload::null()) } else { CallRuling::DidNot };
                let ruled = Ruled { attempt: attempt - 1, by: "ada".to_owned(), ruling };
                match journal.next(call, &intent(false), (grant, Some(&ruled))).unwrap() {
                    Next::Make => note(&mut journal, begun(call, false)).unwrap(),
                    Next::Known(CallOutcome::Done(_)) => { call += 1; continue }
                    Next::Known(CallOutcome::Failed(_)) => continue 'attempts,
                    Next::Ruled(outcome, by) => {
                        let (cost, ruled_by) = (Grant::default(), Some(by));
                        note(&mut journal, Fact::Ended { call, outcome, cost, ruled_by }).unwrap();
                        continue;
                    }
                    Next::Unknown => panic!("somebody has looked"),
                }
                match luck.next().unwrap() {
                    Luck::Fine => {
                        happened[call as usize] += 1;
                        note(&mut journal, ended(call, done())).unwrap();
                    }
                    Luck::Fails => note(&mut journal, ended(call, failed())).unwrap(),
                    Luck::DiesBeforeIt => continue 'attempts,
                    Luck::DiesBehindIt => { happened[call as usize] += 1; continue 'attempts }
                }
            }
            let used = journal.ledger(attempt, grant).used();
            prop_assert!(used.usd_micros <= grant.usd_micros);
            break;
        }
        prop_assert_eq!(happened, [0, 1, 1, 1]);
    }
}
