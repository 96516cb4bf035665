//! The gateway as a service: hears questions, answers them, and keeps in step with the other gateways.
//!
//! ```text
//!  asks (job) ──► slot? ── no ──► refused, with when to come again
//!                  └ yes ► one task a call: its turn ► gateway ► reply    beats and parts meanwhile
//!  words, beat (jobs) ◄──► the other gateways
//! ```
//!
//! Nothing is stored: what is in flight when the process dies is noticed by its silence.

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cadre_core::{
    limits::{GATEWAY_BEAT, GATEWAY_CALLS_MAX, GATEWAY_QUEUE_MAX},
    model::{
        ModelAnswer, ModelFailure, ModelRequest,
        gateway::{Asked, GatewayBus, Part},
    },
    ports::{BusError, Inbox as _, Packs},
    task::{Failure, FailureKind},
    workflow::Grant,
};
use cadre_runtime::{
    backoff::Backoff,
    supervise::{self, Child, JobResult, StopOrder, Supervisor},
    task, trace,
};
use futures::FutureExt as _;
use ractor::{ActorCell, SpawnErr};
use serde::Serialize;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at},
};
use tracing::Instrument as _;

use crate::{
    gateway::{Gateway, Sound},
    slots::{Slot, Slots},
};

/// Bounds of the pause before a subscription is opened anew.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How often a gateway says that it lives.
const WORD_EVERY: Duration = Duration::from_secs(1);

/// When to come again after the room was full: a call lasts a second or some.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// Parts of one answer that wait to be published; further ones are lost, not waited for.
const SOUNDS_MAX: usize = 256;

/// How the service works.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// Calls at the same time. Default [`GATEWAY_CALLS_MAX`].
    pub calls_max: usize,
    /// Calls that wait. Default [`GATEWAY_QUEUE_MAX`].
    pub queue_max: usize,
    /// How long calls in flight may take to end when the service stops. Default 25 s.
    pub drain: Duration,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        let (calls_max, queue_max) = (GATEWAY_CALLS_MAX, GATEWAY_QUEUE_MAX);
        Self { calls_max, queue_max, drain: Duration::from_secs(25) }
    }
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The parent is stopping.
    #[error("inference supervisor did not start")]
    Spawn(#[from] SpawnErr),
}

/// How the service does, for people and dashboards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InferenceSnapshot {
    /// The jobs.
    pub supervisor: supervise::Snapshot,
    /// Calls that run or wait.
    pub calls: usize,
    /// Gateways that live, this one included.
    pub gateways: usize,
}

/// What every call of the service shares.
struct Desk<B, P> {
    bus: B,
    gateway: Gateway<P>,
    slots: Slots,
    subscribed: watch::Sender<bool>,
}

/// The running service; cheap to clone.
pub struct InferenceService<B: GatewayBus, P: Packs> {
    supervisor: Supervisor,
    desk: Arc<Desk<B, P>>,
    drain: Duration,
}

impl<B: GatewayBus, P: Packs> Clone for InferenceService<B, P> {
    fn clone(&self) -> Self {
        let (supervisor, desk) = (self.supervisor.clone(), Arc::clone(&self.desk));
        Self { supervisor, desk, drain: self.drain }
    }
}

impl<B: GatewayBus, P: Packs> InferenceService<B, P> {
    /// Starts the service under `parent`, if there is one.
    ///
    /// Returns before questions are heard; see [`Self::ready`].
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start(
        bus: B,
        gateway: Gateway<P>,
        options: ServiceOptions,
        parent: Option<ActorCell>,
    ) -> Result<Self, StartError> {
        let slots = Slots::new(options.calls_max, options.queue_max);
        let desk = Arc::new(Desk { bus, gateway, slots, subscribed: watch::Sender::new(false) });
        let (asks, words, beat) = (Arc::clone(&desk), Arc::clone(&desk), Arc::clone(&desk));
        let children = vec![
            Child::job("asks", move || hear_asks(Arc::clone(&asks))),
            Child::job("words", move || hear_words(Arc::clone(&words))),
            Child::job("beat", move || say_words(Arc::clone(&beat))),
        ];
        let supervision = supervise::Options {
            grace: Duration::from_secs(5),
            stop: StopOrder::Together,
            ..supervise::Options::default()
        };
        let supervisor = Supervisor::start("inference", supervision, children, parent).await?;
        Ok(Self { supervisor, desk, drain: options.drain })
    }

    /// Waits until questions are heard; false when that is not so after `within`.
    pub async fn ready(&self, within: Duration) -> bool {
        let mut subscribed = self.desk.subscribed.subscribe();
        matches!(timeout(within, subscribed.wait_for(|is| *is)).await, Ok(Ok(_)))
    }

    /// How the service does; `None` when the supervisor does not answer within `within`.
    pub async fn inspect(&self, within: Duration) -> Option<InferenceSnapshot> {
        let supervisor = self.supervisor.inspect(within).await?;
        let (calls, gateways) = (self.desk.slots.taken(), self.desk.gateway.fleet().live());
        Some(InferenceSnapshot { supervisor, calls, gateways })
    }

    /// Hears no more questions, lets calls in flight end, and stops.
    pub async fn stop(&self) {
        self.supervisor.stop().await;
        if timeout(self.drain, self.desk.slots.empty()).await.is_err() {
            let calls = self.desk.slots.taken();
            tracing::warn!(calls, "calls were still in flight when the gateway stopped");
        }
        // Best effort: the others notice the silence.
        let _ = self.desk.bus.tell(self.desk.gateway.word(true)).await;
    }

    /// The service as somebody's child.
    #[must_use]
    pub fn cell(&self) -> ActorCell {
        self.supervisor.cell()
    }
}

async fn hear_asks<B: GatewayBus, P: Packs>(desk: Arc<Desk<B, P>>) -> JobResult {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    loop {
        let error = match listen(&desk, &mut backoff).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        tracing::warn!(%error, "questions are not heard, listening again");
        desk.subscribed.send_replace(false);
        backoff.pause().await;
    }
}

async fn listen<B: GatewayBus, P: Packs>(
    desk: &Arc<Desk<B, P>>,
    backoff: &mut Backoff,
) -> Result<Infallible, BusError> {
    let mut asks = desk.bus.asks().await?;
    desk.subscribed.send_replace(true);
    loop {
        for Asked { request, reply } in asks.next().await? {
            let desk = Arc::clone(desk);
            match desk.admit(request) {
                Ok((request, slot)) => {
                    let span = tracing::debug_span!(
                        "model_call", task = %request.task, step = %request.step,
                        role = %request.role, alias = %request.alias
                    );
                    trace::adopt(&span, request.trace.as_deref());
                    let call = async move { desk.serve(request, slot, &reply).await };
                    // Its end is told to whoever asked.
                    drop(task::spawn("model call", call.instrument(span)));
                }
                Err(refusal) => {
                    let refuse = async move { desk.bus.reply(&reply, Err(refusal)).await };
                    drop(task::spawn("model refusal", refuse));
                }
            }
        }
        *backoff = Backoff::new(RETRY.0, RETRY.1);
    }
}

impl<B: GatewayBus, P: Packs> Desk<B, P> {
    /// Finds room for a question, or says why there is none.
    fn admit(
        &self,
        request: Result<ModelRequest, String>,
    ) -> Result<(ModelRequest, Slot), ModelFailure> {
        let request = request.map_err(|why| failed(FailureKind::InvalidInput, &why))?;
        match self.slots.take(&request.tenant) {
            Some(slot) => Ok((request, slot)),
            None => {
                let text =
                    "the inference gateway is full: add gateways, or lower the roles' concurrency";
                let mut refusal = failed(FailureKind::RateLimited, text);
                refusal.failure.retry_after = Some(COME_AGAIN);
                Err(refusal)
            }
        }
    }

    /// Answers one question, whatever happens.
    async fn serve(&self, request: ModelRequest, slot: Slot, reply: &B::Reply) {
        let asked = Instant::now();
        let until = asked + request.time_left;
        let work = async {
            let Ok(Some(_turn)) = timeout_at(until, slot.turn()).await else {
                return Err(failed(
                    FailureKind::Timeout,
                    "the inference gateway had no turn for it",
                ));
            };
            let time_left = until.saturating_duration_since(Instant::now());
            self.answer(ModelRequest { time_left, ..request }).await
        };
        let work = AssertUnwindSafe(work).catch_unwind();
        let mut work = std::pin::pin!(work);
        let mut beat = interval_at(asked + GATEWAY_BEAT, GATEWAY_BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let outcome = loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                _ = beat.tick() => self.bus.working(reply).await,
            }
        };
        let outcome = outcome.unwrap_or_else(|panic| {
            tracing::error!(reason = task::panic_text(&*panic), "model call panicked");
            Err(failed(FailureKind::Panic, "the inference gateway panicked: see its log"))
        });
        let outcome = outcome.map(|answer| ModelAnswer { took: asked.elapsed(), ..answer });
        self.bus.reply(reply, outcome).await;
    }

    /// Asks the gateway, and publishes the parts if anybody follows.
    async fn answer(&self, request: ModelRequest) -> Result<ModelAnswer, ModelFailure> {
        if !request.is_followed {
            return self.gateway.answer(&request, &|_| {}).await;
        }
        let (sender, parts) = mpsc::channel(SOUNDS_MAX);
        let whole = Part {
            task: request.task.clone(),
            step: request.step.clone(),
            key: request.key.clone(),
            offset: 0,
            text: String::new(),
            is_end: true,
        };
        let (like, offset) = (whole.clone(), AtomicU64::new(0));
        let heard = move |sound: Sound<'_>| match sound {
            Sound::Begin => offset.store(0, Ordering::Relaxed),
            Sound::Text(text) => {
                let bytes = text.len() as u64;
                let offset = offset.fetch_add(bytes, Ordering::Relaxed);
                let part = Part { offset, text: text.to_owned(), is_end: false, ..like.clone() };
                // One that does not fit is lost: the offset of the next one shows it.
                let _ = sender.try_send(part);
            }
        };
        let answer = async {
            let answer = self.gateway.answer(&request, &heard).await;
            drop(heard);
            answer
        };
        let (answer, ()) = tokio::join!(answer, self.publish(parts));
        let offset = answer.as_ref().map_or(0, |answer| answer.said.text.len() as u64);
        self.bus.said(Part { offset, ..whole }).await;
        answer
    }

    /// Publishes what is heard until nothing more can be.
    async fn publish(&self, mut parts: mpsc::Receiver<Part>) {
        while let Some(part) = parts.recv().await {
            self.bus.said(part).await;
        }
    }
}

async fn hear_words<B: GatewayBus, P: Packs>(desk: Arc<Desk<B, P>>) -> JobResult {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    loop {
        let error = match heed(&desk, &mut backoff).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        tracing::debug!(%error, "the other gateways are not heard, listening again");
        backoff.pause().await;
    }
}

async fn heed<B: GatewayBus, P: Packs>(
    desk: &Desk<B, P>,
    backoff: &mut Backoff,
) -> Result<Infallible, BusError> {
    let mut words = desk.bus.words().await?;
    loop {
        for word in words.next().await? {
            desk.gateway.hear(word);
        }
        *backoff = Backoff::new(RETRY.0, RETRY.1);
    }
}

async fn say_words<B: GatewayBus, P: Packs>(desk: Arc<Desk<B, P>>) -> JobResult {
    loop {
        if let Err(error) = desk.bus.tell(desk.gateway.word(false)).await {
            tracing::debug!(%error, "the other gateways were not told");
        }
        desk.gateway.fleet().news(WORD_EVERY).await;
    }
}

fn failed(kind: FailureKind, text: &str) -> ModelFailure {
    let (failure, cost, passed) = (Failure::new(kind, text), Grant::default(), Vec::new());
    ModelFailure { failure, cost, passed }
}
