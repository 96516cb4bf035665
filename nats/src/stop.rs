//! Stops work that nobody waits for any more: the task has ended while its orders were out.
//!
//! Orders that nobody has taken are purged; whoever works on one hears of it on a plain
//! subject, outside every stream. A worker that does not hear it (its connection was
//! down) goes on until its own time is over, and its report comes too late.

use async_nats::Subscriber;
use cadre_core::{
    ids::TaskId,
    ports::{BusError, Inbox},
};
use cadre_proto::subject::{self, Subject};
use futures::StreamExt as _;

use crate::bus::Streams;

/// Ended tasks that one look takes together.
const BATCH: usize = 64;

/// Takes back what is not taken, and tells whoever works on the rest.
pub(crate) async fn say(streams: &Streams, task: &TaskId) -> Result<(), BusError> {
    let partition = streams.partition(task);
    let unavailable = |error: &dyn std::fmt::Display| BusError::Unavailable(error.to_string());
    let stream = streams.js.get_stream_no_info(streams.name("CADRE_WORK", partition)).await;
    let stream = stream.map_err(|error| unavailable(&error))?;
    let orders = subject::work_of(partition, task);
    stream.purge().filter(orders).await.map_err(|error| unavailable(&error))?;
    let stop = subject::stop(partition, task);
    streams.client.publish(stop, "".into()).await.map_err(|error| unavailable(&error))
}

/// Tasks that end while work of theirs is out.
#[derive(Debug)]
pub struct StopInbox(Subscriber);

impl StopInbox {
    pub(crate) async fn open(streams: &Streams) -> Result<Self, BusError> {
        let subscribed = streams.client.subscribe(subject::STOP_ALL).await;
        subscribed.map(Self).map_err(|error| BusError::Unavailable(error.to_string()))
    }
}

impl Inbox<TaskId> for StopInbox {
    async fn next(&mut self) -> Result<Vec<TaskId>, BusError> {
        let gone = || BusError::Unavailable("the subscription has ended".to_owned());
        let mut ready = (&mut self.0).ready_chunks(BATCH);
        let messages = ready.next().await.ok_or_else(gone)?;
        let task = |message: &async_nats::Message| match Subject::parse(&message.subject) {
            Ok(Subject::Stop(_, task)) => Some(task),
            Ok(_) | Err(_) => None,
        };
        Ok(messages.iter().filter_map(task).collect())
    }
}
