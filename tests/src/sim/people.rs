//! People at the simulated bus: they publish goals, decide what they are asked, and steer.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    journal::CallRuling,
    payload::{Hash, Payload},
    task::{Action, Ask, AskKind, Budget, Cancel, Control, Decision, Input, Ruling, StepState},
};
use tokio::time::sleep;

use super::{
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

/// Grants whatever is asked; `answer` is what a question gets.
pub async fn grant(shared: Arc<Shared>, answer: Option<Payload>) {
    let mut known = BTreeSet::new();
    loop {
        sleep(LOOK_EVERY).await;
        for (task, step, hash, ask) in questions(&shared, &mut known) {
            let ruling = match (ask.content.clone(), &answer) {
                (None, Some(answer)) => Ruling::GrantWith(answer.clone()),
                (Some(_), _) | (None, None) => Ruling::Grant,
            };
            let (by, comment) = ("kim".to_owned(), String::new());
            let decision = Decision { step, by, hash, ruling, comment };
            shared.write(Write::Input(task, Input::Decision(decision), "decision"));
        }
    }
}

/// Whether what a step does outside has happened.
fn happened(shared: &Shared, task: &TaskId, step: &StepId) -> bool {
    shared.world().effects.contains_key(&format!("{task}.{step}.1"))
}

/// Decides late, twice, wrongly or never; and steers whoever is open.
pub async fn meddle(shared: Arc<Shared>, seed: u64) {
    let mut chance = Chance::of(seed, "people");
    let (mut known, mut wishes) = (BTreeSet::new(), 0_u32);
    loop {
        sleep(LOOK_EVERY).await;
        for (task, step, hash, ask) in questions(&shared, &mut known) {
            let happened = happened(&shared, &task, &step);
            let is_doubt = ask.kind == AskKind::Doubt;
            let ruling = match (chance.between(0, 9), ask.content.clone()) {
                (0..=1, _) => continue,
                (2, _) => Ruling::Deny,
                // Who is asked whether it happened, looks.
                (_, Some(_)) if is_doubt && happened => {
                    Ruling::Call(CallRuling::Happened(Payload::null()))
                }
                (_, _) if is_doubt && !happened => Ruling::Call(CallRuling::DidNot),
                (3..=5, Some(content)) => Ruling::GrantWith(content),
                (_, Some(_)) => Ruling::Grant,
                (_, None) => Ruling::GrantWith(Payload::parse(br#"{"n": 1}"#).expect("json")),
            };
            let hash = if chance.hits(50) { Hash::of(b"another") } else { hash };
            let (by, comment) = ("kim".to_owned(), String::new());
            let decision = Decision { step, by, hash, ruling, comment };
            for _ in 0..chance.between(1, 2) {
                let wish = Input::Decision(decision.clone());
                shared.write(Write::Input(task.clone(), wish, "decision"));
            }
        }
        if !chance.hits(60) {
            continue;
        }
        let all: Vec<_> = shared.world().tasks.keys().cloned().collect();
        let Some(task) = all.get(chance.between(0, 3) as usize) else { continue };
        wishes += 1;
        let by = "kim".to_owned();
        let reason = "as people do".to_owned();
        let steer = |action| {
            Input::Control(Control {
                by: by.clone(),
                reason: reason.clone(),
                key: wishes.to_string(),
                action,
            })
        };
        let wish = match chance.between(0, 9) {
            0..=1 => Input::Cancel(Cancel { by: by.clone(), reason: reason.clone() }),
            2 => steer(Action::Kill),
            3..=5 => steer(Action::Pause),
            6..=8 => steer(Action::Resume),
            _ => steer(Action::AddBudget(Budget { steps: 3, ..Budget::default() })),
        };
        for _ in 0..chance.between(1, 2) {
            shared.write(Write::Input(task.clone(), wish.clone(), "wish"));
        }
    }
}
