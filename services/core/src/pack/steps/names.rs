//! Checks the names of steps and items, and those that steps refer to.

use super::Steps;
use crate::{
    expr::suggestion,
    ids::Name,
    pack::{compile::Compiler, grammar::StepDecl, problems::pointer},
};

/// Names that are variables of every expression, or parts of Cadre.
const NAMES_RESERVED: [&str; 5] = ["aggregate", "goal", "report", "result", "task"];

/// Names that expressions read as something else: CEL's words and types.
const WORDS_RESERVED: [&str; 29] = [
    "as",
    "bool",
    "break",
    "bytes",
    "const",
    "continue",
    "double",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "int",
    "let",
    "list",
    "loop",
    "map",
    "namespace",
    "null",
    "null_type",
    "package",
    "return",
    "string",
    "true",
    "type",
    "uint",
    "while",
];

/// Reports names that cannot be variables, and predecessors that are none.
pub(super) fn check_names(compiler: &mut Compiler, declared: &Steps, name: &str, step: &StepDecl) {
    let at = pointer(&["workflow", "steps", name]);
    if let Err(message) = variable_name(name) {
        compiler.problems.at_key(&at, message);
    }
    for (index, after) in step.after.iter().enumerate() {
        if !declared.contains_key(after) {
            let known = suggestion(after, declared.keys().map(String::as_str));
            compiler
                .problems
                .at(&format!("{at}/after/{index}"), format!("unknown step `{after}`{known}"));
        }
    }
    let Some(each) = &step.each else { return };
    let at = format!("{at}/each/as");
    if let Err(message) = variable_name(&each.item) {
        compiler.problems.at(&at, message);
    }
    if declared.contains_key(&each.item) {
        compiler.problems.at(&at, format!("`{}` is the name of a step: choose another", each.item));
    }
}

/// Whether a name can be a variable in expressions.
fn variable_name(name: &str) -> Result<(), String> {
    Name::new(name).map_err(|error| error.to_string())?;
    if name.contains('-') {
        return Err(format!(
            "`{name}` would be a subtraction in expressions: write `{}`",
            name.replace('-', "_")
        ));
    }
    if NAMES_RESERVED.contains(&name) {
        return Err(format!("`{name}` is reserved: choose another name"));
    }
    if WORDS_RESERVED.contains(&name) {
        return Err(format!("`{name}` is a word of the expression language: choose another name"));
    }
    Ok(())
}
