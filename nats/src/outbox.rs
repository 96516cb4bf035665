//! Everything that leaves this process as a message: goals, orders, reports, answers, dead letters.
//!
//! Each is confirmed by its stream. What must be there once is guarded by "this
//! subject holds nothing yet", so repeating it is harmless.

mod letter;
mod wish;

use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use cadre_core::{
    ids::{Name, Partition, TaskId},
    payload::{BlobRef, Payload},
    ports::{BusError, DeadLetter, OrderTerms},
    task::{Answer, Goal, Order, Report},
};
use cadre_proto::{
    ContentType, SCHEMA, goal,
    header::{self, Grant, WorkHeaders},
    order::{self, Contracts},
    report,
    subject::{self, Attempt},
};
use serde_json::json;

use crate::{
    blobs::Blobs,
    bus::{Streams, attempt_of, body, pairs},
    delivery::Stamp,
    publish::{EXPECTED, Outgoing, Published},
    topology::GOALS_STREAM,
};

/// Longest header value that is copied into a dead letter.
const HEADER_BYTES_MAX: usize = 1_024;

/// Publisher of everything but log records.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    streams: Streams,
    blobs: Blobs,
}

impl Outbox {
    pub(crate) fn new(streams: Streams, blobs: Blobs) -> Self {
        Self { streams, blobs }
    }

    /// Publishes; a guard that does not hold means that the message is there already.
    async fn once(&self, subject: String, headers: HeaderMap, body: Bytes) -> Result<(), BusError> {
        self.first(subject, headers, body).await.map(|_| ())
    }

    async fn first(
        &self,
        subject: String,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Published, BusError> {
        headers.insert(EXPECTED, "0");
        self.streams.publisher.publish(Outgoing { subject, headers, body }).await
    }

    /// Keeps a large document before a message may name it.
    async fn keep(&self, payload: &Payload) -> Result<(), BusError> {
        if payload.blob().is_some() {
            Box::pin(self.blobs.put(payload)).await?;
        }
        Ok(())
    }

    /// Hands an admitted goal to its partition.
    pub(crate) async fn submit(&self, goal: &Goal) -> Result<(), BusError> {
        self.keep(&goal.input).await?;
        let partition = self.streams.partition(&goal.task);
        let subject = subject::goal(partition, &goal.tenant, &goal.task);
        let headers = typed(ContentType::Protobuf, goal.trace.as_deref());
        let body = goal::encode(goal, ContentType::Protobuf).map_err(refused)?;
        self.streams.publisher.publish(Outgoing { subject, headers, body }).await.map(|_| ())
    }

    /// Publishes a work order unless it is there already.
    pub(crate) async fn order(
        &self,
        order: &Order,
        terms: &OrderTerms,
        trace: Option<String>,
    ) -> Result<(), BusError> {
        self.keep(&order.input).await?;
        let attempt = attempt_of(order);
        let subject = subject::work(self.streams.partition(&attempt.task), &attempt);
        let content = if terms.is_remote { ContentType::Json } else { ContentType::Protobuf };
        let contracts = Contracts { accepts: &terms.accepts, returns: &terms.returns };
        let body = order::encode(order, contracts, content).map_err(refused)?;
        let left = order.deadline.since(self.streams.clock.now());
        let mut headers = typed(content, trace.as_deref());
        headers.insert(header::TIMEOUT_MS, left.as_millis().to_string());
        if terms.is_remote {
            let key = order.idempotency_key();
            let plain = plain_headers(order, terms, &key, left, trace.as_deref());
            for (name, value) in plain.encode().map_err(refused)? {
                headers.insert(name, value.as_ref());
            }
        }
        self.once(subject, headers, body).await
    }

    /// Publishes the report of one order; the first one stands.
    pub(crate) async fn report(
        &self,
        task: &TaskId,
        report: &Report,
        trace: Option<String>,
    ) -> Result<(), BusError> {
        if let Some(payload) = report.outcome.payload() {
            self.keep(payload).await?;
        }
        let partition = self.streams.partition(task);
        let attempt = Attempt {
            role: report.role.clone(),
            task: task.clone(),
            step: report.step.clone(),
            number: report.attempt,
        };
        let subject = subject::report(partition, &attempt);
        let headers = typed(ContentType::Protobuf, trace.as_deref());
        let body = report::encode(task, report, ContentType::Protobuf).map_err(refused)?;
        match self.first(subject, headers, body).await? {
            // One that was repeated here is refused for its own sake.
            Published::Stored(_) | Published::Refused { repeated: true, .. } => {}
            Published::Refused { repeated: false, .. } => tracing::warn!(
                %task, step = %report.step, attempt = report.attempt,
                "report was refused, one of this attempt stands already"
            ),
        }
        Ok(())
    }

    /// Publishes the end of a task.
    pub(crate) async fn answer(&self, answer: &Answer) -> Result<(), BusError> {
        let goal = &answer.goal;
        let subject = subject::answer(&goal.tenant, &goal.workflow, &goal.task);
        let headers = typed(ContentType::Json, goal.trace.as_deref());
        let body = match Box::pin(self.blobs.put(&answer.document)).await? {
            None => body(&answer.document),
            // Too large for a message: its reader finds it in the object store, or in the log.
            Some(BlobRef { hash, size_bytes }) => {
                let reference = json!({"$blob": {"sha256": hash.to_string(), "size": size_bytes}});
                Bytes::from(reference.to_string())
            }
        };
        self.once(subject, headers, body).await
    }

    /// Tells a tenant's publishers why a goal will not be done. Heard by whoever listens now; the
    /// dead letter is what stays.
    pub(crate) async fn reject(&self, tenant: &Name, document: &Payload) -> Result<(), BusError> {
        let mut headers = typed(ContentType::Json, None);
        // The subject lies inside the goal stream's: this keeps the answer out of the intake.
        headers.insert("Nats-Expected-Stream", "none");
        let subject = subject::rejected(tenant);
        let client = &self.streams.client;
        let sent = client.publish_with_headers(subject, headers, body(document)).await;
        sent.map_err(|error| BusError::Unavailable(format!("answer to {tenant}: {error}")))
    }

    /// Whether the stream of this family holds a message on `subject`.
    pub(crate) async fn holds(
        &self,
        family: &str,
        partition: Partition,
        subject: &str,
    ) -> Result<bool, BusError> {
        use async_nats::jetstream::stream::LastRawMessageErrorKind as Kind;
        let name = self.streams.name(family, partition);
        let unavailable = |error: &dyn std::fmt::Display| {
            BusError::Unavailable(format!("look at {subject}: {error}"))
        };
        let stream =
            self.streams.js.get_stream_no_info(&name).await.map_err(|error| unavailable(&error))?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), Kind::NoMessageFound) => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Keeps a message that means nothing, as it came.
    pub(crate) async fn bury(
        &self,
        partition: Partition,
        message: &async_nats::Message,
        reason: &str,
    ) -> Result<(), BusError> {
        let stamp = Stamp::of(message).ok_or_else(|| refused("it is no delivery"))?;
        let source = format!("{}.{}", stamp.stream.to_ascii_lowercase(), stamp.sequence);
        let kind = if stamp.stream == GOALS_STREAM { "goal" } else { "input" };
        self.letter(&DeadLetter {
            partition,
            kind,
            source,
            reason: reason.to_owned(),
            deliveries: stamp.deliveries,
            subject: message.subject.to_string(),
            headers: pairs(message.headers.as_ref()),
            body: message.payload.to_vec(),
        })
        .await
    }

    /// Keeps a dead letter, once.
    pub(crate) async fn letter(&self, letter: &DeadLetter) -> Result<(), BusError> {
        let kind = Name::new(letter.kind).map_err(refused)?;
        let subject = subject::dead(letter.partition, &kind, &letter.source);
        let mut headers = letter::headers(letter);
        let body = letter::body(&self.blobs, &mut headers, letter).await?;
        self.once(subject, headers, body).await
    }
}

/// Headers of a message of ours that says what it is.
fn typed(content_type: ContentType, trace: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", content_type.as_str());
    if let Some(trace) = trace {
        headers.insert("traceparent", one_line(trace));
    }
    headers
}

/// Everything that a worker in any language may want to see without reading the body.
fn plain_headers<'a>(
    order: &'a Order,
    terms: &'a OrderTerms,
    key: &'a str,
    left: Duration,
    trace: Option<&'a str>,
) -> WorkHeaders<'a> {
    WorkHeaders {
        attempt: attempt_of(order),
        user: order.goal.user.as_deref(),
        deadline: order.deadline,
        timeout: left.max(Duration::from_millis(1)),
        contract_in: &terms.accepts,
        contract_out: &terms.returns,
        hop: 1,
        grant: Grant { tokens: order.grant.tokens, usd_micros: order.grant.usd_micros, steps: 0 },
        idempotency_key: key,
        traceparent: trace,
        tracestate: None,
        schema: SCHEMA,
        content: ContentType::Json,
    }
}

fn refused(error: impl std::fmt::Display) -> BusError {
    BusError::Refused(error.to_string())
}

/// A text as a header value: one line of printable ASCII, at most [`HEADER_BYTES_MAX`] bytes.
fn one_line(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().take(HEADER_BYTES_MAX).map(safe).collect()
}
