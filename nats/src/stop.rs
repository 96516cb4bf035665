//! Stops work that nobody waits for any more: the task comes to its end, or a race is decided.
//!
//! Orders that nobody has taken are purged; whoever works on one hears of it on a plain
//! subject, outside every stream: the body names attempts as `<step>.<attempt>`, a line each, and
//! an empty one means all of the task. A worker that does not hear it (its connection was
//! down) goes on until its own time is over, and its report comes too late.

use async_nats::Subscriber;
use cadre_core::{
    ids::{StepId, TaskId},
    ports::{BusError, Inbox, Stopped},
    task::Stop,
};
use cadre_proto::subject::{self, Attempt, Subject};
use futures::StreamExt as _;

use crate::bus::Streams;

/// Words that one look takes together.
const BATCH: usize = 64;

/// Takes back what is not taken, and tells whoever works on the rest.
pub(crate) async fn say(
    streams: &Streams,
    task: &TaskId,
    attempts: &[Stop],
) -> Result<(), BusError> {
    let partition = streams.partition(task);
    let unavailable = |error: &dyn std::fmt::Display| BusError::Unavailable(error.to_string());
    let stream = streams.js.get_stream_no_info(streams.name("CADRE_WORK", partition)).await;
    let stream = stream.map_err(|error| unavailable(&error))?;
    let order = |stop: &Stop| {
        let (role, step, number) = (stop.role.clone(), stop.step.clone(), stop.attempt);
        subject::work(partition, &Attempt { role, task: task.clone(), step, number })
    };
    let orders = match attempts {
        [] => vec![subject::work_of(partition, task)],
        some => some.iter().map(order).collect(),
    };
    for order in orders {
        stream.purge().filter(order).await.map_err(|error| unavailable(&error))?;
    }
    let stop = subject::stop(partition, task);
    streams.client.publish(stop, body(attempts).into()).await.map_err(|error| unavailable(&error))
}

fn body(attempts: &[Stop]) -> String {
    let lines = attempts.iter().map(|stop| format!("{}.{}", stop.step, stop.attempt));
    lines.collect::<Vec<_>>().join("\n")
}

/// The attempts that a body names; what cannot be read is no attempt. `None` when nothing can be.
fn attempts(body: &[u8]) -> Option<Vec<(StepId, u32)>> {
    let text = str::from_utf8(body).ok()?;
    let lines = text.lines().filter_map(|line| {
        let (step, attempt) = line.rsplit_once('.')?;
        Some((StepId::parse(step).ok()?, attempt.parse().ok()?))
    });
    let read: Vec<_> = lines.collect();
    (read.is_empty() == text.is_empty()).then_some(read)
}

/// Work that is out and that nobody waits for any more.
#[derive(Debug)]
pub struct StopInbox(Subscriber);

impl StopInbox {
    pub(crate) async fn open(streams: &Streams) -> Result<Self, BusError> {
        let subscribed = streams.client.subscribe(subject::STOP_ALL).await;
        subscribed.map(Self).map_err(|error| BusError::Unavailable(error.to_string()))
    }
}

impl Inbox<Stopped> for StopInbox {
    async fn next(&mut self) -> Result<Vec<Stopped>, BusError> {
        let gone = || BusError::Unavailable("the subscription has ended".to_owned());
        let mut ready = (&mut self.0).ready_chunks(BATCH);
        let messages = ready.next().await.ok_or_else(gone)?;
        let task = |message: &async_nats::Message| match Subject::parse(&message.subject) {
            Ok(Subject::Stop(_, task)) => {
                Some(Stopped { task, attempts: attempts(&message.payload)? })
            }
            Ok(_) | Err(_) => None,
        };
        Ok(messages.iter().filter_map(task).collect())
    }
}
