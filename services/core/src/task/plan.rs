//! Which steps may begin now: joins, conditions, fan-outs, limits, and the last step.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{
    decide::{Draft, Verdict},
    event::{EndStatus, Event},
    gather,
    input::{Failure, FailureKind, Usage, clip, clip_to},
    state::{AGGREGATE, FanOut, Phase, StepState, Task},
};
use crate::{
    expr,
    ids::{Name, StepId},
    limits::{
        AGGREGATE_GRACE, FAN_OUT_ITEMS_MAX, RECORD_DISPATCH_BYTES_MAX, RECORD_DISPATCHES_MAX,
        TIMEOUT_MIN,
    },
    payload::Payload,
    time::UnixMillis,
    workflow::{Each, Join, StepPlan, WhenLimited, Workflow},
};

/// How the reason of a step begins that is not wanted for this data.
const WHEN_FALSE: &str = "when is false: ";

/// How the reason of a step begins that has lost what it comes after, and how it goes on.
const COMES_AFTER: &str = "it comes after ";
const NO_OUTPUT: &str = ", which has no output: ";

/// What stands before the reason when a skipped step is named as a cause.
const SKIPPED: &str = "skipped: ";

/// Bytes of a reason to skip a step: one failure can skip every other step of a workflow.
const SKIP_REASON_BYTES_MAX: usize = 512;

/// A transition in the making: events and the state after them, kept in step.
pub(super) struct Planner<'a> {
    workflow: &'a Workflow,
    task: Task,
    events: Vec<Event>,
    now: UnixMillis,
    rev: u64,
    room: Room,
}

/// What one record may still hold, so that it stays below the cap of a message.
struct Room {
    steps: usize,
    bytes: usize,
    is_full: bool,
}

impl Room {
    /// Takes the room of one decision about a step; without it the record is full.
    fn take(&mut self, bytes: usize) -> bool {
        let is_fresh = self.steps == RECORD_DISPATCHES_MAX;
        if self.steps == 0 || (bytes > self.bytes && !is_fresh) {
            self.is_full = true;
            return false;
        }
        self.steps -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
        true
    }
}

/// Where a declared step stands as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing was decided about it yet.
    Unstarted,
    /// It has begun and is not over.
    Open,
    /// It has an output.
    Done,
    /// It is over without an output; the text says why.
    Absent(String),
}

impl<'a> Planner<'a> {
    pub(super) fn new(workflow: &'a Workflow, task: Task, now: UnixMillis) -> Self {
        // A clock that went back must not make a record older than the one before it.
        let now = now.max(task.changed_at);
        let room =
            Room { steps: RECORD_DISPATCHES_MAX, bytes: RECORD_DISPATCH_BYTES_MAX, is_full: false };
        let rev = task.rev + 1;
        Self { workflow, task, events: Vec::new(), now, rev, room }
    }

    pub(super) fn workflow(&self) -> &'a Workflow {
        self.workflow
    }

    pub(super) fn task(&self) -> &Task {
        &self.task
    }

    pub(super) fn now(&self) -> UnixMillis {
        self.now
    }

    /// Takes the event that made the task itself.
    pub(super) fn first(&mut self, event: Event) {
        self.rev = 1;
        self.events.push(event);
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.task.apply(&event, self.rev, self.now);
        self.events.push(event);
    }

    pub(super) fn finish(self, decision: &'static str, reason: &str) -> Verdict {
        if self.events.is_empty() {
            return Verdict::Ignore(super::Seen::Known);
        }
        let more = self.room.is_full && self.task.ended().is_none();
        let reason = clip(reason);
        Verdict::Append(Box::new(Draft {
            decision,
            reason,
            events: self.events,
            next: self.task,
            more,
        }))
    }

    /// Notes a money or token limit that the last report has used up.
    pub(super) fn check_spending(&mut self) {
        if self.task.limited.is_some() {
            return;
        }
        let (limits, narrowed) = (&self.workflow.limits, &self.task.goal.limits);
        let usd = narrowed
            .usd_micros_max
            .map_or(limits.usd_micros_max, |max| max.min(limits.usd_micros_max));
        let tokens =
            narrowed.tokens_max.map_or(limits.tokens_max, |max| max.min(limits.tokens_max));
        let spent = self.task.usage;
        if spent.usd_micros > usd {
            let limit = format!("max_usd: spent {} of {usd} micro-USD", spent.usd_micros);
            self.emit(Event::LimitReached { limit });
        } else if spent.tokens > tokens {
            let limit = format!("max_tokens: used {} of {tokens} tokens", spent.tokens);
            self.emit(Event::LimitReached { limit });
        }
    }

    /// Begins every step that may begin, until the record is full or nothing moves.
    pub(super) fn advance(&mut self) {
        if self.task.phase != Phase::Running {
            return;
        }
        if let Some(limit) = self.task.limited.clone()
            && self.workflow.when_limited == WhenLimited::Fail
        {
            return self.stop(&limit);
        }
        // Steps stand in topological order: one pass reaches whatever this pass makes possible.
        for declared in &self.workflow.steps {
            match self.standing(declared) {
                Standing::Unstarted => self.begin(declared),
                Standing::Open => self.begin_items(declared),
                Standing::Done | Standing::Absent(_) => {}
            }
            if self.room.is_full {
                return;
            }
        }
        if let Some(limit) = self.task.limited.clone()
            && self.workflow.when_limited == WhenLimited::Fail
        {
            return self.stop(&limit);
        }
        let over = |declared: &StepPlan| {
            matches!(self.standing(declared), Standing::Done | Standing::Absent(_))
        };
        if self.workflow.steps.iter().all(over) {
            self.aggregate();
        }
    }

    fn stop(&mut self, limit: &str) {
        let reason = format!("a limit was met: {limit}");
        let is_late = self.task.deadline.since(self.now) < TIMEOUT_MIN;
        let status = if is_late { EndStatus::Incomplete } else { EndStatus::Failed };
        self.emit(Event::Ended { status, reason, answer: None, usage: Usage::default() });
    }

    pub(super) fn standing(&self, declared: &StepPlan) -> Standing {
        standing(&self.task, declared)
    }

    fn begin(&mut self, declared: &StepPlan) {
        for name in &declared.after {
            let Some(before) = self.workflow.step(name) else { continue };
            match self.standing(before) {
                Standing::Unstarted | Standing::Open => return,
                Standing::Absent(why) if declared.join == Join::All && !before.optional => {
                    return self.skip(declared, &inherited(name, &why));
                }
                Standing::Done | Standing::Absent(_) => {}
            }
        }
        if let Some(limit) = &self.task.limited {
            let reason = format!("a limit was met: {limit}");
            return self.skip(declared, &reason);
        }
        if let Some(when) = &declared.when {
            match when.holds(&Env::new(self.workflow, &self.task)) {
                Ok(true) => {}
                Ok(false) => return self.skip(declared, &format!("{WHEN_FALSE}{}", when.source())),
                Err(error) => return self.break_off(declared, &format!("when: {error}")),
            }
        }
        match &declared.each {
            None => self.dispatch(declared, None),
            Some(each) => self.expand(declared, each),
        }
    }

    fn skip(&mut self, declared: &StepPlan, reason: &str) {
        let reason = clip_to(reason, SKIP_REASON_BYTES_MAX);
        if self.room.take(reason.len()) {
            self.emit(Event::StepSkipped { step: declared.name.clone(), reason });
        }
    }

    /// Fails a step that never had a work order.
    fn break_off(&mut self, declared: &StepPlan, message: &str) {
        let failure = Failure::new(FailureKind::Expression, message);
        self.fail(StepId::single(declared.name.clone()), failure);
    }

    fn fail(&mut self, step: StepId, failure: Failure) {
        let refused = failure.refused.as_ref().map_or(0, Payload::inline_bytes);
        if self.room.take(failure.message.len() + refused) {
            self.emit(Event::StepFailed { step, failure, usage: Usage::default() });
        }
    }

    /// Fails open steps with one cause, then begins what may begin. The record is full when the
    /// steps are too many for it.
    pub(super) fn fail_all(&mut self, steps: Vec<StepId>, kind: FailureKind, message: &str) {
        for step in steps {
            self.fail(step, Failure::new(kind, message));
            if self.room.is_full {
                return;
            }
        }
        self.advance();
    }

    fn expand(&mut self, declared: &StepPlan, each: &Each) {
        let listed = each.over.eval(&Env::new(self.workflow, &self.task));
        let items = match listed {
            Ok(Value::Array(items)) if items.len() <= FAN_OUT_ITEMS_MAX => items,
            Ok(Value::Array(items)) => {
                let text = format!("each.over has {} items, over {FAN_OUT_ITEMS_MAX}", items.len());
                return self.break_off(declared, &text);
            }
            Ok(_) => return self.break_off(declared, "each.over is not a list"),
            Err(error) => return self.break_off(declared, &format!("each.over: {error}")),
        };
        match Payload::from_value(Value::Array(items)) {
            Ok(items) if self.room.take(items.inline_bytes()) => {
                self.emit(Event::Expanded { step: declared.name.clone(), items });
            }
            Ok(_) => return,
            Err(error) => return self.break_off(declared, &format!("each.over: {error}")),
        }
        self.begin_items(declared);
    }

    fn begin_items(&mut self, declared: &StepPlan) {
        let Some(each) = &declared.each else { return };
        while !self.room.is_full {
            let Some(fan_out) = self.task.fan_outs.get(&declared.name) else { return };
            let wanted = fan_out.begun < fan_out.total()
                && fan_out.open < each.parallel
                && !is_hopeless(fan_out, each)
                && self.task.limited.is_none();
            if !wanted {
                return;
            }
            self.dispatch(declared, Some(fan_out.begun));
        }
    }

    fn dispatch(&mut self, declared: &StepPlan, item: Option<u32>) {
        let step = StepId { name: declared.name.clone(), item };
        if let Some(limit) = self.step_limit() {
            self.emit(Event::LimitReached { limit });
            if item.is_none() {
                // Asked again at once, now with the limit on record.
                self.begin(declared);
            }
            return;
        }
        let input = match self.render(declared, item) {
            Ok(input) => input,
            Err(failure) => return self.fail(step, failure),
        };
        if !self.room.take(input.inline_bytes()) {
            return;
        }
        let deadline = self.now.after(declared.timeout).min(self.task.deadline);
        let role = declared.role.name.clone();
        self.emit(Event::StepDispatched { step, attempt: 1, role, input, deadline });
    }

    fn step_limit(&self) -> Option<String> {
        let max = self.workflow.limits.steps_max;
        let max = self.task.goal.limits.steps_max.map_or(max, |narrowed| narrowed.min(max));
        if self.task.dispatches >= max {
            return Some(format!("max_steps: {} of {max} steps are used", self.task.dispatches));
        }
        let left = self.task.deadline.since(self.now);
        (left < TIMEOUT_MIN).then(|| format!("deadline: {} ms are left", left.as_millis()))
    }

    fn render(&self, declared: &StepPlan, item: Option<u32>) -> Result<Payload, Failure> {
        let mut env = Env::new(self.workflow, &self.task);
        if let (Some(each), Some(index)) = (&declared.each, item) {
            let fan_out = self.task.fan_outs.get(&declared.name);
            let value = fan_out.and_then(|fan_out| fan_out.values().get(index as usize));
            env.item = Some((each.item.as_str(), value.unwrap_or(&Value::Null)));
        }
        let failure = |kind, text: String| Failure::new(kind, &text);
        let value = declared
            .with
            .render(&env)
            .map_err(|error| failure(FailureKind::Expression, format!("with: {error}")))?;
        let input = Payload::from_value(value)
            .map_err(|error| failure(FailureKind::InvalidInput, format!("with: {error}")))?;
        match declared.role.accepts.check(input.value()) {
            Ok(()) => Ok(input),
            Err(violations) => {
                let text = format!("breaks contract {}: {violations}", declared.role.accepts.id());
                let refused = Some(input);
                Err(Failure { refused, ..failure(FailureKind::InvalidInput, text) })
            }
        }
    }

    /// Hands every part to the response aggregator: the last step of every task.
    fn aggregate(&mut self) {
        let request = gather::request(self.workflow, &self.task);
        let (Ok(input), Ok(role)) = (Payload::from_value(request), Name::new(AGGREGATE)) else {
            let reason = "the parts of the answer are too large or too deep".to_owned();
            let (status, usage) = (EndStatus::Failed, Usage::default());
            return self.emit(Event::Ended { status, reason, answer: None, usage });
        };
        let deadline = self.task.deadline.max(self.now).after(AGGREGATE_GRACE);
        let step = StepId::single(role.clone());
        self.emit(Event::StepDispatched { step, attempt: 1, role, input, deadline });
    }
}

/// The reason of a step that is skipped for want of `name`: the first cause of a chain, not the chain.
fn inherited(name: &Name, why: &str) -> String {
    match why.strip_prefix(SKIPPED).filter(|root| root.starts_with(COMES_AFTER)) {
        Some(root) => root.to_owned(),
        None => format!("{COMES_AFTER}{name}{NO_OUTPUT}{why}"),
    }
}

/// Whether a step was skipped because its `when`, or that of a step it comes after, was false:
/// what the pack declares is no loss.
pub(super) fn is_as_declared(reason: &str) -> bool {
    let root = reason.strip_prefix(COMES_AFTER).and_then(|chain| chain.split_once(NO_OUTPUT));
    let why = root.map_or(reason, |(_, why)| why.strip_prefix(SKIPPED).unwrap_or_default());
    why.starts_with(WHEN_FALSE)
}

/// Where a declared step stands as a whole.
pub(super) fn standing(task: &Task, declared: &StepPlan) -> Standing {
    if let (Some(each), Some(fan_out)) = (&declared.each, task.fan_outs.get(&declared.name)) {
        return fan_out_standing(fan_out, each, task.limited.is_some());
    }
    let id = StepId::single(declared.name.clone());
    match task.steps.get(&id).map(|step| &step.state) {
        None => Standing::Unstarted,
        Some(StepState::Dispatched { .. } | StepState::Waiting { .. }) => Standing::Open,
        Some(StepState::Completed { .. }) => Standing::Done,
        Some(StepState::Failed(failure)) => {
            Standing::Absent(format!("{}: {}", failure.kind.as_str(), failure.message))
        }
        Some(StepState::Skipped(reason)) => Standing::Absent(format!("{SKIPPED}{reason}")),
        Some(StepState::Cancelled) => Standing::Absent("cancelled".to_owned()),
    }
}

fn fan_out_standing(fan_out: &FanOut, each: &Each, is_limited: bool) -> Standing {
    let total = fan_out.total();
    let no_more = fan_out.begun == total || is_limited || is_hopeless(fan_out, each);
    if fan_out.open > 0 || !no_more {
        return Standing::Open;
    }
    let kept = u64::from(fan_out.completed) * 1000;
    if kept >= u64::from(total) * u64::from(each.keep_partial_permille) {
        return Standing::Done;
    }
    Standing::Absent(format!("{} of {total} items completed", fan_out.completed))
}

/// Whether so many items failed that the rest cannot save the step.
fn is_hopeless(fan_out: &FanOut, each: &Each) -> bool {
    let may_fail =
        u64::from(fan_out.total()) * (1000 - u64::from(each.keep_partial_permille.min(1000)));
    u64::from(fan_out.failed) * 1000 > may_fail
}

/// What expressions see: the goal, the outputs so far, and the item or report at hand.
pub(super) struct Env<'a> {
    workflow: &'a Workflow,
    task: &'a Task,
    item: Option<(&'a str, &'a Value)>,
    own: Option<(&'a str, &'a Value)>,
    report: Option<Value>,
}

impl<'a> Env<'a> {
    pub(super) fn new(workflow: &'a Workflow, task: &'a Task) -> Self {
        Self { workflow, task, item: None, own: None, report: None }
    }

    /// Adds the report at hand: its output under the step's name, `report`, and the item.
    pub(super) fn with_report(
        mut self,
        step: &'a StepId,
        output: &'a Payload,
        confidence: Option<f64>,
    ) -> Self {
        self.own = Some((step.name.as_str(), output.value()));
        self.report = Some(json!({"confidence": confidence, "unsure": false}));
        let each = self.workflow.step(&step.name).and_then(|declared| declared.each.as_ref());
        let fan_out = self.task.fan_outs.get(&step.name);
        if let (Some(each), Some(fan_out), Some(index)) = (each, fan_out, step.item) {
            self.item =
                fan_out.values().get(index as usize).map(|value| (each.item.as_str(), value));
        }
        self
    }

    fn output(&self, name: &str) -> Option<Cow<'_, Value>> {
        let declared = self.workflow.steps.iter().find(|step| step.name.as_str() == name)?;
        if declared.each.is_none() {
            let step = self.task.steps.get(&StepId::single(declared.name.clone()));
            return Some(match step.map(|step| &step.state) {
                Some(StepState::Completed { output, .. }) => Cow::Borrowed(output.value()),
                _ => Cow::Owned(Value::Null),
            });
        }
        if standing(self.task, declared) != Standing::Done {
            return Some(Cow::Owned(Value::Null));
        }
        let outputs = gather::outputs(self.task, &declared.name).map(|(_, output)| output.clone());
        Some(Cow::Owned(Value::Array(outputs.collect())))
    }
}

impl expr::Env for Env<'_> {
    fn lookup(&self, name: &str) -> Option<Cow<'_, Value>> {
        if let Some((_, value)) =
            [self.own, self.item].into_iter().flatten().find(|(n, _)| *n == name)
        {
            return Some(Cow::Borrowed(value));
        }
        match name {
            "goal" => Some(Cow::Borrowed(self.task.goal.input.value())),
            "report" => self.report.as_ref().map(Cow::Borrowed),
            "task" => Some(Cow::Owned(json!({
                "id": self.task.goal.task.as_str(),
                "tenant": self.task.goal.tenant.as_str(),
                "workflow": self.task.goal.workflow.as_str(),
                "key": self.task.goal.key,
            }))),
            step => self.output(step),
        }
    }
}
