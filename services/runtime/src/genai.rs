//! Spans by OpenTelemetry's conventions for generative AI, and our own attributes beside them.
//!
//! ```text
//!  invoke_workflow ─┬─ plan, decide ─┬─ invoke_agent ─┬─ chat          one trace a task,
//!    (a task)       │  (a record)    │  (an attempt)  └─ execute_tool  over all processes
//!                   └─ approval      └─ aggregate
//! ```
//!
//! Conventions: <https://github.com/open-telemetry/semantic-conventions-genai> at 002c8a6e, which is "development" and
//! stands on semantic conventions 1.41.1. They still change, so every name of theirs stands here and nowhere else;
//! `approval`, `aggregate` and `decide` are ours. Names that begin with `cadre.` are stable. What users have
//! written is exported only where [`trace::has_content`] says so.

mod content;
mod names;

use cadre_core::{
    ids::{Name, TaskId},
    model::{Manner, Prompt, Said, ToolAnswer, ToolRequest},
    payload::Payload,
    task::{AGGREGATE, AskKind, EndStatus, Failure, Outcome, Record, Task},
    time::UnixMillis,
};
use opentelemetry::{Array, KeyValue, Value, trace::Status};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use self::names as n;
use crate::{
    trace::{self, Over},
    worker::Step,
};

/// Sets attributes on a span.
fn set<const N: usize>(span: &Span, attributes: [(&'static str, Value); N]) {
    for (key, value) in attributes {
        span.set_attribute(key, value);
    }
}

fn text(text: &str) -> Value {
    Value::from(text.to_owned())
}

fn number(number: u64) -> Value {
    Value::I64(i64::try_from(number).unwrap_or(i64::MAX))
}

fn pairs<const N: usize>(attributes: [(&'static str, Value); N]) -> Vec<KeyValue> {
    attributes.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect()
}

/// A decision's span, below the task's root: `plan` where it says what is to be done, `decide` elsewhere. None, at
/// no cost, while nothing is exported.
#[must_use]
pub fn decision(before: Option<&Task>, record: &Record, after: &Task, is_plan: bool) -> Span {
    if !trace::is_exporting() {
        return Span::none();
    }
    let Record { rev, cause, decision, reason, .. } = record;
    let (id, workflow) = (after.id(), after.goal.workflow.as_str());
    let span = tracing::debug_span!("decide", otel.name = Empty, task = %id, rev);
    trace::adopt(&span, trace::root(id, after.goal.trace.as_deref()).as_deref());
    let (operation, of) =
        if is_plan { (n::PLAN, workflow) } else { (n::DECIDE, decision.as_str()) };
    span.record("otel.name", format!("{operation} {of}"));
    set(
        &span,
        [
            (n::OPERATION, text(operation)),
            (n::CONVERSATION, text(id.as_str())),
            (n::WORKFLOW, text(workflow)),
            (n::TENANT, text(after.goal.tenant.as_str())),
            (n::CAUSE, text(&cause.kind)),
            (n::CAUSE_SOURCE, text(&cause.source)),
            (n::DECISION, text(decision)),
            (n::REASON, text(reason)),
        ],
    );
    let spent = |task: &Task| [task.usage.usd_micros, task.usage.tokens, task.dispatches.into()];
    let (was, is) = (before.map(spent).unwrap_or_default(), spent(after));
    for ((before, after), (was, is)) in n::BUDGET.into_iter().zip(was.into_iter().zip(is)) {
        set(&span, [(before, number(was)), (after, number(is))]);
    }
    set(
        &span,
        [
            (n::RESERVED_USD, number(after.reserved.usd_micros)),
            (n::RESERVED_TOKENS, number(after.reserved.tokens)),
        ],
    );
    span
}

/// Tells the span of a task that `record` has ended.
pub fn workflow(task: &Task, at: UnixMillis, status: EndStatus, reason: &str) {
    if !trace::is_exporting() {
        return;
    }
    let (id, goal) = (task.id(), &task.goal);
    let mut attributes = pairs([
        (n::OPERATION, text(n::INVOKE_WORKFLOW)),
        (n::CONVERSATION, text(id.as_str())),
        (n::WORKFLOW, text(goal.workflow.as_str())),
        (n::TENANT, text(goal.tenant.as_str())),
        (n::STATUS, text(status.as_str())),
        (n::REASON, text(reason)),
        (n::SPENT_USD, number(task.usage.usd_micros)),
        (n::SPENT_TOKENS, number(task.usage.tokens)),
        (n::STEPS, number(task.dispatches.into())),
    ]);
    let error = match status {
        EndStatus::Completed | EndStatus::Partial | EndStatus::Cancelled => None,
        EndStatus::Failed | EndStatus::Incomplete => Some(reason.to_owned()),
    };
    if error.is_some() {
        attributes.push(KeyValue::new(n::ERROR, status.as_str()));
    }
    let name = format!("{} {}", n::INVOKE_WORKFLOW, goal.workflow);
    let over = Over { name, began: task.accepted_at, ended: at, attributes, error };
    over.tell_root(id, goal.trace.as_deref());
}

/// A question to a person that is over.
#[derive(Debug, Clone, Copy)]
pub struct Approval<'a> {
    /// The step that waited.
    pub step: &'a str,
    /// What kind of question.
    pub kind: AskKind,
    /// When it was asked, and when it was over.
    pub times: (UnixMillis, UnixMillis),
    /// What came of it, as one word.
    pub outcome: &'a str,
}

/// Tells the span of a question to a person.
pub fn approval(task: &Task, approval: Approval<'_>) {
    if !trace::is_exporting() {
        return;
    }
    let Approval { step, kind, times: (began, ended), outcome } = approval;
    let attributes = pairs([
        (n::OPERATION, text(n::APPROVAL)),
        (n::CONVERSATION, text(task.id().as_str())),
        (n::WORKFLOW, text(task.goal.workflow.as_str())),
        (n::TENANT, text(task.goal.tenant.as_str())),
        (n::STEP, text(step)),
        (n::ASK_KIND, text(kind.as_str())),
        (n::OUTCOME, text(outcome)),
    ]);
    let name = format!("{} {step}", n::APPROVAL);
    let over = Over { name, began, ended, attributes, error: None };
    over.tell(trace::root(task.id(), task.goal.trace.as_deref()).as_deref());
}

/// The span of one attempt at a step: `invoke_agent`, or `aggregate`. For log lines, too.
#[must_use]
pub fn attempt(step: &Step) -> Span {
    // At debug: with no exporter and the usual log filter it costs one comparison.
    let span = tracing::debug_span!(
        "step", otel.name = Empty, role = %step.role, task = %step.task, step = %step.step,
        attempt = step.attempt
    );
    if !trace::is_exporting() {
        return span;
    }
    trace::adopt(&span, step.trace.as_deref());
    let is_gate = step.role.as_str() == AGGREGATE;
    let operation = if is_gate { n::AGGREGATE } else { n::INVOKE_AGENT };
    let name = if is_gate { operation.to_owned() } else { format!("{operation} {}", step.role) };
    span.record("otel.name", name);
    set(
        &span,
        [
            (n::OPERATION, text(operation)),
            (n::AGENT, text(step.role.as_str())),
            (n::AGENT_VERSION, text(&step.revision)),
            (n::CONVERSATION, text(step.task.as_str())),
            (n::WORKFLOW, text(step.workflow.as_str())),
            (n::TENANT, text(step.tenant.as_str())),
            (n::STEP, text(&step.step.to_string())),
            (n::ATTEMPT, number(step.attempt.into())),
            (n::DELIVERIES, number(step.deliveries.into())),
            (n::GRANT_USD, number(step.grant.usd_micros)),
            (n::GRANT_TOKENS, number(step.grant.tokens)),
        ],
    );
    span
}

/// What the attempt of the current span came to.
pub fn attempted(outcome: &Outcome) {
    if !trace::is_exporting() {
        return;
    }
    let span = Span::current();
    let (word, reason) = match outcome {
        Outcome::Completed { .. } => ("completed", None),
        Outcome::Unsure { reason, .. } => ("unsure", Some(reason)),
        Outcome::Handoff { reason, .. } => ("handoff", Some(reason)),
        Outcome::NeedsHuman { question } => ("needs_human", Some(question)),
        Outcome::Failed(failure) => {
            failed(&span, failure);
            ("failed", None)
        }
    };
    span.set_attribute(n::OUTCOME, word);
    // Workers write reasons, and may quote what they were given.
    if let (Some(reason), true) = (reason, trace::has_content()) {
        span.set_attribute(n::REASON, reason.clone());
    }
}

fn failed(span: &Span, failure: &Failure) {
    went_wrong(span, failure.kind.as_str(), &failure.message);
}

fn went_wrong(span: &Span, kind: &'static str, message: &str) {
    span.set_attribute(n::ERROR, kind);
    span.set_status(Status::error(message.to_owned()));
}

/// Notes at the current span what a question to a model left out, from its decision record.
pub fn asked(record: &Payload) {
    if !trace::is_exporting() {
        return;
    }
    let record = record.value();
    let said = |key: &str| record.get(key).map(|it| it.to_string()).unwrap_or_default();
    let context = |key: &str| {
        let found = record.get("context").and_then(|context| context.get(key));
        found.map(|it| it.to_string()).unwrap_or_default()
    };
    let attributes = pairs([
        (n::MODEL_WHY, text(record.get("why").and_then(|it| it.as_str()).unwrap_or_default())),
        (n::MODEL_PASSED, text(&said("passed"))),
        (n::OMITTED_INPUT, text(&context("input_omitted"))),
        (n::OMITTED, text(&context("omitted"))),
        (n::TOOLS, text(&said("tools"))),
    ]);
    Span::current().add_event("cadre.question", attributes);
}

/// A try of a model.
#[derive(Debug, Clone, Copy)]
pub struct Chat<'a> {
    /// The task.
    pub task: &'a TaskId,
    /// Who asks.
    pub role: &'a Name,
    /// As the pack has it.
    pub provider: &'a str,
    /// The model's name there, with its version.
    pub model: &'a str,
    /// What is asked.
    pub prompt: &'a Prompt,
    /// How it is to be answered.
    pub manner: &'a Manner,
}

/// The span of one try of a model. None while nothing is exported.
#[must_use]
pub fn chat(chat: Chat<'_>) -> Span {
    if !trace::is_exporting() {
        return Span::none();
    }
    let Chat { task, role, provider, model, prompt, manner } = chat;
    let name = format!("{} {model}", n::CHAT);
    let span = tracing::debug_span!("chat", otel.name = name, otel.kind = "client", task = %task);
    set(
        &span,
        [
            (n::OPERATION, text(n::CHAT)),
            (n::PROVIDER, text(n::provider(provider))),
            (n::MODEL, text(model)),
            (n::MODEL_TOKENS_MAX, number(manner.output_tokens_max.into())),
            (n::OUTPUT_TYPE, text(if manner.returns.is_some() { "json" } else { "text" })),
            (n::AGENT, text(role.as_str())),
            (n::CONVERSATION, text(task.as_str())),
        ],
    );
    if let Some(millis) = manner.temperature_millis {
        span.set_attribute(n::TEMPERATURE, f64::from(millis) / 1_000.0);
    }
    if trace::has_content() {
        set(
            &span,
            [
                (n::SYSTEM_CONTENT, content::system(prompt).into()),
                (n::INPUT_CONTENT, content::input(prompt).into()),
                (n::TOOLS_CONTENT, content::tools(prompt).into()),
            ],
        );
    }
    span
}

/// What a try of `model` said.
pub fn said(span: &Span, model: &str, said: &Said) {
    if span.is_none() {
        return;
    }
    let finish = vec![said.finish.as_str().into()];
    set(
        span,
        [
            // Packs pin versions: who answers is who was asked.
            (n::MODEL_ANSWERED, text(model)),
            (n::FINISH, Value::Array(Array::String(finish))),
            (n::TOKENS_IN, number(said.usage.input)),
            (n::TOKENS_OUT, number(said.usage.output)),
            (n::TOKENS_CACHED, number(said.usage.cached)),
            (n::TOKENS_CACHE_WRITE, number(said.usage.cache_write)),
        ],
    );
    if trace::has_content() {
        span.set_attribute(n::OUTPUT_CONTENT, content::output(said));
    }
}

/// How a try of a model failed.
pub fn unsaid(span: &Span, kind: &'static str, message: &str) {
    if !span.is_none() {
        went_wrong(span, kind, message);
    }
}

/// The span of one call of a tool. None while nothing is exported.
#[must_use]
pub fn tool(request: &ToolRequest) -> Span {
    if !trace::is_exporting() {
        return Span::none();
    }
    let ToolRequest { task, step, role, key, call, .. } = request;
    let name = format!("{} {}", n::EXECUTE_TOOL, call.tool);
    let span = tracing::debug_span!("tool", otel.name = name, task = %task);
    set(
        &span,
        [
            (n::OPERATION, text(n::EXECUTE_TOOL)),
            (n::TOOL, text(&call.tool)),
            (n::TOOL_CALL, text(&call.id)),
            (n::TOOL_TYPE, text("function")),
            (n::AGENT, text(role.as_str())),
            (n::CONVERSATION, text(task.as_str())),
            (n::STEP, text(&step.to_string())),
            (n::KEY, text(key)),
        ],
    );
    if trace::has_content() {
        span.set_attribute(n::TOOL_ARGUMENTS, content::clip(&call.arguments.to_string()));
    }
    span
}

/// What a tool gave back.
pub fn returned(span: &Span, answer: &Result<ToolAnswer, Failure>) {
    if span.is_none() {
        return;
    }
    match answer {
        Err(failure) => failed(span, failure),
        Ok(answer) => {
            if answer.is_error {
                went_wrong(span, "tool_error", "the tool says that it failed");
            }
            if trace::has_content() {
                span.set_attribute(n::TOOL_RESULT, content::clip(&answer.text));
            }
        }
    }
}
