//! Prompt templates: the text of a prompt file, with `{{ expr }}` inside.
//!
//! Strict: an expression (CEL) sees `input` and nothing else, a name that the role's `accepts`
//! contract has not is an error when the pack is checked, and a value that is missing at run is an
//! error then; nothing is ever left out in silence.
//!
//! A prompt begins with what never changes, so that providers can cache it: the lines above the first
//! one with an expression are [`Template::fixed`], all below is rendered for each input.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    expr::{Env, EvalError, Expr, Scope, Shape},
    limits::PAYLOAD_BYTES_MAX,
};

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A compiled prompt file.
#[derive(Debug, Default)]
pub struct Template {
    fixed: String,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Fixed(String),
    Value(Expr),
}

/// What is wrong in a prompt file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Template {
    /// Compiles the text of a prompt file for inputs of this shape.
    ///
    /// # Errors
    /// Every [`TemplateError`], in the order of the text.
    pub fn compile(text: &str, input: Shape) -> Result<Self, Vec<TemplateError>> {
        let scope = Scope::new().with("input", input);
        let mut errors = Vec::new();
        let mut template = Self::default();
        let mut rest = text;
        while let Some(at) = rest.find(OPEN) {
            let (before, inside) = rest.split_at(at);
            let place = text.len() - inside.len();
            let inside = inside.strip_prefix(OPEN).unwrap_or_default();
            let Some((source, behind)) = inside.split_once(CLOSE) else {
                let message = "`{{` has no closing `}}`; write `{{ \"{{\" }}` for a plain one";
                errors.push(error_at(text, place, message.to_owned()));
                break;
            };
            match Expr::compile(source, &scope) {
                Ok(expr) => template.push(before, expr),
                Err(error) => errors.push(error_at(text, place, error.message)),
            }
            rest = behind;
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        if template.pieces.is_empty() {
            template.fixed = rest.to_owned();
        } else {
            template.pieces.push(Piece::Fixed(rest.to_owned()));
        }
        Ok(template)
    }

    fn push(&mut self, before: &str, expr: Expr) {
        let mut before = before;
        if self.pieces.is_empty() {
            let line = before.rfind('\n').map_or(0, |at| at + 1);
            let (fixed, start) = before.split_at(line);
            fixed.clone_into(&mut self.fixed);
            before = start;
        }
        self.pieces.push(Piece::Fixed(before.to_owned()));
        self.pieces.push(Piece::Value(expr));
    }

    /// The lines above the first expression: the same bytes for every input; all of a text without.
    #[must_use]
    pub fn fixed(&self) -> &str {
        &self.fixed
    }

    /// Whether the text has no expression, so that [`Self::render`] gives nothing.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The rest of the text for one input: texts as they are, `null` as nothing, all else as JSON.
    ///
    /// # Errors
    /// [`EvalError`] of the first expression that gives no value, or when the text grows beyond
    /// [`PAYLOAD_BYTES_MAX`].
    pub fn render(&self, input: &Value) -> Result<String, EvalError> {
        let env = Input(input);
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Fixed(fixed) => text.push_str(fixed),
                Piece::Value(expr) => {
                    match expr.eval(&env)? {
                        Value::Null => {}
                        Value::String(value) => text.push_str(&value),
                        value @ (Value::Bool(_)
                        | Value::Number(_)
                        | Value::Array(_)
                        | Value::Object(_)) => text.push_str(&value.to_string()),
                    }
                    if text.len() > PAYLOAD_BYTES_MAX {
                        return Err(EvalError {
                            expression: expr.source().to_owned(),
                            reason: format!("the prompt grows beyond {PAYLOAD_BYTES_MAX} bytes"),
                        });
                    }
                }
            }
        }
        Ok(text)
    }
}

struct Input<'v>(&'v Value);

impl Env for Input<'_> {
    fn lookup(&self, name: &str) -> Option<Cow<'_, Value>> {
        (name == "input").then_some(Cow::Borrowed(self.0))
    }
}

fn error_at(text: &str, at: usize, message: String) -> TemplateError {
    let before = text.get(..at).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
    TemplateError { line: number(before.matches('\n').count()), column: number(column), message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compile(text: &str) -> Result<Template, Vec<TemplateError>> {
        Template::compile(text, Shape::closed(&["text", "kind"]))
    }

    #[test]
    fn what_never_changes_comes_first() {
        let template = compile("Read.\nOf {{ input.kind }}:\n{{ input.text }}\nEnd").unwrap();
        assert_eq!(template.fixed(), "Read.\n");
        let input = json!({"kind": ["nda", 2], "text": "a \"b\""});
        assert_eq!(template.render(&input).unwrap(), "Of [\"nda\",2]:\na \"b\"\nEnd");
        let plain = compile("Read\nit.").unwrap();
        assert_eq!((plain.fixed(), plain.is_fixed()), ("Read\nit.", true));
        assert_eq!(plain.render(&input).unwrap(), "");
        let literal = compile("{{ \"{{\" }}").unwrap();
        assert_eq!(literal.render(&input).unwrap(), "{{");
    }

    #[test]
    fn nothing_undefined_is_left_out() {
        let errors = compile("a\n  {{ input.txt }} {{ goal }}\n{{ input.text").unwrap_err();
        let shown: Vec<_> =
            errors.iter().map(|it| format!("{}:{}: {it}", it.line, it.column)).collect();
        assert_eq!(
            shown,
            [
                "2:3: `input.txt`: `input` has no field `txt`: did you mean `text`?",
                "2:19: `goal`: unknown name `goal`; known: input",
                "3:1: `{{` has no closing `}}`; write `{{ \"{{\" }}` for a plain one",
            ]
        );
        let template = compile("{{ input.kind }}").unwrap();
        let missing = template.render(&json!({"text": ""})).unwrap_err();
        assert_eq!(missing.to_string(), "`input.kind`: `input` has no field `kind`");
    }
}
