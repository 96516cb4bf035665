//! Builds small workflows and plays inputs to them, checking what must hold after every record.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    aggregate::FieldRule,
    contract::Contract,
    expr::{Expr, Scope, Shape},
    ids::{Name, StepId, TaskId},
    limits::{FAN_OUT_ITEMS_MAX, MESSAGE_BYTES_MAX, RECORD_DISPATCHES_MAX},
    model::cassette::Cassettes,
    payload::{Hash, Payload},
    task::*,
    time::UnixMillis,
    workflow::{Compensation, Grant, ResultField, Source, TaskLimits, WhenLimited, Workflow},
};

use self::size::bytes;
pub(super) use self::step::{Step, step};

mod size;
mod step;

/// When every run begins.
pub(super) const T0: u64 = 1_800_000_000_000;

/// Timeout of every step, in milliseconds.
pub(super) const TIMEOUT_MS: u64 = 10_000;

/// Deadline of every workflow, in milliseconds.
pub(super) const DEADLINE_MS: u64 = 60_000;

/// Time for compensations, in milliseconds.
pub(super) const UNDO_MS: u64 = 25_000;

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn payload(value: Value) -> Payload {
    Payload::from_value(value).unwrap()
}

fn scope(steps: &[&str]) -> Scope {
    let fixed = ["goal", "task"];
    let all = fixed.iter().chain(steps);
    all.fold(Scope::new(), |scope, variable| scope.with(variable, Shape::Any))
}

/// A workflow in the making.
pub(super) struct Flow(Workflow);

impl Flow {
    /// These steps, in topological order; each is an optional field of the answer.
    pub(super) fn of(steps: &[Step]) -> Self {
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        let field = |step: &&str| ResultField {
            name: name(step),
            from: vec![Source {
                text: (*step).to_owned(),
                expr: Expr::compile(step, &scope(&names)).unwrap(),
                steps: vec![name(step)],
                spread: false,
            }],
            rule: FieldRule::Priority,
            required: false,
        };
        let anything = Arc::new(Contract::compile("any", 1, &json!({"type": "object"})).unwrap());
        Self(Workflow {
            name: name("flow"),
            revision: "0".repeat(64),
            input: Arc::clone(&anything),
            output: anything,
            limits: TaskLimits {
                deadline: Duration::from_millis(DEADLINE_MS),
                steps_max: 10_000,
                usd_micros_max: 1_000_000,
                tokens_max: 1_000_000,
            },
            when_limited: WhenLimited::Partial,
            roles: step::roles(steps),
            steps: steps.iter().map(|step| step.build(&names)).collect(),
            result: names.iter().map(field).collect(),
            models: BTreeMap::new(),
            cassettes: Cassettes::default(),
            compensations: steps.iter().filter_map(|step| step.build_undo(&names)).collect(),
            compensation: Compensation {
                within: Duration::from_millis(UNDO_MS),
                on_partial: false,
            },
        })
    }

    pub(super) fn steps_max(mut self, max: u32) -> Self {
        self.0.limits.steps_max = max;
        self
    }

    pub(super) fn spending_max(mut self, usd_micros: u64, tokens: u64) -> Self {
        (self.0.limits.usd_micros_max, self.0.limits.tokens_max) = (usd_micros, tokens);
        self
    }

    pub(super) fn fails_when_limited(mut self) -> Self {
        self.0.when_limited = WhenLimited::Fail;
        self
    }

    pub(super) fn asks_when_limited(mut self) -> Self {
        self.0.when_limited = WhenLimited::AskHuman;
        self
    }

    pub(super) fn undoes_partial(mut self) -> Self {
        self.0.compensation.on_partial = true;
        self
    }

    pub(super) fn output(mut self, schema: &Value) -> Self {
        self.0.output = Arc::new(Contract::compile("answer", 1, schema).unwrap());
        self
    }

    pub(super) fn workflow(&self) -> &Workflow {
        &self.0
    }

    /// A run that has not begun.
    pub(super) fn idle(&self) -> Run<'_> {
        let workflow = &self.0;
        Run {
            workflow,
            task: None,
            replayed: None,
            records: Vec::new(),
            now: T0,
            more: false,
            fleet: Fleet::default(),
            overspends: false,
        }
    }

    /// A run whose goal has this input.
    pub(super) fn start(&self, input: Value) -> Run<'_> {
        let mut run = self.idle();
        run.feed(&Input::Goal(Arc::new(goal(input))));
        run
    }
}

/// A goal with key `k`; its digest follows from its input.
pub(super) fn goal(input: Value) -> Goal {
    let tenant = name("acme");
    let input = payload(input);
    Goal {
        task: TaskId::derive(&tenant, "k"),
        tenant,
        workflow: name("flow"),
        revision: "0".repeat(64).into(),
        key: "k".to_owned(),
        digest: Hash::of(input.text().as_bytes()),
        input,
        deadline: None,
        limits: GoalLimits::default(),
        user: None,
        trace: None,
        fork: None,
    }
}

/// The report of a step's first attempt.
pub(super) fn report(step: &str, outcome: Outcome) -> Report {
    let step = StepId::parse(step).unwrap();
    let role = match step.name.as_str() {
        AGGREGATE => name(AGGREGATE),
        declared => match declared.strip_prefix("compensate_") {
            Some(done) => name(&format!("{done}_undo")),
            None => name(&format!("{declared}_role")),
        },
    };
    let (usage, degraded, worker) = (Usage::default(), None, "w".to_owned());
    Report { role, step, attempt: 1, outcome, usage, models: Vec::new(), degraded, worker }
}

pub(super) fn completed(output: Value) -> Outcome {
    Outcome::Completed { output: payload(output), confidence: None }
}

pub(super) fn failed() -> Outcome {
    Outcome::Failed(Failure::new(FailureKind::Error, "boom"))
}

/// One task, its log, and a clock.
#[derive(Clone)]
pub(super) struct Run<'w> {
    pub(super) workflow: &'w Workflow,
    pub(super) task: Option<Task>,
    /// The fold of `records`, by itself.
    replayed: Option<Task>,
    pub(super) records: Vec<Record>,
    /// Milliseconds since 1970 on the broker's clock.
    pub(super) now: u64,
    /// The last record was full.
    pub(super) more: bool,
    pub(super) fleet: Fleet,
    /// Workers report more than they were granted.
    pub(super) overspends: bool,
}

/// What the shell knows about roles.
#[derive(Clone, Default)]
pub(super) struct Fleet {
    /// Roles whose breaker is open, until when.
    pub(super) broken: BTreeMap<Name, u64>,
    /// Nobody may retry.
    pub(super) has_no_retries: bool,
}

impl Roles for Fleet {
    fn permit(&self, role: &Name) -> Permit {
        self.broken.get(role).map_or(Permit::Go, |until| Permit::Wait {
            until: UnixMillis(*until),
            reason: "too many timeouts".to_owned(),
        })
    }

    fn may_retry(&self, _role: &Name) -> bool {
        !self.has_no_retries
    }
}

impl Run<'_> {
    /// Decides one input and follows a full record up, as the shell does.
    pub(super) fn feed(&mut self, input: &Input) -> Verdict {
        let verdict = self.feed_once(input);
        while self.more {
            self.feed_once(&Input::Advance);
        }
        verdict
    }

    /// Decides one input, logs what follows, and checks what must hold.
    pub(super) fn feed_once(&mut self, input: &Input) -> Verdict {
        let moment = Moment { now: UnixMillis(self.now), roles: &self.fleet };
        let verdict = decide(self.workflow, self.task.as_ref(), input, &moment);
        let Verdict::Append(draft) = &verdict else {
            self.more = false;
            return verdict;
        };
        self.records.push(Record {
            rev: draft.next.rev,
            at: draft.next.changed_at,
            cause: Cause {
                kind: input.kind().to_owned(),
                source: String::new(),
                sequence: 0,
                waited: Duration::ZERO,
                models: Vec::new(),
            },
            decision: draft.decision.to_owned(),
            reason: draft.reason.clone(),
            events: draft.events.clone(),
        });
        (self.task, self.more) = (Some(draft.next.clone()), draft.more);
        self.check();
        verdict
    }

    /// Feeds the report of a step that completes with `{"ok": step}`.
    pub(super) fn complete(&mut self, step: &str) -> &mut Self {
        self.report(step, completed(json!({"ok": step})))
    }

    pub(super) fn fail(&mut self, step: &str) -> &mut Self {
        self.report(step, failed())
    }

    pub(super) fn report(&mut self, step: &str, outcome: Outcome) -> &mut Self {
        self.spend(step, outcome, Usage::default())
    }

    /// Feeds a report of the attempt that is out.
    pub(super) fn spend(&mut self, step: &str, outcome: Outcome, usage: Usage) -> &mut Self {
        let mut report = Report { usage, ..report(step, outcome) };
        if let Some(known) = self.task().steps.get(&report.step) {
            report.attempt = known.attempt;
            report.role = known.role.clone().unwrap_or(report.role);
        }
        let verdict = self.feed(&Input::Report(report));
        assert!(matches!(verdict, Verdict::Append(_)), "report of {step}: {verdict:?}");
        self
    }

    /// What a record decided last, and why.
    pub(super) fn last(&self) -> (&str, &str) {
        let record = self.records.last().unwrap();
        (&record.decision, &record.reason)
    }

    pub(super) fn step(&self, step: &str) -> &super::super::Step {
        &self.task().steps[&StepId::parse(step).unwrap()]
    }

    /// Fires the timer `ms` after the run's begin.
    pub(super) fn due(&mut self, ms: u64) -> Verdict {
        self.now = T0 + ms;
        self.feed(&Input::Due)
    }

    /// Lets the aggregator say that everything is there.
    pub(super) fn answer(&mut self) -> &mut Self {
        self.report(AGGREGATE, completed(json!({"status": "completed", "result": {}})))
    }

    pub(super) fn task(&self) -> &Task {
        self.task.as_ref().unwrap()
    }

    /// Steps with a work order out, in order.
    pub(super) fn open(&self) -> Vec<String> {
        self.task().orders_since(0).map(|order| order.step.to_string()).collect()
    }

    /// State of a step, or `none`.
    pub(super) fn state(&self, step: &str) -> &'static str {
        let step = self.task().steps.get(&StepId::parse(step).unwrap());
        step.map_or("none", |step| step.state.as_str())
    }

    /// Why a step was skipped or failed.
    pub(super) fn why_not(&self, step: &str) -> String {
        match &self.task().steps[&StepId::parse(step).unwrap()].state {
            StepState::Failed(failure) => format!("{}: {}", failure.kind.as_str(), failure.message),
            StepState::Skipped(reason) => reason.clone(),
            state @ (StepState::Dispatched { .. }
            | StepState::Delayed { .. }
            | StepState::Waiting { .. }
            | StepState::Completed { .. }
            | StepState::Cancelled) => panic!("step {step} is {}", state.as_str()),
        }
    }

    /// The input of a step's work order.
    pub(super) fn input(&self, step: &str) -> Value {
        let order = self.task().orders_since(0).find(|order| order.step.to_string() == step);
        order.unwrap().input.value().clone()
    }

    /// The parts that the aggregator got.
    pub(super) fn parts(&self) -> crate::aggregate::Request {
        crate::aggregate::Request::from_value(&self.input(AGGREGATE)).unwrap()
    }

    /// What must hold after every record, whatever happened.
    fn check(&mut self) {
        let record = self.records.last().unwrap();
        Task::fold(&mut self.replayed, record);
        assert_eq!(self.replayed, self.task, "replay");
        let task = self.task();
        assert_eq!(record.rev, self.records.len() as u64, "revisions are dense");
        assert_eq!(task.wake_at().is_some(), task.ended().is_none(), "open tasks have a timer");
        assert_eq!(task.answer().is_some(), task.ended().is_some(), "ended tasks have an answer");
        let added = task.added;
        let limits = self.workflow.limits;
        assert!(task.dispatches <= limits.steps_max + added.steps, "work orders in bounds");
        let out = task.steps.values().filter(|s| matches!(s.state, StepState::Dispatched { .. }));
        let reserved = out.fold(Grant::default(), |sum, step| sum.plus(step.grant));
        assert_eq!(task.reserved, reserved, "what is out is reserved");
        if reserved != Grant::default() {
            let spent = Grant { usd_micros: task.usage.usd_micros, tokens: task.usage.tokens };
            let limit = Grant { usd_micros: limits.usd_micros_max, tokens: limits.tokens_max };
            let limit = limit.plus(Grant { usd_micros: added.usd_micros, tokens: added.tokens });
            assert!(limit.covers(reserved.plus(spent)) || self.overspends, "{task:#?}");
        }
        let bytes: usize = record.events.iter().map(bytes).sum();
        assert!(bytes + record.reason.len() < MESSAGE_BYTES_MAX, "record of {bytes} bytes");
        assert!(record.reason.len() <= crate::limits::TEXT_BYTES_MAX);
        let dispatched = |event: &&Event| matches!(event, Event::StepDispatched { .. });
        let dispatches = record.events.iter().filter(dispatched).count();
        assert!(dispatches <= RECORD_DISPATCHES_MAX + 1, "{dispatches} in one record");
        for (id, fan_out) in &task.fan_outs {
            let states =
                || task.steps.iter().filter(|(step, _)| step.name == *id).map(|(_, s)| &s.state);
            let count = |wanted: &[&str]| states().filter(|s| wanted.contains(&s.as_str())).count();
            // What a fork's source had stopped is not taken over.
            let is_whole = task.goal.fork.is_none() || fan_out.closed.is_none();
            let count_of_all = if is_whole { states().count() } else { fan_out.begun as usize };
            assert_eq!(fan_out.begun as usize, count_of_all, "begun items of {id}");
            assert_eq!(
                fan_out.open as usize,
                count(&["dispatched", "delayed", "waiting"]),
                "open of {id}"
            );
            assert_eq!(fan_out.completed as usize, count(&["completed"]), "completed of {id}");
            assert_eq!(fan_out.failed as usize, count(&["failed", "skipped"]), "failed of {id}");
        }
        if task.ended().is_some() {
            assert!(task.steps.values().all(|step| !step.state.is_open()), "nothing is open");
        }
    }

    /// What events are billed at is what the task has cost, event by event.
    fn check_bills(&self) {
        let mut task: Option<Task> = None;
        for record in &self.records {
            for event in &record.events {
                let bill = task.as_ref().and_then(|task| task.bill(event));
                let billed = bill.map_or(Usage::default(), |(_, usage)| usage);
                let cost = task.as_ref().map_or(Usage::default(), |task| task.usage).plus(billed);
                let one = Record { events: vec![event.clone()], ..record.clone() };
                Task::fold(&mut task, &one);
                assert_eq!(task.as_ref().map(|task| task.usage), Some(cost), "{event:?}");
            }
        }
    }

    /// What must hold over a whole log: each step ends once, and every step is declared.
    pub(super) fn check_log(&self) {
        assert_eq!(Task::replay(&self.records), self.task);
        assert_eq!(crate::check::judge(&self.records, self.workflow), Ok(()));
        self.check_bills();
        let mut over = BTreeSet::new();
        for event in self.records.iter().flat_map(|record| &record.events) {
            let (step, ends) = match event {
                Event::Accepted { .. }
                | Event::LimitReached { .. }
                | Event::BudgetNear { .. }
                | Event::BudgetAdded { .. }
                | Event::Paused { .. }
                | Event::Resumed { .. }
                | Event::Refused { .. }
                // Comes right behind the turn's end.
                | Event::HandedOff { .. }
                | Event::Compensating { .. }
                | Event::Joined { .. }
                | Event::Forked { .. }
                | Event::Ended { .. } => continue,
                Event::Expanded { step, .. }
                | Event::CrewBegan { step, .. }
                | Event::LoopFound { step, .. } => (StepId::single(step.clone()), false),
                Event::StepSkipped { step, .. } => (StepId::single(step.clone()), true),
                Event::StepDispatched { step, .. }
                | Event::StepDelayed { step, .. }
                | Event::StepWaiting { step, .. }
                | Event::CallRuled { step, .. }
                | Event::Voted { step, .. }
                | Event::Retried { step, .. } => (step.clone(), false),
                Event::StepCompleted { step, .. }
                | Event::TakenOver { step, .. }
                | Event::StepFailed { step, .. } => (step.clone(), true),
            };
            let declared = self.workflow.step(&step.name).is_some();
            if let Event::Retried { freed, .. } = event {
                over.remove(&step);
                for name in freed {
                    over.remove(&StepId::single(name.clone()));
                }
                continue;
            }
            assert!(declared || step.name.as_str() == AGGREGATE, "{step} is not declared");
            assert!(step.item.is_none_or(|item| (item as usize) < FAN_OUT_ITEMS_MAX));
            assert!(!over.contains(&step), "{step} goes on after its end: {event:?}");
            if ends {
                over.insert(step);
            }
        }
    }
}
