//! What a task may still spend: limits less what is spent, less what is out.
//!
//! Every attempt takes its grant out of what is left before it is dispatched, and
//! its report gives back what it did not spend. No counter is shared between
//! workers, so attempts in parallel cannot overspend together.

use super::{
    event::Event,
    input::Resource,
    plan::Planner,
    state::{Phase, Task},
};
use crate::{
    limits::TIMEOUT_MIN,
    time::UnixMillis,
    workflow::{Grant, WhenLimited, Workflow},
};

/// Share of a limit, in hundredths, whose use is said once.
const NEAR_PERCENT: u64 = 80;

/// The limits of one task: the pack's, narrowed by the publisher, widened by people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) steps: u32,
    pub(super) spend: Grant,
}

impl Limits {
    pub(super) fn of(workflow: &Workflow, task: &Task) -> Self {
        let (pack, goal, added) = (&workflow.limits, &task.goal.limits, &task.added);
        let narrow = |pack: u64, goal: Option<u64>| goal.map_or(pack, |wanted| wanted.min(pack));
        let steps = goal.steps_max.map_or(pack.steps_max, |wanted| wanted.min(pack.steps_max));
        Self {
            steps: steps.saturating_add(added.steps),
            spend: Grant {
                usd_micros: narrow(pack.usd_micros_max, goal.usd_micros_max),
                tokens: narrow(pack.tokens_max, goal.tokens_max),
            }
            .plus(Grant { usd_micros: added.usd_micros, tokens: added.tokens }),
        }
    }
}

/// Whether one more attempt can be paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Afford {
    /// It can.
    Yes,
    /// Not while others are out: what they give back may do.
    Later,
    /// It cannot; the text says which limit is met.
    No(String),
}

/// Whether `task` can pay for one more attempt with this grant.
pub(super) fn afford(workflow: &Workflow, task: &Task, grant: Grant, now: UnixMillis) -> Afford {
    let limits = Limits::of(workflow, task);
    if task.dispatches >= limits.steps {
        let text = format!("max_steps: {} of {} steps are used", task.dispatches, limits.steps);
        return Afford::No(text);
    }
    let left = task.ends_at().since(now);
    if left < TIMEOUT_MIN {
        return Afford::No(format!("deadline: {} ms are left", left.as_millis()));
    }
    let spent = Grant { usd_micros: task.usage.usd_micros, tokens: task.usage.tokens };
    if let Some(text) = overspent(limits.spend, spent) {
        return Afford::No(text);
    }
    let settled = limits.spend.minus(spent);
    if settled.minus(task.reserved).covers(grant) {
        return Afford::Yes;
    }
    if settled.covers(grant) {
        return Afford::Later;
    }
    Afford::No(if settled.usd_micros < grant.usd_micros {
        let (left, max) = (settled.usd_micros, limits.spend.usd_micros);
        format!("max_usd: {left} of {max} micro-USD are left, {} are needed", grant.usd_micros)
    } else {
        let (left, max) = (settled.tokens, limits.spend.tokens);
        format!("max_tokens: {left} of {max} tokens are left, {} are needed", grant.tokens)
    })
}

fn overspent(limit: Grant, spent: Grant) -> Option<String> {
    if spent.usd_micros > limit.usd_micros {
        let (spent, max) = (spent.usd_micros, limit.usd_micros);
        return Some(format!("max_usd: spent {spent} of {max} micro-USD"));
    }
    (spent.tokens > limit.tokens)
        .then(|| format!("max_tokens: used {} of {} tokens", spent.tokens, limit.tokens))
}

/// Resources of which four fifths or more are used, with the figures.
fn near(limits: Limits, task: &Task, now: UnixMillis) -> impl Iterator<Item = (Resource, String)> {
    let millis = |at: UnixMillis| at.0.saturating_sub(task.accepted_at.0);
    let rows = [
        (Resource::Steps, u64::from(task.dispatches), u64::from(limits.steps), "steps"),
        (Resource::Usd, task.usage.usd_micros, limits.spend.usd_micros, "micro-USD"),
        (Resource::Tokens, task.usage.tokens, limits.spend.tokens, "tokens"),
        (Resource::Time, millis(now), millis(task.deadline), "ms"),
    ];
    let has_time = task.phase == Phase::Running && now < task.deadline;
    let rows =
        rows.into_iter().filter(move |(resource, ..)| *resource != Resource::Time || has_time);
    rows.filter_map(|(resource, used, max, unit)| {
        let is_near =
            used > 0 && u128::from(used) * 100 >= u128::from(max) * u128::from(NEAR_PERCENT);
        is_near.then(|| (resource, format!("{used} of {max} {unit} are used")))
    })
}

impl Task {
    /// When four fifths of its time have passed; `None` once that is said.
    pub(super) fn time_near_at(&self) -> Option<UnixMillis> {
        let whole = self.deadline.0.saturating_sub(self.accepted_at.0);
        let is_said = self.warned.contains(&Resource::Time);
        // Rounded up: a millisecond before that it is not near.
        (!is_said).then(|| UnixMillis(self.deadline.0 - whole / 5))
    }
}

impl Planner<'_> {
    /// Notes what the last report, or time, has used up, or nearly.
    pub(super) fn check_spending(&mut self) {
        if matches!(self.task().phase, Phase::Compensating(_)) {
            // A compensation takes nothing from the budget, and no limit stops it.
            return;
        }
        let limits = Limits::of(self.workflow(), self.task());
        // A limit that every task of the workflow uses up is no news.
        let is_usual =
            usize::try_from(limits.steps).is_ok_and(|max| max <= self.workflow().steps.len());
        let is_known = |resource: &Resource| {
            self.task().warned.contains(resource) || (is_usual && *resource == Resource::Steps)
        };
        let near = near(limits, self.task(), self.now());
        let news: Vec<_> = near.filter(|(resource, _)| !is_known(resource)).collect();
        for (resource, text) in news {
            self.emit(Event::BudgetNear { resource, text });
        }
        let is_settled = self.task().limited.is_some()
            // It may be over already, and then there is nothing to wait for.
            || self.workflow().when_limited == WhenLimited::AskHuman;
        if is_settled {
            return;
        }
        let usage = self.task().usage;
        let spent = Grant { usd_micros: usage.usd_micros, tokens: usage.tokens };
        if let Some(limit) = overspent(limits.spend, spent) {
            self.emit(Event::LimitReached { limit, is_held: false });
        }
    }

    /// Notes that a limit keeps the next attempt from beginning. Waits for a larger budget where
    /// the pack says so; time cannot be waited for.
    pub(super) fn meet_limit(&mut self, limit: String) {
        let has_time = self.task().deadline.since(self.now()) >= TIMEOUT_MIN;
        let is_held = self.workflow().when_limited == WhenLimited::AskHuman && has_time;
        self.emit(Event::LimitReached { limit, is_held });
    }
}
