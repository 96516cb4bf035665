use std::sync::Arc;

use cadre_core::{
    ids::{Name, StepId, TaskId},
    payload::{Hash, Payload},
    question::{Verdict, may, prefix, same},
    task::{
        Ask, AskKind, Cause, Event, Failure, FailureKind, Goal, GoalLimits, Record, Task, Usage,
    },
    time::UnixMillis,
    wish::Unfit,
    workflow::WhenExpired,
};
use serde_json::json;

use super::{content, ls, question, show};
use crate::{
    commands::client::unfit,
    exit::Code,
    output::{Style, table_text},
};

const T0: u64 = 1_700_000_000_000;

fn at(ms: u64) -> UnixMillis {
    UnixMillis(T0 + ms)
}

fn ask(kind: AskKind) -> Ask {
    Ask {
        kind,
        question: "Pay 5 USD?\n\u{1b}[31mNow.".to_owned(),
        content: Some(Payload::from_value(json!({"usd": 5, "note": "\u{1b}[2J"})).unwrap()),
        expires: Some(at(60_000)),
        when_expired: WhenExpired::Fail,
        quorum: 1,
        four_eyes: false,
        editable: true,
    }
}

fn id(text: &str) -> StepId {
    StepId::parse(text).unwrap()
}

fn record(rev: u64, kind: &str, reason: &str, events: Vec<Event>) -> Record {
    let (kind, source) = (kind.to_owned(), String::new());
    let cause = Cause {
        kind,
        source,
        sequence: rev,
        waited: std::time::Duration::ZERO,
        models: Vec::new(),
    };
    let at = at(rev * 1_000);
    Record { rev, at, cause, decision: "x".to_owned(), reason: reason.to_owned(), events }
}

/// A log whose task asks these.
fn log(asks: &[(&str, Ask)]) -> Vec<Record> {
    let tenant = Name::new("acme").unwrap();
    let goal = Goal {
        task: TaskId::derive(&tenant, "k"),
        tenant,
        workflow: Name::new("payment").unwrap(),
        revision: "r".into(),
        key: "k".to_owned(),
        digest: Hash::of(b"k"),
        input: Payload::from_value(json!({})).unwrap(),
        deadline: None,
        limits: GoalLimits::default(),
        user: Some("ann".to_owned()),
        trace: None,
        fork: None,
    };
    let mut events = vec![Event::Accepted { goal: Arc::new(goal), deadline: at(90_000) }];
    events.extend(asks.iter().map(|(step, ask)| Event::StepWaiting {
        step: id(step),
        ask: Arc::new(ask.clone()),
        usage: Usage { usd_micros: 1_200, tokens: 7, work_ms: 0 },
    }));
    vec![record(1, "goal", "accepted", events)]
}

fn task(records: &[Record]) -> Task {
    Task::replay(records).unwrap()
}

fn chosen(records: &[Record], step: Option<&str>) -> Result<String, (Code, String)> {
    let (task, step) = (task(records), step.map(id));
    let chosen = question::choose(&task, records, step.as_ref());
    chosen.map(|one| one.id.to_string()).map_err(|error| (error.code(), error.to_string()))
}

#[test]
fn the_only_question_needs_no_name_and_several_do() {
    let one = log(&[("allow", ask(AskKind::Approval))]);
    assert_eq!(chosen(&one, None), Ok("allow".to_owned()));
    assert_eq!(chosen(&one, Some("allow")), Ok("allow".to_owned()));
    let two = log(&[("allow", ask(AskKind::Approval)), ("part-1", ask(AskKind::Question))]);
    assert_eq!(chosen(&two, Some("part-1")), Ok("part-1".to_owned()));
    for (records, step, code, part) in [
        (&two, None, Code::Usage, "asks 2 questions: name the step, one of allow, part-1"),
        (&one, Some("pay"), Code::NotFound, "step pay of task"),
        (&log(&[]), None, Code::NotFound, "asks nobody anything now"),
    ] {
        let (found, text) = chosen(records, step).unwrap_err();
        assert!(found == code && text.contains(part), "{found:?}: {text}");
    }
}

#[test]
fn a_closed_question_says_who_closed_it_and_how() {
    let failed = |kind| Event::StepFailed {
        step: id("allow"),
        failure: Failure::new(kind, "no"),
        usage: Usage::default(),
    };
    for (kind, reason, failure, part) in [
        ("decision", "bob denied step allow", FailureKind::Denied, "decided already at 2023-11-14"),
        ("decision", "bob denied step allow", FailureKind::Denied, ": bob denied step allow"),
        ("timer", "step timed out", FailureKind::Expired, "expired at 2023-11-14"),
        ("timer", "deadline", FailureKind::Limit, "was closed by a timer at 2023-11-14"),
    ] {
        let mut records = log(&[("allow", ask(AskKind::Approval))]);
        records.push(record(2, kind, reason, vec![failed(failure)]));
        let (code, text) = chosen(&records, Some("allow")).unwrap_err();
        assert!(code == Code::Refused && text.contains(part), "{code:?}: {text}");
    }
    // Asked again by another attempt: what was said before no longer counts.
    let mut records = log(&[("allow", ask(AskKind::Approval))]);
    records.push(record(2, "decision", "bob denied it", vec![failed(FailureKind::Denied)]));
    let (step, usage) = (id("allow"), Usage::default());
    let asked = Event::StepWaiting { step, ask: Arc::new(ask(AskKind::Approval)), usage };
    records.push(record(3, "report", "asked again", vec![asked]));
    assert_eq!(chosen(&records, Some("allow")), Ok("allow".to_owned()));
}

#[test]
fn what_the_task_would_refuse_is_said_before_it_is_sent() {
    let empty = || Payload::from_value(json!({})).unwrap();
    let (changed, answer) = (|| Verdict::Grant(Some(empty())), || Verdict::Answer(empty()));
    let approval = || ask(AskKind::Approval);
    let silent = || Ask { content: None, ..ask(AskKind::Question) };
    let (refused, usage) = (Some(Code::Refused), Some(Code::Usage));
    let cases = [
        ("a grant", approval(), Verdict::Grant(None), "bob", 0, None),
        ("a correction", approval(), changed(), "bob", 0, None),
        ("too late", approval(), Verdict::Deny, "bob", 60_000, refused),
        ("an answer to yes or no", approval(), answer(), "bob", 0, usage),
        ("a bare grant", silent(), Verdict::Grant(None), "bob", 0, usage),
        ("an answer", silent(), answer(), "bob", 0, None),
        (
            "two eyes",
            Ask { four_eyes: true, ..approval() },
            Verdict::Grant(None),
            "ann",
            0,
            refused,
        ),
        ("four eyes", Ask { four_eyes: true, ..approval() }, Verdict::Grant(None), "bob", 0, None),
        ("a fixed content", Ask { editable: false, ..approval() }, changed(), "bob", 0, refused),
        (
            "a correction by one of two",
            Ask { quorum: 2, ..approval() },
            changed(),
            "bob",
            0,
            refused,
        ),
    ];
    for (what, ask, verdict, by, now, expected) in cases {
        let task = task(&log(&[("allow", ask)]));
        let question = question::all(&task).remove(0);
        let found = may(&question, &verdict, by, at(now)).err();
        let code = found.as_ref().map(|error| unfit(error).code());
        assert_eq!(code, expected, "{what}: {found:?}");
    }
}

#[test]
fn a_vote_counts_once_and_can_still_become_a_denial() {
    let mut records = log(&[("allow", Ask { quorum: 2, ..ask(AskKind::Approval) })]);
    let voted = Event::Voted { step: id("allow"), by: "ann".to_owned() };
    records.push(record(2, "decision", "ann agreed", vec![voted]));
    let task = task(&records);
    let question = question::all(&task).remove(0);
    let again = may(&question, &Verdict::Grant(None), "ann", at(0)).unwrap_err();
    assert!(again.to_string().contains("ann agreed to step allow already (1 of 2)"), "{again}");
    assert!(may(&question, &Verdict::Deny, "ann", at(0)).is_ok());
    assert!(may(&question, &Verdict::Grant(None), "bob", at(0)).is_ok());
    assert_eq!(show::agreed(&question), "1 of 2: ann");
}

#[test]
fn a_hash_is_at_least_eight_digits_of_it() {
    assert_eq!(prefix("7D0F4C1A").as_deref(), Ok("7d0f4c1a"));
    for bad in ["", "7d0f4c1", "7d0f4c1x", &"a".repeat(65)] {
        assert!(prefix(bad).is_err(), "{bad:?}");
    }
    let task = task(&log(&[("allow", ask(AskKind::Approval))]));
    let question = question::all(&task).remove(0);
    let hash = question.hash.to_string();
    assert!(same(&question, &hash[..8]).is_ok() && same(&question, &hash).is_ok());
    assert!(matches!(same(&question, "00000000"), Err(Unfit::Refused(_))));
}

#[test]
fn the_page_shows_everything_and_nothing_steers_a_terminal() {
    let task = task(&log(&[("allow", ask(AskKind::Approval))]));
    let question = question::all(&task).remove(0);
    let page = show::page(&question, at(5_000), Style::plain()).join("\n");
    let (id, hash) = (task.id(), question.hash.short());
    for part in [
        "asked by    workflow payment, tenant acme, user ann".to_owned(),
        "asked       4.0 s ago".to_owned(),
        "(in 55.0 s), then the step fails as expired".to_owned(),
        "agreed      0 of 1".to_owned(),
        "spent       $0.0012, 7 tokens so far".to_owned(),
        format!("hash        {}", question.hash),
        "  Pay 5 USD?\n   [31mNow.".to_owned(),
        "    \"usd\": 5".to_owned(),
        "\"\\u001b[2J\"".to_owned(),
        format!("  cadre approval grant {id} allow --hash {hash}\n"),
        format!("  cadre approval grant {id} allow --hash {hash} --with @changed.json\n"),
        format!("  cadre approval deny {id} allow --hash {hash} --comment 'why'"),
    ] {
        assert!(page.contains(&part), "{part}\n---\n{page}");
    }
    assert!(!page.contains('\u{1b}') && !page.contains("approval answer"), "{page}");
    let document = show::document(&question);
    assert_eq!(document["content"]["usd"], 5);
    assert_eq!(document["hash"], question.hash.to_string());
}

#[test]
fn only_commands_that_can_succeed_are_offered() {
    let offered = |ask| {
        let task = task(&log(&[("allow", ask)]));
        let commands = show::commands(&question::all(&task).remove(0));
        let verbs = commands.iter().map(|command| command.split(' ').nth(2).unwrap().to_owned());
        verbs.collect::<Vec<_>>().join(" ")
    };
    let (approval, asked) = (ask(AskKind::Approval), ask(AskKind::Question));
    assert_eq!(offered(approval.clone()), "grant grant deny");
    assert_eq!(offered(Ask { quorum: 2, ..approval.clone() }), "grant deny");
    assert_eq!(offered(Ask { content: None, ..approval }), "grant grant deny");
    assert_eq!(offered(asked.clone()), "answer grant deny");
    assert_eq!(offered(Ask { editable: false, ..asked.clone() }), "grant deny");
    assert_eq!(offered(Ask { content: None, ..asked }), "answer deny");
}

#[test]
fn a_row_is_short_and_on_one_line() {
    let task = task(&log(&[("allow", ask(AskKind::Approval))]));
    let row = ls::row(&question::all(&task)[0], at(5_000));
    let listing = ls::listing();
    let text = table_text(listing.header, &[(listing.row)(&row)], None);
    let expected = "allow  approval  Pay 5 USD?  [31mNow.  4.0 s ago  in 55.0 s  0/1";
    assert!(text.lines().count() == 2 && text.contains(expected), "{text}");
    assert_eq!((listing.id)(&row), format!("{} allow", task.id()));
}

#[test]
fn a_document_is_json_or_says_what_it_is_not() {
    assert_eq!(content::read("{\"a\": 1}").unwrap().value(), &json!({"a": 1}));
    for (text, part) in [
        ("plain words", "--with is no JSON"),
        ("{\"a\": 1, \"a\": 2}", "--with is no JSON"),
        ("@/nowhere/at.all", "read /nowhere/at.all"),
    ] {
        let error = content::read(text).unwrap_err();
        assert!(error.code() == Code::Usage && error.to_string().contains(part), "{error}");
    }
}
