//! Publishes a goal and learns what became of it.

use std::time::Duration;

use cadre_core::task::{Event, Record};
use cadre_proto::subject;
use futures::{Stream, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{PublishArgs, wait, wanted::Wanted};
use crate::{
    commands::client::{Client, unavailable},
    exit::{Code, Failure},
    output::{self, Format, text::clean},
    settings::Settings,
    timeline::{Records, follow},
};

/// How long an orchestrator may take to accept or reject a goal.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(10);

/// What became of a goal.
pub(super) enum Outcome {
    /// Its task exists; the first record is taken from `records`.
    Accepted { first: Box<Record>, records: Records },
    /// Nobody said anything in time.
    Stored { records: Records },
}

/// What the broker said to the message.
struct Stored {
    sequence: u64,
    is_duplicate: bool,
    /// The key's task was there before.
    is_known: bool,
}

pub(super) async fn run(
    args: &PublishArgs,
    wanted: &Wanted,
    settings: &Settings,
) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let format = args.output.format(settings);
    // Opened before the goal is published, so that no rejection is missed.
    let subject = subject::rejected(wanted.intake.tenant());
    let rejected = client.connection.client.subscribe(subject).await;
    let rejected = rejected.map_err(|error| unavailable(&error))?;
    let rejected = rejected.map(|message| message.payload.to_vec());
    client.connection.client.flush().await.map_err(|error| unavailable(&error))?;
    // A log that cannot be read says so further down.
    let known = client.bus.read_log(&wanted.task).await;
    let is_known = known.is_ok_and(|log| !log.records.is_empty());
    let stored = Stored { is_known, ..publish(&client, wanted).await? };
    if args.key.is_none() && format == Format::Table {
        output::say(&format!("key {}", wanted.key));
    }
    let records = follow(&client.bus, &wanted.task).await?;
    let waits = args.wait || args.follow;
    let outcome = {
        let _spinner = output::spinner("waiting for an orchestrator");
        settle(wanted, records, rejected).await?
    };
    if !waits || format == Format::Id {
        print(wanted, &stored, &outcome, format)?;
    }
    if let Outcome::Stored { .. } = &outcome {
        output::say(&unsettled(wanted, &stored));
    }
    if !waits {
        return Ok(());
    }
    wait::run(args, &client, outcome, (wanted, format)).await
}

async fn publish(client: &Client, wanted: &Wanted) -> anyhow::Result<Stored> {
    let pairs = wanted.headers.iter();
    let headers = pairs.map(|(name, text)| Some((name.parse().ok()?, text.parse().ok()?)));
    let Some(headers) = headers.collect::<Option<_>>() else {
        anyhow::bail!("make the headers of the goal");
    };
    let body = wanted.input.text();
    let max = client.connection.client.server_info().max_payload;
    if body.len() > max {
        let text = format!(
            "the goal has {} bytes, the broker takes {max} in one message: raise its max_payload, \
             or make the input smaller",
            body.len()
        );
        return Err(Failure::new(Code::Rejected, text).into());
    }
    let subject = wanted.intake.to_string();
    let body = body.as_bytes().to_vec().into();
    let sent = client.connection.js.publish_with_headers(subject, headers, body).await;
    let ack = sent.map_err(|error| unavailable(&error))?.await;
    let ack = ack.map_err(|error| not_stored(&error))?;
    Ok(Stored { sequence: ack.sequence, is_duplicate: ack.duplicate, is_known: false })
}

/// Why the broker did not store a goal: it is full, or not there.
fn not_stored(error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    if causes.any(|cause| cause.to_string().contains("maximum bytes exceeded")) {
        let text = "the goal was not stored, because CADRE_GOALS is full: more is published than is \
                    taken in; publish it again later, and see `cadre bus status`";
        return Failure::new(Code::Rejected, text);
    }
    unavailable(&format_args!("publish the goal: {error}"))
}

/// Waits for the first record of the task's log, or for a rejection that is ours.
async fn settle(
    wanted: &Wanted,
    mut records: Records,
    mut rejected: impl Stream<Item = Vec<u8>> + Unpin,
) -> anyhow::Result<Outcome> {
    let end = Instant::now() + ACCEPTED_WITHIN;
    loop {
        let arrived = timeout_at(end, async {
            tokio::select! {
                record = records.next() => Ok(record),
                document = rejected.next() => Err(document),
            }
        });
        match arrived.await {
            Err(_) => return Ok(Outcome::Stored { records }),
            Ok(Ok(Some(record))) => {
                let first = Box::new(record?);
                accepted_as(wanted, &first)?;
                return Ok(Outcome::Accepted { first, records });
            }
            Ok(Err(Some(document))) => {
                if let Some(failure) = rejection(wanted, &document) {
                    return Err(failure.into());
                }
            }
            Ok(Ok(None) | Err(None)) => {
                return Err(unavailable(&"the connection was closed").into());
            }
        }
    }
}

/// The task may be that of an older goal with our key.
fn accepted_as(wanted: &Wanted, first: &Record) -> Result<(), Failure> {
    let is_other = first.events.iter().any(|event| match event {
        Event::Accepted { goal, .. } => !wanted.is_same(goal),
        Event::Expanded { .. }
        | Event::CrewBegan { .. }
        | Event::HandedOff { .. }
        | Event::LoopFound { .. }
        | Event::StepDispatched { .. }
        | Event::StepDelayed { .. }
        | Event::StepCompleted { .. }
        | Event::StepFailed { .. }
        | Event::StepSkipped { .. }
        | Event::StepWaiting { .. }
        | Event::Voted { .. }
        | Event::CallRuled { .. }
        | Event::LimitReached { .. }
        | Event::BudgetNear { .. }
        | Event::BudgetAdded { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Refused { .. }
        | Event::Ended { .. } => false,
    });
    if !is_other {
        return Ok(());
    }
    let text = format!(
        "conflict: key {:?} belongs to task {}, whose goal has another content: use another key, \
         or publish the same content",
        wanted.key, wanted.task
    );
    Err(Failure::new(Code::Rejected, text))
}

/// The failure that a rejection means, when it is about our goal.
fn rejection(wanted: &Wanted, document: &[u8]) -> Option<Failure> {
    let document: Value = serde_json::from_slice(document).ok()?;
    let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_ours = text("task") == wanted.task.as_str() || text("key") == wanted.key;
    if !is_ours {
        return None;
    }
    let violations = document.get("violations").and_then(Value::as_array);
    let violations = violations.into_iter().flatten().map(|violation| {
        let part = |key: &str| clean(violation.get(key).and_then(Value::as_str).unwrap_or("/"));
        format!("\n  {}: {}", part("path"), part("message"))
    });
    let violations: String = violations.collect();
    // The message repeats the violations behind what was violated.
    let message = match violations.is_empty() {
        true => text("message"),
        false => text("message").split(": ").next().unwrap_or_default(),
    };
    let head = format!("rejected ({}): {}", clean(text("code")), clean(message));
    Some(Failure::new(Code::Rejected, format!("{head}{violations}")))
}

fn unsettled(wanted: &Wanted, stored: &Stored) -> String {
    let (task, sequence) = (&wanted.task, stored.sequence);
    let seconds = ACCEPTED_WITHIN.as_secs();
    if stored.is_duplicate {
        return format!(
            "the broker dropped this message: it has stored one with key {:?} a moment ago (as \
             {sequence}), and no task came of it within {seconds} s; if that goal was rejected, or \
             was another tenant's, publish with another key",
            wanted.key
        );
    }
    format!(
        "the goal is stored (as {sequence}) but nobody took it within {seconds} s: it will be taken \
         as soon as an orchestrator runs (`cadre serve --role orchestrator`); see `cadre task show {task}`"
    )
}

fn print(
    wanted: &Wanted,
    stored: &Stored,
    outcome: &Outcome,
    format: Format,
) -> anyhow::Result<()> {
    let accepted_at = match outcome {
        Outcome::Accepted { first, .. } => Some(first.at.to_string()),
        Outcome::Stored { .. } => None,
    };
    let document = json!({
        "task": wanted.task.as_str(),
        "key": wanted.key,
        "tenant": wanted.intake.tenant().as_str(),
        "workflow": wanted.intake.workflow().as_str(),
        "accepted": accepted_at.is_some(),
        "accepted_at": accepted_at,
        "duplicate": stored.is_duplicate,
        "known": stored.is_known,
        "sequence": stored.sequence,
    });
    match format {
        Format::Table => {
            let state = match (&accepted_at, stored.is_duplicate || stored.is_known) {
                (Some(_), false) => "accepted",
                (Some(_), true) => "accepted before",
                (None, _) => "stored",
            };
            Ok(output::data(&format!("{}  {state}", wanted.task))?)
        }
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(wanted.task.as_str())?),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cadre_core::{
        ids::Name,
        payload::{Hash, Payload},
        task::{Cause, Goal, GoalLimits},
        time::UnixMillis,
    };

    use super::*;
    use crate::settings::Sources;

    fn wanted() -> Wanted {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: PublishArgs,
        }
        let line = ["publish", "intake", "-i", "a=1", "-i", "b=2", "--key", "k"];
        let args = <Line as clap::Parser>::parse_from(line).args;
        Wanted::of(&args, &Settings::resolve(&Sources::default()).unwrap()).unwrap()
    }

    fn accepted(workflow: &str, input: Value, steps_max: Option<u32>) -> Record {
        let wanted = wanted();
        let goal = Goal {
            task: wanted.task,
            tenant: wanted.intake.tenant().clone(),
            workflow: Name::new(workflow).unwrap(),
            revision: "r".into(),
            key: wanted.key,
            digest: Hash::of(b""),
            input: Payload::from_value(input).unwrap(),
            deadline: None,
            limits: GoalLimits { steps_max, ..GoalLimits::default() },
            user: None,
            trace: None,
            fork: None,
        };
        let cause = Cause {
            kind: "goal".to_owned(),
            source: String::new(),
            sequence: 1,
            waited: Duration::ZERO,
            models: Vec::new(),
        };
        let events = vec![Event::Accepted { goal: Arc::new(goal), deadline: UnixMillis(9) }];
        let (decision, reason) = (String::new(), String::new());
        Record { rev: 1, at: UnixMillis(1), cause, decision, reason, events }
    }

    #[test]
    fn a_task_of_another_goal_with_our_key_is_a_conflict() {
        for (workflow, input, steps_max, is_ours) in [
            ("intake", json!({"b": 2, "a": 1}), None, true),
            ("intake", json!({"a": 1, "b": 3}), None, false),
            ("other", json!({"a": 1, "b": 2}), None, false),
            ("intake", json!({"a": 1, "b": 2}), Some(3), false),
        ] {
            let done = accepted_as(&wanted(), &accepted(workflow, input.clone(), steps_max));
            assert_eq!(done.is_ok(), is_ours, "{workflow} {input}");
            if let Err(failure) = done {
                assert_eq!(failure.code(), Code::Rejected);
            }
        }
    }

    #[test]
    fn only_a_rejection_of_ours_counts() {
        let wanted = wanted();
        let ours = json!({
            "code": "schema", "message": "input breaks contract a@1: /x: bad", "key": "k",
            "violations": [{"path": "/x", "message": "bad"}],
        });
        let failure = rejection(&wanted, ours.to_string().as_bytes()).unwrap();
        assert_eq!(failure.code(), Code::Rejected);
        assert_eq!(failure.to_string(), "rejected (schema): input breaks contract a@1\n  /x: bad");
        for other in ["{\"key\": \"other\"}", "no json", "[]"] {
            assert!(rejection(&wanted, other.as_bytes()).is_none(), "{other}");
        }
    }
}
