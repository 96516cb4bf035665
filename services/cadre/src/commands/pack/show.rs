//! One pack on the bus, as it runs.

use std::{collections::BTreeMap, sync::Arc};

use cadre_core::{
    pack::{PackSource, compile},
    workflow::{Role, Runtime, StepPlan, Workflow},
};
use cadre_nats::packs::KvPacks;
use serde::Serialize;

use super::{ShowArgs, current, short};
use crate::{
    exit::{Code, Failure},
    output::{self, Format, text::span},
};

/// A pack for programs.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    workflow: &'a str,
    revision: &'a str,
    input: String,
    output: String,
    deadline_ms: u64,
    max_steps: u32,
    roles: Vec<RoleShown<'a>>,
    steps: Vec<StepShown<'a>>,
    files: BTreeMap<&'a str, String>,
}

#[derive(Debug, Serialize)]
struct RoleShown<'a> {
    name: &'a str,
    runtime: &'static str,
    accepts: String,
    returns: String,
    timeout_ms: u64,
    concurrency: u32,
}

#[derive(Debug, Serialize)]
struct StepShown<'a> {
    name: &'a str,
    /// `None` when a person does it.
    role: Option<&'a str>,
    after: Vec<&'a str>,
    each: bool,
}

/// `cadre pack show NAME`.
pub(super) async fn run(packs: &KvPacks, args: &ShowArgs, format: Format) -> anyhow::Result<()> {
    let source = find(packs, args).await?;
    let workflow = compile(&source).map_err(|errors| {
        Failure::new(Code::PackInvalid, format!("this build cannot run it:\n{errors}"))
    })?;
    let shown = Shown::of(&workflow, &source);
    match format {
        Format::Table => table(&workflow, &shown),
        Format::Json => output::json(&shown),
        Format::Ndjson => output::ndjson(&shown),
        Format::Id => Ok(output::data(&workflow.revision)?),
    }
}

async fn find(packs: &KvPacks, args: &ShowArgs) -> anyhow::Result<PackSource> {
    let found = match &args.revision {
        Some(revision) => packs.get(revision).await?,
        None => current(packs, &args.name).await?.map(|(_, source)| source),
    };
    found.ok_or_else(|| {
        let what = args.revision.as_deref().unwrap_or("current");
        let text = format!("find pack {} ({what} revision): see `cadre pack ls`", args.name);
        Failure::new(Code::NotFound, text).into()
    })
}

impl<'a> Shown<'a> {
    fn of(workflow: &'a Workflow, source: &'a PackSource) -> Self {
        let text = |(path, content): (&'a String, &Vec<u8>)| {
            (path.as_str(), String::from_utf8_lossy(content).into_owned())
        };
        Self {
            workflow: workflow.name.as_str(),
            revision: &workflow.revision,
            input: workflow.input.id(),
            output: workflow.output.id(),
            deadline_ms: millis(workflow.limits.deadline),
            max_steps: workflow.limits.steps_max,
            roles: workflow.roles.values().map(role).collect(),
            steps: workflow.steps.iter().map(step).collect(),
            files: source.files.iter().map(text).collect(),
        }
    }
}

fn role(role: &Arc<Role>) -> RoleShown<'_> {
    RoleShown {
        name: role.name.as_str(),
        runtime: match role.runtime {
            Runtime::Rules => "rules",
            Runtime::Remote => "remote",
            Runtime::Echo => "echo",
        },
        accepts: role.accepts.id(),
        returns: role.returns.id(),
        timeout_ms: millis(role.timeout),
        concurrency: role.concurrency,
    }
}

fn step(step: &StepPlan) -> StepShown<'_> {
    StepShown {
        name: step.name.as_str(),
        role: step.role().map(|role| role.name.as_str()),
        after: step.after.iter().map(|name| name.as_str()).collect(),
        each: step.each.is_some(),
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn table(workflow: &Workflow, shown: &Shown<'_>) -> anyhow::Result<()> {
    let limits = workflow.limits;
    output::data(&format!(
        "{} revision {}: {} to {}, at most {} and {} steps\n",
        shown.workflow,
        short(shown.revision),
        shown.input,
        shown.output,
        span(limits.deadline),
        limits.steps_max,
    ))?;
    let steps: Vec<_> = shown
        .steps
        .iter()
        .map(|step| {
            let each = if step.each { "each" } else { "" };
            let role = step.role.unwrap_or("(a person)").to_owned();
            vec![step.name.to_owned(), role, step.after.join(", "), each.to_owned()]
        })
        .collect();
    output::table(&["step", "role", "after", ""], &steps)?;
    output::data("")?;
    let roles = workflow.roles.values().zip(&shown.roles).map(|(role, shown)| {
        let contracts = format!("{} to {}", shown.accepts, shown.returns);
        let (timeout, many) = (span(role.timeout), shown.concurrency.to_string());
        vec![shown.name.to_owned(), shown.runtime.to_owned(), contracts, timeout, many]
    });
    output::table(
        &["role", "runtime", "contracts", "timeout", "in flight"],
        &roles.collect::<Vec<_>>(),
    )?;
    Ok(())
}
