//! Which steps may begin now: joins, conditions, fan-outs, and the last step.

use serde_json::Value;

use super::{
    decide::{Draft, Moment, Verdict},
    env::Env,
    event::{EndStatus, Event},
    gather,
    input::{Failure, FailureKind, Report, Usage, clip, clip_to},
    join::Raced,
    standing::{Standing, WHEN_FALSE, inherited, is_hopeless, standing},
    state::{AGGREGATE, Phase, StepState, Task},
};
use crate::{
    ids::{Name, StepId},
    limits::{
        AGGREGATE_GRACE, FAN_OUT_ITEMS_MAX, RECORD_DISPATCH_BYTES_MAX, RECORD_DISPATCHES_MAX,
        TIMEOUT_MIN,
    },
    payload::Payload,
    time::UnixMillis,
    workflow::{Each, Grant, Join, StepPlan, WhenLimited, Workflow},
};

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
    moment: &'a Moment<'a>,
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

impl<'a> Planner<'a> {
    pub(super) fn new(workflow: &'a Workflow, task: Task, moment: &'a Moment<'a>) -> Self {
        // A clock that went back must not make a record older than the one before it.
        let now = moment.now.max(task.changed_at);
        let room =
            Room { steps: RECORD_DISPATCHES_MAX, bytes: RECORD_DISPATCH_BYTES_MAX, is_full: false };
        let rev = task.rev + 1;
        Self { workflow, task, events: Vec::new(), now, rev, room, moment }
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

    pub(super) fn moment(&self) -> &'a Moment<'a> {
        self.moment
    }

    pub(super) fn is_full(&self) -> bool {
        self.room.is_full
    }

    /// Takes the room of one decision about a step; without it the record is full.
    pub(super) fn take_room(&mut self, bytes: usize) -> bool {
        self.room.take(bytes)
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

    /// What attempts have cost that are out and end with this transition, without a report of their own.
    pub(super) fn cut_off(&self, is_cut: impl Fn(&StepId) -> bool) -> Usage {
        let out = self.task.steps.iter().filter(|(id, step)| {
            // What went out with this very transition has cost nothing yet.
            is_cut(id) && step.rev < self.rev && matches!(step.state, StepState::Dispatched { .. })
        });
        out.fold(Usage::default(), |sum, (id, _)| sum.plus(self.moment.roles.spent(id)))
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

    /// Begins every step that may begin, until the record is full or nothing moves.
    pub(super) fn advance(&mut self) {
        if self.is_compensating() {
            return self.compensate();
        }
        if self.task.phase != Phase::Running || self.task.is_still() {
            return;
        }
        if self.stop_at_limit() {
            return;
        }
        self.begin_delayed();
        // Steps stand in topological order: one pass reaches whatever this pass makes possible.
        for declared in &self.workflow.steps {
            if self.room.is_full || self.task.is_still() {
                return;
            }
            match self.standing(declared) {
                Standing::Unstarted => self.begin(declared),
                Standing::Open => {
                    self.begin_items(declared);
                    self.advance_crew(declared);
                }
                Standing::Done | Standing::Absent(_) => {}
            }
        }
        if self.room.is_full || self.stop_at_limit() {
            return;
        }
        let over = |declared: &StepPlan| {
            matches!(self.standing(declared), Standing::Done | Standing::Absent(_))
        };
        if self.workflow.steps.iter().all(over) {
            self.aggregate();
        }
    }

    /// Ends the task where its pack wants that at a limit.
    fn stop_at_limit(&mut self) -> bool {
        if self.workflow.when_limited != WhenLimited::Fail {
            return false;
        }
        let Some(limit) = self.task.limited.clone() else { return false };
        self.stop(&limit);
        true
    }

    fn stop(&mut self, limit: &str) {
        let reason = format!("a limit was met: {limit}");
        let is_late = self.task.deadline.since(self.now) < TIMEOUT_MIN;
        let status = if is_late { EndStatus::Incomplete } else { EndStatus::Failed };
        self.conclude(status, &reason, None, Usage::default());
    }

    pub(super) fn standing(&self, declared: &StepPlan) -> Standing {
        standing(&self.task, declared)
    }

    pub(super) fn begin(&mut self, declared: &StepPlan) {
        if let Join::Race(race) = &declared.join {
            match self.race(declared, race) {
                Raced::Open => return,
                Raced::Decided => {}
                Raced::Lost(why) => return self.skip(declared, &why),
            }
        }
        for name in &declared.after {
            let Some(before) = self.workflow.step(name) else { continue };
            match self.standing(before) {
                Standing::Unstarted | Standing::Open if matches!(declared.join, Join::Race(_)) => {}
                Standing::Unstarted | Standing::Open => return,
                Standing::Absent(why) if matches!(declared.join, Join::All) && !before.optional => {
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
            None => {
                self.dispatch(declared, None);
            }
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

    pub(super) fn fail(&mut self, step: StepId, failure: Failure) {
        let refused = failure.refused.as_ref().map_or(0, Payload::inline_bytes);
        if self.room.take(failure.message.len() + refused) {
            let usage = self.moment.roles.spent(&step);
            self.emit(Event::StepFailed { step, failure, usage });
        }
    }

    /// Why the output of a report is degraded: what its worker says, behind why another role has the step.
    pub(super) fn degraded(&self, report: &Report) -> Option<String> {
        let said = report.degraded.as_ref()?;
        let before = self.task.steps.get(&report.step).and_then(|step| step.degraded.as_ref());
        Some(before.map_or_else(|| clip(said), |before| clip(&format!("{before}; {said}"))))
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

    /// Deals with one step whose time is over.
    pub(super) fn overdue(&mut self, id: &StepId) {
        match self.task.steps.get(id).map(|step| &step.state) {
            Some(StepState::Dispatched { input, .. }) => {
                let bytes = input.inline_bytes();
                if self.room.take(bytes) {
                    let text = "no report before the step's deadline";
                    let failure = Failure::new(FailureKind::Timeout, text);
                    let usage = self.moment.roles.spent(id);
                    self.fail_attempt(id, failure, usage);
                }
            }
            Some(StepState::Waiting { .. }) => self.expire(id),
            Some(
                StepState::Delayed { .. }
                | StepState::Completed { .. }
                | StepState::Failed(_)
                | StepState::Skipped(_)
                | StepState::Cancelled,
            )
            | None => {}
        }
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
        self.race_items(declared, each);
        while !self.room.is_full {
            let Some(fan_out) = self.task.fan_outs.get(&declared.name) else { return };
            let wanted = fan_out.begun < fan_out.total()
                && fan_out.closed.is_none()
                && fan_out.open < each.parallel
                && !is_hopeless(fan_out, each)
                && self.task.limited.is_none()
                && !self.task.is_still();
            let next = fan_out.begun;
            if !wanted || !self.dispatch(declared, Some(next)) {
                return;
            }
        }
    }

    /// Hands every part to the response aggregator: the last step of every task.
    fn aggregate(&mut self) {
        let request = gather::request(self.workflow, &self.task);
        let (Ok(input), Ok(role)) = (Payload::from_value(request), Name::new(AGGREGATE)) else {
            let reason = "the parts of the answer are too large or too deep";
            return self.conclude(EndStatus::Failed, reason, None, Usage::default());
        };
        let deadline = self.task.deadline.max(self.now).after(AGGREGATE_GRACE);
        let step = StepId::single(role.clone());
        let grant = Grant::default();
        self.emit(Event::StepDispatched { step, attempt: 1, role, input, deadline, grant });
    }
}
