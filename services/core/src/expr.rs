//! Expressions of packs: CEL over a task's goal and step outputs, and templates of them.
//!
//! A pack's expressions compile once per revision: parsed, every name checked against a
//! [`Scope`]. They are evaluated whenever a step is planned or judged. Evaluation is pure:
//! the same data gives the same value in every process. It is bounded, whatever the data:
//! see [`crate::limits::EXPRESSION_WORK_MAX`]. Dotted paths, and the functions `chunks`,
//! `compact` and `merge` of them, run on JSON directly; all else in the interpreter.

mod bridge;
mod check;
mod functions;
mod parse;
mod scope;
mod template;

use std::{borrow::Cow, fmt};

use cel::{
    IdedExpr,
    common::ast::{Expr as Tree, LiteralValue},
};
use serde_json::Value;

pub(crate) use self::scope::suggestion;
use self::{bridge::Program, functions::Function};
pub use self::{
    scope::{Scope, Shape},
    template::Template,
};

/// Gives the values that an expression reads.
pub trait Env {
    /// The value of a variable; `None` when there is none of this name.
    ///
    /// A declared step without an output gives `null`.
    fn lookup(&self, name: &str) -> Option<Cow<'_, Value>>;
}

/// One compiled expression.
#[derive(Debug)]
pub struct Expr {
    source: String,
    plan: Plan,
    variables: Vec<String>,
    shape: Shape,
}

/// How an expression is evaluated.
#[derive(Debug)]
enum Plan {
    Path(Path),
    Call(Function, Vec<Argument>),
    Program(Program),
}

#[derive(Debug)]
enum Argument {
    Path(Path),
    Fixed(Value),
}

/// A variable and fields below it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    variable: String,
    fields: Vec<String>,
}

/// An expression that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// JSON pointer into a template; empty for an expression of its own.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl ExprError {
    fn new(message: String) -> Self {
        Self { path: String::new(), message }
    }
}

/// An expression that gave no value for the data at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}`: {reason}")]
pub struct EvalError {
    /// The expression's source, shortened.
    pub expression: String,
    /// Why there is no value.
    pub reason: String,
}

/// Characters of source that an error shows.
const SOURCE_SHOWN: usize = 120;

impl EvalError {
    fn new(source: &str, reason: String) -> Self {
        Self { expression: source.chars().take(SOURCE_SHOWN).collect(), reason }
    }
}

impl Expr {
    /// Compiles `source`, bare or inside `${ }`, and checks every name in it against `scope`.
    ///
    /// # Errors
    /// [`ExprError`] names what is unknown or misplaced.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, ExprError> {
        let source = source.trim();
        let source = match template::enclosed(source) {
            Some((inside, "")) => inside,
            Some(_) | None => source,
        };
        let explain = |message: String| {
            let shown: String = source.chars().take(SOURCE_SHOWN).collect();
            ExprError::new(format!("`{shown}`: {message}"))
        };
        let mut tree = parse::parse(source).map_err(explain)?;
        let direct = direct(&tree, scope);
        let facts = check::check(&mut tree, scope).map_err(explain)?;
        let (paths, is_metered) = (facts.paths, facts.is_metered);
        Ok(Self {
            source: source.to_owned(),
            plan: direct.unwrap_or(Plan::Program(Program { tree, paths, is_metered })),
            variables: facts.variables.into_iter().collect(),
            shape: facts.shape,
        })
    }

    /// The value for the data of `env`.
    ///
    /// # Errors
    /// [`EvalError`] when a field is missing, an operation does not fit its values, or
    /// the data makes it too much work.
    pub fn eval(&self, env: &dyn Env) -> Result<Value, EvalError> {
        let result = match &self.plan {
            Plan::Path(path) => path.value(env),
            Plan::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| match argument {
                    Argument::Path(path) => path.value(env),
                    Argument::Fixed(value) => Ok(value.clone()),
                });
                arguments.collect::<Result<_, _>>().and_then(|values| function.call(values))
            }
            Plan::Program(program) => run(program, &self.variables, env),
        };
        result.map_err(|reason| EvalError::new(&self.source, reason))
    }

    /// Whether the condition is true for the data of `env`.
    ///
    /// # Errors
    /// [`EvalError`] as for [`Self::eval`], and when the value is no boolean.
    pub fn holds(&self, env: &dyn Env) -> Result<bool, EvalError> {
        match self.eval(env)? {
            Value::Bool(holds) => Ok(holds),
            other @ (Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_)) => {
                let reason = format!("gives {}, not true or false", kind(&other));
                Err(EvalError::new(&self.source, reason))
            }
        }
    }

    /// Names of the variables that it reads, sorted, each once.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// The source text, without `${ }`.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What is known of its value.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}

/// The plan that needs no interpreter, if there is one. The names are checked elsewhere.
fn direct(tree: &IdedExpr, scope: &Scope) -> Option<Plan> {
    if let Some(path) = known_path(tree, scope) {
        return Some(Plan::Path(path));
    }
    let Tree::Call(call) = &tree.expr else { return None };
    let function = Function::named(&call.func_name).filter(|_| call.target.is_none())?;
    let arguments = call.args.iter().map(|argument| {
        if let Tree::Literal(LiteralValue::Int(int)) = &argument.expr {
            return Some(Argument::Fixed((*int.inner()).into()));
        }
        known_path(argument, scope).map(Argument::Path)
    });
    Some(Plan::Call(function, arguments.collect::<Option<_>>()?))
}

fn known_path(tree: &IdedExpr, scope: &Scope) -> Option<Path> {
    check::path(tree).filter(|path| scope.shape(&path.variable).is_some())
}

fn run(program: &Program, variables: &[String], env: &dyn Env) -> Result<Value, String> {
    let looked_up: Vec<(&str, Option<Cow<Value>>)> =
        variables.iter().map(|name| (name.as_str(), env.lookup(name))).collect();
    let value = |path: &Path| {
        let (_, value) = looked_up.iter().find(|(name, _)| *name == path.variable)?;
        path.find(value.as_deref()?).ok()
    };
    let values: Vec<Option<&Value>> = program.paths.iter().map(value).collect();
    program.run(&values).map_err(|reason| {
        // Which of the paths was missing is more to the point than the interpreter's words.
        let missing = program.paths.iter().zip(&values).find(|(path, value)| {
            value.is_none()
                && path.fields.iter().any(|field| reason.contains(&format!("`{field}`")))
        });
        missing.and_then(|(path, _)| path.value(env).err()).unwrap_or(reason)
    })
}

impl Path {
    /// The value below the variable's, or why there is none.
    fn value(&self, env: &dyn Env) -> Result<Value, String> {
        let Some(value) = env.lookup(&self.variable) else {
            return Err(format!("`{}` has no value here", self.variable));
        };
        if self.fields.is_empty() {
            return Ok(value.into_owned());
        }
        self.find(&value).cloned()
    }

    fn find<'v>(&self, root: &'v Value) -> Result<&'v Value, String> {
        let mut value = root;
        for (index, field) in self.fields.iter().enumerate() {
            let Value::Object(fields) = value else {
                let parent = self.up_to(index);
                return Err(format!("`{parent}` is {}, it has no field `{field}`", kind(value)));
            };
            let Some(next) = fields.get(field) else {
                return Err(format!("`{}` has no field `{field}`", self.up_to(index)));
            };
            value = next;
        }
        Ok(value)
    }

    fn up_to(&self, fields: usize) -> Self {
        let fields = self.fields.iter().take(fields).cloned().collect();
        Self { variable: self.variable.clone(), fields }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.variable)?;
        self.fields.iter().try_for_each(|field| write!(f, ".{field}"))
    }
}

/// What kind of value it is, for people.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
