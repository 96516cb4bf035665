//! One actor per step in flight: runs it, reports it, settles it, and ends.
//!
//! It takes no messages and works in `post_start`, so a panic in the runner is an `ActorFailed`
//! to the role actor and nothing else.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    journal::JournalId,
    ports::{Packs, WorkerBus},
    task::{Failure, FailureKind, Outcome, Report},
    workflow::Workflow,
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use tracing::Instrument;

use super::{Ran, Step, StepRunner, role::Shared};
use crate::{backoff::Backoff, genai, trace};

/// Bounds of the pause before a report or a pack is tried again.
pub(super) const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Kept of a step's time to report that its pack was not found.
const REPORT_RESERVE: Duration = Duration::from_millis(500);

/// Signs of life that may be missing; see [`WorkerBus::heartbeat`].
const BEATS_AWAITED: u32 = 3;

/// What one step actor is to do.
pub(super) struct Job<R> {
    pub(super) step: Arc<Step>,
    pub(super) receipt: Arc<R>,
    /// Rings when the task has ended: nobody waits for the report any more.
    pub(super) stop: Arc<Notify>,
    /// The role actor's verdict on a runner that panicked: only to be reported.
    pub(super) verdict: Option<Outcome>,
}

/// How a step ended for its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Reported and settled.
    Reported,
    /// Its time was over before the runner returned: settled.
    OutOfTime,
    /// Its task ended while it ran: settled.
    Stopped,
    /// Another worker holds it: it is theirs to report and to settle.
    Fenced,
    /// Somebody else has settled it: its report would come too late.
    Late,
    /// Not reported, so not settled: somebody gets it again.
    Unreported,
}

impl End {
    /// The end as one word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::OutOfTime => "out_of_time",
            Self::Stopped => "stopped",
            Self::Fenced => "fenced",
            Self::Late => "late",
            Self::Unreported => "unreported",
        }
    }
}

/// The job, and how it ended once it has.
pub(super) struct StepState<R> {
    pub(super) job: Job<R>,
    pub(super) end: End,
}

pub(super) struct StepActor<B: WorkerBus, P, W>(pub(super) Arc<Shared<B, P, W>>);

impl<B: WorkerBus, P: Packs, W: StepRunner> Actor for StepActor<B, P, W> {
    type Msg = ();
    type State = StepState<B::Receipt>;
    type Arguments = Job<B::Receipt>;

    async fn pre_start(
        &self,
        _myself: ActorRef<()>,
        job: Job<B::Receipt>,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(StepState { job, end: End::Unreported })
    }

    async fn post_start(
        &self,
        myself: ActorRef<()>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let step = &state.job.step;
        let span = genai::attempt(step);
        state.end = self.0.perform(&state.job).instrument(span).await;
        myself.stop(None);
        Ok(())
    }
}

impl<B: WorkerBus, P: Packs, W: StepRunner> Shared<B, P, W> {
    async fn perform(&self, job: &Job<B::Receipt>) -> End {
        let step = &*job.step;
        let ran = tokio::select! {
            // What is done is reported, even if the task has just ended; and no dice are thrown.
            biased;
            ran = timeout_at(step.deadline, self.unless_reported(job)) => match ran {
                Ok(Some(ran)) => ran,
                Ok(None) => {
                    self.bus.done(&job.receipt).await;
                    return End::Late;
                }
                Err(_) => {
                    self.settle_late(step, &job.receipt).await;
                    return End::OutOfTime;
                }
            },
            () = step.journal.fenced() => return End::Fenced,
            () = job.stop.notified() => {
                tracing::info!(role = %step.role, "step stopped, nobody waits for it");
                self.bus.done(&job.receipt).await;
                return End::Stopped;
            }
        };
        if self.is_late(job).await {
            return End::Late;
        }
        let ran = step.journal.close(step, ran).await;
        genai::attempted(&ran.outcome);
        if !self.report(step, ran).await {
            return End::Unreported;
        }
        self.bus.done(&job.receipt).await;
        End::Reported
    }

    /// What comes of the step; `None` when an earlier delivery has reported it.
    async fn unless_reported(&self, job: &Job<B::Receipt>) -> Option<Ran> {
        if self.is_reported(&job.step).await {
            return None;
        }
        match &job.verdict {
            Some(verdict) => Some(verdict.clone().into()),
            None => Some(self.run(&job.step).await),
        }
    }

    /// Whether an earlier delivery was reported before its worker could settle it: working on it again would
    /// pay for calls that nobody bills. If the bus does not answer, the step runs: that is right, too.
    async fn is_reported(&self, step: &Step) -> bool {
        if step.deliveries < 2 {
            return false;
        }
        let (role, task, name) = (step.role.clone(), step.task.clone(), step.step.clone());
        let id = JournalId { role, task, step: name };
        let found = self.bus.is_reported(&id, step.attempt).await;
        found.unwrap_or_else(|error| {
            tracing::info!(task = %step.task, step = %step.step, %error, "earlier report not looked for");
            false
        })
    }

    /// Whether the order is gone: of a process that stood still, other workers have taken it over.
    async fn is_late(&self, job: &Job<B::Receipt>) -> bool {
        let step = &*job.step;
        // The broker waits for three beats before it gives an order to somebody else.
        let was_alone = step.received.elapsed() < self.bus.heartbeat() * BEATS_AWAITED;
        if was_alone || self.bus.is_open(&job.receipt).await {
            return false;
        }
        tracing::warn!(
            role = %step.role, task = %step.task, step = %step.step, attempt = step.attempt,
            "step was done by somebody else meanwhile, its report comes too late"
        );
        true
    }

    async fn run(&self, step: &Step) -> Ran {
        match self.workflow(step).await {
            Ok(workflow) => self.runner.run(step, workflow).await,
            Err(failure) => Outcome::Failed(failure).into(),
        }
    }

    /// Settles an order whose time is over; see the module [`super`] for why.
    pub(super) async fn settle_late(&self, step: &Step, receipt: &B::Receipt) {
        tracing::warn!(
            role = %step.role, task = %step.task, step = %step.step, attempt = step.attempt,
            "step ran out of time"
        );
        self.bus.done(receipt).await;
    }

    /// Publishes the report until it is confirmed or the step's time is over.
    async fn report(&self, step: &Step, ran: Ran) -> bool {
        let mut usage = ran.usage;
        let work = step.received.elapsed();
        usage.work_ms = u64::try_from(work.as_millis()).unwrap_or(u64::MAX);
        let report = Report {
            role: step.role.clone(),
            step: step.step.clone(),
            attempt: step.attempt,
            outcome: ran.outcome,
            usage,
            models: ran.models,
            degraded: ran.degraded,
            worker: self.options.worker.clone(),
        };
        let trace = trace::current_traceparent().or_else(|| step.trace.clone());
        let mut backoff = None;
        loop {
            let Err(error) = self.bus.report(&step.task, report.clone(), trace.clone()).await
            else {
                return true;
            };
            tracing::warn!(
                role = %step.role, task = %step.task, step = %step.step, %error,
                "report not confirmed"
            );
            let backoff = backoff.get_or_insert_with(|| Backoff::new(RETRY.0, RETRY.1));
            if !backoff.pause_before(step.deadline).await {
                return false;
            }
        }
    }

    /// The revision that the step is pinned to; it may be applied a moment after the order came.
    async fn workflow(&self, step: &Step) -> Result<Arc<Workflow>, Failure> {
        let mut backoff = None;
        loop {
            let reason = match self.packs.revision(&step.revision).await {
                Ok(Some(workflow)) => return Ok(workflow),
                Ok(None) => "it was never applied here".to_owned(),
                Err(error) => error.to_string(),
            };
            let backoff = backoff.get_or_insert_with(|| Backoff::new(RETRY.0, RETRY.1));
            if !backoff.pause_before(last_try(step)).await {
                let (workflow, revision) = (&step.workflow, &step.revision);
                let message = format!("pack {workflow} of revision {revision}: {reason}");
                return Err(Failure::new(FailureKind::Error, &message));
            }
        }
    }
}

/// Leaves time to report, though never more than half of what there is.
fn last_try(step: &Step) -> Instant {
    let whole = step.deadline.saturating_duration_since(step.received);
    step.received + whole.saturating_sub(REPORT_RESERVE).max(whole / 2)
}
