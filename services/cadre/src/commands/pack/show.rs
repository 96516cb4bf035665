//! One pack on the bus, as it runs.

use std::{collections::BTreeMap, sync::Arc};

use cadre_core::{
    pack::{PackSource, compile},
    workflow::{Crew, Doer, Effects, Role, Runtime, StepPlan, Workflow},
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
    usd_micros_max: u64,
    tokens_max: u64,
    attempts_max: u32,
    effects: &'static str,
}

#[derive(Debug, Serialize)]
struct StepShown<'a> {
    name: &'a str,
    /// `role`, `person` or `crew`.
    doer: &'static str,
    /// `None` when a person or a crew does the step.
    role: Option<&'a str>,
    fallback: Option<&'a str>,
    crew: Option<CrewShown<'a>>,
    after: Vec<&'a str>,
    each: bool,
}

#[derive(Debug, Serialize)]
struct CrewShown<'a> {
    pattern: &'static str,
    lead: &'a str,
    team: Vec<&'a str>,
    max_turns: u32,
    returns: Option<String>,
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
            Runtime::Script => "script",
            Runtime::Model => "model",
        },
        accepts: role.accepts.id(),
        returns: role.returns.id(),
        timeout_ms: millis(role.timeout),
        concurrency: role.concurrency,
        usd_micros_max: role.grant.usd_micros,
        tokens_max: role.grant.tokens,
        attempts_max: role.retry.attempts_max,
        effects: match role.effects {
            Effects::Repeatable => "repeatable",
            Effects::Once => "once",
        },
    }
}

fn step(step: &StepPlan) -> StepShown<'_> {
    StepShown {
        name: step.name.as_str(),
        doer: match step.doer {
            Doer::Role { .. } => "role",
            Doer::Person(_) => "person",
            Doer::Crew(_) => "crew",
        },
        role: step.role().map(|role| role.name.as_str()),
        fallback: step.fallback().map(|role| role.name.as_str()),
        crew: step.crew().map(crew),
        after: step.after.iter().map(|name| name.as_str()).collect(),
        each: step.each.is_some(),
    }
}

fn crew(crew: &Crew) -> CrewShown<'_> {
    CrewShown {
        pattern: crew.pattern.as_str(),
        lead: crew.lead.name.as_str(),
        team: crew.team.iter().map(|role| role.name.as_str()).collect(),
        max_turns: crew.turns_max,
        returns: crew.returns.as_ref().map(|contract| contract.id()),
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
            let role = step.role.unwrap_or(step.doer);
            let who = match (&step.crew, step.fallback) {
                (Some(crew), _) => {
                    format!("{}: {}, {}", crew.pattern, crew.lead, crew.team.join(", "))
                }
                (None, Some(fallback)) => format!("{role}, else {fallback}"),
                (None, None) => role.to_owned(),
            };
            vec![step.name.to_owned(), who, step.after.join(", "), each.to_owned()]
        })
        .collect();
    output::table(&["step", "done by", "after", ""], &steps)?;
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
