//! Every fixed bound of the product in one place, with unit and reason.

use std::time::Duration;

/// Characters of a name: longer subject tokens make subjects unreadable.
pub const NAME_CHARS_MAX: usize = 63;

/// Bytes of a payload that travels inside a message; larger ones go by reference.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;

/// Bytes of one payload, wherever it is kept: what a process can hold many times over.
pub const PAYLOAD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of any message on Cadre's streams; the broker's own cap is 1 MB.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of step inputs that one log record may dispatch, so that it stays below the cap.
pub const RECORD_DISPATCH_BYTES_MAX: usize = 96 * 1024;

/// Steps that one log record may dispatch; more follow in the next record.
pub const RECORD_DISPATCHES_MAX: usize = 128;

/// Nesting of a JSON document: deeper ones exist to break parsers.
pub const JSON_DEPTH_MAX: usize = 64;

/// Items of one fan-out.
pub const FAN_OUT_ITEMS_MAX: usize = 10_000;

/// Items of one fan-out in flight when the pack names no limit.
pub const FAN_OUT_PARALLEL_DEFAULT: u32 = 16;

/// Declared steps of one workflow.
pub const WORKFLOW_STEPS_MAX: usize = 256;

/// Bytes of one expression's source.
pub const EXPRESSION_BYTES_MAX: usize = 4 * 1024;

/// Operators and punctuation marks of one expression: what its parser's stack grows with.
pub const EXPRESSION_MARKS_MAX: usize = 256;

/// Levels of one expression's syntax tree: an unoptimised interpreter takes 50 KB of stack for each.
pub const EXPRESSION_DEPTH_MAX: usize = 16;

/// Work of one evaluation: values visited inside macros, texts counted by 64 bytes.
/// Enough for several passes over the largest fan-out, and done in a fraction of a second.
pub const EXPRESSION_WORK_MAX: u64 = 1_000_000;

/// Bytes of one pack, all files together.
pub const PACK_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Violations listed for one document; the first ones are the useful ones.
pub const VIOLATIONS_MAX: usize = 8;

/// Bytes of free text (a reason, an error message) kept in a record.
pub const TEXT_BYTES_MAX: usize = 2 * 1024;

/// Bytes of an idempotency key.
pub const KEY_BYTES_MAX: usize = 256;

/// Longest life of a task that a pack or a publisher can ask for.
pub const TASK_DEADLINE_MAX: Duration = Duration::from_secs(400 * 24 * 3600);

/// Shortest useful timeout: below it a durable timer is too coarse.
pub const TIMEOUT_MIN: Duration = Duration::from_millis(10);

/// How long a broker gap may last before a caller hears of it: a leader change takes 6–7 s.
pub const BUS_GAP_MAX: Duration = Duration::from_secs(10);

/// What the aggregator gets beyond the task's deadline, so that a late task still has an answer.
pub const AGGREGATE_GRACE: Duration = Duration::from_secs(5);

/// Candidates of one field that the aggregator looks at: every item of the largest fan-out.
pub const CANDIDATES_MAX: usize = FAN_OUT_ITEMS_MAX;

/// Conflicts listed in one answer; further ones are counted.
pub const CONFLICTS_MAX: usize = 100;

/// Losers listed in one conflict; further ones are counted.
pub const CONFLICT_LOSERS_MAX: usize = 8;

/// Bytes of a value that a conflict repeats; of a larger one it gives the size.
pub const CONFLICT_VALUE_BYTES_MAX: usize = 1024;

/// Missing parts listed in one answer; further ones are counted.
pub const MISSING_MAX: usize = 200;

/// Violations that a check lists; further ones are counted. The first ones are the useful ones.
pub const CHECK_VIOLATIONS_MAX: usize = 1_000;

/// Notes that a check lists; further ones are counted.
pub const CHECK_NOTES_MAX: usize = 100;
