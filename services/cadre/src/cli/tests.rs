use std::{fmt::Write as _, path::Path};

use cadre_agent::rules::Rules;
use cadre_core::pack::compile;
use clap::error::ErrorKind;
use serde_json::json;

use super::*;
use crate::{
    packs,
    settings::{Environment, Sources},
};

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md"));
const COMMAND_LINE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));

/// Lines of the README's code blocks, those that a backslash continues in one piece.
fn code_lines(text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            match lines.last_mut().filter(|_| goes_on) {
                Some(last) => write!(last, " {}", line.trim()).unwrap(),
                None => lines.push(line.trim().to_owned()),
            }
            goes_on = line.ends_with('\\');
        }
    }
    lines
}

/// The arguments of a command line of ours; `None` when the line is something else.
fn arguments(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let line = line.split(" | ").find(|part| is_ours(part))?;
    let line = line.split("  #").next()?.split(" > ").next()?;
    let rest = line.strip_prefix("cargo run --release -- ").or(line.strip_prefix("cadre "))?;
    Some(["cadre".to_owned()].into_iter().chain(words(rest)).collect())
}

fn is_ours(part: &str) -> bool {
    part.starts_with("cadre ") || part.starts_with("cargo run --release -- ")
}

/// Words as a shell sees them, as far as the README's need it: single quotes, and no more.
fn words(line: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars().filter(|letter| *letter != '\\') {
        match (letter, found.last_mut()) {
            ('\'', _) => is_quoted = !is_quoted,
            (_, None) => {}
            (' ', Some(_)) if !is_quoted => found.push(String::new()),
            (_, Some(word)) => word.push(letter),
        }
    }
    found.retain(|word| !word.is_empty());
    found
}

#[test]
fn a_process_of_one_service_is_called_by_it() {
    let called = |line: &[&str], variables: &[(&'static str, &str)]| {
        let line = [&["cadre"], line].concat();
        let environment = Environment::of(variables);
        let settings = Settings::resolve(&Sources { environment, ..Sources::default() }).unwrap();
        service(&Cli::try_parse_from(line).unwrap().command, &settings)
    };
    for (line, name) in [
        (&["serve"][..], "cadre"),
        (&["serve", "--role", "orchestrator"], "cadre-orchestrator"),
        (&["serve", "--role", "agent,agent"], "cadre-agent"),
        (&["serve", "--role", "aggregator"], "cadre-aggregator"),
        (&["serve", "--role", "agent,aggregator"], "cadre"),
        (&["bus", "status"], "cadre"),
    ] {
        assert_eq!(called(line, &[]), name, "{line:?}");
        assert_eq!(called(line, &[("OTEL_SERVICE_NAME", "mine")]), "mine", "{line:?}");
    }
}

#[test]
fn every_command_of_the_readme_is_one() {
    let commands: Vec<_> = code_lines(README).iter().filter_map(|line| arguments(line)).collect();
    assert!(commands.len() > 15, "{commands:?}");
    for line in commands {
        match Cli::try_parse_from(&line) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp) => {}
            Err(error) => panic!("{line:?}: {error}"),
        }
    }
}

#[test]
fn a_mistyped_command_would_be_found() {
    let lines = code_lines("x\n```sh\n$ cadre tusk ls \\\n  -i 'a b'  # no\n```\ncadre y\n");
    let found: Vec<_> = lines.iter().filter_map(|line| arguments(line)).collect();
    assert_eq!(found, [["cadre", "tusk", "ls", "-i", "a b"]]);
    assert!(Cli::try_parse_from(&found[0]).is_err());
}

#[test]
fn the_pack_of_the_readme_is_whole_and_finds_what_it_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/packs/order");
    let source = packs::read(Path::new(folder)).unwrap();
    compile(&source).unwrap();
    let text = |file: &str| str::from_utf8(&source.files[file]).unwrap();
    assert!(README.contains(&format!("\n{}```\n", text("pack.yaml"))), "README.md lacks its pack");
    assert!(README.contains("](tests/packs/order/contracts/order.v1.json)"), "and its contract");
    let order = serde_json::from_str(text("contracts/order.v1.json")).unwrap();
    let letter = json!({"text": "Please send order A-17, 40 pieces, by Friday."});
    let found = Rules::compile(&order).unwrap().run(&letter).unwrap();
    assert_eq!(found.output, json!({"number": "A-17", "pieces": 40}));
    assert_eq!(found.unsure, None);
}

#[test]
fn the_readme_lists_each_exit_code() {
    assert!(README.contains("](services/cadre/README.md)"));
    for code in Code::ALL {
        let row = format!("| {} | {} |", code as u8, code.meaning());
        assert!(COMMAND_LINE.contains(&row), "services/cadre/README.md lacks {row:?}");
    }
}

#[test]
fn the_readme_lists_each_command() {
    for command in command().get_subcommands().filter(|it| it.get_name() != "help") {
        let about = command.get_about().unwrap().to_string();
        let row = format!("| `cadre {}` | {} |", command.get_name(), about.trim_end_matches('.'));
        assert!(README.contains(&row), "README.md lacks {row:?}");
    }
}

#[test]
fn the_readme_fits_its_reader() {
    assert!(README.lines().count() <= 250);
}

#[test]
fn the_help_has_each_command_and_each_exit_code() {
    let help = command().render_help().to_string();
    for command in command().get_subcommands() {
        let (name, line) = (command.get_name(), format!("\n  {} ", command.get_name()));
        assert_eq!(help.matches(&line).count(), usize::from(name != "help"), "{name}\n{help}");
    }
    for code in Code::ALL {
        assert!(help.contains(&format!("{:4}  {}\n", code as u8, code.meaning())), "{help}");
    }
}

#[test]
fn the_command_line_is_consistent() {
    command().debug_assert();
}
