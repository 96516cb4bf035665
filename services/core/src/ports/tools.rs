//! What agents need beside the bus: the time, and tools.

use std::future::Future;

use crate::{
    ids::Name,
    model::{ToolAnswer, ToolRequest, ToolSpec},
    task::Failure,
    time::UnixMillis,
};

/// Says what time it is.
pub trait Clock: Clone + Send + Sync + 'static {
    /// The broker's time, as well as this process knows it: never ahead of the broker.
    fn time(&self) -> UnixMillis;
}

/// Tools of agents, as the agents see them.
pub trait Tools: Clone + Send + Sync + 'static {
    /// What a model is told of these tools; one that does not exist is left out.
    ///
    /// # Errors
    /// The failure to report when nobody can say.
    fn specs(&self, names: &[Name]) -> impl Future<Output = Result<Vec<ToolSpec>, Failure>> + Send;

    /// Calls a tool that only reads, or that has one effect however often it is called by one key. What
    /// the model is to hear of, an error of the tool included, is an answer.
    ///
    /// # Errors
    /// The failure to report when the tool could not be called.
    fn call(
        &self,
        request: ToolRequest,
    ) -> impl Future<Output = Result<ToolAnswer, Failure>> + Send;
}
