//! Ten times the load that the workers can take: it waits where it is bounded, and everything ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_nats::jetstream::stream::Config;
use cadre_core::{
    ids::{Name, TaskId},
    limits::ROLE_BACKLOG_MIN,
};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    hand::Hand,
    packs,
    plain::{self, Rejections},
    process::Process,
    shell, verdict,
};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

/// What one worker takes for one order.
const WORK: Duration = Duration::from_millis(40);

/// Workers: together they do 100 orders a second.
const WORKERS: usize = 4;

/// Goals of one burst; with [`BURST_EVERY`] 1,000 a second, ten times what the workers can do.
const BURST: usize = 50;

/// From one burst to the next.
const BURST_EVERY: Duration = Duration::from_millis(50);

/// Bursts: four seconds of them.
const BURSTS: usize = 80;

/// All that is published.
const GOALS: usize = BURST * BURSTS;

/// When their publishers stop caring.
const WITHIN_MS: u64 = 2_000;

/// The pause between two looks at something that has no event.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How much the services may grow in the later half of the goals beyond the most of the first half.
const GROWTH_BYTES_MAX: u64 = 32 << 20;

const PACK: &str = r#"apiVersion: pack/v1
name: slow
roles:
  tortoise: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 10s}, concurrency: 4}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 60s, max_steps: 3, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    crawl: {role: tortoise, with: "${ goal }"}
  result:
    crawl: {from: ["${ crawl }"], required: false}
"#;

/// Works one order after the other until told to stop.
async fn worker(bed: &Bed, done: Arc<AtomicUsize>, mut stop: watch::Receiver<bool>) {
    let hand = Hand::of(bed, "tortoise").await;
    loop {
        let order = tokio::select! {
            order = hand.order() => order,
            _ = stop.changed() => return,
        };
        // This is the work.
        tokio::time::sleep(WORK).await;
        let report = order.report(json!({"completed": {"output": {"n": 1}}})).to_string();
        // Somebody else may have reported, if this machine is very slow.
        let _ = order.send(&order.report_subject(), "application/json", report).await;
        order.message.double_ack().await.expect("acknowledged");
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// What was seen while it was too much.
#[derive(Default)]
struct Seen {
    /// The most orders that ever waited.
    orders: u64,
    /// The most memory of the services, until half of the goals were published and afterwards.
    bytes: [u64; 2],
}

/// Looks again and again, until told to stop.
async fn look(
    bed: &Bed,
    services: &Process,
    published: &AtomicUsize,
    mut stop: watch::Receiver<bool>,
) -> Seen {
    let (mut seen, mut look) = (Seen::default(), tokio::time::interval(LOOK_EVERY));
    loop {
        tokio::select! {
            _ = look.tick() => {}
            _ = stop.changed() => return seen,
        }
        let mut stream = bed.connection.js.get_stream("CADRE_WORK_0").await.expect("stream");
        seen.orders = seen.orders.max(stream.info().await.expect("info").state.messages);
        let half = usize::from(published.load(Ordering::Relaxed) > GOALS / 2);
        seen.bytes[half] = seen.bytes[half].max(services.resident_bytes());
    }
}

async fn publish_all(bed: &Bed, published: &AtomicUsize) -> Vec<TaskId> {
    let (mut tasks, mut next) = (Vec::new(), tokio::time::interval(BURST_EVERY));
    let limit = WITHIN_MS.to_string();
    for burst in 0..BURSTS {
        next.tick().await;
        let sent = (0..BURST).map(|number| {
            let (key, limit) = (format!("goal-{burst}-{number}"), limit.clone());
            async move {
                let headers =
                    plain::headers(&[("Nats-Msg-Id", &key), ("Cadre-Timeout-Ms", &limit)]);
                plain::publish(bed, "goals.acme.slow", headers, b"{}").await;
                published.fetch_add(1, Ordering::Relaxed);
                TaskId::derive(&Name::new("acme").expect("a name"), &key)
            }
        });
        tasks.extend(join_all(sent).await);
    }
    tasks
}

/// Waits until each goal has an answer or a rejection, and gives both.
async fn ends(bed: &Bed, rejections: &mut Rejections) -> (Vec<Value>, Vec<Value>) {
    let mut rejected = Vec::new();
    let wait = async {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            look.tick().await;
            rejected.extend(rejections.so_far().await.into_iter().map(|it| it.document));
            let answered = plain::count(bed, "CADRE_ANSWERS", "answers.>").await;
            if answered + rejected.len() >= GOALS {
                return answered;
            }
        }
    };
    let answered = timeout(PATIENCE, wait).await.expect("an end for every goal in time");
    (bed.answers(answered).await, rejected)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_waits_outside_and_everything_ends() {
    let bed = Arc::new(Bed::new().await);
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let mut rejections = Rejections::listen(&bed).await;
    let roles = ["--role", "orchestrator,agent,aggregator"];
    let services = Arc::new(Process::serve(&bed.server.url(), &roles).await);
    let (stop, stopped) = watch::channel(false);
    let (done, published) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (bed, done, stopped) = (Arc::clone(&bed), Arc::clone(&done), stopped.clone());
            tokio::spawn(async move { worker(&bed, done, stopped).await })
        })
        .collect();
    let looking = {
        let (bed, services, published) =
            (Arc::clone(&bed), Arc::clone(&services), Arc::clone(&published));
        tokio::spawn(async move { look(&bed, &services, &published, stopped).await })
    };

    let began = Instant::now();
    let tasks = publish_all(&bed, &published).await;
    let took = began.elapsed();
    let (answers, rejected) = ends(&bed, &mut rejections).await;
    assert_eq!(answers.len() + rejected.len(), GOALS, "one end each");
    for document in &rejected {
        assert_eq!(document["code"], "deadline", "{document}");
    }
    let completed = answers.iter().filter(|answer| answer["status"] == "completed").count();
    let of = |answer: &Value| answer["duration_ms"].as_u64().expect("a duration");
    let slowest = answers.iter().map(of).max().unwrap_or_default();
    plain::emptied(&bed, "CADRE_WORK_0").await;
    stop.send(true).expect("they listen");
    let Seen { orders, bytes: [first, later] } = looking.await.expect("figures");
    join_all(workers).await;
    eprintln!(
        "{GOALS} goals in {took:.1?}: {completed} completed, {} partial, {} refused; at most {orders} \
         orders waited, the slowest task took {slowest} ms, memory {} MB, then {} MB, {} orders done",
        answers.len() - completed,
        rejected.len(),
        first >> 20,
        later >> 20,
        done.load(Ordering::Relaxed),
    );
    assert!(completed > 0 && rejected.len() > GOALS / 4, "it was too much, yet not for nothing");
    // What is taken in between two looks comes on top.
    assert!(orders <= 3 * ROLE_BACKLOG_MIN, "{orders} orders waited");
    assert!(slowest < WITHIN_MS + 10_000, "{slowest} ms");
    assert!(later <= first + GROWTH_BYTES_MAX, "{first} bytes, then {later}");

    let accepted: Vec<_> = answers.iter().filter_map(|answer| answer["task"].as_str()).collect();
    let accepted: Vec<_> =
        tasks.into_iter().filter(|task| accepted.contains(&task.as_str())).collect();
    verdict::is_clean_at_rest(&bed, &accepted).await;
    let services = Arc::into_inner(services);
    assert_eq!(services.expect("nobody looks any more").stop().await, Some(0));
}

/// More than the intake used to have out at once.
const CROWD: usize = 2_400;

#[tokio::test(flavor = "multi_thread")]
async fn a_crowded_workflow_holds_up_no_other() {
    let bed = Bed::new().await;
    let pack = PACK.replace("deadline: 60s", "deadline: 10m");
    bed.apply(&packs::pack(&pack, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    bed.publish("slow", "first", &json!({})).await;
    // One worker, who takes one order and keeps it: the role is served, but not fast.
    let held = Hand::of(&bed, "tortoise").await.order().await;
    let sent = (0..CROWD).map(|number| {
        let bed = &bed;
        async move { bed.publish("slow", &format!("more-{number}"), &json!({})).await }
    });
    join_all(sent).await;
    let published = Instant::now();
    let other = bed.publish("echoes", "other", &json!({"n": 1})).await;
    assert_eq!(bed.answer(&other).await["status"], "completed");
    eprintln!("behind {CROWD} goals that wait: {} ms", published.elapsed().as_millis());
    let waiting = plain::count(&bed, "CADRE_GOALS", "goals.acme.slow").await;
    assert!(waiting > 2_048, "only {waiting} wait");
    drop(held);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_intake_refuses_in_clear_words() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let mut goals = bed.connection.js.get_stream("CADRE_GOALS").await.expect("stream");
    let config = goals.info().await.expect("info").config.clone();
    let small = Config { max_bytes: 4_096, ..config };
    bed.connection.js.update_stream(small).await.expect("updated");
    // Nobody takes anything in.
    let stored = async |number: usize| {
        let body = json!({"n": number, "text": "x".repeat(500)}).to_string();
        let sent = bed.connection.js.publish("goals.acme.echoes", body.into()).await;
        sent.expect("sent").await.map_err(|error| error.to_string())
    };
    let mut refused = None;
    for number in 0..20 {
        refused = refused.or(stored(number).await.err());
    }
    let why = refused.expect("it is full");
    assert!(why.contains("maximum bytes exceeded"), "{why}");

    // No smaller than what found no room.
    let text = format!("text={}", "x".repeat(600));
    let publish = ["goal", "publish", "echoes", "-i", &text];
    let said = shell::cadre(&bed, &publish).await;
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.talk.contains("CADRE_GOALS is full"), "{said:?}");
}
