//! `cadre completion`: a script that teaches a shell our subcommands and flags.

use clap::Args;
use clap_complete::{Shell, generate};

use crate::{cli, output};

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre completion bash > ~/.local/share/bash-completion/completions/cadre
  cadre completion zsh > ~/.zfunc/_cadre
  cadre completion fish > ~/.config/fish/completions/cadre.fish")]
pub(crate) struct CompletionArgs {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &CompletionArgs) -> Result<(), output::Closed> {
    let mut script = Vec::new();
    generate(args.shell, &mut cli::command(), "cadre", &mut script);
    output::data(String::from_utf8_lossy(&script).trim_end())
}
