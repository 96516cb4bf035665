//! What the simulated workers do: scripted steps that fail in every way, or the built-in roles.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cadre_agent::AgentRunner;
use cadre_core::{
    ids::Name,
    payload::Payload,
    task::{Failure, FailureKind, Outcome, Usage},
    workflow::{Grant, Workflow},
};
use cadre_runtime::worker::{CallSpec, Made, Ran, Step, StepRunner};
use serde_json::json;

use super::{bus::SimBus, chance::Chance};

/// What is remembered of the built-in roles: the same input has the same outcome.
pub type Known = Arc<Mutex<BTreeMap<(Name, String), Outcome>>>;

/// Who does the steps.
#[derive(Debug, Clone)]
pub enum Doer {
    /// A script that follows from a seed, the step and its attempt.
    Script(u64),
    /// The built-in runtimes.
    BuiltIn(Known),
}

/// Runs steps, and counts its calls in the world.
#[derive(Debug)]
pub struct SimRunner {
    bus: SimBus,
    doer: Doer,
    agent: AgentRunner<SimBus>,
}

impl SimRunner {
    /// A runner inside the process of `bus`.
    #[must_use]
    pub fn new(bus: SimBus, doer: Doer) -> Self {
        let agent = AgentRunner::new(bus.clone());
        Self { bus, doer, agent }
    }
}

impl StepRunner for SimRunner {
    async fn run(&self, step: &Step, workflow: Arc<Workflow>) -> Ran {
        self.bus.gate().await;
        let key = (step.task.clone(), step.step.clone());
        *self.bus.shared.world().calls.entry(key).or_default() += 1;
        let ran = match &self.doer {
            Doer::Script(seed) => match self.pay(*seed, step).await {
                Ok(()) => script(*seed, step).await,
                Err(failure) => Outcome::Failed(failure).into(),
            },
            Doer::BuiltIn(known) => self.built_in(known, step, workflow).await,
        };
        self.bus.gate().await;
        ran
    }
}

impl SimRunner {
    /// What the role `payer` does outside, and must not do twice.
    async fn pay(&self, seed: u64, step: &Step) -> Result<(), Failure> {
        if step.role.as_str() != "payer" {
            return Ok(());
        }
        let Step { task, step: id, attempt, deliveries, .. } = step;
        let mut chance = Chance::of(seed, &format!("pay.{task}.{id}.{attempt}.{deliveries}"));
        let cost = Grant { usd_micros: 10, tokens: 2 };
        let spec = CallSpec::once("bank", step.input.clone(), "pay").costing(cost);
        let paid = step.call(spec, |making| async move {
            self.bus.gate().await;
            if chance.hits(100) {
                let failure = Failure::new(FailureKind::Unavailable, "the bank is closed");
                return Made::Failed { failure, cost: Grant::default() };
            }
            *self.bus.shared.world().effects.entry(making.key).or_default() += 1;
            tokio::time::sleep(Duration::from_millis(chance.between(0, 400))).await;
            self.bus.gate().await;
            Made::Done { result: Payload::null(), cost }
        });
        paid.await.map(|_| ()).map_err(Failure::from)
    }

    async fn built_in(&self, known: &Known, step: &Step, workflow: Arc<Workflow>) -> Ran {
        let key = (step.role.clone(), step.input.text().to_owned());
        let remembered = known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(outcome) = remembered {
            return outcome.into();
        }
        let ran = self.agent.run(step, workflow).await;
        known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, ran.outcome.clone());
        ran
    }
}

/// Longer than any step may take.
const FOR_EVER: Duration = Duration::from_secs(3_600);

async fn script(seed: u64, step: &Step) -> Ran {
    let Step { task, step: id, attempt, role, .. } = step;
    let mut chance = Chance::of(seed, &format!("{task}.{id}.{attempt}.{role}"));
    tokio::time::sleep(Duration::from_millis(chance.between(0, 600))).await;
    let output = |value| Payload::from_value(value).expect("a small document");
    let good = output(json!({"n": chance.between(0, 9), "by": role.as_str()}));
    let failed = |kind| Outcome::Failed(Failure::new(kind, "as the script says"));
    let outcome = match chance.between(0, 99) {
        0..=4 => failed(FailureKind::Unavailable),
        5..=8 => failed(FailureKind::RateLimited),
        9..=11 => failed(FailureKind::Error),
        12..=15 => panic!("the script panics"),
        16..=19 => {
            Outcome::Completed { output: output(json!({"n": "no number"})), confidence: None }
        }
        20..=22 => {
            let reason = "the script doubts".to_owned();
            Outcome::Unsure { output: Some(good), confidence: Some(0.2), reason }
        }
        23..=25 => {
            tokio::time::sleep(FOR_EVER).await;
            failed(FailureKind::Error)
        }
        26..=30 => {
            // Longer than an order waits for a sign of life.
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            Outcome::Completed { output: good, confidence: None }
        }
        31 => Outcome::NeedsHuman { question: "what now?".to_owned() },
        _ => Outcome::Completed { output: good, confidence: Some(0.9) },
    };
    let usage =
        Usage { usd_micros: chance.between(0, 50), tokens: chance.between(0, 20), work_ms: 0 };
    Ran { outcome, usage }
}
