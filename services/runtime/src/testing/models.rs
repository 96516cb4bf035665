//! Models in memory: they say what the test wants, and are counted.

use std::{fmt, sync::Arc};

use cadre_core::{
    model::{ModelAnswer, ModelFailure, ModelRequest},
    ports::{Clock, Models, WorkItem},
    task::{Failure, FailureKind},
    time::UnixMillis,
    workflow::Grant,
};
use tokio::time::Instant;

use super::Memory;
use crate::worker::Step;

/// When the broker's time begins: 2026-01-01T00:00Z.
const EPOCH: u64 = 1_767_225_600_000;

/// What models say.
#[derive(Clone)]
pub struct Says(Arc<Answering>);

type Answering = dyn Fn(&ModelRequest) -> Result<ModelAnswer, ModelFailure> + Send + Sync;

impl Says {
    /// Answers each question by `answer`.
    pub fn new(
        answer: impl Fn(&ModelRequest) -> Result<ModelAnswer, ModelFailure> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(answer))
    }
}

impl fmt::Debug for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Says")
    }
}

impl Memory {
    /// One delivery of an attempt in the hands of a worker, as a runner gets it.
    #[must_use]
    pub fn step<R>(&self, item: WorkItem<R>, worker: &str) -> Step {
        Step::in_hand(item, self.clone(), worker)
    }
}

impl Models for Memory {
    async fn ask(&self, request: ModelRequest) -> Result<ModelAnswer, ModelFailure> {
        let says = {
            let mut world = self.world();
            world.asked.push(request.clone());
            world.says.clone()
        };
        // A moment in which whoever asks may die; the question is out.
        tokio::task::yield_now().await;
        match says {
            Some(says) => (says.0)(&request),
            None => {
                let failure = Failure::new(FailureKind::Unavailable, "there are no models");
                Err(ModelFailure { failure, cost: Grant::default(), passed: Vec::new() })
            }
        }
    }
}

impl Clock for Memory {
    fn time(&self) -> UnixMillis {
        UnixMillis(EPOCH).after(Instant::now().saturating_duration_since(self.0.began))
    }
}
