//! One entry: a line of JSON that can be written in one way only, bound to the line before it.
//!
//! Version 1. The hash is that of the line without its own `hash`, so any JSON tool can check it: sort the keys,
//! leave `hash` out, no spaces, SHA-256. Fields that a newer build adds are covered as they stand.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Chain, Deed, Seen, deed::Source};
use crate::{
    limits::{AUDIT_PAGE_BYTES, AUDIT_TEXT_BYTES_MAX},
    payload::{Hash, canonical},
    task::clip_to,
    time::UnixMillis,
};

/// The version that this build writes.
const VERSION: u64 = 1;

/// An entry as it is read: what it says, and where it stands in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The chain that it says to be of.
    pub chain: String,
    /// Its place: 1, 2, 3…
    pub number: u64,
    /// Hash of the entry before it; `None` for the first one.
    pub prev: Option<Hash>,
    /// Its own hash, as computed from its bytes.
    pub hash: Hash,
    /// When it was done, on the broker's clock.
    pub at: UnixMillis,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// Why.
    pub reason: String,
    /// The message that it is known from: stream and sequence; `None` for what a command noted itself.
    pub source: Option<(String, u64)>,
    /// How far the chain has come in each stream, with this entry.
    pub seen: Seen,
}

/// A line that is no entry, or not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// It is not JSON, or has other parts than it must have.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// It means an entry, but in other bytes.
    #[error("it is not in the one form that an entry has")]
    Form,
    /// Its hash is of other bytes.
    #[error("its content has hash {actual}, it says {stated}")]
    Hash {
        /// What it says.
        stated: String,
        /// What it has.
        actual: Hash,
    },
}

impl Entry {
    /// The task that it is about; `None` for anything else.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        self.object.strip_prefix("task/")?.split('/').next()
    }

    /// Reads one line, without its line break.
    ///
    /// # Errors
    /// [`EntryError`] when any byte of it is not as it was written.
    pub fn decode(line: &[u8]) -> Result<Self, EntryError> {
        let malformed = |what: &str| EntryError::Malformed(what.to_owned());
        let value: Value =
            serde_json::from_slice(line).map_err(|error| malformed(&error.to_string()))?;
        if canonical(&value).as_bytes() != line {
            return Err(EntryError::Form);
        }
        let Value::Object(mut fields) = value else { return Err(malformed("it is no object")) };
        let stated = match fields.remove("hash") {
            Some(Value::String(hash)) => hash,
            Some(_) | None => return Err(malformed("it has no hash")),
        };
        let fields = Value::Object(fields);
        let actual = Hash::of(canonical(&fields).as_bytes());
        if actual.to_string() != stated {
            return Err(EntryError::Hash { stated: stated.chars().take(64).collect(), actual });
        }
        read(&fields, actual)
    }
}

fn read(fields: &Value, hash: Hash) -> Result<Entry, EntryError> {
    let lacks = |name: &str| EntryError::Malformed(format!("it has no good {name}"));
    let text = |name: &str| {
        let text = fields.get(name).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| lacks(name))
    };
    let number = |name: &str| fields.get(name).and_then(Value::as_u64).ok_or_else(|| lacks(name));
    let prev = match fields.get("prev") {
        Some(Value::Null) => None,
        Some(Value::String(hash)) => Some(Hash::parse(hash).ok_or_else(|| lacks("prev"))?),
        Some(_) | None => return Err(lacks("prev")),
    };
    let source = match fields.get("source") {
        None => None,
        Some(source) => {
            let stream = source.get("stream").and_then(Value::as_str);
            let sequence = source.get("sequence").and_then(Value::as_u64);
            let both = stream.map(str::to_owned).zip(sequence);
            Some(both.ok_or_else(|| lacks("source"))?)
        }
    };
    let seen = fields.get("seen").and_then(Value::as_object).ok_or_else(|| lacks("seen"))?;
    let seen = seen.iter().map(|(stream, sequence)| Some((stream.clone(), sequence.as_u64()?)));
    Ok(Entry {
        chain: text("chain")?,
        number: number("n")?,
        prev,
        hash,
        at: UnixMillis(number("at_unix_ms")?),
        actor: text("actor")?,
        action: text("action")?,
        object: text("object")?,
        reason: text("reason")?,
        source,
        seen: seen.collect::<Option<_>>().ok_or_else(|| lacks("seen"))?,
    })
}

/// Where a chain ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tip {
    /// Entries so far.
    pub number: u64,
    /// Hash of the last one; `None` for an empty chain.
    pub hash: Option<Hash>,
    /// How far the chain has come in each stream.
    pub seen: Seen,
}

/// Entries that go into one message, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The lines.
    pub text: String,
    /// Where the chain ends with them.
    pub tip: Tip,
}

impl Tip {
    /// The end of a chain whose last message holds this page.
    ///
    /// # Errors
    /// [`EntryError`] when its last line is not as it was written.
    pub fn of_page(page: &[u8]) -> Result<Self, EntryError> {
        let page = page.strip_suffix(b"\n").unwrap_or(page);
        let last = page.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let Entry { number, hash, seen, .. } = Entry::decode(last)?;
        Ok(Self { number, hash: Some(hash), seen })
    }

    /// Whether what `source` says is in the chain, or was when it came this far.
    #[must_use]
    pub fn has(&self, source: &Source) -> bool {
        self.seen.get(&*source.stream).is_some_and(|seen| source.sequence <= *seen)
    }

    /// The pages that bring what these sources say behind this end; what the chain has is left out.
    ///
    /// All deeds of one source are in one page, so a page that is stored has all of each.
    #[must_use]
    pub fn forge<'a>(
        &self,
        chain: &Chain,
        sources: impl IntoIterator<Item = &'a Source>,
    ) -> Vec<Page> {
        let (mut pages, mut text, mut tip) = (Vec::new(), String::new(), self.clone());
        for source in sources {
            if tip.has(source) || source.deeds.is_empty() {
                continue;
            }
            tip.seen.insert(source.stream.to_string(), source.sequence);
            for deed in &source.deeds {
                tip.write(&mut text, (chain, deed), Some(source));
            }
            if text.len() >= AUDIT_PAGE_BYTES {
                pages.push(Page { text: std::mem::take(&mut text), tip: tip.clone() });
            }
        }
        if !text.is_empty() {
            pages.push(Page { text, tip });
        }
        pages
    }

    /// The page that brings one deed that no stream tells of.
    #[must_use]
    pub fn note(&self, chain: &Chain, deed: &Deed) -> Page {
        let (mut text, mut tip) = (String::new(), self.clone());
        tip.write(&mut text, (chain, deed), None);
        Page { text, tip }
    }

    fn write(&mut self, text: &mut String, (chain, deed): (&Chain, &Deed), of: Option<&Source>) {
        let number = self.number.saturating_add(1);
        let prev = self.hash.map_or(Value::Null, |hash| hash.to_string().into());
        let seen: Map<_, _> =
            self.seen.iter().map(|(stream, at)| (stream.clone(), (*at).into())).collect();
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("v", VERSION.into());
        put("chain", chain.to_string().into());
        put("n", number.into());
        put("prev", prev);
        put("at_unix_ms", deed.at.0.into());
        put("actor", cut(&deed.actor).into());
        put("action", deed.action.as_str().into());
        put("object", cut(&deed.object).into());
        put("reason", cut(&deed.reason).into());
        put("seen", seen.into());
        if let Some(source) = of {
            let stream = [("stream".to_owned(), Value::from(&*source.stream))];
            let sequence = [("sequence".to_owned(), Value::from(source.sequence))];
            put("source", stream.into_iter().chain(sequence).collect::<Map<_, _>>().into());
        }
        let hash = Hash::of(canonical(&Value::Object(fields.clone())).as_bytes());
        fields.insert("hash".to_owned(), hash.to_string().into());
        text.push_str(&canonical(&Value::Object(fields)));
        text.push('\n');
        (self.number, self.hash) = (number, Some(hash));
    }
}

fn cut(text: &str) -> String {
    clip_to(text, AUDIT_TEXT_BYTES_MAX)
}

/// Where each chain of an export ends: its last line, by which a file that was cut off is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heads(pub BTreeMap<String, (u64, Hash)>);

/// A text that is no list of heads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no list of a trail's heads: use the last line of an export")]
pub struct HeadsError;

impl Heads {
    /// The line that [`Self::decode`] reads.
    #[must_use]
    pub fn encode(&self) -> String {
        let heads = self.0.iter().map(|(chain, (number, hash))| {
            let head = [("n", Value::from(*number)), ("hash", hash.to_string().into())];
            let head: Map<_, _> =
                head.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            (chain.clone(), Value::Object(head))
        });
        let heads = Value::Object(heads.collect());
        let line: Map<_, _> =
            [("heads".to_owned(), heads), ("v".to_owned(), VERSION.into())].into_iter().collect();
        canonical(&Value::Object(line))
    }

    /// Whether a line means to be one.
    #[must_use]
    pub fn is_one(line: &[u8]) -> bool {
        line.starts_with(b"{\"heads\":")
    }

    /// Reads the line.
    ///
    /// # Errors
    /// [`HeadsError`] when it is another one.
    pub fn decode(line: &[u8]) -> Result<Self, HeadsError> {
        let value: Value = serde_json::from_slice(line).map_err(|_| HeadsError)?;
        let heads = value.get("heads").and_then(Value::as_object).ok_or(HeadsError)?;
        let one = |(chain, head): (&String, &Value)| {
            let number = head.get("n").and_then(Value::as_u64)?;
            let hash = Hash::parse(head.get("hash").and_then(Value::as_str)?)?;
            Some((chain.clone(), (number, hash)))
        };
        let heads: Option<BTreeMap<_, _>> = heads.iter().map(one).collect();
        let heads = Self(heads.ok_or(HeadsError)?);
        if heads.encode().as_bytes() == line { Ok(heads) } else { Err(HeadsError) }
    }
}
