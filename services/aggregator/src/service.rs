//! The aggregator service: one supervised role actor on `aggregate`.

use std::time::Duration;

use cadre_core::{
    ids::{Name, NameError},
    ports::{Packs, WorkerBus},
    task::AGGREGATE,
};
use cadre_runtime::{
    supervise::{self, StopOrder, Supervisor},
    worker::{RoleHandle, RoleSnapshot, Worker, WorkerOptions},
};
use ractor::{ActorCell, SpawnErr};
use serde::Serialize;

use crate::AggregateRunner;

/// What the actors get beyond their steps' drain to end in good order.
const STOP_RESERVE: Duration = Duration::from_secs(2);

/// How the aggregator works.
#[derive(Debug, Clone)]
pub struct AggregatorOptions {
    /// Requests held at once. Default 64.
    pub in_flight: usize,
    /// Names this process in reports.
    pub worker_name: String,
    /// How long requests in flight may take to end when the service stops. Default 25 s.
    pub drain: Duration,
}

impl Default for AggregatorOptions {
    fn default() -> Self {
        let WorkerOptions { worker, in_flight, drain, .. } = WorkerOptions::default();
        Self { in_flight, worker_name: worker, drain }
    }
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The role's name is none: a bug.
    #[error("role of the aggregator is not valid")]
    Role(#[from] NameError),
    /// The parent is stopping.
    #[error("aggregator supervisor did not start")]
    Spawn(#[from] SpawnErr),
}

/// How the service does, for people and dashboards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AggregatorSnapshot {
    /// The actors.
    pub supervisor: supervise::Snapshot,
    /// The role, if its actor answered.
    pub role: Option<RoleSnapshot>,
}

/// The running service; cheap to clone.
#[derive(Debug)]
pub struct AggregatorService<B: WorkerBus> {
    supervisor: Supervisor,
    role: RoleHandle<B::Receipt>,
}

impl<B: WorkerBus> Clone for AggregatorService<B> {
    fn clone(&self) -> Self {
        Self { supervisor: self.supervisor.clone(), role: self.role.clone() }
    }
}

impl<B: WorkerBus> AggregatorService<B> {
    /// Starts the service under `parent`, if there is one.
    ///
    /// Returns before it is subscribed; see [`Self::ready`].
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start<P: Packs>(
        bus: B,
        packs: P,
        options: AggregatorOptions,
        parent: Option<ActorCell>,
    ) -> Result<Self, StartError> {
        let AggregatorOptions { in_flight, worker_name, drain } = options;
        let limits = WorkerOptions { worker: worker_name, in_flight, drain, breakers: None };
        let worker = Worker::new(bus, packs, AggregateRunner::default(), limits);
        let (role, child) = worker.role(Name::new(AGGREGATE)?);
        let supervision = supervise::Options {
            grace: drain + STOP_RESERVE,
            stop: StopOrder::Together,
            ..supervise::Options::default()
        };
        let supervisor = Supervisor::start("aggregator", supervision, vec![child], parent).await?;
        Ok(Self { supervisor, role })
    }

    /// Waits until requests can arrive; false when that is not so after `within`.
    pub async fn ready(&self, within: Duration) -> bool {
        self.role.subscribed(within).await
    }

    /// How the service does; `None` when the supervisor does not answer within `within`.
    pub async fn inspect(&self, within: Duration) -> Option<AggregatorSnapshot> {
        let supervisor = self.supervisor.inspect(within).await?;
        Some(AggregatorSnapshot { supervisor, role: self.role.inspect(within).await })
    }

    /// Takes no more requests, lets those in flight end, and stops.
    pub async fn stop(&self) {
        self.supervisor.stop().await;
    }

    /// The service as somebody's child.
    #[must_use]
    pub fn cell(&self) -> ActorCell {
        self.supervisor.cell()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cadre_core::{
        aggregate::{Candidate, Field, FieldRule, Request},
        contract::Contract,
        task::{FailureKind, Outcome},
    };
    use cadre_runtime::testing::{Memory, Work};
    use serde_json::{Value, json};
    use tokio::time::sleep;

    use super::*;

    const SOON: Duration = Duration::from_secs(3);

    async fn answer(request: Value) -> Outcome {
        let memory = Memory::default();
        let output = json!({"type": "object", "required": ["days"]});
        let output = Arc::new(Contract::compile("answer", 1, &output).unwrap());
        memory.apply_roles(&Name::new("contracts").unwrap(), "r1", Vec::new(), output);
        let options = AggregatorOptions::default();
        let service =
            AggregatorService::start(memory.clone(), memory.clone(), options, None).await.unwrap();
        assert!(service.ready(SOON).await);
        memory.order(Work { input: request, ..Work::of(&Name::new(AGGREGATE).unwrap()) });
        sleep(SOON).await;
        assert_eq!(service.inspect(SOON).await.unwrap().role.unwrap().reported, 1);
        service.stop().await;
        memory.reports().pop().unwrap().outcome
    }

    fn request() -> Request {
        let candidate = |value: i64, from: &str, confidence| Candidate {
            value: json!(value),
            from: from.to_owned(),
            confidence: Some(confidence),
        };
        let field = Field {
            name: "days".to_owned(),
            rule: FieldRule::HighestConfidence,
            is_required: true,
            candidates: vec![candidate(30, "first", 0.5), candidate(45, "second", 0.9)],
            missing: Vec::new(),
        };
        Request { fields: vec![field], gaps: Vec::new(), limit: None }
    }

    #[tokio::test(start_paused = true)]
    async fn the_parts_become_one_answer_with_its_conflicts() {
        let outcome = answer(request().to_value()).await;
        let Outcome::Completed { output, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(output.value()["result"], json!({"days": 45}));
        assert_eq!(output.value()["status"], "completed");
        assert_eq!(output.value()["conflicts"][0]["field"], "days");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_request_is_a_failed_report() {
        let outcome = answer(json!({"fields": 7})).await;
        let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.kind, FailureKind::InvalidInput);
    }
}
