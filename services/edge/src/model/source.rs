//! The ports that the read model reads from, without their types: pages and routes need not be generic.

use std::sync::Arc;

use cadre_core::{
    ids::TaskId,
    payload::{BlobRef, Payload},
    ports::{
        BusError, History, Packs,
        history::{DocumentError, LogItem},
    },
    time::UnixMillis,
    workflow::Workflow,
};
use futures::{FutureExt as _, future::BoxFuture};
use tokio::runtime::Handle;

/// The log and the packs.
pub(super) trait Source: Send + Sync {
    fn now(&self) -> UnixMillis;

    fn records<'a>(
        &'a self,
        task: &'a TaskId,
        after: u64,
    ) -> BoxFuture<'a, Result<Vec<LogItem>, BusError>>;

    fn document(&self, blob: BlobRef) -> BoxFuture<'_, Result<Payload, DocumentError>>;

    fn pack<'a>(
        &'a self,
        revision: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<Workflow>>, BusError>>;
}

/// Both ports in one.
pub(super) struct Ports<H, P> {
    pub(super) history: H,
    pub(super) packs: P,
}

impl<H: History, P: Packs> Source for Ports<H, P> {
    fn now(&self) -> UnixMillis {
        self.history.now()
    }

    fn records<'a>(
        &'a self,
        task: &'a TaskId,
        after: u64,
    ) -> BoxFuture<'a, Result<Vec<LogItem>, BusError>> {
        self.history.records(task, after).boxed()
    }

    fn document(&self, blob: BlobRef) -> BoxFuture<'_, Result<Payload, DocumentError>> {
        self.history.document(blob).boxed()
    }

    fn pack<'a>(
        &'a self,
        revision: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<Workflow>>, BusError>> {
        self.packs.revision(revision).boxed()
    }
}

/// The same for the projector's own thread, which may wait.
#[derive(Clone)]
pub(super) struct Beside {
    pub(super) source: Arc<dyn Source>,
    pub(super) runtime: Handle,
}

impl Beside {
    /// A task's whole log.
    pub(super) fn log(&self, task: &TaskId) -> Result<Vec<LogItem>, BusError> {
        let mut all: Vec<LogItem> = Vec::new();
        loop {
            let after = all.last().map_or(0, |item| item.sequence);
            let page = self.runtime.block_on(self.source.records(task, after))?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// A pack revision; `None` when it is gone, or this build cannot compile it.
    pub(super) fn pack(&self, revision: &str) -> Result<Option<Arc<Workflow>>, BusError> {
        match self.runtime.block_on(self.source.pack(revision)) {
            Err(BusError::Refused(why)) => {
                tracing::debug!(revision, why, "a pack cannot be read");
                Ok(None)
            }
            other => other,
        }
    }
}
