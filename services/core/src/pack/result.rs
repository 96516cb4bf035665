//! Compiles how the answer is put together.

use serde_json::Value;

use super::{
    compile::{Compiler, Frame},
    grammar::{ResultDecl, ResultRuleDecl, RuleDecl},
    problems::pointer,
    steps::{base_scope, expr},
};
use crate::{
    expr::{Scope, Shape},
    ids::Name,
    workflow::{ResultField, Source},
};

/// Compiles every field of the answer, in declared order.
pub(super) fn compile(compiler: &mut Compiler, frame: &Frame) -> Vec<ResultField> {
    let declared = &frame.declared.workflow.result;
    let scope = base_scope(frame, |_| Ok(()))
        .without("report", "`report` is known to accept_if only".to_owned());
    let fields = compiler.document.order("/workflow/result").iter();
    let fields: Vec<_> = fields.filter_map(|name| declared.get_key_value(name)).collect();
    check_output(compiler, frame);
    fields
        .into_iter()
        .filter_map(|(name, field)| compile_field(compiler, frame, (name, field), &scope))
        .collect()
}

fn compile_field(
    compiler: &mut Compiler,
    frame: &Frame,
    (name, field): (&str, &ResultDecl),
    scope: &Scope,
) -> Option<ResultField> {
    let at = pointer(&["workflow", "result", name]);
    let valid = compiler.name(name, &at);
    let (rule, sources): (&ResultRuleDecl, Vec<_>) = match field {
        ResultDecl::Value(text) => (&ONE, vec![(text, at)]),
        ResultDecl::Rule(rule) => {
            let sources = rule.from.iter().enumerate();
            let sources = sources.map(|(index, text)| (text, format!("{at}/from/{index}")));
            (rule, sources.collect())
        }
    };
    let mut from = Vec::new();
    for (text, at) in sources {
        let expr = expr(compiler, text, scope, &at)?;
        let is_step = |name: &&String| frame.declared.workflow.steps.contains_key(*name);
        let steps = expr.variables().iter().filter(is_step).map(|name| Name::new(name));
        let steps = steps.collect::<Result<_, _>>().ok()?;
        from.push(Source { text: expr.source().to_owned(), expr, steps, spread: rule.each });
    }
    Some(ResultField { name: valid?, from, rule: rule.rule.into(), required: rule.required })
}

/// What a bare expression means.
const ONE: ResultRuleDecl =
    ResultRuleDecl { from: Vec::new(), each: false, rule: RuleDecl::Priority, required: true };

/// Checks the fields against the output contract, as far as it is written out.
fn check_output(compiler: &mut Compiler, frame: &Frame) {
    let Some(output) = &frame.output else { return };
    let declared = &frame.declared.workflow.result;
    let contract = format!("contract {}", output.id());
    let shape = Shape::of_schema(output.schema());
    for name in declared.keys() {
        if let Err(message) = shape.field(&contract, name) {
            compiler.problems.at_key(&pointer(&["workflow", "result", name]), message);
        }
    }
    let required = output.schema().get("required").and_then(Value::as_array);
    for key in required.into_iter().flatten().filter_map(Value::as_str) {
        if !declared.contains_key(key) {
            let message = format!("lacks `{key}`, which {contract} requires");
            compiler.problems.at_key("/workflow/result", message);
        }
    }
}
