//! A history that the real machine has made: one task done, one with a step out, one that waits.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    ids::{Name, Partitions, StepId},
    pack::{PackSource, compile},
    task::{
        AGGREGATE, Cause, Failure, FailureKind, Goal, GoalLimits, Input, Outcome, Record, Report,
        Task, Usage, Verdict as Decided, decide,
    },
    time::UnixMillis,
    workflow::Workflow,
};

const PACK: &str = r#"apiVersion: pack/v1
name: story
roles:
  reader: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 10s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 60s, max_steps: 20, max_usd: 1, max_tokens: 1000}
  when_limited: partial
  steps:
    read: {role: reader, with: "${ goal }", accept_if: report.confidence != 0.25, otherwise: ask_human, compensate: {role: reader, with: "${ read }"}}
    part: {role: reader, after: [read], each: {over: "${ goal.items }", as: item}, with: "${ item }"}
    bad: {role: reader, after: [read], with: "${ goal }", optional: true}
  result:
    read: "${ read }"
    parts: {from: ["${ part }"], required: false}
    bad: {from: ["${ bad }"], required: false}
"#;

pub(super) const LOG: &str = "CADRE_LOG_0";
const PARTITIONS: u16 = 4;
const T0: u64 = 1_800_000_000_000;

/// When the step `read` of `open` is due.
pub(super) const READ_DEADLINE: u64 = T0 + 20 + 10_000;

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn step(text: &str) -> StepId {
    StepId::parse(text).unwrap()
}

pub(super) fn task(key: &str) -> TaskId {
    TaskId::derive(&name("acme"), key)
}

pub(super) fn payload(value: Value) -> Payload {
    Payload::from_value(value).unwrap()
}

pub(super) fn place(stream: &str, sequence: u64) -> Place {
    Place { stream: stream.into(), shard: 0, sequence, at: UnixMillis(T0) }
}

pub(super) fn attempt(key: &str, step_id: &str, number: u32) -> Attempt {
    Attempt { task: task(key), step: step(step_id), number, role: name("reader") }
}

/// What was read, and what to hold it to.
pub(super) struct History {
    pub(super) facts: Vec<Fact>,
    pub(super) options: CheckOptions,
}

impl History {
    pub(super) fn check(self) -> Verdict {
        let mut checker = Checker::new(self.options);
        self.facts.into_iter().for_each(|fact| checker.take(fact));
        checker.finish()
    }

    /// The rules that do not hold, each once.
    pub(super) fn rules(self) -> Vec<Rule> {
        let verdict = self.check();
        let mut rules: Vec<_> = verdict.violations.iter().map(|it| it.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// Where the record of this revision stands.
    pub(super) fn at(&self, key: &str, rev: u64) -> usize {
        let id = task(key);
        let is_it = |fact: &Fact| matches!(&fact.content, Content::Record(it) if it.task == id && it.record.rev == rev);
        self.facts.iter().position(is_it).unwrap()
    }

    pub(super) fn record(&mut self, key: &str, rev: u64) -> &mut RecordFact {
        let at = self.at(key, rev);
        let Content::Record(record) = &mut self.facts[at].content else { unreachable!() };
        record
    }

    pub(super) fn letter(&mut self) -> &mut LetterFact {
        let letter = self.facts.iter_mut().find_map(|fact| {
            let Content::Letter(letter) = &mut fact.content else { return None };
            Some(letter)
        });
        letter.unwrap()
    }

    /// The last revision of a task.
    pub(super) fn last(&self, key: &str) -> u64 {
        let id = task(key);
        let revs = self.facts.iter().filter_map(|fact| {
            let Content::Record(record) = &fact.content else { return None };
            (record.task == id).then_some(record.record.rev)
        });
        revs.max().unwrap()
    }

    /// The record of a task with such an event, and the event's index.
    pub(super) fn with(&mut self, key: &str, wanted: impl Fn(&Event) -> bool) -> (u64, usize) {
        (1..=self.last(key))
            .find_map(|rev| {
                let record = self.record(key, rev);
                record.record.events.iter().position(&wanted).map(|index| (rev, index))
            })
            .unwrap()
    }

    /// Makes the hashes fit what the records say now, as a forger would.
    pub(super) fn rechain(&mut self) {
        let mut last: BTreeMap<TaskId, Hash> = BTreeMap::new();
        for fact in &mut self.facts {
            let Content::Record(record) = &mut fact.content else { continue };
            record.prev = last.get(&record.task).copied();
            let text = format!("{:?}{:?}{:?}", record.prev, record.txn, record.record);
            record.hash = Hash::of(text.as_bytes());
            last.insert(record.task.clone(), record.hash);
        }
    }

    /// Adds a record behind the last one of a task, as a forger with the right guards would.
    pub(super) fn forge(&mut self, key: &str, events: Vec<Event>) {
        let rev = self.last(key);
        let at = self.at(key, rev);
        let sequence = self.facts[at].place.sequence;
        let before = self.record(key, rev).clone();
        let end = self.end();
        let fresh = self.facts[end].place.sequence + 1;
        let record = Record { rev: rev + 1, events, ..before.record.clone() };
        let (expected, txn) = (Some(sequence), u128::from(fresh).to_be_bytes());
        let forged = RecordFact { expected, txn, record, ..before };
        self.facts.insert(
            end,
            Fact { place: place(LOG, fresh), content: Content::Record(Box::new(forged)) },
        );
        self.facts[end + 1].place.sequence = fresh;
        self.rechain();
    }

    /// Takes a fact out; sequences close up when it is in the log.
    pub(super) fn remove(&mut self, wanted: impl Fn(&Content) -> bool) -> Fact {
        let at = self.facts.iter().position(|fact| wanted(&fact.content)).unwrap();
        self.facts.remove(at)
    }

    /// Puts what is on its way before what was decided.
    pub(super) fn add(&mut self, stream: &str, content: Content) {
        self.facts.insert(1, Fact { place: place(stream, 77), content });
    }

    /// Nobody has read the pack.
    pub(super) fn forget_pack(&mut self) {
        drop(self.remove(|content| matches!(content, Content::Pack(_))));
    }

    pub(super) fn end(&self) -> usize {
        self.facts.iter().position(|fact| matches!(fact.content, Content::LogEnd)).unwrap()
    }

    pub(super) fn answer(&mut self) -> &mut AnswerFact {
        let answer = self.facts.iter_mut().find_map(|fact| {
            let Content::Answer(answer) = &mut fact.content else { return None };
            Some(answer)
        });
        answer.unwrap()
    }
}

struct Machine {
    workflow: Arc<Workflow>,
    tasks: BTreeMap<TaskId, (Option<Task>, u64)>,
    facts: Vec<Fact>,
    sequence: u64,
    inputs: u64,
}

impl Machine {
    fn feed(&mut self, key: &str, input: &Input) {
        self.inputs += 1;
        let (id, at) = (task(key), UnixMillis(T0 + self.inputs * 10));
        let (state, before) = self.tasks.remove(&id).unwrap_or_default();
        let decided = decide(&self.workflow, state.as_ref(), input, &at.into());
        let Decided::Append(draft) = decided else { panic!("{key}: {input:?} is {decided:?}") };
        assert!(!draft.more);
        self.sequence += 1;
        let cause = Cause {
            kind: input.kind().to_owned(),
            source: match input {
                Input::Report(report) => Cause::attempt(&report.step, report.attempt),
                Input::Goal(_)
                | Input::Fork(..)
                | Input::Due
                | Input::Cancel(_)
                | Input::Control(_)
                | Input::Decision(_)
                | Input::Advance => String::new(),
            },
            sequence: self.inputs,
            waited: Duration::ZERO,
            models: Vec::new(),
        };
        let record = Record {
            rev: draft.next.rev,
            at: draft.next.changed_at,
            cause,
            decision: draft.decision.to_owned(),
            reason: draft.reason,
            events: draft.events,
        };
        let fact = RecordFact {
            task: id.clone(),
            partition: id.partition(Partitions::new(PARTITIONS)),
            expected: Some(before),
            txn: u128::from(self.sequence).to_be_bytes(),
            prev: None,
            hash: Hash::default(),
            is_stable: true,
            record,
        };
        self.facts.push(Fact {
            place: Place { at, ..place(LOG, self.sequence) },
            content: Content::Record(Box::new(fact)),
        });
        if let Some(answer) = draft.next.answer() {
            let fact = AnswerFact {
                tenant: answer.goal.tenant.clone(),
                workflow: answer.goal.workflow.clone(),
                task: id.clone(),
                expected: Some(0),
                document: Ok(answer.document),
            };
            self.facts.push(Fact {
                place: place("CADRE_ANSWERS", 1),
                content: Content::Answer(Box::new(fact)),
            });
        }
        self.tasks.insert(id, (Some(draft.next), self.sequence));
    }

    fn goal(&mut self, key: &str) {
        let input = payload(json!({"items": [{"n": 1}, {"n": 2}]}));
        let goal = Goal {
            task: task(key),
            tenant: name("acme"),
            workflow: name("story"),
            revision: self.workflow.revision.as_str().into(),
            key: key.to_owned(),
            digest: Hash::of(b"goal"),
            input,
            deadline: None,
            limits: GoalLimits::default(),
            user: None,
            trace: None,
            fork: None,
        };
        self.feed(key, &Input::Goal(Arc::new(goal)));
    }

    fn report(&mut self, key: &str, step_id: &str, outcome: Outcome) {
        let role = if step_id == AGGREGATE { AGGREGATE } else { "reader" };
        let usage = Usage { usd_micros: 3, tokens: 7, work_ms: 1 };
        let (role, step) = (name(role), step(step_id));
        let (degraded, worker) = (None, String::new());
        let models = Vec::new();
        let report = Report { role, step, attempt: 1, outcome, usage, models, degraded, worker };
        self.feed(key, &Input::Report(report));
    }
}

fn completed(confidence: f64) -> Outcome {
    Outcome::Completed { output: payload(json!({"ok": true})), confidence: Some(confidence) }
}

/// `done` has ended, a step of `open` is out, `asked` waits for a person; one letter is dead.
pub(super) fn history() -> History {
    let files = BTreeMap::from([
        ("pack.yaml".to_owned(), PACK.as_bytes().to_vec()),
        ("contracts/any.v1.json".to_owned(), br#"{"type": "object"}"#.to_vec()),
    ]);
    let workflow = compile(&PackSource { files }).unwrap_or_else(|error| panic!("{error}"));
    let workflow = Arc::new(workflow);
    let pack = Content::Pack(Arc::clone(&workflow));
    let tasks = BTreeMap::new();
    let mut machine = Machine { workflow, tasks, facts: Vec::new(), sequence: 0, inputs: 0 };
    machine.goal("done");
    machine.goal("open");
    machine.goal("asked");
    machine.report("done", "read", completed(0.9));
    machine.report("asked", "read", completed(0.25));
    for part in ["part-1", "part-0"] {
        machine.report("done", part, completed(1.0));
    }
    machine.report("done", "bad", Outcome::Failed(Failure::new(FailureKind::Error, "boom")));
    let answer = json!({"status": "partial", "reason": "bad failed", "result": {"read": {"ok": true}},
        "missing": [], "conflicts": []});
    machine.report(
        "done",
        AGGREGATE,
        Outcome::Completed { output: payload(answer), confidence: None },
    );
    let Machine { facts: decided, sequence, tasks, .. } = machine;
    let last = sequence + 1;
    let wake = |key: &str| tasks[&task(key)].0.as_ref().and_then(Task::wake_at);
    let order = decided.iter().find_map(|fact| {
        let Content::Record(record) = &fact.content else { return None };
        record.orders().find(|(attempt, _)| attempt.task == task("open"))
    });
    let (attempt, deadline) = order.unwrap();
    let letter = LetterFact {
        reason: "json: truncated".to_owned(),
        came_on: "goals.acme.story".to_owned(),
        ..LetterFact::default()
    };
    let fact = |stream, sequence, content| Fact { place: place(stream, sequence), content };
    let timer = |key| Content::Timer { task: task(key), wake_at: wake(key) };
    let mut facts = vec![
        fact(LOG, last, Content::Settled),
        fact("CADRE_WORK_0", 5, Content::Order(OrderFact { attempt, deadline: Ok(deadline) })),
        fact("CADRE_TIMER_0", 6, timer("open")),
        fact("CADRE_TIMER_0", 7, timer("asked")),
        fact("CADRE_ANSWERS", 0, Content::AnswersSince),
        fact("CADRE_PACKS", 0, pack),
    ];
    facts[4].place.at = UnixMillis(0);
    facts.extend(decided);
    facts.push(fact(LOG, last, Content::Letter(Box::new(letter))));
    facts.push(fact(LOG, last, Content::LogEnd));
    let options = CheckOptions {
        partitions: Partitions::new(PARTITIONS),
        is_quiescent: false,
        acknowledged: BTreeMap::new(),
    };
    let mut history = History { facts, options };
    history.rechain();
    history
}
