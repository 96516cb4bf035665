//! Dead letters as people meet them: listed, shown, replayed, dropped.

use async_nats::HeaderMap;
use cadre_core::ids::{Name, TaskId};
use cadre_tests::{
    bed::Bed,
    packs, plain,
    shell::{cadre, fine},
};
use serde_json::{Value, json};

fn task(key: &str) -> TaskId {
    TaskId::derive(&Name::new("acme").expect("a name"), key)
}

/// One letter of each kind: a goal without a pack, an input without a task, an order of nothing.
async fn bed_with_letters() -> Bed {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    bed.publish("later", "early", &json!({"n": 1})).await;
    plain::dead_letters(&bed, 1).await;
    bed.bus.cancel(&task("nobody"), "ada", "no reason").await.expect("sent");
    plain::dead_letters(&bed, 2).await;
    let headers = plain::headers(&[("Content-Type", "application/protobuf")]);
    let subject = format!("cadre.0.work.echoes-r1.{}.s1.1", task("nobody"));
    plain::publish(&bed, &subject, headers, b"\xff\x00nothing").await;
    plain::dead_letters(&bed, 3).await;
    for stream in ["CADRE_GOALS", "CADRE_IN_0", "CADRE_WORK_0"] {
        plain::emptied(&bed, stream).await;
    }
    stack.stop().await;
    bed
}

async fn letters(bed: &Bed, filters: &[&str]) -> Vec<Value> {
    let args = [&["dlq", "ls", "-o", "json"], filters].concat();
    fine(bed, &args).await.json().as_array().expect("a list").clone()
}

fn ids(letters: &[Value]) -> Vec<&str> {
    letters.iter().map(|letter| letter["id"].as_str().expect("an id")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_each_kind_are_listed_and_shown() {
    let bed = bed_with_letters().await;
    let all = letters(&bed, &[]).await;
    let kinds: Vec<_> = all.iter().map(|letter| letter["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["work", "input", "goal"], "newest first: {all:?}");
    let [work, input, goal] = &ids(&all)[..] else { panic!("{all:?}") };
    let (early, nobody) = (task("early"), task("nobody"));
    for (filters, expected) in [
        (&["--kind", "input"][..], &[*input][..]),
        (&["--task", early.as_str()], &[*goal]),
        (&["--task", nobody.as_str()], &[*work, *input]),
        (&["--tenant", "acme"], &[*goal]),
        (&["--tenant", "other"], &[]),
        (&["--since", "1h", "--limit", "2"], &[*work, *input]),
    ] {
        assert_eq!(ids(&letters(&bed, filters).await), expected, "{filters:?}");
    }
    let first = fine(&bed, &["dlq", "ls", "--limit", "1", "-o", "id"]).await;
    assert_eq!(first.text().trim(), *work);
    assert!(first.talk.contains("2 older letters not listed"), "{first:?}");
    let table = fine(&bed, &["dlq", "ls"]).await;
    assert!(table.text().contains("no pack is named later"), "{table:?}");

    let page = fine(&bed, &["dlq", "show", goal]).await;
    for part in ["unknown_workflow", "goals.acme.later", "delivered once", "early", "\"n\": 1"] {
        assert!(page.text().contains(part), "{part}: {page:?}");
    }
    let document = fine(&bed, &["dlq", "show", input, "-o", "json"]).await.json();
    assert_eq!(document["message"]["by"], "ada", "{document}");
    assert_eq!(document["headers"]["Content-Type"], json!(["application/protobuf"]));
    let page = fine(&bed, &["dlq", "show", work]).await;
    assert!(page.text().contains("ff 00 6e 6f"), "{page:?}");
    assert_eq!(fine(&bed, &["dlq", "show", work, "--body"]).await.data, b"\xff\x00nothing");

    for (args, code) in [
        (&["dlq", "show", "0-999999"][..], 3),
        (&["dlq", "show", "seventeen"], 2),
        (&["dlq", "replay"], 2),
        (&["dlq", "drop", "--kind", "goal"], 2),
        (&["dlq", "drop", goal, "--kind", "goal"], 2),
    ] {
        let said = cadre(&bed, args).await;
        assert_eq!(said.code, Some(code), "{args:?}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replayed_goes_on_or_comes_back_and_nothing_is_lost() {
    let bed = bed_with_letters().await;
    let all = letters(&bed, &[]).await;
    let [work, _, goal] = &ids(&all)[..] else { panic!("{all:?}") };

    let dry = ["dlq", "replay", "--all", "--kind", "goal", "--dry-run"];
    let dry = fine(&bed, &dry).await;
    assert!(dry.talk.contains("1 letter would be replayed"), "{dry:?}");
    assert_eq!(letters(&bed, &[]).await, all);

    let stack = bed.stack().await;
    bed.apply(&packs::pipeline("later", 1)).await;
    let replayed = fine(&bed, &["dlq", "replay", goal, "-o", "json"]).await.json();
    assert_eq!((&replayed[0]["replayed"], &replayed[0]["error"]), (&json!(true), &Value::Null));
    assert_eq!(
        bed.answer(&task("early")).await["status"],
        "completed",
        "the same key, so its task"
    );
    assert_eq!(letters(&bed, &["--kind", "goal"]).await, Vec::<Value>::new());

    // What is as bad as before comes back, under another id.
    fine(&bed, &["dlq", "replay", work]).await;
    plain::emptied(&bed, "CADRE_WORK_0").await;
    let again = letters(&bed, &["--kind", "work"]).await;
    assert_eq!(again.len(), 1, "{again:?}");
    assert_ne!(ids(&again), [*work]);
    assert_eq!(cadre(&bed, &["dlq", "replay", work]).await.code, Some(3));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_replayed_says_why_and_stays() {
    let bed = Bed::new().await;
    let stack = bed.stack().await;
    plain::publish(&bed, "goals.Acme.echoes", HeaderMap::new(), b"{}").await;
    plain::dead_letters(&bed, 1).await;
    let said = cadre(&bed, &["dlq", "replay", "--all"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.text().contains("is none of a goal") && said.talk.contains("1 of 1"), "{said:?}");
    assert_eq!(letters(&bed, &[]).await.len(), 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_dropped_for_good_but_many_only_on_purpose() {
    let bed = bed_with_letters().await;
    let all = letters(&bed, &[]).await;
    let goal = ids(&all)[2];
    assert!(fine(&bed, &["dlq", "drop", goal]).await.talk.contains("1 letter removed"));
    assert_eq!(letters(&bed, &[]).await, all[..2]);

    let asked = cadre(&bed, &["dlq", "drop", "--all"]).await;
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.talk.contains("2 letters would be removed") && asked.talk.contains("--yes"));
    let dry = fine(&bed, &["dlq", "drop", "--all", "--dry-run", "-o", "id"]).await;
    assert_eq!(dry.text().lines().count(), 2);
    assert_eq!(letters(&bed, &[]).await, all[..2]);
    fine(&bed, &["dlq", "drop", "--all", "--kind", "work", "--yes"]).await;
    assert_eq!(letters(&bed, &[]).await, all[1..2]);
    fine(&bed, &["dlq", "drop", "--all", "--yes"]).await;
    assert!(letters(&bed, &[]).await.is_empty());
}
