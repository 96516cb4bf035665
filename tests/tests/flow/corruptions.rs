//! Every rule of `cadre check`, on real streams. What a clean run has written is forged by somebody
//! who knows hashes and guards, written anew, and that very rule does not hold any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use cadre_core::{
    check::Rule,
    ids::{Name, StepId, TaskId},
    journal::{CallKind, CallOutcome, Claim, Entry, Fact, Intent},
    payload::{Hash, Payload},
    task::{EndStatus, Event, Failure, FailureKind, Usage},
    time::UnixMillis,
    workflow::Grant,
};
use cadre_proto::{ContentType, journal};
use cadre_tests::{
    bed::Bed,
    books::{self, Books},
    hand::Hand,
    packs, plain, verdict,
};
use serde_json::{Value, json};

/// Something that is undone, something that is paid for, something that nobody does, and what comes behind it.
const PACK: &str = r#"apiVersion: pack/v1
name: ledger
roles:
  copier: {runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
  payer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/any.v1.json
    effects: once
    limits: {timeout: 60s, max_usd: 0.001, max_tokens: 100}
  nobody: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 9m}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 10m, max_steps: 99, max_usd: 0.01, max_tokens: 1000}
  when_limited: partial
  steps:
    first: {role: copier, with: "${ goal }", compensate: {role: copier, with: "${ first }"}}
    pay: {role: payer, after: [first], when: "!has(goal.slow)", with: "${ goal }"}
    never: {role: nobody, after: [first], when: has(goal.slow), with: "${ goal }"}
    last: {role: copier, after: [never], when: has(goal.slow), with: "${ goal }"}
  result:
    paid: {from: ["${ pay }"], required: false}
    last: {from: ["${ last }"], required: false}
"#;

/// What the payment has cost.
const COST: Grant = Grant { usd_micros: 3, tokens: 7 };

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn step(text: &str) -> StepId {
    StepId::parse(text).expect("a step")
}

fn payload(value: Value) -> Payload {
    Payload::from_value(value).expect("small")
}

/// A broker whose services have stopped, and the books of what they did.
struct House {
    bed: Bed,
    /// Completed, with a payment in its journal.
    done: TaskId,
    /// Its step `never` is out.
    open: TaskId,
    books: Books,
}

/// A case: what becomes of the books.
type Forgery = (&'static str, &'static [Rule], fn(&House, &mut Books));

impl House {
    async fn new() -> Self {
        let bed = Bed::new().await;
        bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
        let stack = bed.stack().await;
        let done = bed.publish("ledger", "done", &json!({"n": 1})).await;
        let order = Hand::of(&bed, "payer").await.order().await;
        let usage = json!({"tokens": COST.tokens, "usdMicros": COST.usd_micros});
        order.answer(json!({"completed": {"output": {"paid": true}}, "usage": usage})).await;
        assert_eq!(bed.answer(&done).await["status"], "completed");
        let open = bed.publish("ledger", "open", &json!({"slow": true})).await;
        // Given back unanswered: it lies in its stream.
        drop(Hand::of(&bed, "nobody").await.order().await);
        plain::publish(&bed, "goals.acme.ledger", plain::headers(&[]), b"[no json").await;
        plain::dead_letters(&bed, 1).await;
        for stream in ["CADRE_GOALS", "CADRE_IN_0"] {
            plain::emptied(&bed, stream).await;
        }
        stack.stop().await;
        let books = Books::read(&bed).await;
        let mut house = Self { bed, done, open, books };
        let mut books = house.books.clone();
        house.journal(&mut books, "payer", good());
        house.books = books;
        house
    }

    /// Writes a journal of a role at the step `pay` of the completed task.
    fn journal(&self, books: &mut Books, role: &str, facts: Vec<Fact>) {
        let partition = self.bed.bus.streams().partition(&self.done);
        let subject = format!("cadre.{partition}.run.{role}.{}.pay", self.done);
        let before = books.run.iter().filter(|message| message.subject == subject).count();
        for (rev, fact) in (before as u64 + 1..).zip(facts) {
            let entry = Entry { rev, fact };
            let body = journal::encode(&entry, ContentType::Protobuf).expect("it can be written");
            books.note(&subject, body);
        }
    }

    /// The deadline that the open step has.
    fn deadline(&self) -> UnixMillis {
        let (rev, index) = self.books.with(&self.open, is_out("never"));
        let records = self.books.records(&self.open);
        let stored = cadre_proto::record::decode(
            &self.books.log[records[usize::try_from(rev).expect("few") - 1]].body,
            &BTreeMap::new(),
        );
        match &stored.expect("a record").record.events[index] {
            Event::StepDispatched { deadline, .. } => *deadline,
            other => panic!("{other:?}"),
        }
    }

    fn dispatched(&self, id: &str, role: &str) -> Event {
        let (step, role, input) = (step(id), name(role), payload(json!({})));
        let (deadline, grant) = (self.deadline(), Grant::default());
        Event::StepDispatched { step, attempt: 1, role, input, deadline, grant }
    }

    /// Writes the books and says which rules do not hold.
    async fn found(&self, books: &Books) -> Vec<Rule> {
        books.write(&self.bed).await;
        self.rules().await
    }

    /// Which rules do not hold as things are; each violation names a message, but for one that is missing.
    async fn rules(&self) -> Vec<Rule> {
        let verdict = verdict::check(&self.bed).await;
        for it in &verdict.violations {
            assert!(it.sequence > 0 || it.rule == Rule::AnswerPaid, "{it:?} names no message");
        }
        verdict.violations.iter().map(|it| it.rule).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn subject_of(&self, kind: &str, rest: &str) -> String {
        format!("cadre.{}.{kind}.{rest}", self.bed.bus.streams().partition(&self.open))
    }
}

fn is_out(id: &str) -> impl Fn(&Event) -> bool {
    let wanted = step(id);
    move |event| matches!(event, Event::StepDispatched { step, .. } if *step == wanted)
}

fn completed(id: &str) -> Event {
    let (step, output, usage) = (step(id), payload(json!({})), Usage::default());
    Event::StepCompleted { step, output, confidence: None, unsure: None, degraded: None, usage }
}

fn failed(id: &str) -> Event {
    let failure = Failure::new(FailureKind::Error, "forged");
    Event::StepFailed { step: step(id), failure, usage: Usage::default() }
}

/// What any record may say.
fn harmless() -> Event {
    Event::Refused { what: "decision".to_owned(), why: "forged".to_owned() }
}

fn claim(delivery: u32) -> Fact {
    Fact::Claimed(Claim { attempt: 1, delivery, worker: "w".to_owned() })
}

fn begun(reserved: Grant) -> Fact {
    let intent = Intent {
        kind: CallKind::Tool,
        target: "bank".to_owned(),
        arguments: Hash::of(b"30 EUR"),
        description: "pay 30 EUR".to_owned(),
        is_idempotent: false,
        reserved,
    };
    Fact::Begun { call: 1, intent }
}

fn ended(cost: Grant) -> Fact {
    Fact::Ended { call: 1, outcome: CallOutcome::Done(Payload::null()), cost, ruled_by: None }
}

fn good() -> Vec<Fact> {
    vec![claim(1), begun(COST), ended(COST)]
}

/// Changes the answer of the completed task.
fn answer(books: &mut Books, key: &str, value: Value) {
    let mut document: Value = serde_json::from_slice(&books.answers[0].body).expect("json");
    document[key] = value;
    books.answers[0].body = document.to_string().into();
}

/// Forged logs.
const LOGS: [Forgery; 16] = [
    ("nothing but a harmless record", &[], |house, books| {
        books.forge(&house.open, vec![harmless()]);
    }),
    ("a letter is torn out", &[Rule::LogHole], |_, books| {
        let is_letter = |message: &books::Message| message.subject.contains(".dead.");
        books.torn_out.push(books.log.iter().position(is_letter).expect("a letter"));
    }),
    ("no record", &[Rule::RecordDecodes], |house, books| {
        books.push(&house.open, Bytes::from_static(b"\xff\xff"));
    }),
    ("a newer record", &[Rule::ReaderVersion], |house, books| {
        // Schema 99, min_reader 99.
        books.push(&house.open, Bytes::from_static(&[0x08, 99, 0x10, 99]));
    }),
    ("a revision left out", &[Rule::DenseRevisions], |house, books| {
        let rev = books.forge(&house.open, vec![harmless()]);
        books.revise(&house.open, rev, |stored| stored.record.rev += 1);
    }),
    ("another predecessor", &[Rule::HashChain], |house, books| {
        books.revise(&house.done, 2, |stored| stored.prev = Some(Hash::of(b"forged")));
    }),
    ("no guard", &[Rule::ExpectedSequence], |house, books| {
        let last = *books.records(&house.done).last().expect("a record");
        books::unguarded(&mut books.log[last]);
    }),
    ("one transaction twice", &[Rule::UniqueTxn], |house, books| {
        books.forge(&house.open, vec![harmless()]);
        books.forge(&house.open, vec![harmless()]);
    }),
    ("another key", &[Rule::TaskOfKey], |house, books| {
        books.revise(&house.open, 1, |stored| {
            let Event::Accepted { goal, .. } = &mut stored.record.events[0] else { panic!() };
            Arc::make_mut(goal).key = "other".to_owned();
        });
    }),
    ("skipped while it is out", &[Rule::LegalFold], |house, books| {
        let (step, reason) = (name("never"), "forged".to_owned());
        books.forge(&house.open, vec![Event::StepSkipped { step, reason }]);
    }),
    ("an attempt that ends twice", &[Rule::AttemptOnce], |house, books| {
        books.forge(&house.open, vec![failed("first")]);
    }),
    ("two results", &[Rule::OneResult], |house, books| {
        books.forge(&house.open, vec![completed("first")]);
    }),
    ("begun at a limit", &[Rule::NoLateOrder], |house, books| {
        let limit = Event::LimitReached { limit: "max_usd".to_owned(), is_held: false };
        books.forge(&house.open, vec![limit, house.dispatched("last", "copier")]);
    }),
    ("expired before its time", &[Rule::TimerNotEarly], |house, books| {
        let rev = books.forge(&house.open, vec![failed("never")]);
        books.revise(&house.open, rev, |stored| {
            let record = &mut stored.record;
            (record.cause.kind, record.decision) = ("timer".to_owned(), "expire".to_owned());
        });
    }),
    ("undone without having been done", &[Rule::Compensation], |house, books| {
        let (status, reason, usage) = (EndStatus::Failed, "forged".to_owned(), Usage::default());
        let until = house.deadline();
        let ends = Event::Compensating { status, reason, answer: None, usage, until };
        books.forge(&house.open, vec![ends, house.dispatched("compensate_never", "copier")]);
    }),
    ("another part", &[Rule::AggregateParts], |house, books| {
        let (rev, index) = books.with(&house.done, is_out("aggregate"));
        books.revise(&house.done, rev, |stored| {
            let event = &mut stored.record.events[index];
            let Event::StepDispatched { input, .. } = event else { panic!() };
            let mut parts = input.value().clone();
            parts["gaps"] = json!([{"step": "first", "cause": "forged"}]);
            *input = payload(parts);
        });
    }),
];

/// Forged answers, letters and journals, and a step that the pack does not have.
const OTHERS: [Forgery; 10] = [
    ("a step of no pack", &[Rule::AsDeclared], |house, books| {
        let (step, reason) = (name("ghost"), "forged".to_owned());
        books.forge(&house.open, vec![Event::StepSkipped { step, reason }]);
    }),
    ("no answer", &[Rule::AnswerPaid], |_, books| books.answers.clear()),
    ("another answer", &[Rule::AnswerFromEnd], |_, books| answer(books, "status", json!("failed"))),
    ("an answer without its guard", &[Rule::OneAnswer], |_, books| {
        books::unguarded(&mut books.answers[0]);
    }),
    ("fewer tokens", &[Rule::Spending], |_, books| answer(books, "tokens", json!(1))),
    ("a letter without its reason", &[Rule::LetterComplete], |_, books| {
        let is_letter = |message: &&mut books::Message| message.subject.contains(".dead.");
        let letter = books.log.iter_mut().find(is_letter).expect("a letter");
        letter.headers.insert("Cadre-Dead-Reason", "");
    }),
    ("an entry without its guard", &[Rule::JournalWhole], |_, books| {
        books::unguarded(&mut books.run[1]);
    }),
    ("paid twice", &[Rule::EffectOnce], |house, books| {
        house.journal(books, "payer", vec![claim(2), begun(COST), ended(COST)]);
    }),
    ("a payment that nobody accounts for", &[Rule::EffectKnown], |_, books| {
        books.run.pop();
    }),
    ("another price", &[Rule::JournalSpending], |house, books| {
        books.run.clear();
        let (reserved, cost) = (Grant { tokens: 9, ..COST }, Grant { tokens: 6, ..COST });
        house.journal(books, "payer", vec![claim(1), begun(reserved), ended(cost)]);
    }),
];

/// What is put on its way by nobody: subject, headers and body, and where it must be taken back from.
async fn strangers(house: &House, seen: &mut BTreeSet<Rule>) {
    let work = house.subject_of("work", &format!("nobody.{}.never.1", house.open));
    let timer = house.subject_of("timer", &format!("{}.wake", house.open));
    let order = last(&house.bed, "CADRE_WORK_0", &work).await;
    let set = last(&house.bed, "CADRE_TIMER_0", &timer).await;
    let nobody = TaskId::derive(&name("acme"), "nobody");
    let report = json!({"task": house.open.as_str(), "step": "last", "attempt": 1, "role": "copier",
        "completed": {"output": {}}});
    let cases = [
        ("CADRE_WORK_0", work.replace(".never.", ".last."), order, Rule::OrderFromRecord),
        (
            "CADRE_IN_0",
            house.subject_of("in.report", &format!("copier.{}.last.1", house.open)),
            books::Message {
                subject: String::new(),
                headers: plain::headers(&[("Content-Type", "application/json")]),
                body: report.to_string().into(),
            },
            Rule::ReportFromOrder,
        ),
        (
            "CADRE_TIMER_0",
            timer.replace(house.open.as_str(), nobody.as_str()),
            set,
            Rule::TimerFromRecord,
        ),
    ];
    for (stream, subject, mut message, rule) in cases {
        books::unguarded(&mut message);
        let ack = plain::publish(&house.bed, &subject, message.headers, &message.body).await;
        assert_eq!(house.rules().await, [rule], "{subject}");
        delete(&house.bed, stream, ack.sequence).await;
        seen.insert(rule);
    }
}

/// What is on its way, or kept elsewhere, is lost; nothing brings it back.
async fn losses(house: &House, seen: &mut BTreeSet<Rule>) {
    let bed = &house.bed;
    let verdict = verdict::check_with(bed, true, &[]).await;
    let at_rest: Vec<_> = verdict.violations.iter().map(|it| it.rule).collect();
    assert_eq!(at_rest, [Rule::GoalEnded], "{:#?}", verdict.violations);
    let lost = bed.publish("ledger", "lost", &json!({})).await;
    let acknowledged = [house.done.clone(), house.open.clone(), lost];
    let verdict = verdict::check_with(bed, false, &acknowledged).await;
    assert_eq!(verdict.violations, [], "it waits");
    bed.connection.js.get_stream("CADRE_GOALS").await.expect("stream").purge().await.expect("done");
    let verdict = verdict::check_with(bed, false, &acknowledged).await;
    let rules: Vec<_> = verdict.violations.iter().map(|it| it.rule).collect();
    assert_eq!(rules, [Rule::AcknowledgedKept], "{:#?}", verdict.violations);

    let mut expected = Vec::new();
    for (stream, rule) in [("CADRE_WORK_0", Rule::OrderPaid), ("CADRE_TIMER_0", Rule::TimerPaid)] {
        bed.connection.js.get_stream(stream).await.expect("stream").purge().await.expect("done");
        expected.push(rule);
        assert_eq!(house.rules().await, expected, "{stream} is empty");
    }
    seen.extend(expected.into_iter().chain([Rule::GoalEnded, Rule::AcknowledgedKept]));
}

async fn last(bed: &Bed, stream: &str, subject: &str) -> books::Message {
    let stream = bed.connection.js.get_stream(stream).await.expect("stream");
    let stored = stream.get_last_raw_message_by_subject(subject).await.expect("a message");
    books::Message { subject: subject.to_owned(), headers: stored.headers, body: stored.payload }
}

async fn delete(bed: &Bed, stream: &str, sequence: u64) {
    let stream = bed.connection.js.get_stream(stream).await.expect("stream");
    assert!(stream.delete_message(sequence).await.expect("deleted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_is_broken_by_a_forged_stream_and_by_name() {
    let house = House::new().await;
    assert_eq!(house.found(&house.books).await, [], "written anew as it was");
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for (what, expected, forge) in LOGS.into_iter().chain(OTHERS) {
        let mut books = house.books.clone();
        forge(&house, &mut books);
        let found = house.found(&books).await;
        if found != expected {
            wrong.push(format!("{what}: {found:?}, not {expected:?}"));
        }
        seen.extend(expected);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(house.found(&house.books).await, [], "mended");
    strangers(&house, &mut seen).await;
    losses(&house, &mut seen).await;
    // See `check::a_lost_document_is_found`.
    seen.insert(Rule::DocumentKept);
    let unseen: Vec<_> = Rule::ALL.into_iter().filter(|rule| !seen.contains(rule)).collect();
    // Both accuse this build's own code: no message can make it read differently twice.
    assert_eq!(unseen, [Rule::SameMeaning, Rule::SameReplay]);
}
