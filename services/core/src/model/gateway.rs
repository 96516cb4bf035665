//! What the inference gateway needs of the bus: the port that the adapter crate implements.

use std::{future::Future, time::Duration};

use super::{ModelAnswer, ModelFailure, ModelRequest};
use crate::{
    ids::{Name, StepId, TaskId},
    ports::{BusError, Inbox},
};

/// A question as it came.
#[derive(Debug)]
pub struct Asked<R> {
    /// What is asked, or why it is no question.
    pub request: Result<ModelRequest, String>,
    /// Where the answer goes.
    pub reply: R,
}

/// A part of an answer, for whoever follows the task. One that is lost is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The task.
    pub task: TaskId,
    /// The step.
    pub step: StepId,
    /// The call's key.
    pub key: String,
    /// Bytes of the answer before this part; 0 begins it anew.
    pub offset: u64,
    /// More of the answer's text.
    pub text: String,
    /// The answer is whole; there is no text in this part.
    pub is_end: bool,
}

/// What a gateway tells the others, every second and with each new hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Which gateway speaks.
    pub pod: Name,
    /// Models (`provider/model`) that want to be left alone, and for how long from now.
    pub holds: Vec<(String, Duration)>,
    /// Limits that models have shown.
    pub limits: Vec<LearntLimit>,
    /// It stops: nobody is to count it any more.
    pub is_leaving: bool,
}

/// A limit that a model has shown by refusing without saying for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearntLimit {
    /// `provider/model`.
    pub model: String,
    /// Calls of the whole fleet in a minute, when it was learnt.
    pub per_minute: u64,
    /// How long ago that was.
    pub age: Duration,
}

/// What the gateway needs of the bus. Nothing of it is stored: a gateway that dies is noticed by its
/// silence, and the worker asks again by the same key.
pub trait GatewayBus: Clone + Send + Sync + 'static {
    /// Where an answer goes.
    type Reply: Send + Sync + 'static;
    /// Questions, each heard by one gateway of the fleet.
    type Asks: Inbox<Asked<Self::Reply>>;
    /// Words of all gateways, one's own included.
    type Words: Inbox<Word>;

    /// Listens for questions.
    fn asks(&self) -> impl Future<Output = Result<Self::Asks, BusError>> + Send;

    /// Answers. Best effort: whoever waits for an answer that is lost asks again.
    fn reply(
        &self,
        to: &Self::Reply,
        outcome: Result<ModelAnswer, ModelFailure>,
    ) -> impl Future<Output = ()> + Send;

    /// Says that the answer is still being worked on.
    fn working(&self, to: &Self::Reply) -> impl Future<Output = ()> + Send;

    /// Publishes a part of an answer. Best effort.
    fn said(&self, part: Part) -> impl Future<Output = ()> + Send;

    /// Listens for what gateways tell each other.
    fn words(&self) -> impl Future<Output = Result<Self::Words, BusError>> + Send;

    /// Tells the other gateways.
    fn tell(&self, word: Word) -> impl Future<Output = Result<(), BusError>> + Send;
}
