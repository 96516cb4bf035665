//! Questions to models on plain NATS: the worker's side, and the gateway's.
//!
//! ```text
//!  worker ── cadre.infer.<tenant>, reply to an inbox of its own ──► one gateway of the group
//!         ◄── empty: still at work, every 2 s ──
//!         ◄── the answer ──
//! ```
//!
//! Nothing is stored. A question that nobody heard is asked again; one that was heard is not, since it may
//! be paid for already: a gateway that falls silent is a failure, and the journal knows what it may cost.

use std::time::Duration;

use async_nats::{HeaderMap, Message, StatusCode, Subject as NatsSubject, Subscriber};
use bytes::Bytes;
use cadre_core::{
    ids::{Name, StepId, TaskId},
    limits::{BUS_GAP_MAX, GATEWAY_SILENCE_MAX, MESSAGE_BYTES_MAX},
    model::{
        ModelAnswer, ModelFailure, ModelRequest,
        gateway::{Asked, GatewayBus, Part, Word},
    },
    ports::{BusError, Inbox, Models},
    task::{Failure, FailureKind},
    workflow::Grant,
};
use cadre_proto::{
    ContentType, header,
    model::{self, Envelope},
    subject::infer,
};
use futures::{StreamExt as _, future::ready, stream::BoxStream};
use tokio::time::{Instant, sleep, timeout_at};

use crate::bus::{JetStreamBus, Streams, header as header_of};

/// The pause before a question that nobody heard is asked again: a gateway is being replaced.
const UNHEARD_PAUSE: Duration = Duration::from_millis(200);

/// Questions that one look takes together.
const BATCH: usize = 64;

/// Answers go to inboxes only: a question must not make us write elsewhere.
const INBOX: &str = "_INBOX.";

impl Models for JetStreamBus {
    async fn ask(&self, request: ModelRequest) -> Result<ModelAnswer, ModelFailure> {
        let body = model::encode_ask(&request);
        if body.len() > MESSAGE_BYTES_MAX {
            let text = format!(
                "prompt of {} bytes is larger than {MESSAGE_BYTES_MAX}: give the role less context",
                body.len()
            );
            return Err(failed(FailureKind::InvalidInput, &text));
        }
        let asked = Instant::now();
        let until = asked + request.time_left;
        loop {
            let heard = once(self.streams(), &request, body.clone(), until).await;
            let Some(heard) = heard? else {
                if Instant::now() + UNHEARD_PAUSE >= until.min(asked + BUS_GAP_MAX) {
                    let text = "no inference gateway answers: start `cadre serve --role inference`";
                    return Err(failed(FailureKind::Unavailable, text));
                }
                sleep(UNHEARD_PAUSE).await;
                continue;
            };
            return model::decode_reply(&heard).unwrap_or_else(|error| {
                Err(lost(FailureKind::Undecodable, &error.to_string(), &request))
            });
        }
    }
}

/// Asks once; `None` when there is nobody to hear it.
async fn once(
    streams: &Streams,
    request: &ModelRequest,
    body: Bytes,
    until: Instant,
) -> Result<Option<Bytes>, ModelFailure> {
    let unsent = |error: &dyn std::fmt::Display| {
        failed(FailureKind::Unavailable, &format!("ask the inference gateway: {error}"))
    };
    let client = &streams.client;
    let inbox = client.new_inbox();
    let mut replies = client.subscribe(inbox.clone()).await.map_err(|error| unsent(&error))?;
    let headers = headers(request, until.saturating_duration_since(Instant::now()));
    let subject = infer::ask(&request.tenant);
    let sent = client.publish_with_reply_and_headers(subject, inbox, headers, body).await;
    sent.map_err(|error| unsent(&error))?;
    loop {
        let silent_at = Instant::now() + GATEWAY_SILENCE_MAX;
        match timeout_at(silent_at.min(until), replies.next()).await {
            Ok(Some(reply)) if reply.status == Some(StatusCode::NO_RESPONDERS) => return Ok(None),
            Ok(Some(reply)) if reply.payload.is_empty() => {}
            Ok(Some(reply)) => return Ok(Some(reply.payload)),
            Err(_) if silent_at >= until => {
                let text = "the inference gateway had no answer in the time of the attempt";
                return Err(lost(FailureKind::Timeout, text, request));
            }
            Ok(None) | Err(_) => {
                let text = "the inference gateway has fallen silent";
                return Err(lost(FailureKind::Unavailable, text, request));
            }
        }
    }
}

fn headers(request: &ModelRequest, left: Duration) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", ContentType::Protobuf.as_str());
    headers.insert(header::TIMEOUT_MS, left.as_millis().max(1).to_string());
    if let Some(trace) = request.trace.as_deref().filter(|trace| trace.is_ascii()) {
        headers.insert(header::TRACEPARENT, trace.replace(['\r', '\n'], ""));
    }
    headers
}

/// Nothing was asked.
fn failed(kind: FailureKind, text: &str) -> ModelFailure {
    let (failure, cost, passed) = (Failure::new(kind, text), Grant::default(), Vec::new());
    ModelFailure { failure, cost, passed }
}

/// It was asked, and nobody knows what came of it: it counts as what it may have cost.
fn lost(kind: FailureKind, text: &str, request: &ModelRequest) -> ModelFailure {
    ModelFailure { cost: request.grant, ..failed(kind, text) }
}

/// Where an answer goes.
#[derive(Debug, Clone)]
pub struct ReplyTo(NatsSubject);

/// Questions, each heard by one gateway of the fleet.
#[derive(Debug)]
pub struct AskInbox(Subscriber);

/// What gateways tell each other.
#[derive(Debug)]
pub struct WordInbox(Subscriber);

/// What has come by now; waits for the first.
async fn batch(subscriber: &mut Subscriber) -> Result<Vec<Message>, BusError> {
    let gone = || BusError::Unavailable("the subscription has ended".to_owned());
    subscriber.ready_chunks(BATCH).next().await.ok_or_else(gone)
}

impl Inbox<Asked<ReplyTo>> for AskInbox {
    async fn next(&mut self) -> Result<Vec<Asked<ReplyTo>>, BusError> {
        let messages = batch(&mut self.0).await?;
        Ok(messages.iter().filter_map(asked).collect())
    }
}

/// `None` when nobody waits for an answer.
fn asked(message: &Message) -> Option<Asked<ReplyTo>> {
    let reply = message.reply.clone().filter(|reply| reply.starts_with(INBOX))?;
    Some(Asked { request: read(message), reply: ReplyTo(reply) })
}

fn read(message: &Message) -> Result<ModelRequest, String> {
    let tenant: Name = infer::tenant(&message.subject).ok_or("the subject names no tenant")?;
    let millis = header_of(message, header::TIMEOUT_MS).and_then(|text| text.parse().ok());
    let millis = millis.ok_or_else(|| format!("header {} is missing", header::TIMEOUT_MS))?;
    let trace = header_of(message, header::TRACEPARENT).map(str::to_owned);
    let envelope = Envelope { tenant, time_left: Duration::from_millis(millis), trace };
    model::decode_ask(&message.payload, envelope).map_err(|error| error.to_string())
}

impl Inbox<Word> for WordInbox {
    async fn next(&mut self) -> Result<Vec<Word>, BusError> {
        let messages = batch(&mut self.0).await?;
        Ok(messages
            .iter()
            .filter_map(|message| model::decode_word(&message.payload).ok())
            .collect())
    }
}

impl GatewayBus for JetStreamBus {
    type Reply = ReplyTo;
    type Asks = AskInbox;
    type Words = WordInbox;

    async fn asks(&self) -> Result<AskInbox, BusError> {
        let client = &self.streams().client;
        let subscribed = client.queue_subscribe(infer::ALL, infer::GROUP.to_owned()).await;
        subscribed.map(AskInbox).map_err(unavailable)
    }

    async fn reply(&self, to: &ReplyTo, outcome: Result<ModelAnswer, ModelFailure>) {
        let mut body = model::encode_reply(&outcome);
        if body.len() > MESSAGE_BYTES_MAX {
            body = model::encode_reply(&Err(too_large(body.len(), outcome)));
        }
        self.send(to.0.clone(), body).await;
    }

    async fn working(&self, to: &ReplyTo) {
        self.send(to.0.clone(), Bytes::new()).await;
    }

    async fn said(&self, part: Part) {
        let streams = self.streams();
        let subject = infer::said(streams.partition(&part.task), &part.task, &part.step);
        match model::encode_part(&part) {
            Ok(body) => self.send(subject.into(), body).await,
            Err(error) => tracing::debug!(%error, "part of an answer was not published"),
        }
    }

    async fn words(&self) -> Result<WordInbox, BusError> {
        let subscribed = self.streams().client.subscribe(infer::WORDS).await;
        subscribed.map(WordInbox).map_err(unavailable)
    }

    async fn tell(&self, word: Word) -> Result<(), BusError> {
        let body = model::encode_word(&word);
        self.streams().client.publish(infer::WORDS, body).await.map_err(unavailable)
    }
}

impl JetStreamBus {
    /// Parts of the answers that models give for `task`, from now on. They are on plain NATS: what nobody hears
    /// is gone, and a reader that is slow loses some.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn parts(&self, task: &TaskId) -> Result<BoxStream<'static, Part>, BusError> {
        let streams = self.streams();
        let subject = infer::said_of(streams.partition(task), task);
        let messages = streams.client.subscribe(subject).await.map_err(unavailable)?;
        // Otherwise what is said at once is not heard.
        streams.client.flush().await.map_err(unavailable)?;
        let task = task.clone();
        let part = move |message: Message| {
            let step = StepId::parse(message.subject.rsplit('.').next()?).ok()?;
            let (key, offset, text, is_end) = model::decode_part(&message.payload).ok()?;
            Some(Part { task: task.clone(), step, key, offset, text, is_end })
        };
        Ok(messages.filter_map(move |message| ready(part(message))).boxed())
    }

    /// Best effort: whoever waits asks again.
    async fn send(&self, subject: NatsSubject, body: Bytes) {
        if let Err(error) = self.streams().client.publish(subject, body).await {
            tracing::debug!(%error, "message of the gateway was not sent");
        }
    }
}

/// An answer that no message takes has cost what it has cost.
fn too_large(bytes: usize, outcome: Result<ModelAnswer, ModelFailure>) -> ModelFailure {
    let text = format!(
        "answer of {bytes} bytes is larger than {MESSAGE_BYTES_MAX}: allow fewer output tokens"
    );
    let (cost, passed) = match outcome {
        Ok(answer) => (answer.cost, answer.choice.passed),
        Err(failure) => (failure.cost, Vec::new()),
    };
    ModelFailure { failure: Failure::new(FailureKind::InvalidOutput, &text), cost, passed }
}

fn unavailable(error: impl std::fmt::Display) -> BusError {
    BusError::Unavailable(error.to_string())
}
