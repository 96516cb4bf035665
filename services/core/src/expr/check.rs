//! Checks a parsed expression against its scope and puts meters where work could explode.

use std::collections::BTreeSet;

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators},
};

use super::{
    Path,
    bridge::{EACH, WEIGH},
    scope::{Scope, Shape, suggestion},
};
use crate::limits::EXPRESSION_DEPTH_MAX;

/// Every function: name, argument counts when called as `f(x)`, and as `x.f()`.
pub(super) const FUNCTIONS: [(&str, &[usize], &[usize]); 20] = [
    ("bool", &[1], &[]),
    ("chunks", &[2], &[]),
    ("compact", &[1], &[]),
    ("contains", &[], &[1]),
    ("double", &[1], &[]),
    ("dyn", &[1], &[]),
    ("endsWith", &[], &[1]),
    ("int", &[1], &[]),
    ("join", &[], &[0, 1]),
    ("lowerAscii", &[], &[0]),
    ("matches", &[], &[1]),
    ("merge", &[1], &[]),
    ("size", &[1], &[0]),
    ("split", &[], &[1]),
    ("startsWith", &[], &[1]),
    ("string", &[1], &[]),
    ("substring", &[], &[1, 2]),
    ("trim", &[], &[0]),
    ("type", &[1], &[]),
    ("upperAscii", &[], &[0]),
];

/// Macros, expanded by the parser; a call of one that is left has the wrong arguments.
const MACROS: [&str; 7] = ["all", "exists", "existsOne", "exists_one", "filter", "has", "map"];

/// Names that denote types, as in `type(x) == string`.
const TYPES: [&str; 8] = ["bool", "double", "int", "list", "map", "null_type", "string", "uint"];

/// What an expression turned out to read.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Names of variables, sorted.
    pub(super) variables: BTreeSet<String>,
    /// Everything it reads, as far as it is written out with dots.
    pub(super) paths: Vec<Path>,
    /// Meters were put in.
    pub(super) is_metered: bool,
    /// What is known of its value.
    pub(super) shape: Shape,
}

/// Checks every name in `tree` and puts meters in.
pub(super) fn check(tree: &mut IdedExpr, scope: &Scope) -> Result<Facts, String> {
    let mut checker = Checker { scope, bound: Vec::new(), loops: 0, facts: Facts::default() };
    let shape = checker.visit(tree, 0)?;
    Ok(Facts { shape, ..checker.facts })
}

/// Root and fields of `a.b.c`; `None` for anything else.
pub(super) fn path(tree: &IdedExpr) -> Option<Path> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a path is one of these two, ever")]
    match &tree.expr {
        Expr::Ident(name) => Some(Path { variable: name.clone(), fields: Vec::new() }),
        Expr::Select(select) if !select.test => {
            let mut path = path(&select.operand)?;
            path.fields.push(select.field.clone());
            Some(path)
        }
        _ => None,
    }
}

struct Checker<'a> {
    scope: &'a Scope,
    /// Variables of the macros around, the innermost last.
    bound: Vec<(String, Shape)>,
    loops: usize,
    facts: Facts,
}

impl Checker<'_> {
    fn visit(&mut self, node: &mut IdedExpr, depth: usize) -> Result<Shape, String> {
        if depth > EXPRESSION_DEPTH_MAX {
            return Err(format!("nested deeper than {EXPRESSION_DEPTH_MAX} levels"));
        }
        if let Some(path) = path(node) {
            return self.visit_path(&path);
        }
        match &mut node.expr {
            Expr::Unspecified => Err("not an expression".to_owned()),
            Expr::Literal(LiteralValue::Bytes(_)) => {
                Err("bytes have no place in JSON: use a text".to_owned())
            }
            Expr::Literal(_) | Expr::Ident(_) => Ok(Shape::Any),
            Expr::Select(select) => {
                let shape = self.visit(&mut select.operand, depth + 1)?;
                let text = path(&select.operand).map(|path| path.to_string());
                shape.field(text.as_deref().unwrap_or("the value"), &select.field)
            }
            Expr::Call(call) => self.visit_call(call, depth),
            Expr::List(list) => {
                if !list.optional_indices.is_empty() {
                    return Err("`?` elements are not supported".to_owned());
                }
                for element in &mut list.elements {
                    self.visit(element, depth + 1)?;
                    self.weigh(element);
                }
                Ok(Shape::Any.list())
            }
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    let EntryExpr::MapEntry(entry) = &mut entry.expr else {
                        return Err("typed objects are not supported".to_owned());
                    };
                    self.visit(&mut entry.key, depth + 1)?;
                    self.visit(&mut entry.value, depth + 1)?;
                    self.weigh(&mut entry.value);
                }
                Ok(Shape::Any)
            }
            Expr::Struct(_) => {
                Err("typed objects are not supported: write {\"key\": value}".to_owned())
            }
            Expr::Comprehension(comprehension) => self.visit_loop(comprehension, depth),
        }
    }

    fn visit_path(&mut self, path: &Path) -> Result<Shape, String> {
        let name = path.variable.as_str();
        if name.starts_with('@') {
            return Ok(Shape::Any);
        }
        let bound = self.bound.iter().rev().find(|(bound, _)| bound == name);
        let mut shape = match (bound, self.scope.shape(name)) {
            (Some((_, shape)), _) => shape.clone(),
            (None, Some(shape)) => {
                let shape = shape.clone();
                self.facts.variables.insert(name.to_owned());
                if !self.facts.paths.contains(path) {
                    self.facts.paths.push(path.clone());
                }
                shape
            }
            (None, None) if TYPES.contains(&name) && path.fields.is_empty() => Shape::Any,
            (None, None) => {
                let also: Vec<&str> = self.bound.iter().map(|(name, _)| name.as_str()).collect();
                return Err(self.scope.unknown(name, &also));
            }
        };
        let mut text = path.variable.clone();
        for field in &path.fields {
            shape = shape.field(&text, field)?;
            text = format!("{text}.{field}");
        }
        Ok(shape)
    }

    fn visit_call(&mut self, call: &mut CallExpr, depth: usize) -> Result<Shape, String> {
        let name = call.func_name.as_str();
        let is_free = FREE.contains(&name);
        if !is_free && !COSTLY.contains(&name) {
            check_function(call)?;
        }
        let mut first = None;
        for operand in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
            let shape = self.visit(operand, depth + 1)?;
            first.get_or_insert(shape);
        }
        if call.func_name == operators::ADD || self.loops > 0 && !is_free {
            for operand in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
                // The list in `@result + [x]` must stay bare: it is how the interpreter knows a map.
                if !matches!(operand.expr, Expr::List(_)) {
                    self.weigh(operand);
                }
            }
        }
        Ok(match call.func_name.as_str() {
            operators::INDEX => first.map(|list| list.item()).unwrap_or_default(),
            "compact" => first.unwrap_or_default(),
            "merge" => first.map(|list| list.item()).unwrap_or_default(),
            "chunks" => Shape::closed(&["text", "offset"]).list(),
            "split" => Shape::Any.list(),
            _ => Shape::Any,
        })
    }

    fn visit_loop(&mut self, it: &mut ComprehensionExpr, depth: usize) -> Result<Shape, String> {
        let range = self.visit(&mut it.iter_range, depth + 1)?;
        let name = it.iter_var.clone();
        if it.iter_var2.is_some() || name.starts_with('@') || name.contains('.') {
            return Err(format!("`{name}` cannot be the variable of a macro"));
        }
        if self.scope.shape(&name).is_some() {
            return Err(format!(
                "`{name}` is a variable already: choose another name in the macro"
            ));
        }
        wrap(&mut it.iter_range, EACH);
        self.facts.is_metered = true;
        self.visit(&mut it.accu_init, depth + 1)?;
        self.bound.push((name, range.item()));
        self.loops += 1;
        // The steps of a macro are the parser's own: they add two levels to the author's.
        self.visit(&mut it.loop_cond, depth)?;
        self.visit(&mut it.loop_step, depth)?;
        self.visit(&mut it.result, depth)?;
        self.loops -= 1;
        self.bound.pop();
        Ok(Shape::Any)
    }

    fn weigh(&mut self, node: &mut IdedExpr) {
        let is_own = matches!(&node.expr, Expr::Ident(name) if name.starts_with('@'));
        if is_own || matches!(node.expr, Expr::Literal(_)) {
            return;
        }
        wrap(node, WEIGH);
        self.facts.is_metered = true;
    }
}

fn wrap(node: &mut IdedExpr, function: &str) {
    let inner = std::mem::take(node);
    let id = inner.id;
    let call = CallExpr { func_name: function.to_owned(), target: None, args: vec![inner] };
    *node = IdedExpr { id, expr: Expr::Call(call) };
}

/// Operators that only look at a boolean or pick an item: free.
const FREE: [&str; 6] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::NOT_STRICTLY_FALSE,
    operators::INDEX,
];

/// Operators whose cost grows with their operands.
const COSTLY: [&str; 13] = [
    operators::ADD,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::IN,
    operators::NEGATE,
];

fn check_function(call: &CallExpr) -> Result<(), String> {
    let name = call.func_name.as_str();
    if MACROS.contains(&name) {
        return Err(format!(
            "`{name}` is a macro: write list.{name}(x, …) with a variable and a condition or value, or has(a.b)"
        ));
    }
    let Some((_, plain, member)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
        let known = FUNCTIONS.iter().map(|(known, ..)| *known).chain(MACROS);
        return Err(format!("unknown function `{name}`{}", suggestion(name, known)));
    };
    let (counts, other, form) = match call.target {
        Some(_) => (member, plain, format!("{name}(x)")),
        None => (plain, member, format!("x.{name}()")),
    };
    if counts.is_empty() && !other.is_empty() {
        return Err(format!("`{name}` is called as {form}"));
    }
    if !counts.contains(&call.args.len()) {
        let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
        let given = call.args.len();
        return Err(format!("`{name}` takes {} arguments, not {given}", counts.join(" or ")));
    }
    Ok(())
}
