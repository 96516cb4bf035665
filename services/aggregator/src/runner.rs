//! Resolves one request by the contract of the pack revision that its task is pinned to.

use std::sync::Arc;

use cadre_core::{
    aggregate::{Conflict, Gate, Request, Response},
    contract::ContractError,
    payload::Payload,
    task::{Failure, FailureKind, Outcome},
    workflow::Workflow,
};
use cadre_runtime::{
    cache::Cache,
    worker::{Ran, Step, StepRunner, compute},
};

/// Gates kept: one per pack revision that tasks still run on.
const GATES_MAX: usize = 64;

/// Runs the response aggregator.
#[derive(Debug)]
pub struct AggregateRunner {
    /// By pack revision.
    gates: Cache<String, Gate>,
}

impl Default for AggregateRunner {
    fn default() -> Self {
        Self { gates: Cache::new(GATES_MAX) }
    }
}

impl StepRunner for AggregateRunner {
    async fn run(&self, step: &Step, workflow: Arc<Workflow>) -> Ran {
        self.aggregate(step, &workflow).await.unwrap_or_else(Outcome::Failed).into()
    }
}

impl AggregateRunner {
    async fn aggregate(&self, step: &Step, workflow: &Workflow) -> Result<Outcome, Failure> {
        let gate = self.gate(workflow).map_err(|error| {
            Failure::new(FailureKind::Error, &format!("pack {}: {error}", workflow.name))
        })?;
        let input = step.input.clone();
        let (response, output) =
            compute(step.input.text().len(), move || resolve(&gate, &input)).await?;
        log(step, &response);
        Ok(Outcome::Completed { output, confidence: None })
    }

    fn gate(&self, workflow: &Workflow) -> Result<Arc<Gate>, ContractError> {
        self.gates.get_or_make(
            |revision| *revision == workflow.revision,
            || Ok((workflow.revision.clone(), Gate::new(&workflow.output)?)),
        )
    }
}

fn resolve(gate: &Gate, input: &Payload) -> Result<(Response, Payload), Failure> {
    let request = Request::from_value(input.value())
        .map_err(|error| Failure::new(FailureKind::InvalidInput, &error.to_string()))?;
    let response = gate.resolve(&request);
    let output = Payload::from_value(response.to_value())
        .map_err(|error| Failure::new(FailureKind::InvalidOutput, &format!("answer: {error}")))?;
    Ok((response, output))
}

fn log(step: &Step, response: &Response) {
    for conflict in &response.conflicts {
        let Conflict { field, rule, winner, losers, .. } = conflict;
        let winner = winner.as_ref().map(|claim| claim.from.as_str());
        let (rule, losers) = (rule.as_str(), losers.len());
        tracing::info!(task = %step.task, field, rule, winner, losers, "conflict resolved");
    }
    let missing = response.missing.len();
    tracing::debug!(task = %step.task, status = ?response.status, missing, "answer assembled");
}
