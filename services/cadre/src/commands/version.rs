//! `cadre version`: what this build is and what it works with.

use cadre_nats::server::{VERSION_MIN, VERSION_PINNED};
use cadre_proto::MIN_READER;
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
    let (version, schema) = (settings.release.version, settings.release.reads);
    let document = json!({
        "version": version,
        "wire_schema": schema,
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
            let line = format!(
                "wire schema {schema}; what needs nothing of it is readable from schema {MIN_READER} on"
            );
            output::data(&line)?;
            let server = format!(
                "nats-server {VERSION_MIN} or newer; {VERSION_PINNED} is fetched if needed"
            );
            Ok(output::data(&server)?)
        }
    }
}
