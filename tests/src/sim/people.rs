//! People at the simulated bus: they publish goals, decide what they are asked, and steer.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    journal::CallRuling,
    payload::{Hash, Payload},
    task::{
        Action, Ask, AskKind, Budget, Cancel, Control, Decision, Fork, Goal, GoalLimits, Input,
        Ruling, StepState,
    },
};
use tokio::time::sleep;

use super::{
    PackSet,
    bus::Shared,
    chance::Chance,
    world::{Published, Write},
};

/// How often they look what they are asked.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// A goal that somebody wants done.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose.
    pub tenant: Name,
    /// Which workflow.
    pub workflow: Name,
    /// Its idempotency key.
    pub key: String,
    /// Its document.
    pub input: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

impl Wanted {
    /// The task that it becomes.
    #[must_use]
    pub fn task(&self) -> TaskId {
        TaskId::derive(&self.tenant, &self.key)
    }

    /// Publishes it.
    pub fn publish(&self, shared: &Shared) {
        let mut headers = vec![("Nats-Msg-Id".to_owned(), self.key.clone())];
        headers.extend(self.headers.clone());
        let subject = format!("goals.{}.{}", self.tenant, self.workflow);
        let body = self.input.clone().into_bytes();
        shared.write(Write::Publish(subject, Published { headers, body }));
    }
}

/// Publishes goals over a few seconds, some of them more than once.
pub async fn publish(shared: Arc<Shared>, goals: Vec<Wanted>, seed: u64) {
    let mut chance = Chance::of(seed, "publishers");
    for goal in &goals {
        sleep(Duration::from_millis(chance.between(0, 1_500))).await;
        goal.publish(&shared);
        if chance.hits(300) {
            goal.publish(&shared);
        }
        if chance.hits(150) {
            // Somebody takes the same key for something else.
            Wanted { input: r#"{"items": []}"#.to_owned(), ..goal.clone() }.publish(&shared);
        }
    }
    if let Some(goal) = goals.first() {
        sleep(Duration::from_secs(chance.between(1, 20))).await;
        goal.publish(&shared);
    }
}

/// What is asked at this moment, and was not asked before.
fn questions(shared: &Shared, known: &mut BTreeSet<Hash>) -> Vec<(TaskId, StepId, Hash, Arc<Ask>)> {
    let mut found = Vec::new();
    for (id, task) in &shared.world().tasks {
        for (step, state) in &task.steps {
            let StepState::Waiting { ask, .. } = &state.state else { continue };
            let hash = ask.hash(id, step, state.attempt);
            if known.insert(hash) {
                found.push((id.clone(), step.clone(), hash, Arc::clone(ask)));
            }
        }
    }
    found
}

/// Grants whatever is asked; who is asked whether something happened, looks.
pub async fn grant(shared: Arc<Shared>) {
    let mut known = BTreeSet::new();
    loop {
        sleep(LOOK_EVERY).await;
        for (task, step, hash, ask) in questions(&shared, &mut known) {
            let ruling = match ask.kind {
                AskKind::Doubt => looked(&shared, &task, &step),
                AskKind::Approval | AskKind::Question => Ruling::Grant,
            };
            let (by, comment) = ("kim".to_owned(), String::new());
            let decision = Decision { step, by, hash, ruling, comment };
            shared.write(Write::Input(task, Input::Decision(decision), "decision"));
        }
    }
}

/// What somebody says who has looked whether the call of a step happened.
fn looked(shared: &Shared, task: &TaskId, step: &StepId) -> Ruling {
    let has_happened = shared.world().effects.contains_key(&format!("{task}.{step}.1"));
    Ruling::Call(match has_happened {
        true => CallRuling::Happened(Payload::null()),
        false => CallRuling::DidNot,
    })
}

/// Decides late, twice, wrongly or never; steers whoever is open, and goes on from what has been done.
pub async fn meddle(shared: Arc<Shared>, packs: PackSet, seed: u64) {
    let chance = Chance::of(seed, "people");
    let mut people = People { shared, packs, chance, known: BTreeSet::new(), wishes: 0 };
    loop {
        sleep(LOOK_EVERY).await;
        people.decide();
        if people.chance.hits(200) {
            people.wish();
        }
    }
}

struct People {
    shared: Arc<Shared>,
    packs: PackSet,
    chance: Chance,
    known: BTreeSet<Hash>,
    wishes: u32,
}

impl People {
    fn decide(&mut self) {
        for (task, step, hash, ask) in questions(&self.shared, &mut self.known) {
            let Some(ruling) = self.ruling(&task, &step, &ask) else { continue };
            let hash = if self.chance.hits(50) { Hash::of(b"another") } else { hash };
            for _ in 0..self.chance.between(1, 3) {
                let by = ["kim", "lee"][self.chance.between(0, 1) as usize].to_owned();
                let (step, ruling, comment) = (step.clone(), ruling.clone(), String::new());
                let wish = Input::Decision(Decision { step, by, hash, ruling, comment });
                self.shared.write(Write::Input(task.clone(), wish, "decision"));
            }
        }
    }

    fn ruling(&mut self, task: &TaskId, step: &StepId, ask: &Ask) -> Option<Ruling> {
        let looked = looked(&self.shared, task, step);
        let is_known = ask.content.is_some() || looked == Ruling::Call(CallRuling::DidNot);
        Some(match (self.chance.between(0, 9), ask.content.clone()) {
            (0..=1, _) => return None,
            (2, _) => Ruling::Deny,
            (_, _) if ask.kind == AskKind::Doubt && is_known => looked,
            (3..=4, Some(content)) => Ruling::GrantWith(content),
            (_, Some(_)) => Ruling::Grant,
            (_, None) => Ruling::GrantWith(Payload::parse(br#"{"n": 1}"#).expect("json")),
        })
    }

    fn wish(&mut self) {
        let all: Vec<_> = self.shared.world().tasks.keys().cloned().collect();
        let Some(task) = all.get(self.chance.between(0, 5) as usize) else { return };
        self.wishes += 1;
        let wish = match self.chance.between(0, 19) {
            0 => Input::Cancel(Cancel { by: "kim".to_owned(), reason: "as people do".to_owned() }),
            1 => self.steer(Action::Kill),
            2..=4 => self.steer(Action::Pause),
            5..=8 => self.steer(Action::Resume),
            9..=10 => self.steer(Action::AddBudget(Budget { steps: 3, ..Budget::default() })),
            11 => self.steer(Action::AddBudget(Budget::default())),
            12..=16 => self.steer(Action::Retry(None)),
            _ => return self.fork(task),
        };
        for _ in 0..self.chance.between(1, 2) {
            self.shared.write(Write::Input(task.clone(), wish.clone(), "wish"));
        }
    }

    fn steer(&self, action: Action) -> Input {
        let (by, reason) = ("kim".to_owned(), "as people do".to_owned());
        Input::Control(Control { by, reason, key: self.wishes.to_string(), action })
    }

    /// Goes on from a task: as it is, as it was, or as it will be.
    fn fork(&mut self, task: &TaskId) {
        let mut world = self.shared.world();
        let Some(other) = world.tasks.get(task) else { return };
        let Some(workflow) = self.packs.get(other.goal.revision.as_ref()) else { return };
        let from = self.chance.between(0, workflow.steps.len() as u64 - 1) as usize;
        let rev = match self.chance.between(0, 9) {
            0 => other.rev + 1,
            1..=3 => self.chance.between(1, other.rev),
            _ => other.rev,
        };
        let fork = Fork { task: task.clone(), rev, from: workflow.steps[from].name.clone() };
        let key = format!("fork-{}", self.wishes);
        let goal = Arc::new(Goal {
            task: TaskId::derive(&other.goal.tenant, &key),
            digest: Hash::of(key.as_bytes()),
            key,
            deadline: None,
            limits: GoalLimits::default(),
            fork: Some(fork),
            ..Goal::clone(&other.goal)
        });
        world.forks.push(goal.task.clone());
        drop(world);
        for _ in 0..self.chance.between(1, 2) {
            self.shared.write(Write::Submit(Arc::clone(&goal)));
        }
    }
}
