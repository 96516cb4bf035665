//! One run of a seed: a pack of every kind of step, a storm, and the judgement after it.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, Partitions, TaskId},
    pack::PackSource,
};
use tokio::time::{Instant, sleep};

use super::{
    Outcome, at_rest,
    bus::Shared,
    chance::Chance,
    facts,
    faults::Faults,
    fleet::{Deployment, Kind, Process},
    packs,
    people::{self, Wanted},
    run,
    runner::Doer,
    world::World,
};
use crate::packs::{ANYTHING, pack};

/// How long faults are injected.
const STORM: Duration = Duration::from_secs(25);

/// How long the calm world may take to end every task.
const CALM: Duration = Duration::from_secs(240);

const PACK: &str = r#"apiVersion: pack/v1
name: storm
roles:
  doer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s, max_usd: 0.0001, max_tokens: 40}
    retry: {attempts: 3, backoff: 300ms}
  spare:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s, max_usd: 0.0001, max_tokens: 40}
  payer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/out.v1.json
    limits: {timeout: 4s, max_usd: 0.0001, max_tokens: 40}
    effects: once
    retry: {attempts: 3, backoff: 300ms}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 45s, max_steps: 30, max_usd: 0.01, max_tokens: 4000}
  when_limited: partial
  steps:
    first: {role: doer, fallback: spare, with: "${ goal }", otherwise: accept_unsure}
    spread:
      role: doer
      fallback: spare
      after: [first]
      each: {over: "${ goal.items }", as: item, parallel: 3, keep_partial: 0.5}
      with: {item: "${ item }", n: "${ first.n }"}
      otherwise: accept_unsure
    extra: {role: spare, after: [first], optional: true, with: "${ first }", otherwise: ask_human}
    approve:
      after: [spread]
      approval: {question: "Go on with ${ first.n }?", expires: 8s}
      with: {n: "${ first.n }"}
    pay: {role: payer, after: [approve], with: "${ first }", otherwise: accept_unsure}
  result:
    first: {from: ["${ first.n }"], required: false}
    spread: {from: ["${ spread }"], required: false}
    extra: {from: ["${ extra.n }"], required: false}
    paid: {from: ["${ pay.n }"], required: false}
"#;

const OUT: &str =
    r#"{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}"#;

const ANSWER: &str =
    r#"{"type": "object", "properties": {"first": {}, "spread": {}, "extra": {}, "paid": {}}}"#;

fn source() -> PackSource {
    let contracts = [
        ("contracts/any.v1.json", ANYTHING),
        ("contracts/out.v1.json", OUT),
        ("contracts/answer.v1.json", ANSWER),
    ];
    pack(PACK, &contracts)
}

thread_local! {
    static PACKS: super::PackSet = packs(&[source()]);
}

fn goals(chance: &mut Chance) -> Vec<Wanted> {
    let count = chance.between(2, 5);
    let goal = |number| {
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
            workflow: Name::new("storm").expect("a name"),
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
    run(seed, async move {
        let mut chance = Chance::of(seed, "world");
        let partitions = Partitions::new(chance.between(1, 3) as u16);
        let shared = Shared::new(World::new(seed, Faults::storm(seed), partitions));
        let cached_tasks = if chance.hits(300) { 1 } else { 1_024 };
        let packs = PACKS.with(Arc::clone);
        let doer = Doer::Script(seed);
        let deployment = Deployment { shared: Arc::clone(&shared), packs, doer, cached_tasks };
        let goals = goals(&mut chance);
        let tasks: Vec<_> = goals.iter().map(Wanted::task).collect();
        drop(tokio::spawn(Arc::clone(&shared).drive()));
        drop(tokio::spawn(people::publish(Arc::clone(&shared), goals, seed)));
        let meddling = tokio::spawn(people::meddle(Arc::clone(&shared), seed));
        let begun = Instant::now();
        let (mut processes, strikes) = storm(&deployment, &mut chance).await;
        shared.world().faults = Faults::calm();
        shared.news.notify_waiters();
        for process in &mut processes {
            process.start(&deployment).await;
        }
        // Whoever is paused stays so until the deadline; nobody holds the world up for longer.
        meddling.abort();
        let is_at_rest = at_rest(&shared, &tasks, CALM).await;
        let took = begun.elapsed();
        judge(&shared, &tasks, (is_at_rest, strikes, took))
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
    shared: &Shared,
    tasks: &[TaskId],
    (is_at_rest, strikes, took): (bool, u64, Duration),
) -> Outcome {
    let world = shared.world();
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
    let verdict = facts::check(&world, tasks);
    wrong.extend(verdict.violations.iter().map(|violation| format!("{violation:?}")));
    let repeated = facts::repeated(&world);
    wrong.extend(repeated.iter().map(|step| format!("dispatched after it completed: {step:?}")));
    let effects = facts::effects_repeated(&world);
    wrong.extend(effects.iter().map(|key| format!("happened twice: {key}")));
    let (print, records) = (facts::print(&world), world.log.len());
    let (tasks, faults) = (world.tasks.len(), (world.injected, strikes));
    Outcome { print, records, tasks, faults, took, wrong }
}
