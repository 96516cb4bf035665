//! Data to stdout, talk to stderr.
//!
//! Every command prints through here, so that `-o`, `NO_COLOR`, narrow terminals and closed
//! pipes are treated alike. Colours are written as escape codes and taken out again where
//! nobody can see them.

mod style;
mod table;
pub mod text;

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressFinish};
use serde::{Deserialize, Serialize};

use crate::settings::Settings;

pub use style::{Look, Style};
pub use table::table_text;

/// How data is printed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One indented JSON document.
    Json,
    /// One JSON document per line.
    Ndjson,
    /// Only ids, one per line.
    Id,
}

/// The flag of every command that prints data.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct OutputArgs {
    /// How to print data; default: the setting `output`, else `table`.
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<Format>,
}

impl OutputArgs {
    /// The flag, or what the settings say.
    #[must_use]
    pub fn format(self, settings: &Settings) -> Format {
        self.output.unwrap_or(settings.output)
    }
}

/// Nothing more can be written to standard output; where its reader went away the command ends quietly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write to standard output: {0}")]
pub struct Closed(io::ErrorKind);

impl From<io::Error> for Closed {
    fn from(error: io::Error) -> Self {
        Self(error.kind())
    }
}

/// Whether a command ended only because nobody reads its output any more; a full disk is something else.
#[must_use]
pub fn is_closed(error: &anyhow::Error) -> bool {
    let mut closed = error.chain().filter_map(|cause| cause.downcast_ref::<Closed>());
    closed.any(|closed| closed.0 == io::ErrorKind::BrokenPipe)
}

/// Prints one line of data.
///
/// # Errors
/// [`Closed`], mostly because the reader has gone; pass it on, then it ends the command quietly.
pub fn data(line: &str) -> Result<(), Closed> {
    let mut out = anstream::stdout();
    Ok(writeln!(out, "{line}").and_then(|()| out.flush())?)
}

/// Prints one line for the person who watches.
pub fn say(line: &str) {
    // Nobody can be told that nobody listens.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Prints an indented JSON document.
///
/// # Errors
/// [`Closed`], or the value is no JSON.
pub fn json<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<()> {
    Ok(data(&serde_json::to_string_pretty(value)?)?)
}

/// Prints a JSON document on one line.
///
/// # Errors
/// [`Closed`], or the value is no JSON.
pub fn ndjson<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<()> {
    Ok(data(&serde_json::to_string(value)?)?)
}

/// Prints a table as wide as the terminal allows; cells that do not fit are wrapped.
///
/// # Errors
/// [`Closed`].
pub fn table(header: &[&str], rows: &[Vec<String>]) -> Result<(), Closed> {
    data(&table_text(header, rows, width()))
}

/// How one kind of thing is printed in each format; JSON comes from its `Serialize`.
#[derive(Debug)]
pub struct Listing<'a, T> {
    /// Names of the columns.
    pub header: &'a [&'a str],
    /// Cells of one row.
    pub row: fn(&T) -> Vec<String>,
    /// The id.
    pub id: fn(&T) -> String,
}

/// Prints things in the wanted format. An empty table is only its header.
///
/// # Errors
/// [`Closed`], or a value is no JSON.
pub fn list<T: Serialize>(
    format: Format,
    items: &[T],
    listing: &Listing<'_, T>,
) -> anyhow::Result<()> {
    match format {
        Format::Table => {
            let rows: Vec<_> = items.iter().map(listing.row).collect();
            table(listing.header, &rows)?;
            if rows.is_empty() && is_terminal() {
                say("none");
            }
        }
        Format::Json => json(items)?,
        Format::Ndjson => items.iter().try_for_each(ndjson)?,
        Format::Id => items.iter().try_for_each(|item| data(&(listing.id)(item)))?,
    }
    Ok(())
}

/// Shows a person at a terminal that something is waited for, until it is dropped.
#[must_use]
pub fn spinner(text: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_finish(ProgressFinish::AndClear);
    spinner.set_message(text.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// Whether a person at a terminal reads the data.
#[must_use]
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether colours reach whoever reads the data.
#[must_use]
pub fn has_color() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Whether colours reach the person who watches.
#[must_use]
pub fn has_color_on_stderr() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Columns of the terminal that shows the data; `None` for files and pipes.
#[must_use]
pub fn width() -> Option<u16> {
    if !is_terminal() {
        return None;
    }
    table::terminal_width()
}
