//! What one tenant sees of another: nothing.

use cadre_browser_tests::world::{Person, World};
use serde_json::json;

/// The same address is a task for one and nothing at all for the other.
pub(crate) async fn apart(world: &World) {
    let task = world.bed.publish("payment", "secret", &json!({"usd": 9, "to": "nobody"})).await;
    let path = format!("/tasks/{task}");
    let ann = world.window_of(Person::Ann).await;
    ann.go("/tasks").await;
    ann.see(&format!("a[href='{path}']"), "").await;
    ann.go("/approvals").await;
    ann.see(".ask", "Pay 9 USD to nobody?").await;
    ann.close().await;

    let rival = world.window_of(Person::Rival).await;
    for tab in ["", "?tab=events", "?tab=result"] {
        rival.go(&format!("{path}{tab}")).await;
        assert_eq!(rival.status().await, 404, "{tab}");
        rival.see("h1", "Not here").await;
        assert_eq!(rival.count("body", "nobody").await, 0, "no word of it");
    }
    let refused = rival.complaints();
    assert!(refused.iter().all(|said| said.contains("404")), "{refused:?}");
    for (page, empty) in [("/tasks", "No tasks yet"), ("/approvals", "Nobody is asked anything")] {
        rival.go(page).await;
        rival.see(".empty", empty).await;
    }
    assert_eq!(rival.complaints(), Vec::<String>::new());
    rival.close().await;
}
