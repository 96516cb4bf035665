use cadre_core::{
    ids::{Name, StepId, TaskId},
    task::Resource,
};

use super::*;
use crate::{ContentType, subject::Attempt};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn work() -> WorkHeaders<'static> {
    let attempt = Attempt {
        role: Name::new("extractor").unwrap(),
        task: TaskId::parse("vs3tl6e2t2bmylf5r7pg2ndlxn").unwrap(),
        step: StepId::parse("extract-3").unwrap(),
        number: 2,
    };
    WorkHeaders {
        attempt,
        user: Some("ada"),
        deadline: UnixMillis(1_709_210_096_789),
        timeout: Duration::from_secs(20),
        contract_in: "chunk@1",
        contract_out: "terms@2",
        hop: 1,
        grant: Grant { tokens: 1000, usd_micros: 10_000, steps: 3 },
        near: vec![Resource::Usd, Resource::Steps],
        idempotency_key: "vs3tl6e2t2bmylf5r7pg2ndlxn.extract-3",
        traceparent: Some(TRACE),
        tracestate: Some("vendor=1"),
        schema: 1,
        content: ContentType::Protobuf,
    }
}

fn decode_work(pairs: &[(&str, &str)]) -> Result<(), HeaderError> {
    WorkHeaders::decode(pairs.iter().copied()).map(|_| ())
}

#[test]
fn headers_of_work_read_back() {
    let bare = WorkHeaders {
        user: None,
        hop: 0,
        grant: Grant::default(),
        near: Vec::new(),
        traceparent: None,
        tracestate: None,
        ..work()
    };
    for headers in [work(), bare] {
        let pairs = headers.encode().unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, &**value)).collect();
        assert_eq!(WorkHeaders::decode(pairs), Ok(headers));
    }
}

#[test]
fn each_wrong_header_of_work_is_named() {
    let pairs = work().encode().unwrap();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, &**value)).collect();
    let optional = [
        USER,
        HOP,
        GRANT_TOKENS,
        GRANT_USD_MICROS,
        GRANT_STEPS,
        BUDGET_NEAR,
        TRACEPARENT,
        TRACESTATE,
    ];
    for (index, (name, _)) in pairs.iter().enumerate() {
        let mut without = pairs.clone();
        without.remove(index);
        let missing = Err(HeaderError::Missing(name));
        let expected = if optional.contains(name) { Ok(()) } else { missing };
        assert_eq!(decode_work(&without), expected);

        let twice: Vec<_> = pairs.iter().chain([&(*name, "1")]).copied().collect();
        assert_eq!(decode_work(&twice), Err(HeaderError::Duplicate(name)));

        for value in ["", "a\r\nCadre-Task: x", "ä", "a\0", &"x".repeat(257)] {
            let mut bad = pairs.clone();
            bad[index].1 = value;
            assert_eq!(decode_work(&bad), Err(HeaderError::Unprintable(name)), "{value:?}");
        }
        let is_free = [
            USER,
            CONTRACT_IN,
            CONTRACT_OUT,
            IDEMPOTENCY_KEY,
            BUDGET_NEAR,
            TRACEPARENT,
            TRACESTATE,
        ];
        if !is_free.contains(name) {
            let mut bad = pairs.clone();
            bad[index].1 = "-1";
            let error = decode_work(&bad).unwrap_err();
            assert!(matches!(&error, HeaderError::Invalid { name: n, .. } if n == name), "{error}");
        }
    }
}

#[test]
fn unknown_headers_of_ours_are_refused_unless_a_newer_build_wrote_them() {
    let pairs = work().encode().unwrap();
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, &**value)).collect();
    pairs.push(("X-Other", "\u{e4}\n"));
    assert_eq!(decode_work(&pairs), Ok(()));
    pairs.push(("cadre-task", "x"));
    assert_eq!(decode_work(&pairs), Err(HeaderError::Unknown("cadre-task".to_owned())));
    for pair in pairs.iter_mut().filter(|(name, _)| *name == SCHEMA) {
        pair.1 = "3";
    }
    assert_eq!(decode_work(&pairs), Ok(()));
}

#[test]
fn nothing_unprintable_is_written() {
    let headers = WorkHeaders { user: Some("a\r\nb"), ..work() };
    assert_eq!(headers.encode(), Err(HeaderError::Unprintable(USER)));
    let headers = GoalHeaders { msg_id: Some(""), ..GoalHeaders::default() };
    assert_eq!(headers.encode(), Err(HeaderError::Unprintable(MSG_ID)));
}

#[test]
fn headers_of_goals_read_back() {
    let all = GoalHeaders {
        msg_id: Some("order-7"),
        until: Some(Until::At(UnixMillis(5))),
        usd_micros: Some(50_000),
        tokens: Some(7),
        steps: Some(8),
        user: Some("Ada L."),
        traceparent: Some(TRACE),
    };
    let within = Some(Until::Within(Duration::from_millis(250)));
    for headers in [all, GoalHeaders { until: within, ..all }, GoalHeaders::default()] {
        let pairs = headers.encode().unwrap();
        let pairs = pairs.iter().map(|(name, value)| (*name, &**value));
        assert_eq!(GoalHeaders::decode(pairs), Ok(headers));
    }
}

#[test]
fn publishers_write_what_people_write() {
    let pairs = [
        ("Cadre-Deadline", "2024-02-29T12:34:56.789Z"),
        ("Cadre-Budget-Usd", "0.05"),
        ("traceparent", "broken"),
        ("X-Request", "1"),
    ];
    let headers = GoalHeaders::decode(pairs).unwrap();
    assert_eq!(headers.until, Some(Until::At(UnixMillis(1_709_210_096_789))));
    assert_eq!((headers.usd_micros, headers.traceparent), (Some(50_000), None));
    let error = |pairs: &[(&str, &str)]| {
        GoalHeaders::decode(pairs.iter().copied()).unwrap_err().to_string()
    };
    assert_eq!(
        error(&[("Cadre-Budget-Usd", "5 cents")]),
        "header Cadre-Budget-Usd: \"5 cents\" is not US dollars with up to six decimals, such as 0.05"
    );
    assert!(error(&[("Cadre-Timeout-Ms", "0")]).contains("from 1"));
    assert!(error(&[("Cadre-Budget-Steps", "4294967296")]).contains("below 2^32"));
    assert!(error(&[("Cadre-Deadlin", "1")]).contains("\"Cadre-Deadlin\" is unknown"));
    assert!(error(&[("Cadre-Deadline", "1"), ("Cadre-Timeout-Ms", "1")]).contains("exclude"));
}

#[test]
fn trace_contexts_are_recognised() {
    assert!(is_traceparent(TRACE));
    assert!(is_traceparent(&format!("cc{}-more", &TRACE[2..])));
    let zero = "0".repeat(32);
    for bad in [
        "",
        "00",
        &TRACE[1..],
        &format!("{TRACE}-x"),
        &format!("ff{}", &TRACE[2..]),
        &TRACE.to_uppercase(),
        &TRACE.replace("0af7651916cd43dd8448eb211c80319c", &zero),
    ] {
        assert!(!is_traceparent(bad), "{bad}");
    }
}
