//! `cadre audit export`: the trail as lines that can be verified without a broker.

use std::collections::BTreeMap;

use cadre_core::{
    audit::{Chain, Entry, Heads},
    payload::Hash,
};
use cadre_nats::trail::Stored;
use clap::Args;

use super::trail;
use crate::{
    commands::client::unavailable,
    exit::{Code, Failure},
    output,
    settings::Settings,
};

/// Write the trail as ndjson, in the very bytes that were hashed; `audit verify FILE` reads it offline.
///
/// One line an entry, and a last line that says where each chain ends, so that a file that was cut off
/// is known. Kept elsewhere it shows later whether the trail was rewritten: `audit verify --against FILE`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre audit export > audit.ndjson
  cadre audit export --chain tenant.acme | gzip > acme.ndjson.gz")]
pub(super) struct ExportArgs {
    /// Only this chain: `tenant.NAME`, or `fleet` for what concerns all tenants.
    #[arg(long, value_name = "CHAIN")]
    chain: Option<Chain>,
}

pub(super) async fn run(args: &ExportArgs, settings: &Settings) -> anyhow::Result<()> {
    let chain = args.chain.as_ref().map(Chain::to_string);
    let mut out = Writer::default();
    let trail = trail(settings).await?;
    let read = trail.read(|stored| {
        if chain.as_ref().is_none_or(|chain| *chain == stored.chain) {
            out.take(&stored);
        }
    });
    read.await.map_err(|error| unavailable(&error))?;
    let Writer { heads, closed, unread } = out;
    closed?;
    output::data(&Heads(heads).encode())?;
    if unread > 0 {
        let text = format!("{unread} lines are no entries any more: see `cadre audit verify`");
        return Err(Failure::new(Code::Violated, text).into());
    }
    Ok(())
}

/// Prints lines as they come, and remembers where chains end.
struct Writer {
    heads: BTreeMap<String, (u64, Hash)>,
    /// Whether somebody still reads.
    closed: Result<(), output::Closed>,
    unread: u64,
}

impl Default for Writer {
    fn default() -> Self {
        Self { heads: BTreeMap::new(), closed: Ok(()), unread: 0 }
    }
}

impl Writer {
    fn take(&mut self, stored: &Stored) {
        for line in stored.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match Entry::decode(line) {
                Ok(entry) => {
                    self.heads.insert(entry.chain, (entry.number, entry.hash));
                }
                Err(_) => self.unread += 1,
            }
            // What is no text any more cannot be a line: its replacement is not what was written either.
            if self.closed.is_ok() {
                self.closed = output::data(&String::from_utf8_lossy(line));
            }
        }
    }
}
