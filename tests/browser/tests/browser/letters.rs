//! Dead letters, and the way back.

use cadre_browser_tests::world::{Person, World};
use cadre_tests::packs::pipeline;
use serde_json::json;

/// A goal for a pack that came later is sent again, and becomes a task after all.
pub(crate) async fn sent_again(world: &World) {
    let task = world.bed.publish("later", "early", &json!({"n": 1})).await;
    let window = world.window_of(Person::Ann).await;
    window.go("/dlq").await;
    window.see("article", "goals.acme.later").await;
    world.bed.apply(&pipeline("later", 1)).await;
    window.mark().await;
    window.click("article:has(p) button", "Send again").await;
    window.see("#toasts .note.s-ok", "").await;
    assert_eq!(world.bed.answer(&task).await["status"], "completed");
    window.miss("article", "goals.acme.later").await;
    assert!(window.is_marked().await, "nothing was loaded again");
    assert_eq!(window.complaints(), Vec::<String>::new());
    window.close().await;
}
