//! What one try came to, as its log and its steps' journals tell it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ids::{Name, StepId},
    journal::{Call, CallKind, CallOutcome, History, JournalId},
    model::{Said, cassette::Cassettes},
    task::{EndStatus, Event, Record, StepState, Task},
    workflow::Workflow,
};

/// The provider of models whose answers were recorded.
const PLAYED: &str = "simulated/";

/// One try.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trace {
    /// How the task ended, or `waiting` for a person.
    pub status: String,
    /// The answer's result.
    pub result: Value,
    /// Whether there is a result that a contract can be asked of.
    pub is_answered: bool,
    /// Why the result breaks its contract; empty when it does not.
    pub violations: String,
    /// Every step: its name, how it ended and who did it.
    pub steps: Vec<String>,
    /// What went wrong and stayed so, though the task may have ended well.
    pub problems: Vec<String>,
    /// Calls of models, by step and in order.
    pub calls: Vec<ModelCall>,
    /// Work orders, the aggregator's excluded.
    pub orders: u32,
    /// Attempts that failed, answers that were refused, tools that failed.
    pub wrong_turns: Vec<String>,
    /// Crews that went in circles.
    pub loops: u32,
    /// Money, in millionths of a US dollar.
    pub usd_micros: u64,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// How long it took: see [`Latency`].
    pub latency_ms: u64,
}

/// One call of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCall {
    /// The step.
    pub step: String,
    /// `provider/model`.
    pub model: String,
    /// Tools that it wanted called, in its order.
    pub tools: Vec<String>,
}

/// What is meant by latency.
#[derive(Debug, Clone, Copy)]
pub enum Latency {
    /// What models took, one after the other; of recorded answers what it took then, so that it is the
    /// same each time.
    OfModels,
    /// From the goal to the end, as the log has it.
    OfTask,
}

impl Trace {
    /// Reads a task; `None` when the records do not begin with a goal.
    #[must_use]
    pub fn of(
        workflow: &Workflow,
        records: &[Record],
        journals: &[(JournalId, History)],
        latency: Latency,
    ) -> Option<Self> {
        let task = Task::replay(records)?;
        let mut trace = Self::outcome(workflow, &task);
        for (id, step) in &task.steps {
            let role = step.role.as_ref().map(|role| format!(" by {role}")).unwrap_or_default();
            trace.steps.push(format!("{id} {}{role}", step.state.as_str()));
            if let Some(reason) = &step.degraded {
                trace.problems.push(format!("{id}: {reason}"));
            }
            if let StepState::Failed(failure) = &step.state {
                trace.problems.push(format!("{id}: {}", failure.message));
            }
        }
        let events = || records.iter().flat_map(|record| &record.events);
        // A crew fails with its turn: that is one wrong turn, of whoever had an order.
        let has_order = |id: &StepId| {
            events().any(|event| matches!(event, Event::StepDispatched { step, .. } if step == id))
        };
        let failed = events().filter_map(failed).filter(|(step, _)| has_order(step));
        trace.wrong_turns = failed.map(|(step, why)| format!("{step}: {why}")).collect();
        let loops = events().filter(|event| matches!(event, Event::LoopFound { .. })).count();
        trace.loops = u32::try_from(loops).unwrap_or(u32::MAX);
        for (journal, history) in in_order(records, journals) {
            trace.add(workflow, journal, history);
        }
        if let Latency::OfTask = latency {
            trace.latency_ms = task.changed_at.0.saturating_sub(task.accepted_at.0);
        }
        Some(trace)
    }

    fn outcome(workflow: &Workflow, task: &Task) -> Self {
        let answer = task.answer().map(|answer| answer.document.value().clone());
        let result = answer.as_ref().and_then(|it| it.get("result")).cloned().unwrap_or_default();
        // What failed has no result that a contract could be asked of.
        let is_answered = task.ended().is_some_and(|end| match end.status {
            EndStatus::Completed | EndStatus::Partial => true,
            EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete => false,
        });
        let checked = is_answered.then(|| workflow.output.check(&result));
        let violations = checked.and_then(Result::err).map(|it| it.to_string());
        let status = if task.ended().is_some() { task.status() } else { "waiting" };
        Self {
            status: status.to_owned(),
            result,
            is_answered,
            violations: violations.unwrap_or_default(),
            orders: task.dispatches,
            usd_micros: task.usage.usd_micros,
            tokens: task.usage.tokens,
            ..Self::default()
        }
    }

    /// Tools that models wanted called, in their order.
    pub fn tools(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().flat_map(|call| &call.tools).map(String::as_str)
    }

    /// Adds what the journal of one step says of models.
    fn add(&mut self, workflow: &Workflow, journal: &JournalId, history: &History) {
        let models: Vec<_> =
            history.calls().filter(|(_, call)| call.intent.kind == CallKind::Model).collect();
        let mut tool_errors = 0;
        for (index, (number, call)) in models.iter().enumerate() {
            let Some(record) = done(call) else { continue };
            let model = record.get("model").and_then(Value::as_str).unwrap_or_default();
            let (text, tools) = said(record);
            self.latency_ms = self.latency_ms.saturating_add(match model.strip_prefix(PLAYED) {
                Some(_) => recorded_ms(&workflow.cassettes, &journal.role, text, &tools),
                None => record.get("took_ms").and_then(Value::as_u64).unwrap_or_default(),
            });
            let is_answer = record.get("purpose").and_then(Value::as_str) == Some("answer");
            let next = models.get(index + 1);
            let is_repaired =
                next.is_some_and(|(_, next)| next.begun.attempt == call.begun.attempt);
            if is_answer && tools.is_empty() && is_repaired {
                self.wrong_turns.push(format!("{}: answer {number} did not fit", journal.step));
            }
            let errors = record.pointer("/tools/errors").and_then(Value::as_u64);
            tool_errors = errors.unwrap_or_default().max(tool_errors);
            let (step, model) = (journal.step.to_string(), model.to_owned());
            self.calls.push(ModelCall { step, model, tools });
        }
        if tool_errors > 0 {
            let text = format!("{}: {tool_errors} calls of tools failed", journal.step);
            self.wrong_turns.extend((0..tool_errors).map(|_| text.clone()));
        }
    }
}

/// What a call that has ended well came to.
pub(super) fn done(call: &Call) -> Option<&Value> {
    match call.ended.as_ref().map(|ended| &ended.outcome) {
        Some(CallOutcome::Done(record)) => Some(record.value()),
        Some(CallOutcome::Failed(_)) | None => None,
    }
}

/// Which step has failed, or an attempt at it, and why.
fn failed(event: &Event) -> Option<(&StepId, &str)> {
    match event {
        Event::StepDelayed { step, failure: Some(failure), .. }
        | Event::StepFailed { step, failure, .. } => Some((step, &failure.message)),
        Event::StepDelayed { failure: None, .. }
        | Event::Accepted { .. }
        | Event::Expanded { .. }
        | Event::CrewBegan { .. }
        | Event::HandedOff { .. }
        | Event::LoopFound { .. }
        | Event::StepDispatched { .. }
        | Event::StepCompleted { .. }
        | Event::StepSkipped { .. }
        | Event::StepWaiting { .. }
        | Event::Voted { .. }
        | Event::CallRuled { .. }
        | Event::LimitReached { .. }
        | Event::BudgetNear { .. }
        | Event::BudgetAdded { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Refused { .. }
        | Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Ended { .. } => None,
    }
}

/// Journals in the order in which their roles were first given the step.
fn in_order<'j>(
    records: &[Record],
    journals: &'j [(JournalId, History)],
) -> Vec<&'j (JournalId, History)> {
    let mut begun: BTreeMap<(&StepId, &Name), usize> = BTreeMap::new();
    for (place, event) in records.iter().flat_map(|record| &record.events).enumerate() {
        if let Event::StepDispatched { step, role, .. } = event {
            begun.entry((step, role)).or_insert(place);
        }
    }
    let mut sorted: Vec<_> = journals.iter().collect();
    sorted.sort_by_key(|(id, _)| {
        (begun.get(&(&id.step, &id.role)).copied().unwrap_or(usize::MAX), id.clone())
    });
    let mut seen = BTreeSet::new();
    sorted.retain(|(id, _)| seen.insert(id));
    sorted
}

/// Text and tools of a decision record, as the agent's journal keeps it.
fn said(record: &Value) -> (&str, Vec<String>) {
    let text = record.pointer("/said/text").and_then(Value::as_str).unwrap_or_default();
    let calls = record.pointer("/said/calls").and_then(Value::as_array);
    let tool = |call: &Value| call.get("tool")?.as_str().map(str::to_owned);
    (text, calls.into_iter().flatten().filter_map(tool).collect())
}

/// How long the answer took when it was recorded; 0 for one that was not.
fn recorded_ms(cassettes: &Cassettes, role: &Name, text: &str, tools: &[String]) -> u64 {
    let is_it =
        |said: &Said| said.text == text && said.calls.iter().map(|call| &call.tool).eq(tools);
    let mut of_role = cassettes.iter().filter(|it| it.role == *role);
    of_role.find(|it| is_it(&it.said)).map_or(0, |it| it.latency_ms)
}
