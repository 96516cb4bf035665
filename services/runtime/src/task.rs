//! The one way to start a tokio task: it keeps the span, and its panic is never silent.

use std::{future::Future, panic::AssertUnwindSafe};

use futures::FutureExt;
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Runs `future` on the runtime inside the current span. Dropping the handle lets it run on.
///
/// A panic is logged under `name` and passed on to whoever joins.
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // Boxed once: a wrapper around a wrapper copies the future's kilobytes each time it moves.
    let future = Box::pin(future);
    let watched = async move {
        match AssertUnwindSafe(future).catch_unwind().await {
            Ok(output) => output,
            Err(panic) => {
                tracing::error!(task = name, reason = panic_text(&*panic), "task panicked");
                std::panic::resume_unwind(panic)
            }
        }
    };
    tokio::spawn(watched.in_current_span())
}

/// What a panic said.
#[must_use]
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        return text;
    }
    panic.downcast_ref::<String>().map_or("panic without a text", String::as_str)
}

/// A task that ends when its owner does.
#[derive(Debug)]
pub struct Linked(JoinHandle<()>);

impl Linked {
    /// Starts `future` as [`spawn`] does; dropping the result aborts it.
    #[must_use]
    pub fn spawn(name: &'static str, future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(spawn(name, future))
    }

    /// Ends it at its next await.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Linked {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_reaches_whoever_joins() {
        let joined = spawn("doomed", async { panic!("as planned") }).await;
        assert_eq!(panic_text(&*joined.unwrap_err().into_panic()), "as planned");
    }

    #[tokio::test]
    async fn a_linked_task_ends_with_its_owner() {
        let (held, mut gone) = tokio::sync::oneshot::channel::<()>();
        let linked = Linked::spawn("linked", async move {
            let _held = held;
            std::future::pending().await
        });
        tokio::task::yield_now().await;
        assert!(gone.try_recv().is_err() && !linked.is_finished());
        drop(linked);
        assert!(gone.await.is_err());
    }
}
