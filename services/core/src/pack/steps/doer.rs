//! Compiles who does a step: a role and its fallback, or a person.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{check_input, template};
use crate::{
    expr::{Scope, Shape, suggestion},
    ids::Name,
    pack::{
        compile::{Compiler, Frame},
        grammar::{ApprovalDecl, DurationDecl, StepDecl, TermsDecl},
        units::shown,
    },
    workflow::{Approval, AskTerms, Doer, Role},
};

/// Who does a step, how a person is asked, and how long it may take.
pub(super) struct DoerPlan {
    pub(super) doer: Doer,
    pub(super) ask: AskTerms,
    pub(super) timeout: Duration,
}

/// The shape of what an approval gives.
pub(super) fn approved() -> Shape {
    let by = ("by".to_owned(), Shape::Any.list());
    let others = ["decision", "content"].map(|name| (name.to_owned(), Shape::Any));
    Shape::Object { fields: others.into_iter().chain([by]).collect(), closed: true }
}

/// Compiles who does the step at `at`; `scope` is what its input can read.
pub(super) fn compile(
    compiler: &mut Compiler,
    frame: &Frame,
    (step, scope): (&StepDecl, &Scope),
    at: &str,
) -> Option<DoerPlan> {
    match (&step.role, &step.approval) {
        (Some(role), None) => by_role(compiler, frame, (step, role), at),
        (None, Some(approval)) => {
            refuse_for_people(compiler, step, at);
            by_person(compiler, frame, (approval, scope), &format!("{at}/approval"))
        }
        // The grammar allows neither; a key without a value is what comes here.
        (None, None) => {
            compiler.problems.at_key(at, "lacks `role` or `approval`");
            None
        }
        (Some(_), Some(_)) => {
            compiler.problems.at_key(at, "has both `role` and `approval`: keep one");
            None
        }
    }
}

fn by_role(
    compiler: &mut Compiler,
    frame: &Frame,
    (step, role): (&StepDecl, &str),
    at: &str,
) -> Option<DoerPlan> {
    let role = find_role(compiler, frame, role, &format!("{at}/role"));
    if let Some(role) = &role {
        check_input(compiler, &role.accepts, &step.with, &format!("{at}/with"));
    }
    let fallback = step.fallback.as_ref().map(|name| {
        let at = format!("{at}/fallback");
        let spare = find_role(compiler, frame, name, &at);
        if let (Some(role), Some(spare)) = (&role, &spare) {
            check_fallback(compiler, role, spare, &at);
        }
        spare
    });
    let ask = match &step.ask {
        Some(ask) => terms(compiler, frame, ask.into(), &format!("{at}/ask")),
        None => Some(AskTerms::default()),
    };
    let (role, fallback) = (role?, super::all_or_none(fallback)?);
    let timeout = timeout(compiler, step.timeout.as_ref(), (&role, fallback.as_deref()), at)?;
    Some(DoerPlan { doer: Doer::Role { role, fallback }, ask: ask?, timeout })
}

pub(super) fn find_role(
    compiler: &mut Compiler,
    frame: &Frame,
    name: &str,
    at: &str,
) -> Option<Arc<Role>> {
    if !frame.declared.roles.contains_key(name) {
        let known = suggestion(name, frame.declared.roles.keys().map(String::as_str));
        compiler.problems.at(at, format!("unknown role `{name}`{known}"));
    }
    frame.roles.get(&Name::new(name).ok()?).cloned()
}

/// A fallback takes the same input and gives the same output, so that nothing else must know of it.
fn check_fallback(compiler: &mut Compiler, role: &Role, spare: &Role, at: &str) {
    if role.name == spare.name {
        let message = "is the step's own role: for more attempts give the role a `retry`";
        return compiler.problems.at(at, message);
    }
    for (verb, own, other) in [
        ("accepts", role.accepts.id(), spare.accepts.id()),
        ("returns", role.returns.id(), spare.returns.id()),
    ] {
        if own != other {
            let message = format!("{verb} {other}, but role `{}` {verb} {own}", role.name);
            compiler.problems.at(at, message);
        }
    }
}

/// Each role keeps to its own timeout, so the step's can be the longer one of both.
pub(super) fn timeout(
    compiler: &mut Compiler,
    declared: Option<&DurationDecl>,
    (role, fallback): (&Role, Option<&Role>),
    at: &str,
) -> Option<Duration> {
    let longer = fallback.filter(|spare| spare.timeout > role.timeout).unwrap_or(role);
    let Some(declared) = declared else { return Some(longer.timeout) };
    let at = format!("{at}/timeout");
    let timeout = compiler.duration(declared, &at)?;
    if timeout > longer.timeout {
        let most = shown(longer.timeout);
        let message = format!("is longer than the {most} of role `{}`", longer.name);
        compiler.problems.at(&at, message);
    }
    Some(timeout)
}

/// Reports what has a meaning for roles only.
fn refuse_for_people(compiler: &mut Compiler, step: &StepDecl, at: &str) {
    let judged = "is for the report of a role: here a person decides";
    for (key, is_written, why) in [
        ("fallback", step.fallback.is_some(), "is for a role that fails: here a person decides"),
        ("ask", step.ask.is_some(), "is for steps of roles: write its keys inside `approval`"),
        ("accept_if", step.accept_if.is_some(), judged),
        ("otherwise", step.otherwise.is_some(), judged),
        (
            "timeout",
            step.timeout.is_some(),
            "is for steps of roles: write `expires` inside `approval`",
        ),
    ] {
        if is_written {
            compiler.problems.at_key(&format!("{at}/{key}"), why);
        }
    }
}

fn by_person(
    compiler: &mut Compiler,
    frame: &Frame,
    (approval, scope): (&ApprovalDecl, &Scope),
    at: &str,
) -> Option<DoerPlan> {
    let question = Value::String(approval.question.clone());
    let question = template(compiler, &question, scope, &format!("{at}/question"));
    let terms = terms(compiler, frame, approval.into(), at)?;
    let timeout = terms.expires.or(frame.deadline)?;
    let doer = Doer::Person(Approval { question, terms });
    Some(DoerPlan { doer, ask: terms, timeout })
}

fn terms(
    compiler: &mut Compiler,
    frame: &Frame,
    declared: TermsDecl,
    at: &str,
) -> Option<AskTerms> {
    let expires = declared.expires.map(|expires| {
        let at = format!("{at}/expires");
        let expires = compiler.duration(expires, &at)?;
        compiler.within(expires, frame.deadline, &at);
        Some(expires)
    });
    // Several people must agree to the same content, so none of them can change it.
    let is_single = declared.quorum <= 1;
    if declared.editable == Some(true) && !is_single {
        let message = "needs a quorum of 1: several people must agree to the same content";
        compiler.problems.at(&format!("{at}/editable"), message);
    }
    Some(AskTerms {
        expires: super::all_or_none(expires)?,
        when_expired: declared.when_expired.into(),
        quorum: declared.quorum,
        four_eyes: declared.four_eyes,
        editable: declared.editable.unwrap_or(is_single),
    })
}
