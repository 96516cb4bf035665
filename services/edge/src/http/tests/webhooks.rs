use axum::{body::Body, http::StatusCode};
use cadre_core::access::Access;
use serde_json::json;

use super::kit::{House, request};

#[tokio::test]
async fn webhooks_are_of_their_tenant_and_keep_their_secret() {
    let house = House::closed(&[]).await;
    let acme = house.token("acme", Access::Operator);
    let globex = house.token("globex", Access::Admin);
    let fleet = house.make("acme", Access::Admin, |token| token.is_fleet = true);
    let wanted = json!({"url": "https://example.com/cadre?key=k", "workflow": "order"});
    for access in [Access::Viewer, Access::Approver] {
        let secret = house.token("acme", access);
        assert_eq!(house.get("/v1/webhooks", &secret).await.status, StatusCode::FORBIDDEN);
        let refused = house.post("/v1/webhooks", &secret, &wanted).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    let made = house.post("/v1/webhooks", &acme, &wanted).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let (document, place) = (made.json(), made.headers["location"].to_str().unwrap().to_owned());
    let secret = document["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(document["webhook"]["by"], "acme operator");
    for (path, who) in [("/v1/webhooks", &acme), ("/v1/webhooks", &fleet), (&place, &acme)] {
        let shown = house.get(path, who).await;
        assert_eq!(shown.status, StatusCode::OK, "{path}");
        assert!(
            shown.text.contains("example.com") && !shown.text.contains(&secret[6..20]),
            "{path}"
        );
    }
    assert_eq!(house.get("/v1/webhooks", &globex).await.json()["rows"], json!([]));
    let rotate = format!("{place}/rotate");
    assert_eq!(house.post(&rotate, &globex, &json!({})).await.status, StatusCode::NOT_FOUND);
    let rotated = house.post(&rotate, &acme, &json!({})).await.json();
    let renewed = rotated["secret"].as_str().unwrap().to_owned();
    assert!(renewed.starts_with("whsec_") && renewed != secret);
    let kept = house.desk.world.lock().unwrap().webhooks[0].clone();
    assert_eq!((kept.secret.reveal(), kept.former.unwrap().secret.reveal()), (renewed, secret));
    let remove = |secret: &str| request("DELETE", &place, secret).body(Body::empty()).unwrap();
    let test = format!("{place}/test");
    assert_eq!(house.get(&place, &globex).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.post(&test, &globex, &json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.ask(remove(&globex)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.ask(remove(&acme)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.get(&place, &acme).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_public_addresses_are_taken() {
    let house = House::closed(&[]).await;
    let secret = house.token("acme", Access::Operator);
    for url in ["http://example.com/", "https://10.0.0.1/", "https://[::1]/", "x", ""] {
        let refused = house.post("/v1/webhooks", &secret, &json!({"url": url})).await;
        assert_eq!(
            (refused.status.as_u16(), refused.problem().as_str()),
            (422, "invalid"),
            "{url}"
        );
        assert_eq!(refused.json()["violations"][0]["path"], "/url", "{url}");
    }
    let named = json!({"url": "https://example.com/", "workflow": "No Name"});
    let refused = house.post("/v1/webhooks", &secret, &named).await;
    assert_eq!(refused.json()["violations"][0]["path"], "/workflow");
}
