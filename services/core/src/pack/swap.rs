//! A pack that asks another model: for recording, and for trying one out.

use serde_json::{Value, json};

use super::{PackSource, document::Document, problems::PACK_FILE};

/// The same pack with this one model (`provider/model`) behind every name of its `models`, at no cost
/// where its price is unknown; `None` when its pack file is no pack file.
///
/// The pack file becomes JSON, which is YAML, and the revision another one.
pub(super) fn with_model(source: &PackSource, model: &str) -> Option<PackSource> {
    let text = source.text(PACK_FILE)?.ok()?;
    let mut declared = Document::parse(text).ok()?.value;
    let models = declared.get_mut("models").and_then(Value::as_object_mut);
    for alias in models.into_iter().flat_map(|models| models.values_mut()) {
        let alias = alias.as_object_mut()?;
        alias.insert("routes".to_owned(), json!([{"model": model}]));
        alias.insert("free".to_owned(), Value::Bool(true));
    }
    let mut swapped = source.clone();
    swapped.files.insert(PACK_FILE.to_owned(), declared.to_string().into_bytes());
    Some(swapped)
}
