use axum::{
    Router,
    body::Body,
    http::StatusCode,
    routing::{get, post},
};
use cadre_core::access::Access;
use serde::Deserialize;

use super::kit::{House, request};
use crate::{
    http::{AppState, Auth, HttpOptions, Identity, SafeForm},
    model::tests::kit::name,
};

async fn open() -> House {
    let auth = Auth::Open { tenant: name("acme"), user: "ann".to_owned(), nonce: [3; 32] };
    House::with(auth, HttpOptions::default(), &[]).await
}

#[tokio::test]
async fn an_open_house_is_for_this_machine_alone() {
    let house = open().await;
    assert_eq!(house.get("/v1/tasks", "").await.status, StatusCode::OK);
    for (header, value, method, expected) in [
        ("host", "evil.example", "GET", StatusCode::FORBIDDEN),
        ("origin", "http://evil.example", "POST", StatusCode::FORBIDDEN),
        ("origin", "null", "POST", StatusCode::FORBIDDEN),
        ("origin", "http://127.0.0.1:7700", "POST", StatusCode::OK),
    ] {
        let mut asked = request(method, "/v1/tasks/actions", "")
            .header("content-type", "application/json")
            .body(Body::from("{\"action\": \"pause\", \"dry_run\": true}"))
            .unwrap();
        asked.headers_mut().insert(header, value.parse().unwrap());
        assert_eq!(house.ask(asked).await.status, expected, "{header}: {value}");
    }
}

#[tokio::test]
async fn a_credential_is_checked_where_none_is_needed() {
    let house = open().await;
    let secret = house.token("rival", Access::Viewer);
    let post = |token: &str| {
        request("POST", "/v1/tasks/actions", token)
            .header("content-type", "application/json")
            .body(Body::from("{\"action\": \"pause\", \"dry_run\": true}"))
            .unwrap()
    };
    assert_eq!(house.get("/v1/tasks", &secret).await.status, StatusCode::OK);
    for (token, expected) in [
        ("", StatusCode::OK),
        (secret.as_str(), StatusCode::FORBIDDEN),
        ("cadre_0000000000000000000000000000000000000000000", StatusCode::UNAUTHORIZED),
        ("nonsense", StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(house.ask(post(token)).await.status, expected, "{token:?}");
    }
}

#[tokio::test]
async fn every_answer_keeps_pages_safe() {
    let house = open().await;
    for path in ["/v1/tasks", "/v1/nowhere", "/healthz"] {
        let answer = house.get(path, "").await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

async fn login(house: &House, form: &str) -> super::kit::Answer {
    let asked = request("POST", "/session", "")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    house.ask(asked).await
}

#[tokio::test]
async fn a_session_is_a_cookie_that_reads_and_never_posts_for_programs() {
    let house = House::closed(&[]).await;
    let secret = house.token("acme", Access::Admin);
    let next = data_encoding::HEXLOWER.encode(b"/tasks?status=running");
    let begun = login(&house, &format!("token={secret}&next={next}")).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER);
    assert_eq!(begun.headers["location"], "/tasks?status=running");
    let cookie = begun.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let ask = |method: &'static str, path: &'static str| {
        let asked = request(method, path, "").header("cookie", pair);
        house.ask(asked.header("content-type", "application/json").body(Body::empty()).unwrap())
    };
    assert_eq!(ask("GET", "/v1/tasks").await.status, StatusCode::OK);
    assert_eq!(ask("POST", "/v1/tasks/actions").await.status, StatusCode::UNAUTHORIZED);
    for (form, to) in [
        ("token=cadre_wrong&next=/", "/login?failed=1".to_owned()),
        (&format!("token={secret}&next=//evil.example") as &str, "/".to_owned()),
        (&format!("token={secret}&next=https://evil.example"), "/".to_owned()),
    ] {
        assert_eq!(login(&house, form).await.headers["location"], to.as_str(), "{form}");
    }
    house.desk.world.lock().unwrap().tokens.clear();
    assert_eq!(ask("GET", "/v1/tasks").await.status, StatusCode::UNAUTHORIZED, "revoked");
}

async fn broken() -> String {
    panic!("as planned")
}

#[tokio::test]
async fn a_request_that_panics_is_answered_and_tells_nothing() {
    let pages: Router<AppState> = Router::new().route("/broken", get(broken));
    let house = open().await.with_pages(pages);
    let answer = house.get("/broken", "").await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (500, "broken"));
    assert!(!answer.text.contains("planned"), "{answer:?}");
}

#[derive(Debug, Deserialize)]
struct Wanted {
    what: String,
}

async fn page(SafeForm(identity, form): SafeForm<Wanted>) -> String {
    format!("{} wants {}", identity.user(), form.what)
}

async fn token_of(identity: Identity) -> String {
    identity.csrf().to_owned()
}

#[tokio::test]
async fn a_form_of_another_page_is_refused() {
    let pages: Router<AppState> = Router::new().route("/form", post(page).get(token_of));
    let house = House::closed(&[]).await.with_pages(pages);
    let (secret, other) = (house.token("acme", Access::Admin), house.token("acme", Access::Admin));
    let csrf = house.get("/form", &secret).await.text;
    let others = house.get("/form", &other).await.text;
    assert!(csrf.len() == 64 && csrf != others);
    for (field, header, expected) in [
        (csrf.as_str(), None, StatusCode::OK),
        ("", Some(csrf.as_str()), StatusCode::OK),
        (others.as_str(), None, StatusCode::FORBIDDEN),
        ("", None, StatusCode::FORBIDDEN),
    ] {
        let asked = request("POST", "/form", &secret)
            .header("content-type", "application/x-www-form-urlencoded");
        let asked = header.iter().fold(asked, |asked, csrf| asked.header("x-csrf-token", *csrf));
        let form = format!("what=a%20%26+b&csrf={field}");
        let answer = house.ask(asked.body(Body::from(form)).unwrap()).await;
        assert_eq!(answer.status, expected, "{answer:?}");
        assert!(expected != StatusCode::OK || answer.text == "acme admin wants a & b");
    }
    let stranger = house.get("/form?x=1", "").await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
    let next = data_encoding::HEXLOWER.encode(b"/form?x=1");
    assert_eq!(stranger.headers["location"], format!("/login?next={next}"));
}
