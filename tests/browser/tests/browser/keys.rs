//! The keyboard alone: everything is reached, seen to be reached, and pressed.

use cadre_browser_tests::world::{Person, World};

/// Publishes a goal, walks the list of tasks, and approves.
pub(crate) async fn alone(world: &World) {
    let window = world.window_of(Person::Ann).await;
    window.go("/").await;
    window.press("Tab").await;
    window.until("document.activeElement.matches('.skip')").await;
    window.tab_to("a[href='/publish']", 40).await;
    window.press("Enter").await;
    window.arrive("location.pathname === '/publish'").await;
    window.tab_to("a[href='/publish?workflow=payment']", 60).await;
    window.press("Enter").await;
    window.arrive("document.querySelector('#in-to')").await;
    window.tab_to("#in-to", 60).await;
    window.type_text("keys").await;
    window.tab_to("#in-usd", 3).await;
    window.type_text("11").await;
    window.tab_to("main form button", 5).await;
    window.press("Enter").await;
    window.arrive("location.pathname.startsWith('/tasks/')").await;
    let task = window.path().await.trim_start_matches("/tasks/").to_owned();
    window.see("header.page .pill", "waiting").await;

    window.tab_to("a[href='/tasks']", 40).await;
    window.press("Enter").await;
    window.arrive("location.pathname === '/tasks'").await;
    window.press("/").await;
    window.until("document.activeElement.matches('input[type=search]')").await;
    window.press("Escape").await;
    window.press("j").await;
    window.until("document.activeElement.matches('[data-row]')").await;
    let at = window.run("document.activeElement.getAttribute('href')").await;
    assert_eq!(at, format!("/tasks/{task}").as_str(), "the newest is the first");
    window.press("x").await;
    window.see(".bulk", "1 picked").await;
    window.press("Enter").await;
    window.arrive(&format!("location.pathname === '/tasks/{task}'")).await;

    window.tab_to("a[href='/approvals']", 40).await;
    window.press("Enter").await;
    window.arrive("location.pathname === '/approvals'").await;
    let mine = format!("[id='q-{task}/allow']");
    window.see(&mine, "Pay 11 USD to keys?").await;
    window.tab_to(&format!("{mine} button[value=approve]"), 120).await;
    window.press("Enter").await;
    window.see("#toasts", "granted step allow").await;
    window.see("table tr:has(.s-ok)", "Pay 11 USD to keys?").await;
    assert_eq!(window.complaints(), Vec::<String>::new());
    window.close().await;
}
