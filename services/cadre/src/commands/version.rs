//! `cadre version`: what this build is and what it works with.

use cadre_nats::server::{VERSION_MIN, VERSION_PINNED};
use cadre_proto::{MIN_READER, SCHEMA};
use clap::Args;
use serde_json::json;

use crate::{
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// Print this build's version and what it works with.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre version
  cadre version -o json | jq -r .version")]
pub(crate) struct VersionArgs {
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &VersionArgs, settings: &Settings) -> anyhow::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let document = json!({
        "version": version,
        "wire_schema": SCHEMA,
        "min_reader": MIN_READER,
        "nats_server_min": VERSION_MIN.to_string(),
        "nats_server_fetched": VERSION_PINNED.to_string(),
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
    });
    match args.output.format(settings) {
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(version)?),
        Format::Table => {
            output::data(&format!("cadre {version}"))?;
            let schema = format!(
                "wire schema {SCHEMA}; what needs nothing of it is readable from schema {MIN_READER} on"
            );
            output::data(&schema)?;
            let server = format!(
                "nats-server {VERSION_MIN} or newer; {VERSION_PINNED} is fetched if needed"
            );
            Ok(output::data(&server)?)
        }
    }
}
