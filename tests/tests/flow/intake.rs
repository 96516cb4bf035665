//! A malformed goal is answered and kept, whatever is wrong with it: never silence, never a task.

use std::collections::BTreeMap;

use cadre_core::{
    limits::{MESSAGE_BYTES_MAX, PAYLOAD_BYTES_MAX},
    pack::PackSource,
};
use cadre_tests::{
    bed::Bed,
    packs,
    plain::{self, Rejections},
    verdict,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What the goals of `checked` must be.
const INPUT: &str = r#"{
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "count": {"type": "integer", "maximum": 9},
        "kind": {"enum": ["msa", "nda"]},
        "list": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        "place": {"type": "object", "properties": {"zip": {"type": "string"}}, "required": ["zip"]}
    },
    "required": ["name"],
    "additionalProperties": false
}"#;

const FAR: &str = "4102444800000";

fn checked() -> PackSource {
    let mut pack = packs::pipeline("checked", 1);
    let yaml = String::from_utf8(pack.files["pack.yaml"].clone()).expect("text");
    let yaml = yaml.replace("  input: contracts/any.v1.json", "  input: contracts/input.v1.json");
    pack.files.insert("pack.yaml".to_owned(), yaml.into_bytes());
    pack.files.insert("contracts/input.v1.json".to_owned(), INPUT.as_bytes().to_vec());
    pack
}

/// One malformed goal, and how it must be answered.
struct Bad {
    what: &'static str,
    subject: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    code: &'static str,
    path: Option<&'static str>,
    tenant: &'static str,
}

impl Bad {
    fn body(what: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            what,
            subject: "goals.acme.checked".to_owned(),
            headers: Vec::new(),
            body: body.into(),
            code: "json",
            path: None,
            tenant: "acme",
        }
    }

    fn schema(what: &'static str, body: impl Into<Vec<u8>>, path: &'static str) -> Self {
        Self { code: "schema", path: Some(path), ..Self::body(what, body) }
    }

    fn twice(what: &'static str, body: &str, path: &'static str) -> Self {
        Self { path: Some(path), ..Self::body(what, body) }
    }

    fn headers(what: &'static str, code: &'static str, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { code, headers, ..Self::body(what, r#"{"name":"a"}"#) }
    }

    fn subject(what: &'static str, subject: &str, tenant: &'static str) -> Self {
        let subject = subject.to_owned();
        Self { code: "subject", subject, tenant, ..Self::body(what, r#"{"name":"a"}"#) }
    }
}

fn bad_bodies() -> Vec<Bad> {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    vec![
        Bad::body("empty", ""),
        Bad::body("white space", " \n\t"),
        Bad::body("no JSON", "hello"),
        Bad::body("truncated", r#"{"name":"a""#),
        Bad::body("two documents", r#"{"name":"a"}{"name":"b"}"#),
        Bad::body("something behind it", r#"{"name":"a"} x"#),
        Bad::body("65 levels", format!(r#"{{"name":{}}}"#, deep(64))),
        Bad::body("100,000 levels", deep(100_000)),
        Bad::body("NUL bytes", [0_u8; 16]),
        Bad::body("NUL inside a string", b"{\"name\":\"a\0b\"}".to_vec()),
        Bad::body("invalid UTF-8", b"{\"name\":\"\xff\xfe\"}".to_vec()),
        Bad::body("byte order mark", b"\xef\xbb\xbf{\"name\":\"a\"}".to_vec()),
        Bad::body("UTF-16", b"{\0}\0".to_vec()),
        Bad::body("half a surrogate", r#"{"name":"\ud800"}"#),
        Bad::body("single quotes", "{'name':'a'}"),
        Bad::body("trailing comma", r#"{"name":"a",}"#),
        Bad::twice("key twice", r#"{"name":"a","name":"a"}"#, "/name"),
        Bad::twice(
            "key twice below",
            r#"{"name":"a","place":{"zip":"1","zip":"2"}}"#,
            "/place/zip",
        ),
        Bad::body("NaN", r#"{"name":"a","count":NaN}"#),
        Bad::body("number beyond any range", r#"{"name":"a","count":1e999}"#),
        Bad::body("protobuf", b"\x08\x01\x12\x04acme".to_vec()),
        Bad::body("900 KB of text", vec![b'x'; 900_000]),
        Bad { code: "too_large", ..Bad::body("9 MB", vec![b' '; 9 << 20]) },
    ]
}

fn bad_inputs() -> Vec<Bad> {
    let large = format!(r#"{{"name":"{}"}}"#, "A".repeat(900_000));
    vec![
        Bad::schema("list", r#"[{"name":"a"}]"#, "/"),
        Bad::schema("number", "1", "/"),
        Bad::schema("null", "null", "/"),
        Bad::schema("string", r#""name""#, "/"),
        Bad::schema("missing field", "{}", "/"),
        Bad::schema("wrong type", r#"{"name":7}"#, "/name"),
        Bad::schema("null in a field", r#"{"name":null}"#, "/name"),
        Bad::schema("pattern", r#"{"name":"Ada"}"#, "/name"),
        Bad::schema("extra field", r#"{"name":"a","nmae":"b"}"#, "/"),
        Bad::schema("too high", r#"{"name":"a","count":10}"#, "/count"),
        Bad::schema("no integer", r#"{"name":"a","count":1.5}"#, "/count"),
        Bad::schema("none of the values", r#"{"name":"a","kind":"sow"}"#, "/kind"),
        Bad::schema("item of a list", r#"{"name":"a","list":["a",2]}"#, "/list/1"),
        Bad::schema("too many items", r#"{"name":"a","list":["a","b","c","d"]}"#, "/list"),
        Bad::schema("field of a field", r#"{"name":"a","place":{}}"#, "/place"),
        Bad::schema("900 KB in a field", large, "/name"),
    ]
}

fn bad_headers() -> Vec<Bad> {
    let long = "x".repeat(257);
    let header = |what, headers: &[(&'static str, &str)]| Bad::headers(what, "header", headers);
    let past = |what, until| Bad::headers(what, "deadline", &[("Cadre-Deadline", until)]);
    vec![
        past("deadline in the past", "1700000000000"),
        past("deadline in the past, RFC 3339", "2020-02-29T12:00:00+01:00"),
        past("deadline at the beginning", "0"),
        header("deadline is no time", &[("Cadre-Deadline", "tomorrow")]),
        header("deadline on no day", &[("Cadre-Deadline", "2031-02-29T00:00:00Z")]),
        header("negative timeout", &[("Cadre-Timeout-Ms", "-1")]),
        header("no timeout", &[("Cadre-Timeout-Ms", "0")]),
        header("timeout with a unit", &[("Cadre-Timeout-Ms", "5s")]),
        header("two ends", &[("Cadre-Deadline", FAR), ("Cadre-Timeout-Ms", "5000")]),
        header("negative money", &[("Cadre-Budget-Usd", "-1")]),
        header("too many decimals", &[("Cadre-Budget-Usd", "0.0000001")]),
        header("steps beyond 32 bits", &[("Cadre-Budget-Steps", "4294967296")]),
        header("tokens in words", &[("Cadre-Budget-Tokens", "many")]),
        header("unknown header", &[("Cadre-Budget-Step", "3")]),
        header("misspelt case", &[("cadre-deadline", FAR)]),
        header("header twice", &[("Cadre-User", "ada"), ("Cadre-User", "bob")]),
        header("long value", &[("Cadre-User", &long)]),
        header("empty value", &[("Cadre-User", "")]),
        header("value beyond ASCII", &[("Cadre-User", "zoë")]),
        header("control character", &[("Cadre-User", "a\tb")]),
        header("empty key", &[("Nats-Msg-Id", "")]),
        header("long key", &[("Nats-Msg-Id", &long)]),
        header("key beyond ASCII", &[("Nats-Msg-Id", "schlüssel")]),
        header("two keys", &[("Nats-Msg-Id", "one"), ("Nats-Msg-Id", "two")]),
    ]
}

fn bad_subjects() -> Vec<Bad> {
    let unknown = "goals.acme.nothing".to_owned();
    vec![
        Bad { subject: unknown, code: "unknown_workflow", ..Bad::headers("workflow", "", &[]) },
        Bad::subject("capital tenant", "goals.Acme.checked", "nobody"),
        Bad::subject("tenant beyond ASCII", "goals.zoë.checked", "nobody"),
        Bad::subject("long tenant", &format!("goals.{}.checked", "t".repeat(64)), "nobody"),
        Bad::subject("tenant like a path", "goals.a/b.checked", "nobody"),
        Bad::subject("workflow with a digit first", "goals.acme.1st", "acme"),
        Bad::subject("workflow with a blank's code", "goals.acme.a%20b", "acme"),
        Bad::subject("no workflow", "goals.acme", "acme"),
        Bad::subject("a token too many", "goals.acme.checked.now", "acme"),
        Bad::subject("many tokens", "goals.acme.checked.a.b.c.d", "acme"),
        Bad::subject("many tokens of nobody", "goals.Acme.checked.now", "nobody"),
        Bad::subject("the answers' own branch", "goals.rejected", "rejected"),
        Bad::subject("below the answers", "goals.rejected.acme.now", "rejected"),
        Bad::subject("reserved tenant", "goals.rejected.checked", "rejected"),
    ]
}

/// What is kept of a body: all of it, but the beginning of one that is larger than any document.
fn kept(body: &[u8]) -> &[u8] {
    if body.len() > PAYLOAD_BYTES_MAX { &body[..MESSAGE_BYTES_MAX] } else { body }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_goal_is_answered_once_and_kept() {
    // The largest goals need a broker that lets them through.
    let bed = Bed::with(|options| options.payload_max_bytes = 10 << 20).await;
    bed.apply(&checked()).await;
    let mut rejections = Rejections::listen(&bed).await;
    let stack = bed.stack().await;

    let mut sent = BTreeMap::new();
    for bad in [bad_bodies(), bad_inputs(), bad_headers(), bad_subjects()].into_iter().flatten() {
        let pairs: Vec<_> = bad.headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let ack = plain::publish(&bed, &bad.subject, plain::headers(&pairs), &bad.body).await;
        assert!(!ack.duplicate, "{}", bad.what);
        sent.insert(ack.sequence, bad);
    }
    assert!(sent.len() >= 60, "{} kinds", sent.len());
    let good = bed.publish("checked", "good", &json!({"name": "a"})).await;
    assert_eq!(bed.answer(&good).await["status"], "completed");

    let letters = plain::dead_letters(&bed, sent.len()).await;
    for letter in &letters {
        let bad = &sent[&letter.sequence];
        assert!(letter.reason.starts_with(&format!("{}: ", bad.code)), "{}: {letter:?}", bad.what);
        assert!(!letter.reason.starts_with(&format!("{0}: {0} ", bad.code)), "{letter:?}");
        assert_eq!(letter.body, kept(&bad.body), "{}", bad.what);
        assert!(bad.subject.starts_with("goals.zo") || letter.came_on == bad.subject, "{letter:?}");
    }
    let answers = rejections.so_far().await;
    for answer in &answers {
        let document = &answer.document;
        let bad = &sent[&document["sequence"].as_u64().expect("a sequence")];
        assert_eq!(document["code"], bad.code, "{}: {document}", bad.what);
        assert_eq!(answer.tenant, bad.tenant, "{}: {document}", bad.what);
        let path = document.pointer("/violations/0/path").and_then(|path| path.as_str());
        assert_eq!(path, bad.path, "{}: {document}", bad.what);
    }
    let sequences = |of: Vec<u64>| {
        let mut of = of;
        of.sort_unstable();
        of
    };
    let wanted: Vec<u64> = sent.keys().copied().collect();
    assert_eq!(sequences(letters.iter().map(|letter| letter.sequence).collect()), wanted);
    let of = |answer: &plain::Rejection| answer.document["sequence"].as_u64().unwrap_or_default();
    assert_eq!(sequences(answers.iter().map(of).collect()), wanted);

    plain::emptied(&bed, "CADRE_GOALS").await;
    assert_eq!(plain::count(&bed, "CADRE_LOG_0", "cadre.*.log.*").await, 3, "one task's records");
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_no_text_break_nothing() {
    let bed = Bed::new().await;
    bed.apply(&checked()).await;
    let mut rejections = Rejections::listen(&bed).await;
    let stack = bed.stack().await;

    // No client library sends this.
    let head = b"NATS/1.0\r\nCadre-User: \xff\xfe\r\n\r\n";
    let body = br#"{"name":"a"}"#;
    let line = format!("HPUB goals.acme.checked {} {}\r\n", head.len(), head.len() + body.len());
    let url = bed.server.urls()[0].clone();
    let mut socket =
        tokio::net::TcpStream::connect(url.trim_start_matches("nats://")).await.expect("a socket");
    socket.write_all(b"CONNECT {\"headers\":true,\"verbose\":false}\r\n").await.expect("sent");
    socket.write_all(line.as_bytes()).await.expect("sent");
    socket.write_all(&[&head[..], body, b"\r\nPING\r\n"].concat()).await.expect("sent");
    let mut heard = String::new();
    while !heard.contains("PONG") {
        let mut buffer = [0; 4096];
        let read = socket.read(&mut buffer).await.expect("read");
        heard += &String::from_utf8_lossy(&buffer[..read]);
        assert!(read > 0, "{heard}");
    }

    let good = bed.publish("checked", "good", &json!({"name": "a"})).await;
    assert_eq!(bed.answer(&good).await["status"], "completed");
    let rejection = rejections.next().await;
    assert_eq!(rejection.document["code"], "header", "{rejection:?}");
    assert_eq!(plain::dead_letters(&bed, 1).await[0].body, body.as_slice());
    verdict::is_clean(&bed).await;
    stack.stop().await;
}
