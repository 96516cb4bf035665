//! Schema to nodes: bounded, with every error naming its place.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Map, Value};

use super::{
    RulesError,
    hint::{Hint, KEYS},
    limits::{DEPTH_MAX, NODES_MAX, PATTERN_BYTES_MAX},
    node::{Bounds, Kinds, Node, Property},
};

/// Keywords that assert something which the rules cannot promise.
const UNSUPPORTED: [&str; 20] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "patternProperties",
    "propertyNames",
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "unevaluatedItems",
    "unevaluatedProperties",
    "multipleOf",
    "minProperties",
    "maxProperties",
];
/// Keywords that may stand beside a `$ref` and win over the target's.
const BESIDE_REFERENCE: [&str; 10] = [
    "x-rules",
    "x-rules-text",
    "default",
    "title",
    "description",
    "examples",
    "$comment",
    "$defs",
    "$schema",
    "$id",
];

pub(super) struct Compiler<'s> {
    root: &'s Value,
    left: usize,
}

impl<'s> Compiler<'s> {
    pub(super) fn new(root: &'s Value) -> Self {
        Self { root, left: NODES_MAX }
    }

    pub(super) fn compile(mut self) -> Result<Node, RulesError> {
        let root = self.root;
        self.node(root, String::new(), 0)
    }

    fn node(&mut self, schema: &Value, at: String, depth: usize) -> Result<Node, RulesError> {
        if depth > DEPTH_MAX {
            return Err(RulesError::TooDeep { at, max: DEPTH_MAX });
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Err(RulesError::TooLarge { at, max: NODES_MAX });
        };
        self.left = left;
        let fields = match schema {
            Value::Object(fields) => fields,
            Value::Bool(true) => return Ok(Node { at, kinds: every_kind(), ..Node::default() }),
            Value::Bool(false) => return Ok(Node { at, ..Node::default() }),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(RulesError::Schema {
                    at,
                    reason: "a schema is an object or a boolean",
                });
            }
        };
        if fields.contains_key("$ref") {
            let merged = self.resolve(fields, &at)?;
            return self.node(&merged, at, depth + 1);
        }
        let mut node = Node {
            kinds: kinds(fields, &at)?,
            bounds: bounds(fields, &at)?,
            values: fields.get("enum").and_then(Value::as_array).cloned(),
            constant: fields.get("const").cloned(),
            default: fields.get("default").cloned(),
            is_closed: fields.get("additionalProperties") == Some(&Value::Bool(false)),
            unsupported: unsupported(fields),
            at,
            ..Node::default()
        };
        self.children(fields, &mut node, depth)?;
        finish(fields, node)
    }

    fn children(
        &mut self,
        fields: &Map<String, Value>,
        node: &mut Node,
        depth: usize,
    ) -> Result<(), RulesError> {
        if let Some(items) = fields.get("items") {
            let at = format!("{}/items", node.at);
            node.items = Some(Box::new(self.node(items, at, depth + 1)?));
        }
        let required = fields.get("required").and_then(Value::as_array);
        let required: BTreeSet<&str> =
            required.into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = fields.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let at = format!("{}/properties/{}", node.at, escape(name));
            node.properties.push(Property {
                name: name.clone(),
                node: self.node(schema, at, depth + 1)?,
                is_required: required.contains(name.as_str()),
            });
        }
        for name in required {
            if node.property(name).is_none() {
                let at = format!("{}/properties/{}", node.at, escape(name));
                let open = Node { at, kinds: every_kind(), ..Node::default() };
                let name = name.to_owned();
                node.properties.push(Property { name, node: open, is_required: true });
            }
        }
        Ok(())
    }

    /// Lays the keywords beside a local `$ref` over its target.
    fn resolve(&self, fields: &Map<String, Value>, at: &str) -> Result<Value, RulesError> {
        let refused = |reason| RulesError::Schema { at: format!("{at}/$ref"), reason };
        let reference = fields.get("$ref").and_then(Value::as_str).unwrap_or_default();
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(refused("only a reference within the schema (`#/…`) is followed"));
        };
        let Some(Value::Object(target)) = self.root.pointer(pointer) else {
            return Err(refused("nothing stands at the reference"));
        };
        let mut merged = target.clone();
        for (key, value) in fields.iter().filter(|(key, _)| *key != "$ref") {
            if !BESIDE_REFERENCE.contains(&key.as_str()) {
                return Err(refused(
                    "beside a reference only x-rules, default and texts may stand",
                ));
            }
            merged.insert(key.clone(), value.clone());
        }
        Ok(Value::Object(merged))
    }
}

/// Parses the hint once the children are known, and refuses what could not be kept.
fn finish(fields: &Map<String, Value>, mut node: Node) -> Result<Node, RulesError> {
    if let Some(written) = fields.get("x-rules") {
        let at = format!("{}/x-rules", node.at);
        let Some(keys) = written.as_object() else {
            return Err(RulesError::Hint { at, reason: "a hint is an object".to_owned() });
        };
        if let Some(key) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(RulesError::UnknownKey { at: format!("{at}/{}", escape(key)) });
        }
        match Hint::parse(written, &node) {
            Ok(hint) => node.hint = Some(hint),
            Err(reason) => return Err(RulesError::Hint { at, reason }),
        }
    }
    let refused = match (&node.hint, &node.unsupported) {
        (Some(_), _) => node.unsupported_below(),
        (None, Some(keyword)) if node.is_fillable() => Some((node.at.as_str(), keyword.as_str())),
        (None, _) => None,
    };
    if let Some((at, keyword)) = refused {
        return Err(RulesError::Unsupported { at: format!("{at}/{keyword}") });
    }
    if node.default.as_ref().is_some_and(|default| !node.admits(default)) {
        let at = format!("{}/default", node.at);
        return Err(RulesError::Schema { at, reason: "the default does not fit its own schema" });
    }
    Ok(node)
}

fn unsupported(fields: &Map<String, Value>) -> Option<String> {
    let is_schema = fields.get("additionalProperties").is_some_and(Value::is_object);
    let keyword = UNSUPPORTED.into_iter().find(|keyword| fields.contains_key(*keyword));
    keyword.or(is_schema.then_some("additionalProperties")).map(str::to_owned)
}

fn kinds(fields: &Map<String, Value>, at: &str) -> Result<Kinds, RulesError> {
    let names: Vec<&str> = match fields.get("type") {
        None => return Ok(every_kind()),
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(_) => Vec::new(),
    };
    let mut kinds = Kinds::default();
    for name in &names {
        match *name {
            "null" => kinds.null = true,
            "boolean" => kinds.boolean = true,
            "integer" => kinds.integer = true,
            "number" => kinds.number = true,
            "string" => kinds.string = true,
            "array" => kinds.array = true,
            "object" => kinds.object = true,
            _ => return Err(type_error(at)),
        }
    }
    if names.is_empty() { Err(type_error(at)) } else { Ok(kinds) }
}

fn type_error(at: &str) -> RulesError {
    RulesError::Schema { at: format!("{at}/type"), reason: "the type is none of JSON Schema's" }
}

fn every_kind() -> Kinds {
    Kinds {
        null: true,
        boolean: true,
        integer: true,
        number: true,
        string: true,
        array: true,
        object: true,
    }
}

fn bounds(fields: &Map<String, Value>, at: &str) -> Result<Bounds, RulesError> {
    let number = |key: &str| fields.get(key).and_then(Value::as_f64);
    let count = |key: &str| {
        fields.get(key).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok())
    };
    let pattern = match fields.get("pattern").and_then(Value::as_str) {
        Some(text) if text.len() <= PATTERN_BYTES_MAX => Some(Regex::new(text).map_err(|_| {
            let reason = "the expression cannot be compiled";
            RulesError::Schema { at: format!("{at}/pattern"), reason }
        })?),
        Some(_) => {
            let reason = "the expression is too long";
            return Err(RulesError::Schema { at: format!("{at}/pattern"), reason });
        }
        None => None,
    };
    Ok(Bounds {
        minimum: number("minimum"),
        maximum: number("maximum"),
        above: number("exclusiveMinimum"),
        below: number("exclusiveMaximum"),
        length_min: count("minLength"),
        length_max: count("maxLength"),
        items_min: count("minItems"),
        items_max: count("maxItems"),
        pattern,
        is_date: fields.get("format").and_then(Value::as_str) == Some("date"),
        is_unique: fields.get("uniqueItems") == Some(&Value::Bool(true)),
    })
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
