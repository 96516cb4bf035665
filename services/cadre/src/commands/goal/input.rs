//! The input of a goal from `-i` flags.

use std::io;

use cadre_core::payload::{Payload, PayloadError};
use serde_json::{Map, Value};

/// Where texts come from.
pub(crate) trait Texts {
    /// The text of a file.
    fn file(&mut self, path: &str) -> io::Result<String>;
    /// Everything on standard input.
    fn stdin(&mut self) -> io::Result<String>;
}

/// Files and standard input of this process.
pub(crate) struct System;

impl Texts for System {
    fn file(&mut self, path: &str) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn stdin(&mut self) -> io::Result<String> {
        io::read_to_string(io::stdin())
    }
}

/// Why the input cannot be put together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// A file or standard input cannot be read.
    #[error("read {part:?} of the input")]
    Read {
        /// The flag's value.
        part: String,
        /// What the system said.
        source: io::Error,
    },
    /// A document is no JSON.
    #[error("read {part:?} of the input as JSON{}", hint(part))]
    Json {
        /// The flag's value.
        part: String,
        /// What is wrong with it, and where.
        source: PayloadError,
    },
    /// The whole input is given, and something beside it.
    #[error("{0:?} is the whole input: give it alone, or give only key=value parts")]
    NotAlone(String),
    /// Two values for one key.
    #[error("key {0:?} of the input is given twice")]
    Twice(String),
    /// Neither of the forms.
    #[error(
        "{0:?} is no input: write key=value, key=@textfile, @file.json, a JSON object, or - for standard input"
    )]
    Form(String),
}

/// What whoever gives a file probably means.
fn hint(part: &str) -> String {
    let is_text = part.starts_with('@') && !part.ends_with(".json");
    if is_text { format!(" (for its text: -i text={part})") } else { String::new() }
}

/// Puts the input together; no parts make an empty object.
pub(crate) fn read(parts: &[String], texts: &mut impl Texts) -> Result<Value, InputError> {
    let is_whole = |part: &&String| part.starts_with(['@', '{']) || part.as_str() == "-";
    let Some(whole) = parts.iter().find(is_whole) else {
        return object(parts, texts);
    };
    if parts.len() > 1 {
        return Err(InputError::NotAlone(whole.clone()));
    }
    let text = match whole.strip_prefix('@') {
        Some(path) => texts.file(path),
        None if whole.starts_with('{') => Ok(whole.clone()),
        None => texts.stdin(),
    };
    let text = text.map_err(|source| InputError::Read { part: whole.clone(), source })?;
    match Payload::parse_unique(text.as_bytes()) {
        Ok(document) => Ok(document.value().clone()),
        Err(source) => Err(InputError::Json { part: whole.clone(), source }),
    }
}

fn object(parts: &[String], texts: &mut impl Texts) -> Result<Value, InputError> {
    let mut fields = Map::new();
    for part in parts {
        let Some((key, text)) = part.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(InputError::Form(part.clone()));
        };
        let value = match text.strip_prefix('@') {
            Some(path) => {
                let text = texts.file(path);
                text.map_err(|source| InputError::Read { part: part.clone(), source })?.into()
            }
            None => match Payload::parse_unique(text.as_bytes()) {
                Ok(document) => document.value().clone(),
                Err(source @ PayloadError::Twice(_)) => {
                    return Err(InputError::Json { part: part.clone(), source });
                }
                Err(
                    PayloadError::Syntax(_) | PayloadError::TooLarge(_) | PayloadError::TooDeep,
                ) => Value::from(text),
            },
        };
        if fields.insert(key.to_owned(), value).is_some() {
            return Err(InputError::Twice(key.to_owned()));
        }
    }
    Ok(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Fake;

    impl Texts for Fake {
        fn file(&mut self, path: &str) -> io::Result<String> {
            match path {
                "goal.json" => Ok("{\"text\": \"from a file\"}".to_owned()),
                "twice.json" => Ok("{\"text\": 1, \"text\": 2}".to_owned()),
                "broken.json" => Ok("{\"text\": }".to_owned()),
                "contract.txt" => Ok("Clause 1\n".to_owned()),
                _ => Err(io::ErrorKind::NotFound.into()),
            }
        }

        fn stdin(&mut self) -> io::Result<String> {
            Ok("[1, 2]".to_owned())
        }
    }

    fn check(parts: &[&str]) -> Result<Value, String> {
        let parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        read(&parts, &mut Fake).map_err(|error| error.to_string())
    }

    #[test]
    fn parts_make_an_object() {
        for (parts, expected) in [
            (&[][..], json!({})),
            (&["a=1", "b=true", "c=null"], json!({"a": 1, "b": true, "c": null})),
            (&["a=plain words", "b=1.2.3"], json!({"a": "plain words", "b": "1.2.3"})),
            (&["a={\"x\": [1]}", "b=\"1\""], json!({"a": {"x": [1]}, "b": "1"})),
            (&["a=", "b=x=y"], json!({"a": "", "b": "x=y"})),
            (&["text=@contract.txt"], json!({"text": "Clause 1\n"})),
            (&["text=\"@contract.txt\""], json!({"text": "@contract.txt"})),
            (&["@goal.json"], json!({"text": "from a file"})),
            (&["-"], json!([1, 2])),
            (&["{\"text\": 5}"], json!({"text": 5})),
        ] {
            assert_eq!(check(parts), Ok(expected), "{parts:?}");
        }
    }

    #[test]
    fn errors_name_the_part() {
        for (parts, named) in [
            (&["words"][..], "\"words\""),
            (&["=1"], "\"=1\""),
            (&["a=1", "a=2"], "\"a\""),
            (&["@goal.json", "a=1"], "\"@goal.json\""),
            (&["a=1", "-"], "\"-\""),
            (&["@nowhere.json"], "\"@nowhere.json\""),
            (&["@broken.json"], "\"@broken.json\""),
            (&["@twice.json"], "\"@twice.json\""),
            (&["a={\"x\": 1, \"x\": 2}"], "a={"),
            (&["a=1", "text=@nowhere.txt"], "\"text=@nowhere.txt\""),
        ] {
            let error = check(parts).unwrap_err();
            assert!(error.contains(named), "{parts:?}: {error}");
        }
    }
}
