//! What the read model shows of tasks, steps and questions: plain rows, for pages and JSON alike.
//!
//! Units stand in the names: `…_ms` is milliseconds since 1970 for a point in time (`…_at_ms`) and plain
//! milliseconds for a duration, `…_micros` is millionths of a US dollar. `None` means unknown or not yet.

use serde::Serialize;
use utoipa::ToSchema;

use super::status::Status;

/// One task, as lists and the head of its page show it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TaskRow {
    /// The task's id.
    pub task: String,
    /// Whose task.
    pub tenant: String,
    /// Its workflow.
    pub workflow: String,
    /// Pack revision that it keeps for life: 64 hexadecimal digits.
    pub revision: String,
    /// The publisher's idempotency key.
    pub key: String,
    /// Who asked, as far as the intake knew.
    pub user: Option<String>,
    /// The beginning of the goal's texts.
    pub excerpt: String,
    /// Where it stands.
    pub status: Status,
    /// When the goal was accepted.
    pub accepted_at_ms: u64,
    /// When its first work order was decided.
    pub started_at_ms: Option<u64>,
    /// When it ended.
    pub ended_at_ms: Option<u64>,
    /// When its last record was decided.
    pub updated_at_ms: u64,
    /// When it ends at the latest.
    pub deadline_at_ms: u64,
    /// When it should go on by itself at the latest; `None` once it has ended.
    pub due_at_ms: Option<u64>,
    /// It is open, and should have gone on by itself for half a minute or more.
    pub is_stuck: bool,
    /// Records in its log that this row tells of.
    pub rev: u64,
    /// Steps that have ended, items of fan-outs counted one by one, the aggregator's excluded.
    pub steps_done: u32,
    /// Steps that are known so far, counted in the same way.
    pub steps_total: u32,
    /// Steps that failed.
    pub steps_failed: u32,
    /// Work orders so far, the aggregator's excluded.
    pub dispatches: u32,
    /// Work orders that it may have; `None` when its pack is not at hand.
    pub dispatches_max: Option<u32>,
    /// Model tokens so far.
    pub tokens: u64,
    /// Tokens that it may use.
    pub tokens_max: Option<u64>,
    /// Cost so far.
    pub cost_micros: u64,
    /// What it may cost.
    pub cost_max_micros: Option<u64>,
    /// Wall time of the work itself.
    pub work_ms: u64,
    /// Attempts beyond the first of their step by the same role.
    pub retries: u32,
    /// Steps that a fallback role took over.
    pub fallbacks: u32,
    /// What keeps it from going on: `person`, `budget`, `pause`, `time`, `role`, `gate`; `None` once it has ended.
    pub waits_for: Option<String>,
    /// The same in words: a question, a role, a reason.
    pub waits_text: Option<String>,
    /// Since when.
    pub waits_since_ms: Option<u64>,
    /// Why it ended as it did, in one sentence.
    pub reason: Option<String>,
    /// What failed last in it; `None` while nothing has.
    pub failure: Option<FailureNote>,
    /// The task that it is a fork of.
    pub parent: Option<String>,
    /// What is wrong with its log; `None` when all is well.
    pub problem: Option<String>,
}

/// What failed in a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailureNote {
    /// The same for failures that are alike: workflow, step, kind, and text without figures.
    pub fingerprint: String,
    /// Which step; `None` when the task ended badly without one.
    pub step: Option<String>,
    /// What kind, as one word.
    pub kind: String,
    /// What was said.
    pub text: String,
    /// When.
    pub at_ms: u64,
}

/// One step of a task, or one item of a fan-out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StepRow {
    /// `extract`, `extract-3`.
    pub step: String,
    /// The declared step.
    pub name: String,
    /// Position in the fan-out, or the crew's turn.
    pub item: Option<u32>,
    /// Who does it; `None` for a person's step, and for one that never had a work order.
    pub role: Option<String>,
    /// `dispatched delayed waiting completed failed skipped cancelled`.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Why another role than the step's own does it.
    pub degraded: Option<String>,
    /// When it began.
    pub started_at_ms: u64,
    /// When it last changed.
    pub changed_at_ms: u64,
    /// When it ended; `None` while it is open.
    pub ended_at_ms: Option<u64>,
    /// When the attempt that is out counts as timed out, the next one begins, or the question expires.
    pub until_ms: Option<u64>,
    /// Time on the way to workers and back, all ended attempts together.
    pub queued_ms: u64,
    /// Time in workers' hands, all ended attempts together.
    pub running_ms: u64,
    /// Time in which a person was asked, all decided questions together.
    pub asked_ms: u64,
    /// What the attempt that is out may cost, or the last one might.
    pub grant_micros: u64,
    /// Tokens that it may use, or the last one might.
    pub grant_tokens: u64,
    /// Cost so far.
    pub cost_micros: u64,
    /// Tokens so far.
    pub tokens: u64,
    /// The worker's own estimate, 0 to 1.
    pub confidence: Option<f64>,
    /// Why nobody vouches for its output, why it was skipped, what it waits for.
    pub note: Option<String>,
    /// What kind of failure ended it.
    pub failure_kind: Option<String>,
    /// What was said about it.
    pub failure_text: Option<String>,
    /// The record that made its present state.
    pub rev: u64,
    /// Its attempts, oldest first.
    pub tries: Vec<AttemptRow>,
    /// What people were asked about it, oldest first.
    pub questions: Vec<QuestionRow>,
    /// Where its time went, oldest first, for a timeline.
    pub spans: Vec<Span>,
}

/// One try at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttemptRow {
    /// The step.
    pub step: String,
    /// From 1.
    pub attempt: u32,
    /// Who.
    pub role: String,
    /// Another role than the step's own.
    pub is_fallback: bool,
    /// When its work order was decided.
    pub sent_at_ms: u64,
    /// When it was over; `None` while it is out.
    pub ended_at_ms: Option<u64>,
    /// Time in the worker's hands, as the worker says.
    pub work_ms: u64,
    /// `out`, `completed`, `failed`, `asked` (a person goes on), `stopped` (nobody waits for it any more).
    pub outcome: String,
    /// What kind of failure.
    pub failure_kind: Option<String>,
    /// What was said about it.
    pub failure_text: Option<String>,
    /// What it cost.
    pub cost_micros: u64,
    /// Tokens that it used.
    pub tokens: u64,
    /// The record that dispatched it: holds its input.
    pub sent_rev: u64,
    /// The record that ended it: holds its output.
    pub ended_rev: Option<u64>,
}

/// A stretch of a step's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Span {
    /// What happened.
    pub kind: SpanKind,
    /// Begin.
    pub from_ms: u64,
    /// End; `None` while it lasts.
    pub until_ms: Option<u64>,
    /// Which attempt; 0 for a person's step.
    pub attempt: u32,
}

/// What a stretch of time was spent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// A work order is out; how long it waited and how long it ran is known when it has ended.
    Out,
    /// On the way to a worker, and back.
    Queue,
    /// In the worker's hands.
    Run,
    /// A person was asked.
    Person,
    /// Waiting for a point in time: a retry, a breaker, the budget.
    Delay,
}

/// What a person was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuestionRow {
    /// The task.
    pub task: String,
    /// Whose task.
    pub tenant: String,
    /// Its workflow.
    pub workflow: String,
    /// The step that waits.
    pub step: String,
    /// Its attempt; 0 for a person's own step.
    pub attempt: u32,
    /// `approval`, `question`, `doubt`.
    pub kind: String,
    /// The question.
    pub question: String,
    /// The beginning of what is to be decided about; the whole of it stands in record `rev`.
    pub content: Option<String>,
    /// Size of all of it.
    pub content_bytes: u64,
    /// What a decision must name: 64 hexadecimal digits.
    pub hash: String,
    /// Who asks: a role; `None` when the workflow does.
    pub role: Option<String>,
    /// Why, in one sentence.
    pub why: String,
    /// Who published the goal.
    pub user: Option<String>,
    /// When it was asked.
    pub asked_at_ms: u64,
    /// When it expires; the task's deadline when it has none of its own.
    pub expires_at_ms: u64,
    /// What happens then: `fail`, `accept`.
    pub when_expired: String,
    /// People who must agree.
    pub quorum: u32,
    /// Whoever published the goal cannot decide.
    pub four_eyes: bool,
    /// The content may be changed before it is granted.
    pub editable: bool,
    /// Who has agreed so far.
    pub votes: Vec<String>,
    /// `open`, `granted`, `denied`, `ruled` (somebody knew what happened), `expired`, `closed` (the task went on without).
    pub state: String,
    /// When it was decided.
    pub decided_at_ms: Option<u64>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// The decision in one sentence.
    pub decision: Option<String>,
    /// What the task has cost when it was asked.
    pub cost_micros: u64,
    /// The record that asks.
    pub rev: u64,
}

/// One record of a task's log, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventRow {
    /// From 1, without holes.
    pub rev: u64,
    /// Which part of the log holds it.
    pub shard: u16,
    /// Its stream sequence there.
    pub sequence: u64,
    /// When it was decided.
    pub at_ms: u64,
    /// What caused it: `goal report timer cancel control decision advance`.
    pub cause: String,
    /// Who or what in particular.
    pub source: String,
    /// What was decided, as one word.
    pub decision: String,
    /// Why, in one sentence.
    pub reason: String,
    /// What follows, in one line.
    pub text: String,
}
