use std::time::Duration;

use super::*;
use crate::limits::{WEBHOOK_PAUSE_MAX, WEBHOOK_PAUSE_MIN, WEBHOOK_TRIES_MAX};

fn task() -> TaskId {
    TaskId::derive(&Name::new("acme").unwrap(), "k")
}

fn webhook() -> Webhook {
    Webhook {
        id: Webhook::id_of(7),
        tenant: Name::new("acme").unwrap(),
        workflow: Some(Name::new("order").unwrap()),
        url: "https://example.com/hook?key=hidden".to_owned(),
        secret: Secret::new([7; 32]),
        former: None,
        by: "ann".to_owned(),
        created_at: UnixMillis(5),
    }
}

fn failed(again: Option<Duration>) -> Outcome {
    Outcome::Failed { error: "answered 503".to_owned(), again, is_gone: false }
}

/// The example of the reference libraries (standard-webhooks/libraries, test of `sign`).
#[test]
fn a_signature_is_that_of_the_reference_libraries() {
    let key = data_encoding::BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
    let found = sign::sign(&key, id, 1_614_265_330, body);
    assert_eq!(found, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn a_secret_is_shown_by_its_name_only() {
    let webhook = webhook();
    let text = webhook.secret.reveal();
    assert!(text.starts_with("whsec_"));
    assert_eq!(Secret::parse(&text), Ok(webhook.secret.clone()));
    for wrong in ["", "whsec_", "whsec_AAAA", &text[6..], &format!("{text}AA")] {
        assert_eq!(Secret::parse(wrong), Err(SecretError), "{wrong:?}");
    }
    let shown = format!("{webhook:?} {:?}", webhook.secret);
    assert!(!shown.contains(&text[6..12]) && !shown.contains("hidden"), "{shown}");
}

#[test]
fn a_new_secret_counts_at_once_and_the_one_before_for_a_day() {
    let (now, before) = (UnixMillis(1_700_000_000_000), webhook());
    let message = Message { id: "end_x".to_owned(), body: "{}".to_owned() };
    let one = |secret: &Secret, at: UnixMillis| secret.sign("end_x", seconds(at), "{}");
    assert_eq!(before.sign(&message, now), one(&before.secret, now));
    let after = before.clone().rotated(Secret::new([8; 32]), now);
    let (new, old) = (after.secret.clone(), before.secret.clone());
    assert_ne!(new, old);
    assert_eq!(after.sign(&message, now), format!("{} {}", one(&new, now), one(&old, now)));
    let late = now.after(crate::limits::WEBHOOK_SECRET_OVERLAP);
    assert_eq!(after.sign(&message, late), one(&new, late));
    assert_eq!(Webhook::decode(&after.id, after.encode().as_bytes()), Ok(after.clone()));
    // Twice in a day: the first one is over.
    let again = after.rotated(Secret::new([9; 32]), now);
    assert_eq!(again.former.map(|former| former.secret), Some(new));
}

#[test]
fn documents_read_back_and_newer_ones_are_refused() {
    let webhook = webhook();
    let document = webhook.encode();
    assert_eq!(Webhook::decode(&webhook.id, document.as_bytes()), Ok(webhook.clone()));
    let state = State {
        delivered_at: Some(UnixMillis(3)),
        failing_since: Some(UnixMillis(4)),
        error: Some("away".to_owned()),
        given_up: 2,
        lost: Some(task()),
        is_gone: true,
    };
    assert_eq!(State::decode(state.encode().as_bytes()), Ok(state.clone()));
    assert_eq!(State::decode(State::default().encode().as_bytes()), Ok(State::default()));
    let newer = |text: &str| text.replace("\"v\":1", "\"v\":2");
    let found = Webhook::decode(&webhook.id, newer(&document).as_bytes());
    assert_eq!(found, Err(WireError::TooNew(2)));
    assert_eq!(State::decode(newer(&state.encode()).as_bytes()), Err(WireError::TooNew(2)));
    assert_eq!(Webhook::decode(&webhook.id, b"{}"), Err(WireError::Malformed));
}

#[test]
fn a_message_has_the_answer_to_the_letter() {
    let (tenant, workflow) = (Name::new("acme").unwrap(), Name::new("order").unwrap());
    let end = |answer: &[u8]| Message::end((&tenant, &workflow), &task(), UnixMillis(0), answer);
    let message = end(br#"{"n": 9007199254740993.10}"#);
    assert_eq!(message.id, format!("end_{}", task()));
    assert_eq!(
        message.body,
        r#"{"type":"task.ended","timestamp":"1970-01-01T00:00:00.000Z","data":{"n": 9007199254740993.10}}"#
    );
    for left_out in [&b"{\"$blob\": 1}"[..], b"no json", b"{\"a\": 1} {}"] {
        let body: serde_json::Value = serde_json::from_str(&end(left_out).body).unwrap();
        let data = &body["data"];
        assert_eq!(data["task"], task().as_str(), "{body}");
        assert!(data["left_out"].is_string(), "{body}");
    }
}

#[test]
fn pauses_grow_to_an_hour_and_the_last_try_is_a_day_later() {
    let (mut all, mut low) = (Duration::ZERO, Duration::MAX);
    for tries in 1..=WEBHOOK_TRIES_MAX {
        let settled =
            |jitter| News::default().take((&task(), tries), &failed(None), (UnixMillis(0), jitter));
        let (Settled::Later(least), Settled::Later(most)) = (settled(0.0), settled(1.0)) else {
            assert_eq!((settled(0.0), tries), (Settled::Done, WEBHOOK_TRIES_MAX));
            break;
        };
        assert!(
            least >= WEBHOOK_PAUSE_MIN.mul_f64(0.75) && most <= WEBHOOK_PAUSE_MAX.mul_f64(1.25)
        );
        (all, low) = (all + most.mul_f64(0.8), low.min(least));
    }
    let hours = all.as_secs() / 3_600;
    assert!((20..=30).contains(&hours), "{hours} h");
    assert!(low < Duration::from_secs(5));
}

#[test]
fn a_receiver_may_ask_for_more_time_but_not_for_ever() {
    let later =
        |again| News::default().take((&task(), 1), &failed(Some(again)), (UnixMillis(0), 0.5));
    assert_eq!(later(Duration::from_secs(90)), Settled::Later(Duration::from_secs(90)));
    assert_eq!(later(Duration::MAX), Settled::Later(WEBHOOK_PAUSE_MAX));
    assert_eq!(later(Duration::ZERO), Settled::Later(WEBHOOK_PAUSE_MIN));
}

#[test]
fn the_state_says_what_fails_and_what_was_lost() {
    let (mut state, now) = (State::default(), UnixMillis(100_000));
    let take = |tries: u32, outcome: &Outcome, at: UnixMillis| {
        let mut news = News::default();
        let settled = news.take((&task(), tries), outcome, (at, 0.5));
        (news, settled)
    };
    let (news, settled) = take(1, &Outcome::Delivered, now);
    assert!(news.matter_to(&state) && settled == Settled::Done);
    state = state.with(&news);
    let (news, _) = take(1, &Outcome::Delivered, now.after(Duration::from_secs(59)));
    assert!(!news.matter_to(&state), "once a minute");
    let (news, _) = take(1, &failed(None), now);
    assert!(news.matter_to(&state));
    state = state.with(&news);
    assert_eq!((state.failing_since, state.error.as_deref()), (Some(now), Some("answered 503")));
    assert!(!take(2, &failed(None), now).0.matter_to(&state), "known");
    let (news, settled) = take(WEBHOOK_TRIES_MAX, &failed(None), now);
    assert!(news.matter_to(&state) && settled == Settled::Done, "given up");
    state = state.with(&news);
    assert_eq!((state.given_up, &state.lost), (1, &Some(task())));
    let (news, _) = take(1, &Outcome::Delivered, now.after(Duration::from_secs(1)));
    assert!(news.matter_to(&state), "it goes well again");
    state = state.with(&news);
    assert_eq!((state.failing_since, &state.error, state.given_up), (None, &None, 1));
    let gone = Outcome::Failed { error: "answered 410".to_owned(), again: None, is_gone: true };
    let (news, settled) = take(1, &gone, now);
    assert!(state.with(&news).is_gone && settled == Settled::Done);
}
