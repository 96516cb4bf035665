//! One pack on the bus, as it runs.

use std::{collections::BTreeMap, sync::Arc};

use cadre_core::{
    pack::{PackSource, compile},
    workflow::{Crew, Doer, Effects, Join, Race, Role, Runtime, StepPlan, WhenLimited, Workflow},
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
    /// `partial`, `fail` or `ask_human`.
    when_limited: &'static str,
    /// `None` when no step is undone.
    compensation: Option<CompensationShown>,
    roles: Vec<RoleShown<'a>>,
    steps: Vec<StepShown<'a>>,
    files: BTreeMap<&'a str, String>,
}

#[derive(Debug, Serialize)]
struct CompensationShown {
    within_ms: u64,
    on_partial: bool,
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
    /// What the ends of `after` must have been: `all`, `settled`, `first`, `quorum 2`, `best by …`.
    join: String,
    each: bool,
    /// Which items count, as in `join`; `None` for all that complete.
    take: Option<String>,
    optional: bool,
    compensate: Option<CompensateShown<'a>>,
}

/// What undoes the step at a bad end.
#[derive(Debug, Serialize)]
struct CompensateShown<'a> {
    step: &'a str,
    role: Option<&'a str>,
    timeout_ms: u64,
}

#[derive(Debug, Serialize)]
struct CrewShown<'a> {
    pattern: &'static str,
    lead: &'a str,
    team: Vec<&'a str>,
    max_turns: u32,
    max_repeats: u32,
    max_pingpong: u32,
    stall_after: u32,
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
        let text =
            format!("could not find pack {} ({what} revision): see `cadre pack ls`", args.name);
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
            when_limited: match workflow.when_limited {
                WhenLimited::Partial => "partial",
                WhenLimited::Fail => "fail",
                WhenLimited::AskHuman => "ask_human",
            },
            compensation: (!workflow.compensations.is_empty()).then(|| CompensationShown {
                within_ms: millis(workflow.compensation.within),
                on_partial: workflow.compensation.on_partial,
            }),
            roles: workflow.roles.values().map(role).collect(),
            steps: workflow.steps.iter().map(|it| step(workflow, it)).collect(),
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

fn step<'a>(workflow: &'a Workflow, step: &'a StepPlan) -> StepShown<'a> {
    let take = step.each.as_ref().and_then(|each| each.take.as_ref());
    let undo = workflow.compensation_of(&step.name);
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
        join: match &step.join {
            Join::All => "all".to_owned(),
            Join::Settled => "settled".to_owned(),
            Join::Race(chosen) => race(chosen),
        },
        each: step.each.is_some(),
        take: take.map(race),
        optional: step.optional,
        compensate: undo.map(|undo| CompensateShown {
            step: undo.name.as_str(),
            role: undo.role().map(|role| role.name.as_str()),
            timeout_ms: millis(undo.timeout),
        }),
    }
}

fn race(race: &Race) -> String {
    match race {
        Race::Quorum(1) => "first".to_owned(),
        Race::Quorum(wanted) => format!("quorum {wanted}"),
        Race::Best(score) => format!("best by {}", score.source()),
    }
}

/// What is particular about a step, in a few words; empty for a plain one.
fn remarks(step: &StepShown<'_>) -> String {
    let join = Some(&step.join).filter(|join| join.as_str() != "all");
    let undone = step
        .compensate
        .as_ref()
        .map(|undo| format!("undone by {}", undo.role.unwrap_or(undo.step)));
    [
        join.map(|join| format!("join {join}")),
        step.each.then(|| "each".to_owned()),
        step.take.as_ref().map(|take| format!("take {take}")),
        step.optional.then(|| "optional".to_owned()),
        undone,
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(", ")
}

fn crew(crew: &Crew) -> CrewShown<'_> {
    CrewShown {
        pattern: crew.pattern.as_str(),
        lead: crew.lead.name.as_str(),
        team: crew.team.iter().map(|role| role.name.as_str()).collect(),
        max_turns: crew.turns_max,
        max_repeats: crew.loops.repeats_max,
        max_pingpong: crew.loops.pingpong_max,
        stall_after: crew.loops.stall_after,
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
            let role = step.role.unwrap_or(step.doer);
            let who = match (&step.crew, step.fallback) {
                (Some(crew), _) => {
                    let (team, turns) = (crew.team.join(", "), crew.max_turns);
                    format!("{}: {}, {team}; at most {turns} turns", crew.pattern, crew.lead)
                }
                (None, Some(fallback)) => format!("{role}, else {fallback}"),
                (None, None) => role.to_owned(),
            };
            vec![step.name.to_owned(), who, step.after.join(", "), remarks(step)]
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;
    use crate::packs::{BuiltIn, read};

    fn shown(source: &PackSource) -> (Value, Vec<String>) {
        let workflow = compile(source).unwrap();
        let shown = Shown::of(&workflow, source);
        let remarks = shown.steps.iter().map(remarks).collect();
        (serde_json::to_value(&shown).unwrap(), remarks)
    }

    fn found<'a>(document: &'a Value, name: &str) -> &'a Value {
        let steps = document["steps"].as_array().unwrap();
        steps.iter().find(|step| step["name"] == name).unwrap()
    }

    #[test]
    fn races_and_compensations_are_shown() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/packs/saga");
        let (document, remarks) = shown(&read(Path::new(folder)).unwrap());
        assert_eq!(document["compensation"], json!({"within_ms": 120_000, "on_partial": false}));
        let pick = found(&document, "pick");
        assert_eq!(pick["join"], "best by 1000 - output.usd");
        let undo = json!({"step": "compensate_pick", "role": "trip-undo", "timeout_ms": 15_000});
        assert_eq!(pick["compensate"], undo);
        assert_eq!(found(&document, "train")["compensate"], Value::Null);
        let said = "join best by 1000 - output.usd, undone by trip-undo";
        assert!(remarks.iter().any(|it| it == said), "{remarks:?}");
        assert!(remarks.iter().any(|it| it == "each, undone by trip-undo"), "{remarks:?}");
    }

    #[test]
    fn crews_are_shown_with_their_limits() {
        let source = BuiltIn::find("support").unwrap().source();
        let (document, _) = shown(&source);
        let crew = &found(&document, "desk")["crew"];
        assert_eq!(crew["pattern"], "supervisor");
        assert_eq!((&crew["max_turns"], &crew["max_repeats"]), (&json!(8), &json!(2)));
        assert_eq!(document["compensation"], Value::Null);
    }
}
