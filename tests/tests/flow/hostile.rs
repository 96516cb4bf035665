//! A thousand messages that mean nothing or harm: each is answered or kept, and then all is well.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use cadre_core::{
    ids::{Name, TaskId},
    payload::Payload,
};
use cadre_proto::{Blobs, ContentType, goal, order};
use cadre_tests::{
    bed::Bed,
    fuzz::{Mutator, TARGETS},
    packs,
    plain::{self, DeadLetter, Rejections},
    raw, verdict,
};
use futures::{StreamExt as _, stream};
use serde_json::json;

/// How much this process, all services in it, may grow.
const GROWTH_BYTES_MAX: u64 = 300 << 20;

/// Publications on their way at once.
const AT_ONCE: usize = 64;

/// One message, and the way it goes.
struct Message {
    subject: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// What may stand in a header of this name, good or bad.
const TYPES: [&str; 6] = [
    "",
    "application/json",
    "application/protobuf",
    "text/html",
    "application/json; charset=latin1",
    "x/y; z=zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
];

fn typed(index: usize) -> Vec<(&'static str, String)> {
    let kind = TYPES[index % TYPES.len()].to_owned();
    if kind.is_empty() { Vec::new() } else { vec![("Content-Type", kind)] }
}

/// Damaged messages of one of the fuzz targets.
fn damaged(target: &str, seed: u64) -> Mutator {
    let target = TARGETS.iter().find(|one| one.name == target).expect("a target");
    Mutator::new(seed, target.corpus().into_iter().map(|(_, bytes)| bytes).collect())
}

fn stranger(number: usize) -> TaskId {
    TaskId::derive(&Name::new("stranger").expect("a name"), &number.to_string())
}

fn content(message: &Message) -> Option<ContentType> {
    let header = message.headers.first().map(|(_, value)| value.as_str());
    ContentType::of(header, &message.body).ok()
}

/// Goals that are no JSON.
fn goals(count: usize) -> Vec<Message> {
    let mut mutator = damaged("publication", 11);
    let bodies = std::iter::repeat_with(move || mutator.mutant());
    let bad = bodies.filter(|body| Payload::parse_unique(body).is_err());
    let subject = "goals.acme.echoes".to_owned();
    let message = |(index, body)| Message { subject: subject.clone(), headers: typed(index), body };
    bad.take(count).enumerate().map(message).collect()
}

/// Inputs of every kind, about tasks that nobody knows; some on subjects that nobody knows either.
fn inputs(bed: &Bed, count: usize) -> Vec<Message> {
    let kinds = ["report", "decision", "wish", "goal"];
    let mut mutators = kinds.map(|kind| damaged(kind, 12));
    let mut messages = Vec::new();
    for number in 0.. {
        if messages.len() == count {
            break;
        }
        let task = stranger(number);
        let partition = bed.bus.streams().partition(&task);
        let which = number % kinds.len();
        let tail = match (number / kinds.len() % 8, kinds[which]) {
            (0, _) => format!("what.{number}"),
            (1, _) => format!("report.copier.{task}.first.0{number}"),
            (2, "report") => format!("timer.wake.{task}"),
            (3, "report") => format!("timer.nap.{task}"),
            (_, "report") => format!("report.copier.{task}.first.{}", number + 1),
            (_, "decision") => format!("decision.web.{task}"),
            (3, "wish") => format!("cancel.CLI.{task}"),
            (4..=5, "wish") => format!("cancel.cli.{task}"),
            (_, "wish") => format!("control.cli.{task}"),
            (_, _) => format!("goal.acme.{task}"),
        };
        let body = mutators[which].mutant();
        let subject = format!("cadre.{partition}.in.{tail}");
        let message = Message { subject, headers: typed(number), body };
        let is_good_goal = || {
            let read = |kind| goal::parse(&Bytes::from(message.body.clone()), kind);
            let read = content(&message).map(read);
            read.is_some_and(|goal| goal.is_ok_and(|it| it.into_core(&Blobs::new()).is_ok()))
        };
        if kinds[which] != "goal" || !is_good_goal() {
            messages.push(message);
        }
    }
    messages
}

/// Work orders that are none, or about something else than their subject says.
fn orders(bed: &Bed, count: usize) -> Vec<Message> {
    let mut mutator = damaged("order", 13);
    let whole = TARGETS.iter().find(|one| one.name == "order").expect("a target").corpus();
    let (_, whole) = whole.into_iter().find(|(name, _)| name.ends_with(".json")).expect("an order");
    let mut messages = Vec::new();
    for number in 0.. {
        if messages.len() == count {
            break;
        }
        let task = stranger(number);
        let partition = bed.bus.streams().partition(&task);
        let subject = format!("cadre.{partition}.work.echoes-r1.{task}.s1.{}", number + 1);
        let is_other = number % 10 == 0;
        let body = if is_other { whole.clone() } else { mutator.mutant() };
        let headers = if is_other { typed(1) } else { typed(number) };
        let message = Message { subject, headers, body };
        let read = |kind| order::parse(&Bytes::from(message.body.clone()), kind);
        let is_order = content(&message).is_some_and(|kind| read(kind).is_ok());
        if is_other || !is_order {
            messages.push(message);
        }
    }
    messages
}

/// Blocks of headers that no library sends.
const BLOCKS: [&[u8]; 12] = [
    b"NATS/1.0\r\nCadre-User: \xff\xfe\r\n\r\n",
    b"NATS/1.0\r\nno colon here\r\n\r\n",
    b"NATS/1.0\r\n: no name\r\n\r\n",
    b"NATS/1.0\r\n\xc3\x84: b\r\nCadre-Whatever: x\r\n\r\n",
    b"NATS/1.0\r\na b: c\r\nCadre-Whatever: x\r\n\r\n",
    b"NATS/1.0 503\r\nCadre-Whatever: x\r\n\r\n",
    b"NATS/1.0 409 Consumer Deleted\r\nCadre-Whatever: x\r\n\r\n",
    b"NATS/1.0 100 Idle Heartbeat\r\nCadre-Whatever: x\r\n\r\n",
    b"NATS/1.0 what\r\n\r\n",
    b"NATS/7\r\n\r\n",
    b"NATS/1.0\r\n folded\r\n\r\n",
    b"\r\n\r\n",
];

/// The end of the subject under which a message is kept: it names the message, and no other.
type Kept = String;

fn kept(subject: &str, sequence: u64) -> Kept {
    match subject.split('.').nth(2) {
        Some("work") => format!("work.work.{sequence}"),
        Some("in") => format!("input.cadre_in_0.{sequence}"),
        Some(_) | None => format!("goal.cadre_goals.{sequence}"),
    }
}

/// Publishes all, some of them twice; says what there is something to keep of. A wake-up for a task that
/// is not there says nothing at all: it is only acknowledged.
async fn send(bed: &Bed, messages: &[Message]) -> Vec<Kept> {
    let twice = messages.iter().step_by(20);
    let sent = stream::iter(messages.iter().chain(twice)).map(|message| async move {
        let pairs: Vec<_> = message.headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let ack =
            plain::publish(bed, &message.subject, plain::headers(&pairs), &message.body).await;
        let is_kept = !message.subject.contains(".in.timer.wake.");
        is_kept.then(|| kept(&message.subject, ack.sequence))
    });
    let sent: Vec<_> = sent.buffer_unordered(AT_ONCE).collect().await;
    sent.into_iter().flatten().collect()
}

/// Bodies of raw messages, each of which is there once. What is mended gets another sequence, so it is known by
/// its body.
#[derive(Default)]
struct Raw {
    goals: Vec<Vec<u8>>,
    others: Vec<Vec<u8>>,
}

/// Everything that is raw: to the intake, to a partition, to a worker.
async fn send_raw(bed: &Bed) -> Raw {
    let mut sent = Raw::default();
    for (number, block) in BLOCKS.iter().enumerate() {
        let task = stranger(number);
        let partition = bed.bus.streams().partition(&task);
        let (work, wish) = (
            format!("cadre.{partition}.work.echoes-r1.{task}.s1.1"),
            format!("cadre.{partition}.in.control.cli.{task}"),
        );
        let goal = format!("no JSON {number}").into_bytes();
        let order = format!("{{\"raw\": {number}}}").into_bytes();
        let control = [b"\xff".as_slice(), number.to_string().as_bytes()].concat();
        if raw::publish(bed, "goals.acme.echoes", block, &goal).await {
            sent.goals.push(goal);
        }
        for (subject, body) in [(work, order), (wish, control)] {
            if raw::publish(bed, &subject, block, &body).await {
                sent.others.push(body);
            }
        }
    }
    sent
}

/// Each message is kept once, under its own name, and nothing else is. What is mended while the connection is
/// lost can be published anew twice (`nats::mend`): such a letter may be there twice, says how many are.
fn each_is_kept(letters: &[DeadLetter], sent: &[Kept], raw: &Raw) -> usize {
    let mut missing: BTreeSet<&str> = sent.iter().map(String::as_str).collect();
    assert_eq!(missing.len(), sent.len(), "each has a name of its own");
    let bodies = raw.goals.iter().chain(&raw.others);
    let mut mended: BTreeMap<&[u8], usize> = bodies.map(|body| (body.as_slice(), 0)).collect();
    for letter in letters {
        assert!(!letter.reason.is_empty() && !letter.came_on.is_empty(), "{letter:?}");
        if let Some(count) = mended.get_mut(&letter.body[..]) {
            *count += 1;
            continue;
        }
        let (_, name) = letter.subject.split_once(".dead.").expect("a letter");
        assert!(missing.remove(name), "kept twice, or never sent: {letter:?}");
    }
    assert!(missing.is_empty(), "{} are not kept: {missing:?}", missing.len());
    for (body, count) in &mended {
        let body = String::from_utf8_lossy(body);
        assert!((1..=2).contains(count), "{body:?} is kept {count} times");
    }
    mended.values().filter(|count| **count > 1).count()
}

/// Each of these goals was answered; says how many answers there were in all.
async fn each_is_told(rejections: &mut Rejections, sent: &[Kept]) -> usize {
    let (mut told, mut names) = (0, BTreeSet::new());
    // One look takes at most as much as the runtime lets a task have in one go.
    loop {
        let more = rejections.so_far().await;
        if more.is_empty() {
            break;
        }
        told += more.len();
        let sequences = more.iter().filter_map(|it| it.document["sequence"].as_u64());
        names.extend(sequences.map(|sequence| format!("goal.cadre_goals.{sequence}")));
    }
    let goals = sent.iter().filter(|name| name.starts_with("goal."));
    let silent: Vec<_> = goals.filter(|name| !names.contains(*name)).collect();
    assert!(silent.is_empty(), "nobody was told of {silent:?}");
    told
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_malformed_messages_leave_a_healthy_system() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let mut rejections = Rejections::listen(&bed).await;
    let stack = bed.stack().await;
    let before = resident();

    let goals = send(&bed, &goals(320)).await;
    let raw = send_raw(&bed).await;
    let (inputs, orders) =
        (send(&bed, &inputs(&bed, 480)).await, send(&bed, &orders(&bed, 220)).await);
    let bad_goals = goals.len() + raw.goals.len();
    let sent = [goals, inputs, orders].concat();
    let bad = sent.len() + raw.goals.len() + raw.others.len();
    eprintln!("{bad} malformed messages, {bad_goals} of them goals");
    assert!(bad > 1_000, "{bad}");

    // Good work goes on meanwhile, and afterwards.
    let good = bed.publish("echoes", "good", &json!({"n": 1})).await;
    assert_eq!(bed.answer(&good).await["status"], "completed");
    // As many as there must be at least; then whatever else there is.
    plain::dead_letters(&bed, bad).await;
    for stream in ["CADRE_GOALS", "CADRE_IN_0", "CADRE_WORK_0"] {
        plain::emptied(&bed, stream).await;
    }
    let kept = plain::count(&bed, "CADRE_LOG_0", "cadre.*.dead.>").await;
    let letters = plain::dead_letters(&bed, kept).await;
    let twice = each_is_kept(&letters, &sent, &raw);
    let told = each_is_told(&mut rejections, &sent).await;
    eprintln!("{kept} letters, {twice} messages twice; {told} answers to {bad_goals} goals");
    assert!((bad_goals..=bad_goals + raw.goals.len()).contains(&told), "{told} of {bad_goals}");

    let after = bed.publish("echoes", "after", &json!({"n": 2})).await;
    assert_eq!(bed.answer(&after).await["result"]["echo"], json!({"n": 2}));
    assert_eq!(plain::count(&bed, "CADRE_LOG_0", "cadre.*.log.*").await, 6, "two tasks, no more");
    verdict::is_clean_at_rest(&bed, &[good, after]).await;
    let grown = resident().saturating_sub(before);
    eprintln!("grown by {} MB", grown >> 20);
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes");
    stack.stop().await;
}
