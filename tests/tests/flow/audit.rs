//! The audit trail: who did what, once and in order, whoever dies; and what becomes of one that was changed.

use std::collections::BTreeMap;

use async_nats::jetstream::{
    consumer::{DeliverPolicy, pull::OrderedConfig},
    stream,
};
use cadre_core::audit::Entry;
use cadre_nats::topology::{AUDIT_STREAM, apply};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    hand::Hand,
    packs,
    payment::Payment,
    plain,
    shell::{cadre, fine},
};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

/// Subject and lines of each message of the trail, as soon as `enough` says so.
async fn trail(bed: &Bed, enough: impl Fn(&[Entry]) -> bool) -> Vec<(String, String)> {
    let stream = bed.connection.js.get_stream(AUDIT_STREAM).await.expect("the stream");
    let config = OrderedConfig { deliver_policy: DeliverPolicy::All, ..Default::default() };
    let consumer = stream.create_consumer(config).await.expect("a consumer");
    let mut messages = consumer.messages().await.expect("messages");
    let (mut all, mut entries) = (Vec::new(), Vec::new());
    let read = async {
        while !enough(&entries) {
            let message = messages.next().await.expect("open").expect("a message");
            let text = String::from_utf8(message.payload.to_vec()).expect("text");
            entries
                .extend(text.lines().map(|line| Entry::decode(line.as_bytes()).expect("an entry")));
            all.push((message.subject.to_string(), text));
        }
    };
    timeout(PATIENCE, read).await.expect("the trail in time");
    all
}

fn has(action: &'static str, count: usize) -> impl Fn(&[Entry]) -> bool {
    move |entries| entries.iter().filter(|entry| entry.action == action).count() >= count
}

/// Who did what to which task, in order.
async fn told(bed: &Bed, task: &str) -> Vec<(String, String, String)> {
    let rows = fine(bed, &["audit", "ls", "--task", task, "-o", "json"]).await.json();
    let text = |row: &Value, key: &str| row[key].as_str().expect("a text").to_owned();
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| (text(row, "actor"), text(row, "action"), text(row, "object"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_what_is_told_once_and_in_order() {
    let payment = Payment::new().await;
    let bed = &payment.bed;
    let task = payment.wants("k", &[("Cadre-User", "ann")], &json!({"usd": 5, "to": "bolt"})).await;
    payment.asked(&task).await;
    let id = task.as_str();
    payment.ends(0, &["task", "pause", id, "--reason", "let me see"]).await;
    payment.ends(0, &["task", "resume", id]).await;
    payment.ends(0, &["approval", "grant", id, "--as", "bob", "--comment", "as agreed"]).await;
    Hand::of(bed, "bank").await.order().await.complete(&json!({"usd": 5, "to": "bolt"})).await;
    bed.answer(&task).await;
    plain::publish(bed, "goals.acme.payment", plain::headers(&[]), b"{").await;
    trail(bed, |entries| has("task_ended", 1)(entries) && has("goal_refused", 1)(entries)).await;

    let of = |step: &str| format!("task/{id}{step}");
    let row =
        |actor: &str, action: &str, step: &str| (actor.to_owned(), action.to_owned(), of(step));
    let told = told(bed, id).await;
    // Whoever runs the tests.
    let login = told.get(2).map_or("", |(actor, ..)| actor).to_owned();
    assert!(!["", "cadre", "unknown"].contains(&login.as_str()), "{told:?}");
    assert_eq!(
        told,
        [
            row("ann", "goal_accepted", ""),
            row("cadre", "question_asked", "/allow"),
            row(&login, "task_paused", ""),
            row(&login, "task_resumed", ""),
            row("bob", "question_granted", "/allow"),
            row("cadre", "task_ended", ""),
        ]
    );
    let all = fine(bed, &["audit", "ls", "--chain", "tenant.acme", "-o", "json"]).await.json();
    let refused = all.as_array().expect("a list").last().expect("an entry");
    assert_eq!((&refused["action"], &refused["number"]), (&json!("goal_refused"), &json!(7)));
    let granted = &all[4];
    assert_eq!(granted["reason"], "bob granted step allow: as agreed");
    assert_eq!(granted["source"]["stream"], "CADRE_LOG_0");
    assert_eq!(
        fine(bed, &["audit", "ls", "--chain", "tenant.other", "-o", "json"]).await.json(),
        json!([])
    );
    let actor = fine(bed, &["audit", "ls", "--actor", "bob", "-o", "id"]).await;
    assert_eq!(actor.text(), "tenant.acme.5\n");
    let verified = fine(bed, &["audit", "verify", "-o", "json"]).await.json();
    assert_eq!(verified["chains"]["tenant.acme"]["entries"], 7, "{verified}");
    payment.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_no_log_tells_of_are_in_the_fleets_chain() {
    let bed = Bed::new().await;
    let stack = bed.stack().await;
    bed.publish("nothing", "k", &json!({})).await;
    plain::dead_letters(&bed, 1).await;
    fine(&bed, &["pack", "apply", "contract"]).await;
    fine(&bed, &["breaker", "open", "role.extractor", "--reason", "bad rollout"]).await;
    fine(&bed, &["breaker", "reset", "role.extractor"]).await;
    let made = ["token", "create", "--role", "viewer", "--name", "wallboard", "-o", "json"];
    let token = fine(&bed, &made).await.json()["id"].as_str().expect("an id").to_owned();
    fine(&bed, &["token", "revoke", &token]).await;
    let refused = cadre(&bed, &["upgrade", "enable", "nothing"]).await;
    assert_eq!(refused.code, Some(15), "{refused:?}");
    let letter = fine(&bed, &["dlq", "ls", "-o", "id"]).await.text().trim().to_owned();
    fine(&bed, &["dlq", "drop", &letter, "--dry-run"]).await;
    fine(&bed, &["dlq", "drop", &letter]).await;
    trail(&bed, has("letter_dropped", 1)).await;
    let rows = fine(&bed, &["audit", "ls", "--chain", "fleet", "-o", "json"]).await.json();
    let rows = rows.as_array().expect("a list");
    let said: Vec<_> =
        rows.iter().map(|row| (row["action"].as_str(), row["object"].as_str())).collect();
    let (letter, token) = (format!("letter/{letter}"), format!("token/{token}"));
    assert_eq!(
        said,
        [
            (Some("pack_applied"), Some("pack/contract-intake")),
            (Some("breaker_opened"), Some("breaker/role.extractor")),
            (Some("breaker_reset"), Some("breaker/role.extractor")),
            (Some("token_created"), Some(token.as_str())),
            (Some("token_revoked"), Some(token.as_str())),
            (Some("feature_enabled"), Some("feature/nothing")),
            (Some("deed_failed"), Some("feature/nothing")),
            (Some("letter_dropped"), Some(letter.as_str())),
        ]
    );
    let failed = rows[6]["reason"].as_str().expect("a reason");
    assert!(failed.starts_with("feature_enabled: "), "{failed}");
    assert!(rows[1]["reason"].as_str().is_some_and(|it| it.ends_with("bad rollout")), "{rows:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_that_comes_later_tells_what_was_missed_and_nothing_twice() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    let task = bed.publish("echoes", "first", &json!({"n": 1})).await;
    bed.answer(&task).await;
    trail(&bed, has("task_ended", 1)).await;
    stack.stop().await;
    // Whoever had the turn leaves no word of how far it had come.
    let alerts = bed.connection.js.get_stream("CADRE_ALERTS").await.expect("the stream");
    alerts.purge().filter("alerts.auditor").await.expect("purged");
    let stack = bed.stack().await;
    let task = bed.publish("echoes", "second", &json!({"n": 2})).await;
    bed.answer(&task).await;
    trail(&bed, has("task_ended", 2)).await;
    let rows = fine(&bed, &["audit", "ls", "-o", "json"]).await.json();
    let mut told: BTreeMap<_, u32> = BTreeMap::new();
    for row in rows.as_array().expect("a list") {
        *told.entry((row["action"].to_string(), row["object"].to_string())).or_default() += 1;
    }
    assert_eq!((told.len(), told.values().max()), (4, Some(&1)), "{told:?}");
    fine(&bed, &["audit", "verify"]).await;
    stack.stop().await;
}

/// Makes the stream anew with these messages: deleting one of it is what nobody may.
async fn forge(bed: &Bed, messages: &[(String, String)]) {
    let js = &bed.connection.js;
    js.delete_stream(AUDIT_STREAM).await.expect("deleted");
    apply(js, &bed.bus.streams().topology, false).await.expect("made anew");
    for (subject, text) in messages {
        let sent = js.publish(subject.clone(), text.clone().into()).await.expect("sent");
        sent.await.expect("stored");
    }
}

/// The faults that `cadre audit verify` names: kind, chain, number, place.
async fn faults(bed: &Bed, args: &[&str]) -> Vec<(String, String, u64, u64)> {
    let said = cadre(bed, &[&["audit", "verify", "-o", "json"], args].concat()).await;
    let document = said.json();
    let faults = document["faults"].as_array().expect("a list");
    assert_eq!(said.code, Some(if faults.is_empty() { 0 } else { 13 }), "{said:?}");
    let text = |fault: &Value, key: &str| fault[key].as_str().unwrap_or("-").to_owned();
    let number = |fault: &Value, key: &str| fault[key].as_u64().unwrap_or_default();
    let row = |it: &Value| {
        (text(it, "kind"), text(it, "chain"), number(it, "number"), number(it, "place"))
    };
    faults.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_dropped_or_moved_entry_is_found_and_named() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    for key in ["a", "b", "c"] {
        let task = bed.publish("echoes", key, &json!({"n": 1})).await;
        bed.answer(&task).await;
    }
    let pages = trail(&bed, has("task_ended", 3)).await;
    stack.stop().await;
    // One entry a message, so that places can be told apart.
    let lines = pages.iter().flat_map(|(subject, text)| {
        text.lines().map(|line| (subject.clone(), format!("{line}\n"))).collect::<Vec<_>>()
    });
    let whole: Vec<_> = lines.collect();
    assert_eq!(whole.len(), 6);
    let acme =
        |kind: &str, number, place| (kind.to_owned(), "tenant.acme".to_owned(), number, place);

    forge(&bed, &whole).await;
    assert_eq!(faults(&bed, &[]).await, []);
    let exported = fine(&bed, &["audit", "export"]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("audit.ndjson");
    std::fs::write(&file, &exported.data).expect("written");
    let file = file.to_str().expect("a path");

    let mut changed = whole.clone();
    changed[2].1 = changed[2].1.replacen("echoes", "ochoes", 1);
    forge(&bed, &changed).await;
    assert_eq!(faults(&bed, &[]).await, [acme("changed", 3, 3)]);

    let mut dropped = whole.clone();
    dropped.remove(3);
    forge(&bed, &dropped).await;
    assert_eq!(faults(&bed, &[]).await, [acme("dropped", 4, 4)]);

    let mut moved = whole.clone();
    moved.swap(1, 2);
    forge(&bed, &moved).await;
    assert_eq!(faults(&bed, &[]).await, [acme("reordered", 2, 3)]);

    // Made anew and shorter it is whole by itself, but not to whoever kept an export.
    forge(&bed, &whole[..4]).await;
    assert_eq!(faults(&bed, &[]).await, []);
    assert_eq!(faults(&bed, &["--against", file]).await, [acme("dropped", 5, 4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_deleted_from_the_stream_is_missed_even_as_the_last_one() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    let task = bed.publish("echoes", "a", &json!({"n": 1})).await;
    bed.answer(&task).await;
    let pages = trail(&bed, has("task_ended", 1)).await;
    stack.stop().await;
    let js = &bed.connection.js;
    let audit = js.get_stream(AUDIT_STREAM).await.expect("the stream");
    assert!(audit.delete_message(1).await.is_err(), "nobody may delete of it");
    assert!(audit.purge().await.is_err(), "nor purge it");

    // Somebody who may make the stream anew may also delete of it.
    let config = audit.cached_info().config.clone();
    js.delete_stream(AUDIT_STREAM).await.expect("deleted");
    let config = stream::Config { deny_delete: false, deny_purge: false, ..config };
    let audit = js.create_stream(config).await.expect("made anew");
    for (subject, text) in &pages {
        let sent = js.publish(subject.clone(), text.clone().into()).await.expect("sent");
        sent.await.expect("stored");
    }
    let last = u64::try_from(pages.len()).expect("few");
    audit.delete_message(last).await.expect("deleted");
    let named = faults(&bed, &[]).await;
    assert_eq!(named, [("dropped".to_owned(), "-".to_owned(), 0, last)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_verified_without_a_broker_and_every_change_of_it_is_found() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    let task = bed.publish("echoes", "a", &json!({"n": 1})).await;
    bed.answer(&task).await;
    trail(&bed, has("task_ended", 1)).await;
    let exported = fine(&bed, &["audit", "export", "--chain", "tenant.acme"]).await;
    stack.stop().await;
    drop(bed.server);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("audit.ndjson");
    let path = file.to_str().expect("a path").to_owned();
    let verify = async |bytes: &[u8]| {
        std::fs::write(&file, bytes).expect("written");
        let mut command = tokio::process::Command::new(cadre_tests::process::program());
        command.args(["audit", "verify", &path, "-o", "ndjson"]).env("NO_COLOR", "1");
        let output = command.output().await.expect("cadre runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let whole = &exported.data;
    let (code, said) = verify(whole).await;
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 3, "two entries and where they end");
    let mut changed = whole.clone();
    changed[40] ^= 4;
    for (bytes, kind) in [
        (changed, "changed"),
        ([lines[1], lines[2]].concat(), "dropped"),
        ([lines[0], lines[2]].concat(), "dropped"),
        ([lines[0], lines[1]].concat(), "dropped"),
        ([lines[1], lines[0], lines[2]].concat(), "reordered"),
    ] {
        let (code, said) = verify(&bytes).await;
        assert_eq!(code, Some(13), "{kind}: {said}");
        assert!(said.contains(&format!("\"kind\":\"{kind}\"")), "{kind}: {said}");
    }
}
