//! `cadre audit verify`: is every entry as it was written, and none gone?

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use cadre_core::audit::{Fault, Found, Heads, Report, Verifier};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::trail;
use crate::{
    commands::client::unavailable,
    exit::{Code, Failure},
    output::{
        self, Format, OutputArgs,
        text::{clean, count},
    },
    settings::Settings,
};

/// Verify every entry of the trail, or of an export; exit code 13 when one is changed, gone or moved.
///
/// Names the chain, the entry's number in it, and its place: the sequence in `CADRE_AUDIT`, or the line of the
/// file. A chain cannot know what was cut off behind its last entry: the stream's own count tells,
/// a file's last line, and an earlier export for a stream that was made anew.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre audit verify
  cadre audit verify audit.ndjson
  cadre audit verify --against audit.ndjson -o json")]
pub(super) struct VerifyArgs {
    /// What `audit export` wrote; without it the trail on the broker. No broker is asked for a file.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// An earlier export: what it has must still be there, unchanged.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &VerifyArgs, settings: &Settings) -> anyhow::Result<()> {
    let earlier = match &args.against {
        Some(path) => heads(path)?,
        None => Heads::default(),
    };
    let mut verifier = Verifier::against(earlier);
    let report = match &args.file {
        Some(path) => file(path, verifier)?,
        None => {
            let trail = trail(settings).await?;
            let read = trail.read(|it| verifier.message(it.sequence, &it.chain, &it.body)).await;
            verifier.end_of_stream(read.map_err(|error| unavailable(&error))?)
        }
    };
    print(&report, args.output.format(settings))?;
    if report.faults_total == 0 {
        return Ok(());
    }
    let text = format!("the audit trail is not whole: {}", count(report.faults_total, "fault"));
    Err(Failure::new(Code::Violated, text).into())
}

/// Where the chains of an export end, if it is one and whole.
fn heads(path: &Path) -> anyhow::Result<Heads> {
    let mut last = Vec::new();
    each_line(path, |_, line| {
        last.clear();
        last.extend_from_slice(line);
    })?;
    let heads = Heads::decode(&last).map_err(|error| usage(path, &error))?;
    let report = file(path, Verifier::default())?;
    if report.faults_total > 0 {
        let why = format!("it is not whole itself: run `cadre audit verify {}`", path.display());
        return Err(usage(path, &why).into());
    }
    Ok(heads)
}

fn file(path: &Path, mut verifier: Verifier) -> anyhow::Result<Report> {
    let mut heads = None;
    each_line(path, |place, line| {
        // Lines behind the last one are looked at too, and are none of an export.
        match heads.is_none() && Heads::is_one(line) {
            true => heads = Heads::decode(line).ok(),
            false => verifier.line(Found { place, chain: None, line }),
        }
    })?;
    Ok(verifier.end_of_file(heads.as_ref()))
}

fn each_line(path: &Path, mut take: impl FnMut(u64, &[u8])) -> anyhow::Result<()> {
    let file = File::open(path).map_err(|error| usage(path, &error))?;
    let (mut reader, mut line, mut place) = (BufReader::new(file), Vec::new(), 0);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(|error| usage(path, &error))? == 0 {
            return Ok(());
        }
        place += 1;
        take(place, line.strip_suffix(b"\n").unwrap_or(&line));
    }
}

fn usage(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(Code::Usage, format!("read {}: {why}", path.display()))
}

/// One fault as it is printed.
#[derive(Debug, Serialize)]
struct Row<'a> {
    kind: &'static str,
    chain: Option<&'a str>,
    number: Option<u64>,
    /// Sequence in the stream, or line of the file.
    place: u64,
    text: &'a str,
}

impl<'a> Row<'a> {
    fn of(fault: &'a Fault) -> Self {
        let Fault { kind, chain, number, place, text } = fault;
        let (kind, chain) = (kind.as_str(), chain.as_deref());
        Self { kind, chain, number: *number, place: *place, text }
    }

    fn id(&self) -> String {
        let number = self.number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        format!("{}.{number}", self.chain.unwrap_or("-"))
    }
}

fn print(report: &Report, format: Format) -> anyhow::Result<()> {
    let rows: Vec<_> = report.faults.iter().map(Row::of).collect();
    let ends = report.heads.0.iter().map(|(chain, (number, hash))| {
        (chain.clone(), json!({"entries": number, "hash": hash.to_string()}))
    });
    let summary = json!({
        "entries": report.entries,
        "faults_total": report.faults_total,
        "chains": ends.collect::<serde_json::Map<_, _>>(),
    });
    match format {
        Format::Table => people(report, &rows),
        Format::Json => {
            let mut all = summary;
            if let Some(fields) = all.as_object_mut() {
                fields.insert("faults".to_owned(), serde_json::to_value(&rows)?);
            }
            output::json(&all)
        }
        Format::Ndjson => {
            rows.iter().try_for_each(output::ndjson)?;
            output::ndjson(&summary)
        }
        Format::Id => Ok(rows.iter().try_for_each(|row| output::data(&row.id()))?),
    }
}

fn people(report: &Report, rows: &[Row<'_>]) -> anyhow::Result<()> {
    for (chain, (number, hash)) in &report.heads.0 {
        output::data(&clean(&format!("{chain}  {}  {hash}", entries(*number))))?;
    }
    if !rows.is_empty() {
        let cells = rows.iter().map(|row| {
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            vec![
                row.kind.to_owned(),
                clean(&or_dash(row.chain.map(str::to_owned))),
                or_dash(row.number.map(|number| number.to_string())),
                row.place.to_string(),
                clean(row.text),
            ]
        });
        output::table(
            &["fault", "chain", "n", "place", "what is wrong"],
            &cells.collect::<Vec<_>>(),
        )?;
    }
    let faults = count(report.faults_total, "fault");
    output::say(&format!("{} verified, {faults}", entries(report.entries)));
    Ok(())
}

fn entries(number: u64) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}
