//! Every figure, once: name, shape, labels, help.
//!
//! `helm/monitoring/METRICS.md` is written from it, dashboards and rules are checked against it, and a test asks
//! a running deployment for each row.

mod webhooks;

use super::instrument::{Metric, Row};

pub use self::webhooks::{WEBHOOK_ENDS_LOST, WEBHOOK_TRIES, WEBHOOKS_FAILING};

const BREAKS: &str = "only when something fails";
const LIMITS: &str = "only when a limit of the pack is near or met";
const PEOPLE: &str = "only in packs that ask people";
const MODELS: &str = "only in packs whose roles ask models";

/// Processes that serve, by what they run.
pub static UP: Metric = Row::gauge(
    "cadre_up",
    &["service"],
    "1 while this process runs the service: orchestrator, agent, aggregator, inference.",
)
.metric();

/// Goals that became tasks.
pub static GOALS_ACCEPTED: Metric =
    Row::counter("cadre_goals_accepted_total", &["workflow"], "Goals that became tasks.").metric();

/// Goals that were refused.
pub static GOALS_REJECTED: Metric = Row::counter(
    "cadre_goals_rejected_total",
    &["reason"],
    "Goals that were refused, by the code that their publisher reads.",
)
.metric();

/// Goals that found their role crowded.
pub static GOALS_DEFERRED: Metric = Row::counter(
    "cadre_goals_deferred_total",
    &["role"],
    "Times that a goal was put off, since this role has too much to do.",
)
.seldom("only when a role is crowded")
.metric();

/// Records appended to logs.
pub static RECORDS: Metric = Row::counter(
    "cadre_records_total",
    &["cause"],
    "Records appended to task logs, by what caused them. Tasks make no progress while it stands still.",
).metric();

/// From an input's arrival to its record.
pub static INPUT_WAIT: Metric = Row::histogram(
    "cadre_input_wait_seconds",
    &["cause"],
    "From an input's arrival in its stream to the decision about it.",
)
.metric();

/// Tasks that ended.
pub static TASKS_ENDED: Metric = Row::counter(
    "cadre_tasks_ended_total",
    &["workflow", "status"],
    "Tasks that ended: completed, partial, failed, cancelled, incomplete.",
)
.metric();

/// From goal to end.
pub static TASK_DURATION: Metric = Row::histogram(
    "cadre_task_duration_seconds",
    &["workflow"],
    "From the acceptance of a goal to the end of its task.",
)
.metric();

/// Steps that ended.
pub static STEPS_ENDED: Metric = Row::counter(
    "cadre_steps_ended_total",
    &["role", "outcome"],
    "Steps that ended: completed, degraded, unsure, failed. Role `none` is a step that never had one.",
).metric();

/// Attempts that ended.
pub static ATTEMPTS_ENDED: Metric = Row::counter(
    "cadre_attempts_ended_total",
    &["role", "outcome"],
    "Attempts at steps that ended: completed, unsure, asked, or the kind of failure.",
)
.metric();

/// From work order to report.
pub static STEP_DURATION: Metric = Row::histogram(
    "cadre_step_duration_seconds",
    &["role"],
    "From an attempt's work order to the decision about its report.",
)
.metric();

/// What of it was no work.
pub static STEP_WAIT: Metric = Row::histogram(
    "cadre_step_wait_seconds",
    &["role"],
    "What of an attempt's duration was not work: its order and its report waited, or were on their way.",
).metric();

/// Attempts that are tried again.
pub static RETRIES: Metric = Row::counter(
    "cadre_retries_total",
    &["role", "reason"],
    "Failed attempts that are tried again, by the kind of failure.",
)
.seldom(BREAKS)
.metric();

/// Steps given to their fallback role.
pub static FALLBACKS: Metric = Row::counter(
    "cadre_fallbacks_total",
    &["role"],
    "Steps that were taken from this role and given to its fallback.",
)
.seldom(BREAKS)
.metric();

/// Messages that came again.
pub static REDELIVERIES: Metric = Row::counter(
    "cadre_redeliveries_total",
    &["what"],
    "Messages that were delivered again: goal, input, order. Whoever had them settled nothing.",
)
.seldom(BREAKS)
.metric();

/// Outputs that broke their contract.
pub static INVALID_OUTPUTS: Metric = Row::counter(
    "cadre_invalid_outputs_total",
    &["role"],
    "Outputs that broke the role's contract, or could not be decoded.",
)
.seldom(BREAKS)
.metric();

/// Limits of which four fifths are used.
pub static BUDGETS_NEAR: Metric = Row::counter(
    "cadre_budgets_near_total",
    &["workflow", "resource"],
    "Tasks that have used four fifths of a limit: steps, usd, tokens.",
)
.seldom(LIMITS)
.metric();

/// Limits that were met.
pub static BUDGETS_OVER: Metric = Row::counter(
    "cadre_budgets_over_total",
    &["workflow", "then"],
    "Tasks that met a limit: then they are held for a larger budget, or stopped.",
)
.seldom(LIMITS)
.metric();

/// Tokens by role.
pub static TOKENS: Metric = Row::counter(
    "cadre_tokens_total",
    &["role"],
    "Model tokens that steps were charged, in and out, by role.",
)
.seldom(MODELS)
.metric();

/// Money by role.
pub static COST: Metric = Row::counter(
    "cadre_cost_usd_micros_total",
    &["role"],
    "Millionths of a US dollar that steps were charged, by role.",
)
.seldom("only with models that cost something")
.metric();

/// Loops that were stopped.
pub static LOOPS: Metric = Row::counter(
    "cadre_loops_total",
    &["workflow"],
    "Crews that went in circles or used up their turns, and were stopped.",
)
.seldom("only in crews that go in circles")
.metric();

/// Questions to people.
pub static APPROVALS_ASKED: Metric = Row::counter(
    "cadre_approvals_asked_total",
    &["kind"],
    "Questions that people were asked: approval, question, doubt.",
)
.seldom(PEOPLE)
.metric();

/// Questions that ended.
pub static APPROVALS_ENDED: Metric = Row::counter(
    "cadre_approvals_ended_total",
    &["kind", "outcome"],
    "Questions that ended: answered, denied, expired, again (the step is tried anew), cancelled.",
)
.seldom(PEOPLE)
.metric();

/// How long people took.
pub static APPROVAL_WAIT: Metric =
    Row::histogram("cadre_approval_wait_seconds", &["kind"], "From a question to its end.")
        .seldom(PEOPLE)
        .metric();

/// Messages given up.
pub static DEAD_LETTERS_KEPT: Metric = Row::counter(
    "cadre_dead_letters_kept_total",
    &["what"],
    "Messages that became dead letters: goal, input.",
)
.seldom(BREAKS)
.metric();

/// Logs that went back.
pub static LOG_REGRESSIONS: Metric = Row::counter(
    "cadre_log_regressions_total",
    &[],
    "Logs that ended earlier than was acknowledged before: a broker lost data. The partition is stopped.",
).metric();

/// What became of orders at a worker.
pub static WORKER_STEPS: Metric = Row::counter(
    "cadre_worker_steps_total",
    &["role", "end"],
    "Orders that this worker is done with: reported, out_of_time, stopped, fenced, late, unreported, panicked.",
).metric();

/// Tool calls.
pub static TOOL_CALLS: Metric = Row::counter(
    "cadre_tool_calls_total",
    &["tool", "outcome"],
    "Tools called for models: ok, error (the tool said so), failed (it could not be called).",
)
.seldom(MODELS)
.metric();

/// Calls of models.
pub static MODEL_CALLS: Metric = Row::counter(
    "cadre_model_calls_total",
    &["model", "outcome"],
    "Tries of models: answered, or how it failed (rate_limited, unavailable, timeout, refused, too_long, \
     credentials, malformed).",
)
.seldom(MODELS).metric();

/// How long models took.
pub static MODEL_CALL_DURATION: Metric = Row::histogram(
    "cadre_model_call_duration_seconds",
    &["model"],
    "How long a try of a model took, answered or not.",
)
.seldom(MODELS)
.metric();

/// Tokens by model.
pub static MODEL_TOKENS: Metric = Row::counter(
    "cadre_model_tokens_total",
    &["model", "kind"],
    "Tokens as the provider counted them: input (those of caches included), cached, cache_write, output.",
)
.seldom(MODELS)
.metric();

/// Money by model.
pub static MODEL_COST: Metric = Row::counter(
    "cadre_model_cost_usd_micros_total",
    &["model", "role"],
    "Millionths of a US dollar for answers of the model, by the role that asked.",
)
.seldom(MODELS)
.metric();

/// Waits for rate limits.
pub static MODEL_PATIENCE: Metric = Row::histogram(
    "cadre_model_rate_limit_wait_seconds",
    &["model"],
    "How long a call waited for a rate limit, its own or one that the provider asked for.",
)
.seldom("only when a model is asked too often")
.metric();

/// Answers of another route than the first.
pub static MODEL_FALLBACKS: Metric = Row::counter(
    "cadre_model_fallbacks_total",
    &["model"],
    "Answers of this model that was not the pack's first choice.",
)
.seldom(BREAKS)
.metric();

/// Answers given again.
pub static ANSWERS_REUSED: Metric = Row::counter(
    "cadre_model_answers_reused_total",
    &["model"],
    "Answers that were given before to the same question, and cost nothing now.",
)
.seldom("only in packs that allow answers to be kept")
.metric();

/// What caches saved.
pub static MODEL_SAVED: Metric = Row::counter(
    "cadre_model_saved_usd_micros_total",
    &["model", "by"],
    "Millionths of a US dollar that caches have saved: prompt (the provider's), answer (ours).",
)
.seldom(MODELS)
.metric();

/// Breakers that opened and closed.
pub static BREAKER_CHANGES: Metric = Row::counter(
    "cadre_breaker_changes_total",
    &["target", "to"],
    "Times that a breaker of this process opened or closed by its own calls.",
)
.seldom(BREAKS)
.metric();

/// Alerts that are open.
pub static ALERTS_OPEN: Metric = Row::gauge(
    "cadre_alerts_open",
    &["kind", "severity"],
    "Alerts that are open, as the watch that leads sees it.",
)
.metric();

/// Alerts raised.
pub static ALERTS_RAISED: Metric =
    Row::counter("cadre_alerts_raised_total", &["kind"], "Alerts raised.").seldom(BREAKS).metric();

/// Alerts ended.
pub static ALERTS_ENDED: Metric =
    Row::counter("cadre_alerts_ended_total", &["kind"], "Alerts ended.").seldom(BREAKS).metric();

/// Open tasks.
pub static TASKS_OPEN: Metric =
    Row::gauge("cadre_watch_tasks_open", &[], "Open tasks that are watched.").metric();

/// Records beyond the watch's limit.
pub static TASKS_UNWATCHED: Metric = Row::gauge(
    "cadre_watch_tasks_unwatched",
    &[],
    "Records of open tasks beyond the watch's limit.",
)
.metric();

/// Records that the watch has read.
pub static WATCH_RECORDS: Metric =
    Row::gauge("cadre_watch_records", &[], "Records that this watch has read.").metric();

/// Questions that are open.
pub static APPROVALS_OPEN: Metric =
    Row::gauge("cadre_approvals_open", &[], "Steps that wait for a person.").metric();

/// Breakers that hold calls back.
pub static BREAKER_OPEN: Metric = Row::gauge(
    "cadre_breaker_open",
    &["target"],
    "1 while the fleet holds calls of the target back, 0 for one that it has spoken of lately.",
)
.seldom(BREAKS)
.metric();

/// Messages that nobody has.
pub static QUEUE_PENDING: Metric = Row::gauge(
    "cadre_queue_pending_messages",
    &["queue"],
    "Messages of a queue that nobody has got yet: role.<name>, partition.<p>, intake, timers.",
)
.metric();

/// Messages that somebody has.
pub static QUEUE_HELD: Metric = Row::gauge(
    "cadre_queue_held_messages",
    &["queue"],
    "Messages of a queue that somebody has got and not settled.",
)
.metric();

/// How long a queue has not moved.
pub static QUEUE_STILL: Metric = Row::gauge(
    "cadre_queue_still_seconds",
    &["queue"],
    "For how long messages have waited in a queue of which none was given out or settled; 0 while it moves.",
).metric();

/// Bytes of a stream.
pub static STREAM_BYTES: Metric = Row::gauge(
    "cadre_stream_bytes",
    &["stream", "when_full"],
    "Bytes in a stream; when it is full it refuses, or forgets the oldest.",
)
.metric();

/// Cap of a stream.
pub static STREAM_BYTES_MAX: Metric =
    Row::gauge("cadre_stream_max_bytes", &["stream", "when_full"], "A stream's cap.").metric();

/// Dead letters.
pub static DEAD_LETTERS: Metric = Row::gauge(
    "cadre_dead_letters",
    &["stream"],
    "Dead letters that lie in a log stream; none where there are none.",
)
.seldom(BREAKS)
.metric();

/// How far a projection is behind.
pub static PROJECTION_LAG: Metric = Row::gauge(
    "cadre_projection_lag_seconds",
    &["projection"],
    "How old the log's record was that a projection has read last, when it read it; 0 when it has read all.",
).metric();

/// What only the watch that leads says.
pub(super) static OF_THE_WATCH: [&Metric; 12] = [
    &ALERTS_OPEN,
    &TASKS_OPEN,
    &TASKS_UNWATCHED,
    &WATCH_RECORDS,
    &APPROVALS_OPEN,
    &BREAKER_OPEN,
    &QUEUE_PENDING,
    &QUEUE_HELD,
    &QUEUE_STILL,
    &STREAM_BYTES,
    &STREAM_BYTES_MAX,
    &DEAD_LETTERS,
];

/// Every row.
pub static TABLE: [&Metric; 55] = [
    &UP,
    &GOALS_ACCEPTED,
    &GOALS_REJECTED,
    &GOALS_DEFERRED,
    &RECORDS,
    &INPUT_WAIT,
    &TASKS_ENDED,
    &TASK_DURATION,
    &STEPS_ENDED,
    &ATTEMPTS_ENDED,
    &STEP_DURATION,
    &STEP_WAIT,
    &RETRIES,
    &FALLBACKS,
    &REDELIVERIES,
    &INVALID_OUTPUTS,
    &BUDGETS_NEAR,
    &BUDGETS_OVER,
    &TOKENS,
    &COST,
    &LOOPS,
    &APPROVALS_ASKED,
    &APPROVALS_ENDED,
    &APPROVAL_WAIT,
    &DEAD_LETTERS_KEPT,
    &LOG_REGRESSIONS,
    &WORKER_STEPS,
    &TOOL_CALLS,
    &MODEL_CALLS,
    &MODEL_CALL_DURATION,
    &MODEL_TOKENS,
    &MODEL_COST,
    &MODEL_PATIENCE,
    &MODEL_FALLBACKS,
    &ANSWERS_REUSED,
    &MODEL_SAVED,
    &BREAKER_CHANGES,
    &ALERTS_OPEN,
    &ALERTS_RAISED,
    &ALERTS_ENDED,
    &TASKS_OPEN,
    &TASKS_UNWATCHED,
    &WATCH_RECORDS,
    &APPROVALS_OPEN,
    &BREAKER_OPEN,
    &QUEUE_PENDING,
    &QUEUE_HELD,
    &QUEUE_STILL,
    &STREAM_BYTES,
    &STREAM_BYTES_MAX,
    &DEAD_LETTERS,
    &PROJECTION_LAG,
    &WEBHOOKS_FAILING,
    &WEBHOOK_TRIES,
    &WEBHOOK_ENDS_LOST,
];
