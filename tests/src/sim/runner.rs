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
    workflow::{Effects, Grant, Runtime, Workflow},
};
use cadre_runtime::worker::{CallSpec, Made, Ran, Step, StepRunner};
use serde_json::{Value, json};

use super::{
    bus::SimBus,
    chance::Chance,
    ports::{SimModels, SimPacks},
    world::Write,
};

/// What a call costs that a scripted step makes.
const COST: Grant = Grant { usd_micros: 10, tokens: 2 };

/// What is remembered of the built-in roles: the same input has the same outcome.
pub type Known = Arc<Mutex<BTreeMap<(Name, String), Outcome>>>;

/// Who does the steps.
#[derive(Debug, Clone)]
pub enum Doer {
    /// A script that follows from a seed, the step and its attempt.
    Script(u64),
    /// The built-in runtimes.
    BuiltIn(Known),
    /// Makes the calls of its steps, and never comes to an end.
    Stuck,
}

/// Runs steps, and counts its calls in the world.
#[derive(Debug)]
pub struct SimRunner {
    bus: SimBus,
    doer: Doer,
    agent: AgentRunner<SimModels>,
}

impl SimRunner {
    /// A runner inside the process of `bus`.
    #[must_use]
    pub fn new(packs: SimPacks, doer: Doer) -> Self {
        let bus = packs.bus.clone();
        let seed = match &doer {
            Doer::Script(seed) => Some(*seed),
            Doer::BuiltIn(_) | Doer::Stuck => None,
        };
        Self { bus, doer, agent: AgentRunner::new(SimModels { packs, seed }) }
    }
}

impl StepRunner for SimRunner {
    async fn run(&self, step: &Step, workflow: Arc<Workflow>) -> Ran {
        self.bus.gate().await;
        let key = (step.task.clone(), step.step.clone());
        *self.bus.shared.world().calls.entry(key).or_default() += 1;
        let ran = match &self.doer {
            Doer::Stuck => {
                let touched = self.touch(None, step, &workflow).await;
                tokio::time::sleep(FOR_EVER).await;
                let failed = touched.err().map(Outcome::Failed);
                failed.unwrap_or(Outcome::NeedsHuman { question: "?".to_owned() }).into()
            }
            Doer::Script(seed) => match self.touch(Some(*seed), step, &workflow).await {
                Ok(()) if is_model(step, &workflow) => self.agent.run(step, workflow).await,
                Ok(()) => script(*seed, step).await,
                Err(failure) => Outcome::Failed(failure).into(),
            },
            Doer::BuiltIn(known) => match self.touch(None, step, &workflow).await {
                Ok(()) => self.built_in(known, step, workflow).await,
                Err(failure) => Outcome::Failed(failure).into(),
            },
        };
        self.bus.gate().await;
        ran
    }
}

impl SimRunner {
    /// What a role does outside that must not do it twice. Without a seed all goes well.
    async fn touch(&self, seed: Option<u64>, step: &Step, pack: &Workflow) -> Result<(), Failure> {
        if pack.roles.get(&step.role).is_none_or(|role| role.effects != Effects::Once) {
            return Ok(());
        }
        let Step { task, step: id, attempt, deliveries, .. } = step;
        let row = format!("touch.{task}.{id}.{attempt}.{deliveries}");
        let mut chance = seed.map(|seed| Chance::of(seed, &row));
        // What undoes something has nothing to spend.
        let cost = if step.grant.tokens > 0 { COST } else { Grant::default() };
        let spec = CallSpec::once("world", step.input.clone(), "touch it").costing(cost);
        let touched = step.call(spec, move |making| async move {
            self.bus.gate().await;
            if chance.as_mut().is_some_and(|chance| chance.hits(100)) {
                let failure = Failure::new(FailureKind::Unavailable, "the world is closed");
                return Made::Failed { failure, cost: Grant::default() };
            }
            self.bus.shared.write(Write::Effect(making.key));
            self.bus.gate().await;
            let pause = chance.map_or(0, |mut chance| chance.between(0, 400));
            tokio::time::sleep(Duration::from_millis(pause)).await;
            self.bus.gate().await;
            Made::Done { result: Payload::null(), cost }
        });
        touched.await.map(|_| ()).map_err(Failure::from)
    }

    async fn built_in(&self, known: &Known, step: &Step, workflow: Arc<Workflow>) -> Ran {
        if is_model(step, &workflow) {
            // Each conversation has a journal of its own.
            return self.agent.run(step, workflow).await;
        }
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

fn is_model(step: &Step, workflow: &Workflow) -> bool {
    workflow.roles.get(&step.role).is_some_and(|role| role.runtime == Runtime::Model)
}

/// Longer than any step may take.
pub(super) const FOR_EVER: Duration = Duration::from_secs(3_600);

async fn script(seed: u64, step: &Step) -> Ran {
    let Step { task, step: id, attempt, role, .. } = step;
    let mut chance = Chance::of(seed, &format!("{task}.{id}.{attempt}.{role}"));
    tokio::time::sleep(Duration::from_millis(chance.between(0, 600))).await;
    let output = |value| Payload::from_value(value).expect("a small document");
    let good = match role.as_str() {
        "planner" => output(plan(&mut chance)),
        _ => output(json!({"n": chance.between(0, 9), "by": role.as_str()})),
    };
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
        _ => match mate_of(role, &mut chance) {
            Some(to) => {
                let output = chance.hits(700).then_some(good);
                Outcome::Handoff { to, reason: "as the script says".to_owned(), output }
            }
            None => Outcome::Completed { output: good, confidence: Some(0.9) },
        },
    };
    let spent =
        Usage { usd_micros: chance.between(0, 50), tokens: chance.between(0, 20), work_ms: 0 };
    let usage = if step.grant == Grant::default() { Usage::default() } else { spent };
    Ran { outcome, usage, models: Vec::new(), degraded: None }
}

/// A plan, now and then one that nobody can do.
fn plan(chance: &mut Chance) -> Value {
    let count = chance.between(1, 3);
    let step = |number: u64| {
        let role = if chance.hits(300) { "thinker" } else { "scout" };
        let before = (number > 0).then(|| json!({"$from": format!("s{}.n", number - 1)}));
        json!({"id": format!("s{number}"), "role": role, "input": {"before": before}})
    };
    let mut steps: Vec<_> = (0..count).map(step).collect();
    match chance.between(0, 9) {
        0 => steps.clear(),
        1 => steps[0]["role"] = json!("stranger"),
        2 => steps[0]["after"] = json!([format!("s{}", count - 1)]),
        3 => steps[0]["input"] = json!({"$from": "nobody.n"}),
        _ => {}
    }
    json!({ "steps": steps })
}

/// Whom a member of a crew hands off to; `None` when it does not.
fn mate_of(role: &Name, chance: &mut Chance) -> Option<Name> {
    let to = match (role.as_str(), chance.between(0, 9)) {
        // No member of any crew.
        ("chief" | "boss", 0) => "racer",
        ("chief" | "boss", 1..=4) => "mate",
        ("mate", 0..=2) => "chief",
        _ => return None,
    };
    Some(Name::new(to).expect("a name"))
}
