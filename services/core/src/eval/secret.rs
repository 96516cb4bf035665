//! Secrets in what is to be kept as a case. Finds what has the form of one; nobody can find all.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";

/// Words in the name of a field that holds one.
const KEYS: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "api_key",
    "apikey",
    "api-key",
    "authorization",
    "credential",
    "private_key",
];

/// Forms of keys and tokens: of models' providers, AWS, GitHub, Slack, Google, JWT, PEM, bearer, and a
/// password in an address.
const FORMS: &str = concat!(
    r"\bsk-[A-Za-z0-9_-]{16,}",
    r"|\bAKIA[0-9A-Z]{16}\b",
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}",
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}",
    r"|\bAIza[0-9A-Za-z_-]{30,}",
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"|(?i:bearer) [A-Za-z0-9._~+/-]{16,}",
    r"|\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@",
);

/// `None` never: a test compiles it.
static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(FORMS).ok());

/// JSON pointers of what looks like a secret.
#[must_use]
pub fn suspects(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut copy = value.clone();
    walk(&mut copy, "", false, &mut |at, _| found.push(at.to_owned()));
    found
}

/// The same document with `[redacted]` in place of what looks like a secret.
#[must_use]
pub fn redacted(value: &Value) -> Value {
    let mut value = value.clone();
    walk(&mut value, "", false, &mut |_, text| *text = hidden(text));
    value
}

fn hidden(text: &str) -> String {
    let form = FORM.as_ref().filter(|form| form.is_match(text));
    form.map_or_else(|| REDACTED.to_owned(), |form| form.replace_all(text, REDACTED).into_owned())
}

/// Shows every suspicious text with its place.
fn walk(value: &mut Value, at: &str, is_named: bool, found: &mut dyn FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => {
            let is_formed = FORM.as_ref().is_some_and(|form| form.is_match(text));
            if (is_named && !text.is_empty() && text != REDACTED) || is_formed {
                found(at, text);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(item, &format!("{at}/{index}"), is_named, found);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                let name = key.to_lowercase();
                let is_named = is_named
                    || name == "token"
                    || name.ends_with("_token")
                    || KEYS.iter().any(|word| name.contains(word));
                let key = key.replace('~', "~0").replace('/', "~1");
                walk(field, &format!("{at}/{key}"), is_named, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
