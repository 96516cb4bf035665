//! The storm itself, whatever stands in it: goals that are published while things break, a worker
//! that gets things wrong, and what must hold when it is over.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cadre_core::{
    ids::{Name, TaskId},
    task::Event,
};
use cadre_tests::{packs, plain, seed::Seed, verdict};
use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    arena::{self, Arena},
    clumsy::{self, Deeds},
};

/// Goals in a hundred that are published twice.
const TWICE_PERCENT: u64 = 10;

/// The pause before something that the broker did not confirm is asked again.
const AGAIN: Duration = Duration::from_millis(50);

/// The pause between two looks how many are answered.
const LOOK_EVERY: Duration = Duration::from_millis(100);

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
pub(crate) struct Goal {
    pub(crate) task: TaskId,
    parts: usize,
    begun_ms: u64,
    pub(crate) confirmed_ms: u64,
}

/// What a storm is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) seed: Seed,
    pub(crate) seconds: u64,
    /// From one goal to the next.
    pub(crate) goal_every: Duration,
    /// Longest wait for the last answer, and for empty queues.
    pub(crate) patience: Duration,
}

/// A fault and when it began.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) at_ms: u64,
}

/// A storm that is on.
pub(crate) struct Storm {
    weather: Weather,
    pub(crate) until: Instant,
    publisher: JoinHandle<Vec<Goal>>,
    worker: JoinHandle<()>,
    deeds: Arc<Deeds>,
}

/// A storm that is over, and that broke nothing.
pub(crate) struct Over {
    pub(crate) goals: Vec<Goal>,
    answers: Vec<Value>,
    answered_ms: BTreeMap<String, u64>,
    deeds: Arc<Deeds>,
}

impl Storm {
    /// Applies the pack, and begins to publish goals and to work badly.
    pub(crate) async fn begin(arena: &Arena, weather: Weather) -> Self {
        let contracts = [
            ("contracts/piece.v1.json", PIECE),
            ("contracts/order.v1.json", ORDER),
            ("contracts/answer.v1.json", ANSWER),
        ];
        arena.bed.apply(&packs::pack(PACK, &contracts)).await;
        let (deeds, seed) = (Arc::new(Deeds::default()), weather.seed);
        let (js, own) = (arena.bed.connection.js.clone(), Arc::clone(&deeds));
        let worker = tokio::spawn(async move { clumsy::work(&js, "storm-hand", seed, &own).await });
        let until = Instant::now() + Duration::from_secs(weather.seconds);
        let publisher = tokio::spawn(publish(arena.bed.connection.js.clone(), weather, until));
        Self { weather, until, publisher, worker, deeds }
    }

    /// Waits until everything has ended, and checks everything.
    pub(crate) async fn end(self, arena: &Arena) -> Over {
        let Self { weather, publisher, worker, deeds, until: _ } = self;
        let goals = publisher.await.expect("a publisher");
        let tasks: Vec<_> = goals.iter().map(|goal| goal.task.clone()).collect();
        arena.all_answered(&tasks, weather.patience).await;
        let answers = arena.bed.answers(goals.len()).await;
        let parts: BTreeMap<_, _> =
            goals.iter().map(|goal| (goal.task.as_str(), goal.parts)).collect();
        for answer in &answers {
            assert_eq!(answer["status"], "completed", "seed {}: {answer}", weather.seed);
            let task = answer["task"].as_str().expect("a task");
            let found = answer["result"]["parts"].as_array().map(Vec::len);
            assert_eq!(found, parts.get(task).copied(), "seed {}: {answer}", weather.seed);
        }
        for goal in &goals {
            check_steps(arena, goal).await;
        }
        all_settled(arena, weather.patience).await;
        let verdict = verdict::is_clean_at_rest(&arena.bed, &tasks).await;
        worker.abort();
        assert_eq!(arena.answered().await, goals.len(), "one answer for each task");
        eprintln!("chaos: 0 violations in {:?}", verdict.counts);
        let answered_ms = arena.answer_times().await;
        Over { goals, answers, answered_ms, deeds }
    }
}

impl Over {
    /// Prints what was done.
    pub(crate) fn tell(&self, faults: &[Fault]) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let deeds = &self.deeds;
        let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
        for answer in &self.answers {
            *ends.entry(answer["status"].as_str().unwrap_or_default()).or_default() += 1;
        }
        let (tasks, faults) = (self.goals.len(), faults.len());
        eprintln!("chaos: {tasks} tasks {ends:?}, {faults} faults, 0 violations");
        eprintln!(
            "chaos: {} reports by hand, {} invalid, {} published twice, {} orders not acknowledged",
            count(&deeds.reports),
            count(&deeds.invalid),
            count(&deeds.twice),
            count(&deeds.unsettled)
        );
        let took = |goal: &Goal| self.ended_ms(goal).saturating_sub(goal.confirmed_ms);
        eprintln!("chaos: goal to answer ms {}", figures(self.goals.iter().map(took)));
    }

    /// A storm that is as long as the suite's meets each of these kinds, and everything that a worker
    /// can get wrong; otherwise it proves less than it says.
    pub(crate) fn was_rough(&self, faults: &[Fault], kinds: &[&str]) {
        for kind in kinds {
            assert!(faults.iter().any(|fault| fault.name == *kind), "no {kind}");
        }
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let Deeds { reports, invalid, twice, unsettled } = &*self.deeds;
        let (reports, invalid) = (count(reports), count(invalid));
        assert!(invalid * 100 >= reports * 5, "{invalid} of {reports} reports were not valid");
        assert!(count(twice) > 0 && count(unsettled) > 0, "nothing came twice");
    }

    /// Prints how long it took after each kind of fault, by this measure: milliseconds, if any.
    pub(crate) fn tell_recovery(
        &self,
        faults: &[Fault],
        (what, measure): (&str, impl Fn(&Self, &Fault) -> Option<u64>),
    ) {
        let mut by_name: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for fault in faults {
            by_name.entry(fault.name).or_default().extend(measure(self, fault));
        }
        for (name, took) in &by_name {
            let times = took.len();
            eprintln!("chaos: {name} {times} times, {what} ms {}", figures(took.iter().copied()));
        }
        let all = by_name.into_values().flatten();
        eprintln!("chaos: all faults, {what} ms {}", figures(all));
    }

    /// Until the last of the tasks that were under way had ended.
    pub(crate) fn until_met_ended(&self, fault: &Fault) -> Option<u64> {
        let ended = self.goals.iter().filter(|goal| goal.confirmed_ms <= fault.at_ms);
        let after = ended.map(|goal| self.ended_ms(goal)).filter(|ended| *ended > fault.at_ms);
        Some(after.max().unwrap_or(fault.at_ms) - fault.at_ms)
    }

    /// Until the first end of any task.
    pub(crate) fn until_first_end(&self, fault: &Fault) -> Option<u64> {
        let after = self.answered_ms.values().filter(|ended| **ended > fault.at_ms);
        after.min().map(|ended| ended - fault.at_ms)
    }

    /// Until the first task had ended whose goal was published afterwards: every part works again.
    pub(crate) fn until_whole_life(&self, fault: &Fault) -> Option<u64> {
        let after = self.goals.iter().filter(|goal| goal.begun_ms > fault.at_ms);
        after.map(|goal| self.ended_ms(goal)).min().map(|ended| ended - fault.at_ms)
    }

    fn ended_ms(&self, goal: &Goal) -> u64 {
        self.answered_ms[goal.task.as_str()]
    }
}

/// Publishes a goal now and then, some twice; returns those that the broker has confirmed.
async fn publish(
    js: async_nats::jetstream::Context,
    weather: Weather,
    until: Instant,
) -> Vec<Goal> {
    let Weather { seed, goal_every, patience, .. } = weather;
    let tenant = Name::new("acme").expect("a name");
    let (mut goals, mut due) = (Vec::new(), Instant::now());
    while due < until {
        let number = goals.len();
        let key = format!("storm-{number}");
        let parts = usize::try_from(seed.below(4, &format!("parts {number}"))).expect("few");
        let body = json!({"number": number, "parts": (0..parts).collect::<Vec<_>>()}).to_string();
        let copies = 1 + usize::from(seed.percent(TWICE_PERCENT, &format!("goal twice {number}")));
        let (begun_ms, mut confirmed_ms) = (now_ms(), None);
        for _ in 0..copies {
            timeout(patience, confirmed(&js, &key, &body)).await.expect("a broker in time");
            confirmed_ms.get_or_insert_with(now_ms);
            // Behind the broker's own window for equal ids: the copy must reach the intake.
            due = due.max(Instant::now()) + goal_every;
            sleep_until(due).await;
        }
        let (task, confirmed_ms) =
            (TaskId::derive(&tenant, &key), confirmed_ms.unwrap_or_default());
        goals.push(Goal { task, parts, begun_ms, confirmed_ms });
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

/// Waits until no queue holds anything; says who should have taken what is left.
async fn all_settled(arena: &Arena, patience: Duration) {
    let look = async {
        let mut look = tokio::time::interval(LOOK_EVERY);
        for name in arena::QUEUES {
            while arena.messages(name).await > 0 {
                look.tick().await;
            }
        }
    };
    if timeout(patience, look).await.is_err() {
        arena.tell_left().await;
        panic!("queues were not emptied in time");
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

fn figures(values: impl Iterator<Item = u64>) -> String {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    // The nearest rank: with few values the 99th is the largest.
    let rank = |share: usize| (values.len() * share).div_ceil(100).saturating_sub(1);
    let at = |share: usize| values.get(rank(share)).copied().unwrap_or_default();
    format!("p50 {} p99 {} max {}", at(50), at(99), at(100))
}

/// Now, as brokers on this machine see it.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("this age")
}
