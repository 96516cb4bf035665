use axum::{body::Body, http::StatusCode};
use cadre_core::{access::Access, ports::desk::LetterHead, time::UnixMillis};
use serde_json::{Value, json};

use super::kit::{House, request};
use crate::{
    http::{HttpOptions, auth::Auth, description},
    model::tests::kit::{Story, name},
};

fn goal(input: &Value) -> Value {
    json!({"workflow": "intake", "input": input})
}

/// Every operation of the description: method and path, with names filled in.
fn operations(task: &str) -> Vec<(&'static str, String)> {
    let paths = description().paths.paths;
    let mut all = Vec::new();
    for (path, item) in &paths {
        let path = path.replace("{id}", task).replace("{task}", task).replace("{step}", "allow");
        let path = path.replace("{target}", "role.reader").replace("{action}", "open");
        let path = path.replace("{name}", "intake");
        let methods = [("GET", &item.get), ("POST", &item.post), ("DELETE", &item.delete)];
        let used = methods.into_iter().filter(|(_, operation)| operation.is_some());
        all.extend(used.map(|(method, _)| (method, path.clone())));
    }
    assert!(all.len() > 30, "{all:?}");
    all
}

#[tokio::test]
async fn nobody_gets_anything_without_a_credential() {
    let story = Story::new("acme", "one", 0).whole();
    let house = House::closed(&[&story]).await;
    let expired = house.make("acme", Access::Admin, |token| token.expires_at = Some(UnixMillis(1)));
    let unknown = cadre_core::access::Token::secret([200; 32]);
    for (method, path) in operations(story.task.as_str()) {
        if path.ends_with("healthz") || path.ends_with("readyz") {
            continue;
        }
        for secret in ["", "nonsense", unknown.as_str(), expired.as_str()] {
            let asked = request(method, &path, secret).header("content-type", "application/json");
            let answer = house.ask(asked.body(Body::from("{}")).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.problem(), "unauthorized", "{method} {path}");
            assert!(answer.headers.contains_key("www-authenticate"));
        }
    }
    assert_eq!(house.get("/healthz", "").await.status, StatusCode::OK);
    assert_eq!(house.get("/readyz", "").await.status, StatusCode::OK);
    assert_eq!(house.get("/v1/openapi.json", "").await.json()["openapi"], "3.1.0");
}

#[tokio::test]
async fn each_role_may_do_what_it_is_for() {
    let story = Story::new("acme", "one", 0).ask("allow", "Pay?", 50_000);
    let house = House::closed(&[&story]).await;
    let id = &story.task;
    let [cancel, decide] = [format!("/v1/tasks/{id}/cancel"), format!("/v1/approvals/{id}/allow")];
    let decision = json!({"decision": "grant", "hash": "0123456789"});
    for (access, steers, decides) in [
        (Access::Viewer, false, false),
        (Access::Operator, true, false),
        (Access::Approver, false, true),
        (Access::Admin, true, true),
    ] {
        let secret = house.token("acme", access);
        let is_done = |status: StatusCode| status.is_success();
        let published = house.post("/v1/goals", &secret, &goal(&json!({"a": 1}))).await;
        assert_eq!(is_done(published.status), steers, "{access:?} {published:?}");
        let cancelled = house.post(&cancel, &secret, &json!({"reason": "no"})).await;
        assert_eq!(is_done(cancelled.status), steers, "{access:?} {cancelled:?}");
        let decided = house.post(&decide, &secret, &decision).await;
        assert_eq!(is_done(decided.status), decides, "{access:?} {decided:?}");
        assert!(is_done(house.get("/v1/tasks", &secret).await.status), "{access:?}");
        for answer in [published, cancelled, decided] {
            assert!(is_done(answer.status) || answer.problem() == "forbidden", "{answer:?}");
        }
    }
    let world = house.desk.world.lock().unwrap();
    let wish = &world.steered.first().unwrap().1;
    assert_eq!((wish.by.as_str(), wish.reason.as_str()), ("acme operator", "no"));
    assert_eq!(world.decided.first().unwrap().by, "acme approver");
}

#[tokio::test]
async fn what_is_another_tenants_is_not_there() {
    let ours = Story::new("acme", "ours", 0).ask("allow", "Pay?", 50_000);
    let theirs = Story::new("other", "theirs", 5).ask("allow", "Pay?", 50_000);
    let house = House::closed(&[&ours, &theirs]).await;
    let (acme, fleet) = (
        house.token("acme", Access::Admin),
        house.make("acme", Access::Admin, |token| token.is_fleet = true),
    );
    let head = LetterHead {
        id: "0-7".to_owned(),
        kind: "goal".to_owned(),
        at: UnixMillis(1),
        reason: "no JSON".to_owned(),
        subject: "goals.other.intake".to_owned(),
        tenant: Some(name("other")),
        task: None,
        deliveries: Some(1),
        size_bytes: 2,
        lost: None,
    };
    house.desk.world.lock().unwrap().letters.push(head);
    for (method, path) in operations(theirs.task.as_str()) {
        let is_about_it = path.contains(theirs.task.as_str());
        if !is_about_it || ["dead-letters", "packs", "webhooks"].iter().any(|it| path.contains(it))
        {
            continue;
        }
        let body = match path.rsplit('/').next().unwrap_or_default() {
            "budget" => json!({"steps": 1}),
            "fork" => json!({"from": "read"}),
            "allow" => json!({"decision": "deny", "hash": "0123456789"}),
            _ => json!({}),
        };
        let asked = |secret: &str| {
            let asked = request(method, &path, secret).header("content-type", "application/json");
            house.ask(asked.body(Body::from(body.to_string())).unwrap())
        };
        let (hidden, shown) = (asked(&acme).await, asked(&fleet).await);
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{method} {path} {hidden:?}");
        assert!(shown.status.is_success(), "{method} {path} {shown:?}");
    }
    let rows = |answer: &super::kit::Answer| answer.json()["rows"].as_array().unwrap().len();
    for (path, own, all) in
        [("/v1/tasks", 1, 2), ("/v1/approvals", 1, 2), ("/v1/dead-letters", 0, 1)]
    {
        assert_eq!(rows(&house.get(path, &acme).await), own, "{path}");
        assert_eq!(rows(&house.get(path, &fleet).await), all, "{path}");
    }
    assert_eq!(house.get("/v1/dead-letters/0-7", &acme).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/v1/dead-letters/0-7", &fleet).await.status, StatusCode::OK);
    let bulk = json!({"action": "cancel", "dry_run": true});
    assert_eq!(house.post("/v1/tasks/actions", &acme, &bulk).await.json()["matched"], 1);
    // What serves every tenant is for those who see every tenant.
    for path in ["/v1/alerts"] {
        assert_eq!(house.get(path, &acme).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let hold = "/v1/breakers/role.reader/open";
    assert_eq!(house.post(hold, &acme, &json!({})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.post(hold, &fleet, &json!({})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_goal_is_the_callers_and_its_key_means_one_goal() {
    let house = House::closed(&[]).await;
    let secret = house.token("acme", Access::Operator);
    let publish = |key: &'static str, body: Value| {
        let asked =
            request("POST", "/v1/goals", &secret).header("content-type", "application/json");
        let asked = if key.is_empty() { asked } else { asked.header("idempotency-key", key) };
        house.ask(asked.body(Body::from(body.to_string())).unwrap())
    };
    let first = publish("order-7", goal(&json!({"big": 9_007_199_254_740_993_u64}))).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    let id = first.json()["task"].as_str().unwrap().to_owned();
    assert_eq!(first.headers["location"], format!("/v1/tasks/{id}"));
    assert_eq!(first.json()["is_known"], false);
    let again = publish("order-7", goal(&json!({"big": 9_007_199_254_740_993_u64}))).await;
    assert_eq!((&again.json()["task"], &again.json()["is_known"]), (&json!(id), &json!(true)));
    let other = publish("order-7", goal(&json!({"big": 2}))).await;
    assert_eq!((other.status, other.problem().as_str()), (StatusCode::CONFLICT, "refused"));
    let [one, two] = [publish("", goal(&json!({}))).await, publish("", goal(&json!({}))).await];
    assert_ne!(one.json()["task"], two.json()["task"], "a random key each");
    let world = house.desk.world.lock().unwrap();
    let wish = world.published.get(&cadre_core::ids::TaskId::parse(&id).unwrap()).unwrap();
    assert_eq!((wish.tenant.as_str(), wish.user.as_deref()), ("acme", Some("acme operator")));
    assert_eq!(wish.input.text(), "{\"big\":9007199254740993}", "numbers stay as they are");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem_that_says_where() {
    let house = House::closed(&[]).await;
    let secret = house.token("acme", Access::Admin);
    let large = format!("{{\"workflow\": \"intake\", \"input\": \"{}\"}}", "x".repeat(1_100_000));
    let json = "application/json";
    for (body, kind, status, problem, part) in [
        ("{", json, 400, "malformed", "no JSON"),
        ("{} {}", json, 422, "invalid", "workflow"),
        ("{\"workflow\": \"intake\"}", json, 422, "invalid", "input"),
        (
            "{\"workflow\": \"intake\", \"input\": {}, \"x\": 1}",
            json,
            422,
            "invalid",
            "unknown field",
        ),
        ("{\"workflow\": \"No\", \"input\": {}}", json, 422, "invalid", "/workflow"),
        (
            "{\"workflow\": \"intake\", \"input\": {\"a\": 1, \"a\": 2}}",
            json,
            422,
            "invalid",
            "twice",
        ),
        (
            "{\"workflow\": \"intake\", \"input\": {}, \"limits\": {\"steps\": -1}}",
            json,
            422,
            "invalid",
            "limits/steps",
        ),
        ("{}", "text/plain", 415, "media-type", "application/json"),
        (&large, json, 413, "too-large", "1048576"),
    ] {
        let asked = request("POST", "/v1/goals", &secret).header("content-type", kind);
        let answer = house.ask(asked.body(Body::from(body.to_owned())).unwrap()).await;
        let seen = (answer.status.as_u16(), answer.problem());
        let short = &body[..body.len().min(80)];
        assert_eq!((seen.0, seen.1.as_str()), (status, problem), "{short} {answer:?}");
        assert!(answer.text.contains(part), "{short}: {}", answer.text);
    }
    for (path, status) in [
        ("/v1/tasks?colour=red", 400),
        ("/v1/tasks?status=asleep", 400),
        ("/v1/tasks?limit=0", 400),
        ("/v1/tasks?cursor=zz", 400),
        ("/v1/tasks/none", 404),
        ("/v1/nowhere", 404),
        ("/v1/goals", 405),
    ] {
        let answer = house.get(path, &secret).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {answer:?}");
        answer.problem();
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{path}");
    }
    house.desk.world.lock().unwrap().is_down = true;
    let away = house.get("/v1/members", &secret).await;
    assert_eq!((away.status.as_u16(), away.problem().as_str()), (503, "unavailable"));
    assert!(away.headers.contains_key("retry-after"));
    assert_eq!(house.get("/readyz", "").await.status.as_u16(), 503);
}

#[tokio::test]
async fn one_credential_comes_only_so_often() {
    let options = HttpOptions { requests_per_second: 1, ..HttpOptions::default() };
    let house = House::with(Auth::Closed { jwts: None }, options, &[]).await;
    let (one, other) = (house.token("acme", Access::Viewer), house.token("acme", Access::Viewer));
    let mut last = house.get("/v1/packs", &one).await;
    for _ in 0..10 {
        last = house.get("/v1/packs", &one).await;
    }
    assert_eq!((last.status.as_u16(), last.problem().as_str()), (429, "rate-limited"));
    let again: u64 = last.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&again), "{again}");
    assert_eq!(house.get("/v1/packs", &other).await.status, StatusCode::OK);
}

#[tokio::test]
async fn lists_are_filtered_and_read_on_page_by_page() {
    let stories: Vec<_> = (0..7).map(|n| Story::new("acme", &format!("k{n}"), n).whole()).collect();
    let open = Story::new("acme", "open", 100).dispatch("read", 1, "reader");
    let mut all: Vec<_> = stories.iter().collect();
    all.push(&open);
    let house = House::closed(&all).await;
    let secret = house.token("acme", Access::Operator);
    let (mut seen, mut path) = (Vec::new(), "/v1/tasks?limit=3".to_owned());
    loop {
        let page = house.get(&path, &secret).await.json();
        let rows = page["rows"].as_array().unwrap().clone();
        seen.extend(rows.iter().map(|row| row["task"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/tasks?limit=3&cursor={next}");
    }
    let expected: Vec<_> = all.iter().rev().map(|story| story.task.to_string()).collect();
    assert_eq!(seen, expected);
    let running = house.get("/v1/tasks?status=running,paused", &secret).await.json();
    assert_eq!(running["rows"][0]["task"], open.task.as_str());
    assert_eq!(running["rows"].as_array().unwrap().len(), 1);
    let steps = house.get(&format!("/v1/tasks/{}/steps", stories[0].task), &secret).await.json();
    assert_eq!(steps["rows"][0]["step"], "read");
    let dry = json!({"action": "pause", "dry_run": true, "filter": {"workflow": "intake"}});
    let counted = house.post("/v1/tasks/actions", &secret, &dry).await.json();
    assert_eq!((&counted["matched"], &counted["results"]), (&json!(1), &json!([])));
    assert!(house.desk.world.lock().unwrap().steered.is_empty());
    let real = json!({"action": "pause", "filter": {"workflow": "intake"}, "reason": "stop"});
    let done = house.post("/v1/tasks/actions", &secret, &real).await.json();
    assert_eq!(done["results"][0]["task"], open.task.as_str());
    assert_eq!(done["results"][0]["outcome"], "done");
    assert_eq!(house.desk.world.lock().unwrap().steered.len(), 1);
}
