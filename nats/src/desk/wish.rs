//! What becomes of wishes: goals that are published, tasks that are steered, questions that are decided.
//!
//! A wish is stored first and handled later, perhaps by nobody for a while. It has been handled when it has
//! left the stream; the log then says what came of it, or nothing came of it.

use std::{sync::Arc, time::Duration};

use async_nats::HeaderMap;
use cadre_core::{
    ids::TaskId,
    ports::{
        BusError, LoadError, OrchestratorBus as _, Packs as _,
        desk::{DecisionWish, DeskError, Published},
    },
    question::{choose, may, prefix, same},
    task::{Action, Control, Decision, Event, Goal, Record, Task},
    wish::{ForkWish, GoalWish, Outcome, Unfit, Want, Wish, begun, check_input, check_key},
};
use cadre_proto::{
    header::{GoalHeaders, Until},
    subject::Intake,
};
use tokio::time::{Instant, sleep};

use super::JetStreamDesk;
use crate::bus::JetStreamBus;

/// How long somebody waits for what becomes of a wish, or for a fork to begin.
const HANDLED_WITHIN: Duration = Duration::from_secs(10);

/// How long somebody who publishes waits for the task to exist. Mostly it takes milliseconds; a goal that
/// waits for room is taken later, and nobody should hang on it.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(2);

/// Between two looks whether it has been handled: at first, and at most.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// Looks for the record of a wish that has been handled: a replica may lag behind its leader.
const LOOKS: u32 = 3;

/// What became of a stored wish is not known, because its task's log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "the {kind} is stored, what became of it is unknown ({source}): see `cadre task events {task}`"
)]
pub struct Unclear {
    kind: &'static str,
    task: TaskId,
    /// Why the log cannot be read.
    pub source: LoadError,
}

impl From<Unclear> for DeskError {
    fn from(error: Unclear) -> Self {
        match &error.source {
            LoadError::Bus(_) => BusError::Unavailable(error.to_string()).into(),
            LoadError::Damaged { .. } | LoadError::TooNew { .. } => {
                Self::Damaged(error.to_string())
            }
        }
    }
}

/// Waits for what becomes of the wish at `sequence` of the task's inputs, of the kind `cancel`, `control` or
/// `decision`.
///
/// # Errors
/// [`Unclear`]; the wish is stored all the same.
pub async fn outcome(
    bus: &JetStreamBus,
    task: &TaskId,
    (kind, sequence): (&'static str, u64),
) -> Result<Outcome, Unclear> {
    let unclear = |source: LoadError| Unclear { kind, task: task.clone(), source };
    let end = Instant::now() + HANDLED_WITHIN;
    let mut pause = LOOK_EVERY.0;
    while bus.is_pending(task, sequence).await.map_err(|error| unclear(error.into()))? {
        if Instant::now() >= end {
            let found = find(bus, task, (kind, sequence)).await.map_err(unclear)?;
            return Ok(found.unwrap_or_else(|| {
                Outcome::Unknown(format!(
                    "the {kind} for task {task} is stored, but nobody has handled it within \
                     {HANDLED_WITHIN:?}: that happens when an orchestrator runs; see `cadre task \
                     events {task}`"
                ))
            }));
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(LOOK_EVERY.1);
    }
    for _ in 0..LOOKS {
        if let Some(found) = find(bus, task, (kind, sequence)).await.map_err(unclear)? {
            return Ok(found);
        }
        sleep(LOOK_EVERY.1).await;
    }
    let text = format!("the {kind} was read and changed nothing; see `cadre dlq ls --task {task}`");
    Ok(Outcome::Unchanged(text))
}

async fn find(
    bus: &JetStreamBus,
    task: &TaskId,
    (kind, sequence): (&str, u64),
) -> Result<Option<Outcome>, LoadError> {
    let records = bus.read_log(task).await?.records;
    // Goals come from another stream, with sequences of their own: the kind tells them apart.
    let is_it = |record: &&Record| record.cause.kind == kind && record.cause.sequence == sequence;
    Ok(records.iter().rev().find(is_it).map(Outcome::of))
}

impl JetStreamDesk {
    pub(super) async fn publish_goal(&self, wish: GoalWish) -> Result<Published, DeskError> {
        check_key(&wish.key)?;
        let task = wish.task();
        if let Some(first) = self.first(&task).await? {
            same_goal(&wish, &first)?;
            return Ok(Published { task, is_accepted: true, is_known: true });
        }
        let missing = || Unfit::NotFound(format!("no pack is named {}", wish.workflow));
        let workflow = self.packs.current(&wish.workflow).await?.ok_or_else(missing)?;
        check_input(&workflow, &wish.input)?;
        let now = self.bus.now();
        if let Some(deadline) = wish.deadline.filter(|deadline| *deadline <= now) {
            let text = format!("deadline {deadline} has passed (it is {now} now)");
            return Err(Unfit::Invalid(text).into());
        }
        self.send(&wish).await?;
        let first = self.appears(&task, ACCEPTED_WITHIN).await?;
        let is_accepted = first.is_some();
        if let Some(first) = first {
            same_goal(&wish, &first)?;
        }
        Ok(Published { task, is_accepted, is_known: false })
    }

    async fn send(&self, wish: &GoalWish) -> Result<(), DeskError> {
        let invalid = |error: &dyn std::fmt::Display| Unfit::Invalid(error.to_string());
        let intake = Intake::new(wish.tenant.clone(), wish.workflow.clone());
        let subject = intake.map_err(|error| invalid(&error))?.to_string();
        let headers = GoalHeaders {
            msg_id: Some(&wish.key),
            until: wish.deadline.map(Until::At),
            usd_micros: wish.limits.usd_micros_max,
            tokens: wish.limits.tokens_max,
            steps: wish.limits.steps_max,
            user: wish.user.as_deref(),
            traceparent: wish.trace.as_deref(),
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers.encode().map_err(|error| invalid(&error))? {
            map.insert(name, value.as_ref());
        }
        let streams = self.bus.streams();
        let (body, max) = (wish.input.text(), streams.client.server_info().max_payload);
        if body.len() > max {
            let text = format!("the input has {} bytes, the broker takes {max}", body.len());
            return Err(Unfit::Invalid(text).into());
        }
        let body = body.as_bytes().to_vec().into();
        let lost = |error: &dyn std::fmt::Display| {
            DeskError::from(BusError::Unavailable(format!("publish the goal: {error}")))
        };
        let sent = streams.js.publish_with_headers(subject, map, body).await;
        match sent.map_err(|error| lost(&error))?.await {
            Ok(_) => Ok(()),
            Err(error) if is_full(&error) => Err(DeskError::Full(
                "the goal was not stored, because more is published than is taken in: publish it \
                 again later"
                    .to_owned(),
            )),
            Err(error) => Err(lost(&error)),
        }
    }

    /// The first record of a task; `None` when it has none yet.
    async fn first(&self, task: &TaskId) -> Result<Option<Record>, DeskError> {
        Ok(self.bus.read_log(task).await?.records.into_iter().next())
    }

    /// Waits until a task has begun.
    async fn appears(&self, task: &TaskId, within: Duration) -> Result<Option<Record>, DeskError> {
        let end = Instant::now() + within;
        let mut pause = LOOK_EVERY.0;
        loop {
            if let Some(first) = self.first(task).await? {
                return Ok(Some(first));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(LOOK_EVERY.1);
        }
    }

    pub(super) async fn steer_task(&self, task: &Task, wish: Wish) -> Result<Outcome, DeskError> {
        if let Some(outcome) = wish.want.moot(task) {
            return Ok(outcome);
        }
        let (id, Wish { by, reason, key, want }) = (task.id(), wish);
        let (kind, sent) = match want.clone() {
            Want::Cancel => ("cancel", self.bus.cancel(id, &by, &reason).await),
            Want::Control(action) => {
                let wish = Control { by, reason, key, action };
                ("control", self.bus.control(id, &wish).await)
            }
        };
        let sequence = sent.map_err(unfit_or_lost)?;
        Ok(match (outcome(&self.bus, id, (kind, sequence)).await?, want) {
            (Outcome::Unchanged(_), Want::Control(Action::Retry(_))) => {
                Outcome::Unchanged("nothing of it has failed".to_owned())
            }
            (Outcome::Unchanged(_), Want::Control(Action::AddBudget(_))) => {
                Outcome::Unchanged("a wish of this key has counted already".to_owned())
            }
            (outcome, _) => outcome,
        })
    }

    pub(super) async fn fork_task(
        &self,
        task: &Task,
        wish: ForkWish,
    ) -> Result<Published, DeskError> {
        let revision = &task.goal.revision;
        let missing = || Unfit::NotFound(format!("pack revision {revision} is unknown"));
        let workflow = self.packs.revision(revision).await?.ok_or_else(missing)?;
        let goal: Arc<Goal> = Arc::new(wish.goal(task, &workflow)?);
        let id = goal.task.clone();
        let is_known = match self.first(&id).await? {
            Some(_) => true,
            None => {
                self.bus.submit(Arc::clone(&goal)).await.map_err(unfit_or_lost)?;
                false
            }
        };
        let first = self.appears(&id, HANDLED_WITHIN).await?;
        if let Some(first) = &first {
            begun(first, &goal)?;
        }
        Ok(Published { task: id, is_accepted: first.is_some(), is_known })
    }

    pub(super) async fn decide_question(
        &self,
        task: &Task,
        wish: DecisionWish,
    ) -> Result<Outcome, DeskError> {
        let id = task.id();
        let records = self.bus.read_log(id).await?.records;
        let lost = || Unfit::NotFound(format!("there is no task {id}"));
        let task = Task::replay(&records).ok_or_else(lost)?;
        let question = choose(&task, &records, Some(&wish.step))?;
        same(&question, &prefix(&wish.hash)?)?;
        // The broker's time: this machine's clock may be wrong, and the task does not go by it.
        may(&question, &wish.verdict, &wish.by, self.bus.now())?;
        let decision = Decision {
            step: wish.step,
            by: wish.by,
            hash: question.hash,
            ruling: wish.verdict.ruling(),
            comment: wish.comment,
        };
        let sequence = self.bus.decide(id, &decision).await.map_err(unfit_or_lost)?;
        Ok(outcome(&self.bus, id, ("decision", sequence)).await?)
    }
}

/// Nobody could read it, or the bus is not there.
fn unfit_or_lost(error: BusError) -> DeskError {
    match error {
        BusError::Refused(why) => Unfit::Invalid(why).into(),
        error @ BusError::Unavailable(_) => error.into(),
    }
}

fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| cause.to_string().contains("maximum bytes exceeded"))
}

/// The task may be that of another goal with the same key.
fn same_goal(wish: &GoalWish, first: &Record) -> Result<(), Unfit> {
    let is_it = |event: &Event| matches!(event, Event::Accepted { goal, .. } if wish.is_same(goal));
    if first.events.iter().any(is_it) {
        return Ok(());
    }
    Err(Unfit::Refused(format!(
        "key {:?} belongs to task {}, whose goal has another content: use another key, or publish \
         the same content",
        wish.key,
        wish.task()
    )))
}
