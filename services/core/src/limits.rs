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

/// Times that one case of a suite is played: beyond it nobody waits for the answer.
pub const EVAL_TRIES_MAX: u32 = 1_000;

/// Pack revisions that a starting worker looks through for roles that open tasks may still need: each
/// is fetched and compiled, in tens of milliseconds.
pub const REVISIONS_LOOKED_BACK_MAX: usize = 256;

/// Violations listed for one document; the first ones are the useful ones.
pub const VIOLATIONS_MAX: usize = 8;

/// Bytes of free text (a reason, an error message) kept in a record.
pub const TEXT_BYTES_MAX: usize = 2 * 1024;

/// Bytes of an idempotency key.
pub const KEY_BYTES_MAX: usize = 256;

/// Messages of a stream that one look shows: each is a request of its own.
pub const PEEK_MESSAGES_MAX: usize = 50;

/// Characters of a message that such a look shows; large ones are cut there.
pub const PEEK_CHARS_MAX: usize = 4_000;

/// Longest life of a task that a pack or a publisher can ask for.
pub const TASK_DEADLINE_MAX: Duration = Duration::from_secs(400 * 24 * 3600);

/// Shortest useful timeout: below it a durable timer is too coarse.
pub const TIMEOUT_MIN: Duration = Duration::from_millis(10);

/// How long a broker gap may last before a caller hears of it: a leader change takes 6–7 s.
pub const BUS_GAP_MAX: Duration = Duration::from_secs(10);

/// Deliveries of a goal, an input or a work order that fails each time, before it is given up: the
/// consumers wait 5 s for an input, so an operator has most of a minute to mend what it fails of. A
/// bus that does not answer is no failure of the message and is not counted.
pub const DELIVERIES_MAX: u32 = 10;

/// What the aggregator gets beyond the task's deadline, so that a late task still has an answer.
pub const AGGREGATE_GRACE: Duration = Duration::from_secs(5);

/// Work orders that may wait for a role before the intake leaves goals that need it where they are: so many
/// times its concurrency. What is taken in then waits for at most that many rounds of work.
pub const ROLE_BACKLOG_TIMES: u64 = 4;

/// The same for roles of little concurrency, so that there is always something to do.
pub const ROLE_BACKLOG_MIN: u64 = 64;

/// Goals that may wait for room at the intake; beyond that those of crowded workflows are refused at once.
/// Three quarters of what the intake's consumer may have out, so that goals of others always get through.
pub const GOALS_WAITING_MAX: u64 = 12_288;

/// Targets that one process keeps a breaker for; roles, tools and models together.
pub const BREAKERS_MAX: usize = 1_024;

/// Pods that one breaker's hint names; two are enough to open it.
pub const BREAKER_REPORTERS_MAX: usize = 8;

/// Bytes of one breaker's hint on the bus: all its parts at their largest fit in.
pub const BREAKER_HINT_BYTES_MAX: usize = 16 * 1024;

/// Bytes of a reason or a person's name in a breaker's hint.
pub const BREAKER_TEXT_BYTES_MAX: usize = 512;

/// How long a pod counts as alive after its last sign of life: three beats of 10 s and some patience.
pub const BREAKER_POD_LIVES_FOR: Duration = Duration::from_secs(35);

/// Longest time that a person can hold a breaker open or closed: a long weekend.
pub const BREAKER_FORCED_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

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

/// How often a step looks again whether others have given back what it needs of the budget.
pub const BUDGET_POLL: Duration = Duration::from_secs(2);

/// Times that people may widen the limits of one task.
pub const BUDGET_ADDITIONS_MAX: usize = 64;

/// Refused wishes that one task keeps; further ones are only logged.
pub const REFUSALS_MAX: u32 = 64;

/// Bytes of the name of a person who decides or steers.
pub const PERSON_BYTES_MAX: usize = 256;

/// People who must agree to one approval.
pub const QUORUM_MAX: u32 = 16;

/// Time that compensations of one task get when the pack names none, from the decision to end it.
pub const COMPENSATION_DEFAULT: Duration = Duration::from_secs(10 * 60);

/// Longest time that a pack can give them: a person may have to be found.
pub const COMPENSATION_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Bytes that a fork may take over, in one record with its goal and its first work orders.
pub const FORK_BYTES_MAX: usize = 72 * 1024;

/// Attempts by one role at one step.
pub const ATTEMPTS_MAX: u32 = 20;

/// Calls of one step that its journal takes: what a takeover reads and folds in well under a second.
pub const JOURNAL_CALLS_MAX: u32 = 1_000;

/// Tools that one prompt offers: more than a model can choose among.
pub const TOOLS_MAX: usize = 128;

/// Calls that one gateway makes at the same time; further ones wait.
pub const GATEWAY_CALLS_MAX: usize = 256;

/// Calls that wait for one gateway; further ones are refused, and told when to come again.
pub const GATEWAY_QUEUE_MAX: usize = 1_024;

/// How often a gateway says that it is still at work on a call.
pub const GATEWAY_BEAT: Duration = Duration::from_secs(2);

/// Silence after which a worker takes its gateway to be gone: several beats and a moved connection.
pub const GATEWAY_SILENCE_MAX: Duration = Duration::from_secs(10);

/// How long a gateway counts as one of the fleet after its last word, spoken every second.
pub const GATEWAY_LIVES_FOR: Duration = Duration::from_secs(5);

/// Models that want to be left alone which one word names.
pub const GATEWAY_HOLDS_MAX: usize = 256;

/// Longest time that a provider can ask to be left alone; a longer one is a mistake, or a quota that
/// only an operator can raise.
pub const GATEWAY_HOLD_MAX: Duration = Duration::from_secs(3_600);

/// Violations that a check lists; further ones are counted. The first ones are the useful ones.
pub const CHECK_VIOLATIONS_MAX: usize = 1_000;

/// Notes that a check lists; further ones are counted.
pub const CHECK_NOTES_MAX: usize = 100;

/// Open alerts of one kind; further ones are counted in one more. What a person reads.
pub const ALERTS_PER_KIND_MAX: usize = 100;

/// Bytes of one text of an alert.
pub const ALERT_TEXT_BYTES_MAX: usize = 1_024;

/// Bytes of an alert that is read: all its texts at their largest fit in.
pub const ALERT_BYTES_MAX: usize = 64 * 1024;

/// Open tasks that a watch keeps track of, at some 200 bytes each; later ones are not watched.
pub const WATCHED_TASKS_MAX: usize = 200_000;

/// Steps of one task that a watch knows to be out; reports of others do not count for their role.
pub const WATCHED_STEPS_MAX: usize = 32;

/// Tasks that are replayed at one look: what a broker answers besides its work.
pub const EXAMINED_MAX: usize = 64;

/// Roles whose errors are counted; packs have fewer.
pub const WATCHED_ROLES_MAX: usize = 1_024;

/// How often a member says that it serves; a third of what it is given.
pub const MEMBER_BEAT: Duration = Duration::from_secs(5);

/// How long a proposal to enable a feature keeps builds without it from serving, should whoever made
/// it be gone: many times what it takes to ask the members.
pub const PROPOSAL_LIVES_FOR: Duration = Duration::from_secs(30);

/// Actors of one process that its beats list.
pub const ACTORS_MAX: usize = 128;

/// Characters of an actor's error in a beat.
pub const ACTOR_TEXT_CHARS_MAX: usize = 160;

/// Members and flags of one fleet that are looked at.
pub const MEMBERS_MAX: usize = 10_000;

/// Turns of one crew: as many as a person can still read.
pub const CREW_TURNS_MAX: u32 = 64;

/// Members of one crew.
pub const CREW_TEAM_MAX: usize = 32;

/// Bytes of earlier outputs that a router gets with each turn; of older ones it gets the size.
pub const CREW_HISTORY_BYTES_MAX: usize = 32 * 1024;

/// Rules of one script.
pub const SCRIPT_RULES_MAX: usize = 64;

/// Models that one alias of a pack can name.
pub const MODEL_ROUTES_MAX: usize = 16;

/// Bytes of a model's name at its provider.
pub const MODEL_NAME_BYTES_MAX: usize = 128;

/// Calls of models in one attempt; calls of tools come on top, and all go into one journal.
pub const MODEL_CALLS_MAX: u32 = 100;

/// Tenants of one model whose rates are kept apart; further ones share what all have.
pub const PACED_TENANTS_MAX: usize = 1_024;

/// Longest time that a provider's wish for patience is heeded; after it the model is asked again.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(10 * 60);

/// Tools that a model may call in one turn; it is told that further ones were not called.
pub const TURN_CALLS_MAX: usize = 16;

/// Bytes of one tool's answer that a model gets.
pub const TOOL_RESULT_BYTES_MAX: usize = 16 * 1024;

/// Passages that one lookup finds.
pub const LOOKUP_FOUND_MAX: usize = 5;

/// Bytes of one passage: some paragraphs, so that what is found can be understood by itself.
pub const PASSAGE_BYTES_MAX: usize = 1_200;

/// Tokens of a summary that stands for earlier turns.
pub const SUMMARY_TOKENS_MAX: u32 = 800;

/// Bytes of each text in an entry of the audit trail: who, what, why.
pub const AUDIT_TEXT_BYTES_MAX: usize = 1_024;

/// Bytes from which on a page of the audit trail is full; one more entry fits behind.
pub const AUDIT_PAGE_BYTES: usize = 128 * 1024;

/// What is wrong with an audit trail, kept one by one; beyond it is only counted.
pub const AUDIT_FAULTS_MAX: usize = 1_000;

/// Tasks whose tenant whoever writes the audit trail keeps in mind.
pub const AUDIT_TENANTS_MAX: usize = 20_000;

/// Models that one report names, the dearest first.
pub const MODEL_USES_MAX: usize = 16;

/// Bytes of a model's name in a report.
pub const MODEL_USED_BYTES_MAX: usize = 256;

/// Webhooks of one fleet: each is a consumer of its own.
pub const WEBHOOKS_MAX: usize = 500;

/// Webhooks of one tenant.
pub const WEBHOOKS_PER_TENANT_MAX: usize = 20;

/// How long messages are signed with a webhook's former secret as well: time to bring the new one to its receiver.
pub const WEBHOOK_SECRET_OVERLAP: Duration = Duration::from_secs(24 * 3_600);

/// Bytes of a webhook's address.
pub const WEBHOOK_URL_BYTES_MAX: usize = 2_000;

/// Bytes of what is kept of a failure.
pub const WEBHOOK_ERROR_BYTES_MAX: usize = 300;

/// Tries at one end before it is given up: with the pauses between them, a day.
pub const WEBHOOK_TRIES_MAX: u32 = 30;

/// The pause behind the first try.
pub const WEBHOOK_PAUSE_MIN: Duration = Duration::from_secs(5);

/// The longest pause; also what a receiver can ask for. A receiver that comes back is told within it.
pub const WEBHOOK_PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// How often it is noted that a webhook goes well.
pub const WEBHOOK_SEEN_EVERY: Duration = Duration::from_secs(60);

/// Ends that one process tells one webhook of at the same time.
pub const WEBHOOK_IN_FLIGHT: usize = 8;

/// Ends that one process tells all webhooks of at the same time.
pub const WEBHOOKS_IN_FLIGHT_MAX: usize = 64;
