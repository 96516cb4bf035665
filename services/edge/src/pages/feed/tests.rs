//! Every route over a desk and a log in memory: what is there, for whom, and what a form does.

use axum::{body::Body, http::StatusCode};
use cadre_core::{
    access::Access,
    question::Verdict,
    task::{Action, EndStatus, FailureKind},
    wish::Want,
};
use futures::StreamExt as _;
use tower::ServiceExt as _;

mod look;

use super::router;
use crate::{
    http::tests::kit::{Answer, House, request},
    model::tests::kit::{Story, name},
};

async fn house(stories: &[&Story]) -> House {
    House::closed(stories).await.with_pages(router())
}

async fn form(house: &House, (path, secret): (&str, &str), fields: &str) -> Answer {
    let asked = request("POST", path, secret)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("hx-request", "true");
    house.ask(asked.body(Body::from(fields.to_owned())).unwrap()).await
}

/// What a page of this credential carries in its forms.
async fn csrf(house: &House, secret: &str) -> String {
    let page = house.get("/tasks", secret).await.text;
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn every_page_is_there_and_wants_a_credential() {
    let story = Story::new("acme", "one", 0).whole();
    let house = house(&[&story]).await;
    let secret = house.make("acme", Access::Admin, |token| token.is_fleet = true);
    let task = format!("/tasks/{}", story.task);
    let tabs = ["timeline", "graph", "events", "calls", "result", "spend"]
        .map(|tab| format!("{task}?tab={tab}&step=read&fold=1&failed=1"));
    let pages = [
        "/",
        "/tasks",
        "/approvals",
        "/agents",
        "/breakers",
        "/bus",
        "/dlq",
        "/spend",
        "/packs",
        "/publish",
        "/audit",
    ];
    for path in pages.into_iter().chain(tabs.iter().map(String::as_str)).chain([task.as_str()]) {
        let answer = house.get(path, &secret).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        assert!(answer.text.starts_with("<!DOCTYPE html>"), "{path}");
        let stranger = house.get(path, "").await;
        assert_eq!(stranger.status, StatusCode::SEE_OTHER, "{path}");
        let part = request("GET", path, &secret).header("hx-request", "true");
        let part = house.ask(part.body(Body::empty()).unwrap()).await;
        assert!(!part.text.contains("<html") && part.text.contains("<h1"), "{path}");
    }
    let login = house.get("/login?next=2f&failed=1", "").await;
    assert!(login.text.contains("action=\"/session\"") && login.text.contains("value=\"2f\""));
    assert!(login.text.contains("unknown, revoked or over"));
    let file = house.get("/assets/cadre.css?v=1", "").await;
    assert_eq!(file.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(house.get("/assets/none.css", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_tenants_tasks_are_nowhere() {
    let ours = Story::new("acme", "ours", 0).ask("allow", "Pay our bill?", 50_000);
    let theirs = Story::new("globex", "theirs", 5).ask("allow", "Pay their bill?", 50_000);
    let house = house(&[&ours, &theirs]).await;
    let secret = house.token("acme", Access::Admin);
    for path in ["/", "/tasks", "/tasks?q=contract", "/approvals", "/spend", "/agents"] {
        let page = house.get(path, &secret).await.text;
        assert!(!page.contains("theirs") && !page.contains("their bill"), "{path}");
    }
    assert!(house.get("/approvals", &secret).await.text.contains("Pay our bill?"));
    let missing = house.get(&format!("/tasks/{}", theirs.task), &secret).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.text.contains("Not here"), "as a page");
    let csrf = csrf(&house, &secret).await;
    let path = format!("/tasks/{}/cancel", theirs.task);
    let refused = form(&house, (&path, &secret), &format!("csrf={csrf}&reason=x")).await;
    assert!(refused.text.contains("s-bad"), "{refused:?}");
    assert!(house.desk.world.lock().unwrap().steered.is_empty());
}

#[tokio::test]
async fn filters_and_pages_are_addresses() {
    let stories: Vec<Story> = (0..60_u64)
        .map(|index| {
            let story = Story::new("acme", &format!("number{index}"), index * 10)
                .dispatch("read", 1, "reader");
            if index % 3 == 0 {
                story.fail("read", FailureKind::Timeout, "late").end(EndStatus::Failed)
            } else {
                story
            }
        })
        .collect();
    let house = house(&stories.iter().collect::<Vec<_>>()).await;
    let secret = house.token("acme", Access::Viewer);
    let first = house.get("/tasks", &secret).await.text;
    assert_eq!(first.matches("data-row").count() - 1, 50, "one page, and the list's own mark");
    let (_, rest) = first.split_once("/tasks?after=").expect("a next page");
    let cursor = rest.split('"').next().unwrap();
    let second = house.get(&format!("/tasks?after={cursor}"), &secret).await.text;
    assert_eq!(second.matches("data-row").count() - 1, 10);
    assert!(!first.contains("name=\"pick\""), "a viewer steers nothing");
    let failed = house.get("/tasks?status=failed", &secret).await.text;
    assert_eq!(failed.matches("data-row").count() - 1, 20);
    let found = house.get("/tasks?q=number7", &secret).await.text;
    assert!(found.contains("contract number7"), "{found}");
    assert!(house.get("/tasks?q=nothing", &secret).await.text.contains("No task fits"));
}

#[tokio::test]
async fn wishes_go_to_the_desk_with_who_has_them() {
    let story = Story::new("acme", "one", 0).dispatch("read", 1, "reader");
    let house = house(&[&story]).await;
    let secret = house.token("acme", Access::Operator);
    let csrf = csrf(&house, &secret).await;
    let path = |act: &str| format!("/tasks/{}/{act}", story.task);
    let done =
        form(&house, (&path("pause"), &secret), &format!("csrf={csrf}&reason=look+first")).await;
    assert!(done.text.contains("Done: look first"), "{done:?}");
    let fields = format!("csrf={csrf}&usd=0.05&tokens=&steps=2&seconds=0");
    form(&house, (&path("budget"), &secret), &fields).await;
    let refused = form(&house, (&path("cancel"), &secret), "csrf=wrong&reason=x").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let forked = form(&house, (&path("fork"), &secret), &format!("csrf={csrf}&from=read")).await;
    assert!(forked.headers["hx-redirect"].to_str().unwrap().starts_with("/tasks/"));
    let world = house.desk.world.lock().unwrap();
    let [(_, pause), (_, budget)] = &world.steered[..] else { panic!("{:?}", world.steered) };
    assert_eq!((pause.by.as_str(), &pause.want), ("acme operator", &Want::Control(Action::Pause)));
    let Want::Control(Action::AddBudget(budget)) = &budget.want else { panic!("{budget:?}") };
    assert_eq!((budget.usd_micros, budget.steps), (50_000, 2));
}

#[tokio::test]
async fn many_tasks_are_changed_only_after_a_look() {
    let open = Story::new("acme", "open", 0).dispatch("read", 1, "reader");
    let ended = Story::new("acme", "ended", 5).whole();
    let house = house(&[&open, &ended]).await;
    let secret = house.token("acme", Access::Operator);
    let csrf = csrf(&house, &secret).await;
    let picks = format!("csrf={csrf}&action=cancel&pick={}&pick={}", open.task, ended.task);
    let plan = form(&house, ("/tasks/bulk", &secret), &picks).await.text;
    assert!(
        plan.contains("Would cancel 1 task") && plan.contains("1 task would be left alone"),
        "{plan}"
    );
    assert!(house.desk.world.lock().unwrap().steered.is_empty(), "nothing has happened yet");
    let said = form(&house, ("/tasks/bulk", &secret), &format!("{picks}&confirmed=1")).await.text;
    assert!(said.contains("cancel: 1 task done, 1 left"), "{said}");
    let again = picks.replace("action=cancel", "action=retry");
    let plan = form(&house, ("/tasks/bulk", &secret), &again).await.text;
    for word in ["Would retry 0 tasks", "no step of it has failed", "an end is final"] {
        assert!(plan.contains(word), "{word}: {plan}");
    }
    let viewer = house.token("acme", Access::Viewer);
    let refused = form(&house, ("/tasks/bulk", &viewer), "csrf=none").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_decision_names_what_was_shown() {
    let story = Story::new("acme", "one", 0).ask("allow", "Pay?", 50_000);
    let house = house(&[&story]).await;
    let (approver, operator) =
        (house.token("acme", Access::Approver), house.token("acme", Access::Operator));
    let page = house.get("/approvals", &approver).await.text;
    assert!(page.contains("&quot;amount&quot;: 12"), "exactly what is decided about: {page}");
    let (_, rest) = page.split_once("name=\"hash\" value=\"").unwrap();
    let hash = rest.split('"').next().unwrap().to_owned();
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = rest.split('"').next().unwrap().to_owned();
    let path = format!("/approvals/{}/allow", story.task);
    let fields = format!("csrf={csrf}&hash={hash}&choice=approve&comment=checked");
    assert!(form(&house, (&path, &approver), &fields).await.text.contains("Done: granted"));
    {
        let world = house.desk.world.lock().unwrap();
        let decision = &world.decided[0];
        assert_eq!(
            (&decision.verdict, decision.by.as_str()),
            (&Verdict::Grant(None), "acme approver")
        );
        assert_eq!(decision.hash, hash);
    }
    assert!(!house.get("/approvals", &operator).await.text.contains("name=\"choice\""));
}

#[tokio::test]
async fn a_goal_is_published_from_the_form() {
    let house = house(&[]).await;
    let secret = house.token("acme", Access::Operator);
    let csrf = csrf(&house, &secret).await;
    let fields =
        format!("csrf={csrf}&workflow=intake&key=k1&in.text.title=A+%26+B&in.number.pages=7");
    let sent = form(&house, ("/publish", &secret), &fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{sent:?}");
    {
        let world = house.desk.world.lock().unwrap();
        let wish = world.published.values().next().unwrap();
        assert_eq!(wish.input.text(), r#"{"pages":7,"title":"A & B"}"#);
        assert_eq!((wish.key.as_str(), &wish.tenant), ("k1", &name("acme")));
    }
    let other = fields.replace("pages=7", "pages=8");
    let refused = form(&house, ("/publish", &secret), &other).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("key belongs to another goal"), "{refused:?}");
}

#[tokio::test]
async fn a_tab_hears_of_its_topics_only() {
    let story = Story::new("acme", "one", 0).dispatch("read", 1, "reader");
    let other = Story::new("globex", "two", 0);
    let house = house(&[&story]).await;
    let secret = house.token("acme", Access::Viewer);
    let path = format!("/live?topics=tasks,task.{}", story.task);
    let asked = request("GET", &path, &secret).body(Body::empty()).unwrap();
    let response = house.app.clone().oneshot(asked).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    let mut heard = String::new();
    other.write(&house.desk.log);
    let written = story.records.len();
    story
        .clone()
        .complete("read", crate::model::tests::kit::usage(1, 1, 1))
        .write_from(&house.desk.log, written);
    let expected = format!("event: stale\ndata: task.{} tasks\n", story.task);
    // What has changed, and how far behind it all is.
    while !heard.contains(&expected) || !heard.contains("event: lag") {
        let next = tokio::time::timeout(std::time::Duration::from_secs(60), body.next());
        heard += &String::from_utf8_lossy(&next.await.expect("in time").expect("more").unwrap());
    }
    assert!(!heard.contains(other.task.as_str()));
    // The badge, whatever the topics: the tenant's own questions only.
    assert!(heard.contains("event: questions\ndata: 0\n"), "{heard}");
    Story::new("globex", "three", 0).ask("approve", "Pay?", 5_000).write(&house.desk.log);
    Story::new("acme", "four", 0).ask("approve", "Pay?", 5_000).write(&house.desk.log);
    while !heard.contains("event: questions\ndata: 1\n") {
        let next = tokio::time::timeout(std::time::Duration::from_secs(60), body.next());
        heard += &String::from_utf8_lossy(&next.await.expect("in time").expect("more").unwrap());
    }
    assert!(!heard.contains("data: 2\n"));
    house.closing.send_replace(true);
    while body.next().await.is_some() {}
}
