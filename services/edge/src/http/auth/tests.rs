//! JWTs of an issuer whose keys are served here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, http::StatusCode, routing::get};
use cadre_core::{access::Access, ids::Name};
use data_encoding::BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{Identity, JwtOptions, Jwts};

/// A key for these tests and nothing else.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgU0C9H/GQv5mGqStwzuhhMRSTnruPxMX6ZpijMfgvCTOh\
     RANCAARI1SMM4xT2vKiK+s0Nqva9K/4M/+HLYB/ilz6MA0PFILJX/ELbOBkzooWcFyMx9Wdu32hw2mFcFIu0QmEtf4/C";

fn keys() -> Value {
    json!({"keys": [{
        "kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "use": "sig",
        "x": "SNUjDOMU9ryoivrNDar2vSv-DP_hy2Af4pc-jANDxSA",
        "y": "slf8Qts4GTOihZwXIzH1Z27faHDaYVwUi7RCYS1_j8I",
    }]})
}

/// An issuer on a free port: its address, and how often its keys were asked for.
async fn issuer() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (asked, found) = (Arc::new(AtomicUsize::new(0)), format!("{address}/keys"));
    let counter = Arc::clone(&asked);
    let served = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Json(keys()))
    };
    let discovery = move || std::future::ready(Json(json!({"jwks_uri": found.clone()})));
    let app = Router::new()
        .route("/keys", get(served))
        .route("/.well-known/openid-configuration", get(discovery));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, asked)
}

fn jwts(issuer: &str) -> Jwts {
    Jwts::new(JwtOptions {
        issuer: issuer.to_owned(),
        audience: "cadre".to_owned(),
        jwks_url: None,
        tenant_claim: "tenant".to_owned(),
        role_claim: "cadre_role".to_owned(),
        fleet_claim: Some("cadre_fleet".to_owned()),
    })
    .unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "aud": "cadre", "sub": "ann@example.org", "exp": now() + 600,
        "tenant": "acme", "cadre_role": ["viewer", "approver", "other"],
    })
}

fn signed(claims: &Value, kid: &str) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
    let key = EncodingKey::from_ec_der(&BASE64.decode(KEY.as_bytes()).unwrap());
    encode(&header, claims, &key).unwrap()
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[tokio::test]
async fn a_good_jwt_says_who_and_whose_and_what() {
    let (issuer, asked) = issuer().await;
    let jwts = jwts(&issuer);
    for _ in 0..3 {
        let identity = jwts.identity(&signed(&claims(&issuer), "one")).await.unwrap();
        let Identity { user, tenant, access, is_fleet, .. } = identity;
        assert_eq!((user.as_str(), access, is_fleet), ("ann@example.org", Access::Approver, false));
        assert_eq!(tenant, Name::new("acme").unwrap());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "keys are kept");
}

#[tokio::test]
async fn one_issuer_serves_several_tenants_and_those_who_see_all() {
    let (issuer, _) = issuer().await;
    let jwts = jwts(&issuer);
    for (tenant, fleet, expected) in [
        ("acme", json!(null), false),
        ("globex", json!(false), false),
        ("globex", json!("true"), false),
        ("globex", json!(true), true),
    ] {
        let claims = with(claims(&issuer), "tenant", json!(tenant));
        let jwt = signed(&with(claims, "cadre_fleet", fleet.clone()), "one");
        let identity = jwts.identity(&jwt).await.unwrap();
        assert_eq!(identity.tenant().as_str(), tenant);
        assert_eq!(identity.scope().is_none(), expected, "{fleet}");
    }
}

#[tokio::test]
async fn any_other_jwt_lets_nobody_in() {
    let (issuer, asked) = issuer().await;
    let jwts = jwts(&issuer);
    let good = || claims(&issuer);
    let forged = {
        let jwt = signed(&good(), "one");
        let (head, mark) = jwt.rsplit_once('.').unwrap();
        let (head, _) = head.split_once('.').unwrap();
        let body = with(good(), "tenant", json!("other")).to_string();
        format!("{head}.{}.{mark}", data_encoding::BASE64URL_NOPAD.encode(body.as_bytes()))
    };
    let shared = encode(
        &Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) },
        &good(),
        &EncodingKey::from_secret(b"SNUjDOMU9ryoivrNDar2vSv-DP_hy2Af4pc-jANDxSA"),
    );
    for (what, jwt) in [
        ("another issuer", signed(&with(good(), "iss", json!("https://evil.example")), "one")),
        ("another audience", signed(&with(good(), "aud", json!("other")), "one")),
        ("expired", signed(&with(good(), "exp", json!(now() - 600)), "one")),
        ("not yet", signed(&with(good(), "nbf", json!(now() + 600)), "one")),
        ("no tenant", signed(&with(good(), "tenant", Value::Null), "one")),
        ("no such role", signed(&with(good(), "cadre_role", json!("root")), "one")),
        ("another key", signed(&good(), "two")),
        ("forged", forged),
        ("a shared secret", shared.unwrap()),
        ("nonsense", "a.b.c".to_owned()),
    ] {
        let problem = jwts.identity(&jwt).await.map(|_| what).unwrap_err();
        assert_eq!(problem.status(), StatusCode::UNAUTHORIZED, "{what}");
    }
    assert!(asked.load(Ordering::SeqCst) <= 2, "an unknown key is not looked for each time");
}

#[tokio::test]
async fn without_keys_nobody_is_let_in_and_it_can_be_tried_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let problem = jwts(&issuer).identity(&signed(&claims(&issuer), "one")).await.unwrap_err();
    assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn keys_are_fetched_over_https_only() {
    for (issuer, is_fine) in [
        ("https://id.example.org", true),
        ("http://127.0.0.1:9", true),
        ("http://id.example.org", false),
        ("http://127.0.0.1.evil.example", false),
        ("ftp://id.example.org", false),
    ] {
        let options = JwtOptions {
            issuer: issuer.to_owned(),
            audience: "cadre".to_owned(),
            jwks_url: None,
            tenant_claim: "tenant".to_owned(),
            role_claim: "cadre_role".to_owned(),
            fleet_claim: None,
        };
        assert_eq!(Jwts::new(options).is_ok(), is_fine, "{issuer}");
    }
}
