//! What whoever tells webhooks needs of the bus: the port that the bus adapter implements.

use std::future::Future;

use super::{News, Settled, State, Webhook};
use crate::{
    ids::{Name, TaskId},
    ports::{BusError, Inbox},
    time::UnixMillis,
};

/// The end of a task that a webhook is to be told of.
#[derive(Debug)]
pub struct End<R> {
    /// The task.
    pub task: TaskId,
    /// Its workflow.
    pub workflow: Name,
    /// When its answer was stored.
    pub at: UnixMillis,
    /// Which try this is, from 1.
    pub tries: u32,
    /// The answer as it was published.
    pub answer: Vec<u8>,
    /// Settles it.
    pub receipt: R,
}

/// All webhooks as they stood at one moment.
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// Moves whenever something changes.
    pub revision: u64,
    /// Webhooks with how they go.
    pub webhooks: Vec<(Webhook, State)>,
}

/// What whoever tells webhooks needs of the bus.
pub trait WebhookBus: Clone + Send + Sync + 'static {
    /// What settles one end.
    type Receipt: Send + Sync + 'static;
    /// Ends that one webhook is to be told of; shared with every process that asks for them.
    type Ends: Inbox<End<Self::Receipt>>;

    /// The broker's time.
    fn now(&self) -> UnixMillis;

    /// All webhooks; `None` when nothing has changed since `known`.
    fn register(
        &self,
        known: u64,
    ) -> impl Future<Output = Result<Option<Register>, BusError>> + Send;

    /// Follows the ends of a webhook, from when it was made.
    fn ends(&self, webhook: &Webhook) -> impl Future<Output = Result<Self::Ends, BusError>> + Send;

    /// Adds what has changed about a webhook; durable when it returns. One that is no more has no state.
    fn note(
        &self,
        webhook: &Webhook,
        news: &News,
    ) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Lets go of an end, or has it delivered again. Best effort: what is lost is delivered again.
    fn settle(&self, receipt: Self::Receipt, settled: Settled) -> impl Future<Output = ()> + Send;
}
