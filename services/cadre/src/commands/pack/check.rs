//! Compiles a pack and prints what is wrong with it.

use std::path::Path;

use cadre_core::{
    pack::{PackProblem, PackSource, compile},
    workflow::Workflow,
};
use serde::Serialize;

use super::excerpt::shown;
use crate::{
    exit::{Code, Failure},
    output::{self, Format, text::count},
    packs::{self, FolderError},
};

/// What `pack check` says.
#[derive(Debug, Serialize)]
struct Verdict {
    valid: bool,
    workflow: Option<String>,
    revision: String,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct Problem {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    path: String,
    message: String,
}

impl From<&PackProblem> for Problem {
    fn from(problem: &PackProblem) -> Self {
        let PackProblem { file, line, column, path, message } = problem.clone();
        Self { file, line, column, path, message }
    }
}

/// The files of the pack that a person named.
///
/// # Errors
/// [`Code::NotFound`] when there is no such pack, [`Code::Usage`] when what is there is none.
pub(super) fn read(pack: &Path) -> Result<PackSource, Failure> {
    packs::read(pack).map_err(|error| {
        let code = match &error {
            FolderError::NotFound { .. } => Code::NotFound,
            FolderError::NoPackFile(_)
            | FolderError::Outside(_)
            | FolderError::NoFile(_)
            | FolderError::TooLarge { .. }
            | FolderError::TooMany(_)
            | FolderError::Io { .. } => Code::Usage,
        };
        Failure::new(code, format!("{:#}", anyhow::Error::from(error)))
    })
}

/// `cadre pack check DIR`.
pub(super) fn run(pack: &Path, format: Format) -> anyhow::Result<()> {
    let source = read(pack)?;
    let result = compile(&source);
    let problems: &[PackProblem] = match &result {
        Ok(_) => &[],
        Err(errors) => &errors.0,
    };
    match format {
        Format::Table => {
            for problem in problems {
                output::data(&shown(problem, &source))?;
            }
        }
        Format::Json | Format::Ndjson => {
            let verdict = Verdict {
                valid: result.is_ok(),
                workflow: result.as_ref().ok().map(|workflow| workflow.name.to_string()),
                revision: source.revision(),
                problems: problems.iter().map(Problem::from).collect(),
            };
            if format == Format::Json { output::json(&verdict)? } else { output::ndjson(&verdict)? }
        }
        Format::Id => output::data(&source.revision())?,
    }
    match result {
        Ok(workflow) => {
            if format == Format::Table {
                output::data(&format!("{} is valid", super::summary(&workflow)))?;
            }
            Ok(())
        }
        Err(errors) => Err(invalid(pack, errors.0.len())),
    }
}

/// Compiles a pack that is to be used; its problems go to the person who named it.
///
/// # Errors
/// [`Code::PackInvalid`]
pub(crate) fn compiled(pack: &Path, source: &PackSource) -> anyhow::Result<Workflow> {
    compile(source).map_err(|errors| {
        errors.0.iter().for_each(|problem| output::say(&shown(problem, source)));
        invalid(pack, errors.0.len())
    })
}

fn invalid(pack: &Path, problems: usize) -> anyhow::Error {
    let problems = count(problems as u64, "problem");
    let text = format!("pack {} has {problems}", pack.display());
    Failure::new(Code::PackInvalid, text).into()
}
