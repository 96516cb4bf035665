//! The folder of a suite: what is read from it and written to it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use cadre_core::{
    eval::{Case, CaseScore, Suite},
    pack::PackSource,
    workflow::Workflow,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    commands::pack::{check, stage::Sample},
    exit::{Code, Failure},
    packs::{self, Place},
};

/// What all cases have in common.
const SUITE_FILE: &str = "suite.yaml";

/// Files of one suite that are looked at.
const FILES_MAX: usize = 4_096;

/// A suite with its cases and its pack.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) suite: Suite,
    pub(super) cases: BTreeMap<String, Case>,
    /// Where the pack is.
    place: Place,
    /// The pack, with the suite's recorded answers beside its own.
    pub(super) source: PackSource,
    /// The pack as it is.
    pub(super) workflow: Workflow,
}

/// What a suite came to when somebody said that it was right.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    /// By case.
    pub(super) cases: BTreeMap<String, CaseScore>,
}

impl Folder {
    /// Reads a suite.
    ///
    /// # Errors
    /// [`Code::NotFound`] without `suite.yaml`, [`Code::Usage`] for a file that means nothing.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let suite = suite(path)?.ok_or_else(|| {
            let text =
                format!("suite {} has no {SUITE_FILE}: see `cadre eval --help`", path.display());
            Failure::new(Code::NotFound, text)
        })?;
        let (mut cases, mut cassettes) = (BTreeMap::new(), BTreeMap::new());
        for file in files(path)? {
            let (Some(stem), Some(extension)) = (stem(&file), file.extension()) else { continue };
            if extension == "yaml" && stem != "suite" {
                let case = Case::parse(&text(&file)?).map_err(|error| wrong(&file, &error))?;
                cases.insert(stem.to_owned(), case);
            } else if extension == "jsonl" {
                cassettes
                    .insert(format!("cassettes/suite-{stem}.jsonl"), text(&file)?.into_bytes());
            }
        }
        let named = named(path, &suite);
        let place = Place::find(&named);
        let mut source = packs::read(&named)?;
        let workflow = check::compiled(&named, &source)?;
        source.files.extend(cassettes);
        check::compiled(&named, &source)?;
        let place = place.ok_or_else(|| anyhow::anyhow!("the pack has gone"))?;
        Ok(Self { path: path.to_owned(), suite, cases, place, source, workflow })
    }

    /// What each case publishes, those that no contract refuses.
    ///
    /// # Errors
    /// [`Code::Usage`] names the case whose goal the workflow does not take.
    pub(super) fn goals(&self) -> anyhow::Result<BTreeMap<&str, Value>> {
        let samples = Sample::all(&self.place, &self.workflow)?;
        let mut goals = BTreeMap::new();
        for (name, case) in &self.cases {
            let usage = |text: String| Failure::new(Code::Usage, format!("case {name}: {text}"));
            let sample = case.sample.as_ref().map(|wanted| {
                let sample = samples.iter().find(|sample| sample.name == *wanted);
                sample.ok_or_else(|| usage(format!("the pack has no sample {wanted}")))
            });
            let sample = sample.transpose()?.map(|sample| sample.input.clone());
            let goal = case.goal.clone().or(sample).unwrap_or_default();
            let checked = self.workflow.input.check(&goal);
            checked.map_err(|violations| usage(format!("its goal does not fit: {violations}")))?;
            goals.insert(name.as_str(), goal);
        }
        Ok(goals)
    }

    /// Where its baseline is when nobody says otherwise.
    pub(super) fn baseline(&self) -> PathBuf {
        self.path.join("baseline.json")
    }
}

impl Baseline {
    /// Reads one; `None` when there is none.
    ///
    /// # Errors
    /// [`Code::Usage`] when it is no baseline.
    pub(super) fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        if !file.exists() {
            return Ok(None);
        }
        serde_json::from_str(&text(file)?).map(Some).map_err(|error| wrong(file, &error).into())
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        write(file, &(serde_json::to_string_pretty(self)? + "\n"))
    }
}

/// What `suite.yaml` says; `None` when there is none.
///
/// # Errors
/// [`Code::Usage`] when it means nothing.
pub(super) fn suite(path: &Path) -> anyhow::Result<Option<Suite>> {
    let file = path.join(SUITE_FILE);
    if !file.exists() {
        return Ok(None);
    }
    Ok(Some(Suite::parse(&text(&file)?).map_err(|error| wrong(&file, &error))?))
}

/// The name of the workflow of a suite's pack.
///
/// # Errors
/// When the pack cannot be read or is not valid.
pub(super) fn workflow(path: &Path, suite: &Suite) -> anyhow::Result<String> {
    let named = named(path, suite);
    let source = packs::read(&named)?;
    Ok(check::compiled(&named, &source)?.name.to_string())
}

/// Begins a suite with a copy of this pack.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn begin(path: &Path, source: &PackSource) -> anyhow::Result<()> {
    for (name, content) in &source.files {
        write(&path.join("pack").join(name), &String::from_utf8_lossy(content))?;
    }
    write(&path.join(SUITE_FILE), &serde_saphyr::to_string(&Suite::of("pack"))?)
}

/// Writes a file, and the folders that it needs.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let parent = file.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(parent).and_then(|()| fs::write(file, text));
    written.map_err(|error| failed("write", file, &error).into())
}

/// The pack's folder from the suite's on, or the name of one that is built in.
fn named(path: &Path, suite: &Suite) -> PathBuf {
    let beside = path.join(&suite.pack);
    if beside.exists() { beside } else { PathBuf::from(&suite.pack) }
}

fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path).map_err(|error| failed("read", path, &error))?;
    let entries = entries.take(FILES_MAX).filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|file| file.is_file()).collect();
    files.sort();
    Ok(files)
}

fn stem(file: &Path) -> Option<&str> {
    file.file_stem()?.to_str().filter(|stem| !stem.starts_with('.'))
}

fn text(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| failed("read", file, &error))
}

fn failed(verb: &str, file: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::Usage, format!("{verb} {}: {error}", file.display()))
}

fn wrong(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Code::Usage, format!("read {}: {error}", file.display()))
}
