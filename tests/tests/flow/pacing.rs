//! The pace of a fleet: three gateways in processes of their own, which know of each other by what they say.
//! Times are bounded from below only: what holds on a busy machine as well.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_nats::Subscriber;
use cadre_core::{
    ids::{Name, StepId, TaskId},
    model::{Manner, ModelRequest, Prompt, Turn, gateway::Word},
    pack::PackSource,
    ports::Models as _,
    workflow::Grant,
};
use cadre_inference::local::{LocalServer, Reply};
use cadre_proto::{model, subject::infer};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs,
    process::Process,
};
use futures::{StreamExt as _, future::join_all};
use tokio::time::timeout;

const GATEWAYS: usize = 3;
const WORKERS: usize = 20;
const MODEL: &str = "own/any";

const PACK: &str = r#"apiVersion: pack/v1
name: paced
models:
  own: {routes: [{model: own/any}], free: true}
roles:
  asker: {runtime: model, model: own, prompt: prompts/ask.md, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s, max_tokens: 100000}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 1m, max_steps: 1, max_usd: 0, max_tokens: 100000}
  when_limited: partial
  steps:
    ask: {role: asker, with: "${ goal }"}
  result:
    said: "${ ask }"
"#;

fn pack() -> PackSource {
    let files = [("contracts/any.v1.json", packs::ANYTHING), ("prompts/ask.md", "Answer.\n")];
    packs::pack(PACK, &files)
}

/// When requests came.
type Arrivals = Arc<Mutex<Vec<Instant>>>;

/// A broker with three gateways that have heard of each other, before a model of this server.
struct World {
    bed: Bed,
    words: Subscriber,
    _gateways: Vec<Process>,
}

impl World {
    async fn new(server: &LocalServer, rates: &str) -> Self {
        let bed = Bed::new().await;
        bed.apply(&pack()).await;
        let words = bed.connection.client.subscribe(infer::WORDS).await.expect("subscribed");
        let providers = format!("own={}", server.url("/v1/"));
        let variables = [("CADRE_PROVIDERS", providers.as_str()), ("CADRE_MODEL_RATES", rates)];
        let url = bed.server.url();
        let start = || Process::serve_with(&url, &["--role", "inference"], &variables);
        let gateways = join_all((0..GATEWAYS).map(|_| start())).await;
        let mut world = Self { bed, words, _gateways: gateways };
        // What is said once everybody listens is heard by everybody.
        world.until_all_say(3, |_| true).await;
        world
    }

    /// Waits until each gateway has said so often what is wanted.
    async fn until_all_say(&mut self, times: usize, is_wanted: impl Fn(&Word) -> bool) {
        let said = async {
            let mut counts = BTreeMap::<Name, usize>::new();
            while counts.values().filter(|count| **count >= times).count() < GATEWAYS {
                let message = self.words.next().await.expect("words");
                let word = model::decode_word(&message.payload).expect("a word");
                if is_wanted(&word) {
                    *counts.entry(word.pod).or_default() += 1;
                }
            }
        };
        timeout(PATIENCE, said).await.expect("in time");
    }

    /// One worker asks so often, one question after the other.
    async fn ask(&self, times: usize) {
        for _ in 0..times {
            self.bed.bus.ask(request()).await.expect("waiting is no failure");
        }
    }
}

fn request() -> ModelRequest {
    let name = |text: &str| Name::new(text).expect("a name");
    let turns = vec![Turn::User("what is the pace?".to_owned())];
    ModelRequest {
        tenant: name("acme"),
        task: TaskId::derive(&name("acme"), "paced"),
        step: StepId::single(name("ask")),
        role: name("asker"),
        workflow: name("paced"),
        revision: pack().revision(),
        alias: name("own"),
        key: "paced.ask.1".to_owned(),
        prompt: Prompt { system: "Answer.".to_owned(), tools: Vec::new(), turns },
        manner: Manner { output_tokens_max: 50, ..Manner::default() },
        grant: Grant { usd_micros: 0, tokens: 50_000 },
        time_left: Duration::from_secs(50),
        is_followed: false,
        trace: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_workers_of_three_gateways_keep_to_the_limit_of_the_fleet() {
    /// Seconds between two calls of the fleet: 600 in a minute, and the burst fits into it.
    const EVERY: f64 = 63.0 / 600.0;
    /// Seconds whose calls may come at once after a pause.
    const BURST: f64 = 3.0;
    let arrivals = Arrivals::default();
    let seen = Arc::clone(&arrivals);
    let server = LocalServer::start(move |_, _| {
        seen.lock().expect("open").push(Instant::now());
        Reply::chat("{}", 30, 7)
    });
    let server = server.await.expect("a server");
    let world = World::new(&server, "own=600rpm").await;
    let begun = Instant::now();
    join_all((0..WORKERS).map(|_| world.ask(3))).await;
    let arrivals = arrivals.lock().expect("open").clone();
    assert_eq!(arrivals.len(), WORKERS * 3);
    for (number, at) in arrivals.iter().enumerate() {
        let elapsed = at.duration_since(begun).as_secs_f64();
        let most = (elapsed + BURST) / EVERY + GATEWAYS as f64;
        assert!((number as f64) < most, "{} calls in {elapsed:.2} s", number + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_that_one_gateway_is_asked_for_is_the_whole_fleets() {
    const RETRY_AFTER: Duration = Duration::from_secs(5);
    let arrivals = Arrivals::default();
    let seen = Arc::clone(&arrivals);
    let server = LocalServer::start(move |number, _| {
        seen.lock().expect("open").push(Instant::now());
        match number {
            0 => Reply::status(429, &["retry-after: 5"]),
            _ => Reply::chat("{}", 30, 7),
        }
    });
    let server = server.await.expect("a server");
    let mut world = World::new(&server, "other=1rpm").await;
    let first = world.bed.bus.clone();
    // It waits where it was refused.
    let first = tokio::spawn(async move { first.ask(request()).await.expect("waited") });
    let is_held = |word: &Word| word.holds.iter().any(|(model, _)| model == MODEL);
    world.until_all_say(1, is_held).await;
    join_all((0..WORKERS).map(|_| world.ask(1))).await;
    let waited = first.await.expect("an answer").took;
    assert!(waited >= RETRY_AFTER, "{waited:?}");
    let arrivals = arrivals.lock().expect("open").clone();
    assert_eq!(arrivals.len(), WORKERS + 2, "one was refused, and nobody asked in vain");
    for at in &arrivals[1..] {
        let after = at.duration_since(arrivals[0]);
        // A millisecond is lost with each word.
        assert!(after >= RETRY_AFTER - Duration::from_millis(10), "asked after {after:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_one_gateway_learns_is_the_whole_fleets() {
    // It does not say for how long: that shows a limit, and only who asked has seen it.
    let server = LocalServer::start(|_, _| Reply::status(429, &[]));
    let server = server.await.expect("a server");
    let mut world = World::new(&server, "other=1rpm").await;
    let bus = world.bed.bus.clone();
    let asking = tokio::spawn(async move { bus.ask(request()).await });
    let has_learnt = |word: &Word| word.limits.iter().any(|limit| limit.model == MODEL);
    world.until_all_say(1, has_learnt).await;
    asking.abort();
}
