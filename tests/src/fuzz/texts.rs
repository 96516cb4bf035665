//! Everything that is text: subjects, headers, documents, packs, expressions, settings.

use std::{borrow::Cow, sync::LazyLock};

use cadre::settings::SettingsFile;
use cadre_agent::rules::Rules;
use cadre_core::{
    breaker::{Hint, Target},
    contract::Contract,
    expr::{Env, Expr, Scope, Shape, Template},
    ids::Name,
    pack::{self, PackSource},
    payload::Payload,
    time::UnixMillis,
};
use cadre_nats::{
    letters::{Head, LetterId},
    tail::{TailItem, TailKind},
};
use cadre_proto::{
    ContentType,
    header::{GoalHeaders, WorkHeaders},
    subject::Subject,
};
use serde_json::{Value, json};

use super::{same, words};

/// Text of any bytes, as a header or a subject reaches us.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Lines `name: value` as pairs; what is no such line is a name without a value.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    text.lines().map(|line| line.split_once(": ").unwrap_or((line, ""))).collect()
}

pub(super) fn subject(bytes: &[u8]) -> usize {
    let text = lossy(bytes);
    match Subject::parse(&text) {
        Ok(subject) => same("subject", &subject.to_string(), &text.into_owned()),
        Err(error) => words(&error),
    }
}

pub(super) fn headers_goal(bytes: &[u8]) -> usize {
    let text = lossy(bytes);
    match GoalHeaders::decode(pairs(&text)) {
        Err(error) => words(&error),
        Ok(headers) => {
            let written = headers.encode().expect("what was read can be written");
            let again = written.iter().map(|(name, value)| (*name, value.as_ref()));
            same("headers", &headers, &GoalHeaders::decode(again).expect("readable"))
        }
    }
}

pub(super) fn headers_work(bytes: &[u8]) -> usize {
    let text = lossy(bytes);
    match WorkHeaders::decode(pairs(&text)) {
        Err(error) => words(&error),
        Ok(headers) => {
            let written = headers.encode().expect("what was read can be written");
            let again = written.iter().map(|(name, value)| (*name, value.as_ref()));
            same("headers", &headers, &WorkHeaders::decode(again).expect("readable"))
        }
    }
}

/// A goal as a stranger publishes it: a line with the subject, headers, an empty line, a document.
pub(super) fn publication(bytes: &[u8]) -> usize {
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(end);
    let head = lossy(head);
    let (subject, headers) = head.split_once('\n').unwrap_or((&head, ""));
    let body = body.get(2..).unwrap_or_default();
    let content = pairs(headers).into_iter().find(|(name, _)| *name == "Content-Type");
    let content = ContentType::of(content.map(|(_, value)| value), body);
    let mut said = content.map_or_else(|error| words(&error), |_| 0);
    said += Subject::parse(subject).map_or_else(|error| words(&error), |it| it.to_string().len());
    said += GoalHeaders::decode(pairs(headers)).map_or_else(|error| words(&error), |_| 0);
    said + match Payload::parse_unique(body) {
        Err(error) => words(&error),
        Ok(payload) => {
            let again = Payload::parse_unique(payload.text().as_bytes()).expect("readable");
            assert_eq!(payload.text().as_bytes(), body, "a document is kept as it came");
            same("document", payload.value(), again.value())
        }
    }
}

/// A dead letter in the log: a line with its subject, headers, an empty line, the body.
pub(super) fn dead_letter(bytes: &[u8]) -> usize {
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(end);
    let head = lossy(head);
    let (subject, headers) = head.split_once('\n').unwrap_or((&head, ""));
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let item = TailItem {
        stream: "CADRE_LOG_0".to_owned(),
        subject: subject.to_owned(),
        sequence: 7,
        at: UnixMillis(1),
        kind: TailKind::Record,
        headers: pairs(headers).into_iter().map(owned).collect(),
        body: body.to_vec().into(),
    };
    let Some(read) = Head::read(&item) else { return 0 };
    let id: LetterId = read.id.to_string().parse().expect("an id reads back");
    same("id", &read.id, &id) + format!("{read:?}").len()
}

pub(super) fn hint(bytes: &[u8]) -> usize {
    let target = Target::Role(Name::new("extractor").expect("a name"));
    match Hint::decode(&target, bytes) {
        Err(error) => words(&error),
        Ok(hint) => {
            let again = Hint::decode(&target, hint.encode().as_bytes()).expect("readable");
            same("hint", &hint, &again)
        }
    }
}

pub(super) fn settings(bytes: &[u8]) -> usize {
    let Ok(text) = str::from_utf8(bytes) else { return 0 };
    match SettingsFile::parse("cadre.yaml", text) {
        Err(error) => words(&error),
        Ok(file) => format!("{file:?}").len(),
    }
}

/// What an expression is about.
struct Data;

static GOAL: LazyLock<Value> = LazyLock::new(|| {
    json!({"text": "one two, three. four", "n": 7, "big": 9_007_199_254_740_993_u64, "f": -0.5,
           "tags": ["a", "b", "ä"], "deep": {"a": {"b": [1, {"c": null}]}}})
});

impl Env for Data {
    fn lookup(&self, name: &str) -> Option<Cow<'_, Value>> {
        (name == "goal").then(|| Cow::Borrowed(&*GOAL))
    }
}

pub(super) fn expression(bytes: &[u8]) -> usize {
    let Ok(text) = str::from_utf8(bytes) else { return 0 };
    let scope = Scope::new().with("goal", Shape::Any);
    let value = |result: Result<Value, cadre_core::expr::EvalError>| match result {
        Err(error) => words(&error),
        Ok(value) => {
            let size = value.to_string().len();
            assert!(size <= 64 << 20, "{size} bytes of {text}");
            // A small text can ask for much, as long as that is bounded.
            size.min(1024)
        }
    };
    let direct = match Expr::compile(text, &scope) {
        Err(error) => words(&error),
        Ok(expr) => {
            let (one, two) = (expr.eval(&Data), expr.eval(&Data));
            same("evaluation", &one, &two).min(1024) + value(one)
        }
    };
    let template = Value::String(text.to_owned());
    direct
        + match Template::compile(&template, &scope) {
            Err(error) => words(&error),
            Ok(template) => value(template.render(&Data)),
        }
}

/// Documents that a contract judges.
static DOCUMENTS: LazyLock<[Value; 4]> = LazyLock::new(|| {
    [json!(null), json!({"text": "a", "terms": [{"value": 1}]}), json!([[[1.5]]]), GOAL.clone()]
});

pub(super) fn contract(bytes: &[u8]) -> usize {
    let schema = match Payload::parse(bytes) {
        Ok(schema) => schema,
        Err(error) => return words(&error),
    };
    match Contract::compile("any", 1, schema.value()) {
        Err(error) => words(&error),
        Ok(contract) => {
            let said =
                |document| contract.check(document).map_or_else(|errors| words(&errors), |()| 0);
            assert_eq!(contract.schema(), schema.value());
            DOCUMENTS.iter().map(said).sum()
        }
    }
}

/// A text with something for most hints to find.
const TEXT: &str = "AGREEMENT\n1. Fees. The Client shall pay USD 1,500 within thirty (30) days.\n2. Law. \
    This Agreement is governed by the laws of England and Wales, from 1 March 2026.\n";

pub(super) fn rules(bytes: &[u8]) -> usize {
    let schema = match Payload::parse(bytes) {
        Ok(schema) => schema,
        Err(error) => return words(&error),
    };
    let rules = match Rules::compile(schema.value()) {
        Ok(rules) => rules,
        Err(error) => return words(&error),
    };
    let input = json!({"text": TEXT, "offset": 5, "goal": {"text": TEXT}});
    match rules.run(&input) {
        Err(error) => words(&error),
        Ok(outcome) => {
            assert!((0.0..=1.0).contains(&outcome.confidence), "{}", outcome.confidence);
            let kept = Contract::compile("any", 1, schema.value());
            if let (Ok(contract), None) = (kept, &outcome.unsure) {
                let checked = contract.check(&outcome.output);
                assert!(checked.is_ok(), "{checked:?}: {}", outcome.output);
            }
            outcome.output.to_string().len().min(64 * 1024)
        }
    }
}

/// The contracts of the packs that are the corpus.
static CONTRACTS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent");
    let folders =
        ["services/cadre/packs/contract", "services/cadre/packs/refund", "tests/packs/order"];
    let files = folders.iter().flat_map(|folder| {
        let folder = root.join(folder).join("contracts");
        std::fs::read_dir(folder).expect("a folder").map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (format!("contracts/{name}"), std::fs::read(path).expect("a contract"))
        })
    });
    files.collect()
});

pub(super) fn pack(bytes: &[u8]) -> usize {
    let stored = match PackSource::decode(bytes) {
        Err(error) => words(&error),
        Ok(source) => {
            let again = PackSource::decode(source.encode().expect("writable").as_bytes());
            same("pack", &Some(&source), &again.as_ref().ok())
        }
    };
    let text = String::from_utf8_lossy(bytes);
    let used = |(path, _): &&(String, Vec<u8>)| text.contains(path.as_str());
    let mut files: std::collections::BTreeMap<_, _> =
        CONTRACTS.iter().filter(used).cloned().collect();
    files.insert("pack.yaml".to_owned(), bytes.to_vec());
    let source = PackSource { files };
    stored
        + match pack::compile(&source) {
            Err(errors) => words(&errors),
            Ok(workflow) => {
                assert_eq!(workflow.revision, source.revision());
                0
            }
        }
}
