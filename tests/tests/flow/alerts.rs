//! What the watch finds on a real broker, says, and takes back.

use cadre_core::{
    breaker::{Call, CallOutcome, Settings, Target},
    ids::{Name, TaskId},
    watch::{Alert, Severity},
};
use cadre_nats::breakers::KvBreakers;
use cadre_runtime::breaker::{BreakerOptions, BreakerService};
use cadre_tests::{
    alerts::{Alerts, count, looks, watched},
    bed::{Bed, PATIENCE},
    hand::Hand,
    packs,
    shell::fine,
};
use serde_json::json;
use tokio::time::{Duration, sleep, timeout};

/// Two steps that only a remote clerk does.
async fn bed(role_timeout: &str) -> Bed {
    let yaml = format!(
        r#"apiVersion: pack/v1
name: desk
roles:
  clerk: {{runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {{timeout: {role_timeout}}}}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {{deadline: 5m, max_steps: 9, max_usd: 0.001, max_tokens: 100}}
  when_limited: partial
  steps:
    first: {{role: clerk, with: "${{ goal }}"}}
    last: {{role: clerk, after: [first], with: "${{ goal }}"}}
  result:
    last: {{from: ["${{ last }}"], required: false}}
"#
    );
    let answer = r#"{"type": "object", "properties": {"last": {}}}"#;
    let contracts =
        [("contracts/any.v1.json", packs::ANYTHING), ("contracts/answer.v1.json", answer)];
    let bed = Bed::new().await;
    bed.apply(&packs::pack(&yaml, &contracts)).await;
    bed
}

fn said(alert: &Alert) -> (&str, Severity) {
    assert!(alert.ended_at.is_none(), "{alert:?}");
    (alert.cause.as_str(), alert.severity)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_nobody_serves_is_named_until_somebody_comes() {
    let bed = bed("60s").await;
    let stack = watched(&bed).await;
    let mut alerts = Alerts::on(&bed, "alerts.unserved.>").await;
    let task = bed.publish("desk", "k", &json!({})).await;
    let alert = alerts.next().await;
    assert_eq!(said(&alert), ("unserved", Severity::Critical));
    assert_eq!(alert.key.subject, "role.clerk");
    assert!(
        alert.text.contains("1 message waits for") && alert.next.contains("clerk"),
        "{alert:?}"
    );
    let listed = fine(&bed, &["alert", "ls", "-o", "json"]).await.json();
    assert_eq!(listed[0]["subject"], "role.clerk", "{listed}");
    assert_eq!(fine(&bed, &["alert", "ls", "-o", "id"]).await.text(), "unserved.role.clerk\n");

    let nobody = "Nobody takes orders of role clerk at the moment";
    let why = fine(&bed, &["task", "why", task.as_str()]).await;
    assert!(why.text().contains(nobody), "{why:?}");

    let order = Hand::of(&bed, "clerk").await.order().await;
    let why = fine(&bed, &["task", "why", task.as_str()]).await;
    assert!(!why.text().contains(nobody), "{why:?}");
    let ended = alerts.ended().await;
    assert_eq!(ended.since, alert.since);
    assert_eq!(fine(&bed, &["alert", "ls", "-o", "json"]).await.json(), json!([]));
    let all = fine(&bed, &["alert", "ls", "--all", "-o", "json"]).await.json();
    assert_eq!((&all[0]["state"], &all[0]["kind"]), (&json!("ended"), &json!("unserved")));
    drop(order);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_timer_is_gone_is_stuck_until_it_is_woken() {
    let bed = bed("1s").await;
    let stack = watched(&bed).await;
    let mut alerts = Alerts::on(&bed, "alerts.stuck.>").await;
    let task = bed.publish("desk", "k", &json!({})).await;
    let partition = bed.bus.streams().partition(&task);
    let timers = bed.connection.js.get_stream("CADRE_TIMER_0").await.expect("stream");
    let timer = format!("cadre.{partition}.timer.{task}.wake");
    // The order may be out before the timer is set.
    let purged = async {
        while timers.purge().filter(&timer).await.expect("purged").purged == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, purged).await.expect("a timer in time");

    let alert = alerts.next().await;
    assert_eq!(said(&alert), ("timer_lost", Severity::Critical));
    assert_eq!(alert.key.subject, task.as_str());
    assert!(alert.text.contains("Step first waits for a report of role clerk"), "{alert:?}");
    let why = fine(&bed, &["task", "why", task.as_str()]).await;
    assert!(why.text().contains("ALERT") && why.text().contains("timer is gone"), "{why:?}");

    // As the alert says.
    let wake = format!("cadre.{partition}.in.timer.wake.{task}");
    assert!(alert.next.contains(&wake), "{alert:?}");
    bed.connection.js.publish(wake, "".into()).await.expect("sent").await.expect("stored");
    bed.answer(&task).await;
    alerts.ended().await;
    assert_eq!(count(&bed, "alerts.stuck.>").await, 2);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_an_alert_and_another_watch_goes_on_with_it() {
    let bed = bed("60s").await;
    let stack = watched(&bed).await;
    let mut alerts = Alerts::on(&bed, "alerts.dead_letters.>").await;
    let nobody = TaskId::derive(&"acme".parse::<Name>().expect("a name"), "nobody");
    bed.bus.cancel(&nobody, "ada", "no reason").await.expect("sent");
    let alert = alerts.next().await;
    assert_eq!(said(&alert), ("given_up", Severity::Warning));
    assert!(alert.text.starts_with("1 dead letter lies in CADRE_LOG_0"), "{alert:?}");

    // A second process waits for its turn; the first one goes, and nothing is said twice.
    let first = looks(&bed, "", 1).await;
    let second = watched(&bed).await;
    stack.stop().await;
    let successor = looks(&bed, &first, 5).await;
    assert_ne!(successor, first);
    assert_eq!(count(&bed, "alerts.dead_letters.>").await, 1);
    fine(&bed, &["dlq", "drop", "--all", "--yes"]).await;
    let ended = alerts.ended().await;
    assert_eq!(ended.since, alert.since);
    assert_eq!(count(&bed, "alerts.dead_letters.>").await, 2);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_breaker_is_an_alert_until_it_is_held_closed() {
    let bed = bed("60s").await;
    let stack = watched(&bed).await;
    let mut alerts = Alerts::on(&bed, "alerts.breaker_open.>").await;
    let target: Target = "role.clerk".parse().expect("a target");
    let clock = bed.bus.streams().clock.clone();
    let board = KvBreakers::open(&bed.connection.js, clock).await.expect("a board");
    let pod = "pod-of-the-test".parse().expect("a name");
    let options = BreakerOptions { pod, settings: Settings::default() };
    let service = BreakerService::start(board, options, None).await.expect("started");
    let outcome = CallOutcome::InfrastructureFailure;
    for _ in 0..20 {
        let call = Call { outcome, took: Duration::from_millis(5), usd_micros: 0 };
        service.breakers().record(&target, call);
    }
    let mut alert = alerts.next().await;
    if alert.cause == "reported" {
        // The test's pod is not known to live yet.
        alert = alerts.next().await;
    }
    assert_eq!(said(&alert), ("open", Severity::Critical));
    assert_eq!(alert.key.subject, "role.clerk");
    assert!(alert.text.contains("20 of 20 calls failed"), "{alert:?}");
    fine(&bed, &["breaker", "close", "role.clerk", "--for", "10m"]).await;
    alerts.ended().await;
    service.stop().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_nearly_used_is_an_alert_until_the_task_ends() {
    let bed = bed("60s").await;
    let stack = watched(&bed).await;
    let mut alerts = Alerts::on(&bed, "alerts.budget_near.>").await;
    let task = bed.publish("desk", "k", &json!({})).await;
    let clerk = Hand::of(&bed, "clerk").await;
    let usage = json!({"tokens": 85});
    clerk.order().await.answer(json!({"completed": {"output": {}}, "usage": usage})).await;
    let alert = alerts.next().await;
    assert_eq!(said(&alert), ("near", Severity::Warning));
    assert_eq!(alert.key.subject, task.as_str());
    assert!(alert.text.contains("four fifths of its tokens"), "{alert:?}");
    assert_eq!(alert.evidence["tokens"], "85");
    clerk.order().await.complete(&json!({})).await;
    bed.answer(&task).await;
    alerts.ended().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_works_is_no_news() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 2)).await;
    let stack = watched(&bed).await;
    for number in 0..20 {
        bed.publish("echoes", &number.to_string(), &json!({"n": number})).await;
    }
    bed.answers(20).await;
    looks(&bed, "", 5).await;
    assert_eq!(count(&bed, "alerts.*.>").await, 0);
    stack.stop().await;
}
