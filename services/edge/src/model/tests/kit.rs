//! Small stories of tasks, and a read model that follows them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    payload::{Hash, Payload},
    task::{
        Ask, AskKind, Cause, EndStatus, Event, Failure, FailureKind, Goal, GoalLimits, ModelUse,
        Record, Task, Usage,
    },
    time::UnixMillis,
    workflow::{Grant, WhenExpired},
};
use cadre_runtime::testing::{Memory, MemoryLog};
use serde_json::json;

use crate::model::{ModelOptions, ModelService, ReadModel, rows::TaskRow};

/// Longest wait for anything; only a failure is ever that slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// When every story begins, unless it says otherwise.
pub(crate) const BEGIN: u64 = 1_790_000_000_000;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn step(text: &str) -> StepId {
    StepId::parse(text).unwrap()
}

/// One task's log while it is written.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) task: TaskId,
    pub(crate) records: Vec<Record>,
    at: u64,
}

impl Story {
    /// A goal of `tenant` for workflow `intake`, accepted `after_ms` behind [`BEGIN`].
    pub(crate) fn new(tenant: &str, key: &str, after_ms: u64) -> Self {
        Self::of((tenant, "intake"), key, after_ms)
    }

    pub(crate) fn of((tenant, workflow): (&str, &str), key: &str, after_ms: u64) -> Self {
        let tenant = name(tenant);
        let task = TaskId::derive(&tenant, key);
        let input = json!({"title": format!("contract {key}"), "pages": 7});
        let goal = Goal {
            task: task.clone(),
            tenant,
            workflow: name(workflow),
            revision: Arc::from("r".repeat(64)),
            key: key.to_owned(),
            digest: Hash::of(key.as_bytes()),
            input: Payload::from_value(input).unwrap(),
            deadline: None,
            limits: GoalLimits::default(),
            user: Some("pat".to_owned()),
            trace: None,
            fork: None,
        };
        let mut story = Self { task, records: Vec::new(), at: BEGIN + after_ms };
        let deadline = UnixMillis(story.at + 60_000);
        let event = Event::Accepted { goal: Arc::new(goal), deadline };
        story.push(("goal", key), vec![event]);
        story
    }

    /// Lets time pass.
    pub(crate) fn after(mut self, ms: u64) -> Self {
        self.at += ms;
        self
    }

    fn push(&mut self, (kind, source): (&str, &str), events: Vec<Event>) {
        self.records.push(Record {
            rev: self.records.len() as u64 + 1,
            at: UnixMillis(self.at),
            cause: Cause {
                kind: kind.to_owned(),
                source: source.to_owned(),
                sequence: 1,
                waited: Duration::ZERO,
                models: Vec::new(),
            },
            decision: kind.to_owned(),
            reason: format!("{source} wants it"),
            events,
        });
    }

    pub(crate) fn then(mut self, cause: (&str, &str), events: Vec<Event>) -> Self {
        self.push(cause, events);
        self
    }

    pub(crate) fn dispatch(self, id: &str, attempt: u32, role: &str) -> Self {
        let event = dispatched(id, attempt, role, UnixMillis(self.at + 30_000));
        self.then(("advance", ""), vec![event])
    }

    pub(crate) fn complete(self, id: &str, usage: Usage) -> Self {
        let output = Payload::from_value(json!({"n": 1})).unwrap();
        let (step, confidence, unsure) = (step(id), Some(0.9), None);
        let event =
            Event::StepCompleted { step, output, confidence, unsure, degraded: None, usage };
        self.then(("report", &format!("{id}#1")), vec![event])
    }

    /// The worker of the last report names the models that it asked.
    pub(crate) fn by_models(mut self, models: &[(&str, u32, u64, u64)]) -> Self {
        let named = |(model, calls, usd_micros, tokens): &(&str, u32, u64, u64)| ModelUse {
            model: (*model).to_owned(),
            calls: *calls,
            usd_micros: *usd_micros,
            tokens: *tokens,
        };
        let last = self.records.last_mut().unwrap();
        last.cause.models = models.iter().map(named).collect();
        self
    }

    pub(crate) fn fail(self, id: &str, kind: FailureKind, text: &str) -> Self {
        let failure = Failure::new(kind, text);
        let event = Event::StepFailed { step: step(id), failure, usage: usage(10, 1, 5) };
        self.then(("report", &format!("{id}#1")), vec![event])
    }

    /// The attempt fails, and another one follows.
    pub(crate) fn retry(self, id: &str, role: &str, degraded: Option<&str>, wait_ms: u64) -> Self {
        let event = Event::StepDelayed {
            step: step(id),
            role: name(role),
            degraded: degraded.map(str::to_owned),
            input: Payload::null(),
            until: UnixMillis(self.at + wait_ms),
            reason: "timeout".to_owned(),
            failure: Some(Failure::new(FailureKind::Timeout, "no report within 4 s")),
            usage: usage(3, 1, 2),
        };
        self.then(("timer", "wake"), vec![event])
    }

    pub(crate) fn ask(self, id: &str, question: &str, expires_ms: u64) -> Self {
        let ask = Ask {
            kind: AskKind::Approval,
            question: question.to_owned(),
            content: Some(Payload::from_value(json!({"amount": 12})).unwrap()),
            expires: Some(UnixMillis(self.at + expires_ms)),
            when_expired: WhenExpired::Fail,
            quorum: 1,
            four_eyes: true,
            editable: false,
        };
        let event =
            Event::StepWaiting { step: step(id), ask: Arc::new(ask), usage: Usage::default() };
        self.then(("advance", ""), vec![event])
    }

    /// A person says yes.
    pub(crate) fn grant(self, id: &str, by: &str) -> Self {
        let story = self.complete(id, Usage::default());
        let mut records = story.records;
        if let Some(last) = records.last_mut() {
            last.cause.kind = "decision".to_owned();
            last.cause.source = format!("{by}#{id}");
        }
        Self { records, ..story }
    }

    pub(crate) fn end(self, status: EndStatus) -> Self {
        let answer = (status == EndStatus::Completed).then(Payload::null);
        let reason = format!("it is {}", status.as_str());
        let event = Event::Ended { status, reason, answer, usage: Usage::default() };
        self.then(("report", "aggregate#1"), vec![event])
    }

    /// From goal to answer, with one step and the gate.
    pub(crate) fn whole(self) -> Self {
        self.after(10)
            .dispatch("read", 1, "reader")
            .after(100)
            .complete("read", usage(250, 40, 60))
            .dispatch("aggregate", 1, "aggregate")
            .after(5)
            .end(EndStatus::Completed)
    }

    pub(crate) fn replayed(&self) -> Task {
        Task::replay(&self.records).unwrap()
    }

    pub(crate) fn write(&self, log: &MemoryLog) {
        self.write_from(log, 0);
    }

    /// Writes the records behind the first `count`.
    pub(crate) fn write_from(&self, log: &MemoryLog, count: usize) {
        for record in self.records.iter().skip(count) {
            log.append(&self.task, record.clone());
        }
    }
}

pub(crate) fn usage(usd_micros: u64, tokens: u64, work_ms: u64) -> Usage {
    Usage { usd_micros, tokens, work_ms }
}

pub(crate) fn dispatched(id: &str, attempt: u32, role: &str, deadline: UnixMillis) -> Event {
    Event::StepDispatched {
        step: step(id),
        attempt,
        role: name(role),
        input: Payload::null(),
        deadline,
        grant: Grant { usd_micros: 500, tokens: 100 },
    }
}

/// A read model over `log`, at its end.
pub(crate) async fn started(log: &MemoryLog, path: Option<PathBuf>) -> ModelService {
    let ports = (log.clone(), Memory::default());
    let service = ModelService::start(ports, ModelOptions { path }, None).await.unwrap();
    let mut lag = service.model().lag_changes();
    let is_there = lag.wait_for(|lag| lag.is_caught_up && !lag.is_interrupted && lag.records == 0);
    tokio::time::timeout(PATIENCE, is_there).await.unwrap().unwrap();
    drop(lag);
    service
}

/// Waits until the read model has all of a story.
pub(crate) async fn seen(model: &ReadModel, story: &Story) -> TaskRow {
    let mut lag = model.lag_changes();
    let look = async {
        loop {
            let row = model.task(None, &story.task).await.unwrap();
            if let Some(row) = row.filter(|row| row.rev == story.records.len() as u64) {
                return row;
            }
            lag.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap()
}
