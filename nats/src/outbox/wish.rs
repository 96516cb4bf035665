//! What people want of a task: cancels, controls and decisions.
//!
//! Each is checked by its own reader before it is sent: what a partition could not read would become
//! a dead letter, and whoever sent it would wait in vain.

use bytes::Bytes;
use cadre_core::{
    ids::{Name, TaskId},
    journal::CallRuling,
    payload::{Hash, Payload},
    ports::BusError,
    task::{Cancel, Control, Decision, Ruling, clip},
};
use cadre_proto::{Blobs, ContentType, cancel, control, decision, header::MSG_ID, subject};

use super::{Outbox, refused, typed};
use crate::publish::{Outgoing, Published};

/// Who we are when a person's wish has no other source.
const SOURCE: &str = "cli";

impl Outbox {
    /// Asks a task's partition to end it; gives the sequence of the wish in its stream.
    pub(crate) async fn cancel(
        &self,
        task: &TaskId,
        by: &str,
        reason: &str,
    ) -> Result<u64, BusError> {
        let subject = subject::cancel(self.streams.partition(task), &source()?, task);
        let wish = Cancel { by: clip(by), reason: clip(reason) };
        let headers = typed(ContentType::Protobuf, None);
        let body = cancel::encode(&wish, ContentType::Protobuf).map_err(refused)?;
        stored(self.streams.publisher.publish(Outgoing { subject, headers, body }).await?)
    }

    /// Asks a task's partition to steer it; gives the sequence of the wish in its stream.
    pub(crate) async fn control(&self, task: &TaskId, wish: &Control) -> Result<u64, BusError> {
        let subject = subject::control(self.streams.partition(task), &source()?, task);
        let body = control::encode(wish, ContentType::Protobuf).map_err(refused)?;
        control::decode(&body, ContentType::Protobuf).map_err(refused)?;
        self.wish(subject, body).await
    }

    /// Hands a person's decision to its task; gives its sequence in its stream.
    pub(crate) async fn decide(&self, task: &TaskId, wish: &Decision) -> Result<u64, BusError> {
        let changed = match &wish.ruling {
            Ruling::GrantWith(content) => Some(content),
            Ruling::Call(CallRuling::Happened(result)) => Some(result),
            Ruling::Grant | Ruling::Deny | Ruling::Call(CallRuling::DidNot) => None,
        };
        let subject = subject::decision(self.streams.partition(task), &source()?, task);
        let body = decision::encode(wish, ContentType::Protobuf).map_err(refused)?;
        let parsed = decision::parse(&body, ContentType::Protobuf).map_err(refused)?;
        parsed.into_core(&known(changed)).map_err(refused)?;
        if let Some(content) = changed {
            self.keep(content).await?;
        }
        self.wish(subject, body).await
    }

    /// Whether the wish at `sequence` of the task's input stream is still on its way.
    pub(crate) async fn is_pending(&self, task: &TaskId, sequence: u64) -> Result<bool, BusError> {
        use async_nats::jetstream::stream::RawMessageErrorKind as Kind;
        let name = self.streams.name("CADRE_IN", self.streams.partition(task));
        let unavailable = |error: &dyn std::fmt::Display| {
            BusError::Unavailable(format!("look at message {sequence} of {name}: {error}"))
        };
        let stream = self.streams.js.get_stream_no_info(&name).await;
        match stream.map_err(|error| unavailable(&error))?.get_raw_message(sequence).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), Kind::NoMessageFound) => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Publishes a wish. The same one again within the stream's duplicate window is the same
    /// message, also one that is repeated because its confirmation was lost.
    async fn wish(&self, subject: String, body: Bytes) -> Result<u64, BusError> {
        let mut headers = typed(ContentType::Protobuf, None);
        let name = [subject.as_bytes(), b" ", &body].concat();
        headers.insert(MSG_ID, Hash::of(&name).to_string());
        stored(self.streams.publisher.publish(Outgoing { subject, headers, body }).await?)
    }
}

fn stored(published: Published) -> Result<u64, BusError> {
    match published {
        Published::Stored(sequence) => Ok(sequence),
        Published::Refused { .. } => Err(refused("a wish has no guard that could fail")),
    }
}

fn source() -> Result<Name, BusError> {
    Name::new(SOURCE).map_err(refused)
}

/// The document that a message will refer to, as if it was fetched already.
fn known(content: Option<&Payload>) -> Blobs {
    let large = |content: &Payload| content.blob().map(|blob| (blob.hash, content.clone()));
    content.and_then(large).into_iter().collect()
}
