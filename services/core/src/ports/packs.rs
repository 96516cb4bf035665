//! The port to packs.

use std::{future::Future, sync::Arc};

use super::BusError;
use crate::{ids::Name, workflow::Workflow};

/// Where pack revisions are kept.
pub trait Packs: Clone + Send + Sync + 'static {
    /// The revision that new goals of `workflow` get; `None` when no pack has that name.
    fn current(
        &self,
        workflow: &Name,
    ) -> impl Future<Output = Result<Option<Arc<Workflow>>, BusError>> + Send;

    /// Every pack by name, with the revision that new goals get.
    fn list(&self) -> impl Future<Output = Result<Vec<(Name, String)>, BusError>> + Send;

    /// Every revision that is kept, the ones applied first at the end; at most `limit`.
    fn revisions(&self, limit: usize)
    -> impl Future<Output = Result<Vec<String>, BusError>> + Send;

    /// One revision; `None` when it was never applied.
    fn revision(
        &self,
        revision: &str,
    ) -> impl Future<Output = Result<Option<Arc<Workflow>>, BusError>> + Send;
}
