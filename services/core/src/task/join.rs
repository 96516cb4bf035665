//! Races: when some of several are enough, which they are, and what becomes of the others.
//!
//! The choice is an event, so a replay needs no expression, and later expressions see it as
//! `task.winners.<step>`. What is open of the losers is stopped; their reports come too late.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::{
    env::Env,
    event::Event,
    plan::Planner,
    standing::Standing,
    state::{Step, StepState, Task},
};
use crate::{
    expr::Expr,
    ids::{Name, StepId},
    limits::FAN_OUT_ITEMS_MAX,
    workflow::{Each, Race, StepPlan},
};

/// Where a race before a step stands.
pub(super) enum Raced {
    /// Some must still end.
    Open,
    /// It is decided.
    Decided,
    /// Too few can complete; the text says why.
    Lost(String),
}

/// What counts, what is stopped, and why.
type Choice = (Vec<StepId>, Vec<Name>, String);

impl Planner<'_> {
    /// Decides the race that a step comes after, once it can be.
    pub(super) fn race(&mut self, declared: &StepPlan, race: &Race) -> Raced {
        if self.task().joined.contains_key(&declared.name) {
            return Raced::Decided;
        }
        let (mut done, mut going, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for before in declared.after.iter().filter_map(|name| self.workflow().step(name)) {
            match self.standing(before) {
                Standing::Done => done.push(StepId::single(before.name.clone())),
                Standing::Unstarted | Standing::Open => going.push(before.name.clone()),
                Standing::Absent(why) => lost.push(format!("{}: {why}", before.name)),
            }
        }
        let why_lost = |wanted: u32| {
            let (count, first) = (done.len(), lost.first().map_or("", String::as_str));
            Raced::Lost(format!("{count} of the {wanted} that it wants completed ({first})"))
        };
        let choice = match race {
            Race::Quorum(wanted) => {
                let count = usize::try_from(*wanted).unwrap_or(usize::MAX);
                if done.len() + going.len() < count {
                    return why_lost(*wanted);
                }
                if done.len() < count {
                    return Raced::Open;
                }
                let all = done.len() + going.len() + lost.len();
                let winners = first_done(self.task(), done, count);
                (winners, going, format!("{count} of {all} were enough, and these were first"))
            }
            Race::Best(_) if !going.is_empty() => return Raced::Open,
            Race::Best(_) if done.is_empty() => return why_lost(1),
            Race::Best(score) => match self.best(score, &done, None) {
                Some((winner, reason)) => (vec![winner], Vec::new(), reason),
                None => return Raced::Lost(format!("nothing has a score: {}", score.source())),
            },
        };
        if self.join(&declared.name, choice) { Raced::Decided } else { Raced::Open }
    }

    /// Decides which items of a fan-out count, once that can be.
    pub(super) fn race_items(&mut self, declared: &StepPlan, each: &Each) {
        let (Some(race), Some(fan_out)) = (&each.take, self.task().fan_outs.get(&declared.name))
        else {
            return;
        };
        let is_limited = self.task().limited.is_some();
        let is_over = fan_out.open == 0 && (is_limited || fan_out.begun == fan_out.total());
        let completed = usize::try_from(fan_out.completed).unwrap_or(usize::MAX);
        if self.task().joined.contains_key(&declared.name) || completed == 0 {
            return;
        }
        let total = fan_out.total();
        let done = || completed_items(self.task(), &declared.name);
        let (winners, reason) = match race {
            Race::Quorum(wanted) => {
                let count = usize::try_from(*wanted).unwrap_or(usize::MAX);
                if completed < count {
                    return;
                }
                let reason = format!("{count} of {total} items were enough, and these were first");
                (first_done(self.task(), done(), count), reason)
            }
            Race::Best(_) if !is_over => return,
            Race::Best(score) => match self.best(score, &done(), Some(each)) {
                Some((winner, reason)) => (vec![winner], reason),
                // Nothing counts, which is on record as well.
                None => (Vec::new(), format!("no item has a score: {}", score.source())),
            },
        };
        self.join(&declared.name, (winners, vec![declared.name.clone()], reason));
    }

    fn join(&mut self, step: &Name, (winners, stopped, reason): Choice) -> bool {
        let names: usize =
            winners.iter().take(FAN_OUT_ITEMS_MAX).map(|id| id.name.as_str().len() + 8).sum();
        if !self.take_room(names + reason.len()) {
            return false;
        }
        let usage = self.cut_off(|id| stopped.contains(&id.name));
        self.emit(Event::Joined { step: step.clone(), winners, stopped, reason, usage });
        true
    }

    /// Of completed steps the one with the highest score, and why; the first one of equals. What
    /// has no number for a score does not count.
    fn best(&self, score: &Expr, done: &[StepId], each: Option<&Each>) -> Option<(StepId, String)> {
        let mut best: Option<(&StepId, f64)> = None;
        let mut scores = Vec::new();
        for id in done {
            let Some(value) = self.score(score, id, each) else { continue };
            scores.push(format!("{id} {value}"));
            let is_better = best.is_none_or(|(_, top)| value.total_cmp(&top) == Ordering::Greater);
            if is_better {
                best = Some((id, value));
            }
        }
        let (winner, _) = best?;
        scores.truncate(8);
        Some((winner.clone(), format!("best by {}: {}", score.source(), scores.join(", "))))
    }

    fn score(&self, score: &Expr, id: &StepId, each: Option<&Each>) -> Option<f64> {
        let env = Env::new(self.workflow(), self.task());
        let (output, confidence) = outcome(self.task(), id, &env)?;
        let env = env.with_candidate(id, &output, confidence);
        let env = match (each, id.item) {
            (Some(each), Some(index)) => env.with_item(each, &id.name, index),
            (Some(_) | None, _) => env,
        };
        score.eval(&env).ok()?.as_f64().filter(|value| !value.is_nan())
    }
}

/// What a completed step gave: of a fan-out the list.
fn outcome(task: &Task, id: &StepId, env: &Env<'_>) -> Option<(Value, Option<f64>)> {
    match task.steps.get(id).map(|step| &step.state) {
        Some(StepState::Completed { output, confidence, .. }) => {
            Some((output.value().clone(), *confidence))
        }
        _ if task.fan_outs.contains_key(&id.name) => {
            Some((env.output(id.name.as_str())?.into_owned(), None))
        }
        _ => None,
    }
}

/// The first ones to complete, in that order.
fn first_done(task: &Task, mut done: Vec<StepId>, count: usize) -> Vec<StepId> {
    let rev = |id: &StepId| -> u64 {
        let range = id.clone()..=StepId::item(id.name.clone(), id.item.unwrap_or(u32::MAX));
        task.steps.range(range).map(|(_, step)| step.rev).max().unwrap_or_default()
    };
    done.sort_by_key(rev);
    done.truncate(count);
    done
}

fn completed_items(task: &Task, name: &Name) -> Vec<StepId> {
    let range = StepId::item(name.clone(), 0)..=StepId::item(name.clone(), u32::MAX);
    let is_done = |step: &Step| matches!(step.state, StepState::Completed { .. });
    let done = task.steps.range(range).filter(|(_, step)| is_done(step));
    done.map(|(id, _)| id.clone()).collect()
}

/// What expressions see of the races so far: by step the winners with their outputs.
pub(super) fn winners(task: &Task, env: &Env<'_>) -> Value {
    let of = |id: &StepId| {
        let output = outcome(task, id, env).map_or(Value::Null, |(output, _)| output);
        json!({"step": id.to_string(), "output": output})
    };
    let all = task.joined.iter().map(|(step, joined)| {
        (step.to_string(), joined.winners.iter().map(of).collect::<Vec<_>>().into())
    });
    Value::Object(all.collect())
}
