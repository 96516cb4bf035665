//! The paragraph for people.

use super::{
    kit::{DEADLINE_MS, T0},
    *,
};

fn paragraph(run: &Run<'_>, ms: u64) -> String {
    let id = run.task().id().to_string();
    why(run.task(), Some(run.workflow), UnixMillis(T0 + ms)).replace(&id, "ID")
}

fn flow() -> Flow {
    Flow::of(&[step("a"), step("b"), step("c").after(&["a", "b"])])
}

#[test]
fn why_says_where_a_running_task_is() {
    let flow = flow();
    let mut run = flow.start(json!({}));
    run.now = T0 + 2_000;
    run.complete("a");
    assert_eq!(
        paragraph(&run, 3_500),
        "Task ID (flow) is running. Step b waits for a report of role b_role since 2027-01-15T08:00:00.000Z (3.5 s), \
         attempt 1; without one it fails in 6.5 s. Next: c. It stops at its deadline \
         2027-01-15T08:01:00.000Z (in 56.5 s) or after 10000 steps (2 used)."
    );
}

#[test]
fn roles_that_nobody_serves_are_named() {
    let flow = flow();
    let mut run = flow.start(json!({}));
    run.complete("a");
    let roles: Vec<_> = awaited(run.task()).into_iter().collect();
    assert_eq!(
        unserved(&roles).as_deref(),
        Some(
            "Nobody takes orders of role b_role at the moment: start a worker, such as `cadre serve --role agent --agents \
             b_role`, or the program of a remote role."
        )
    );
    assert_eq!(unserved(&[]), None);
}

#[test]
fn why_says_what_a_person_is_asked() {
    let flow = Flow::of(&[step("a")]);
    let mut run = flow.start(json!({}));
    run.report("a", Outcome::NeedsHuman { question: "which of the two?".to_owned() });
    assert_eq!(
        paragraph(&run, 59_000),
        "Task ID (flow) is waiting. Step a waits for a person since 2027-01-15T08:00:00.000Z (59.0 s): which of the two? \
         Next: the aggregator puts the answer together. It stops at its deadline \
         2027-01-15T08:01:00.000Z (in 1.0 s) or after 10000 steps (1 used)."
    );
}

#[test]
fn why_counts_what_it_does_not_name_and_names_the_limit() {
    let flow = Flow::of(&[step("f").each("goal.items").parallel(9)]).steps_max(4);
    let run = flow.start(json!({"items": [1, 2, 3, 4, 5, 6]}));
    let text = paragraph(&run, 0);
    assert!(text.contains("Next: the aggregator puts the answer together."), "{text}");
    assert!(text.contains("Step f-2 waits"), "{text}");
    assert!(!text.contains("Step f-3 waits"), "{text}");
    assert!(text.contains("1 more step is open."), "{text}");
    assert!(
        text.ends_with("(4 used); a limit is met already: max_steps: 4 of 4 steps are used."),
        "{text}"
    );
}

#[test]
fn why_names_the_items_to_come() {
    let flow = Flow::of(&[step("f").each("goal.items"), step("z").after(&["f"])]);
    let run = flow.start(json!({"items": [1, 2, 3, 4, 5, 6]}));
    let text = paragraph(&run, 0);
    assert!(text.contains("Next: 4 more items of f, z."), "{text}");
}

#[test]
fn why_says_that_the_aggregator_is_at_work() {
    let flow = flow();
    let mut run = flow.start(json!({}));
    run.complete("a").complete("b").complete("c");
    assert_eq!(
        paragraph(&run, 500),
        "Task ID (flow) has all its parts and waits for the response aggregator. Step aggregate \
         waits for a report of role aggregate since 2027-01-15T08:00:00.000Z (500 ms), attempt 1; without one it fails in \
         1 min 4 s. Next: the answer is checked and published."
    );
}

#[test]
fn why_says_how_a_task_ended() {
    let flow = flow();
    let mut run = flow.start(json!({}));
    run.now = T0 + 90 * 60_000;
    run.feed(&Input::Cancel(Cancel { by: "ann".to_owned(), reason: "wrong file".to_owned() }));
    assert_eq!(
        paragraph(&run, DEADLINE_MS),
        "Task ID (flow) ended as cancelled at 2027-01-15T09:30:00.000Z after 1 h 30 min and 2 \
         steps: cancelled by ann: wrong file. Nothing happens any more."
    );
}

#[test]
fn why_needs_no_workflow() {
    let flow = flow();
    let run = flow.start(json!({}));
    let text = why(run.task(), None, UnixMillis(T0));
    assert!(
        text.ends_with("It stops at its deadline 2027-01-15T08:01:00.000Z (in 1 min 0 s)."),
        "{text}"
    );
}
