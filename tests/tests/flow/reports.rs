//! What a worker of any kind may send: each report is used, refused or kept, and nothing crashes.

use async_nats::jetstream::Message;
use bytes::Bytes;
use cadre_core::{
    ids::{Name, StepId, TaskId},
    payload::Payload,
    task::{FailureKind, Outcome, Report, StepState, Task, Usage},
};
use cadre_proto::ContentType;
use cadre_tests::{
    bed::Bed,
    hand::{Hand, Order},
    packs, plain, verdict,
};
use serde_json::{Value, json};

const ITEM: &str = r#"{
    "type": "object",
    "properties": {"n": {"type": "integer"}, "text": {"type": "string"}},
    "required": ["n"],
    "additionalProperties": false
}"#;

const JSON: &str = "application/json";

/// `hand` does the first step by hand and the built-in echo the second; both are in the answer.
async fn bed(step: &str) -> Bed {
    let yaml = format!(
        r#"apiVersion: pack/v1
name: handwork
roles:
  hand: {{runtime: remote, accepts: contracts/any.v1.json, returns: contracts/item.v1.json, limits: {{timeout: 60s}}}}
  copy: {{runtime: echo, accepts: contracts/item.v1.json, returns: contracts/item.v1.json, limits: {{timeout: 60s}}}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {{deadline: 5m, max_steps: 9, max_usd: 1, max_tokens: 1000}}
  when_limited: partial
  steps:
    first: {{role: hand, with: "${{ goal }}"{step}}}
    second: {{role: copy, after: [first], with: "${{ first }}"}}
  result:
    echo: {{from: ["${{ second }}"], required: false}}
    name: "${{ goal.name }}"
"#
    );
    let answer = r#"{"type": "object", "properties": {"echo": {}, "name": {}}}"#;
    let bed = Bed::new().await;
    bed.apply(&packs::pack(
        &yaml,
        &[
            ("contracts/any.v1.json", packs::ANYTHING),
            ("contracts/item.v1.json", ITEM),
            ("contracts/answer.v1.json", answer),
        ],
    ))
    .await;
    bed
}

async fn publish(bed: &Bed, key: &str) -> TaskId {
    bed.publish("handwork", key, &json!({"name": key})).await
}

fn step<'a>(task: &'a Task, name: &str) -> &'a StepState {
    &task.steps[&StepId::single(Name::new(name).expect("a name"))].state
}

/// Kind and kept content of the first step's failure.
fn failure(task: &Task) -> (FailureKind, Option<Value>) {
    match step(task, "first") {
        StepState::Failed(failure) => {
            (failure.kind, failure.refused.as_ref().map(|refused| refused.value().clone()))
        }
        other => panic!("{other:?}"),
    }
}

/// The goal's answer when the first step has no output: its other part, and why.
async fn partial(bed: &Bed, task: &TaskId) -> Value {
    let answer = bed.answer(task).await;
    assert_eq!(answer["status"], "partial", "{answer}");
    assert_eq!(answer["result"].get("echo"), None, "{answer}");
    assert_eq!(answer["steps"], 1, "the second step never got it: {answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_worker_gets_what_the_contract_promises() {
    let bed = bed("").await;
    let stack = bed.stack().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = plain::headers(&[
        ("Nats-Msg-Id", "k"),
        ("Cadre-User", "ada"),
        ("Cadre-Timeout-Ms", "30000"),
        ("traceparent", trace),
    ]);
    let input = br#"{"name": "k", "large": 12345678901234567890, "exact": 1.50}"#;
    plain::publish(&bed, "goals.acme.handwork", headers, input).await;
    let task = TaskId::derive(&Name::new("acme").expect("a name"), "k");

    let order = Hand::of(&bed, "hand").await.order().await;
    let key = format!("{task}.first");
    let expected = [
        ("Cadre-Task", task.as_str()),
        ("Cadre-Step", "first"),
        ("Cadre-Attempt", "1"),
        ("Cadre-Role", "hand"),
        ("Cadre-User", "ada"),
        ("Cadre-Contract-In", "any@1"),
        ("Cadre-Contract-Out", "item@1"),
        ("Cadre-Idempotency-Key", &key),
        ("Cadre-Schema", "2"),
        ("Content-Type", JSON),
    ];
    for (name, value) in expected {
        assert_eq!(order.header(name), value, "{name}");
    }
    assert_eq!(order.header("traceparent").get(3..35), trace.get(3..35), "the same trace");
    let timeout: u64 = order.header("Cadre-Timeout-Ms").parse().expect("a number");
    assert!((20_000..=30_000).contains(&timeout), "{timeout}");
    let partition = task.partition(bed.bus.streams().topology.partitions);
    let subject = format!("cadre.{partition}.work.hand.{task}.first.1");
    assert_eq!(order.message.subject.as_str(), subject);
    let body = &order.body;
    assert_eq!(body["deadlineUnixMs"], order.header("Cadre-Deadline"));
    for (field, value) in [
        ("task", task.as_str()),
        ("tenant", "acme"),
        ("workflow", "handwork"),
        ("step", "first"),
        ("role", "hand"),
        ("idempotencyKey", &key),
        ("accepts", "any@1"),
        ("returns", "item@1"),
        ("user", "ada"),
    ] {
        assert_eq!(body[field], value, "{field}");
    }
    assert_eq!((&body["schema"], &body["attempt"]), (&json!(2), &json!(1)));
    assert_eq!(body["input"]["name"], "k");
    let text = String::from_utf8_lossy(&order.message.payload);
    assert!(text.contains("12345678901234567890"), "no digit is lost: {text}");

    order.complete(&json!({"n": 7})).await;
    let answer = bed.answer(&task).await;
    assert_eq!(answer["status"], "completed", "{answer}");
    assert_eq!(answer["result"], json!({"echo": {"n": 7}, "name": "k"}));
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_report_stands() {
    let bed = bed("").await;
    let stack = bed.stack().await;
    let hand = Hand::of(&bed, "hand").await;
    let task = publish(&bed, "twice").await;
    let order = hand.order().await;
    let partition = task.partition(bed.bus.streams().topology.partitions);
    let inputs = format!("p{partition}");
    let report = |n: u32| order.report(json!({"completed": {"output": {"n": n}}})).to_string();

    // Nobody takes it while the second one comes.
    plain::pause(&bed, "CADRE_IN_0", &inputs, true).await;
    assert_eq!(order.send(&order.report_subject(), JSON, report(1)).await, Ok(()));
    assert_eq!(order.send(&order.report_subject(), JSON, report(2)).await, Err(10071));
    plain::pause(&bed, "CADRE_IN_0", &inputs, false).await;
    let answer = bed.answer(&task).await;
    assert_eq!(answer["result"]["echo"], json!({"n": 1}), "{answer}");

    // Once it is taken the subject is free again, and the report means nothing any more.
    plain::emptied(&bed, "CADRE_IN_0").await;
    let rev = bed.task(&task).await.rev;
    assert_eq!(order.send(&order.report_subject(), JSON, report(3)).await, Ok(()));
    plain::emptied(&bed, "CADRE_IN_0").await;
    assert_eq!(bed.task(&task).await.rev, rev);
    assert_eq!(bed.answer(&task).await, answer);
    order.message.double_ack().await.expect("acknowledged");
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_on_other_work_change_nothing() {
    let bed = bed("").await;
    let stack = bed.stack().await;
    let hand = Hand::of(&bed, "hand").await;
    let task = publish(&bed, "other").await;
    let order = hand.order().await;
    let right = order.report_subject();
    let absent = TaskId::derive(&Name::new("acme").expect("a name"), "absent");
    let absent_at = absent.partition(bed.bus.streams().topology.partitions);
    // Subject, and the body's step, attempt, role and task that agree with it.
    let foreign = [
        (right.replace(".first.1", ".first.2"), "first", 2, "hand", &task),
        (right.replace(".first.1", ".second.1"), "second", 1, "hand", &task),
        (right.replace(".first.1", ".third.1"), "third", 1, "hand", &task),
        (right.replace(".first.1", ".first-3.1"), "first-3", 1, "hand", &task),
        (right.replace(".first.1", ".aggregate.1"), "aggregate", 1, "hand", &task),
        (right.replace(".hand.", ".copy."), "first", 1, "copy", &task),
    ];
    for (subject, step, attempt, role, task) in foreign {
        let report = json!({
            "task": task.as_str(), "step": step, "attempt": attempt, "role": role,
            "completed": {"output": {"n": 666}},
        });
        assert_eq!(order.send(&subject, JSON, report.to_string()).await, Ok(()), "{subject}");
    }
    plain::emptied(&bed, "CADRE_IN_0").await;
    assert_eq!(bed.task(&task).await.rev, 1);
    assert_eq!(plain::count(&bed, "CADRE_LOG_0", "cadre.*.dead.>").await, 0);

    // A task that nobody knows, and subjects that are none.
    let strange = [
        format!("cadre.{absent_at}.in.report.hand.{absent}.first.1"),
        right.replace(".first.1", ".first.0"),
        right.replace(".first.1", ".first"),
        right.replace(".hand.", ".Hand."),
        right.replace(".report.", ".gossip."),
    ];
    let body = order.report(json!({"completed": {"output": {"n": 666}}})).to_string();
    for subject in &strange {
        assert_eq!(order.send(subject, JSON, body.clone()).await, Ok(()), "{subject}");
    }
    let letters = plain::dead_letters(&bed, strange.len()).await;
    assert!(letters.iter().all(|letter| letter.body == body), "{letters:?}");
    let mut came_on: Vec<_> = letters.iter().map(|letter| letter.came_on.clone()).collect();
    let mut expected = strange.to_vec();
    came_on.sort();
    expected.sort();
    assert_eq!(came_on, expected);

    order.complete(&json!({"n": 1})).await;
    assert_eq!(bed.answer(&task).await["result"]["echo"], json!({"n": 1}));
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_fails_the_step_and_is_kept() {
    let bed = bed("").await;
    let stack = bed.stack().await;
    let hand = Hand::of(&bed, "hand").await;
    let missing = json!({"$blob": {"sha256": "0".repeat(64), "size": 70_000}});
    type Body = fn(&Order) -> Bytes;
    let cases: [(&str, &str, Body); 9] = [
        ("noise", JSON, |_| "not json".into()),
        ("empty", JSON, |_| Bytes::new()),
        ("bytes", "application/protobuf", |_| b"\xff\xff\xff"[..].into()),
        ("type", "text/plain", |order| whole(order, "{}")),
        ("outcome", JSON, |order| order.report(json!({})).to_string().into()),
        ("field", JSON, |order| order.report(json!({"completed": {}, "x": 1})).to_string().into()),
        ("share", JSON, |order| {
            let completed = json!({"completed": {"output": {"n": 1}, "confidence": 2}});
            order.report(completed).to_string().into()
        }),
        ("step", JSON, |order| whole(order, r#"{"step": "second"}"#)),
        ("attempt", JSON, |order| whole(order, r#"{"attempt": 2}"#)),
    ];
    for (key, content_type, body) in cases {
        let task = publish(&bed, key).await;
        let order = hand.order().await;
        let body = body(&order);
        let sent = order.send(&order.report_subject(), content_type, body.clone()).await;
        assert_eq!(sent, Ok(()), "{key}");
        order.message.double_ack().await.expect("acknowledged");
        partial(&bed, &task).await;
        let kept = match std::str::from_utf8(&body) {
            Ok(text) => json!({"text": text}),
            Err(_) => json!({"hex": "ffffff"}),
        };
        assert_eq!(
            failure(&bed.task(&task).await),
            (FailureKind::Undecodable, Some(kept)),
            "{key}"
        );
    }

    let task = publish(&bed, "reference").await;
    let order = hand.order().await;
    order.answer(json!({"completed": {"output": missing}})).await;
    partial(&bed, &task).await;
    assert_eq!(failure(&bed.task(&task).await).0, FailureKind::Undecodable);
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

/// A valid report with some fields replaced.
fn whole(order: &Order, replaced: &str) -> Bytes {
    let mut report = order.report(json!({"completed": {"output": {"n": 1}}}));
    let replaced: Value = serde_json::from_str(replaced).expect("json");
    for (key, value) in replaced.as_object().expect("an object") {
        report[key] = value.clone();
    }
    report.to_string().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_breaks_the_contract_goes_nowhere() {
    let bed = bed("").await;
    let stack = bed.stack().await;
    let hand = Hand::of(&bed, "hand").await;
    let outputs = [json!({"n": "one"}), json!({}), json!({"n": 1, "extra": true}), json!(null)];
    for (index, output) in outputs.into_iter().enumerate() {
        let task = publish(&bed, &format!("invalid-{index}")).await;
        hand.order().await.complete(&output).await;
        let answer = partial(&bed, &task).await;
        let cause = answer["missing"][0]["cause"].as_str().unwrap_or_default();
        assert!(cause.contains("invalid_output"), "{answer}");
        assert_eq!(failure(&bed.task(&task).await), (FailureKind::InvalidOutput, Some(output)));
    }
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

/// Sends one outcome to a pack whose first step is declared with `step`; its state and the answer.
async fn outcome(step_yaml: &str, outcome: Value) -> (Bed, Task, TaskId) {
    let bed = bed(step_yaml).await;
    let stack = bed.stack().await;
    let id = publish(&bed, "k").await;
    Hand::of(&bed, "hand").await.order().await.answer(outcome).await;
    plain::emptied(&bed, "CADRE_IN_0").await;
    let task = bed.task(&id).await;
    if task.status() != "waiting" {
        bed.answer(&id).await;
    }
    verdict::is_clean(&bed).await;
    stack.stop().await;
    let task = bed.task(&id).await;
    (bed, task, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_vouched_for_does_what_the_pack_says() {
    let unsure = json!({"unsure": {"reason": "blurred", "output": {"n": 1}, "confidence": 0.2}});
    let bare = json!({"unsure": {"reason": "blurred"}});
    let low = json!({"completed": {"output": {"n": 1}, "confidence": 0.2}});
    let accept_if = r#", accept_if: "${ report.confidence > 0.5 }""#;
    let with = |otherwise: &str| format!("{accept_if}, otherwise: {otherwise}");

    for (sent, step) in [(&unsure, with("fail")), (&low, with("fail")), (&low, accept_if.into())] {
        let (bed, task, id) = outcome(&step, sent.clone()).await;
        assert_eq!(failure(&task), (FailureKind::NotAccepted, Some(json!({"n": 1}))), "{step}");
        partial(&bed, &id).await;
    }
    for sent in [&unsure, &low] {
        let (bed, task, id) = outcome(&with("accept_unsure"), sent.clone()).await;
        let StepState::Completed { unsure: Some(_), .. } = step(&task, "first") else {
            panic!("{task:?}");
        };
        assert_eq!(bed.answer(&id).await["result"]["echo"], json!({"n": 1}));
    }
    let (_, task, _) = outcome(&with("accept_unsure"), bare.clone()).await;
    assert_eq!(failure(&task), (FailureKind::NotAccepted, None));
    for (sent, proposal) in [(unsure, Some(json!({"n": 1}))), (bare, None)] {
        let (_, task, _) = outcome(&with("ask_human"), sent).await;
        assert_eq!(task.status(), "waiting");
        let StepState::Waiting { ask, .. } = step(&task, "first") else { panic!("{task:?}") };
        assert_eq!(ask.question, "blurred");
        assert_eq!(ask.content.as_ref().map(|kept| kept.value().clone()), proposal);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_hand_offs_and_questions_are_what_they_say() {
    let failed = json!({"failed": {"kind": "ERROR", "message": "no paper", "refused": {"a": 1}}});
    let (_, task, _) = outcome("", failed).await;
    assert_eq!(failure(&task), (FailureKind::Error, Some(json!({"a": 1}))));
    let (_, task, _) = outcome("", json!({"failed": {"kind": "PANIC"}})).await;
    assert_eq!(failure(&task), (FailureKind::Panic, None));
    let (_, task, _) = outcome("", json!({"handoff": {"to": "copy", "reason": "not mine"}})).await;
    assert_eq!(failure(&task).0, FailureKind::Handoff);
    let (_, task, _) = outcome("", json!({"needsHuman": {"question": "which one?"}})).await;
    let StepState::Waiting { ask, .. } = step(&task, "first") else { panic!("{task:?}") };
    assert_eq!(ask.question, "which one?");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_encodings_are_read() {
    let bed = bed("").await;
    let stack = bed.stack().await;
    let hand = Hand::of(&bed, "hand").await;
    for n in 0..4 {
        let task = publish(&bed, &format!("mixed-{n}")).await;
        let order = hand.order().await;
        if n % 2 == 0 {
            order.complete(&json!({"n": n})).await;
        } else {
            let report = protobuf(&order.message, &task, json!({"n": n}));
            let kind = ["application/protobuf", "application/x-protobuf"][n / 2];
            assert_eq!(order.send(&order.report_subject(), kind, report).await, Ok(()));
            order.message.double_ack().await.expect("acknowledged");
        }
        assert_eq!(bed.answer(&task).await["result"]["echo"], json!({"n": n}));
    }
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

fn protobuf(order: &Message, task: &TaskId, output: Value) -> Bytes {
    assert!(order.subject.contains(".work.hand."), "{}", order.subject);
    let report = Report {
        role: Name::new("hand").expect("a name"),
        step: StepId::single(Name::new("first").expect("a name")),
        attempt: 1,
        outcome: Outcome::Completed {
            output: Payload::from_value(output).expect("a payload"),
            confidence: None,
        },
        usage: Usage { usd_micros: 3, tokens: 5, work_ms: 7 },
        models: Vec::new(),
        degraded: None,
        worker: "by hand".to_owned(),
    };
    cadre_proto::report::encode(task, &report, ContentType::Protobuf).expect("encoded")
}

#[tokio::test(flavor = "multi_thread")]
async fn large_documents_travel_by_reference() {
    let bed = bed("").await;
    let stack = bed.stack().await;
    let goal = json!({"name": "large", "text": "x".repeat(300_000)});
    let task = bed.publish("handwork", "large", &goal).await;

    let order = Hand::of(&bed, "hand").await.order().await;
    assert!(order.message.payload.len() < 2_000);
    let input = plain::blob(&bed, order.body["input"].to_string().as_bytes()).await;
    assert_eq!(serde_json::from_slice::<Value>(&input).expect("json"), goal);

    let output = Payload::from_value(json!({"n": 1, "text": "ü".repeat(200_000)})).expect("fine");
    let blob = bed.bus.blobs().put(&output).await.expect("stored").expect("large");
    let reference = json!({"$blob": {"sha256": blob.hash.to_string(), "size": blob.size_bytes}});
    order.complete(&reference).await;
    let answer = bed.answer(&task).await;
    let answer = plain::blob(&bed, answer.to_string().as_bytes()).await;
    let answer: Value = serde_json::from_slice(&answer).expect("json");
    assert_eq!(answer["status"], "completed");
    assert_eq!(&answer["result"]["echo"], output.value());
    verdict::is_clean(&bed).await;
    stack.stop().await;
}
