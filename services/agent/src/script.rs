//! The `script` runtime: a role does what the first rule says that fits its input.
//!
//! Deterministic and without a model: for patterns to be tried out and tested, and for routers
//! whose rules can be written down.

use std::borrow::Cow;

use cadre_core::{
    expr::{Env, EvalError, Template},
    payload::{Payload, PayloadError, canonical},
    task::{Failure, FailureKind, Outcome},
    workflow::{ScriptAct, ScriptRule},
};
use serde_json::Value;

/// What a script's expressions see.
struct Input<'a>(&'a Payload);

impl Env for Input<'_> {
    fn lookup(&self, name: &str) -> Option<Cow<'_, Value>> {
        (name == "input").then(|| Cow::Borrowed(self.0.value()))
    }
}

/// What a role with these rules reports on `input`.
///
/// # Errors
/// The failure that is reported when no rule fits, or an expression gives no value.
pub(crate) fn follow(rules: &[ScriptRule], input: &Payload) -> Result<Outcome, Failure> {
    let env = Input(input);
    for rule in rules {
        let fits = rule.when.as_ref().map_or(Ok(true), |when| when.holds(&env));
        if fits.map_err(unevaluated)? {
            return act(&rule.act, &env);
        }
    }
    let text = "no rule of the role's script fits: end it with a rule without `when`";
    Err(Failure::new(FailureKind::Error, text))
}

fn act(act: &ScriptAct, env: &Input<'_>) -> Result<Outcome, Failure> {
    match act {
        ScriptAct::Output(output) => {
            Ok(Outcome::Completed { output: document(output, env)?, confidence: None })
        }
        ScriptAct::HandOff { to, reason, output } => {
            let output = output.as_ref().map(|output| document(output, env)).transpose()?;
            Ok(Outcome::Handoff { to: to.clone(), reason: text(reason, env)?, output })
        }
        ScriptAct::Ask(question) => Ok(Outcome::NeedsHuman { question: text(question, env)? }),
        ScriptAct::Fail(message) => {
            Ok(Outcome::Failed(Failure::new(FailureKind::Error, &text(message, env)?)))
        }
    }
}

fn document(template: &Template, env: &Input<'_>) -> Result<Payload, Failure> {
    let value = template.render(env).map_err(unevaluated)?;
    Payload::from_value(value)
        .map_err(|error: PayloadError| Failure::new(FailureKind::InvalidOutput, &error.to_string()))
}

/// A text as it is, any other value as JSON.
fn text(template: &Template, env: &Input<'_>) -> Result<String, Failure> {
    let value = template.render(env).map_err(unevaluated)?;
    Ok(value.as_str().map_or_else(|| canonical(&value), str::to_owned))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn unevaluated(error: EvalError) -> Failure {
    Failure::new(FailureKind::Expression, &format!("script: {error}"))
}

#[cfg(test)]
mod tests {
    use cadre_core::expr::{Expr, Scope, Shape};
    use serde_json::json;

    use super::*;

    fn rule(when: Option<&str>, act: ScriptAct) -> ScriptRule {
        let when = when.map(|when| Expr::compile(when, &scope()).unwrap());
        ScriptRule { when, act }
    }

    fn scope() -> Scope {
        Scope::new().with("input", Shape::Any)
    }

    fn template(value: &Value) -> Template {
        Template::compile(value, &scope()).unwrap()
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rules = [
            rule(Some("input.n == 1"), ScriptAct::Output(template(&json!({"n": "${ input.n }"})))),
            rule(
                Some("input.n == 2"),
                ScriptAct::HandOff {
                    to: "next".parse().unwrap(),
                    reason: template(&json!("n is ${ input.n }")),
                    output: Some(template(&json!([2]))),
                },
            ),
            rule(Some("input.n == 3"), ScriptAct::Ask(template(&json!("what is ${ input.n }?")))),
            rule(Some("input.n < 9"), ScriptAct::Fail(template(&json!("no ${ input.n }")))),
        ];
        let follow = |n: Value| {
            let input = Payload::from_value(json!({"n": n})).unwrap();
            super::follow(&rules, &input)
        };
        let payload = |value| Payload::from_value(value).unwrap();
        let output = payload(json!({"n": 1}));
        assert_eq!(follow(json!(1)), Ok(Outcome::Completed { output, confidence: None }));
        let (to, reason) = ("next".parse().unwrap(), "n is 2".to_owned());
        let output = Some(payload(json!([2])));
        assert_eq!(follow(json!(2)), Ok(Outcome::Handoff { to, reason, output }));
        let question = "what is 3?".to_owned();
        assert_eq!(follow(json!(3)), Ok(Outcome::NeedsHuman { question }));
        let no = Failure::new(FailureKind::Error, "no 4");
        assert_eq!(follow(json!(4)), Ok(Outcome::Failed(no)));
        assert_eq!(follow(json!(9)).unwrap_err().kind, FailureKind::Error);
        assert_eq!(follow(json!("x")).unwrap_err().kind, FailureKind::Expression);
    }
}
