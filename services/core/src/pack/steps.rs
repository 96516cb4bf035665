//! Compiles the steps: their order, what each can read, and every expression.

mod crew;
mod doer;
mod names;
mod saga;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

pub(super) use self::saga::compensation;
use self::{doer::DoerPlan, names::check_names};
use super::{
    compile::{Compiler, Frame},
    document::escaped,
    grammar::{EachDecl, StepDecl},
    problems::pointer,
    units::decimal,
};
use crate::{
    contract::Contract,
    expr::{Expr, Scope, Shape, Template},
    ids::Name,
    limits::FAN_OUT_PARALLEL_DEFAULT,
    workflow::{Doer, Each, Otherwise, StepPlan},
};

type Steps = BTreeMap<String, StepDecl>;

/// Compiles all steps, each behind everything that it comes after, else in declared order.
pub(super) fn compile(compiler: &mut Compiler, frame: &Frame) -> (Vec<StepPlan>, Vec<StepPlan>) {
    let declared = &frame.declared.workflow.steps;
    for role in frame.declared.roles.keys() {
        let undo = |step: &StepDecl| step.compensate.as_ref().map(|undo| undo.role.clone());
        let uses = |step: &StepDecl| {
            [step.role.clone(), step.fallback.clone(), undo(step)].contains(&Some(role.clone()))
                || step.crew.as_ref().is_some_and(|crew| crew.roles().any(|name| name == role))
        };
        if !declared.values().any(uses) {
            compiler.problems.at_key(&pointer(&["roles", role]), "no step uses this role");
        }
    }
    for (name, step) in declared {
        check_names(compiler, declared, name, step);
        saga::check_race(compiler, frame, (name, step));
    }
    let (mut plans, mut undoing) = (Vec::new(), Vec::new());
    let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for name in sorted(compiler, declared) {
        let Some((name, step)) = declared.get_key_value(name) else { continue };
        let mut all = BTreeSet::new();
        for after in step.after.iter().map(String::as_str) {
            all.insert(after);
            all.extend(before.get(after).into_iter().flatten());
        }
        let scope = scope(frame, &all, name);
        before.insert(name, all);
        let inner = scope.clone();
        plans.extend(compile_step(compiler, frame, (name, step), scope));
        if let Some(undo) = &step.compensate {
            undoing.extend(saga::compile(compiler, frame, (name, step, undo), inner));
        }
    }
    (plans, undoing)
}

/// What expressions can read: goal, task, and the steps of `visible`.
pub(super) fn base_scope(frame: &Frame, visible: impl Fn(&str) -> Result<(), String>) -> Scope {
    let shape = |contract: &Arc<Contract>| Shape::of_schema(contract.schema());
    let goal = frame.input.as_ref().map(shape).unwrap_or_default();
    let task = Shape::closed(&["id", "tenant", "workflow", "key", "winners"]);
    let mut scope = Scope::new();
    for (name, step) in &frame.declared.workflow.steps {
        scope = match visible(name) {
            Ok(()) => {
                let output = output(frame, step);
                scope.with(name, if step.each.is_some() { output.list() } else { output })
            }
            Err(reason) => scope.without(name, reason),
        };
    }
    scope.with("goal", goal).with("task", task)
}

fn scope(frame: &Frame, before: &BTreeSet<&str>, name: &str) -> Scope {
    base_scope(frame, |other| {
        if before.contains(other) {
            Ok(())
        } else if other == name {
            Err(format!("`{other}` is this very step: only accept_if sees its output"))
        } else {
            Err(format!("`{other}` does not come before `{name}`: add it to the step's `after`"))
        }
    })
    .without("report", "`report` is known to accept_if only".to_owned())
}

/// The shape of one report of a step.
fn output(frame: &Frame, step: &StepDecl) -> Shape {
    if step.approval.is_some() {
        return doer::approved();
    }
    if let Some(crew) = &step.crew {
        return crew::output(frame, crew);
    }
    let role = step.role.as_ref().and_then(|name| frame.roles.get(&Name::new(name).ok()?));
    role.map(|role| Shape::of_schema(role.returns.schema())).unwrap_or_default()
}

/// Names of the steps in order; steps that wait for each other are reported and left out.
fn sorted<'a>(compiler: &mut Compiler, declared: &'a Steps) -> Vec<&'a str> {
    let order = compiler.document.order("/workflow/steps");
    let mut left: Vec<&str> = order
        .iter()
        .filter_map(|name| declared.get_key_value(name).map(|(name, _)| name.as_str()))
        .collect();
    let mut sorted: Vec<&str> = Vec::with_capacity(left.len());
    let is_ready = |name: &str, sorted: &[&str]| {
        let after = declared.get(name).map(|step| step.after.as_slice()).unwrap_or_default();
        after.iter().all(|after| sorted.contains(&after.as_str()) || !declared.contains_key(after))
    };
    while let Some(next) = left.iter().position(|name| is_ready(name, &sorted)) {
        sorted.push(left.remove(next));
    }
    if let Some(circle) = circle(declared, &left) {
        let first = circle.first().copied().unwrap_or_default();
        let message = format!("steps wait for each other: {}", circle.join(" after "));
        compiler.problems.at(&pointer(&["workflow", "steps", first, "after"]), message);
    }
    sorted
}

/// One circle among steps of which each comes after another one of them.
fn circle<'a>(declared: &'a Steps, left: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut way = vec![*left.first()?];
    loop {
        let step = declared.get(*way.last()?)?;
        let next = left.iter().find(|name| step.after.iter().any(|after| after == *name))?;
        let known = way.iter().position(|name| name == next);
        way.push(next);
        if let Some(start) = known {
            return Some(way.split_off(start));
        }
    }
}

fn compile_step(
    compiler: &mut Compiler,
    frame: &Frame,
    (name, step): (&str, &StepDecl),
    scope: Scope,
) -> Option<StepPlan> {
    let at = pointer(&["workflow", "steps", name]);
    let when = step.when.as_deref().map(|when| expr(compiler, when, &scope, &format!("{at}/when")));
    let each = step.each.as_ref().map(|each| compile_each(compiler, each, &scope, &at));
    let item_shape = || each.as_ref().and_then(|each| Some(each.as_ref()?.over.shape().item()));
    let join = saga::join(compiler, (name, step), &scope, &at);
    let inner = match &step.each {
        Some(declared) => scope.with(&declared.item, item_shape().unwrap_or_default()),
        None => scope,
    };
    let with = template(compiler, &step.with, &inner, &format!("{at}/with"));
    let doer = doer::compile(compiler, frame, (step, &inner), &at);
    // Of an approval it was reported.
    let accept_if = step.accept_if.as_deref().filter(|_| step.approval.is_none());
    let accept_if = accept_if.map(|accept_if| {
        let report = Shape::closed(&["confidence", "unsure"]);
        let scope = inner.with(name, output(frame, step)).with("report", report);
        expr(compiler, accept_if, &scope, &format!("{at}/accept_if"))
    });
    let DoerPlan { doer, ask, timeout } = doer?;
    let otherwise = match (step.otherwise, &doer) {
        (Some(declared), _) => declared.into(),
        // Whoever goes in circles does not find out by itself.
        (None, Doer::Crew(_)) => Otherwise::AskHuman,
        (None, Doer::Role { .. } | Doer::Person(_)) => Otherwise::Fail,
    };
    Some(StepPlan {
        name: Name::new(name).ok()?,
        doer,
        ask,
        after: step.after.iter().map(|after| Name::new(after)).collect::<Result<_, _>>().ok()?,
        join: join?,
        when: all_or_none(when)?,
        with,
        each: all_or_none(each)?,
        accept_if: all_or_none(accept_if)?,
        otherwise,
        optional: step.optional,
        timeout,
    })
}

/// `None` when something was declared that did not compile.
pub(super) fn all_or_none<T>(compiled: Option<Option<T>>) -> Option<Option<T>> {
    match compiled {
        None => Some(None),
        Some(compiled) => compiled.map(Some),
    }
}

fn compile_each(compiler: &mut Compiler, each: &EachDecl, scope: &Scope, at: &str) -> Option<Each> {
    let over = expr(compiler, &each.over, scope, &format!("{at}/each/over"));
    let keep = each
        .keep_partial
        .as_ref()
        .map_or(Some(1000), |keep| decimal(keep, 3).filter(|permille| *permille <= 1000));
    if keep.is_none() {
        let message = "is no share: write 0 to 1 with at most 3 decimals, such as 0.8";
        compiler.problems.at(&format!("{at}/each/keep_partial"), message);
    }
    let take = saga::take(compiler, each, (scope, over.as_ref()), at);
    Some(Each {
        over: over?,
        item: Name::new(&each.item).ok()?,
        parallel: each.parallel.unwrap_or(FAN_OUT_PARALLEL_DEFAULT),
        keep_partial_permille: u16::try_from(keep?).ok()?,
        take: all_or_none(take)?,
    })
}

/// Compiles an expression of the pack file.
pub(super) fn expr(compiler: &mut Compiler, source: &str, scope: &Scope, at: &str) -> Option<Expr> {
    Expr::compile(source, scope).map_err(|error| compiler.problems.at(at, error.message)).ok()
}

/// Compiles a document of the pack file.
pub(super) fn template(compiler: &mut Compiler, with: &Value, scope: &Scope, at: &str) -> Template {
    let mut errors = Vec::new();
    let template = Template::compile_all(with, scope, &mut errors);
    for error in errors {
        compiler.problems.at(&format!("{at}{}", error.path), error.message);
    }
    template
}

/// Checks the keys of a step's input against the contract, as far as both are written out.
fn check_input(compiler: &mut Compiler, accepts: &Contract, with: &Value, at: &str) {
    let Value::Object(fields) = with else { return };
    let contract = format!("contract {}", accepts.id());
    let shape = Shape::of_schema(accepts.schema());
    for key in fields.keys() {
        if let Err(message) = shape.field(&contract, key) {
            compiler.problems.at_key(&format!("{at}/{}", escaped(key)), message);
        }
    }
    let required = accepts.schema().get("required").and_then(Value::as_array);
    for key in required.into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(key) {
            compiler.problems.at_key(at, format!("lacks `{key}`, which {contract} requires"));
        }
    }
}
