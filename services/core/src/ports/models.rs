//! The port to models: the gateway for workers, a provider for the gateway.

use std::future::Future;

use crate::model::{ModelAnswer, ModelFailure, ModelRequest, ProviderCall, ProviderFailure, Said};

/// The inference gateway, as workers see it.
pub trait Models: Clone + Send + Sync + 'static {
    /// Asks, and waits for the answer no longer than the request's time. Asking again by the same key
    /// may cost again.
    fn ask(
        &self,
        request: ModelRequest,
    ) -> impl Future<Output = Result<ModelAnswer, ModelFailure>> + Send;
}

/// A provider of models, as the gateway sees it.
pub trait Provider: Send + Sync + 'static {
    /// Makes one call. `heard` is told each part of the text as it comes; a provider that does not
    /// stream says all at once. The future is dropped when the call's time is over.
    fn complete(
        &self,
        call: ProviderCall,
        heard: impl Fn(&str) + Send + Sync,
    ) -> impl Future<Output = Result<Said, ProviderFailure>> + Send;
}
