//! `cadre pack test`: plays a pack's samples and compares them with the run that was kept as its baseline.

use std::{collections::BTreeMap, fs, path::PathBuf};

use cadre_core::{
    eval::Latency,
    pack::{PackSource, compile, diff},
    payload::Hash,
    workflow::Workflow,
};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::{
    check,
    run::{Difference, Run},
    stage::{Sample, Stage},
};
use crate::{
    exit::{Code, Failure},
    output::{
        self, Format, OutputArgs,
        text::{clean, count, usd},
    },
    packs::{self, Place},
    settings::{ModelSettings, Settings},
    stack::StackOptions,
};

/// The file that holds the baseline; no part of the pack's revision.
pub(super) const BASELINE: &str = "baseline.json";

/// Play a pack's samples offline and compare them with its baseline; exit code 16 when something is worse.
///
/// Starts a private broker and every service, publishes each file of samples/, and compares what comes of it
/// with baseline.json: how the task ended, its result, whether that fits its contract, the steps, the models
/// and tools that were called, cost, tokens and latency. Simulated models say what cassettes/ has of them, so
/// the run is the same each time: what differs is what you changed, which is shown beside it. Latency is what
/// the models took, recorded ones when they were recorded. Cost, tokens and latency may grow by a tenth;
/// anything else that differs is a regress.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre pack test packs/contract             compares with packs/contract/baseline.json
  cadre pack test contract -o json           the one that is built in
  cadre pack test packs/contract --accept    what came out is right: keep it as the baseline
  OPENAI_API_KEY=... cadre pack test contract --model openai/gpt-5-mini-2025-08-07")]
pub(super) struct TestArgs {
    /// The pack's folder, or the name of one that is built in.
    #[arg(value_name = "DIR")]
    pack: PathBuf,
    /// Keep what comes out as the new baseline.
    #[arg(long, conflicts_with = "model")]
    accept: bool,
    /// Ask this one, as provider/model, and show what is different with it.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// What a pack's samples came to when somebody said that it was right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    /// `pack.yaml` and the prompts as they were then, to show what has changed since; of contracts and
    /// documents the hash.
    pub(super) files: BTreeMap<String, String>,
    /// By sample.
    pub(super) samples: BTreeMap<String, Run>,
}

/// What is different, for programs.
#[derive(Debug, Serialize)]
struct Report {
    workflow: String,
    revision: String,
    regressed: bool,
    samples: BTreeMap<String, SampleReport>,
    /// What changed in `pack.yaml` and the prompts since the baseline.
    diff: String,
}

#[derive(Debug, Serialize)]
struct SampleReport {
    run: Run,
    differences: Vec<Difference>,
}

/// `cadre pack test DIR`.
pub(super) async fn run(args: &TestArgs, settings: &Settings) -> anyhow::Result<()> {
    let source = check::read(&args.pack)?;
    let workflow = check::compiled(&args.pack, &source)?;
    let place = Place::find(&args.pack).ok_or_else(|| anyhow::anyhow!("the pack has gone"))?;
    let before = if args.accept { None } else { Some(baseline(&place, args)?) };
    let samples = Sample::all(&place, &workflow)?;
    if samples.is_empty() {
        let text = format!("pack {} has no samples/: put an input there", args.pack.display());
        return Err(Failure::new(Code::Usage, text).into());
    }
    let play = Play { settings, source: &source, model: args.model.as_deref() };
    let runs = play.all(&samples).await?;
    match before {
        None => keep(&place, &Baseline { files: shown_files(&source), samples: runs }),
        Some(before) => {
            let report = Report::new(&workflow, &source, runs, &before);
            print(args.output.format(settings), &report)
        }
    }
}

/// A pack whose samples are played on a private deployment.
pub(super) struct Play<'a> {
    pub(super) settings: &'a Settings,
    pub(super) source: &'a PackSource,
    /// Asked whatever the pack says; `None` plays what was recorded.
    pub(super) model: Option<&'a str>,
}

impl Play<'_> {
    /// Plays every sample.
    pub(super) async fn all(&self, samples: &[Sample]) -> anyhow::Result<BTreeMap<String, Run>> {
        let stage = self.stage().await?;
        let played = self.samples(&stage, samples).await;
        stage.close().await;
        played
    }

    async fn stage(&self) -> anyhow::Result<Stage> {
        let (pack, services) = cast(self.settings, self.source, self.model)?;
        Stage::open(self.settings, &pack, services).await
    }

    async fn samples(
        &self,
        stage: &Stage,
        samples: &[Sample],
    ) -> anyhow::Result<BTreeMap<String, Run>> {
        let workflow = compile(self.source)?;
        let mut runs = BTreeMap::new();
        for sample in samples {
            let key = sample.key();
            let goal = (key.as_str(), &sample.input);
            let trace = stage.play(&workflow, goal, Latency::OfModels).await?;
            output::say(&format!("{}: {}", clean(&sample.name), trace.status));
            runs.insert(sample.name.clone(), Run::from(trace));
        }
        Ok(runs)
    }
}

/// The pack as it is played, and who answers for its models: without `model` nobody outside is asked, and what
/// is not recorded fails.
pub(crate) fn cast(
    settings: &Settings,
    source: &PackSource,
    model: Option<&str>,
) -> anyhow::Result<(PackSource, StackOptions)> {
    let simulated = settings.models.simulated;
    let (pack, models) = match model {
        Some(model) => (packs::asking(source, model)?, settings.models.clone()),
        None => {
            let pack = cadre_core::pack::simulated(source).unwrap_or_else(|| source.clone());
            (pack, ModelSettings { simulated, ..ModelSettings::default() })
        }
    };
    Ok((pack, StackOptions { inference: Some(models), ..StackOptions::all() }))
}

/// Writes a baseline beside the pack.
pub(super) fn keep(place: &Place, baseline: &Baseline) -> anyhow::Result<()> {
    let folder = place.folder().ok_or_else(|| {
        let text = "a pack that is built in keeps its baseline: copy it with `cadre init`";
        Failure::new(Code::Usage, text)
    })?;
    let file = folder.join(BASELINE);
    let text = serde_json::to_string_pretty(baseline)?;
    fs::write(&file, text + "\n")
        .map_err(|error| Failure::new(Code::Error, format!("write {}: {error}", file.display())))?;
    let samples = count(baseline.samples.len() as u64, "sample");
    output::say(&format!("kept {samples} as the baseline in {}", file.display()));
    Ok(())
}

/// What a person changes to make a model say something else: whole where it is mostly short.
pub(super) fn shown_files(source: &PackSource) -> BTreeMap<String, String> {
    let is_shown = |path: &str| path == "pack.yaml" || path.starts_with("prompts/");
    let files = source.files.iter().filter(|(path, _)| !path.starts_with("cassettes/"));
    let shown = |(path, text): (&String, &Vec<u8>)| match is_shown(path) {
        true => (path.clone(), String::from_utf8_lossy(text).into_owned()),
        false => (path.clone(), format!("sha256 {}\n", Hash::of(text))),
    };
    files.map(shown).collect()
}

fn baseline(place: &Place, args: &TestArgs) -> anyhow::Result<Baseline> {
    let content = place.file(BASELINE)?.ok_or_else(|| {
        let pack = args.pack.display();
        let text =
            format!("pack {pack} has no {BASELINE}: `cadre pack test {pack} --accept` makes one");
        Failure::new(Code::NotFound, text)
    })?;
    serde_json::from_slice(&content).map_err(|error| {
        let text = format!("read {BASELINE}: {error}; `--accept` makes a new one");
        Failure::new(Code::Usage, text).into()
    })
}

impl Report {
    fn new(
        workflow: &Workflow,
        source: &PackSource,
        runs: BTreeMap<String, Run>,
        before: &Baseline,
    ) -> Self {
        let pack = |files: BTreeMap<String, String>| PackSource {
            files: files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect(),
        };
        let diff = diff(&pack(before.files.clone()), &pack(shown_files(source)));
        let mut samples = BTreeMap::new();
        for (name, run) in runs {
            let differences = match before.samples.get(&name) {
                Some(before) => run.differences(before),
                None => vec![absent(&name, "is not in the baseline", false)],
            };
            samples.insert(name, SampleReport { run, differences });
        }
        for name in before.samples.keys() {
            samples.entry(name.clone()).or_insert_with(|| SampleReport {
                run: Run::default(),
                differences: vec![absent(name, "is gone from samples/", true)],
            });
        }
        let mut differences = samples.values().flat_map(|sample| &sample.differences);
        let regressed = differences.any(|it| it.is_regress);
        let (workflow, revision) = (workflow.name.to_string(), workflow.revision.clone());
        Self { workflow, revision, regressed, samples, diff }
    }
}

fn absent(name: &str, why: &str, is_regress: bool) -> Difference {
    let (what, after) = (format!("sample {name}"), why.to_owned());
    Difference { what, before: String::new(), after, is_regress }
}

fn print(format: Format, report: &Report) -> anyhow::Result<()> {
    match format {
        Format::Json => output::json(report)?,
        Format::Ndjson => output::ndjson(report)?,
        Format::Id => {
            let worse = report
                .samples
                .iter()
                .filter(|(_, it)| it.differences.iter().any(|it| it.is_regress));
            worse.map(|(name, _)| name).try_for_each(|name| output::data(&clean(name)))?;
        }
        Format::Table => table(report)?,
    }
    if !report.regressed {
        return Ok(());
    }
    let text = format!(
        "pack {} has regressed; if this is right, keep it: `cadre pack test DIR --accept`",
        report.workflow
    );
    Err(Failure::new(Code::Regressed, text).into())
}

fn table(report: &Report) -> anyhow::Result<()> {
    let rows = report.samples.iter().map(|(name, SampleReport { run, differences })| {
        let verdict = match (differences.is_empty(), differences.iter().any(|it| it.is_regress)) {
            (true, _) => "as before",
            (false, false) => "differs",
            (false, true) => "REGRESSED",
        };
        let numbers = [run.steps.len(), run.calls.len()].map(|number| number.to_string());
        let mut row = vec![clean(name), run.status.clone()];
        row.extend(numbers);
        row.extend([usd(run.usd_micros), run.tokens.to_string()]);
        row.extend([format!("{} ms", run.latency_ms), verdict.to_owned()]);
        row
    });
    let header = ["sample", "status", "steps", "calls", "cost", "tokens", "latency", ""];
    output::table(&header, &rows.collect::<Vec<_>>())?;
    for (name, sample) in report.samples.iter().filter(|(_, it)| !it.differences.is_empty()) {
        output::data(&format!("\n{}", clean(name)))?;
        for it in &sample.differences {
            let mark = if it.is_regress { "!" } else { " " };
            let before =
                if it.before.is_empty() { String::new() } else { format!("{} -> ", it.before) };
            output::data(&clean(&format!("{mark} {}: {before}{}", it.what, it.after)))?;
        }
    }
    if !report.diff.is_empty() {
        output::data("\nchanged since the baseline:")?;
        report.diff.lines().try_for_each(|line| output::data(&clean(line)))?;
    }
    Ok(())
}
