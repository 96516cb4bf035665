//! The packs of the coordination patterns, on a real broker: supervisor, network, planner.

use std::str;

use cadre::packs::BuiltIn;
use cadre_core::{
    ids::{StepId, TaskId},
    task::{Event, StepState, Task},
};
use cadre_tests::{bed::Bed, payment::Payment, verdict};
use serde_json::{Value, json};

/// A shipped pack at work, and the task of one of its samples.
async fn sample(bed: &Bed, folder: &str, name: &str) -> TaskId {
    let pack = BuiltIn::find(folder).expect("it ships");
    bed.apply(&pack.source()).await;
    let text = pack.file(&format!("samples/{name}.json")).expect("a sample");
    let goal: Value = serde_json::from_slice(text).expect("json");
    bed.publish(folder, folder, &goal).await
}

/// Whose turns there were, in order.
async fn turns(bed: &Bed, task: &TaskId, step: &str) -> Vec<String> {
    let state = bed.task(task).await;
    let turns = state.steps.iter().filter(|(id, _)| id.name.as_str() == step && id.item.is_some());
    turns.filter_map(|(_, turn)| turn.role.as_ref().map(ToString::to_string)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_packs_of_every_pattern_do_what_they_show() {
    let bed = Bed::new().await;
    let stack = bed.stack().await;

    let task = sample(&bed, "support", "error").await;
    let answer = bed.answer(&task).await;
    assert_eq!(answer["status"], "completed", "{answer}");
    assert_eq!(answer["result"]["reply"], "Dear ann, the fault is mended: please try again.");
    assert_eq!(answer["result"]["handled_by"], json!(["billing", "technology"]));
    let expected = ["triage", "billing", "triage", "technology", "triage"];
    assert_eq!(turns(&bed, &task, "desk").await, expected);

    let task = sample(&bed, "research", "goal").await;
    let answer = bed.answer(&task).await;
    assert_eq!(answer["status"], "completed", "{answer}");
    assert_eq!(answer["result"]["text"], "The lighthouse is old, and The lighthouse is useful.");
    assert_eq!(answer["result"]["sources"], json!(["The lighthouse: a handbook"]));
    let round = ["researcher", "writer", "editor"];
    assert_eq!(turns(&bed, &task, "desk").await, [round, round].concat());

    let task = sample(&bed, "planner", "lisbon").await;
    let answer = bed.answer(&task).await;
    assert_eq!(answer["status"], "completed", "{answer}");
    let agenda = "For 12 guests: the venue of Lisbon is fine, the weather of Lisbon is fine.";
    assert_eq!(answer["result"]["agenda"], agenda);
    let records = bed.bus.read_log(&task).await.expect("a whole log").records;
    let refused = records.iter().flat_map(|record| &record.events).find_map(|event| {
        let Event::StepDelayed { reason, failure, .. } = event else { return None };
        Some((reason.clone(), failure.clone()?))
    });
    let (reason, failure) = refused.expect("the first plan is refused");
    assert!(reason.contains("role estate-agent is not in the team"), "{reason}");
    assert!(failure.refused.is_some(), "and kept");

    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_cannot_help_asks_a_person_who_answers() {
    let bed = Bed::new().await;
    bed.apply(&BuiltIn::find("support").expect("it ships").source()).await;
    let stack = bed.stack().await;
    let goal = json!({"customer": "bob", "text": "Who has charged my cat?"});
    let task = bed.publish("support", "cat", &goal).await;

    let desk = Payment { bed, stack };
    let waits = |task: &Task| task.status() == "waiting";
    let state = desk.until(&task, waits).await;
    let turn = &state.steps[&StepId::parse("desk-4").expect("a step")].state;
    let StepState::Waiting { ask, .. } = turn else { panic!("{turn:?}") };
    assert!(ask.question.starts_with("Nobody in the team can answer bob"), "{ask:?}");
    let why = desk.ends(0, &["task", "why", task.as_str()]).await;
    assert!(why.text().contains("at most 3 more turns of desk (supervisor)"), "{}", why.text());

    let reply = json!({"reply": "Look on the roof.", "handled_by": ["ann"]}).to_string();
    let args = ["approval", "answer", task.as_str(), "desk-4", "--as", "ann", "--with", &reply];
    desk.ends(0, &args).await;
    let answer = desk.bed.answer(&task).await;
    assert_eq!(answer["result"]["reply"], "Look on the roof.", "{answer}");
    let told = desk.ends(0, &["task", "watch", task.as_str()]).await;
    for part in ["supervisor, at most 8 turns", "hands off to billing: the handbook names you"] {
        assert!(told.text().contains(part), "{part}:\n{}", told.text());
    }
    verdict::is_clean(&desk.bed).await;
    desk.stack.stop().await;
}
