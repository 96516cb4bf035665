//! What a message on the bus says: one line for people, the whole as JSON. Pure and total.

use serde::Serialize;
use serde_json::Value;

use cadre_core::text::{brief, count, size, span};
use cadre_proto::{
    ContentType,
    body::peek,
    subject::{Attempt, Subject},
    v1,
};

use super::TailItem;

/// Characters of a text that one line shows.
const TEXT_CHARS_MAX: usize = 160;

/// A message that was looked into.
#[derive(Debug)]
pub struct Decoded {
    /// What it is.
    pub kind: &'static str,
    /// What it says, on one line.
    pub text: String,
    /// All of it; `None` when it cannot be decoded.
    pub message: Option<Value>,
    /// Why it cannot be decoded.
    pub error: Option<String>,
    /// Somebody should look: a rejection, a failure, a dead letter.
    pub is_bad: bool,
}

/// What is said of a message, or why nothing can be.
type Said = Result<(String, Value), String>;

/// Looks into a message by its subject.
#[must_use]
pub fn decode(item: &TailItem) -> Decoded {
    let (kind, said, is_bad) = match Subject::parse(&item.subject) {
        Ok(subject) => of_subject(&subject, item),
        Err(_) => ("other", json_of(item).map(|value| (String::new(), value)), false),
    };
    match said {
        Ok((text, message)) => Decoded { kind, text, message: Some(message), error: None, is_bad },
        Err(error) => {
            let text = format!(
                "cannot be decoded, {}: {}",
                size(item.body.len() as u64),
                brief(&error, TEXT_CHARS_MAX)
            );
            Decoded { kind, text, message: None, error: Some(error), is_bad: true }
        }
    }
}

fn of_subject(subject: &Subject, item: &TailItem) -> (&'static str, Said, bool) {
    match subject {
        Subject::Log(..) => ("record", record_said(item), false),
        Subject::Timer(..) => ("timer", Ok((timer_text(item), Value::Null)), false),
        Subject::Due(..) | Subject::InTimer(..) => ("due", Ok((String::new(), Value::Null)), false),
        Subject::Stop(..) => ("stop", Ok((String::new(), Value::Null)), false),
        Subject::Dead { .. } => ("dead", Ok(dead_said(item)), true),
        Subject::Work(_, attempt) => ("order", order_said(attempt, item), false),
        Subject::InGoal { .. } => ("taken", goal_said(item), false),
        Subject::InReport(_, attempt) => report_said(attempt, item),
        Subject::InCancel { .. } => ("cancel", cancel_said(item), false),
        Subject::InControl { .. } => ("control", control_said(item), false),
        Subject::InDecision { .. } => ("decision", decision_said(item), false),
        Subject::Run { .. } => ("journal", journal_said(item), false),
        Subject::Goals(_) => ("goal", published_said(item), false),
        Subject::Rejected(_) => ("rejected", rejected_said(item), true),
        Subject::Answer { .. } => ("answer", answer_said(item), false),
    }
}

fn record_said(item: &TailItem) -> Said {
    let wire: v1::Record = peek(ContentType::Protobuf, &item.body)?;
    let events = count(wire.events.len() as u64, "event");
    let text = format!("#{} {}: {} ({events})", wire.rev, wire.decision, short(&wire.reason));
    Ok((text, value(&wire)?))
}

fn order_said(attempt: &Attempt, item: &TailItem) -> Said {
    let order: v1::WorkOrder = peek(encoding(item)?, &item.body)?;
    let limit = header(item, "Cadre-Timeout-Ms").and_then(|ms| ms.parse().ok());
    let limit = limit.map(|ms| format!(", within {}", span(std::time::Duration::from_millis(ms))));
    let size = size(item.body.len() as u64);
    let text = format!("{}{}, {size}", of_attempt(attempt, "for"), limit.unwrap_or_default());
    Ok((text, value(&order)?))
}

fn report_said(attempt: &Attempt, item: &TailItem) -> (&'static str, Said, bool) {
    let report: v1::Report = match encoding(item).and_then(|it| peek(it, &item.body)) {
        Ok(report) => report,
        Err(error) => return ("report", Err(error), true),
    };
    let (outcome, is_bad) = outcome(report.outcome.as_ref());
    let text = format!("{}: {outcome}", of_attempt(attempt, "by"));
    ("report", value(&report).map(|value| (text, value)), is_bad)
}

fn outcome(outcome: Option<&v1::report::Outcome>) -> (String, bool) {
    use v1::report::Outcome;
    match outcome {
        None => ("no outcome".to_owned(), true),
        Some(Outcome::Completed(done)) => {
            let confidence = done.confidence.map(|it| format!(", confidence {it:.2}"));
            (format!("completed{}", confidence.unwrap_or_default()), false)
        }
        Some(Outcome::Unsure(unsure)) => (format!("unsure: {}", short(&unsure.reason)), false),
        Some(Outcome::Failed(failure)) => (format!("failed: {}", short(&failure.message)), true),
        Some(Outcome::Handoff(handoff)) => (format!("hands over to {}", short(&handoff.to)), false),
        Some(Outcome::NeedsHuman(ask)) => (format!("asks: {}", short(&ask.question)), false),
    }
}

fn goal_said(item: &TailItem) -> Said {
    let goal: v1::Goal = peek(encoding(item)?, &item.body)?;
    let text = format!("{}/{} key {}", goal.tenant, goal.workflow, short(&goal.key));
    Ok((text, value(&goal)?))
}

fn cancel_said(item: &TailItem) -> Said {
    let cancel: v1::Cancel = peek(encoding(item)?, &item.body)?;
    Ok((format!("by {}: {}", short(&cancel.by), short(&cancel.reason)), value(&cancel)?))
}

fn control_said(item: &TailItem) -> Said {
    use v1::control::Action;
    let control: v1::Control = peek(encoding(item)?, &item.body)?;
    let wish = match &control.action {
        None => "nothing",
        Some(Action::Pause(_)) => "pause",
        Some(Action::Resume(_)) => "resume",
        Some(Action::Kill(_)) => "kill",
        Some(Action::AddBudget(_)) => "add to the budget",
        Some(Action::Retry(_)) => "try a failed step again",
    };
    let because = because(&control.reason);
    Ok((format!("{wish}, by {}{because}", short(&control.by)), value(&control)?))
}

fn decision_said(item: &TailItem) -> Said {
    use v1::decision::Ruling;
    let decision: v1::Decision = peek(encoding(item)?, &item.body)?;
    let ruling = match &decision.ruling {
        None => "says nothing about",
        Some(Ruling::Granted(v1::Granted { content: None })) => "grants",
        Some(Ruling::Granted(v1::Granted { content: Some(_) })) => "grants with a content",
        Some(Ruling::Denied(_)) => "denies",
        Some(Ruling::Call(_)) => "knows what happened in",
    };
    let (by, step) = (short(&decision.by), short(&decision.step));
    Ok((format!("{by} {ruling} {step}{}", because(&decision.comment)), value(&decision)?))
}

fn journal_said(item: &TailItem) -> Said {
    use v1::journal_entry::Fact;
    let entry: v1::JournalEntry = peek(encoding(item)?, &item.body)?;
    let text = match &entry.fact {
        None => "nothing".to_owned(),
        Some(Fact::Claimed(claim)) => {
            let v1::Claimed { attempt, delivery, worker } = claim;
            format!("claimed by {}, attempt {attempt}, delivery {delivery}", short(worker))
        }
        Some(Fact::Begun(begun)) => {
            format!("call {} begun: {}", begun.call, short(&begun.description))
        }
        Some(Fact::Ended(ended)) => format!("call {} ended", ended.call),
    };
    Ok((text, value(&entry)?))
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {}", short(reason)) }
}

fn published_said(item: &TailItem) -> Said {
    let key = header(item, "Nats-Msg-Id").map(|key| format!(", key {}", short(key)));
    let text = format!("{}{}", size(item.body.len() as u64), key.unwrap_or_default());
    Ok((text, json_of(item)?))
}

fn rejected_said(item: &TailItem) -> Said {
    let document = json_of(item)?;
    let text = format!("{}: {}", field(&document, "code"), field(&document, "message"));
    Ok((text, document))
}

fn answer_said(item: &TailItem) -> Said {
    let document = json_of(item)?;
    let number = |key: &str| document.get(key).and_then(Value::as_u64).unwrap_or_default();
    let (steps, took) = (number("steps"), std::time::Duration::from_millis(number("duration_ms")));
    let (status, reason) = (field(&document, "status"), field(&document, "reason"));
    let text = format!("{status} after {} and {}: {reason}", span(took), count(steps, "step"));
    Ok((text, document))
}

/// A dead letter is what nobody could read: only its reason is sure to be text.
fn dead_said(item: &TailItem) -> (String, Value) {
    let header = |name| header(item, name).map_or("unknown", |value| value);
    let (reason, from) = (header("Cadre-Dead-Reason"), header("Cadre-Dead-Subject"));
    let text = format!("{}, from {}: {}", size(item.body.len() as u64), short(from), short(reason));
    (text, json_of(item).unwrap_or(Value::Null))
}

fn timer_text(item: &TailItem) -> String {
    header(item, "Nats-Schedule").map(|at| format!("set to {}", short(at))).unwrap_or_default()
}

fn of_attempt(attempt: &Attempt, word: &str) -> String {
    format!("{} attempt {} {word} {}", attempt.step, attempt.number, attempt.role)
}

/// The encoding of a body.
fn encoding(item: &TailItem) -> Result<ContentType, String> {
    let content = ContentType::of(header(item, "Content-Type"), &item.body);
    content.map_err(|error| error.to_string())
}

fn value<T: Serialize>(message: &T) -> Result<Value, String> {
    serde_json::to_value(message).map_err(|error| error.to_string())
}

fn json_of(item: &TailItem) -> Result<Value, String> {
    serde_json::from_slice(&item.body).map_err(|error| format!("no JSON: {error}"))
}

fn header<'a>(item: &'a TailItem, name: &str) -> Option<&'a str> {
    let mut headers = item.headers.iter();
    headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn field(document: &Value, key: &str) -> String {
    short(document.get(key).and_then(Value::as_str).unwrap_or_default())
}

fn short(text: &str) -> String {
    brief(text, TEXT_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::{super::TailKind, *};
    use cadre_core::{
        ids::{Name, StepId, TaskId},
        payload::Payload,
        task::{Outcome, Report, Usage},
        time::UnixMillis,
    };

    const TASK: &str = "vs3tl6e2t2bmylf5r7pg2ndlxn";

    fn item(subject: &str, headers: &[(&str, &str)], body: impl Into<bytes::Bytes>) -> TailItem {
        TailItem {
            stream: "CADRE_X".to_owned(),
            subject: subject.to_owned(),
            sequence: 1,
            at: UnixMillis(0),
            kind: TailKind::Other,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.into(),
        }
    }

    #[test]
    fn a_report_reads_the_same_in_both_encodings() {
        let name = |text| Name::new(text).unwrap();
        let report = Report {
            role: name("extractor"),
            step: StepId::item(name("extract"), 3),
            attempt: 2,
            outcome: Outcome::Completed {
                output: Payload::parse(b"{\"a\":1}").unwrap(),
                confidence: Some(0.5),
            },
            usage: Usage::default(),
            models: Vec::new(),
            degraded: None,
            worker: "w".to_owned(),
        };
        let subject = format!("cadre.0.in.report.extractor.{TASK}.extract-3.2");
        for content in [ContentType::Json, ContentType::Protobuf] {
            let body = cadre_proto::report::encode(&TaskId::parse(TASK).unwrap(), &report, content)
                .unwrap();
            let decoded = decode(&item(&subject, &[("Content-Type", content.as_str())], body));
            assert_eq!(
                decoded.text,
                "extract-3 attempt 2 by extractor: completed, confidence 0.50"
            );
            assert_eq!(decoded.message.unwrap()["completed"]["output"]["a"], 1);
        }
    }

    #[test]
    fn what_people_must_see_is_marked() {
        let rejection = br#"{"code": "schema", "message": "text is missing"}"#;
        let decoded = decode(&item("goals.rejected.acme", &[], &rejection[..]));
        assert_eq!((decoded.kind, decoded.text.as_str()), ("rejected", "schema: text is missing"));
        assert!(decoded.is_bad);
        let headers = [("Cadre-Dead-Reason", "no JSON"), ("Cadre-Dead-Subject", "goals.a.b")];
        let decoded = decode(&item("cadre.0.dead.input.cadre_goals.7", &headers, &b"\xff"[..]));
        assert_eq!(decoded.text, "1 B, from goals.a.b: no JSON");
    }

    #[test]
    fn nothing_can_make_it_fail() {
        let task = format!("extract-3.{TASK}");
        for subject in [
            "",
            "x",
            "goals.a.b",
            "goals.rejected.a",
            "cadre.0.in.x",
            "cadre.0.dead.input.a.1",
            &format!("cadre.0.log.{TASK}"),
            &format!("cadre.0.work.r.{TASK}.s.1"),
            &task,
            &format!("cadre.0.in.goal.a.{TASK}"),
            &format!("cadre.0.in.cancel.cli.{TASK}"),
            &format!("cadre.0.in.control.cli.{TASK}"),
            &format!("cadre.0.in.decision.cli.{TASK}"),
            &format!("answers.a.b.{TASK}"),
            &format!("cadre.0.timer.{TASK}.wake"),
        ] {
            for body in [&b""[..], b"{}", b"[]", b"\xff\xff", b"{\"code\": 1}", b"\x08\x96\x01"] {
                for content in ["application/json", "application/protobuf", "text/plain"] {
                    let decoded = decode(&item(subject, &[("Content-Type", content)], body));
                    assert_eq!(decoded.message.is_none(), decoded.error.is_some(), "{subject}");
                }
            }
        }
    }
}
