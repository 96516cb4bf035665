//! One run of a seed: packs of every kind of step, a storm, and the judgement after it.

use std::{sync::Arc, time::Duration};

use cadre_core::ids::{Name, Partitions, TaskId};
use tokio::time::{Instant, sleep};

use super::{
    Outcome, PackSet, at_rest,
    bus::Shared,
    chance::Chance,
    facts,
    faults::Faults,
    fleet::{Deployment, Kind, Process},
    people::{self, Wanted},
    run,
    runner::Doer,
    scores,
    world::World,
};

/// How long faults are injected.
const STORM: Duration = Duration::from_secs(25);

/// How long the calm world may take to end every task.
const CALM: Duration = Duration::from_secs(240);

fn goals(chance: &mut Chance, packs: &PackSet) -> Vec<Wanted> {
    let names: Vec<_> = packs.values().map(|pack| pack.name.clone()).collect();
    let count = chance.between(2, 5);
    let goal = |number| {
        let workflow = names[chance.between(0, names.len() as u64 - 1) as usize].clone();
        let items: Vec<_> = (0..chance.between(0, 5)).map(|n| format!(r#"{{"n": {n}}}"#)).collect();
        let mut headers = Vec::new();
        if chance.hits(150) {
            headers.push(("Cadre-Budget-Steps".to_owned(), chance.between(2, 6).to_string()));
        }
        if chance.hits(150) {
            let timeout = chance.between(3_000, 15_000).to_string();
            headers.push(("Cadre-Timeout-Ms".to_owned(), timeout));
        }
        Wanted {
            tenant: Name::new("acme").expect("a name"),
            workflow,
            key: format!("goal-{number}"),
            input: format!(r#"{{"items": [{}]}}"#, items.join(",")),
            headers,
        }
    };
    (0..count).map(goal).collect()
}

/// Runs the seed's world to its end.
#[must_use]
pub fn weather(seed: u64) -> Outcome {
    weather_seen(seed, |_, _| ()).0
}

/// The same, with what `look` makes of the world in the end.
pub fn weather_seen<T>(seed: u64, look: impl FnOnce(&World, &PackSet) -> T) -> (Outcome, T) {
    run(seed, async move {
        let mut chance = Chance::of(seed, "world");
        let partitions = Partitions::new(chance.between(1, 3) as u16);
        let shared = Shared::new(World::new(seed, Faults::storm(seed), partitions));
        let cached_tasks = if chance.hits(300) { 1 } else { 1_024 };
        let packs = scores::choose(&mut chance);
        let goals = goals(&mut chance, &packs);
        let mut tasks: Vec<_> = goals.iter().map(Wanted::task).collect();
        let meddling = people::meddle(Arc::clone(&shared), Arc::clone(&packs), seed);
        let doer = Doer::Script(seed);
        let deployment = Deployment { shared: Arc::clone(&shared), packs, doer, cached_tasks };
        drop(tokio::spawn(Arc::clone(&shared).drive()));
        drop(tokio::spawn(people::publish(Arc::clone(&shared), goals, seed)));
        let meddling = tokio::spawn(meddling);
        let begun = Instant::now();
        let (mut processes, strikes) = storm(&deployment, &mut chance).await;
        shared.world().faults = Faults::calm();
        shared.wake_all();
        for process in &mut processes {
            process.start(&deployment).await;
        }
        // Whoever is paused stays so until the deadline; nobody holds the world up for longer.
        meddling.abort();
        tasks.extend(shared.world().forks.iter().cloned());
        let is_at_rest = at_rest(&shared, &tasks, CALM).await;
        let took = begun.elapsed();
        let outcome = judge(&deployment, &tasks, (is_at_rest, strikes, took));
        let seen = look(&shared.world(), &deployment.packs);
        (outcome, seen)
    })
}

/// Strikes processes and the broker for a while; says how often.
async fn storm(deployment: &Deployment, chance: &mut Chance) -> (Vec<Process>, u64) {
    let kinds = [Kind::Orchestrator, Kind::Orchestrator, Kind::Worker, Kind::Worker];
    let mut processes: Vec<_> =
        kinds.iter().enumerate().map(|(number, kind)| Process::new(*kind, number)).collect();
    for process in &mut processes {
        process.start(deployment).await;
    }
    let (end, mut strikes) = (Instant::now() + STORM, 0);
    while Instant::now() < end {
        sleep(Duration::from_millis(chance.between(50, 3_000))).await;
        strikes += 1;
        let now = deployment.shared.world().now();
        match chance.between(0, 9) {
            0..=3 => {
                let struck = chance.between(0, 3) as usize;
                processes[struck].crash();
            }
            4 => processes.iter_mut().for_each(Process::crash),
            5 => deployment.shared.world().faults.away_until = now + chance.between(100, 12_000),
            6 => deployment.shared.world().faults.split_until = now + chance.between(500, 6_000),
            7 => deployment.shared.world().pins.clear(),
            _ => strikes -= 1,
        }
        for process in &mut processes {
            if chance.hits(600) {
                process.start(deployment).await;
            }
        }
    }
    (processes, strikes)
}

fn judge(
    deployment: &Deployment,
    tasks: &[TaskId],
    (is_at_rest, strikes, took): (bool, u64, Duration),
) -> Outcome {
    let world = deployment.shared.world();
    let mut wrong = Vec::new();
    if !is_at_rest {
        let open: Vec<_> = world.tasks.values().filter(|task| task.ended().is_none()).collect();
        let waiting = [
            world.goals.messages.len(),
            world.inputs.messages.len(),
            world.work.messages.len(),
            world.due.messages.len(),
        ];
        let inputs: Vec<_> = world.inputs.messages.values().collect();
        let pins = (&world.pins, &world.alive);
        let text = format!("not at rest: waiting {waiting:?}, {pins:?}\n{inputs:#?}\n{open:#?}");
        wrong.push(text);
    }
    let verdict = facts::check(&world, &deployment.packs, tasks);
    wrong.extend(verdict.violations.iter().map(|violation| format!("{violation:?}")));
    let repeated = facts::repeated(&world);
    wrong.extend(repeated.iter().map(|step| format!("dispatched after it completed: {step:?}")));
    wrong.extend(facts::effects_wrong(&world));
    let (print, records) = (facts::print(&world), world.log.len());
    let (tasks, faults) = (world.tasks.len(), (world.injected, strikes));
    let (happened, again) = (facts::happened(&world), world.again.len());
    Outcome { print, records, tasks, faults, took, happened, again, wrong }
}
