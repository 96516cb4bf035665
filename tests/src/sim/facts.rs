//! The end of a run, judged: core's rules over everything that the broker keeps, and a print of it.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::Arc,
};

use cadre_core::{
    check::{
        AnswerFact, Attempt, CheckOptions, Checker, Content, Fact, InputKind, JournalFact,
        LetterFact, OrderFact, Place, RecordFact, Verdict,
    },
    ids::{StepId, TaskId},
    payload::Hash,
    task::{Event, Input, Order, Report},
    time::UnixMillis,
};
use cadre_proto::{
    record::{self, StoredRecord},
    subject::Subject,
};

use super::{
    PackSet,
    world::{Entry, Logged, World},
};

/// What stands before the step's name in the key of an effect that undoes it.
const UNDO: &str = ".compensate_";

/// What core's rules say of a world in which nothing goes on.
#[must_use]
pub fn check(world: &World, packs: &PackSet, acknowledged: &[TaskId]) -> Verdict {
    let acknowledged = acknowledged.iter().map(|task| (task.clone(), task.to_string())).collect();
    let options = CheckOptions { partitions: world.partitions, is_quiescent: true, acknowledged };
    let mut checker = Checker::new(options);
    for pack in packs.values() {
        checker.take(Fact {
            place: place("CADRE_PACKS", 0, 0),
            content: Content::Pack(Arc::clone(pack)),
        });
    }
    let end = place("CADRE_LOG_0", world.log.len() as u64, world.now());
    checker.take(Fact { place: end.clone(), content: Content::Settled });
    on_its_way(world, &mut checker);
    journals(world, &mut checker);
    let since = place("CADRE_ANSWERS", 0, 0);
    checker.take(Fact { place: since, content: Content::AnswersSince });
    let mut told: Vec<(u64, bool, Fact)> = Vec::new();
    for (index, entry) in world.log.iter().enumerate() {
        let content = logged(world, entry);
        let place = place("CADRE_LOG_0", index as u64 + 1, entry.at);
        told.push((entry.at, false, Fact { place, content }));
    }
    for (index, (at, answer)) in world.answers.iter().enumerate() {
        let goal = &answer.goal;
        let content = Content::Answer(Box::new(AnswerFact {
            tenant: goal.tenant.clone(),
            workflow: goal.workflow.clone(),
            task: goal.task.clone(),
            expected: Some(0),
            document: Ok(answer.document.clone()),
        }));
        let place = place("CADRE_ANSWERS", index as u64 + 1, *at);
        told.push((*at, true, Fact { place, content }));
    }
    told.sort_by_key(|(at, is_answer, _)| (*at, *is_answer));
    told.into_iter().for_each(|(.., fact)| checker.take(fact));
    checker.take(Fact { place: end, content: Content::LogEnd });
    checker.finish()
}

fn place(stream: &str, sequence: u64, at: u64) -> Place {
    Place { stream: Arc::from(stream), shard: 0, sequence, at: UnixMillis(at) }
}

fn on_its_way(world: &World, checker: &mut Checker) {
    for (sequence, message) in &world.goals.messages {
        let place = place("CADRE_GOALS", *sequence, message.stored_at);
        let content = Content::Goal { task: goal_of(&message.subject, &message.value.headers) };
        checker.take(Fact { place, content });
    }
    for (sequence, message) in &world.inputs.messages {
        let place = place("CADRE_IN_0", *sequence, message.stored_at);
        let (task, input) = &message.value;
        let kind = match input {
            Input::Goal(_) | Input::Fork(..) => InputKind::Goal,
            Input::Report(report) => InputKind::Report(reported(task, report)),
            Input::Due => InputKind::Timer,
            Input::Cancel(_) => InputKind::Cancel,
            Input::Control(_) | Input::Decision(_) | Input::Advance => InputKind::Wish,
        };
        checker.take(Fact { place, content: Content::Input { task: task.clone(), kind } });
    }
    for (sequence, message) in &world.work.messages {
        let place = place("CADRE_WORK_0", *sequence, message.stored_at);
        let order = &message.value.order;
        let fact = OrderFact { attempt: attempt(order), deadline: Ok(order.deadline) };
        checker.take(Fact { place, content: Content::Order(fact) });
    }
    for (task, timer) in &world.timers {
        let (task, wake_at) = (task.clone(), Some(UnixMillis(timer.at)));
        let place = place("CADRE_TIMER_0", 0, timer.at);
        checker.take(Fact { place, content: Content::Timer { task, wake_at } });
    }
}

fn journals(world: &World, checker: &mut Checker) {
    for (id, entries) in &world.journals {
        for (index, entry) in (0..).zip(entries) {
            let (id, entry) = (id.clone(), Ok(entry.clone()));
            let content =
                Content::Journal(Box::new(JournalFact { id, expected: Some(index), entry }));
            checker.take(Fact { place: place("CADRE_RUN_0", index + 1, 0), content });
        }
    }
}

/// Effects that happened more than once, and those that undo what never happened.
#[must_use]
pub fn effects_wrong(world: &World) -> Vec<String> {
    let twice = world.effects.iter().filter(|(_, count)| **count > 1);
    let twice = twice.map(|(key, _)| format!("happened twice: {key}"));
    let undone = world.effects.keys().filter(|key| key.contains(UNDO));
    let baseless = undone.filter(|key| !world.effects.contains_key(&key.replace(UNDO, ".")));
    twice.chain(baseless.map(|key| format!("undoes what never happened: {key}"))).collect()
}

/// How often a person has ruled on calls of each step.
#[must_use]
pub fn ruled(world: &World) -> BTreeMap<StepId, u32> {
    let mut ruled = BTreeMap::new();
    for entry in &world.log {
        let Logged::Record(append) = &entry.content else { continue };
        for event in &append.record.events {
            if let Event::CallRuled { step, .. } = event {
                *ruled.entry(step.clone()).or_default() += 1;
            }
        }
    }
    ruled
}

/// How often each kind of event happened, and how often work was stopped.
#[must_use]
pub fn happened(world: &World) -> BTreeMap<String, u64> {
    // Not in the log: whoever works on what nobody needs is told.
    let stopped = world.stops.len() as u64;
    let mut happened = BTreeMap::from([("Stopped".to_owned(), stopped)]);
    for entry in &world.log {
        let Logged::Record(append) = &entry.content else { continue };
        for event in &append.record.events {
            *happened.entry(kind(event)).or_default() += 1;
        }
    }
    happened
}

/// The name of the event's kind: what its debug text begins with.
fn kind(event: &Event) -> String {
    struct First(String);
    impl Write for First {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.find([' ', '{']);
            self.0.push_str(&text[..end.unwrap_or(text.len())]);
            // The rest, documents and all, is not even made.
            end.map_or(Ok(()), |_| Err(fmt::Error))
        }
    }
    let mut first = First(String::new());
    // It always ends early, unless the kind is all there is.
    let _ = write!(first, "{event:?}");
    first.0
}

fn goal_of(subject: &str, headers: &[(String, String)]) -> Option<TaskId> {
    let Ok(Subject::Goals(intake)) = Subject::parse(subject) else { return None };
    let key = headers.iter().find(|(name, _)| name == "Nats-Msg-Id");
    key.map(|(_, key)| TaskId::derive(intake.tenant(), key))
}

fn attempt(order: &Order) -> Attempt {
    let (task, step, role) = (order.goal.task.clone(), order.step.clone(), order.role.clone());
    Attempt { task, step, number: order.attempt, role }
}

fn reported(task: &TaskId, report: &Report) -> Attempt {
    let (task, step, role) = (task.clone(), report.step.clone(), report.role.clone());
    Attempt { task, step, number: report.attempt, role }
}

fn logged(world: &World, entry: &Entry) -> Content {
    let append = match &entry.content {
        Logged::Record(append) => append,
        Logged::Letter(letter) => {
            return Content::Letter(Box::new(LetterFact {
                reason: letter.reason.clone(),
                came_on: letter.subject.clone(),
                goal: goal_of(&letter.subject, &letter.headers),
                ..LetterFact::default()
            }));
        }
    };
    let stored = record::decode(&append.body, &world.blobs).expect("a record that we wrote");
    let is_stable = stored.record == *append.record;
    let StoredRecord { record, txn, prev, hash, .. } = stored;
    let task = append.task.clone();
    let partition = task.partition(world.partitions);
    let expected = Some(append.expected);
    let fact = RecordFact { task, partition, expected, txn, prev, hash, is_stable, record };
    Content::Record(Box::new(fact))
}

/// Steps that were dispatched although they had completed.
#[must_use]
pub fn repeated(world: &World) -> Vec<(TaskId, StepId)> {
    let mut completed: BTreeMap<(TaskId, StepId), ()> = BTreeMap::new();
    let mut found = Vec::new();
    for entry in &world.log {
        let Logged::Record(append) = &entry.content else { continue };
        for event in &append.record.events {
            if let Event::StepCompleted { step, .. } = event {
                completed.insert((append.task.clone(), step.clone()), ());
            }
            if let Event::StepDispatched { step, .. } = event {
                let key = (append.task.clone(), step.clone());
                if completed.contains_key(&key) {
                    found.push(key);
                }
            }
        }
    }
    found
}

/// A hash over everything that was logged and told, byte for byte and millisecond for millisecond.
#[must_use]
pub fn print(world: &World) -> Hash {
    let mut bytes = Vec::new();
    for entry in &world.log {
        bytes.extend_from_slice(&entry.at.to_be_bytes());
        match &entry.content {
            Logged::Record(append) => {
                bytes.extend_from_slice(append.task.as_str().as_bytes());
                bytes.extend_from_slice(&append.body);
            }
            Logged::Letter(letter) => bytes.extend_from_slice(format!("{letter:?}").as_bytes()),
        }
    }
    for (at, answer) in &world.answers {
        bytes.extend_from_slice(&at.to_be_bytes());
        bytes.extend_from_slice(answer.document.text().as_bytes());
    }
    bytes.extend_from_slice(format!("{:?}", (&world.calls, world.writes)).as_bytes());
    Hash::of(&bytes)
}
