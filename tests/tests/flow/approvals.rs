//! People decide through `cadre approval`, and what the task makes of it.

use cadre_core::{
    ids::StepId,
    payload::Hash,
    task::{Decision, Ruling},
};
use cadre_tests::{hand::Hand, payment::Payment, verdict};
use serde_json::{Value, json};

/// What the tests want to be paid.
fn bill() -> Value {
    json!({"usd": 5, "to": "bolt"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_counts_once_and_for_exactly_what_was_shown() {
    let payment = Payment::new().await;
    let task = payment.wants("k", &[("Cadre-User", "ann")], &bill()).await;
    payment.asked(&task).await;
    let id = task.as_str();

    let listed = payment.ends(0, &["approval", "ls", "-o", "json"]).await.json();
    let row = &listed[0];
    assert_eq!((&row["task"], &row["step"]), (&json!(id), &json!("allow")), "{listed}");
    assert_eq!((&row["question"], &row["agreed"]), (&json!("Pay 5 USD to bolt?"), &json!(0)));
    let others = payment.ends(0, &["approval", "ls", "--workflow", "other", "-o", "json"]).await;
    assert_eq!(others.json(), json!([]));
    let tasks = payment.ends(0, &["task", "ls"]).await;
    assert!(tasks.text().contains("waiting (person)"), "{}", tasks.text());

    let shown = payment.ends(0, &["approval", "show", id, "-o", "json"]).await.json();
    assert_eq!((&shown["content"], &shown["user"]), (&bill(), &json!("ann")), "{shown}");
    let page = payment.ends(0, &["approval", "show", id, "allow"]).await;
    let page = page.text();
    for part in ["\"usd\": 5", "Pay 5 USD to bolt?", "user ann", "0 of 1", "cadre approval deny"] {
        assert!(page.contains(part), "{part}:\n{page}");
    }
    let command =
        page.lines().find(|line| line.contains("cadre approval grant")).expect("a command");
    let mut copied: Vec<_> = command.split_whitespace().skip(1).collect();
    copied.extend(["--as", "bob", "--comment", "as agreed", "-o", "json"]);
    let granted = payment.ends(0, &copied).await.json();
    assert_eq!(granted["reason"], "bob granted step allow: as agreed", "{granted}");

    let order = Hand::of(&payment.bed, "bank").await.order().await;
    assert_eq!(order.body["input"], bill());
    let second = payment.ends(14, &["approval", "deny", id, "allow", "--as", "eve"]).await;
    assert!(second.talk.contains("was decided already at"), "{}", second.talk);
    assert!(second.talk.contains("bob granted step allow"), "{}", second.talk);
    let none = payment.ends(3, &["approval", "grant", id]).await;
    assert!(none.talk.contains("asks nobody anything now"), "{}", none.talk);
    order.complete(&bill()).await;
    let answer = payment.bed.answer(&task).await;
    assert_eq!(answer["result"], json!({"paid": 5, "by": ["bob"]}), "{answer}");
    let late = payment.ends(14, &["approval", "grant", id]).await;
    assert!(late.talk.contains("ended as completed"), "{}", late.talk);
    verdict::is_clean(&payment.bed).await;
    payment.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_ends_the_step_and_says_who() {
    let payment = Payment::new().await;
    let task = payment.wants("k", &[], &bill()).await;
    payment.asked(&task).await;
    let id = task.as_str();
    let args = ["approval", "deny", id, "--as", "ann", "--comment", "wrong account", "-o", "json"];
    let denied = payment.ends(0, &args).await.json();
    assert_eq!((&denied["decision"], &denied["by"]), (&json!("deny"), &json!("ann")), "{denied}");
    let answer = payment.bed.answer(&task).await;
    assert_ne!(answer["status"], "completed", "{answer}");
    assert!(answer.to_string().contains("ann denied it: wrong account"), "{answer}");
    let second = payment.ends(14, &["approval", "grant", id, "allow"]).await;
    assert!(second.talk.contains("ann denied step allow: wrong account"), "{}", second.talk);
    verdict::is_clean(&payment.bed).await;
    payment.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_is_no_denial_and_a_late_decision_is_told() {
    let payment = Payment::with("expires: 300ms").await;
    let task = payment.wants("k", &[], &bill()).await;
    let answer = payment.bed.answer(&task).await;
    assert!(answer.to_string().contains("nobody decided in time"), "{answer}");
    let late = payment.ends(14, &["approval", "grant", task.as_str(), "allow"]).await;
    assert!(late.talk.contains("question of step allow expired at"), "{}", late.talk);
    verdict::is_clean(&payment.bed).await;
    payment.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_can_be_corrected_where_the_pack_allows_it() {
    let changed = json!({"usd": 4, "to": "bolt"}).to_string();
    for (terms, code) in [("expires: 2m", 0), ("expires: 2m, editable: false", 14)] {
        let payment = Payment::with(terms).await;
        let task = payment.wants("k", &[], &bill()).await;
        payment.asked(&task).await;
        let id = task.as_str();
        payment.ends(2, &["approval", "grant", id, "--with", "{no json"]).await;
        payment.ends(2, &["approval", "answer", id, "--with", &changed]).await;
        let said = payment.ends(code, &["approval", "grant", id, "--with", &changed]).await;
        if code == 0 {
            let order = Hand::of(&payment.bed, "bank").await.order().await;
            assert_eq!(order.body["input"], json!({"usd": 4, "to": "bolt"}));
        } else {
            assert!(said.talk.contains("cannot be changed: the pack says so"), "{}", said.talk);
        }
        verdict::is_clean(&payment.bed).await;
        payment.stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_about_something_else_by_now_is_refused() {
    let payment = Payment::new().await;
    let task = payment.wants("k", &[], &bill()).await;
    let rev = payment.asked(&task).await.rev;
    let id = task.as_str();
    let stale = payment.ends(14, &["approval", "grant", id, "--hash", "00000000"]).await;
    assert!(stale.talk.contains("asks something else than 00000000"), "{}", stale.talk);
    payment.ends(2, &["approval", "grant", id, "--hash", "0000"]).await;
    assert_eq!(payment.bed.task(&task).await.rev, rev, "nothing was sent");

    // One that was right when it was sent meets the same answer, and it is kept.
    let decision = Decision {
        step: StepId::parse("allow").expect("a step"),
        by: "ann".to_owned(),
        hash: Hash([7; 32]),
        ruling: Ruling::Grant,
        comment: String::new(),
    };
    payment.bed.bus.decide(&task, &decision).await.expect("sent");
    let refused = payment.until(&task, |task| task.refusals == 1).await;
    assert_eq!(cadre_tests::payment::state(&refused, "allow"), Some("waiting"));
    verdict::is_clean(&payment.bed).await;
    payment.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_published_the_goal_cannot_grant_it_where_four_eyes_must_look() {
    let payment = Payment::with("expires: 2m, four_eyes: true").await;
    let task = payment.wants("k", &[("Cadre-User", "ann")], &bill()).await;
    payment.asked(&task).await;
    let id = task.as_str();
    let own = payment.ends(14, &["approval", "grant", id, "--as", "ann"]).await;
    assert!(own.talk.contains("another person must decide"), "{}", own.talk);
    payment.ends(0, &["approval", "grant", id, "--as", "bob"]).await;
    payment.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_people_must_agree_where_the_pack_says_so() {
    let payment = Payment::with("expires: 2m, quorum: 2").await;
    let task = payment.wants("k", &[], &bill()).await;
    payment.asked(&task).await;
    let id = task.as_str();
    let one = payment.ends(0, &["approval", "grant", id, "--as", "ann", "-o", "json"]).await.json();
    assert_eq!(one["decision"], "vote", "{one}");
    let again = payment.ends(14, &["approval", "grant", id, "--as", "ann"]).await;
    assert!(again.talk.contains("(1 of 2): another person must"), "{}", again.talk);
    let page = payment.ends(0, &["approval", "show", id]).await;
    assert!(page.text().contains("1 of 2: ann"), "{}", page.text());
    let two = payment.ends(0, &["approval", "grant", id, "--as", "bob", "-o", "json"]).await.json();
    assert_eq!(two["decision"], "grant", "{two}");
    let order = Hand::of(&payment.bed, "bank").await.order().await;
    order.complete(&bill()).await;
    let answer = payment.bed.answer(&task).await;
    assert_eq!(answer["result"]["by"], json!(["ann", "bob"]), "{answer}");
    verdict::is_clean(&payment.bed).await;
    payment.stack.stop().await;
}
