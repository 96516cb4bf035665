//! What an expression may read: variables, and as much of their shapes as contracts tell.

use std::collections::BTreeMap;

use serde_json::Value;

/// How deep a schema is followed.
const LEVELS_MAX: usize = 16;
/// Schemas that are followed in all: references can make very many of a few.
const SCHEMAS_MAX: usize = 4_096;

/// What is known of a value before it exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Shape {
    /// Anything.
    #[default]
    Any,
    /// An object.
    Object {
        /// Fields that its contract names.
        fields: BTreeMap<String, Shape>,
        /// There are no others.
        closed: bool,
    },
    /// A list of such values.
    List(Box<Shape>),
}

impl Shape {
    /// The shape that a JSON Schema promises; [`Shape::Any`] where it promises little.
    #[must_use]
    pub fn of_schema(schema: &Value) -> Self {
        Follower { root: schema, schemas_left: SCHEMAS_MAX }.shape(schema, LEVELS_MAX)
    }

    /// An object with exactly these fields.
    #[must_use]
    pub fn closed(fields: &[&str]) -> Self {
        let fields = fields.iter().map(|name| ((*name).to_owned(), Self::Any)).collect();
        Self::Object { fields, closed: true }
    }

    /// A list of values of this shape.
    #[must_use]
    pub fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// The shape of an item; [`Shape::Any`] when this is no list.
    #[must_use]
    pub fn item(&self) -> Self {
        match self {
            Self::List(item) => (**item).clone(),
            Self::Any | Self::Object { .. } => Self::Any,
        }
    }

    /// The shape of field `name` of the value that `text` denotes.
    pub(crate) fn field(&self, text: &str, name: &str) -> Result<Self, String> {
        match self {
            Self::Any => Ok(Self::Any),
            Self::List(_) => Err(format!(
                "`{text}` is a list and has no field `{name}`: take an item, `{text}[0].{name}`, or use exists, all, map or filter"
            )),
            Self::Object { fields, closed } => match fields.get(name) {
                Some(shape) => Ok(shape.clone()),
                None if *closed => {
                    let known = fields.keys().map(String::as_str);
                    Err(format!("`{text}` has no field `{name}`{}", suggestion(name, known)))
                }
                None => Ok(Self::Any),
            },
        }
    }
}

struct Follower<'s> {
    root: &'s Value,
    schemas_left: usize,
}

impl Follower<'_> {
    fn shape(&mut self, schema: &Value, levels: usize) -> Shape {
        let (Some(levels), Some(schemas)) =
            (levels.checked_sub(1), self.schemas_left.checked_sub(1))
        else {
            return Shape::Any;
        };
        self.schemas_left = schemas;
        if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
            let target = pointer.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or(Shape::Any, |target| self.shape(target, levels));
        }
        if let Some(Value::Object(properties)) = schema.get("properties") {
            let fields = properties.iter();
            let fields = fields.map(|(name, field)| (name.clone(), self.shape(field, levels)));
            return Shape::Object {
                fields: fields.collect(),
                closed: schema.get("additionalProperties") == Some(&Value::Bool(false))
                    && schema.get("patternProperties").is_none(),
            };
        }
        let is_list = schema.get("type").and_then(Value::as_str) == Some("array");
        match schema.get("items").filter(|_| schema.get("prefixItems").is_none()) {
            Some(items) if is_list => self.shape(items, levels).list(),
            _ if is_list => Shape::Any.list(),
            _ => Shape::Any,
        }
    }
}

/// The variables that an expression can read.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    variables: BTreeMap<String, Shape>,
    hidden: BTreeMap<String, String>,
}

impl Scope {
    /// A scope without variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The scope with one more variable; a known one of this name is replaced.
    #[must_use]
    pub fn with(mut self, name: &str, shape: Shape) -> Self {
        self.hidden.remove(name);
        self.variables.insert(name.to_owned(), shape);
        self
    }

    /// The scope with the reason why a name, that exists elsewhere, is none of its variables.
    #[must_use]
    pub fn without(mut self, name: &str, reason: String) -> Self {
        self.variables.remove(name);
        self.hidden.insert(name.to_owned(), reason);
        self
    }

    /// What to say of a name that is no variable.
    pub(crate) fn unknown(&self, name: &str, also: &[&str]) -> String {
        match self.hidden.get(name) {
            Some(reason) => reason.clone(),
            None => {
                let known = self.names().chain(also.iter().copied());
                format!("unknown name `{name}`{}", suggestion(name, known))
            }
        }
    }

    /// What is known of a variable; `None` when there is none of this name.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&Shape> {
        self.variables.get(name)
    }

    /// Names of all variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }
}

/// Names listed in a suggestion before it says `…`.
const LISTED_MAX: usize = 12;

/// `: did you mean …?` for a near miss, else `; known: …`.
pub(crate) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let near = known.iter().map(|other| (distance(name, other), *other)).min();
    if let Some((_, other)) = near.filter(|(distance, other)| *distance * 2 <= other.len()) {
        return format!(": did you mean `{other}`?");
    }
    if known.is_empty() {
        return "; there is none".to_owned();
    }
    let more = if known.len() > LISTED_MAX { ", …" } else { "" };
    let listed: Vec<&str> = known.into_iter().take(LISTED_MAX).collect();
    format!("; known: {}{more}", listed.join(", "))
}

/// Edits between two names, by Wagner and Fischer.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().take(80).enumerate() {
        let mut corner = index;
        let mut last = index + 1;
        let mut next = vec![last];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            last = (corner + usize::from(from != *to)).min(above + 1).min(last + 1);
            next.push(last);
            corner = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_tells_which_fields_there_are() {
        let schema = json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "text": {"type": "string"},
                "parties": {"type": "array", "items": {"$ref": "#/$defs/party"}},
                "free": {"type": "object"}
            },
            "$defs": {"party": {
                "type": "object", "properties": {"name": {}}, "additionalProperties": false
            }, "loop": {"$ref": "#/$defs/loop"}}
        });
        let goal = Shape::of_schema(&schema);
        assert_eq!(goal.field("goal", "text"), Ok(Shape::Any));
        assert_eq!(
            goal.field("goal", "txt").unwrap_err(),
            "`goal` has no field `txt`: did you mean `text`?"
        );
        assert_eq!(
            goal.field("goal", "amount").unwrap_err(),
            "`goal` has no field `amount`; known: free, parties, text"
        );
        let parties = goal.field("goal", "parties").unwrap();
        assert_eq!(
            parties.field("goal.parties", "name").unwrap_err(),
            "`goal.parties` is a list and has no field `name`: take an item, \
             `goal.parties[0].name`, or use exists, all, map or filter"
        );
        assert_eq!(parties.item(), Shape::closed(&["name"]));
        assert_eq!(Shape::of_schema(&json!({"$ref": "#"})), Shape::Any);
    }

    #[test]
    fn references_that_multiply_are_cut() {
        let mut schemas = serde_json::Map::new();
        for level in 0..20 {
            let below = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            let fields: serde_json::Map<_, _> =
                (0..20).map(|field| (format!("f{field}"), below.clone())).collect();
            schemas.insert(format!("d{level}"), json!({"properties": fields}));
        }
        let shape = Shape::of_schema(&json!({"$ref": "#/$defs/d0", "$defs": schemas}));
        assert_eq!(shape.field("goal", "other"), Ok(Shape::Any));
    }

    #[test]
    fn an_open_schema_forbids_nothing() {
        for schema in [json!({}), json!(true), json!({"properties": {"a": {}}})] {
            assert_eq!(Shape::of_schema(&schema).field("goal", "b"), Ok(Shape::Any), "{schema}");
        }
    }

    #[test]
    fn distances() {
        for (left, right, edits) in [("", "abc", 3), ("role", "rol", 1), ("kitten", "sitting", 3)] {
            assert_eq!(distance(left, right), edits, "{left} {right}");
        }
    }
}
