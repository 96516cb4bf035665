//! Keeps secrets out of what is exported: pure functions, asked for each text of each span.
//!
//! The last step before the exporter, so nothing that a span holds goes past it: attributes, events, what an
//! error said. Our own [`known_secrets`] knows shapes of keys, not their meaning; whoever has more to hide adds a
//! [`Redaction`].

use std::{borrow::Cow, sync::LazyLock, time::Duration};

use opentelemetry::{Array, KeyValue, StringValue, Value, trace::Status};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use regex::Regex;

/// Takes the secrets out of a text; `None` when there are none.
pub type Redaction = fn(&str) -> Option<String>;

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// Keys of well-known makers, tokens, private keys, and whatever follows a telling name.
const SHAPES: &str = r#"(?x)
    -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY-----(?s:.*?)(?:-----END\ [A-Z\ ]*PRIVATE\ KEY-----|$)
  | \b(?:sk|rk|gsk|hf|ghp|gho|ghu|ghs|ghr|github_pat|glpat|npm|pypi|nvapi|xox[abprs]|xapp)[-_][\w-]{12,}
  | \bAIza[\w-]{30,}
  | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
  | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*
  | (?i:\bbearer\ +)[\w.~+/=-]{8,}
  | (?i:\b(?:api[_-]?key|access[_-]?key|client[_-]?secret|password|passwd|secret)[\\"']*\s*[=:]\s*[\\"']*)[^\s\\"',;&}]{6,}
  | (?-x:://[^/\s:@]+:[^/\s@]+@)
"#;

/// None only if the expression were wrong, which a test would tell.
static KNOWN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SHAPES).ok());

/// Takes out what looks like a key, a token or a password.
#[must_use]
pub fn known_secrets(text: &str) -> Option<String> {
    match KNOWN.as_ref()?.replace_all(text, REDACTED) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

/// An exporter that gets spans without secrets.
#[derive(Debug)]
pub(crate) struct Redacting<E> {
    pub(crate) exporter: E,
    pub(crate) redactions: Vec<Redaction>,
}

impl<E: SpanExporter> SpanExporter for Redacting<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.iter_mut().for_each(|span| self.clean(span));
        self.exporter.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E> Redacting<E> {
    fn clean(&self, span: &mut SpanData) {
        if let Some(clean) = self.redact(&span.name) {
            span.name = clean.into();
        }
        if let Status::Error { description } = &mut span.status
            && let Some(clean) = self.redact(description)
        {
            *description = clean.into();
        }
        self.clean_all(&mut span.attributes);
        for event in &mut span.events.events {
            if let Some(clean) = self.redact(&event.name) {
                event.name = clean.into();
            }
            self.clean_all(&mut event.attributes);
        }
        span.links.links.iter_mut().for_each(|link| self.clean_all(&mut link.attributes));
    }

    fn clean_all(&self, attributes: &mut [KeyValue]) {
        for KeyValue { value, .. } in attributes {
            match value {
                Value::String(text) => self.clean_text(text),
                Value::Array(Array::String(texts)) => {
                    texts.iter_mut().for_each(|text| self.clean_text(text));
                }
                Value::Bool(_) | Value::I64(_) | Value::F64(_) | Value::Array(_) => {}
                // What a later version adds is not made by us.
                _ => {}
            }
        }
    }

    fn clean_text(&self, text: &mut StringValue) {
        if let Some(clean) = self.redact(text.as_str()) {
            *text = clean.into();
        }
    }

    /// The text without secrets; `None` when it has none.
    fn redact(&self, text: &str) -> Option<String> {
        let redactions = self.redactions.iter();
        redactions.fold(None, |clean: Option<String>, redaction| {
            redaction(clean.as_deref().unwrap_or(text)).or(clean)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_known_shapes_are_taken_out_and_nothing_else_is() {
        for secret in [
            "sk-planted-0123456789",
            "sk-ant-api03-AbCdEf_0123456789",
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "github_pat_11ABCDEFG0123456789_abc",
            "xoxb-123456789012-abcdefghijkl",
            "AIzaSyA0123456789abcdefghijklmnopqrstuv",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.s5-Qx_1",
            "Bearer abcdefgh12345678",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        ] {
            let text = format!("calling with {secret} failed");
            assert_eq!(known_secrets(&text).unwrap(), "calling with [redacted] failed", "{secret}");
        }
        for (text, clean) in [
            (r#"{"password": "hunter22", "a": 1}"#, r#"{"[redacted]", "a": 1}"#),
            (r#"{\"api_key\":\"0123456789\"}"#, r#"{\"[redacted]\"}"#),
            ("nats://ada:hush@broker:4222", "nats[redacted]broker:4222"),
        ] {
            assert_eq!(known_secrets(text).as_deref(), Some(clean));
        }
        for harmless in [
            "",
            "the secret of a good answer",
            "tokens: 40, key: order-7",
            "task ek6veavj5sre7icwhvnqhhp3u3 is a desk-side question",
            "http://127.0.0.1:4317/v1",
            "mask-of-many-words-is-no-key",
        ] {
            assert_eq!(known_secrets(harmless), None);
        }
    }

    #[test]
    fn every_redaction_is_asked() {
        let number: Redaction = |text| text.contains("4711").then(|| text.replace("4711", "#"));
        let all = Redacting { exporter: (), redactions: vec![known_secrets, number] };
        assert_eq!(all.redact("4711 sk-planted-0123456789").unwrap(), "# [redacted]");
        assert_eq!(all.redact("4711").unwrap(), "#");
        assert_eq!(all.redact("nothing"), None);
    }
}
