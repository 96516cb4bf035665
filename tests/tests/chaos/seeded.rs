//! Everything at once, for a while: processes are killed and frozen, the broker is restarted, goals
//! and reports come twice, reports are not valid. At the end every goal has its answer and the
//! check finds nothing.
//!
//! Every choice follows from the seed, which is printed. `CADRE_CHAOS_SEED` and
//! `CADRE_CHAOS_SECONDS` make it another run, or a longer one: `make chaos SECONDS=600`.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cadre_core::{
    ids::{Name, TaskId},
    task::{Event, Task},
};
use cadre_nats::tail::{Begin, TailOptions, tail};
use cadre_tests::{
    bed::PATIENCE,
    packs, plain,
    process::Process,
    seed::{Seed, number},
    verdict,
};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    arena::Arena,
    clumsy::{self, Deeds},
};

/// How long things are broken: the rest of the suite wants its time, too.
const SECONDS: u64 = 25;

/// The seed of the suite; `make chaos` takes others.
const SEED: u64 = 20_261_121;

/// From one goal to the next.
const GOAL_EVERY: Duration = Duration::from_millis(120);

/// Goals in a hundred that are published twice.
const TWICE_PERCENT: u64 = 10;

/// Milliseconds from one fault to the next, at least and beyond that at most.
const FAULT_EVERY_MS: (u64, u64) = (900, 1_500);

/// The pause before a goal that was not confirmed is published again.
const AGAIN: Duration = Duration::from_millis(50);

/// The pause between two looks how many are answered.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What is acknowledged is gone from them.
const QUEUES: [&str; 3] = ["CADRE_GOALS", "CADRE_IN_0", "CADRE_WORK_0"];

/// Roles of its own beside those of the arena's pack: one is done by a clumsy worker.
const PACK: &str = r#"
apiVersion: pack/v1
name: storm
roles:
  storm-echo: {runtime: echo, accepts: contracts/piece.v1.json, returns: contracts/piece.v1.json, limits: {timeout: 60s}}
  storm-hand:
    runtime: remote
    accepts: contracts/piece.v1.json
    returns: contracts/piece.v1.json
    limits: {timeout: 8s}
    retry: {attempts: 3, backoff: 200ms}
  storm-spare: {runtime: echo, accepts: contracts/piece.v1.json, returns: contracts/piece.v1.json, limits: {timeout: 60s}}
workflow:
  input: contracts/order.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 5m, max_steps: 60, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    open: {role: storm-echo, with: {number: "${ goal.number }"}}
    each:
      role: storm-hand
      fallback: storm-spare
      after: [open]
      each: {over: goal.parts, as: part, parallel: 4}
      with: {number: "${ part }"}
    close: {role: storm-echo, after: [each], with: "${ open }"}
  result:
    number: close.number
    parts: each.map(one, one.number)
"#;

const PIECE: &str =
    r#"{"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}"#;
const ORDER: &str = r#"{"type": "object", "properties": {"number": {"type": "integer"}, "parts": {"type": "array"}}, "required": ["number", "parts"]}"#;
const ANSWER: &str = r#"{"type": "object", "properties": {"number": {"type": "integer"}, "parts": {"type": "array"}}, "required": ["number", "parts"]}"#;

/// One confirmed goal.
struct Goal {
    task: TaskId,
    parts: usize,
    confirmed_ms: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_storm_loses_nothing_and_does_nothing_twice() {
    let (seed, seconds) = (Seed::or(SEED), number("CADRE_CHAOS_SECONDS", SECONDS));
    eprintln!("chaos: seed {seed}, {seconds} s (CADRE_CHAOS_SEED, CADRE_CHAOS_SECONDS)");
    let mut arena = Arena::new(2, 2).await;
    let contracts = [
        ("contracts/piece.v1.json", PIECE),
        ("contracts/order.v1.json", ORDER),
        ("contracts/answer.v1.json", ANSWER),
    ];
    arena.bed.apply(&packs::pack(PACK, &contracts)).await;
    let deeds = Arc::new(Deeds::default());
    let (js, own) = (arena.bed.connection.js.clone(), Arc::clone(&deeds));
    let worker = tokio::spawn(async move { clumsy::work(&js, "storm-hand", seed, &own).await });

    let until = Instant::now() + Duration::from_secs(seconds);
    let publisher = tokio::spawn(publish(arena.bed.connection.js.clone(), seed, until));
    let faults = disturb(&mut arena, seed, until).await;
    let goals = publisher.await.expect("a publisher");
    all_answered(&arena, &goals).await;
    let answers = arena.bed.answers(goals.len()).await;

    let parts: BTreeMap<_, _> = goals.iter().map(|goal| (goal.task.as_str(), goal.parts)).collect();
    for answer in &answers {
        assert_eq!(answer["status"], "completed", "seed {seed}: {answer}");
        let task = answer["task"].as_str().expect("a task");
        let found = answer["result"]["parts"].as_array().map(Vec::len);
        assert_eq!(found, parts.get(task).copied(), "seed {seed}: {answer}");
    }
    for goal in &goals {
        check_steps(&arena, goal).await;
    }
    let tasks: Vec<_> = goals.iter().map(|goal| goal.task.clone()).collect();
    all_settled(&arena).await;
    let verdict = verdict::is_clean_at_rest(&arena.bed, &tasks).await;
    worker.abort();
    assert_eq!(arena.answered().await, goals.len(), "one answer for each task");
    eprintln!("chaos: 0 violations in {:?}", verdict.counts);
    tell(&arena, &goals, &faults, &deeds).await;
}

/// Publishes a goal now and then, some twice; returns those that the broker has confirmed.
async fn publish(js: async_nats::jetstream::Context, seed: Seed, until: Instant) -> Vec<Goal> {
    let tenant = Name::new("acme").expect("a name");
    let (mut goals, mut due) = (Vec::new(), Instant::now());
    while due < until {
        let number = goals.len();
        let key = format!("storm-{number}");
        let parts = usize::try_from(seed.below(4, &format!("parts {number}"))).expect("few");
        let body = json!({"number": number, "parts": (0..parts).collect::<Vec<_>>()}).to_string();
        let copies = 1 + usize::from(seed.percent(TWICE_PERCENT, &format!("goal twice {number}")));
        let mut confirmed_ms = None;
        for _ in 0..copies {
            timeout(PATIENCE, confirmed(&js, &key, &body)).await.expect("a broker in time");
            confirmed_ms.get_or_insert_with(now_ms);
            // Behind the broker's own window for equal ids: the copy must reach the intake.
            due += GOAL_EVERY;
            sleep_until(due).await;
        }
        let (task, confirmed_ms) =
            (TaskId::derive(&tenant, &key), confirmed_ms.unwrap_or_default());
        goals.push(Goal { task, parts, confirmed_ms });
    }
    goals
}

async fn confirmed(js: &async_nats::jetstream::Context, key: &str, body: &str) {
    loop {
        let headers = plain::headers(&[("Nats-Msg-Id", key)]);
        let sent =
            js.publish_with_headers("goals.acme.storm", headers, body.to_owned().into()).await;
        if let Ok(sent) = sent
            && sent.await.is_ok()
        {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Does one fault after another; returns each with its time.
async fn disturb(arena: &mut Arena, seed: Seed, until: Instant) -> Vec<(&'static str, u64)> {
    let (mut faults, mut due) = (Vec::new(), Instant::now());
    for number in 0_u64.. {
        let (least, more) = FAULT_EVERY_MS;
        let pause = least + seed.below(more, &format!("pause {number}"));
        due = due.max(Instant::now()) + Duration::from_millis(pause);
        if due >= until {
            break;
        }
        sleep_until(due).await;
        let at = now_ms();
        faults.push((fault(arena, seed, number).await, at));
        eprintln!("chaos: {:?}", faults.last());
    }
    faults
}

async fn fault(arena: &mut Arena, seed: Seed, number: u64) -> &'static str {
    let index = usize::try_from(seed.below(2, &format!("who {number}"))).expect("few");
    let lasts = Duration::from_millis(500 + seed.below(4_000, &format!("frozen {number}")));
    match seed.below(10, &format!("fault {number}")) {
        0..=2 => {
            arena.workers[index].kill().await;
            arena.workers[index] = arena.start("agent,aggregator").await;
            "worker killed"
        }
        3..=4 => {
            arena.orchestrators[index].kill().await;
            arena.orchestrators[index] = arena.start("orchestrator").await;
            "orchestrator killed"
        }
        5..=6 => {
            freeze(&arena.workers[index], lasts).await;
            "worker frozen"
        }
        7 => {
            freeze(&arena.orchestrators[index], lasts).await;
            "orchestrator frozen"
        }
        _ => {
            arena.bed.server.kill().await.expect("killed");
            arena.bed.server.restart().await.expect("restarted");
            "broker restarted"
        }
    }
}

async fn freeze(process: &Process, lasts: Duration) {
    process.freeze().await;
    sleep_until(Instant::now() + lasts).await;
    process.thaw().await;
}

/// Waits for the last answer; says of what is open why it is.
async fn all_answered(arena: &Arena, goals: &[Goal]) {
    let look = async {
        let mut look = tokio::time::interval(LOOK_EVERY);
        while arena.answered().await < goals.len() {
            look.tick().await;
        }
    };
    if timeout(PATIENCE, look).await.is_ok() {
        return;
    }
    let answered = answer_times(arena).await;
    let open = goals.iter().filter(|goal| !answered.contains_key(goal.task.as_str()));
    for goal in open {
        let loaded = arena.bed.bus.read_log(&goal.task).await.expect("a whole log");
        let task = Task::replay(&loaded.records);
        eprintln!(
            "open {}: {:#?}",
            goal.task,
            task.map(|task| (task.wake_at(), task.phase, task.steps))
        );
    }
    left(arena).await;
    panic!("{} of {} goals were answered", answered.len(), goals.len());
}

/// Waits until no queue holds anything; says who should have taken what is left.
async fn all_settled(arena: &Arena) {
    let js = &arena.bed.connection.js;
    let look = async {
        let mut look = tokio::time::interval(LOOK_EVERY);
        for name in QUEUES {
            while js.get_stream(name).await.expect("stream").cached_info().state.messages > 0 {
                look.tick().await;
            }
        }
    };
    if timeout(PATIENCE, look).await.is_err() {
        left(arena).await;
        panic!("queues were not emptied in time");
    }
}

/// Prints what is left in the queues, and where their consumers stand.
async fn left(arena: &Arena) {
    let js = &arena.bed.connection.js;
    for name in QUEUES {
        let stream = js.get_stream(name).await.expect("stream");
        let state = &stream.cached_info().state;
        eprintln!(
            "left in {name}: {} of {}..{}",
            state.messages, state.first_sequence, state.last_sequence
        );
        for sequence in state.first_sequence..=state.last_sequence {
            if let Ok(message) = stream.direct_get(sequence).await {
                eprintln!("left {sequence} {} of {}", message.subject, message.time);
            }
        }
        let mut consumers = stream.consumers();
        while let Some(Ok(info)) = consumers.next().await {
            eprintln!(
                "consumer {} delivered {:?} acknowledged {:?} out {} waiting {} again {} filter {:?} {:?}",
                info.name,
                info.delivered,
                info.ack_floor,
                info.num_ack_pending,
                info.num_pending,
                info.num_redelivered,
                info.config.filter_subject,
                info.config.filter_subjects
            );
        }
    }
}

/// Each planned step is completed, once.
async fn check_steps(arena: &Arena, goal: &Goal) {
    let loaded = arena.bed.bus.read_log(&goal.task).await.expect("a whole log");
    let mut completed = BTreeMap::new();
    for event in loaded.records.iter().flat_map(|record| &record.events) {
        if let Event::StepCompleted { step, .. } = event {
            *completed.entry(step.to_string()).or_insert(0) += 1;
        }
    }
    let items = (0..goal.parts).map(|item| format!("each-{item}"));
    let planned = ["open", "close"].map(str::to_owned).into_iter().chain(items);
    let once: BTreeMap<_, _> = planned.map(|step| (step, 1)).collect();
    assert_eq!(completed, once, "{}", goal.task);
}

/// Prints figures: what was done, and how long until the last goal that a fault had met was answered.
async fn tell(arena: &Arena, goals: &[Goal], faults: &[(&'static str, u64)], deeds: &Deeds) {
    let answered = answer_times(arena).await;
    let ended = |goal: &Goal| answered.get(goal.task.as_str()).copied().unwrap_or_default();
    let mut latencies: Vec<_> =
        goals.iter().map(|goal| ended(goal).saturating_sub(goal.confirmed_ms)).collect();
    let mut recoveries: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (fault, at) in faults {
        let met = goals.iter().filter(|goal| goal.confirmed_ms <= *at && ended(goal) > *at);
        let last = met.map(ended).max().unwrap_or(*at);
        recoveries.entry(fault).or_default().push(last - at);
    }
    let count = |counter: &std::sync::atomic::AtomicUsize| counter.load(Ordering::Relaxed);
    eprintln!("chaos: {} tasks, {} faults, 0 violations", goals.len(), faults.len());
    eprintln!(
        "chaos: {} reports by hand, {} invalid, {} published twice, {} orders not acknowledged",
        count(&deeds.reports),
        count(&deeds.invalid),
        count(&deeds.twice),
        count(&deeds.unsettled)
    );
    eprintln!("chaos: goal to answer ms {}", figures(&mut latencies));
    for (fault, mut took) in recoveries {
        eprintln!(
            "chaos: {fault} {} times, until all it met had ended ms {}",
            took.len(),
            figures(&mut took)
        );
    }
}

fn figures(values: &mut [u64]) -> String {
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    let at = |share: usize| values.get(last * share / 100).copied().unwrap_or_default();
    format!("p50 {} p99 {} max {}", at(50), at(99), at(100))
}

/// When the broker stored each answer, by task.
async fn answer_times(arena: &Arena) -> BTreeMap<String, u64> {
    let streams = arena.bed.bus.streams();
    let options = TailOptions {
        filter: Some("answers.>".to_owned()),
        from: Begin::All,
        follow: false,
        headers_only: true,
    };
    let items = tail(&streams.js, &streams.topology, &options).await.expect("answers");
    let read = items.map_ok(|item| {
        let task = item.subject.rsplit('.').next().unwrap_or_default().to_owned();
        (task, item.at.0)
    });
    timeout(PATIENCE, read.try_collect()).await.expect("in time").expect("readable answers")
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("this age")
}
