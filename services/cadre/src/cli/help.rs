//! The help of `cadre` itself: commands in groups, examples, exit codes.

use std::fmt::Write as _;

use crate::exit::Code;

/// What people come for, and the commands for it, in the order of a first day.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Try it", &["demo", "dev", "bench"]),
    ("Use it", &["goal", "task", "approval", "show", "init", "pack", "eval"]),
    (
        "Run it",
        &[
            "serve", "bus", "breaker", "alert", "dlq", "token", "webhook", "doctor", "check",
            "audit", "upgrade",
        ],
    ),
    ("This program", &["config", "completion", "version"]),
];

/// Columns of the longest command's name.
const NAME_COLUMNS: usize = 10;

const EXAMPLES: &str = "\
Examples:
  cadre demo                                                     see it work, no setup needed
  cadre dev                                                      a broker and every service, here
  cadre goal publish contract-intake -i text=@contract.txt --wait
  cadre task why vs3tl6e2t2bmylf5r7pg2ndlxn";

/// The commands with what they are for; one that is in no group stands at the end.
pub(super) fn commands(command: &clap::Command) -> String {
    let mut text = String::new();
    let is_grouped =
        |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name)) || name == "help";
    for (heading, names) in GROUPS {
        let _infallible = writeln!(text, "{heading}:");
        names
            .iter()
            .filter_map(|name| command.find_subcommand(name))
            .for_each(|it| line(&mut text, it));
        text.push('\n');
    }
    let others = command.get_subcommands().filter(|it| !is_grouped(it.get_name()));
    others.for_each(|it| line(&mut text, it));
    text
}

fn line(text: &mut String, command: &clap::Command) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _infallible = writeln!(text, "  {:NAME_COLUMNS$}  {about}", command.get_name());
}

/// Examples and exit codes.
pub(super) fn after() -> String {
    let mut text = format!("{EXAMPLES}\n\nExit codes:\n   0  done\n");
    for code in Code::ALL {
        let _infallible = writeln!(text, "  {:2}  {}", code as u8, code.meaning());
    }
    text
}
