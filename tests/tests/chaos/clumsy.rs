//! A remote worker that does most things right: some reports are not valid, some come twice, and
//! some orders are never acknowledged. Which ones follows from the seed.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_nats::{
    HeaderMap,
    jetstream::{Context, Message, consumer::pull::Config},
};
use cadre_tests::seed::Seed;
use futures::StreamExt as _;
use serde_json::{Value, json};

/// Longest wait of one pull request: after a restart of the broker the next one finds it.
const PULL: Duration = Duration::from_millis(500);

/// Orders of one pull request.
const BATCH: usize = 16;

/// The pause after an error of the broker, which may be away.
const AWAY: Duration = Duration::from_millis(50);

/// Reports in a hundred that are not valid.
const INVALID_PERCENT: u64 = 10;

/// Reports in a hundred that are published again.
const TWICE_PERCENT: u64 = 10;

/// Orders in a hundred whose acknowledgement is dropped.
const UNSETTLED_PERCENT: u64 = 5;

/// What it has done wrong, and right.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    pub(crate) reports: AtomicUsize,
    pub(crate) invalid: AtomicUsize,
    pub(crate) twice: AtomicUsize,
    pub(crate) unsettled: AtomicUsize,
}

/// Works on the orders of `role` for ever.
pub(crate) async fn work(js: &Context, role: &str, seed: Seed, deeds: &Deeds) {
    loop {
        // The broker may be away at any point: begin anew.
        let _ = pull(js, role, seed, deeds).await;
        tokio::time::sleep(AWAY).await;
    }
}

async fn pull(
    js: &Context,
    role: &str,
    seed: Seed,
    deeds: &Deeds,
) -> Result<(), async_nats::Error> {
    let stream = js.get_stream("CADRE_WORK_0").await?;
    let consumer = stream.get_consumer::<Config>(&format!("role-{role}")).await?;
    loop {
        let batch = consumer.fetch().max_messages(BATCH).expires(PULL).messages().await?;
        let orders: Vec<_> = batch.collect().await;
        for order in orders {
            answer(js, &order?, seed, deeds).await?;
        }
    }
}

async fn answer(
    js: &Context,
    order: &Message,
    seed: Seed,
    deeds: &Deeds,
) -> Result<(), async_nats::Error> {
    let body: Value = serde_json::from_slice(&order.payload)?;
    let delivered = order.info()?.delivered;
    let says = |percent, what: &str| seed.percent(percent, &format!("{what} {}", order.subject));
    let subject = order.subject.replacen(".work.", ".in.report.", 1);
    let report = if says(INVALID_PERCENT, "invalid") {
        add(&deeds.invalid);
        invalid(&body, seed.below(4, &format!("which {}", order.subject)))
    } else {
        report(&body, json!({"completed": {"output": body["input"]}})).to_string()
    };
    // The first one stands: a refusal means that it is there already.
    let first = HeaderMap::from_iter(
        [("Nats-Expected-Last-Subject-Sequence", "0")]
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))),
    );
    let sent = js.publish_with_headers(subject.clone(), first, report.clone().into()).await?.await;
    add(&deeds.reports);
    if says(TWICE_PERCENT, "twice") {
        add(&deeds.twice);
        js.publish(subject, report.into()).await?.await?;
    }
    // What was not confirmed comes again, and so does what is not acknowledged.
    let is_there = sent.is_ok() || delivered > 1;
    if delivered == 1 && says(UNSETTLED_PERCENT, "unsettled") {
        add(&deeds.unsettled);
    } else if is_there {
        order.ack().await?;
    }
    Ok(())
}

fn report(order: &Value, mut outcome: Value) -> Value {
    for key in ["task", "step", "attempt", "role"] {
        outcome[key] = order[key].clone();
    }
    outcome
}

/// One of the ways in which a report can be wrong.
fn invalid(order: &Value, which: u64) -> String {
    match which {
        0 => "{\"completed\": ".to_owned(),
        1 => report(order, json!({"completed": {"output": {"number": "seven"}}})).to_string(),
        2 => report(order, json!({"failed": {"kind": "UNAVAILABLE", "message": "not now"}}))
            .to_string(),
        _ => report(order, json!({"shrug": {}})).to_string(),
    }
}

fn add(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}
