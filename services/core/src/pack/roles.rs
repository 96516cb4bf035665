//! Compiles the roles: their contracts, what one attempt may take and spend, and retries.

use std::time::Duration;

use super::{
    compile::Compiler,
    grammar::{RetryDecl, RoleDecl},
    models::Shelf,
    problems::pointer,
    units::{shown, usd_shown},
};
use crate::workflow::{Grant, Retry, Role, TaskLimits};

/// Role names that mean something else on the bus.
const ROLES_RESERVED: [&str; 1] = ["aggregate"];

impl Compiler<'_, '_> {
    /// Compiles one role; `limits` are the workflow's, where those are right.
    pub(super) fn role(
        &mut self,
        name: &str,
        role: &RoleDecl,
        limits: Option<TaskLimits>,
        shelf: Shelf<'_>,
    ) -> Option<Role> {
        let at = pointer(&["roles", name]);
        let valid = self.name(name, &at);
        if ROLES_RESERVED.contains(&name) {
            self.problems
                .at_key(&at, format!("`{name}` is the name of a part of Cadre: choose another"));
        }
        let accepts = self.contracts.get(&role.accepts, &format!("{at}/accepts"), self.problems);
        let returns = self.contracts.get(&role.returns, &format!("{at}/returns"), self.problems);
        let deadline = limits.map(|limits| limits.deadline);
        let timeout_at = format!("{at}/limits/timeout");
        let timeout = self.duration(&role.limits.timeout, &timeout_at);
        if let Some(timeout) = timeout {
            self.within(timeout, deadline, &timeout_at);
        }
        let grant = self.grant(role, limits, &format!("{at}/limits"));
        let script = self.script(role, accepts.as_deref(), &at);
        let model = self.model_role((role, &at), accepts.as_deref(), shelf);
        let retry = role.retry.as_ref().map(|retry| self.retry(retry, &format!("{at}/retry")));
        Some(Role {
            name: valid?,
            runtime: role.runtime.into(),
            accepts: accepts?,
            returns: returns?,
            timeout: timeout?,
            concurrency: role.concurrency,
            grant: grant?,
            effects: role.effects.into(),
            retry: retry.unwrap_or_else(|| Some(Retry::default()))?,
            script: script?,
            model: model?,
        })
    }

    /// What one attempt may spend: never more than a whole task, or no attempt could begin.
    fn grant(&mut self, role: &RoleDecl, limits: Option<TaskLimits>, at: &str) -> Option<Grant> {
        let usd_at = format!("{at}/max_usd");
        let usd = role.limits.max_usd.as_ref().map(|usd| self.usd(usd, &usd_at));
        let usd_micros = usd.unwrap_or(Some(0))?;
        let tokens = role.limits.max_tokens;
        if let Some(limits) = limits {
            if usd_micros > limits.usd_micros_max {
                let most = usd_shown(limits.usd_micros_max);
                let message =
                    format!("is more than the workflow's {most}: no attempt could ever begin");
                self.problems.at(&usd_at, message);
            }
            if tokens > limits.tokens_max {
                let most = limits.tokens_max;
                let message =
                    format!("is more than the workflow's {most}: no attempt could ever begin");
                self.problems.at(&format!("{at}/max_tokens"), message);
            }
        }
        Some(Grant { usd_micros, tokens })
    }

    fn retry(&mut self, declared: &RetryDecl, at: &str) -> Option<Retry> {
        let default = Retry::default();
        let mut wait = |key: &str, declared: Option<_>, default: Duration| match declared {
            Some(declared) => self.wait(declared, &format!("{at}/{key}")),
            None => Some(default),
        };
        let backoff = wait("backoff", declared.backoff.as_ref(), default.backoff)?;
        let backoff_max = wait("backoff_max", declared.backoff_max.as_ref(), default.backoff_max)?;
        if backoff > backoff_max {
            // At what was written: the other one may be the default.
            let (key, text) = match &declared.backoff_max {
                Some(_) => ("backoff_max", format!("is shorter than backoff, {}", shown(backoff))),
                None => {
                    let most = shown(backoff_max);
                    ("backoff", format!("is longer than {most}: write a backoff_max, too"))
                }
            };
            self.problems.at(&format!("{at}/{key}"), text);
        }
        Some(Retry { attempts_max: declared.attempts, backoff, backoff_max })
    }
}
