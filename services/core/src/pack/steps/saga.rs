//! Compiles races between steps or items, and what undoes a step.

use super::{Expr, Scope, Shape, check_input, doer, expr, output, template};
use crate::{
    ids::{Name, StepId},
    limits::COMPENSATION_MAX,
    pack::{
        compile::{Compiler, Frame},
        grammar::{CompensateDecl, EachDecl, JoinDecl, StepDecl, TakeDecl, WorkflowDecl},
        problems::pointer,
        units::shown,
    },
    task::undone_by,
    workflow::{AskTerms, Compensation, Doer, Grant, Join, Otherwise, Race, StepPlan},
};

/// What a score sees beside everything else.
fn scoring(scope: &Scope) -> Scope {
    let names = ["output", "confidence", "step"];
    names.iter().fold(scope.clone(), |scope, name| scope.with(name, Shape::Any))
}

/// What the ends of a step's predecessors must be.
pub(super) fn join(
    compiler: &mut Compiler,
    (_, step): (&str, &StepDecl),
    scope: &Scope,
    at: &str,
) -> Option<Join> {
    let at = format!("{at}/join");
    let race = match &step.join {
        JoinDecl::All => return Some(Join::All),
        JoinDecl::Settled => return Some(Join::Settled),
        JoinDecl::First => Race::Quorum(1),
        JoinDecl::Quorum(wanted) => Race::Quorum(*wanted),
        JoinDecl::Best(score) => Race::Best(expr(compiler, score, &scoring(scope), &at)?),
    };
    if step.each.is_some() {
        // The choice among steps and the items of one step would have one name.
        let message = "chooses among steps, and a fan-out is a list: let another step, with `each`, \
                       come after this one";
        compiler.problems.at(&at, message);
    }
    let count = step.after.len();
    let wanted = match &race {
        Race::Quorum(wanted) => usize::try_from(*wanted).unwrap_or(usize::MAX),
        Race::Best(_) => 1,
    };
    if wanted > count {
        let message = format!("wants {wanted} of the {count} steps in `after`");
        compiler.problems.at(&at, message);
    }
    Some(Join::Race(race))
}

/// Reports what else comes after a step that runs in a race: a loser is stopped in its middle.
pub(super) fn check_race(compiler: &mut Compiler, frame: &Frame, (name, step): (&str, &StepDecl)) {
    let is_race = match &step.join {
        JoinDecl::First | JoinDecl::Quorum(_) => true,
        JoinDecl::All | JoinDecl::Settled | JoinDecl::Best(_) => false,
    };
    for (index, racer) in step.after.iter().enumerate().filter(|_| is_race) {
        let all = &frame.declared.workflow.steps;
        let other = all.iter().find(|(other, step)| *other != name && step.after.contains(racer));
        if let Some((other, _)) = other {
            let at = pointer(&["workflow", "steps", name, "after"]);
            let message = format!(
                "`{racer}` may be stopped once `{name}` has what it wants, but `{other}` comes after \
                 it, too"
            );
            compiler.problems.at(&format!("{at}/{index}"), message);
        }
    }
}

/// Which items of a fan-out count; `None` when that is not declared.
pub(super) fn take(
    compiler: &mut Compiler,
    each: &EachDecl,
    (scope, over): (&Scope, Option<&Expr>),
    at: &str,
) -> Option<Option<Race>> {
    let declared = each.take.as_ref()?;
    let at = format!("{at}/each/take");
    if each.keep_partial.is_some() {
        let message = "says how many items are enough already: leave out `keep_partial`";
        compiler.problems.at_key(&at, message);
    }
    Some(match declared {
        TakeDecl::First => Some(Race::Quorum(1)),
        TakeDecl::Quorum(wanted) => Some(Race::Quorum(*wanted)),
        TakeDecl::Best(score) => {
            let item = over.map(|over| over.shape().item()).unwrap_or_default();
            let scope = scoring(scope).with(&each.item, item);
            expr(compiler, score, &scope, &at).map(Race::Best)
        }
    })
}

/// When compensations run, and for how long.
pub(in crate::pack) fn compensation(
    compiler: &mut Compiler,
    workflow: &WorkflowDecl,
) -> Option<Compensation> {
    let Some(declared) = &workflow.compensation else { return Some(Compensation::default()) };
    let at = "/workflow/compensation";
    if workflow.steps.values().all(|step| step.compensate.is_none()) {
        compiler.problems.at_key(at, "is for steps with `compensate`: there are none");
    }
    let within = match &declared.within {
        None => Compensation::default().within,
        Some(within) => compiler.duration(within, &format!("{at}/within"))?,
    };
    if within > COMPENSATION_MAX {
        let message = format!("is longer than {}", shown(COMPENSATION_MAX));
        compiler.problems.at(&format!("{at}/within"), message);
    }
    Some(Compensation { within, on_partial: declared.on_partial })
}

/// The step that undoes another one. `scope` is what that one's `with` sees, without the item.
pub(super) fn compile(
    compiler: &mut Compiler,
    frame: &Frame,
    (name, step, undo): (&str, &StepDecl, &CompensateDecl),
    scope: Scope,
) -> Option<StepPlan> {
    let at = pointer(&["workflow", "steps", name, "compensate"]);
    if step.approval.is_some() {
        compiler.problems.at_key(&at, "is for what a role has done: a person's yes undoes nothing");
        return None;
    }
    let done = Name::new(name).ok()?;
    let Some(own) = undone_by(&StepId::single(done.clone())) else {
        let message = format!("`compensate_{name}` would be too long a name: shorten the step's");
        compiler.problems.at_key(&at, message);
        return None;
    };
    if frame.declared.workflow.steps.contains_key(own.name.as_str()) {
        compiler.problems.at_key(&at, format!("is step `{}`: rename the other one", own.name));
    }
    let role = doer::find_role(compiler, frame, &undo.role, &format!("{at}/role"))?;
    if role.grant != Grant::default() {
        let message = format!("spends: role `{}` cannot, for the budget may be used up", role.name);
        compiler.problems.at(&format!("{at}/role"), message);
    }
    let scope = scope.with(name, output(frame, step));
    let scope = match &step.each {
        Some(each) => scope.with(&each.item, Shape::Any),
        None => scope,
    };
    check_input(compiler, &role.accepts, &undo.with, &format!("{at}/with"));
    let with = template(compiler, &undo.with, &scope, &format!("{at}/with"));
    let timeout = doer::timeout(compiler, undo.timeout.as_ref(), (&role, None), &at)?;
    Some(StepPlan {
        name: own.name,
        doer: Doer::Role { role, fallback: None },
        ask: AskTerms::default(),
        after: vec![done],
        join: Join::All,
        when: None,
        with,
        each: None,
        accept_if: None,
        otherwise: Otherwise::Fail,
        optional: true,
        timeout,
    })
}
