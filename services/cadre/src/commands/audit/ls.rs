//! `cadre audit ls`: entries, the newest last.

use std::time::Duration;

use cadre_core::{
    audit::{Chain, Query},
    ids::TaskId,
    time::UnixMillis,
};
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
    let (mut rows, mut unread, mut query) = (Vec::new(), 0, args.query());
    let trail = trail(settings).await?;
    let is_more = loop {
        let found = trail.look(&query).await.map_err(|error| unavailable(&error))?;
        unread += found.unread;
        rows.extend(found.entries.into_iter().map(|(spot, entry)| Row::of(spot.sequence, entry)));
        (query.before, query.limit) = (found.next, args.limit.saturating_sub(rows.len()));
        match found.next {
            Some(_) if query.limit > 0 => {}
            next => break next.is_some(),
        }
    };
    rows.reverse();
    output::list(args.output.format(settings), &rows, &listing())?;
    if is_more {
        output::say("there may be older ones: ask with a higher --limit");
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
    fn query(&self) -> Query {
        let since = self.since.map(|since| local_now().0.saturating_sub(millis(since)));
        Query {
            chain: self.chain.clone(),
            task: self.task.clone(),
            actor: self.actor.clone(),
            action: self.action.clone(),
            since: since.map(UnixMillis),
            ..Query::newest(self.limit)
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn task(text: &str) -> Result<TaskId, String> {
    TaskId::parse(text).map_err(|error| error.to_string())
}
