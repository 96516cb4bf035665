//! One task's log from a place on, and what is written to it from then on.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::TaskId,
    ports::{BusError, history::LogItem},
};
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::timeout,
};

use super::{lag::Change, read::ReadModel};

/// How long a follower waits for word of the projector before it looks by itself: the projector may be behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);

struct Follower {
    model: ReadModel,
    changes: broadcast::Receiver<Change>,
    task: Arc<TaskId>,
    /// Stream sequence of the last record that was handed over.
    after: u64,
    found: std::vec::IntoIter<LogItem>,
}

impl ReadModel {
    /// Records of one task behind the stream sequence `after`, 0 for all, and then each as it is written: none is left
    /// out and none comes twice, whatever breaks in between. Never ends by itself; an error is passed on, and the
    /// stream can be read on. The caller knows that the task may be seen.
    #[must_use]
    pub fn follow(
        &self,
        task: &TaskId,
        after: u64,
    ) -> BoxStream<'static, Result<LogItem, BusError>> {
        let (model, changes, task) = (self.clone(), self.changes(), Arc::new(task.clone()));
        let follower = Follower { model, changes, task, after, found: Vec::new().into_iter() };
        stream::unfold(follower, |mut follower| async move {
            let next = follower.next().await;
            Some((next, follower))
        })
        .boxed()
    }
}

impl Follower {
    async fn next(&mut self) -> Result<LogItem, BusError> {
        loop {
            if let Some(item) = self.found.next() {
                self.after = item.sequence;
                return Ok(item);
            }
            let found = self.model.records(&self.task, self.after).await?;
            if found.is_empty() {
                self.news().await;
            }
            self.found = found.into_iter();
        }
    }

    /// Waits until the projector has news of the task, or for a while.
    async fn news(&mut self) {
        let heard = async {
            loop {
                match self.changes.recv().await {
                    Ok(change) if change.is_all => return,
                    Ok(change) if change.tasks.iter().any(|one| one.task == *self.task) => return,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Either way it is looked.
        let _ = timeout(LOOK_EVERY, heard).await;
    }
}
