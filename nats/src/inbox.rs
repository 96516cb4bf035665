//! What arrives for the orchestrator: inputs of one partition, and goals as published.

use std::collections::BTreeMap;

use async_nats::Message;
use bytes::Bytes;
use cadre_core::{
    ids::{Partition, TaskId},
    payload::{BlobRef, Hash, Payload},
    ports::{BusError, Delivery, Inbox, RawGoal},
    task::{Decision, Failure, FailureKind, Goal, Input, Outcome, Report, Usage},
};
use cadre_proto::{
    ContentType, DecodeError, cancel, control, decision, goal, report,
    subject::{Attempt, Subject},
};
use serde_json::json;

use crate::{
    backlog::Backlog,
    blobs::{BlobError, Blobs},
    bus::{Streams, header, pairs},
    delivery::{Receipt, Stamp},
    pull::Pull,
    topology::OWNER_GROUP,
};

/// Inputs asked for at once; the consumer's ack limit is higher.
const INPUTS_ROOM: usize = 1_024;

/// Goals asked for at once.
const GOALS_ROOM: usize = 256;

/// Inputs of one partition.
pub struct InputInbox {
    pull: Pull,
    blobs: Blobs,
    streams: Streams,
}

impl InputInbox {
    pub(crate) async fn open(
        streams: &Streams,
        blobs: &Blobs,
        partition: Partition,
    ) -> Result<Self, BusError> {
        let stream = streams.name("CADRE_IN", partition);
        let pull = Pull::open(streams, stream, format!("p{partition}"), Some(OWNER_GROUP)).await?;
        Ok(Self { pull: pull.of_queue(), blobs: blobs.clone(), streams: streams.clone() })
    }
}

impl Inbox<Delivery<Receipt>> for InputInbox {
    async fn next(&mut self) -> Result<Vec<Delivery<Receipt>>, BusError> {
        let messages = self.pull.next(INPUTS_ROOM).await?;
        let mut batch = Vec::with_capacity(messages.len());
        for message in messages {
            let Some(stamp) = Stamp::of(&message) else { continue };
            self.streams.clock.observe(stamp.stored_at);
            let Stamp { sequence, stored_at, deliveries, .. } = stamp;
            // A blob that cannot be read now leaves the message to be delivered again.
            match decode(&self.blobs, &message).await {
                Ok(content) => batch.push(Delivery {
                    content,
                    trace: header(&message, "traceparent").map(str::to_owned),
                    sequence,
                    stored_at,
                    deliveries,
                    receipt: Receipt::new(message),
                }),
                Err(error) => {
                    tracing::warn!(subject = %message.subject, %error, "input was not read")
                }
            }
        }
        Ok(batch)
    }
}

/// The inner error is a message that means nothing, the outer one a bus that does not answer, or a
/// message that is for a newer build.
async fn decode(
    blobs: &Blobs,
    message: &Message,
) -> Result<Result<(TaskId, Input), String>, BusError> {
    let subject = match Subject::parse(&message.subject) {
        Ok(subject) => subject,
        Err(error) => return Ok(Err(error.to_string())),
    };
    match subject {
        Subject::InTimer(_, task) => Ok(Ok((task, Input::Due))),
        Subject::InCancel { task, .. } => {
            Ok(parsed(message, cancel::decode)?.map(|cancel| (task, Input::Cancel(cancel))))
        }
        Subject::InControl { task, .. } => {
            Ok(parsed(message, control::decode)?.map(|control| (task, Input::Control(control))))
        }
        Subject::InDecision { task, .. } => {
            let decision = decode_decision(blobs, message).await?;
            Ok(decision.map(|decision| (task, Input::Decision(decision))))
        }
        Subject::InGoal { task, .. } => {
            Ok(decode_goal(blobs, message).await?.map(|goal| (task, Input::Goal(goal.into()))))
        }
        Subject::InReport(_, attempt) => {
            let report = decode_report(blobs, message, &attempt).await?;
            // A report that cannot be read still ends the attempt: nobody else will report.
            let report = report.unwrap_or_else(|why| undecodable(&attempt, &why, message));
            Ok(Ok((attempt.task, Input::Report(report))))
        }
        Subject::Log(..)
        | Subject::Timer(..)
        | Subject::Due(..)
        | Subject::Stop(..)
        | Subject::Dead { .. }
        | Subject::Work(..)
        | Subject::Run { .. }
        | Subject::Goals(_)
        | Subject::Rejected(_)
        | Subject::Answer { .. } => Ok(Err("subject is none of an input".to_owned())),
    }
}

async fn decode_goal(blobs: &Blobs, message: &Message) -> Result<Result<Goal, String>, BusError> {
    let parsed = match parsed(message, goal::parse)? {
        Ok(parsed) => parsed,
        Err(why) => return Ok(Err(why)),
    };
    match fetch(blobs, parsed.needed()).await? {
        Ok(found) => Ok(parsed.into_core(&found).map_err(text)),
        Err(why) => Ok(Err(why)),
    }
}

async fn decode_decision(
    blobs: &Blobs,
    message: &Message,
) -> Result<Result<Decision, String>, BusError> {
    let parsed = match parsed(message, decision::parse)? {
        Ok(parsed) => parsed,
        Err(why) => return Ok(Err(why)),
    };
    match fetch(blobs, parsed.needed()).await? {
        Ok(found) => Ok(parsed.into_core(&found).map_err(text)),
        Err(why) => Ok(Err(why)),
    }
}

async fn decode_report(
    blobs: &Blobs,
    message: &Message,
    attempt: &Attempt,
) -> Result<Result<Report, String>, BusError> {
    let parsed = match parsed(message, report::parse)? {
        Ok(parsed) => parsed,
        Err(why) => return Ok(Err(why)),
    };
    let found = match fetch(blobs, parsed.needed()).await? {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    let received = match parsed.into_core(&found) {
        Ok(received) => received,
        Err(error) => return Ok(Err(error.to_string())),
    };
    Ok(received.check(attempt).map(|()| received.report).map_err(text))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Parses a message by its encoding; the inner error is one that means nothing. What is for a newer
/// build is an outer one: left to be delivered again, until somebody has it who can read it.
pub(crate) fn parsed<T>(
    message: &Message,
    parse: fn(&Bytes, ContentType) -> Result<T, DecodeError>,
) -> Result<Result<T, String>, BusError> {
    let content = match ContentType::of(header(message, "Content-Type"), &message.payload) {
        Ok(content) => content,
        Err(error) => return Ok(Err(error.to_string())),
    };
    match parse(&message.payload, content) {
        Ok(parsed) => Ok(Ok(parsed)),
        Err(error @ DecodeError::TooNew { .. }) => Err(BusError::Refused(error.to_string())),
        Err(
            error @ (DecodeError::Protobuf { .. }
            | DecodeError::Json { .. }
            | DecodeError::Field { .. }),
        ) => Ok(Err(error.to_string())),
    }
}

/// Fetches large documents; the inner error is one that is gone or not what its reference says.
pub(crate) async fn fetch(
    blobs: &Blobs,
    needed: &[BlobRef],
) -> Result<Result<BTreeMap<Hash, Payload>, String>, BusError> {
    let mut found = BTreeMap::new();
    for blob in needed {
        match Box::pin(blobs.get(*blob)).await {
            Ok(payload) => found.insert(blob.hash, payload),
            Err(BlobError::Bus(error)) => return Err(error),
            Err(error) => return Ok(Err(error.to_string())),
        };
    }
    Ok(Ok(found))
}

/// A failed report in place of one that cannot be read; what was sent is kept inside.
fn undecodable(attempt: &Attempt, why: &str, message: &Message) -> Report {
    let sent = match std::str::from_utf8(&message.payload) {
        Ok(sent) => json!({ "text": sent }),
        Err(_) => json!({ "hex": hex::encode(&message.payload) }),
    };
    let refused = Payload::from_value(sent).ok();
    let failure = Failure { refused, ..Failure::new(FailureKind::Undecodable, why) };
    Report {
        role: attempt.role.clone(),
        step: attempt.step.clone(),
        attempt: attempt.number,
        outcome: Outcome::Failed(failure),
        usage: Usage::default(),
        models: Vec::new(),
        degraded: None,
        worker: String::new(),
    }
}

/// Goals as published.
pub struct GoalInbox {
    pull: Pull,
    backlog: Backlog,
    streams: Streams,
    epoch: String,
}

impl GoalInbox {
    pub(crate) async fn open(streams: &Streams, backlog: &Backlog) -> Result<Self, BusError> {
        let name = "CADRE_GOALS";
        let stream = streams
            .js
            .get_stream(name)
            .await
            .map_err(|error| BusError::Unavailable(format!("stream {name}: {error}")))?;
        let epoch = stream.cached_info().created.unix_timestamp().to_string();
        let pull = Pull::open(streams, name.to_owned(), "intake".to_owned(), None).await?;
        let pull = pull.of_queue();
        Ok(Self { pull, backlog: backlog.clone(), streams: streams.clone(), epoch })
    }
}

impl Inbox<RawGoal<Receipt>> for GoalInbox {
    async fn next(&mut self) -> Result<Vec<RawGoal<Receipt>>, BusError> {
        let mut batch = Vec::new();
        let messages = self.pull.next(GOALS_ROOM).await?;
        if !messages.is_empty()
            && let Err(error) = self.backlog.look(&self.streams.js, &self.streams.topology).await
        {
            tracing::debug!(%error, "how much work waits is not known");
        }
        for message in messages {
            let Some(stamp) = Stamp::of(&message) else { continue };
            self.streams.clock.observe(stamp.stored_at);
            let Stamp { sequence, stored_at, deliveries, .. } = stamp;
            // Our own rejections never get in here: whoever publishes on their subjects means a goal,
            // and hears that the tenant is reserved.
            batch.push(RawGoal {
                subject: message.subject.to_string(),
                headers: pairs(message.headers.as_ref()),
                body: message.payload.to_vec(),
                sequence,
                stream_epoch: self.epoch.clone(),
                stored_at,
                deliveries,
                receipt: Receipt::new(message),
            });
        }
        Ok(batch)
    }
}
