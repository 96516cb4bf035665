//! Compiles the script of a role: its conditions and what it reports.

use serde_json::Value;

use super::{
    compile::Compiler,
    grammar::{RoleDecl, ScriptActDecl, ScriptRuleDecl},
    steps::{expr, template},
};
use crate::{
    contract::Contract,
    expr::{Scope, Shape},
    workflow::{Runtime, ScriptAct, ScriptRule},
};

impl Compiler<'_, '_> {
    /// The rules of the role at `at`; none for a role of another runtime.
    pub(super) fn script(
        &mut self,
        role: &RoleDecl,
        accepts: Option<&Contract>,
        at: &str,
    ) -> Option<Vec<ScriptRule>> {
        let at = format!("{at}/script");
        match (&role.script, Runtime::from(role.runtime) == Runtime::Script) {
            (Some(rules), true) => {
                let input = accepts.map(|accepts| Shape::of_schema(accepts.schema()));
                let scope = Scope::new().with("input", input.unwrap_or_default());
                let rules = rules.iter().enumerate();
                let rules: Vec<_> = rules
                    .map(|(index, rule)| self.rule(rule, &scope, &format!("{at}/{index}")))
                    .collect();
                rules.into_iter().collect()
            }
            (None, false) => Some(Vec::new()),
            (None, true) => {
                self.problems.at_key(&at, "is what the runtime `script` follows: write one");
                None
            }
            (Some(_), false) => {
                self.problems.at_key(&at, "is for the runtime `script`");
                None
            }
        }
    }

    fn rule(&mut self, rule: &ScriptRuleDecl, scope: &Scope, at: &str) -> Option<ScriptRule> {
        let when = rule.when.as_deref().map(|when| expr(self, when, scope, &format!("{at}/when")));
        let at = format!("{at}/do");
        let mut text = |text: &str, key: &str| {
            template(self, &Value::from(text), scope, &format!("{at}/{key}"))
        };
        let act = match &rule.act {
            ScriptActDecl::Ask(question) => ScriptAct::Ask(text(question, "ask")),
            ScriptActDecl::Fail(message) => ScriptAct::Fail(text(message, "fail")),
            ScriptActDecl::HandOff(declared) => {
                let reason = text(&declared.reason, "hand_off/reason");
                let to = self.name(&declared.to, &format!("{at}/hand_off/to"));
                let output = declared.output.as_ref();
                let output_at = format!("{at}/hand_off/output");
                let output = output.map(|output| template(self, output, scope, &output_at));
                ScriptAct::HandOff { to: to?, reason, output }
            }
            ScriptActDecl::Output(output) => {
                ScriptAct::Output(template(self, output, scope, &format!("{at}/output")))
            }
        };
        Some(ScriptRule { when: when.map_or(Some(None), |when| when.map(Some))?, act })
    }
}
