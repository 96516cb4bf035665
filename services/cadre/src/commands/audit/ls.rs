//! `cadre audit ls`: entries, the newest last.

use std::{collections::VecDeque, time::Duration};

use cadre_core::{
    audit::{Chain, Entry},
    ids::TaskId,
    time::UnixMillis,
};
use cadre_nats::trail::Stored;
use clap::Args;

use super::{Row, trail};
use crate::{
    broker::local_now,
    commands::client::unavailable,
    output::{
        self, Listing, OutputArgs,
        text::{brief, clean, count},
    },
    settings::Settings,
};

/// Characters of a reason in a table; `-o json` has all of it.
const REASON_CHARS: usize = 100;

/// List entries, the newest last.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre audit ls
  cadre audit ls --task ek6veavj5sre7icwhvnqhhp3u3
  cadre audit ls --chain tenant.acme --since 24h --limit 1000
  cadre audit ls --action pack_applied -o ndjson")]
pub(super) struct LsArgs {
    /// Only of this chain: `tenant.NAME`, or `fleet` for what concerns all tenants.
    #[arg(long, value_name = "CHAIN")]
    chain: Option<Chain>,
    /// Only about this task.
    #[arg(long, value_name = "ID", value_parser = task)]
    task: Option<TaskId>,
    /// Only of this person or program.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only of this kind, as it is listed.
    #[arg(long, value_name = "WORD")]
    action: Option<String>,
    /// Only of the last while.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
    /// At most so many, the newest.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &LsArgs, settings: &Settings) -> anyhow::Result<()> {
    let (mut rows, mut more, mut unread) = (VecDeque::new(), 0_u64, 0_u64);
    let from = args.since.map(|since| UnixMillis(local_now().0.saturating_sub(millis(since))));
    let trail = trail(settings).await?;
    let read = trail.read(|Stored { sequence, body, .. }| {
        for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let Ok(entry) = Entry::decode(line) else {
                unread += 1;
                continue;
            };
            let row = Row::of(sequence, entry);
            if args.wants(&row, from) {
                rows.push_back(row);
            }
            if rows.len() > args.limit {
                rows.pop_front();
                more += 1;
            }
        }
    });
    read.await.map_err(|error| unavailable(&error))?;
    let rows: Vec<_> = rows.into();
    output::list(args.output.format(settings), &rows, &listing())?;
    if more > 0 {
        output::say(&format!("{more} older: ask with a higher --limit"));
    }
    if unread > 0 {
        let lines = count(unread, "line");
        output::say(&format!("{lines} cannot be read: run `cadre audit verify`"));
    }
    Ok(())
}

fn listing() -> Listing<'static, Row> {
    Listing {
        header: &["at", "chain", "n", "who", "what", "of", "why"],
        row: |row| {
            vec![
                row.at.clone(),
                row.chain.clone(),
                row.number.to_string(),
                clean(&row.actor),
                clean(&row.action),
                clean(&row.object),
                brief(&row.reason, REASON_CHARS),
            ]
        },
        id: Row::id,
    }
}

impl LsArgs {
    fn wants(&self, row: &Row, from: Option<UnixMillis>) -> bool {
        let about = |task: &TaskId| {
            let object = row.object.strip_prefix("task/").unwrap_or_default();
            object.split('/').next() == Some(task.as_str())
        };
        self.chain.as_ref().is_none_or(|chain| chain.to_string() == row.chain)
            && self.task.as_ref().is_none_or(about)
            && self.actor.as_ref().is_none_or(|actor| *actor == row.actor)
            && self.action.as_ref().is_none_or(|action| *action == row.action)
            && from.is_none_or(|from| row.at_ms >= from.0)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn task(text: &str) -> Result<TaskId, String> {
    TaskId::parse(text).map_err(|error| error.to_string())
}
