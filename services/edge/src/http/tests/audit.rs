use axum::{body::Body, http::StatusCode};
use cadre_core::{
    access::Access,
    audit::{Action, Chain, Deed, Tip},
    ports::desk::LetterHead,
    time::UnixMillis,
};
use serde_json::json;

use super::kit::{Answer, House, request};
use crate::model::tests::kit::name;

/// A trail of two tenants and the fleet, one entry a page.
fn trail() -> Vec<String> {
    let deeds = [
        ("tenant.acme", "ann", Action::GoalAccepted, "task/a"),
        ("tenant.globex", "eve", Action::GoalAccepted, "task/b"),
        ("fleet", "ops", Action::BreakerOpened, "breaker/role.reader"),
        ("tenant.acme", "bob", Action::QuestionGranted, "task/a/allow"),
    ];
    let page = |(at, (chain, actor, action, object)): (u64, (&str, &str, Action, &str))| {
        let (actor, object, reason) = (actor.to_owned(), object.to_owned(), "so".to_owned());
        let deed = Deed { at: UnixMillis(at), actor, action, object, reason };
        let chain: Chain = chain.parse().unwrap();
        Tip::default().note(&chain, &deed).text
    };
    (1..).zip(deeds).map(page).collect()
}

fn actors(answer: &Answer) -> Vec<String> {
    let rows = answer.json()["rows"].as_array().unwrap().clone();
    rows.iter().map(|row| row["actor"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_trail_is_shown_by_tenant_to_those_who_may_look_at_it() {
    let house = House::closed(&[]).await;
    house.desk.world.lock().unwrap().trail = trail();
    let acme = house.token("acme", Access::Approver);
    let fleet = house.make("acme", Access::Admin, |token| token.is_fleet = true);
    for access in [Access::Viewer, Access::Operator] {
        let secret = house.token("acme", access);
        let refused = house.get("/v1/audit", &secret).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    }
    for (path, secret, expected) in [
        ("/v1/audit", &acme, vec!["bob", "ann"]),
        ("/v1/audit?chain=tenant.acme", &acme, vec!["bob", "ann"]),
        ("/v1/audit", &fleet, vec!["bob", "ops", "eve", "ann"]),
        ("/v1/audit?chain=fleet", &fleet, vec!["ops"]),
        ("/v1/audit?action=goal_accepted", &fleet, vec!["eve", "ann"]),
        ("/v1/audit?actor=bob", &acme, vec!["bob"]),
        ("/v1/audit?since_ms=2&until_ms=4", &fleet, vec!["ops", "eve"]),
    ] {
        assert_eq!(actors(&house.get(path, secret).await), expected, "{path}");
    }
    for chain in ["fleet", "tenant.globex"] {
        let other = house.get(&format!("/v1/audit?chain={chain}"), &acme).await;
        assert_eq!(other.status, StatusCode::FORBIDDEN, "{chain}");
    }
    for wrong in ["chain=x", "task=!", "cursor=x", "limit=0", "nothing=1"] {
        let answer = house.get(&format!("/v1/audit?{wrong}"), &fleet).await;
        assert_eq!(answer.problem(), "malformed", "{wrong}");
    }
}

#[tokio::test]
async fn pages_of_the_trail_meet() {
    let house = House::closed(&[]).await;
    house.desk.world.lock().unwrap().trail = trail();
    let fleet = house.make("acme", Access::Admin, |token| token.is_fleet = true);
    let first = house.get("/v1/audit?limit=3", &fleet).await;
    assert_eq!(actors(&first), ["bob", "ops", "eve"]);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let rest = house.get(&format!("/v1/audit?limit=3&cursor={next}"), &fleet).await;
    assert_eq!((actors(&rest), &rest.json()["next"]), (vec!["ann".to_owned()], &json!(null)));
}

#[tokio::test]
async fn whoever_deals_with_a_letter_is_named() {
    let house = House::closed(&[]).await;
    let head = LetterHead {
        id: "0-7".to_owned(),
        kind: "goal".to_owned(),
        at: UnixMillis(5),
        reason: "no JSON".to_owned(),
        subject: "goals.acme.intake".to_owned(),
        tenant: Some(name("acme")),
        task: None,
        deliveries: None,
        size_bytes: 2,
        lost: None,
    };
    house.desk.world.lock().unwrap().letters.push(head);
    let secret = house.token("acme", Access::Operator);
    let replayed = house.post("/v1/dead-letters/0-7/replay", &secret, &json!({})).await;
    assert_eq!(replayed.status, StatusCode::OK, "{replayed:?}");
    let asked = request("DELETE", "/v1/dead-letters/0-7", &secret).body(Body::empty()).unwrap();
    assert_eq!(house.ask(asked).await.status, StatusCode::NO_CONTENT);
    let deeds = house.desk.world.lock().unwrap().deeds.clone();
    let by = "acme operator".to_owned();
    assert_eq!(deeds, [(by.clone(), "replay 0-7".to_owned()), (by, "drop 0-7".to_owned())]);
}

#[tokio::test]
async fn the_page_shows_the_same() {
    let house = House::closed(&[]).await.with_pages(crate::pages::router());
    house.desk.world.lock().unwrap().trail = trail();
    let acme = house.token("acme", Access::Approver);
    let shown = house.get("/audit", &acme).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
    assert!(shown.text.contains("question granted") && !shown.text.contains("eve"), "{shown:?}");
    assert!(shown.text.contains("cadre audit ls"));
    let viewer = house.token("acme", Access::Viewer);
    assert_eq!(house.get("/audit", &viewer).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.get("/audit?before=x", &acme).await.status, StatusCode::BAD_REQUEST);
}
