//! A loop without messages as a supervised child.

use std::{error::Error, future::Future, panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::Child;
use crate::task::{Linked, panic_text};

/// How a job ends: well, or with the reason for a restart.
pub type JobResult = Result<(), Box<dyn Error + Send + Sync>>;

impl Child {
    /// Makes a child that runs the future that `begin` makes, anew after each failure or panic.
    ///
    /// Stopping drops the future. When it returns `Ok` the child has ended for good.
    pub fn job<F, Running>(name: &'static str, begin: F) -> Self
    where
        F: Fn() -> Running + Send + Sync + 'static,
        Running: Future<Output = JobResult> + Send + 'static,
    {
        let begin = Arc::new(begin);
        Self::new(name, move |parent| {
            let job = JobActor { name, begin: Arc::clone(&begin) };
            async move { Ok(Actor::spawn_linked(None, job, (), parent).await?.0.get_cell()) }
        })
    }
}

struct JobActor<F> {
    name: &'static str,
    begin: Arc<F>,
}

/// The job has ended like this. Sent by its task.
struct Ended(JobResult);

impl<F, Running> Actor for JobActor<F>
where
    F: Fn() -> Running + Send + Sync + 'static,
    Running: Future<Output = JobResult> + Send + 'static,
{
    type Msg = Ended;
    type State = Linked;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Ended>,
        (): (),
    ) -> Result<Linked, ActorProcessingErr> {
        let running = (self.begin)();
        Ok(Linked::spawn(self.name, async move {
            let result = AssertUnwindSafe(running)
                .catch_unwind()
                .await
                .unwrap_or_else(|panic| Err(format!("panicked: {}", panic_text(&*panic)).into()));
            // Nobody to tell means that the child was stopped.
            let _ = myself.cast(Ended(result));
        }))
    }

    async fn handle(
        &self,
        myself: ActorRef<Ended>,
        Ended(result): Ended,
        _running: &mut Linked,
    ) -> Result<(), ActorProcessingErr> {
        result.inspect(|()| myself.stop(None))
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Ended>,
        running: &mut Linked,
    ) -> Result<(), ActorProcessingErr> {
        running.abort();
        Ok(())
    }
}
