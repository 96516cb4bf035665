//! Corruptions of what the streams hold, message by message.

use super::{
    kit::{History, LOG, history, payload, place, task},
    *,
};
use serde_json::json;

type Corruption = (&'static str, fn(&mut History), &'static [Rule]);

fn found(cases: &[Corruption]) {
    for (what, corrupt, expected) in cases {
        let mut history = history();
        corrupt(&mut history);
        assert_eq!(history.rules(), *expected, "{what}");
    }
}

fn bad(history: &mut History, problem: RecordProblem) {
    let at = history.at("open", 1);
    let (task, hash) = (task("open"), history.record("open", 1).hash);
    history.facts[at].content = Content::BadRecord { task, hash, problem };
}

#[test]
fn each_damage_of_a_log_is_found() {
    found(&[
        (
            "a letter is gone",
            |it| drop(it.remove(|c| matches!(c, Content::Letter(_)))),
            &[Rule::LogHole],
        ),
        (
            "a record in the middle is gone",
            |it| {
                drop({
                    let at = it.at("done", 3);
                    it.facts.remove(at)
                })
            },
            &[Rule::LogHole, Rule::DenseRevisions],
        ),
        (
            "the last record of an open task is gone",
            |it| {
                drop({
                    let at = it.at("asked", 2);
                    it.facts.remove(at)
                })
            },
            &[Rule::LogHole, Rule::OrderPaid, Rule::TimerPaid],
        ),
        (
            "the same revision twice",
            |it| {
                it.forge("open", vec![]);
                it.record("open", 2).record.rev = 1;
            },
            &[Rule::DenseRevisions],
        ),
    ]);
}

#[test]
fn each_forged_record_is_found() {
    found(&[
        (
            "another predecessor",
            |it| it.record("done", 2).prev = Some(Hash::of(b"forged")),
            &[Rule::HashChain],
        ),
        ("no predecessor", |it| it.record("done", 4).prev = None, &[Rule::HashChain]),
        ("changed bytes", |it| it.record("done", 2).hash = Hash::of(b"edited"), &[Rule::HashChain]),
        ("another guard", |it| it.record("done", 3).expected = Some(1), &[Rule::ExpectedSequence]),
        ("no guard", |it| it.record("done", 3).expected = None, &[Rule::ExpectedSequence]),
        (
            "a guard on a first record",
            |it| it.record("open", 1).expected = Some(1),
            &[Rule::ExpectedSequence],
        ),
        (
            "a transaction of another task",
            |it| it.record("done", 2).txn = it.record("open", 1).txn,
            &[Rule::UniqueTxn],
        ),
        ("another meaning", |it| it.record("done", 2).is_stable = false, &[Rule::SameMeaning]),
        (
            "no record",
            |it| bad(it, RecordProblem::Undecodable("x".to_owned())),
            &[Rule::RecordDecodes],
        ),
        ("a newer record", |it| bad(it, RecordProblem::TooNew(9)), &[Rule::ReaderVersion]),
        (
            "a lost document",
            |it| bad(it, RecordProblem::Document("x".to_owned())),
            &[Rule::DocumentKept],
        ),
    ]);
}

#[test]
fn a_bad_record_is_named_with_its_task_and_place() {
    let mut history = history();
    bad(&mut history, RecordProblem::TooNew(9));
    let sequence = history.facts[history
        .facts
        .iter()
        .position(|f| matches!(f.content, Content::BadRecord { .. }))
        .unwrap()]
    .place
    .sequence;
    let violation = history.check().violations.remove(0);
    assert_eq!(violation.task, Some(task("open")));
    assert_eq!((violation.stream.as_str(), violation.sequence), (LOG, sequence));
    assert!(violation.text.contains("version 9"), "{violation:?}");
}

#[test]
fn the_log_goes_on_behind_a_record_that_cannot_be_read() {
    let mut history = history();
    history.forge("open", vec![]);
    history.forge("open", vec![]);
    bad(&mut history, RecordProblem::TooNew(9));
    assert_eq!(history.rules(), [Rule::ReaderVersion], "what follows still has its chain");
}

fn document(it: &mut History, key: &str, value: serde_json::Value) {
    let mut document = it.answer().document.clone().unwrap().value().clone();
    document[key] = value;
    it.answer().document = Ok(payload(document));
}

#[test]
fn each_wrong_answer_is_found() {
    found(&[
        (
            "it is gone",
            |it| drop(it.remove(|c| matches!(c, Content::Answer(_)))),
            &[Rule::AnswerPaid],
        ),
        ("another status", |it| document(it, "status", json!("completed")), &[Rule::AnswerFromEnd]),
        ("another result", |it| document(it, "result", json!({"read": 1})), &[Rule::AnswerFromEnd]),
        ("another tenant", |it| it.answer().tenant = kit::name("globex"), &[Rule::AnswerFromEnd]),
        ("no JSON", |it| it.answer().document = Err("no JSON".to_owned()), &[Rule::AnswerFromEnd]),
        (
            "of an open task",
            |it| it.answer().task = task("open"),
            &[Rule::AnswerPaid, Rule::AnswerFromEnd],
        ),
        (
            "of no task",
            |it| it.answer().task = task("nobody"),
            &[Rule::AnswerPaid, Rule::AnswerFromEnd],
        ),
        ("it replaced another", |it| it.answer().expected = Some(1), &[Rule::OneAnswer]),
        ("it was not guarded", |it| it.answer().expected = None, &[Rule::OneAnswer]),
        (
            "there are two",
            |it| {
                let answer = Content::Answer(Box::new(it.answer().clone()));
                let end = it.end();
                it.facts.insert(end, Fact { place: place("CADRE_ANSWERS", 2), content: answer });
            },
            &[Rule::OneAnswer],
        ),
        ("fewer tokens", |it| document(it, "tokens", json!(1)), &[Rule::Spending]),
        ("more steps", |it| document(it, "steps", json!(40)), &[Rule::Spending]),
        ("no price", |it| document(it, "usd_micros", json!(null)), &[Rule::Spending]),
    ]);
}

#[test]
fn an_answer_that_may_have_been_dropped_is_not_missed() {
    let mut history = history();
    history.remove(|content| matches!(content, Content::Answer(_)));
    let since =
        history.facts.iter_mut().find(|f| matches!(f.content, Content::AnswersSince)).unwrap();
    since.place.at = crate::time::UnixMillis(u64::MAX);
    assert_eq!(history.rules(), []);
}

#[test]
fn an_answer_that_arrives_before_its_record_by_the_clock_is_met_later() {
    let mut history = history();
    let answer = history.remove(|content| matches!(content, Content::Answer(_)));
    let first = history.at("done", 1);
    history.facts.insert(first, answer);
    assert_eq!(history.rules(), []);
}

#[test]
fn each_incomplete_letter_is_found() {
    found(&[
        ("no reason", |it| it.letter().reason.clear(), &[Rule::LetterComplete]),
        ("no subject", |it| it.letter().came_on.clear(), &[Rule::LetterComplete]),
        (
            "no body",
            |it| it.letter().body_problem = Some("gone".to_owned()),
            &[Rule::LetterComplete],
        ),
    ]);
}

fn acknowledge(it: &mut History, key: &str) {
    it.options.acknowledged.insert(task(key), key.to_owned());
}

#[test]
fn a_confirmed_goal_without_a_trace_is_found() {
    found(&[
        (
            "done and open",
            |it| {
                acknowledge(it, "done");
                acknowledge(it, "open");
            },
            &[],
        ),
        ("lost", |it| acknowledge(it, "lost"), &[Rule::AcknowledgedKept]),
        (
            "it waits for the intake",
            |it| {
                acknowledge(it, "new");
                it.add("CADRE_GOALS", Content::Goal { task: Some(task("new")) });
            },
            &[],
        ),
        (
            "it waits for its partition",
            |it| {
                acknowledge(it, "new");
                it.add("CADRE_IN_0", Content::Input { task: task("new"), kind: InputKind::Goal });
            },
            &[],
        ),
        (
            "it is dead",
            |it| {
                acknowledge(it, "new");
                it.letter().goal = Some(task("new"));
            },
            &[],
        ),
    ]);
}

#[test]
fn at_rest_nothing_is_open() {
    let mut history = history();
    history.options.is_quiescent = true;
    history.add("CADRE_GOALS", Content::Goal { task: None });
    let verdict = history.check();
    assert!(verdict.violations.iter().all(|it| it.rule == Rule::GoalEnded));
    assert_eq!(verdict.violations_total, 3, "{:?}", verdict.violations);
}

#[test]
fn what_is_not_ours_is_a_note() {
    let mut history = history();
    history.add("CADRE_IN_0", Content::Foreign { subject: "cadre.x".to_owned(), is_log: false });
    let verdict = history.check();
    assert_eq!((verdict.violations_total, verdict.notes_total), (0, 1));
}
