//! Tasks as people publish, watch and steer them.

use cadre_browser_tests::world::{Person, TENANT, World};
use cadre_tests::{hand::Hand, shell::fine};
use serde_json::json;

/// Publishes by the form, and sees the page follow the task to its end without being loaded again.
pub(crate) async fn published(world: &World) {
    let window = world.window_of(Person::Ann).await;
    window.go("/publish").await;
    window.click("main a", "payment").await;
    window.see("label", "usd").await;
    window.fill("#in-to", "bolt").await;
    window.fill("#in-usd", "0").await;
    window.click("main button", "Publish").await;
    // What the contract forbids is said, and what was filled in is kept.
    window.see("[role=alert]", "Refused").await;
    window.until("document.querySelector('#in-to').value === 'bolt'").await;
    assert_eq!(window.status().await, 422);
    let refused = window.complaints();
    assert!(refused.iter().all(|said| said.contains("422")), "{refused:?}");
    window.fill("#in-usd", "5").await;
    window.click("main button", "Publish").await;
    window.arrive("location.pathname.startsWith('/tasks/')").await;
    let task = window.path().await.trim_start_matches("/tasks/").to_owned();

    window.see("header.page .pill", "waiting").await;
    window.see(".note", "a person").await;
    window.mark().await;
    fine(&world.bed, &["approval", "grant", &task, "--as", "bo", "--tenant", TENANT]).await;
    window.see("header.page .pill", "running").await;
    let hand = Hand::of(&world.bed, "bank").await;
    hand.order().await.complete(&json!({"usd": 5, "to": "bolt"})).await;
    window.see("header.page .pill", "completed").await;
    window.see("header.page .btn", "Fork").await;
    window.miss("header.page .btn", "Cancel").await;
    window.see("table.tl", "pay").await;
    assert!(window.is_marked().await, "nothing was loaded again");
    window.click(".tabs a", "Result").await;
    window.see("main pre", "\"paid\": 5").await;
    assert!(window.is_marked().await, "nor for another tab");
    assert_eq!(window.complaints(), Vec::<String>::new());
    window.close().await;
}

/// Picks three tasks, is told that two of them can be tried again, and has that done.
pub(crate) async fn retried(world: &World) {
    let quick = Hand::of(&world.bed, "pair-quick").await;
    let mut tasks = Vec::new();
    for key in ["one", "two"] {
        tasks.push(world.bed.publish("pair", key, &json!({"name": key})).await);
        let order = quick.order().await;
        order.answer(json!({"failed": {"kind": "ERROR", "message": "it stumbled"}})).await;
    }
    let ended = world.bed.publish("pair", "three", &json!({"name": "three"})).await;
    fine(&world.bed, &["task", "cancel", ended.as_str(), "--tenant", TENANT]).await;

    let window = world.window_of(Person::Ann).await;
    window.go("/tasks?workflow=pair&failed=1").await;
    window.until("document.querySelectorAll('[data-row]').length === 2").await;
    window.go("/tasks?workflow=pair").await;
    window.see("tr", "three").await;
    window.mark().await;
    window.click("[data-pick-all]", "").await;
    window.see(".bulk", "3 picked").await;
    window.click(".bulk button", "Retry").await;
    window.see("#confirm h2", "Would retry 2 tasks").await;
    window.see("#confirm", "1 task would be left alone").await;
    window.see("#confirm", "ended as cancelled").await;
    window.fill("#bulk-reason", "awake now").await;
    window.click("#confirm button", "retry 2 tasks").await;
    window.see("#toasts", "2 tasks done").await;
    window.miss("#confirm", "").await;
    for _ in &tasks {
        quick.order().await.complete(&json!({"is": "well"})).await;
    }
    let slow = Hand::of(&world.bed, "pair-slow").await;
    let mut orders = 0;
    while orders < tasks.len() {
        let order = slow.order().await;
        // The cancelled one's may come as well.
        if order.body["task"] != ended.as_str() {
            orders += 1;
        }
        order.complete(&json!({"is": "well"})).await;
    }
    for task in &tasks {
        assert_eq!(world.bed.answer(task).await["status"], "completed");
    }
    window.until("[...document.querySelectorAll('tbody .st.s-ok')].length === 2").await;
    assert!(window.is_marked().await, "the list has followed");
    assert_eq!(window.complaints(), Vec::<String>::new());
    window.close().await;
}

/// A task that has ended is done again from one of its steps, as a new task.
pub(crate) async fn forked(world: &World) {
    let task = world.bed.publish("echoes", "again", &json!({"word": "hello"})).await;
    assert_eq!(world.bed.answer(&task).await["status"], "completed");
    let window = world.window_of(Person::Ann).await;
    window.go(&format!("/tasks/{task}?step=s2")).await;
    window.see("header.page .pill", "completed").await;
    window.click("header.page .btn", "Fork").await;
    window.until("document.querySelector('#fork-from').value === 's2'").await;
    window.click("#act-fork button.first", "Fork").await;
    let is_elsewhere =
        format!("location.pathname !== '/tasks/{task}' && location.pathname.startsWith('/tasks/')");
    window.arrive(&is_elsewhere).await;
    window.see(".sub", "fork of").await;
    window.see("header.page .pill", "completed").await;
    assert_eq!(window.complaints(), Vec::<String>::new());
    window.close().await;
}
