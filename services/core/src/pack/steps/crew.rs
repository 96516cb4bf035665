//! Compiles a step that several roles do together.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::doer::{DoerPlan, asked, find_role, timeout_within};
use crate::{
    contract::Contract,
    expr::Shape,
    ids::Name,
    pack::{
        compile::{Compiler, Frame},
        grammar::{CrewDecl, StepDecl},
    },
    workflow::{Crew, Doer, LoopTerms, Pattern, Role},
};

/// What every turn gets.
const TURN_KEYS: [&str; 4] = ["input", "from", "reason", "previous"];
/// What a router gets beside.
const ROUTER_KEYS: [&str; 3] = ["team", "turns", "turns_left"];
/// What a planner gets beside, the first time.
const PLANNER_KEYS: [&str; 2] = ["team", "steps_max"];

/// The shape of what a crew gives.
pub(super) fn output(frame: &Frame, crew: &CrewDecl) -> Shape {
    let of_lead = || {
        let lead = frame.roles.get(&Name::new(&crew.lead).ok()?)?;
        (Pattern::from(crew.pattern) == Pattern::Supervisor).then(|| Arc::clone(&lead.returns))
    };
    let contract = match &crew.returns {
        Some(path) => frame.crew_contracts.get(path).cloned(),
        None => of_lead(),
    };
    contract.map(|contract| Shape::of_schema(contract.schema())).unwrap_or_default()
}

/// Compiles the crew of the step at `at`.
pub(super) fn compile(
    compiler: &mut Compiler,
    frame: &Frame,
    (step, crew): (&StepDecl, &CrewDecl),
    at: &str,
) -> Option<DoerPlan> {
    refuse_for_crews(compiler, step, at);
    let crew_at = format!("{at}/crew");
    let pattern = Pattern::from(crew.pattern);
    let lead = find_role(compiler, frame, &crew.lead, &format!("{crew_at}/lead"));
    let team = team(compiler, frame, crew, &crew_at);
    let returns = crew.returns.as_ref().map(|path| frame.crew_contracts.get(path).cloned());
    let ask = asked(compiler, frame, step, at);
    check_lead(compiler, crew, &crew_at);
    let (lead, team) = (lead?, team?);
    check_inputs(compiler, pattern, (&lead, &team), &crew_at);
    let longest = team.iter().chain([&lead]).max_by_key(|role| role.timeout)?;
    let timeout = timeout_within(compiler, step.timeout.as_ref(), longest, at)?;
    let default = LoopTerms::default();
    let loops = LoopTerms {
        repeats_max: crew.max_repeats.unwrap_or(default.repeats_max),
        pingpong_max: crew.max_pingpong.unwrap_or(default.pingpong_max),
        stall_after: crew.stall_after.unwrap_or(default.stall_after),
    };
    let (turns_max, returns) = (crew.max_turns, super::all_or_none(returns)?);
    let doer = Doer::Crew(Crew { pattern, lead, team, turns_max, loops, returns });
    Some(DoerPlan { doer, ask: ask?, timeout })
}

fn team(
    compiler: &mut Compiler,
    frame: &Frame,
    crew: &CrewDecl,
    at: &str,
) -> Option<Vec<Arc<Role>>> {
    let mut seen = BTreeSet::new();
    let roles: Vec<_> = crew
        .team
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let at = format!("{at}/team/{index}");
            if !seen.insert(name) {
                compiler.problems.at(&at, format!("role `{name}` is in the team twice"));
            }
            find_role(compiler, frame, name, &at)
        })
        .collect();
    roles.into_iter().collect()
}

/// Who leads a network works in it; who routes or plans does nothing else.
fn check_lead(compiler: &mut Compiler, crew: &CrewDecl, at: &str) {
    let is_member = crew.team.contains(&crew.lead);
    let message = match (Pattern::from(crew.pattern), is_member) {
        (Pattern::Network, false) => "is not in the team: a network begins with a member",
        (Pattern::Supervisor, true) => "is in the team: a router hands work to others",
        (Pattern::Planner, true) => "is in the team: a planner plans for others",
        (Pattern::Network, true) | (Pattern::Supervisor | Pattern::Planner, false) => return,
    };
    compiler.problems.at(&format!("{at}/lead"), message);
}

/// Whether the roles can take what a turn gets, as far as their contracts are written out.
fn check_inputs(
    compiler: &mut Compiler,
    pattern: Pattern,
    (lead, team): (&Role, &[Arc<Role>]),
    at: &str,
) {
    let with = |more: &[&'static str]| [&TURN_KEYS, more].concat();
    match pattern {
        Pattern::Network => {}
        Pattern::Supervisor => {
            check_keys(compiler, &lead.accepts, &with(&ROUTER_KEYS), &format!("{at}/lead"));
        }
        Pattern::Planner => {
            return check_keys(
                compiler,
                &lead.accepts,
                &with(&PLANNER_KEYS),
                &format!("{at}/lead"),
            );
        }
    }
    for (index, role) in team.iter().enumerate() {
        check_keys(compiler, &role.accepts, &TURN_KEYS, &format!("{at}/team/{index}"));
    }
}

fn check_keys(compiler: &mut Compiler, accepts: &Contract, keys: &[&str], at: &str) {
    let contract = format!("contract {}", accepts.id());
    let shape = Shape::of_schema(accepts.schema());
    for key in keys {
        if let Err(message) = shape.field(&contract, key) {
            compiler.problems.at(at, format!("gets `{key}` with each turn, but {message}"));
        }
    }
    let required = accepts.schema().get("required").and_then(Value::as_array);
    for key in required.into_iter().flatten().filter_map(Value::as_str) {
        if !keys.contains(&key) {
            let message = format!("{contract} requires `{key}`, which no turn has");
            compiler.problems.at(at, message);
        }
    }
}

/// Reports what has no meaning for a crew.
fn refuse_for_crews(compiler: &mut Compiler, step: &StepDecl, at: &str) {
    for (key, is_written, why) in [
        ("fallback", step.fallback.is_some(), "is for a step of one role: here the team decides"),
        ("each", step.each.is_some(), "is for steps of one role: a crew's turns are its items"),
    ] {
        if is_written {
            compiler.problems.at_key(&format!("{at}/{key}"), why);
        }
    }
}
