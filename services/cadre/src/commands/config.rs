//! `cadre config`: where each setting comes from.

use clap::{Args, Subcommand};

use crate::{
    output::{self, Format, Listing, OutputArgs},
    settings::{Explained, Settings, Source},
};

/// Look at the settings.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre config explain
  cadre config explain -o json")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    Explain(ExplainArgs),
}

/// Show each setting, who set it, and what that overrode.
///
/// Precedence: flag > environment > `cadre.yaml` of the project (in this folder or a parent, up to
/// the root of the repository) > `config.yaml` of the user (in $XDG_CONFIG_HOME/cadre or
/// ~/.config/cadre) > the selected context of the `nats` CLI > default. Logins are masked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre config explain
  CADRE_TENANT=acme cadre config explain -o json | jq '.[] | select(.setting == \"tenant\")'")]
struct ExplainArgs {
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &ConfigArgs, settings: &Settings) -> anyhow::Result<()> {
    match &args.command {
        ConfigCommand::Explain(args) => explain(args, settings),
    }
}

fn explain(args: &ExplainArgs, settings: &Settings) -> anyhow::Result<()> {
    let format = args.output.format(settings);
    let mut explained = settings.explained.clone();
    // The only setting with a flag of its own in each command.
    if let Some(flag) = args.output.output
        && let Some(output) = explained.iter_mut().find(|one| one.setting == "output")
    {
        output.overrule(Source::Flag("--output"), &format_name(flag));
    }
    let listing = Listing {
        header: &["setting", "value", "source", "overrode"],
        row: |one: &Explained| {
            let overrode = one.overrode.iter().map(|o| format!("{} ({})", o.value, o.source));
            let value = if one.value.is_empty() { "-" } else { &one.value };
            vec![
                one.setting.to_owned(),
                value.to_owned(),
                one.source.to_string(),
                overrode.collect::<Vec<_>>().join(", "),
            ]
        },
        id: |one| one.setting.to_owned(),
    };
    output::list(format, &explained, &listing)
}

fn format_name(format: Format) -> String {
    use clap::ValueEnum as _;
    format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
