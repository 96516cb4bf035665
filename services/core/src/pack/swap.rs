//! A pack that asks other models: for recording, for replaying, and for trying one out.

use serde_json::{Value, json};

use super::{PackSource, document::Document, problems::PACK_FILE};

/// The same pack with other models: every alias of its `models` is given to `change`. `None` when its
/// pack file is no pack file.
///
/// The pack file becomes JSON, which is YAML, and the revision another one.
fn swapped(source: &PackSource, change: impl Fn(&mut Value) -> Option<()>) -> Option<PackSource> {
    let text = source.text(PACK_FILE)?.ok()?;
    let mut declared = Document::parse(text).ok()?.value;
    let models = declared.get_mut("models").and_then(Value::as_object_mut);
    models.into_iter().flat_map(|models| models.values_mut()).try_for_each(change)?;
    let mut swapped = source.clone();
    swapped.files.insert(PACK_FILE.to_owned(), declared.to_string().into_bytes());
    Some(swapped)
}

/// This one model behind every alias, at no cost where its price is unknown.
pub(super) fn with_model(source: &PackSource, model: &str) -> Option<PackSource> {
    swapped(source, |alias| {
        let alias = alias.as_object_mut()?;
        alias.insert("routes".to_owned(), json!([{"model": model}]));
        alias.insert("free".to_owned(), Value::Bool(true));
        Some(())
    })
}

/// The simulated provider in place of every other.
pub(super) fn simulated(source: &PackSource) -> Option<PackSource> {
    swapped(source, |alias| {
        for route in alias.get_mut("routes")?.as_array_mut()? {
            let model = route.get_mut("model")?;
            let name = model.as_str()?;
            if !name.starts_with("simulated/") {
                *model = format!("simulated/{name}").into();
            }
        }
        Some(())
    })
}
