//! Documents with expressions inside their strings: `${ expr }`.

use serde_json::{Map, Value};

use super::{Env, EvalError, Expr, ExprError, Scope};
use crate::{limits::PAYLOAD_BYTES_MAX, payload::canonical};

/// A JSON document with expressions inside its strings.
///
/// A string that is exactly `${ expr }` becomes the value. Inside a longer string the
/// value is written as text: a string as it is, null as nothing, else as JSON. `$${` is
/// a plain `${`. Keys are never templates.
#[derive(Debug)]
pub struct Template {
    root: Node,
    variables: Vec<String>,
}

#[derive(Debug)]
enum Node {
    Fixed(Value),
    Value(Box<Expr>),
    Text(Vec<Piece>),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug)]
enum Piece {
    Fixed(String),
    Value(Expr),
}

impl Template {
    /// Compiles every `${ }` inside `value`.
    ///
    /// # Errors
    /// [`ExprError`] of the first expression that does not compile.
    pub fn compile(value: &Value, scope: &Scope) -> Result<Self, ExprError> {
        let mut errors = Vec::new();
        let template = Self::compile_all(value, scope, &mut errors);
        match errors.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(template),
        }
    }

    /// Compiles every `${ }` inside `value`; those that do not compile are reported and left out.
    pub(crate) fn compile_all(value: &Value, scope: &Scope, errors: &mut Vec<ExprError>) -> Self {
        let mut variables = Vec::new();
        let root = compile(value, scope, &mut |result: Result<Expr, ExprError>| match result {
            Ok(expr) => {
                variables.extend_from_slice(expr.variables());
                Some(expr)
            }
            Err(error) => {
                errors.push(error);
                None
            }
        });
        variables.sort();
        variables.dedup();
        Self { root, variables }
    }

    /// The document with every expression replaced by its value.
    ///
    /// # Errors
    /// [`EvalError`] of the first expression that gives no value, or when the document
    /// grows beyond [`PAYLOAD_BYTES_MAX`].
    pub fn render(&self, env: &dyn Env) -> Result<Value, EvalError> {
        let mut bytes_left = PAYLOAD_BYTES_MAX;
        render(&self.root, env, &mut bytes_left)
    }

    /// Names of the variables that it reads, sorted, each once.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }
}

type Keep<'a> = dyn FnMut(Result<Expr, ExprError>) -> Option<Expr> + 'a;

fn compile(value: &Value, scope: &Scope, keep: &mut Keep) -> Node {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Node::Fixed(value.clone()),
        Value::String(text) => compile_text(text, scope, keep),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let items = items.map(|(index, item)| {
                compile(item, scope, &mut |result| keep(below(&format!("/{index}"), result)))
            });
            let nodes: Vec<Node> = items.collect();
            let is_fixed = nodes.iter().all(|node| matches!(node, Node::Fixed(_)));
            if is_fixed { Node::Fixed(value.clone()) } else { Node::List(nodes) }
        }
        Value::Object(fields) => {
            let nodes = fields.iter().map(|(key, field)| {
                let step = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
                let field = compile(field, scope, &mut |result| keep(below(&step, result)));
                (key.clone(), field)
            });
            let nodes: Vec<_> = nodes.collect();
            let is_fixed = nodes.iter().all(|(_, node)| matches!(node, Node::Fixed(_)));
            if is_fixed { Node::Fixed(value.clone()) } else { Node::Object(nodes) }
        }
    }
}

/// Says where in the document an error is.
fn below(step: &str, result: Result<Expr, ExprError>) -> Result<Expr, ExprError> {
    result.map_err(|error| ExprError { path: format!("{step}{}", error.path), ..error })
}

fn compile_text(text: &str, scope: &Scope, keep: &mut Keep) -> Node {
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, inside) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            fixed = fixed + before + "${";
            rest = inside.strip_prefix("${").unwrap_or_default();
            continue;
        }
        fixed.push_str(before);
        let Some((source, behind)) = enclosed(inside) else {
            let shown: String = inside.chars().take(40).collect();
            keep(Err(ExprError::new(format!(
                "`{shown}` has no closing `}}`; write `$${{` for a plain `${{`"
            ))));
            break;
        };
        if let Some(expr) = keep(Expr::compile(source, scope)) {
            pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
            pieces.push(Piece::Value(expr));
        }
        rest = behind;
    }
    fixed.push_str(rest);
    if pieces.is_empty() {
        return Node::Fixed(fixed.into());
    }
    pieces.push(Piece::Fixed(fixed));
    pieces.retain(|piece| !matches!(piece, Piece::Fixed(text) if text.is_empty()));
    match pieces.pop() {
        Some(Piece::Value(expr)) if pieces.is_empty() => Node::Value(Box::new(expr)),
        last => {
            pieces.extend(last);
            Node::Text(pieces)
        }
    }
}

/// Source and rest of a text that starts with `${`; `None` when nothing closes it.
///
/// Braces nest, and those inside quotes do not count.
pub(super) fn enclosed(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix("${")?;
    let (mut depth, mut quote, mut is_escaped) = (0_u32, None, false);
    for (at, c) in inside.char_indices() {
        match (quote, c) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth > 0 => depth -= 1,
            (None, '}') => {
                let (source, behind) = inside.split_at(at);
                return Some((source.trim(), behind.strip_prefix('}')?));
            }
            (None, _) => {}
        }
    }
    None
}

fn render(node: &Node, env: &dyn Env, bytes_left: &mut usize) -> Result<Value, EvalError> {
    match node {
        Node::Fixed(value) => Ok(value.clone()),
        Node::Value(expr) => {
            let value = expr.eval(env)?;
            take(expr, size(&value), bytes_left)?;
            Ok(value)
        }
        Node::Text(pieces) => {
            let mut text = String::new();
            for piece in pieces {
                match piece {
                    Piece::Fixed(fixed) => text.push_str(fixed),
                    Piece::Value(expr) => {
                        let value = as_text(expr.eval(env)?);
                        take(expr, value.len(), bytes_left)?;
                        text.push_str(&value);
                    }
                }
            }
            Ok(text.into())
        }
        Node::List(items) => {
            items.iter().map(|item| render(item, env, bytes_left)).collect::<Result<_, _>>()
        }
        Node::Object(fields) => {
            let mut object = Map::new();
            for (key, field) in fields {
                object.insert(key.clone(), render(field, env, bytes_left)?);
            }
            Ok(Value::Object(object))
        }
    }
}

fn as_text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        // Keys in order: the same on every replay.
        Value::Array(_) | Value::Object(_) => canonical(&value),
    }
}

fn take(expr: &Expr, bytes: usize, bytes_left: &mut usize) -> Result<(), EvalError> {
    *bytes_left = bytes_left.checked_sub(bytes).ok_or_else(|| {
        EvalError::new(
            expr.source(),
            format!("the document grows beyond {PAYLOAD_BYTES_MAX} bytes"),
        )
    })?;
    Ok(())
}

/// Bytes of text in a value, roughly.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(fields) => {
            fields.iter().map(|(key, field)| key.len() + 4 + size(field)).sum::<usize>() + 2
        }
    }
}
