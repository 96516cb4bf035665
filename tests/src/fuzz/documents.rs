//! JSON and YAML documents that lie in buckets, streams of their own and files.

use cadre_core::{
    access::Token,
    aggregate::Request,
    audit::{Entry, EntryError, Heads, Tip},
    eval::{Case, Suite},
    fleet::{Flag, Member},
    ids::Name,
    model::{Answered, cassette::Cassettes, price::Prices},
    payload::{Hash, Payload},
    time::UnixMillis,
    watch::Alert,
    webhook::{State, Webhook},
};

use super::{same, words};

fn anybody() -> Name {
    Name::new("anybody").expect("a name")
}

/// What was read is read again from what it writes.
fn again<T: PartialEq + std::fmt::Debug, E: std::fmt::Display>(
    what: &str,
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> String,
) -> usize {
    match decode(bytes) {
        Err(error) => words(&error),
        Ok(value) => {
            let read = decode(encode(&value).as_bytes());
            let read = read.unwrap_or_else(|error| panic!("{what}: {value:?}\n{error}"));
            same(what, &value, &read)
        }
    }
}

pub(super) fn alert(bytes: &[u8]) -> usize {
    match Alert::decode(bytes) {
        Err(error) => words(&error),
        Ok(alert) => {
            // Long texts are cut when they are written, so the first turn may change them.
            let cut = Alert::decode(alert.encode().as_bytes()).expect("readable");
            again("alert", cut.encode().as_bytes(), Alert::decode, Alert::encode)
        }
    }
}

/// A line of the audit trail, also one whose hash somebody has made fit.
pub(super) fn audit(bytes: &[u8]) -> usize {
    let heads = Heads::decode(bytes).map_or(0, |heads| {
        assert_eq!(heads.encode().as_bytes(), bytes);
        heads.0.len()
    });
    let tip = Tip::of_page(bytes).map_or_else(|error| words(&error), |_| 0);
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let entry = match Entry::decode(line) {
        Err(EntryError::Hash { stated, actual }) => {
            let text = String::from_utf8_lossy(line);
            let forged = text.replacen(&stated, &actual.to_string(), 1);
            Entry::decode(forged.as_bytes())
        }
        other => other,
    };
    let said = entry.map_or_else(|error| words(&error), |entry| entry.task().map_or(0, str::len));
    heads + tip + said
}

/// A webhook and its state; neither says its secret.
pub(super) fn webhook(bytes: &[u8]) -> usize {
    let webhook = match Webhook::decode(&anybody(), bytes) {
        Err(error) => words(&error),
        Ok(webhook) => {
            let read = Webhook::decode(&anybody(), webhook.encode().as_bytes());
            assert!(read.is_ok_and(|read| read == webhook), "another webhook");
            0
        }
    };
    webhook + again("state", bytes, State::decode, State::encode)
}

pub(super) fn token(bytes: &[u8]) -> usize {
    again("token", bytes, |bytes| Token::decode(Hash::of(b"secret"), bytes), Token::encode)
}

/// What processes say of themselves, and what is switched on.
pub(super) fn fleet(bytes: &[u8]) -> usize {
    let member = Member::decode(anybody(), bytes);
    let read = Member::decode(anybody(), member.encode().as_bytes());
    let flag = Flag::decode(anybody(), bytes, UnixMillis(1));
    let flag_read = Flag::decode(anybody(), Flag::encode(flag.stage, &flag.by).as_bytes(), flag.at);
    same("member", &member, &read) + same("flag", &flag, &flag_read)
}

/// Recorded answers of models.
pub(super) fn cassette(bytes: &[u8]) -> usize {
    let Ok(text) = str::from_utf8(bytes) else { return 0 };
    let mut read = Cassettes::default();
    let said = read.add(text).map_or_else(|error| words(&error), |()| 0);
    let lines: Vec<_> = read.iter().map(|recorded| recorded.to_line() + "\n").collect();
    let mut written = Cassettes::default();
    written.add(&lines.concat()).expect("what was read can be written");
    let (one, other): (Vec<_>, Vec<_>) = (read.iter().collect(), written.iter().collect());
    // A line is short, and says a number of times what it holds when it is shown.
    same("cassette", &one, &other).min(text.len()) + said
}

/// What the aggregator is asked.
pub(super) fn request(bytes: &[u8]) -> usize {
    let decode = |bytes: &[u8]| {
        let document = Payload::parse(bytes).map_err(|error| error.to_string())?;
        Request::from_value(document.value()).map_err(|error| error.to_string())
    };
    again("request", bytes, decode, |request| request.to_value().to_string())
}

/// What a journal has of a model's answer.
pub(super) fn answered(bytes: &[u8]) -> usize {
    match Payload::parse(bytes) {
        Err(error) => words(&error),
        Ok(record) => {
            let shown = |answered: Answered| format!("{answered:?}").len();
            Answered::read(&record).map_or_else(|error| words(&error), shown)
        }
    }
}

/// Suites and cases of an evaluation, and prices.
pub(super) fn files(bytes: &[u8]) -> usize {
    let Ok(text) = str::from_utf8(bytes) else { return 0 };
    let suite = Suite::parse(text).map_or_else(|error| words(&error), |suite| suite.pack.len());
    let case = Case::parse(text).map_or_else(|error| words(&error), |_| 0);
    let prices = Prices::parse(text).map_or_else(|error| words(&error), |it| it.version().len());
    suite + case + prices
}
