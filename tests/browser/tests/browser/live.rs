//! What a tab asks for while it is open: one stream, and only what can be seen.

use cadre_browser_tests::world::{Person, World};
use serde_json::json;

/// Counts streams, and parts that are told to fetch themselves again.
const COUNT: &str = "window.streams = []; window.lived = [];
    const Real = EventSource;
    window.EventSource = class extends Real { constructor(...all) { super(...all); streams.push(this); } };
    document.addEventListener('live', event => lived.push(event.target.id), true);";

/// The part below the fold is fetched when somebody scrolls to it, and another tab of the page opens no other stream.
pub(crate) async fn frugal(world: &World) {
    let task = world.bed.publish("echoes", "before", &json!({"word": "one"})).await;
    world.bed.answer(&task).await;
    let window = world.window_of(Person::Ann).await;
    window.on_each_page(COUNT).await;
    window.resize(1440, 300).await;
    window.go("/spend").await;
    window.until("lived.includes('sums')").await;
    window.run("lived.length = 0").await;
    let task = world.bed.publish("echoes", "after", &json!({"word": "two"})).await;
    world.bed.answer(&task).await;
    window.until("lived.includes('sums')").await;
    let below = window.run("lived.includes('shares')").await;
    assert_eq!(below, false, "what nobody sees is not fetched");
    window.run("document.querySelector('#shares').scrollIntoView()").await;
    window.until("lived.includes('shares')").await;
    assert_eq!(window.run("streams.length").await, 1);

    window.resize(1440, 900).await;
    window.go(&format!("/tasks/{task}")).await;
    for tab in ["Result", "Events", "Spend"] {
        window.click(".tabs a", tab).await;
        window.see(".tabs a[aria-current]", tab).await;
    }
    assert_eq!(window.run("streams.length").await, 1, "one stream a tab, whatever it shows");
    assert_eq!(window.complaints(), Vec::<String>::new());
    window.close().await;
}
