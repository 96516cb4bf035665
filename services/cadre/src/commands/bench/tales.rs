//! A log made by the real task machine without a broker in the loop: tasks of four steps, and a large one.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use cadre_core::{
    ids::{Name, Partitions, TaskId},
    pack::{self, PackSource},
    payload::{Hash, Payload},
    task::{
        AGGREGATE, Cause, Failure, FailureKind, Goal, GoalLimits, Input, Outcome, Record, Report,
        Task, Usage, Verdict, decide,
    },
    time::UnixMillis,
    workflow::Workflow,
};
use cadre_proto::{record, subject};
use serde_json::json;

use super::packs;
use crate::broker::local_now;

/// Tasks that are open at once.
const OPEN: usize = 256;

/// Events of a task of four steps.
pub(super) const EVENTS_OF_A_TASK: usize = 11;

/// Milliseconds between two records of the log.
const TICK_MS: u64 = 2;

/// What was made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) tasks: usize,
    pub(super) records: usize,
    pub(super) events: usize,
    /// The large task.
    pub(super) wide: TaskId,
    /// When the last record was decided.
    pub(super) last: UnixMillis,
}

/// Messages of a log, one by one.
pub(super) struct Tales {
    sources: [PackSource; 2],
    narrow: Arc<Workflow>,
    partitions: Partitions,
    open: VecDeque<Tale>,
    left: usize,
    made: Made,
    problem: Option<anyhow::Error>,
}

/// One task on its way.
struct Tale {
    workflow: Arc<Workflow>,
    number: usize,
    task: Option<Task>,
    prev: Option<Hash>,
    goal: Arc<Goal>,
}

impl Tales {
    /// Makes about so many events, and one task with about so many.
    pub(super) fn new(
        (events, wide): (usize, usize),
        partitions: Partitions,
    ) -> anyhow::Result<Self> {
        let width = (wide / 2).max(1);
        let sources =
            [priced(packs::pipeline("bench", 4)), priced(packs::fan_out("bench-wide", width))];
        let compile = |source: &PackSource| -> anyhow::Result<Arc<Workflow>> {
            Ok(Arc::new(pack::compile(source)?))
        };
        let [narrow, broad] = &sources;
        let (narrow, broad) = (compile(narrow)?, compile(broad)?);
        let tasks = events.saturating_sub(wide).div_ceil(EVENTS_OF_A_TASK);
        let now = local_now();
        let records = tasks * 6 + width;
        // The log ends now.
        let last = UnixMillis(now.0.saturating_sub(records as u64 * TICK_MS));
        let items = json!({"items": vec![json!({"text": "clause"}); width]});
        let wide = Tale::new(&broad, 0, Payload::from_value(items)?)?;
        let made = Made { tasks: 1, records: 0, events: 0, wide: wide.goal.task.clone(), last };
        let open = VecDeque::from([wide]);
        Ok(Self { sources, narrow, partitions, open, left: tasks, made, problem: None })
    }

    /// The packs that the tasks are pinned to.
    pub(super) fn packs(&self) -> &[PackSource] {
        &self.sources
    }

    /// What was made.
    ///
    /// # Errors
    /// What kept it from being made.
    pub(super) fn finish(self) -> anyhow::Result<Made> {
        match self.problem {
            Some(problem) => Err(problem),
            None => Ok(self.made),
        }
    }

    fn step(&mut self) -> anyhow::Result<Option<(String, Bytes)>> {
        while self.open.len() < OPEN && self.left > 0 {
            self.left -= 1;
            let number = self.made.tasks;
            let text = format!(
                "goal{} contract of party {}, {}",
                number % 1_000,
                number % 97,
                "x".repeat(120)
            );
            let input =
                Payload::from_value(json!({"title": format!("case {number}"), "text": text}))?;
            self.open.push_back(Tale::new(&self.narrow, number, input)?);
            self.made.tasks += 1;
        }
        let Some(mut tale) = self.open.pop_front() else { return Ok(None) };
        self.made.last = self.made.last.after(Duration::from_millis(TICK_MS));
        let record = tale.next(self.made.last)?;
        self.made.records += 1;
        self.made.events += record.events.len();
        let encoded = record::encode(&record, [7; 16], tale.prev);
        tale.prev = Some(encoded.hash);
        let id = tale.goal.task.clone();
        if tale.task.as_ref().is_some_and(|task| task.ended().is_none()) && !tale.is_left() {
            self.open.push_back(tale);
        }
        Ok(Some((subject::log(id.partition(self.partitions), &id), encoded.bytes)))
    }
}

impl Iterator for Tales {
    type Item = (String, Bytes);

    fn next(&mut self) -> Option<Self::Item> {
        self.step().unwrap_or_else(|problem| {
            self.problem = Some(problem);
            None
        })
    }
}

/// A pack of no-op roles with a budget.
fn priced(mut source: PackSource) -> PackSource {
    if let Some(yaml) = source.files.get_mut("pack.yaml") {
        let text = String::from_utf8_lossy(yaml);
        *yaml =
            text.replace("max_usd: 0, max_tokens: 0", "max_usd: 50, max_tokens: 1000000").into();
    }
    source
}

impl Tale {
    fn new(workflow: &Arc<Workflow>, number: usize, input: Payload) -> anyhow::Result<Self> {
        let tenant = Name::new(&format!("bench-{}", number % 3))?;
        let key = format!("{}-{number}", workflow.name);
        let goal = Goal {
            task: TaskId::derive(&tenant, &key),
            tenant,
            workflow: workflow.name.clone(),
            revision: Arc::from(workflow.revision.as_str()),
            digest: Hash::of(key.as_bytes()),
            key,
            input,
            deadline: None,
            limits: GoalLimits::default(),
            user: None,
            trace: None,
            fork: None,
        };
        let workflow = Arc::clone(workflow);
        Ok(Self { workflow, number, task: None, prev: None, goal: Arc::new(goal) })
    }

    /// One in two hundred is left open: its second step never reports.
    fn is_left(&self) -> bool {
        let at_second = self.task.as_ref().is_some_and(|task| task.rev == 2);
        self.number % 200 == 199 && at_second
    }

    /// Decides what comes next.
    fn next(&mut self, at: UnixMillis) -> anyhow::Result<Record> {
        let input = match &self.task {
            None => Input::Goal(Arc::clone(&self.goal)),
            Some(task) => {
                let order = task.orders_since(0).next();
                let order =
                    order.ok_or_else(|| anyhow::anyhow!("task {} waits for nobody", task.id()))?;
                let (role, step, attempt) = (order.role, order.step, order.attempt);
                let is_gate = step.name.as_str() == AGGREGATE;
                let outcome = self.outcome(is_gate, step.name.as_str(), &order.input)?;
                let usage = Usage { usd_micros: 120, tokens: 340, work_ms: 1 };
                Input::Report(Report {
                    role,
                    step,
                    attempt,
                    outcome,
                    usage: if is_gate { Usage::default() } else { usage },
                    models: Vec::new(),
                    degraded: None,
                    worker: "bench".to_owned(),
                })
            }
        };
        let rev = self.task.as_ref().map_or(1, |task| task.rev + 1);
        let Verdict::Append(draft) = decide(&self.workflow, self.task.as_ref(), &input, &at.into())
        else {
            anyhow::bail!("task {} ignores what it waits for", self.goal.task);
        };
        self.task = Some(draft.next);
        Ok(Record {
            rev,
            at,
            cause: Cause {
                kind: input.kind().to_owned(),
                source: "bench".to_owned(),
                sequence: rev,
                waited: Duration::from_millis(1),
                models: Vec::new(),
            },
            decision: draft.decision.to_owned(),
            reason: draft.reason,
            events: draft.events,
        })
    }

    /// One task in twenty fails at its second step.
    fn outcome(&self, is_gate: bool, step: &str, input: &Payload) -> anyhow::Result<Outcome> {
        if self.number % 20 == 7 && step == "s2" {
            let text = format!("no answer from worker {} within 30 s", self.number % 13);
            return Ok(Outcome::Failed(Failure::new(FailureKind::Error, &text)));
        }
        let output = match (is_gate, self.number % 20 == 7) {
            (false, _) => input.clone(),
            (true, false) => Payload::from_value(
                json!({"status": "completed", "result": {"echo": {"n": self.number}}}),
            )?,
            (true, true) => Payload::from_value(
                json!({"status": "failed", "reason": "step s2 failed", "result": null}),
            )?,
        };
        Ok(Outcome::Completed { output, confidence: Some(0.9) })
    }
}
