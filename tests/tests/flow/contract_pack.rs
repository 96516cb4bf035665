//! The pack that ships does what the demo shows: both samples end with a valid brief, and so does a text that
//! no model was recorded for.

use std::str;

use cadre::packs::BuiltIn;
use cadre_tests::{bed::Bed, verdict};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn both_samples_become_briefs() {
    let pack = BuiltIn::find("contract").expect("it ships");
    let bed = Bed::new().await;
    bed.apply(&pack.source()).await;
    let stack = bed.stack().await;

    let mut answers = Vec::new();
    for (sample, kind) in [("msa", "msa"), ("nda", "nda")] {
        let text = pack.file(&format!("samples/{sample}.txt")).expect("a sample");
        let text = str::from_utf8(text).expect("text");
        let goal = json!({"text": text, "name": format!("{sample}.txt")});
        let task = bed.publish("contract-intake", sample, &goal).await;
        let answer = bed.answer(&task).await;
        assert_eq!(answer["status"], "completed", "{sample}: {answer}");
        assert_eq!(answer["result"]["kind"], kind, "{sample}: {answer}");
        assert_eq!(answer["missing"], json!([]), "{sample}");
        assert_eq!(answer["degraded"], json!([]), "{sample}: models have answered");
        let parties = answer["result"]["parties"].as_array().map_or(0, Vec::len);
        assert_eq!(parties, 2, "{sample}: {answer}");
        answers.push(answer);
    }

    // The newest statement wins, the others are on record.
    let msa = &answers[0];
    let conflict = |conflict: &&Value| conflict["field"] == "payment_days";
    let conflicts = msa["conflicts"].as_array().expect("a list");
    let conflict = conflicts.iter().find(conflict).expect("the sample contradicts itself");
    assert_eq!((&conflict["rule"], &conflict["resolved"]), (&json!("newest"), &json!(true)));
    assert_eq!(conflict["winner"]["value"], 45, "{conflict}");
    assert_eq!(conflict["winner"]["as_of"], "2026-03-01", "{conflict}");
    let losers = conflict["losers"].as_array().expect("a list");
    assert_eq!(losers.iter().map(|loser| &loser["value"]).collect::<Vec<_>>(), [&json!(30)]);
    let resolved = &msa["result"]["payment_days"];
    assert_eq!(resolved["value"], 45, "{resolved}");
    assert_eq!(resolved["source"]["clause"], "SCHEDULE B, 3", "{resolved}");
    assert_eq!(answers[1]["conflicts"], json!([]), "the other one does not");

    // Nothing was recorded for this one: the rules do every step, and the answer says so.
    let text = pack.file("samples/nda.txt").and_then(|text| str::from_utf8(text).ok());
    let goal = json!({"text": format!("DRAFT\n\n{}", text.expect("text"))});
    let task = bed.publish("contract-intake", "draft", &goal).await;
    let answer = bed.answer(&task).await;
    assert_eq!(answer["status"], "completed", "{answer}");
    assert_eq!(answer["result"]["kind"], "nda", "{answer}");
    let degraded = answer["degraded"].as_array().expect("a list");
    let steps: Vec<_> = degraded.iter().map(|it| it["step"].as_str().expect("a step")).collect();
    assert_eq!(steps, ["brief", "classify", "extract-0", "validate"], "{answer}");
    let why = degraded[0]["reason"].as_str().expect("a reason");
    assert!(why.contains("no cassette of the pack answers"), "{why}");
    assert_eq!(answer["usd_micros"], 0, "a question without an answer costs nothing");

    verdict::is_clean(&bed).await;
    stack.stop().await;
}
