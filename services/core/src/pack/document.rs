//! A YAML file as a JSON value that knows where everything was written.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use serde_saphyr::{
    Budget, Location, Options, Spanned,
    options::{DuplicateKeyPolicy, MergeKeyPolicy},
};

/// Nesting of a pack file; the grammar itself needs six levels.
const DEPTH_MAX: usize = 24;
/// Nodes of a pack file, those that aliases repeat included.
const NODES_MAX: usize = 20_000;
/// Aliases of a pack file.
const ALIASES_MAX: usize = 256;

/// Line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// A text that is no YAML.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) position: Option<Position>,
    pub(super) message: String,
}

/// A parsed file.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The whole, keys sorted.
    pub(super) value: Value,
    /// Keys of each object in the order in which they were written, by pointer.
    order: BTreeMap<String, Vec<String>>,
    keys: BTreeMap<String, Position>,
    values: BTreeMap<String, Position>,
}

impl Document {
    /// Reads one YAML document of plain JSON data.
    ///
    /// Bounded: what anchors, nesting or sheer length could blow up is refused.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxError> {
        let root: Spanned<Node> =
            serde_saphyr::from_str_with_options(text, options()).map_err(|error| SyntaxError {
                position: error.location().and_then(position),
                message: message(&error),
            })?;
        let mut document = Self::default();
        document.value = document.place(root, &mut String::new());
        Ok(document)
    }

    /// Where the value at a JSON pointer was written.
    pub(super) fn value_at(&self, pointer: &str) -> Option<Position> {
        self.values.get(pointer).copied()
    }

    /// Where the key at the end of a JSON pointer was written; the value for a list's item.
    pub(super) fn key_at(&self, pointer: &str) -> Option<Position> {
        self.keys.get(pointer).copied().or_else(|| self.value_at(pointer))
    }

    /// Keys of the object at a JSON pointer in the order in which they were written.
    pub(super) fn order(&self, pointer: &str) -> &[String] {
        self.order.get(pointer).map(Vec::as_slice).unwrap_or_default()
    }

    fn place(&mut self, node: Spanned<Node>, pointer: &mut String) -> Value {
        if let Some(position) = position(node.referenced) {
            self.values.insert(pointer.clone(), position);
        }
        let length = pointer.len();
        match node.value {
            Node::Scalar(value) => value,
            Node::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    list.push(self.place(item, pointer));
                    pointer.truncate(length);
                }
                Value::Array(list)
            }
            Node::Object(fields) => {
                let mut object = Map::new();
                let mut order = Vec::with_capacity(fields.len());
                for (key, field) in fields {
                    pointer.push('/');
                    pointer.push_str(&escaped(&key.value));
                    if let Some(position) = position(key.referenced) {
                        self.keys.insert(pointer.clone(), position);
                    }
                    let value = self.place(field, pointer);
                    pointer.truncate(length);
                    order.push(key.value.clone());
                    object.insert(key.value, value);
                }
                self.order.insert(pointer.clone(), order);
                Value::Object(object)
            }
        }
    }
}

/// One step of a JSON pointer.
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A JSON pointer for people: `/workflow/steps/a/after/0` as `workflow.steps.a.after[0]`.
pub(super) fn dotted(pointer: &str) -> String {
    let mut dotted = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if !dotted.is_empty() && step.bytes().all(|c| c.is_ascii_digit()) {
            dotted = format!("{dotted}[{step}]");
        } else {
            let gap = if dotted.is_empty() { "" } else { "." };
            dotted = format!("{dotted}{gap}{step}");
        }
    }
    dotted
}

fn options() -> Options {
    let budget = Budget::default();
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: NODES_MAX * 3,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_documents: 2,
            max_recorded_anchor_events: NODES_MAX,
            max_inclusion_depth: 0,
            max_merge_keys: budget.max_merge_keys.min(ALIASES_MAX),
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: NODES_MAX,
            max_replay_stack_depth: DEPTH_MAX,
            max_alias_expansions_per_anchor: ALIASES_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn position(location: Location) -> Option<Position> {
    let line = u32::try_from(location.line()).ok().filter(|line| *line > 0)?;
    Some(Position { line, column: u32::try_from(location.column()).ok()? })
}

/// The error without its location, which is told apart from it.
fn message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    // Behind these come the location, and advice for programmers.
    let ends = [" at line ", "; use from_", ", set "].into_iter();
    let line = ends.fold(line, |line, end| line.split(end).next().unwrap_or(line));
    line.chars().take(200).collect()
}

/// Any YAML that JSON can say.
enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Object(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        let number = serde_json::Number::from_f64(value);
        number
            .map(|number| Node::Scalar(number.into()))
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields: Vec<(Spanned<String>, Spanned<Node>)> = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            fields.push((key, map.next_value()?));
        }
        Ok(Node::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(line: u32, column: u32) -> Option<Position> {
        Some(Position { line, column })
    }

    #[test]
    fn everything_knows_where_it_was_written() {
        let text = "# a comment\nb: {x: 1, y: [2.5, on]}\na:\n  deep:\n    - 'text'\n    - ~\n    - true\n";
        let document = Document::parse(text).unwrap();
        let value = json!({"b": {"x": 1, "y": [2.5, "on"]}, "a": {"deep": ["text", null, true]}});
        assert_eq!(document.value, value);
        assert_eq!(document.order(""), ["b", "a"]);
        assert_eq!(document.key_at("/b"), at(2, 1));
        assert_eq!(document.key_at("/b/y"), at(2, 11));
        assert_eq!(document.value_at("/b/y/1"), at(2, 20));
        assert_eq!(document.key_at("/a/deep"), at(4, 3));
        assert_eq!(document.value_at("/a/deep/0"), at(5, 7));
        assert_eq!(document.value_at("/a/none"), None);
    }

    #[test]
    fn bad_yaml_is_refused_with_its_place() {
        for (text, position, part) in [
            ("a: [1, 2", at(1, 4), "unclosed"),
            ("a: 1\na: 2\n", at(2, 1), "duplicate"),
            ("a: 1\n b: 2\n", at(2, 3), "mapping"),
            ("a: *nope\n", at(1, 4), "anchor"),
            ("a: 1\n---\nb: 2\n", at(3, 1), "multiple"),
            ("a: !!set {b}\n", at(1, 10), "tag"),
            ("a: !env HOME\n", at(1, 9), "tag"),
            ("a: .nan\n", at(1, 4), ""),
            ("base: &b {x: 1}\na:\n  <<: *b\n", at(3, 3), "merge"),
            ("? [1, 2]\n: x\n", at(1, 3), ""),
            ("a: \"\\x\"", None, ""),
        ] {
            let error = Document::parse(text).unwrap_err();
            let message = error.message.to_lowercase();
            assert!(message.contains(part), "{text:?}: {error:?}");
            if position.is_some() {
                assert_eq!(error.position, position, "{text:?}: {error:?}");
            }
        }
    }

    #[test]
    fn bombs_are_refused() {
        let mut billion = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            billion += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        let deep = "a: ".to_owned() + &"[".repeat(10_000);
        let blocks: String = (0..200).map(|level| " ".repeat(level) + "a:\n").collect();
        let dashes = "- ".repeat(5_000) + "x";
        let wide = "- x\n".repeat(25_000);
        for text in [billion, deep, blocks, dashes, wide, "{".repeat(30)] {
            Document::parse(&text).unwrap_err();
        }
        let deepest = "[".repeat(DEPTH_MAX) + &"]".repeat(DEPTH_MAX);
        Document::parse(&deepest).unwrap();
    }

    #[test]
    fn pointers_for_people() {
        assert_eq!(dotted("/workflow/steps/a/after/0"), "workflow.steps.a.after[0]");
        assert_eq!(dotted("/contracts~1x.json/0"), "contracts/x.json[0]");
        assert_eq!(dotted(""), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_it_panic(text in "[-a:\\[\\]{},&*!|>'\"#%@?~<0-9. \n\t\u{0}é\u{feff}]{0,60}") {
            let _result = Document::parse(&text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,80}") {
            let _result = Document::parse(&text);
        }
    }
}
