//! Approvals and questions: bound to what was shown, single use, expiring.

use std::time::Duration;

use super::{
    kit::{DEADLINE_MS, T0, goal, payload},
    *,
};
use crate::workflow::{AskTerms, WhenExpired};

fn asking() -> Flow {
    asking_on(AskTerms { expires: Some(Duration::from_secs(20)), ..AskTerms::default() })
}

fn asking_on(terms: AskTerms) -> Flow {
    Flow::of(&[
        step("ok").approval("pay ${ goal.usd }?").with(json!({"usd": "${ goal.usd }"})).ask(terms),
        step("pay").after(&["ok"]).with(json!({"usd": "${ ok.content.usd }", "by": "${ ok.by }"})),
    ])
}

/// A decision about what the step asks at this moment.
fn decision(run: &Run<'_>, step: &str, by: &str, ruling: Ruling) -> Decision {
    let id = crate::ids::StepId::parse(step).unwrap();
    let mut hash = crate::payload::Hash([7; 32]);
    if let StepState::Waiting { ask, .. } = &run.step(step).state {
        hash = ask.hash(run.task().id(), &id, run.step(step).attempt);
    }
    Decision { step: id, by: by.to_owned(), hash, ruling, comment: "fine".to_owned() }
}

fn decide_as<'a>(run: &'a mut Run<'_>, by: &str, ruling: Ruling) -> (&'a str, &'a str) {
    let decision = decision(run, "ok", by, ruling);
    run.feed(&Input::Decision(decision));
    run.last()
}

#[test]
fn a_grant_goes_on_with_exactly_what_was_shown() {
    let flow = asking();
    let mut run = flow.start(json!({"usd": 5}));
    assert_eq!((run.state("ok"), run.task().status()), ("waiting", "waiting"));
    let StepState::Waiting { ask, .. } = &run.step("ok").state else { unreachable!() };
    assert_eq!((ask.question.as_str(), ask.kind), ("pay 5?", AskKind::Approval));
    assert_eq!(ask.content.as_ref().unwrap().value(), &json!({"usd": 5}));
    assert_eq!(run.task().wake_at().unwrap().0, T0 + 20_000);
    assert_eq!(run.task().dispatches, 0, "a person is no work order");
    assert_eq!(decide_as(&mut run, "ann", Ruling::Grant), ("grant", "ann granted step ok: fine"));
    assert_eq!(run.input("pay"), json!({"usd": 5, "by": ["ann"]}));
}

#[test]
fn a_denial_fails_the_step_and_is_not_an_expiry() {
    let flow = asking();
    let mut run = flow.start(json!({"usd": 5}));
    decide_as(&mut run, "ann", Ruling::Deny);
    assert_eq!(run.why_not("ok"), "denied: ann denied it: fine");
    let mut run = flow.start(json!({"usd": 5}));
    run.due(20_000);
    assert_eq!(run.why_not("ok"), "expired: nobody decided in time");
    assert_eq!(decide_as(&mut run, "ann", Ruling::Grant).0, "refuse");
}

#[test]
fn second_late_and_foreign_decisions_are_refused_with_the_reason() {
    let flow = asking();
    let mut run = flow.start(json!({"usd": 5}));
    let seen = decision(&run, "ok", "ann", Ruling::Grant);
    let other = Decision { hash: crate::payload::Hash([1; 32]), ..seen.clone() };
    run.feed(&Input::Decision(other));
    assert_eq!(run.last(), ("refuse", "step ok asks something else by now: look at it again"));
    assert_eq!(run.state("ok"), "waiting");
    run.feed(&Input::Decision(seen.clone()));
    run.feed(&Input::Decision(Decision { by: "bob".to_owned(), ..seen.clone() }));
    assert!(run.last().1.starts_with("step ok was decided already at "), "{:?}", run.last());
    run.complete("pay").answer();
    run.feed(&Input::Decision(seen));
    assert!(run.last().1.starts_with("the task ended as completed"), "{:?}", run.last());
    let mut run = flow.start(json!({"usd": 5}));
    let late = decision(&run, "ok", "ann", Ruling::Grant);
    run.now = T0 + 20_000;
    run.feed(&Input::Decision(late));
    assert_eq!(run.last(), ("refuse", "the question of step ok has expired"));
}

#[test]
fn a_hash_is_for_one_task_step_attempt_question_and_content() {
    let ask = |question: &str, content: Option<Value>| Ask {
        kind: AskKind::Approval,
        question: question.to_owned(),
        content: content.map(payload),
        expires: None,
        when_expired: WhenExpired::Fail,
        quorum: 1,
        four_eyes: false,
        editable: true,
    };
    let (tenant, id) = (kit::name("acme"), |text| crate::ids::StepId::parse(text).unwrap());
    let task = |key| crate::ids::TaskId::derive(&tenant, key);
    let hashes = [
        ask("q", None).hash(&task("k"), &id("a"), 1),
        ask("q", None).hash(&task("l"), &id("a"), 1),
        ask("q", None).hash(&task("k"), &id("b"), 1),
        ask("q", None).hash(&task("k"), &id("a"), 2),
        ask("r", None).hash(&task("k"), &id("a"), 1),
        ask("q", Some(json!(1))).hash(&task("k"), &id("a"), 1),
        ask("", Some(json!("q"))).hash(&task("k"), &id("a"), 1),
        Ask { kind: AskKind::Question, ..ask("q", None) }.hash(&task("k"), &id("a"), 1),
    ];
    let unique: std::collections::BTreeSet<_> = hashes.iter().map(|hash| hash.0).collect();
    assert_eq!(unique.len(), hashes.len());
}

#[test]
fn whoever_published_cannot_approve_where_four_eyes_are_wanted() {
    let flow = asking_on(AskTerms { four_eyes: true, ..AskTerms::default() });
    let mut run = flow.idle();
    let goal = Goal { user: Some("ann".to_owned()), ..goal(json!({"usd": 1})) };
    run.feed(&Input::Goal(goal.into()));
    assert_eq!(decide_as(&mut run, "ann", Ruling::Grant).0, "refuse");
    assert_eq!(decide_as(&mut run, "bob", Ruling::Grant).0, "grant");
}

#[test]
fn a_quorum_counts_people_not_decisions() {
    let flow = asking_on(AskTerms { quorum: 2, editable: false, ..AskTerms::default() });
    let mut run = flow.start(json!({"usd": 1}));
    assert_eq!(decide_as(&mut run, "ann", Ruling::Grant).0, "vote");
    let again = decision(&run, "ok", "ann", Ruling::Grant);
    assert_eq!(run.feed(&Input::Decision(again)), Verdict::Ignore(Seen::Known));
    let text = why(run.task(), None, UnixMillis(T0));
    assert!(text.contains("1 of 2 have agreed"), "{text}");
    let changed = Ruling::GrantWith(payload(json!({})));
    assert_eq!(decide_as(&mut run, "bob", changed).0, "refuse", "others agreed to something else");
    assert_eq!(decide_as(&mut run, "bob", Ruling::Grant).0, "grant");
    assert_eq!(run.input("pay")["by"], json!(["ann", "bob"]));
    let mut run = flow.start(json!({"usd": 1}));
    decide_as(&mut run, "ann", Ruling::Grant);
    assert_eq!(decide_as(&mut run, "bob", Ruling::Deny).0, "deny", "one no is enough");
}

#[test]
fn content_is_changed_only_where_the_pack_allows_it() {
    let changed = || Ruling::GrantWith(payload(json!({"usd": 2})));
    let flow = asking();
    let mut run = flow.start(json!({"usd": 5}));
    decide_as(&mut run, "ann", changed());
    assert_eq!(run.input("pay")["usd"], json!(2));
    let flow = asking_on(AskTerms { editable: false, ..AskTerms::default() });
    let mut run = flow.start(json!({"usd": 5}));
    assert_eq!(decide_as(&mut run, "ann", changed()).0, "refuse");
    assert_eq!(run.state("ok"), "waiting");
}

#[test]
fn an_expired_question_counts_as_unsure_where_the_pack_says_accept() {
    let expires = Some(Duration::from_secs(20));
    let when_expired = WhenExpired::Accept;
    let flow = asking_on(AskTerms { expires, when_expired, ..AskTerms::default() });
    let mut run = flow.start(json!({"usd": 5}));
    run.due(20_000);
    let StepState::Completed { output, unsure, .. } = &run.step("ok").state else {
        panic!("{}", run.state("ok"))
    };
    assert_eq!(output.value()["decision"], json!("expired"));
    assert_eq!(unsure.as_deref(), Some("nobody decided in time"));
}

#[test]
fn a_question_never_outlives_the_task() {
    let flow =
        asking_on(AskTerms { expires: Some(Duration::from_secs(9999)), ..AskTerms::default() });
    let run = flow.start(json!({"usd": 5}));
    let StepState::Waiting { ask, .. } = &run.step("ok").state else { unreachable!() };
    assert_eq!(ask.expires.unwrap().0, T0 + DEADLINE_MS);
}

#[test]
fn a_question_of_a_worker_is_answered_with_an_output() {
    let schema = json!({"type": "object", "required": ["n"]});
    let flow =
        Flow::of(&[step("a").returns(schema), step("b").after(&["a"]).with(json!("${ a }"))]);
    let mut run = flow.start(json!({}));
    run.report("a", Outcome::NeedsHuman { question: "which n?".to_owned() });
    let rule = |run: &mut Run<'_>, ruling| {
        let decision = decision(run, "a", "ann", ruling);
        run.feed(&Input::Decision(decision));
        (run.last().0.to_owned(), run.last().1.to_owned())
    };
    assert!(rule(&mut run, Ruling::Grant).1.contains("wants an answer"));
    assert!(rule(&mut run, Ruling::GrantWith(payload(json!({})))).1.contains("breaks contract"));
    assert_eq!(rule(&mut run, Ruling::GrantWith(payload(json!({"n": 4})))).0, "grant");
    assert_eq!(run.input("b"), json!({"n": 4}));
}
