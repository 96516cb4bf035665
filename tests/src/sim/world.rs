//! Everything that the simulated broker keeps, and the only way to change it: a [`Write`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use cadre_core::{
    ids::{Name, Partition, Partitions, StepId, TaskId},
    journal::{Entry as JournalEntry, JournalId},
    payload::{Hash, Payload},
    ports::{DeadLetter, Stopped},
    task::{Answer, Goal, Input, Order, Outcome, Record, Report, Task, Usage},
    time::UnixMillis,
};
use cadre_proto::subject;
use tokio::time::Instant;

use super::{bus::Bell, chance::Chance, faults::Faults, queue::Queue};

/// When every run begins.
pub const BEGIN: UnixMillis = UnixMillis(1_800_000_000_000);

/// A goal as published.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// An order in its stream.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// What is ordered.
    pub order: Order,
    /// Time to its deadline when it was published.
    pub timeout_ms: u64,
}

/// What settles a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A goal.
    Goal,
    /// An input of a partition.
    Input,
    /// A work order.
    Work,
    /// A fired timer.
    Due,
}

/// A change that somebody asks the broker for.
#[derive(Debug, Clone)]
pub enum Write {
    /// A record, behind what its task's log must end with.
    Append(Append),
    /// A goal of a publisher.
    Publish(String, Published),
    /// A goal that passed the intake.
    Submit(Arc<Goal>),
    /// Somebody's wish, or a timer that fired.
    Input(TaskId, Input, &'static str),
    /// A work order, unless it is there.
    Order(Ordered),
    /// A report, unless there is one.
    Report(TaskId, Report),
    /// The task's timer, in place of the one before.
    Wake(TaskId, UnixMillis),
    /// No timer any more.
    Forget(TaskId),
    /// No orders of the task any more.
    Stop(Stopped),
    /// The end of a task, unless it was told.
    Answer(Answer),
    /// A dead letter, unless it is kept.
    Letter(DeadLetter),
    /// An entry, behind what its journal must end with.
    Note(JournalId, u64, JournalEntry),
    /// Something happens outside, under this key.
    Effect(String),
    /// A delivery is settled.
    Ack(Kind, u64),
    /// A delivery is still worked on.
    Progress(u64),
}

/// A record on its way.
#[derive(Debug, Clone)]
pub struct Append {
    /// Whose.
    pub task: TaskId,
    /// Sequence that the task's log must end with.
    pub expected: u64,
    /// The record.
    pub record: Arc<Record>,
    /// Its bytes.
    pub body: Bytes,
}

/// What the broker says of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Done, at this sequence where there is one.
    Stored(u64),
    /// The guard does not hold.
    Refused,
}

/// One message of the log stream.
#[derive(Debug)]
pub struct Entry {
    /// When it was stored.
    pub at: u64,
    /// What it is.
    pub content: Logged,
}

/// What the log stream holds.
#[derive(Debug)]
pub enum Logged {
    /// A record.
    Record(Append),
    /// A dead letter.
    Letter(DeadLetter),
}

/// A task's timer.
#[derive(Debug, Clone, Copy)]
pub struct Timer {
    /// When it may fire.
    pub at: u64,
    /// When it does: brokers are late, never early.
    pub fires_at: u64,
}

/// Who owns a partition.
#[derive(Debug, Clone, Copy)]
pub struct Pin {
    /// The subscription.
    pub owner: u64,
    /// When it asked last.
    pub seen_at: u64,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// What happens by chance.
    pub chance: Chance,
    /// How bad it is.
    pub faults: Faults,
    /// Partitions of the deployment.
    pub partitions: Partitions,
    /// `CADRE_LOG_0`; the sequence is the index plus 1.
    pub log: Vec<Entry>,
    /// Sequence of each task's last record.
    pub heads: BTreeMap<TaskId, u64>,
    /// Each task as its log says.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Large documents.
    pub blobs: BTreeMap<Hash, Payload>,
    /// `CADRE_GOALS`.
    pub goals: Queue<Published>,
    /// `CADRE_IN_0`; with the task that an input is for.
    pub inputs: Queue<(TaskId, Input)>,
    /// `CADRE_WORK_0`.
    pub work: Queue<Ordered>,
    /// Fired timers that are not forwarded.
    pub due: Queue<TaskId>,
    /// Timers that are set.
    pub timers: BTreeMap<TaskId, Timer>,
    /// Answers, with when they were told.
    pub answers: Vec<(u64, Answer)>,
    /// Forks that somebody has begun.
    pub forks: Vec<TaskId>,
    /// Goals that were refused.
    pub rejected: Vec<(Name, Payload)>,
    /// Work that was stopped, in order.
    pub stops: Vec<Stopped>,
    /// Writes that arrive after their writer has given up.
    pub late: BTreeMap<(u64, u64), Write>,
    /// Owners by partition.
    pub pins: BTreeMap<Partition, Pin>,
    /// Lives of processes that go on.
    pub alive: BTreeMap<u64, bool>,
    /// Calls of runners by task and step.
    pub calls: BTreeMap<(TaskId, StepId), u32>,
    /// Journals of steps.
    pub journals: BTreeMap<JournalId, Vec<JournalEntry>>,
    /// Effects outside, by key: each key belongs to one that must not happen twice.
    pub effects: BTreeMap<String, u32>,
    /// Subjects of the reports that were ever stored.
    pub reported: BTreeSet<String>,
    /// Orders that went out although their report was there before.
    pub again: Vec<String>,
    /// A role that has too much to do, and until when.
    pub crowded: Option<(Name, u64)>,
    /// Behind the next look whether an order is paid, its worker reports this and settles it.
    pub reports_behind_look: Option<Payload>,
    /// Writes so far that changed something.
    pub writes: u64,
    /// Faults so far.
    pub injected: u64,
    /// Everybody dies right behind this write.
    pub dies_behind: Option<u64>,
    begun: Instant,
    next_id: u64,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64, faults: Faults, partitions: Partitions) -> Self {
        Self {
            chance: Chance::new(seed),
            faults,
            partitions,
            log: Vec::new(),
            heads: BTreeMap::new(),
            tasks: BTreeMap::new(),
            blobs: BTreeMap::new(),
            goals: Queue::new(5_000),
            inputs: Queue::new(5_000),
            work: Queue::new(2_000),
            due: Queue::new(5_000),
            timers: BTreeMap::new(),
            answers: Vec::new(),
            forks: Vec::new(),
            rejected: Vec::new(),
            stops: Vec::new(),
            late: BTreeMap::new(),
            pins: BTreeMap::new(),
            alive: BTreeMap::new(),
            calls: BTreeMap::new(),
            journals: BTreeMap::new(),
            effects: BTreeMap::new(),
            crowded: None,
            reports_behind_look: None,
            reported: BTreeSet::new(),
            again: Vec::new(),
            writes: 0,
            injected: 0,
            dies_behind: None,
            begun: Instant::now(),
            next_id: 0,
        }
    }

    /// Virtual milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        BEGIN.after(self.begun.elapsed()).0
    }

    /// When a virtual time is, for sleeping.
    #[must_use]
    pub fn instant(&self, at: u64) -> Instant {
        self.begun + UnixMillis(at).since(BEGIN)
    }

    /// A number that nobody has.
    pub fn fresh(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Keeps a write for later.
    pub fn put_off(&mut self, write: Write, delay_ms: u64) {
        let key = (self.now() + delay_ms, self.fresh());
        self.late.insert(key, write);
    }

    /// Does what is due by now: timers fire, late writes arrive. Says whom that concerns.
    pub(super) fn catch_up(&mut self) -> Vec<Bell> {
        let (now, mut bells) = (self.now(), Vec::new());
        while let Some(entry) = self.late.first_entry().filter(|entry| entry.key().0 <= now) {
            let write = entry.remove();
            bells.extend(Bell::of(&write));
            self.write(write);
        }
        let fired = self.timers.iter().filter(|(_, timer)| timer.fires_at <= now);
        for task in fired.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.timers.remove(&task);
            let subject = subject::due(task.partition(self.partitions), &task);
            self.due.store(subject, task, (now, 0));
            bells.push(Bell::Due);
        }
        bells
    }

    /// When `catch_up` has something to do.
    #[must_use]
    pub fn next_event(&self) -> Option<u64> {
        let late = self.late.keys().next().map(|(at, _)| *at);
        self.timers.values().map(|timer| timer.fires_at).chain(late).min()
    }

    /// Does what a write says, as the broker would.
    pub fn write(&mut self, write: Write) -> Written {
        let is_change = !matches!(write, Write::Progress(_));
        let written = self.change(write);
        if is_change && written != Written::Refused {
            self.writes += 1;
            if self.dies_behind == Some(self.writes) {
                self.alive.values_mut().for_each(|alive| *alive = false);
            }
        }
        written
    }

    fn change(&mut self, write: Write) -> Written {
        let now = self.now();
        match write {
            Write::Append(append) => return self.append(append),
            Write::Publish(subject, goal) => {
                let travel = self.travel();
                return Written::Stored(self.goals.store(subject, goal, travel));
            }
            Write::Submit(goal) => {
                let subject = subject::goal(self.partition(&goal.task), &goal.tenant, &goal.task);
                return self.input(subject, goal.task.clone(), Input::Goal(goal));
            }
            Write::Input(task, input, source) => {
                let subject =
                    format!("{}.{source}", subject::in_timer(self.partition(&task), &task));
                return self.input(subject, task, input);
            }
            Write::Order(ordered) => return self.order(ordered),
            Write::Report(task, report) => {
                let subject = report_subject(self.partitions, &task, &report);
                if self.inputs.holds(&subject) {
                    return Written::Refused;
                }
                self.reported.insert(subject.clone());
                return self.input(subject, task, Input::Report(report));
            }
            Write::Wake(task, at) => {
                let late = self.faults.timer_late_ms_max;
                let fires_at = at.0.max(now) + self.chance.between(0, late);
                self.timers.insert(task, Timer { at: at.0, fires_at });
            }
            Write::Forget(task) => drop(self.timers.remove(&task)),
            Write::Stop(stopped) => self.stop(stopped),
            Write::Answer(answer) => {
                if self.answers.iter().any(|(_, told)| told.goal.task == answer.goal.task) {
                    return Written::Refused;
                }
                self.answers.push((now, answer));
            }
            Write::Letter(letter) => return self.letter(letter),
            Write::Note(id, expected, entry) => return self.note(id, expected, entry),
            Write::Effect(key) => *self.effects.entry(key).or_default() += 1,
            Write::Ack(kind, sequence) => match kind {
                Kind::Goal => self.goals.remove(sequence),
                Kind::Input => self.inputs.remove(sequence),
                Kind::Work => self.work.remove(sequence),
                Kind::Due => self.due.remove(sequence),
            },
            Write::Progress(sequence) => self.work.put_off(sequence, None, now),
        }
        Written::Stored(0)
    }

    fn order(&mut self, ordered: Ordered) -> Written {
        let subject = order_subject(self.partitions, &ordered.order);
        if self.work.holds(&subject) {
            return Written::Refused;
        }
        let Order { goal, step, attempt, role, .. } = &ordered.order;
        let (role, task, step) = (role.clone(), goal.task.clone(), step.clone());
        let attempt = subject::Attempt { role, task, step, number: *attempt };
        let report = subject::report(self.partition(&attempt.task), &attempt);
        if self.reported.contains(&report) {
            self.again.push(subject.clone());
        }
        let travel = self.travel();
        Written::Stored(self.work.store(subject, ordered, travel))
    }

    /// Lets an order's worker report and settle it, if it was to do so behind a look.
    pub fn looked(&mut self, order: &Order) {
        let Some(output) = self.reports_behind_look.take() else { return };
        let report = Report {
            role: order.role.clone(),
            step: order.step.clone(),
            attempt: order.attempt,
            outcome: Outcome::Completed { output, confidence: None },
            usage: Usage::default(),
            models: Vec::new(),
            degraded: None,
            worker: "quick".to_owned(),
        };
        self.write(Write::Report(order.goal.task.clone(), report));
        let subject = order_subject(self.partitions, order);
        self.work.messages.retain(|_, message| message.subject != subject);
    }

    fn stop(&mut self, stopped: Stopped) {
        self.work.messages.retain(|_, message| {
            let Order { goal, step, attempt, .. } = &message.value.order;
            !stopped.covers(&goal.task, step, *attempt)
        });
        self.stops.push(stopped);
    }

    fn append(&mut self, append: Append) -> Written {
        let head = self.heads.get(&append.task).copied().unwrap_or_default();
        if head != append.expected {
            return Written::Refused;
        }
        let sequence = self.log.len() as u64 + 1;
        self.heads.insert(append.task.clone(), sequence);
        for payload in append.record.events.iter().flat_map(cadre_core::task::Event::payloads) {
            if let Some(blob) = payload.blob() {
                self.blobs.insert(blob.hash, payload.clone());
            }
        }
        let mut task = self.tasks.remove(&append.task);
        Task::fold(&mut task, &append.record);
        self.tasks.extend(task.map(|task| (append.task.clone(), task)));
        let (at, content) = (self.now(), Logged::Record(append));
        self.log.push(Entry { at, content });
        Written::Stored(sequence)
    }

    fn note(&mut self, id: JournalId, expected: u64, entry: JournalEntry) -> Written {
        let journal = self.journals.entry(id).or_default();
        if journal.len() as u64 != expected {
            return Written::Refused;
        }
        journal.push(entry);
        Written::Stored(expected + 1)
    }

    fn letter(&mut self, letter: DeadLetter) -> Written {
        let is_it = |kept: &DeadLetter| {
            (kept.partition, kept.kind, &kept.source)
                == (letter.partition, letter.kind, &letter.source)
        };
        let mut kept = self.log.iter();
        if kept.any(|entry| matches!(&entry.content, Logged::Letter(kept) if is_it(kept))) {
            return Written::Refused;
        }
        let (at, content) = (self.now(), Logged::Letter(letter));
        self.log.push(Entry { at, content });
        Written::Stored(self.log.len() as u64)
    }

    fn input(&mut self, subject: String, task: TaskId, input: Input) -> Written {
        let travel = self.travel();
        Written::Stored(self.inputs.store(subject, (task, input), travel))
    }

    fn partition(&self, task: &TaskId) -> Partition {
        task.partition(self.partitions)
    }

    /// When a message is stored, and how long it takes to whoever wants it: later ones overtake it.
    fn travel(&mut self) -> (u64, u64) {
        let faults = &self.faults;
        let max = if self.chance.hits(faults.slow_permille) { faults.slow_ms_max } else { 0 };
        (self.now(), self.chance.between(0, max))
    }
}

/// Where an order lies.
#[must_use]
pub fn order_subject(partitions: Partitions, order: &Order) -> String {
    let task = order.goal.task.clone();
    let partition = task.partition(partitions);
    let (role, step, number) = (order.role.clone(), order.step.clone(), order.attempt);
    subject::work(partition, &subject::Attempt { role, task, step, number })
}

/// Where a report lies.
#[must_use]
pub fn report_subject(partitions: Partitions, task: &TaskId, report: &Report) -> String {
    let partition = task.partition(partitions);
    let (role, step, number) = (report.role.clone(), report.step.clone(), report.attempt);
    subject::report(partition, &subject::Attempt { role, task: task.clone(), step, number })
}
