//! Prints messages as they arrive.

use std::time::Duration;

use cadre_core::time::UnixMillis;
use cadre_nats::tail::{Begin, Decoded, TailError, TailItem, TailOptions, decode, tail};
use cadre_runtime::shutdown::Shutdown;
use clap::Args;
use futures::StreamExt as _;
use serde_json::{Map, Value, json};

use super::heard::{Heard, merged};
use crate::{
    broker,
    exit::{Code, Failure},
    output::{self, Format, Look, OutputArgs, Style, text::clean},
    settings::Settings,
};

/// What the broker adds to a message that is looked up: it stands beside the headers already.
const ADDED: [&str; 4] = ["Nats-Sequence", "Nats-Stream", "Nats-Subject", "Nats-Time-Stamp"];

/// Of the local clock: what is older shows its date.
const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Args)]
pub(super) struct TailArgs {
    /// A task id, or a subject with wildcards; default: everything.
    filter: Option<String>,
    /// Begin with what was stored this long ago, such as 10m or 2h.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "all")]
    since: Option<Duration>,
    /// Begin with the oldest message.
    #[arg(long)]
    all: bool,
    /// End with what is there now; with --since or --all. Streams are read side by side: only what one stream holds is in
    /// the order of time.
    #[arg(long)]
    no_follow: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// `cadre bus tail`.
pub(super) async fn run(args: TailArgs, settings: &Settings) -> anyhow::Result<()> {
    let from = match (args.all, args.since) {
        (true, _) => Begin::All,
        (false, Some(ago)) => Begin::Since(ago),
        (false, None) if args.no_follow => {
            let text = "--no-follow shows nothing from now on: add --all or --since";
            return Err(Failure::new(Code::Usage, text).into());
        }
        (false, None) => Begin::Now,
    };
    let (connection, topology) = broker::connect_prepared(settings, "tail").await?;
    let options =
        TailOptions { filter: args.filter, from, follow: !args.no_follow, headers_only: false };
    let read = tail(&connection.js, &topology, &options).await.map_err(|error| failure(&error))?;
    let mut items = if options.follow {
        merged(read, Heard::open(&connection, options.filter.as_deref()).await?)
    } else {
        read.boxed()
    };
    let (format, style) = (args.output.format(settings), Style::detect());
    let shutdown = Shutdown::new();
    shutdown.listen()?;
    loop {
        let item = tokio::select! {
            item = items.next() => item,
            () = shutdown.triggered() => return Ok(()),
        };
        match item {
            None => return Ok(()),
            Some(Ok(item)) => print(format, style, &item)?,
            Some(Err(error)) => output::say(&format!("warning: {error}")),
        }
    }
}

fn failure(error: &TailError) -> anyhow::Error {
    let code = match error {
        TailError::Filter { .. } => Code::Usage,
        TailError::Bus { .. } => Code::BusUnavailable,
    };
    Failure::new(code, error.to_string()).into()
}

fn print(format: Format, style: Style, item: &TailItem) -> anyhow::Result<()> {
    let decoded = decode(item);
    match format {
        Format::Table => output::data(&line(style, item, &decoded, broker::local_now()))?,
        Format::Json => output::json(&document(item, &decoded))?,
        Format::Ndjson => output::ndjson(&document(item, &decoded))?,
        Format::Id => output::data(&item.subject)?,
    }
    Ok(())
}

/// One line for people: when, what it is, where, what it says.
fn line(style: Style, item: &TailItem, decoded: &Decoded, now: UnixMillis) -> String {
    let time = item.at.to_string();
    let time = if now.since(item.at) < DAY { time.get(11..).unwrap_or(&time) } else { &time };
    let look = match (&decoded.error, decoded.is_bad) {
        (Some(_), _) | (None, true) => Look::Bad,
        (None, false) => Look::Strong,
    };
    let kind = style.paint(look, &format!("{:<8}", decoded.kind));
    let (time, subject) = (style.paint(Look::Dim, time), clean(&item.subject));
    let text = clean(&decoded.text);
    format!("{time}  {kind}  {subject}  {text}").trim_end().to_owned()
}

fn document(item: &TailItem, decoded: &Decoded) -> Value {
    let mut headers: Map<String, Value> = Map::new();
    for (name, value) in item.headers.iter().filter(|(name, _)| !ADDED.contains(&name.as_str())) {
        let values = headers.entry(name.clone()).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(json!(value));
        }
    }
    json!({
        "at": item.at.to_string(),
        "stream": item.stream,
        "sequence": item.sequence,
        "subject": item.subject,
        "kind": decoded.kind,
        "text": decoded.text,
        "headers": headers,
        "size_bytes": item.body.len(),
        "message": decoded.message,
        "error": decoded.error,
    })
}

#[cfg(test)]
mod tests {
    use cadre_nats::tail::TailKind;

    use super::*;

    fn item(subject: &str, body: &'static [u8]) -> TailItem {
        TailItem {
            stream: "CADRE_X".to_owned(),
            subject: subject.to_owned(),
            sequence: 7,
            at: UnixMillis(1_709_210_096_789),
            kind: TailKind::Other,
            headers: vec![("A".to_owned(), "1".to_owned()), ("A".to_owned(), "2".to_owned())],
            body: body.into(),
        }
    }

    #[test]
    fn old_messages_show_their_date_and_nothing_steers_the_terminal() {
        let item = item("goals.acme.x\u{1b}[2J", b"{}");
        let decoded = decode(&item);
        let line_at = |now| line(Style::plain(), &item, &decoded, UnixMillis(now));
        assert!(line_at(item.at.0 + 1_000).starts_with("12:34:56.789Z  "));
        assert!(line_at(item.at.0 + 90_000_000).starts_with("2024-02-29T12:34:56.789Z  "));
        assert!(!line_at(0).contains('\u{1b}'));
    }

    #[test]
    fn an_undecodable_message_is_shown_with_its_size() {
        let item = item("cadre.0.log.vs3tl6e2t2bmylf5r7pg2ndlxn", b"\xff\xff\xff");
        let document = document(&item, &decode(&item));
        assert_eq!(document["size_bytes"], 3);
        assert!(document["error"].is_string(), "{document}");
        assert_eq!(document["message"], Value::Null);
        assert_eq!(document["headers"]["A"], json!(["1", "2"]));
    }
}
