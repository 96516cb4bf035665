//! Does one step by the runtime that its role has in the step's own pack revision.

use std::sync::Arc;

use cadre_core::{
    contract::Contract,
    ids::Name,
    payload::Payload,
    ports::{Clock, Models},
    task::{Failure, FailureKind, Outcome},
    workflow::{Role, Runtime, Workflow},
};
use cadre_runtime::{
    cache::Cache,
    worker::{Ran, Step, StepRunner, compute},
};

use crate::{
    model::{BuiltIns, Mind},
    rules::Rules,
    script,
};

/// Compiled contracts kept: several packs' roles, in the revisions that tasks still run on.
const COMPILED_MAX: usize = 64;

/// Runs the built-in runtimes; asks models and the time of `B`.
#[derive(Debug)]
pub struct AgentRunner<B> {
    /// By pack revision and role.
    compiled: Cache<(String, Name), Rules>,
    mind: Mind<B, BuiltIns<B>>,
}

impl<B: Models + Clock> AgentRunner<B> {
    /// A runner that has met no role yet.
    #[must_use]
    pub fn new(bus: B) -> Self {
        let mind = Mind::new(bus.clone(), BuiltIns(bus));
        Self { compiled: Cache::new(COMPILED_MAX), mind }
    }
}

impl<B: Models + Clock> StepRunner for AgentRunner<B> {
    async fn run(&self, step: &Step, workflow: Arc<Workflow>) -> Ran {
        let mut degraded = None;
        let outcome = match workflow.roles.get(&step.role) {
            Some(role) => match role.runtime {
                Runtime::Rules => self.rules(step, role).await,
                Runtime::Echo => {
                    Ok(Outcome::Completed { output: step.input.clone(), confidence: None })
                }
                Runtime::Script => {
                    let (input, workflow) = (step.input.clone(), Arc::clone(&workflow));
                    let name = step.role.clone();
                    compute(step.input.text().len(), move || {
                        let role = workflow.roles.get(&name);
                        script::follow(role.map_or(&[], |role| &role.script), &input)
                    })
                    .await
                }
                Runtime::Model => {
                    let thought = self.mind.think(step, &workflow, role).await;
                    thought.map(|(outcome, why)| {
                        degraded = why;
                        outcome
                    })
                }
                Runtime::Remote => Err(error(&format!(
                    "role {} is remote in revision {}: a worker of its own must take its orders",
                    step.role, step.revision
                ))),
            },
            None => Err(error(&format!(
                "pack {} of revision {} has no role {}",
                step.workflow, step.revision, step.role
            ))),
        };
        Ran { degraded, ..outcome.unwrap_or_else(Outcome::Failed).into() }
    }
}

impl<B: Models + Clock> AgentRunner<B> {
    async fn rules(&self, step: &Step, role: &Role) -> Result<Outcome, Failure> {
        let rules = self.compiled.get_or_make(
            |(revision, name)| *revision == step.revision && *name == step.role,
            || {
                let rules = Rules::compile(role.returns.schema())?;
                Ok(((step.revision.clone(), step.role.clone()), rules))
            },
        );
        let rules = rules.map_err(|problem: crate::rules::RulesError| {
            error(&format!("contract {} cannot be run by rules: {problem}", role.returns.id()))
        })?;
        let (input, returns) = (step.input.clone(), Arc::clone(&role.returns));
        compute(step.input.text().len(), move || fill(&rules, &input, &returns)).await
    }
}

/// What the rules say of `input`; their output is left out when they do not vouch for it and it
/// breaks the contract, so that the pack's `otherwise` decides and not the contract check.
fn fill(rules: &Rules, input: &Payload, returns: &Contract) -> Result<Outcome, Failure> {
    let filled = rules
        .run(input.value())
        .map_err(|problem| Failure::new(FailureKind::InvalidInput, &problem.to_string()))?;
    let confidence = Some(filled.confidence);
    let is_valid = filled.unsure.is_none() || returns.check(&filled.output).is_ok();
    let output = Payload::from_value(filled.output)
        .map_err(|problem| Failure::new(FailureKind::InvalidOutput, &problem.to_string()))?;
    Ok(match filled.unsure {
        None => Outcome::Completed { output, confidence },
        Some(reason) => Outcome::Unsure { output: is_valid.then_some(output), confidence, reason },
    })
}

pub(crate) fn error(message: &str) -> Failure {
    Failure::new(FailureKind::Error, message)
}
