//! The inbox as people use it.

use cadre_browser_tests::world::{Person, World};
use cadre_tests::hand::Hand;
use serde_json::json;

/// One question is approved, exactly as it was shown; the other stays.
pub(crate) async fn approved(world: &World) {
    let bill = |usd: u32| json!({"usd": usd, "to": "nora"});
    let task = world.bed.publish("payment", "mine", &bill(7)).await;
    let other = world.bed.publish("payment", "other", &bill(8)).await;
    let window = world.window_of(Person::Ann).await;
    window.resize(360, 740).await;
    window.go("/approvals").await;
    let mine = format!("[id='q-{task}/allow']");
    window.see(&format!("{mine} h2"), "Pay 7 USD to nora?").await;
    window.see(&format!("{mine} pre"), "\"usd\": 7").await;
    window.see(&format!("[id='q-{other}/allow']"), "Pay 8 USD").await;
    window.mark().await;
    window.fill(&format!("{mine} input[name=comment]"), "as agreed").await;
    window.click(&format!("{mine} button"), "approve").await;
    window.see("#toasts", "granted step allow: as agreed").await;
    // The cursor is still in the field, and whoever types is not interrupted.
    window.run("document.activeElement.blur()").await;
    window.miss(&mine, "").await;
    window.see("table tr:has(.s-ok)", "Pay 7 USD to nora?").await;
    assert_eq!(window.count(".ask", "Pay 8 USD").await, 1);
    assert!(window.is_marked().await, "nothing was loaded again");
    Hand::of(&world.bed, "bank").await.order().await.complete(&bill(7)).await;
    assert_eq!(world.bed.answer(&task).await["status"], "completed");
    assert_eq!(window.complaints(), Vec::<String>::new());
    window.close().await;
}

/// Nobody decides: the question goes, and what became of it is said.
pub(crate) async fn expired(world: &World) {
    let window = world.window_of(Person::Ann).await;
    window.go("/approvals").await;
    window.mark().await;
    let task = world.bed.publish("hasty", "late", &json!({"word": "hello"})).await;
    let mine = format!("[id='q-{task}/allow']");
    window.see(&format!("{mine} h2"), "Send it within four seconds?").await;
    window.see(&format!("{mine} .left"), " s").await;
    window.miss(&mine, "").await;
    window.see("table tr:has(.s-bad)", "Send it within four seconds?").await;
    window.see("table .st", "expired").await;
    assert!(window.is_marked().await, "nothing was loaded again");
    assert_eq!(window.complaints(), Vec::<String>::new());
    window.close().await;
}
