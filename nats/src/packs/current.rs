//! Which revision new goals get, kept up to date by a watch.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use async_nats::jetstream::kv::{Entry, Operation, Store};
use futures::StreamExt;
use tokio::{sync::watch::Sender, task::AbortHandle};

use cadre_core::ids::Name;

use super::CURRENT_PREFIX;

/// The pause before a broken watch is opened again.
const PAUSE: Duration = Duration::from_millis(500);

/// Revisions by workflow, each with the sequence that set it. Ends its watch when dropped.
#[derive(Debug, Default)]
pub(super) struct Current {
    known: Sender<HashMap<Name, (Option<String>, u64)>>,
    watch: Mutex<Option<AbortHandle>>,
}

impl Current {
    /// Follows the bucket from now on, for as long as the result lives.
    pub(super) fn follow(store: Store) -> Arc<Self> {
        let current = Arc::new(Self::default());
        let task = tokio::spawn(watch(store, Arc::downgrade(&current)));
        *current.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
        current
    }

    /// The revision that is known; `None` when none is, which may be stale.
    pub(super) fn get(&self, workflow: &Name) -> Option<String> {
        self.known.borrow().get(workflow).and_then(|(revision, _)| revision.clone())
    }

    /// Learns what stands at `sequence`; older news than what is known is ignored.
    pub(super) fn set(&self, workflow: Name, revision: Option<String>, sequence: u64) {
        self.known.send_if_modified(|known| {
            let is_news = known.get(&workflow).is_none_or(|(_, newest)| *newest < sequence);
            if is_news {
                known.insert(workflow, (revision, sequence));
            }
            is_news
        });
    }

    /// Waits until `revision` is what is known.
    #[cfg(test)]
    pub(super) async fn seen(&self, workflow: &Name, revision: &str) {
        let is_seen = |known: &HashMap<Name, (Option<String>, u64)>| {
            known.get(workflow).is_some_and(|(known, _)| known.as_deref() == Some(revision))
        };
        self.known.subscribe().wait_for(is_seen).await.expect("the sender lives");
    }

    fn learn(&self, entry: &Entry) {
        let workflow = entry.key.strip_prefix(CURRENT_PREFIX).and_then(|name| name.parse().ok());
        let Some(workflow) = workflow else { return };
        let revision = match entry.operation {
            Operation::Put => String::from_utf8(entry.value.to_vec()).ok(),
            Operation::Delete | Operation::Purge => None,
        };
        tracing::debug!(%workflow, revision, "learned the current pack revision");
        self.set(workflow, revision, entry.revision);
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        let watch = self.watch.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watch.take() {
            watch.abort();
        }
    }
}

/// Each new watch begins with what is current, so nothing that happened in a gap is missed.
async fn watch(store: Store, current: Weak<Current>) {
    loop {
        match store.watch_with_history(format!("{CURRENT_PREFIX}>")).await {
            Err(error) => tracing::debug!(%error, "could not watch the packs; trying again"),
            Ok(mut entries) => {
                while let Some(entry) = entries.next().await {
                    let Some(current) = current.upgrade() else { return };
                    match entry {
                        Ok(entry) => current.learn(&entry),
                        Err(error) => {
                            tracing::debug!(%error, "lost the watch of the packs; opening it again");
                            break;
                        }
                    }
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_news_is_ignored() {
        let (current, name) = (Current::default(), Name::new("demo").unwrap());
        current.set(name.clone(), Some("b".to_owned()), 7);
        current.set(name.clone(), Some("a".to_owned()), 3);
        assert_eq!(current.get(&name).as_deref(), Some("b"));
        current.set(name.clone(), None, 8);
        assert_eq!(current.get(&name), None);
    }
}
