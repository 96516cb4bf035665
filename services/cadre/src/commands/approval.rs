//! `cadre approval`: what tasks ask people, and what people answer.

mod content;
mod decide;
mod ls;
mod question;
mod show;
#[cfg(test)]
mod tests;

use clap::{Args, Subcommand};

use crate::settings::Settings;

/// See what tasks ask people, and decide.
///
/// A decision is bound to a hash of exactly what is asked, counts once, and is kept in the task's
/// log. One that comes late, second, or about something else by now is refused with the reason.
///
/// Exit codes: 0 it counts, 2 not clear which question or what answer, 3 there is no such question,
/// 11 stored but not handled yet, 14 refused.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval ls
  cadre approval show vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre approval grant vs3tl6e2t2bmylf5r7pg2ndlxn pay --hash 7d0f4c1a --comment 'as agreed'
  cadre approval deny vs3tl6e2t2bmylf5r7pg2ndlxn pay --comment 'wrong account'
  cadre approval answer vs3tl6e2t2bmylf5r7pg2ndlxn classify --with '{\"type\": \"nda\"}'
  cadre approval happened vs3tl6e2t2bmylf5r7pg2ndlxn pay --with '{\"receipt\": \"A-17\"}'
  cadre approval did-not-happen vs3tl6e2t2bmylf5r7pg2ndlxn pay")]
pub(crate) struct ApprovalArgs {
    #[command(subcommand)]
    command: ApprovalCommand,
}

#[derive(Debug, Subcommand)]
enum ApprovalCommand {
    Ls(ls::LsArgs),
    Show(show::ShowArgs),
    Grant(decide::GrantArgs),
    Deny(decide::DenyArgs),
    Answer(decide::AnswerArgs),
    Happened(decide::HappenedArgs),
    DidNotHappen(decide::DidNotHappenArgs),
}

pub(crate) async fn run(args: ApprovalArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        ApprovalCommand::Ls(args) => ls::run(&args, settings).await,
        ApprovalCommand::Show(args) => show::run(&args, settings).await,
        ApprovalCommand::Grant(args) => decide::grant(&args, settings).await,
        ApprovalCommand::Deny(args) => decide::deny(&args, settings).await,
        ApprovalCommand::Answer(args) => decide::answer(&args, settings).await,
        ApprovalCommand::Happened(args) => decide::happened(&args, settings).await,
        ApprovalCommand::DidNotHappen(args) => decide::did_not_happen(&args, settings).await,
    }
}
