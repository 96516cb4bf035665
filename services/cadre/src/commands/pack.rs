//! `cadre pack`: checks packs here, and brings them onto the bus.

pub(crate) mod check;
pub(crate) mod drift;
mod excerpt;
mod record;
mod run;
mod show;
pub(crate) mod stage;

use std::path::PathBuf;

use cadre_core::{
    audit::Action,
    ids::Name,
    pack::{PackSource, diff, schema},
    time::UnixMillis,
    workflow::Workflow,
};
use cadre_nats::{
    bus::JetStreamBus,
    packs::{Applied, ApplyPackError, KvPacks, PackEntry},
};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    broker,
    commands::{client::unavailable, deed::Deeds},
    exit::{Code, Failure},
    output::{self, Format, Listing, OutputArgs, text::span},
    settings::Settings,
};

/// Characters of a revision that people see.
const SHORT: usize = 12;

/// Check packs, and bring them onto the bus.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre pack check packs/contract            every mistake with its place
  cadre pack diff packs/contract             what applying it would change; exit code 8 if anything
  cadre pack apply packs/contract            new goals get it; running tasks keep theirs
  cadre pack apply contract                  the one that is built in
  cadre pack show contract-intake -o json
  cadre pack test packs/contract             its samples come to the same as before
  cadre pack schema > pack.schema.json       for an editor")]
pub(crate) struct PackArgs {
    #[command(subcommand)]
    command: PackCommand,
}

#[derive(Debug, Subcommand)]
enum PackCommand {
    /// Print the JSON Schema of pack.yaml.
    Schema,
    /// List everything that is wrong with a pack; exit code 7 when something is.
    Check(DirArgs),
    /// Make a pack the revision that new goals get.
    Apply(DirArgs),
    /// List the packs on the bus.
    Ls(OutputArgs),
    /// Compare a pack with the revision on the bus; exit code 8 when it differs.
    Diff(DirArgs),
    /// Show a pack on the bus: its roles, steps and limits.
    Show(ShowArgs),
    Test(drift::TestArgs),
    Record(record::RecordArgs),
}

#[derive(Debug, Args)]
struct DirArgs {
    /// The pack's folder, or the name of one that is built in.
    #[arg(value_name = "DIR")]
    pack: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Name of the pack.
    name: Name,
    /// Another revision than the current one, in full.
    #[arg(long, value_name = "HASH")]
    revision: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// One line of `pack ls`.
#[derive(Debug, Serialize)]
struct Listed {
    workflow: String,
    revision: String,
    since: String,
    #[serde(skip)]
    since_ms: UnixMillis,
}

/// What `pack apply` and `pack diff` say.
#[derive(Debug, Serialize)]
struct Changed {
    workflow: String,
    revision: String,
    previous: Option<String>,
    /// False when this very revision was on the bus before.
    created: bool,
    diff: String,
}

pub(crate) async fn run(args: PackArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        PackCommand::Schema => output::json(&schema()),
        PackCommand::Check(args) => check::run(&args.pack, args.output.format(settings)),
        PackCommand::Apply(args) => apply(&args, settings).await,
        PackCommand::Ls(args) => ls(args.format(settings), settings).await,
        PackCommand::Diff(args) => compare(&args, settings).await,
        PackCommand::Test(args) => drift::run(&args, settings).await,
        PackCommand::Record(args) => record::run(&args, settings).await,
        PackCommand::Show(args) => {
            let packs = broker::open_packs(settings, "pack").await?;
            show::run(&packs, &args, args.output.format(settings)).await
        }
    }
}

async fn apply(args: &DirArgs, settings: &Settings) -> anyhow::Result<()> {
    let source = check::read(&args.pack)?;
    let workflow = check::compiled(&args.pack, &source)?;
    let (connection, _) = broker::connect_prepared(settings, "pack").await?;
    let packs = broker::packs_on(&connection).await?;
    let bus = JetStreamBus::open(&connection).await.map_err(|error| unavailable(&error))?;
    let deeds = Deeds::open(&bus, settings).await?;
    let (object, reason) =
        (format!("pack/{}", workflow.name), format!("revision {}", workflow.revision));
    let applied = deeds.audited((Action::PackApplied, object), &reason, packs.apply(&source));
    let applied = applied.await?.map_err(|error| apply_failure(&error))?;
    let previous = match &applied.previous {
        Some(revision) => packs.get(revision).await.ok().flatten(),
        None => None,
    };
    let diff = diff(&previous.unwrap_or_default(), &source);
    let Applied { workflow, revision, created, previous } = applied;
    let changed = Changed { workflow, revision, previous, created, diff };
    print(args.output.format(settings), &changed, "applied")
}

async fn compare(args: &DirArgs, settings: &Settings) -> anyhow::Result<()> {
    let source = check::read(&args.pack)?;
    let workflow = check::compiled(&args.pack, &source)?;
    let packs = broker::open_packs(settings, "pack").await?;
    let current = current(&packs, &workflow.name).await?;
    let (previous, old) = match current {
        Some((entry, source)) => (Some(entry.revision), source),
        None => (None, PackSource::default()),
    };
    let created = packs.get(&workflow.revision).await?.is_none();
    let diff = diff(&old, &source);
    let (workflow, revision) = (workflow.name.to_string(), workflow.revision);
    let changed = Changed { workflow, revision, previous, created, diff };
    print(args.output.format(settings), &changed, "to apply")?;
    if changed.previous.as_ref() == Some(&changed.revision) {
        return Ok(());
    }
    let text = format!(
        "pack {} differs from the bus: run `cadre pack apply {}`",
        changed.workflow,
        args.pack.display()
    );
    Err(Failure::new(Code::BusDiffers, text).into())
}

fn print(format: Format, changed: &Changed, verb: &str) -> anyhow::Result<()> {
    match format {
        Format::Json => return output::json(changed),
        Format::Ndjson => return output::ndjson(changed),
        Format::Id => return Ok(output::data(&changed.revision)?),
        Format::Table => {}
    }
    let Changed { workflow, revision, previous, created, diff } = changed;
    let what = match previous {
        None => "a new pack".to_owned(),
        Some(previous) if previous == revision => "as it was".to_owned(),
        Some(previous) if *created => format!("changed from {}", short(previous)),
        Some(previous) => format!("an earlier revision again, instead of {}", short(previous)),
    };
    output::say(&format!("{verb}: {workflow} revision {}, {what}", short(revision)));
    // All of a new pack is new: nobody wants to read it here.
    if previous.is_some() {
        diff.lines().try_for_each(|line| output::data(&output::text::clean(line)))?;
    }
    if verb == "applied" {
        output::data(&format!("{workflow} {revision}"))?;
    }
    Ok(())
}

async fn ls(format: Format, settings: &Settings) -> anyhow::Result<()> {
    let packs = broker::open_packs(settings, "pack").await?;
    let listed: Vec<_> = packs.ls().await?.into_iter().map(Listed::from).collect();
    let row = |pack: &Listed| {
        let age = span(broker::local_now().since(pack.since_ms));
        vec![pack.workflow.clone(), short(&pack.revision).to_owned(), format!("{age} ago")]
    };
    let listing = Listing {
        header: &["pack", "revision", "since"],
        row,
        id: |pack: &Listed| pack.workflow.clone(),
    };
    output::list(format, &listed, &listing)
}

impl From<PackEntry> for Listed {
    fn from(entry: PackEntry) -> Self {
        let since_ms = UnixMillis(entry.since_unix_ms);
        let since = since_ms.to_string();
        Self { workflow: entry.workflow, revision: entry.revision, since, since_ms }
    }
}

/// The current revision of a pack with its files; `None` when there is none.
async fn current(packs: &KvPacks, name: &Name) -> anyhow::Result<Option<(PackEntry, PackSource)>> {
    let entry = packs.ls().await?.into_iter().find(|entry| entry.workflow == name.as_str());
    let Some(entry) = entry else { return Ok(None) };
    let source = packs.get(&entry.revision).await?;
    Ok(source.map(|source| (entry, source)))
}

/// The exit code of a pack that was not applied.
pub(crate) fn apply_failure(error: &ApplyPackError) -> anyhow::Error {
    let code = match error {
        ApplyPackError::Invalid(_)
        | ApplyPackError::Document(_)
        | ApplyPackError::RoleTaken { .. } => Code::PackInvalid,
        ApplyPackError::Role(_) | ApplyPackError::Bus(_) => Code::BusUnavailable,
    };
    Failure::new(code, error.to_string()).into()
}

/// A revision as people see it.
pub(crate) fn short(revision: &str) -> &str {
    revision.get(..SHORT).unwrap_or(revision)
}

/// The numbers of a compiled pack.
fn summary(workflow: &Workflow) -> String {
    use output::text::count;
    let (roles, steps) = (workflow.roles.len() as u64, workflow.steps.len() as u64);
    let revision = short(&workflow.revision);
    format!(
        "{}: {}, {}, revision {revision}",
        workflow.name,
        count(roles, "role"),
        count(steps, "step")
    )
}
