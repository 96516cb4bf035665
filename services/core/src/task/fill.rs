//! What an attempt is given: a template with its holes filled, checked by whoever takes it.

use super::{
    env::Env,
    input::{Failure, FailureKind},
    plan::Planner,
};
use crate::{
    expr::Template,
    ids::StepId,
    payload::Payload,
    workflow::{Role, StepPlan},
};

impl Planner<'_> {
    pub(super) fn render(
        &self,
        declared: &StepPlan,
        item: Option<u32>,
        role: &Role,
    ) -> Result<Payload, Failure> {
        accepted(role, self.fill(declared, &declared.with, item)?)
    }

    /// What a compensation is given: it sees what its step saw, and the step's own output.
    pub(super) fn render_undo(
        &self,
        (declared, done): (&StepPlan, &StepId),
        output: &Payload,
        role: &Role,
    ) -> Result<Payload, Failure> {
        let env = Env::new(self.workflow(), self.task()).with_report(done, output, None);
        accepted(role, filled(&declared.with, &env)?)
    }

    pub(super) fn fill(
        &self,
        declared: &StepPlan,
        template: &Template,
        item: Option<u32>,
    ) -> Result<Payload, Failure> {
        let mut env = Env::new(self.workflow(), self.task());
        if let (Some(each), Some(index)) = (&declared.each, item) {
            env = env.with_item(each, &declared.name, index);
        }
        filled(template, &env)
    }
}

fn filled(template: &Template, env: &Env<'_>) -> Result<Payload, Failure> {
    let failure = |kind, text: String| Failure::new(kind, &text);
    let value = template
        .render(env)
        .map_err(|error| failure(FailureKind::Expression, format!("with: {error}")))?;
    Payload::from_value(value)
        .map_err(|error| failure(FailureKind::InvalidInput, format!("with: {error}")))
}

/// An input that the role accepts.
pub(super) fn accepted(role: &Role, input: Payload) -> Result<Payload, Failure> {
    match role.accepts.check(input.value()) {
        Ok(()) => Ok(input),
        Err(violations) => {
            let text = format!("breaks contract {}: {violations}", role.accepts.id());
            let refused = Some(input);
            Err(Failure { refused, ..Failure::new(FailureKind::InvalidInput, &text) })
        }
    }
}
