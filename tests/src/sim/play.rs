//! One goal of one pack in calm weather, and everybody's death behind one write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use cadre_core::{
    ids::{Partitions, StepId, TaskId},
    payload::Payload,
    task::StepState,
};
use serde_json::Value;
use tokio::time::sleep;

use super::{
    PackSet, at_rest,
    bus::Shared,
    facts,
    faults::Faults,
    fleet::{Deployment, Kind, Process},
    people::{self, Wanted},
    run,
    runner::{Doer, Known},
    world::{Logged, World},
};

/// How long a play may take.
const WITHIN: Duration = Duration::from_secs(300);

/// How long everybody is dead.
const DEAD: Duration = Duration::from_millis(200);

/// What is played.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The packs.
    pub packs: PackSet,
    /// The goal.
    pub goal: Wanted,
    /// What the built-in roles are known to say.
    pub known: Known,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Played {
    /// The answer, without how long it took.
    pub answer: Value,
    /// Calls of runners by step.
    pub calls: BTreeMap<StepId, u32>,
    /// Effects outside by key.
    pub effects: BTreeMap<String, u32>,
    /// How often a person had to say whether a step's call has happened: each time it runs once more.
    pub ruled: BTreeMap<StepId, u32>,
    /// Writes that changed something.
    pub writes: u64,
    /// Records of the log.
    pub records: usize,
    /// Records there were when everybody died.
    pub records_at_death: usize,
    /// Steps with an order in somebody's hands then, or on its way.
    pub in_flight: BTreeSet<StepId>,
    /// Steps that the log had completed then, without such an order.
    pub settled: BTreeMap<StepId, u32>,
    /// What is wrong; empty when all is well.
    pub wrong: Vec<String>,
}

/// Plays a piece; everybody dies right behind write `dies_behind`, if there is so much to write.
#[must_use]
pub fn play(piece: &Piece, dies_behind: Option<u64>) -> Played {
    let Piece { packs, goal, known } = piece.clone();
    run(7, async move {
        let mut world = World::new(7, Faults::calm(), Partitions::new(2));
        world.dies_behind = dies_behind;
        let shared = Shared::new(world);
        let doer = Doer::BuiltIn(known);
        let deployment =
            Deployment { shared: Arc::clone(&shared), packs, doer, cached_tasks: 1_024 };
        drop(tokio::spawn(Arc::clone(&shared).drive()));
        drop(tokio::spawn(people::grant(Arc::clone(&shared))));
        let mut processes = [Process::new(Kind::Orchestrator, 0), Process::new(Kind::Worker, 1)];
        for process in &mut processes {
            process.start(&deployment).await;
        }
        goal.publish(&shared);
        let tasks = [goal.task()];
        let mut played = Played::default();
        if dies_behind.is_some() && struck(&shared, &processes, &tasks).await {
            at_death(&shared.world(), &tasks[0], &mut played);
            processes.iter_mut().for_each(Process::crash);
            sleep(DEAD).await;
            for process in &mut processes {
                process.start(&deployment).await;
            }
        }
        if !at_rest(&shared, &tasks, WITHIN).await {
            played.wrong.push("it does not come to rest".to_owned());
        }
        judge(&shared.world(), (&deployment.packs, tasks.as_slice()), played)
    })
}

/// Waits for everybody's death; false when the play ends before.
async fn struck(shared: &Shared, processes: &[Process], tasks: &[TaskId]) -> bool {
    loop {
        if processes.iter().all(|process| !process.is_alive()) {
            return true;
        }
        if at_rest(shared, tasks, Duration::from_millis(20)).await {
            return false;
        }
    }
}

fn at_death(world: &World, task: &TaskId, played: &mut Played) {
    played.records_at_death = records(world);
    let orders = world.work.messages.values().map(|message| &message.value.order);
    played.in_flight = orders.map(|order| order.step.clone()).collect();
    let Some(task) = world.tasks.get(task) else { return };
    for (step, state) in &task.steps {
        let is_completed = matches!(state.state, StepState::Completed { .. });
        if is_completed && !played.in_flight.contains(step) {
            let calls = world.calls.get(&(task.id().clone(), step.clone()));
            played.settled.insert(step.clone(), calls.copied().unwrap_or_default());
        }
    }
}

fn records(world: &World) -> usize {
    world.log.iter().filter(|entry| matches!(entry.content, Logged::Record(_))).count()
}

fn judge(world: &World, (packs, tasks): (&PackSet, &[TaskId]), mut played: Played) -> Played {
    let verdict = facts::check(world, packs, tasks);
    played.wrong.extend(verdict.violations.iter().map(|violation| format!("{violation:?}")));
    let repeated = facts::repeated(world);
    played.wrong.extend(repeated.iter().map(|step| format!("dispatched again: {step:?}")));
    played.wrong.extend(facts::effects_wrong(world));
    let answer = world.answers.first().map(|(_, answer)| answer.document.clone());
    let mut answer = answer.unwrap_or_else(Payload::null).value().clone();
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("duration_ms");
    }
    let calls = world.calls.iter().map(|((_, step), calls)| (step.clone(), *calls));
    Played {
        answer,
        calls: calls.collect(),
        effects: world.effects.clone(),
        ruled: facts::ruled(world),
        writes: world.writes,
        records: records(world),
        ..played
    }
}
