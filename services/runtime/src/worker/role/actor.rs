//! The role actor's shell.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use cadre_core::{
    ids::{StepId, TaskId},
    limits::{DELIVERIES_MAX, TIMEOUT_MIN},
    ports::{Inbox as _, Packs, Stopped, WorkerBus},
    task::{Failure, FailureKind, Outcome},
};
use futures::{FutureExt, StreamExt, future::join_all, stream::FuturesUnordered};
use ractor::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent,
    actor::messages::BoxedState,
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::{Msg, RoleSnapshot, Shared};
use crate::{
    backoff::Backoff,
    metrics::table,
    task::{self, Linked, panic_text},
    worker::{
        Step, StepRunner,
        pump::{Arrival, Pump},
        step::{End, Job, StepActor, StepState},
    },
};

/// Ticks of one heartbeat period: an order gets its beat at most half a period late.
const TICKS_PER_BEAT: u32 = 2;

pub(super) struct RoleActor<B: WorkerBus, P, W>(pub(super) Arc<Shared<B, P, W>>);

/// Bounds of the pause before listening for stopped work is tried again.
const STOPS_RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What makes an attempt the same one.
type Key = (TaskId, StepId, u32);

/// Everything that a restart throws away; redelivery brings it back.
pub(super) struct RoleState<R> {
    running: BTreeMap<ActorId, Running<R>>,
    by_key: BTreeMap<Key, ActorId>,
    counts: RoleSnapshot,
    beats: Option<JoinHandle<()>>,
    pump: Linked,
    ticker: Linked,
    stops: Linked,
}

struct Running<R> {
    step: Arc<Step>,
    /// The latest delivery's: it is the one that the broker waits for.
    receipt: Arc<R>,
    is_redelivered: bool,
    is_verdict: bool,
    stop: Arc<Notify>,
    beaten: Instant,
    join: Option<JoinHandle<()>>,
    slot: OwnedSemaphorePermit,
}

impl<R> RoleState<R> {
    fn already_running(&mut self, step: &Step) -> Option<&mut Running<R>> {
        let id = self.by_key.get(&key(step))?;
        self.running.get_mut(id)
    }

    fn forget(&mut self, id: ActorId) -> Option<Running<R>> {
        let running = self.running.remove(&id)?;
        self.by_key.remove(&key(&running.step));
        Some(running)
    }
}

fn key(step: &Step) -> Key {
    (step.task.clone(), step.step.clone(), step.attempt)
}

impl<B: WorkerBus, P: Packs, W: StepRunner> RoleActor<B, P, W> {
    fn start_pump(&self, myself: &ActorRef<Msg<B::Receipt>>) -> Linked {
        let slots = Arc::new(Semaphore::new(self.0.options.in_flight));
        let pump = Pump { shared: Arc::clone(&self.0), role: myself.clone(), slots };
        let myself = myself.clone();
        Linked::spawn("pump", async move {
            let why = match AssertUnwindSafe(pump.run()).catch_unwind().await {
                Ok(()) => "role is gone".to_owned(),
                Err(panic) => format!("pump panicked: {}", panic_text(&*panic)),
            };
            // Nobody to tell means nothing to tell.
            let _ = myself.cast(Msg::PumpEnded(why));
        })
    }

    /// Listens for work that nobody waits for. A gap only costs work that nobody needs.
    fn start_stops(&self, myself: ActorRef<Msg<B::Receipt>>) -> Linked {
        let bus = self.0.bus.clone();
        Linked::spawn("stops", async move {
            let mut backoff = Backoff::new(STOPS_RETRY.0, STOPS_RETRY.1);
            loop {
                if let Ok(mut stops) = bus.stops().await {
                    while let Ok(stopped) = stops.next().await {
                        if !stopped.is_empty() && myself.cast(Msg::Stopped(stopped)).is_err() {
                            return;
                        }
                    }
                }
                backoff.pause().await;
            }
        })
    }

    fn on_stopped(state: &RoleState<B::Receipt>, stopped: &[Stopped]) {
        let is_meant =
            |step: &Step| stopped.iter().any(|it| it.covers(&step.task, &step.step, step.attempt));
        let meant = state.running.values().filter(|running| is_meant(&running.step));
        meant.for_each(|running| running.stop.notify_one());
    }

    /// One ticker for all steps: a timer per step would cost every short one.
    fn start_ticker(&self, myself: ActorRef<Msg<B::Receipt>>) -> Linked {
        let period = self.tick_period();
        Linked::spawn("heartbeat", async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while myself.cast(Msg::Beat).is_ok() {
                ticks.tick().await;
            }
        })
    }

    fn tick_period(&self) -> Duration {
        (self.0.bus.heartbeat() / TICKS_PER_BEAT).max(Duration::from_millis(1))
    }

    async fn on_arrived(
        &self,
        myself: &ActorRef<Msg<B::Receipt>>,
        state: &mut RoleState<B::Receipt>,
        arrivals: Vec<Arrival<B::Receipt>>,
    ) {
        let now = Instant::now();
        for Arrival { step, receipt, slot } in arrivals {
            if step.deliveries > 1 {
                table::REDELIVERIES.add(&["order"], 1);
            }
            if let Some(running) = state.already_running(&step) {
                (running.receipt, running.is_redelivered) = (receipt, true);
                state.counts.redelivered += 1;
                tracing::debug!(task = %step.task, step = %step.step, "order came again");
            } else if step.deadline < now + TIMEOUT_MIN {
                // What cannot fit does not start.
                state.counts.out_of_time += 1;
                table::WORKER_STEPS.add(&[step.role.as_str(), End::OutOfTime.as_str()], 1);
                self.settle_late(step, receipt, slot);
            } else {
                let verdict = (step.deliveries > DELIVERIES_MAX).then(|| poison(&step));
                let (step, stop) = (Arc::new(step), Arc::new(Notify::new()));
                let job = Job { step, receipt, stop, verdict };
                self.start_step(myself, state, job, slot).await;
            }
        }
    }

    fn settle_late(&self, step: Step, receipt: Arc<B::Receipt>, slot: OwnedSemaphorePermit) {
        let shared = Arc::clone(&self.0);
        let settling = async move {
            shared.settle_late(&step, &receipt).await;
            drop(slot);
        };
        drop(task::spawn("settle-late", settling));
    }

    async fn start_step(
        &self,
        myself: &ActorRef<Msg<B::Receipt>>,
        state: &mut RoleState<B::Receipt>,
        job: Job<B::Receipt>,
        slot: OwnedSemaphorePermit,
    ) {
        let (step, receipt) = (Arc::clone(&job.step), Arc::clone(&job.receipt));
        let (is_verdict, stop) = (job.verdict.is_some(), Arc::clone(&job.stop));
        let actor = StepActor(Arc::clone(&self.0));
        match Actor::spawn_linked(None, actor, job, myself.get_cell()).await {
            Ok((actor, join)) => {
                let beaten = step.received;
                state.by_key.insert(key(&step), actor.get_id());
                let running = Running {
                    step,
                    receipt,
                    is_redelivered: false,
                    is_verdict,
                    stop,
                    beaten,
                    join: Some(join),
                    slot,
                };
                state.running.insert(actor.get_id(), running);
            }
            // Not settled: it comes again, here or elsewhere.
            Err(error) => {
                state.counts.unreported += 1;
                tracing::warn!(task = %step.task, step = %step.step, %error, "step not started");
            }
        }
    }

    fn on_ended(&self, state: &mut RoleState<B::Receipt>, id: ActorId, last: Option<BoxedState>) {
        let Some(running) = state.forget(id) else { return };
        let last = last.and_then(|mut last| last.take::<StepState<B::Receipt>>().ok());
        let end = last.map_or(End::Unreported, |last| last.end);
        match end {
            End::Reported => state.counts.reported += 1,
            End::OutOfTime => state.counts.out_of_time += 1,
            End::Stopped => state.counts.stopped += 1,
            End::Fenced => state.counts.fenced += 1,
            End::Late => state.counts.late += 1,
            End::Unreported => state.counts.unreported += 1,
        }
        table::WORKER_STEPS.add(&[running.step.role.as_str(), end.as_str()], 1);
        let is_others = matches!(end, End::Unreported | End::Fenced | End::Late);
        if running.is_redelivered && !is_others {
            let (bus, receipt) = (self.0.bus.clone(), running.receipt);
            drop(task::spawn("settle-again", async move { bus.done(&receipt).await }));
        }
    }

    async fn on_failed(
        &self,
        myself: &ActorRef<Msg<B::Receipt>>,
        state: &mut RoleState<B::Receipt>,
        failed: &ActorCell,
        error: &str,
    ) {
        let Some(running) = state.forget(failed.get_id()) else { return };
        let Running { step, receipt, slot, .. } = running;
        if running.is_verdict {
            state.counts.unreported += 1;
            tracing::error!(task = %step.task, step = %step.step, error, "reporting panicked");
            return;
        }
        state.counts.panicked += 1;
        table::WORKER_STEPS.add(&[step.role.as_str(), "panicked"], 1);
        tracing::warn!(
            role = %step.role, task = %step.task, step = %step.step, attempt = step.attempt,
            error, "step panicked"
        );
        let verdict = Outcome::Failed(Failure::new(FailureKind::Panic, error));
        let job = Job { step, receipt, stop: running.stop, verdict: Some(verdict) };
        self.start_step(myself, state, job, slot).await;
    }

    /// Beats for every step held for a whole period since its last beat, until its time is over: one
    /// that does not end then is somebody else's, however alive its process is.
    fn on_beat(&self, state: &mut RoleState<B::Receipt>) {
        if state.beats.as_ref().is_some_and(|beats| !beats.is_finished()) {
            return;
        }
        let (now, period) = (Instant::now(), self.0.bus.heartbeat());
        let mut due = Vec::new();
        for running in state.running.values_mut() {
            let is_due = now.saturating_duration_since(running.beaten) >= period;
            if is_due && now < running.step.deadline {
                running.beaten = now;
                due.push(Arc::clone(&running.receipt));
            }
        }
        if due.is_empty() {
            return;
        }
        let bus = self.0.bus.clone();
        state.beats = Some(task::spawn("beats", async move {
            join_all(due.iter().map(|receipt| bus.in_progress(receipt))).await;
        }));
    }

    fn inspect(&self, state: &RoleState<B::Receipt>) -> RoleSnapshot {
        RoleSnapshot {
            role: self.0.role.to_string(),
            is_subscribed: *self.0.subscribed.borrow(),
            running: state.running.len(),
            ..state.counts.clone()
        }
    }

    /// Lets steps in flight end, beating for them, as long as the options allow.
    async fn drain(&self, state: &mut RoleState<B::Receipt>) {
        let mut ends: FuturesUnordered<_> = state
            .running
            .iter_mut()
            .filter_map(|(id, running)| Some((*id, running.join.take()?)))
            .map(|(id, join)| join.map(move |_| id))
            .collect();
        let deadline = Instant::now() + self.0.options.drain;
        let mut ticks = interval(self.tick_period());
        loop {
            tokio::select! {
                biased;
                ended = ends.next() => match ended {
                    Some(id) => drop(state.forget(id)),
                    None => return,
                },
                _ = ticks.tick() => self.on_beat(state),
                () = sleep_until(deadline) => break,
            }
        }
        let (role, left) = (self.0.role.as_str(), state.running.len());
        tracing::warn!(role, left, "steps abandoned, they did not end in time");
    }
}

/// The verdict on an order that was handed out too often: whoever had it reported nothing, so it may
/// be what ends workers, and with them the steps that they hold.
fn poison(step: &Step) -> Outcome {
    let (task, id, deliveries) = (&step.task, &step.step, step.deliveries - 1);
    tracing::error!(%task, step = %id, deliveries, "order was never reported, giving it up");
    let text = format!("delivered {deliveries} times and never reported: it may end its workers");
    Outcome::Failed(Failure::new(FailureKind::Panic, &text))
}

impl<B: WorkerBus, P: Packs, W: StepRunner> Actor for RoleActor<B, P, W> {
    type Msg = Msg<B::Receipt>;
    type State = RoleState<B::Receipt>;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        (): (),
    ) -> Result<Self::State, ActorProcessingErr> {
        self.0.set_subscribed(false);
        self.0.seat.send_replace(Some(myself.clone()));
        Ok(RoleState {
            running: BTreeMap::new(),
            by_key: BTreeMap::new(),
            counts: RoleSnapshot::default(),
            beats: None,
            pump: self.start_pump(&myself),
            stops: self.start_stops(myself.clone()),
            ticker: self.start_ticker(myself),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Arrived(arrivals) => self.on_arrived(&myself, state, arrivals).await,
            Msg::PumpEnded(why) => {
                self.0.set_subscribed(false);
                return Err(why.into());
            }
            Msg::Stopped(stopped) => Self::on_stopped(state, &stopped),
            Msg::Beat => self.on_beat(state),
            Msg::Inspect(reply) => {
                // Whoever asked may have lost patience.
                let _ = reply.send(self.inspect(state));
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(cell, last, _) => {
                self.on_ended(state, cell.get_id(), last);
            }
            SupervisionEvent::ActorFailed(cell, error) => {
                self.on_failed(&myself, state, &cell, &error.to_string()).await;
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        state.pump.abort();
        state.ticker.abort();
        state.stops.abort();
        self.0.set_subscribed(false);
        self.drain(state).await;
        Ok(())
    }
}
