//! Publishing a goal: a form made from the workflow's input contract, and the same as commands.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Tone},
    text::{self, Query},
};

/// Fields of a form at most; a schema with more is filled in as a document.
const FIELDS_MAX: usize = 24;

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Publish {
    /// Workflows to choose from.
    pub workflows: Vec<String>,
    /// The one that was chosen; empty for none.
    pub workflow: String,
    /// JSON Schema of its input; `None` when it is not known.
    pub schema: Option<Value>,
    /// What was filled in, as JSON; empty at first.
    pub filled: String,
    /// Whose goal it will be.
    pub tenant: String,
    /// Why it was refused; empty at first.
    pub refused: String,
    /// Whether the person may publish.
    pub can_publish: bool,
}

/// One field of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: String,
    title: String,
    hint: String,
    kind: Kind,
    is_required: bool,
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// One line.
    Line,
    /// Several lines.
    Text,
    /// A number; whole or not.
    Number { is_whole: bool },
    /// Yes or no.
    Flag,
    /// One of several texts.
    Choice(Vec<String>),
    /// Anything, as JSON.
    Json,
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Publish) -> Page {
    let body = html! {
        @if !view.refused.is_empty() {
            div.field role="alert" { (part::note(Tone::Bad, &html! { p { b { "Refused. " } (view.refused) } })) }
        }
        @if view.workflows.is_empty() {
            section.card { (part::empty(Icon::Packs, "No workflow to publish to", &html! { "Bring a pack onto the bus first: " code { "cadre pack apply contract" } "." })) }
        } @else if !view.can_publish {
            section.card { (part::empty(Icon::Publish, "Your role may look, not publish", &html! { "Publishing takes the role operator." })) }
        } @else if view.workflow.is_empty() {
            (workflows(view))
        } @else {
            div.cols.wide { (form(chrome, view)) (commands(view)) }
        }
    };
    if view.workflow.is_empty() {
        return Page::new("Publish a goal", "/publish", body);
    }
    let crumb = html! { a href="/publish" { "Publish a goal" } (Icon::Next.draw()) };
    Page { crumb: Some(crumb), ..Page::new(&view.workflow, "/publish", body) }
}

/// Links rather than a list to choose from: what a list does at each key press surprises whoever has no mouse.
fn workflows(view: &Publish) -> Markup {
    html! {
        section.card {
            header { h2 { "Which workflow?" } span.mute { (text::count(view.workflows.len() as u64, "pack")) } }
            ul.ways {
                @for name in &view.workflows {
                    li { a href=(Query::default().with("workflow", name).address("/publish")) { (Icon::Packs.draw()) b { (name) } (Icon::Next.draw()) } }
                }
            }
        }
    }
}

fn form(chrome: &Chrome, view: &Publish) -> Markup {
    html! {
        section.card {
            header { h2 { "Input" } div.acts { a.btn.plain.tiny href="/publish" { "Another workflow" } } }
            form.body method="post" action="/publish" {
                (chrome.csrf_field())
                input type="hidden" name="workflow" value=(view.workflow);
                (inputs(view))
                div.field {
                    label for="key" { "Key " span.mute { "(optional)" } }
                    input #key type="text" name="key" maxlength="128" autocomplete="off" aria-describedby="key-hint";
                    span.hint #key-hint { "The same key is the same task: publishing again is harmless." }
                }
                div.acts { button.btn.first { (Icon::Publish.draw()) "Publish" } }
            }
        }
    }
}

fn inputs(view: &Publish) -> Markup {
    let fields = view.schema.as_ref().and_then(fields);
    let filled: Value = serde_json::from_str(&view.filled).unwrap_or(Value::Null);
    match fields {
        Some(fields) => html! { @for field in &fields { (input(field, filled.get(&field.name))) } },
        None => html! {
            div.field {
                label for="document" { "Input, as JSON" }
                textarea #document name="document" rows="12" required spellcheck="false" { (view.filled) }
            }
        },
    }
}

fn input(field: &Field, filled: Option<&Value>) -> Markup {
    let id = format!("in-{}", field.name);
    let name = format!("in.{}.{}", field.kind.word(), field.name);
    let shown = match filled {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let described = (!field.hint.is_empty()).then(|| format!("{id}-hint"));
    html! {
        div.field {
            label for=(id) { (field.title) @if field.is_required { span.req title="required" { " *" } } }
            @match &field.kind {
                Kind::Line => { input id=(id) type="text" name=(name) value=(shown) required[field.is_required] aria-describedby=[described.as_ref()]; },
                Kind::Text => { textarea id=(id) name=(name) rows="8" required[field.is_required] aria-describedby=[described.as_ref()] { (shown) } },
                Kind::Number { is_whole } => { input id=(id) type="number" name=(name) value=(shown) step=(if *is_whole { "1" } else { "any" }) required[field.is_required] aria-describedby=[described.as_ref()]; },
                Kind::Flag => { input id=(id) type="checkbox" name=(name) value="true" checked[shown == "true"]; },
                Kind::Choice(choices) => { select id=(id) name=(name) required[field.is_required] {
                    @if !field.is_required { option value="" { "–" } }
                    @for choice in choices { option value=(choice) selected[*choice == shown] { (choice) } }
                } },
                Kind::Json => { textarea id=(id) name=(name) rows="4" required[field.is_required] spellcheck="false" placeholder="JSON" aria-describedby=[described.as_ref()] { (shown) } },
            }
            @if let Some(described) = &described { span.hint id=(described) { (field.hint) } }
        }
    }
}

impl Kind {
    /// The word in the field's name that says how to read what was filled in.
    fn word(&self) -> &'static str {
        match self {
            Self::Line | Self::Text | Self::Choice(_) => "text",
            Self::Number { .. } => "number",
            Self::Flag => "flag",
            Self::Json => "json",
        }
    }
}

/// The fields of an object schema; `None` when a document says it better.
fn fields(schema: &Value) -> Option<Vec<Field>> {
    let properties = schema.get("properties")?.as_object()?;
    if properties.is_empty() || properties.len() > FIELDS_MAX {
        return None;
    }
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut fields: Vec<Field> = properties
        .iter()
        .map(|(name, schema)| {
            let text =
                |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let title =
                if text("title").is_empty() { name.replace('_', " ") } else { text("title") };
            let is_required = required.contains(&name.as_str());
            Field {
                name: name.clone(),
                title,
                hint: text("description"),
                kind: kind(schema),
                is_required,
            }
        })
        .collect();
    // Required ones first; serde_json's own order depends on how the workspace is built.
    fields.sort_by(|a, b| (!a.is_required, &a.name).cmp(&(!b.is_required, &b.name)));
    Some(fields)
}

fn kind(schema: &Value) -> Kind {
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        let texts: Vec<String> =
            choices.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        return if texts.len() == choices.len() { Kind::Choice(texts) } else { Kind::Json };
    }
    let length = schema.get("maxLength").and_then(Value::as_u64);
    match schema.get("type").and_then(Value::as_str) {
        Some("string") if length.is_some_and(|length| length <= 200) => Kind::Line,
        Some("string") => Kind::Text,
        Some("integer") => Kind::Number { is_whole: true },
        Some("number") => Kind::Number { is_whole: false },
        Some("boolean") => Kind::Flag,
        _ => Kind::Json,
    }
}

/// Puts the document together that a form with these fields means.
///
/// # Errors
/// What is wrong with which field, for the person who filled it in.
pub fn collect<'a>(filled: impl Iterator<Item = (&'a str, &'a str)>) -> Result<String, String> {
    let mut parts = std::collections::BTreeMap::new();
    for (key, value) in filled {
        if key == "document" {
            return Ok(value.to_owned());
        }
        let Some((kind, name)) = key.strip_prefix("in.").and_then(|rest| rest.split_once('.'))
        else {
            continue;
        };
        if value.trim().is_empty() {
            continue;
        }
        let json = match kind {
            "text" => Value::from(value),
            "flag" => Value::from(value == "true"),
            _ => serde_json::from_str(value.trim())
                .map_err(|_| format!("{name} is not a value: write it as JSON"))?,
        };
        parts.insert(name.to_owned(), json);
    }
    serde_json::to_string(&parts).map_err(|error| error.to_string())
}

fn commands(view: &Publish) -> Markup {
    let tenant = if view.tenant.is_empty() { "default" } else { &view.tenant };
    let example = if view.filled.is_empty() { "{…}" } else { &view.filled };
    let quoted = example.replace('\'', "'\\''");
    let ways = [
        ("cadre", format!("cadre goal publish {} -i '{quoted}' --follow", view.workflow)),
        (
            "curl",
            format!(
                "curl -X POST \"$CADRE/v1/goals\" -H 'Content-Type: application/json' -H 'Idempotency-Key: order-1' -d '{{\"workflow\":\"{}\",\"input\":{quoted}}}'",
                view.workflow
            ),
        ),
        (
            "nats",
            format!("nats pub -H Nats-Msg-Id:order-1 goals.{tenant}.{} '{quoted}'", view.workflow),
        ),
    ];
    html! {
        aside.stack aria-label="The same as a command" {
            @for (name, command) in ways {
                section.card { header { h2 { (name) } div.acts { (part::copy(&command, "the command")) } } div.body { pre.doc.wrapped tabindex="0" { (command) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_follows_the_contract() {
        let schema = json!({"type": "object", "required": ["text"], "properties": {
            "pieces": {"type": "integer"}, "text": {"type": "string", "description": "A letter."},
            "kind": {"enum": ["a", "b"]}, "urgent": {"type": "boolean"}, "lines": {"type": "array"},
        }});
        let fields = fields(&schema).unwrap();
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["text", "kind", "lines", "pieces", "urgent"], "required ones first");
        let kinds: Vec<&Kind> = fields.iter().map(|field| &field.kind).collect();
        assert_eq!(kinds[1], &Kind::Choice(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!((kinds[0], kinds[2]), (&Kind::Text, &Kind::Json));
        assert!(super::fields(&json!({"type": "string"})).is_none());
    }

    #[test]
    fn what_was_filled_in_is_one_document() {
        let filled = [
            ("csrf", "x"),
            ("in.text.name", "say \"hi\""),
            ("in.number.pieces", "40"),
            ("in.flag.urgent", "true"),
            ("in.json.lines", "[1, 2]"),
            ("in.text.empty", " "),
        ];
        let expected = r#"{"lines":[1,2],"name":"say \"hi\"","pieces":40,"urgent":true}"#;
        assert_eq!(collect(filled.into_iter()).unwrap(), expected);
        assert!(collect([("in.json.lines", "[1,")].into_iter()).unwrap_err().contains("lines"));
        assert_eq!(collect([("document", "[1]")].into_iter()).unwrap(), "[1]");
    }
}
