//! The text that the demo is about, as the pack's input document.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use cadre_core::{text::size, workflow::Workflow};
use serde_json::{Value, json};

use crate::{
    exit::{Code, Failure},
    packs::{BuiltIn, Place},
};

/// Bytes of a text: a goal is one message, the broker takes 1 MiB, and JSON needs some room around it.
const TEXT_BYTES_MAX: usize = 900 * 1024;

/// Characters of a document's name, by its contract.
const NAME_CHARS_MAX: usize = 200;

/// An input that was read.
#[derive(Debug)]
pub(super) struct Document {
    /// What people call it.
    pub(super) name: String,
    /// The workflow's input.
    pub(super) value: Value,
}

impl Document {
    /// How large it is as a message, for people.
    pub(super) fn size(&self) -> String {
        size(self.value.to_string().len() as u64)
    }

    /// Checks it against the workflow's contract.
    ///
    /// # Errors
    /// [`Code::Usage`] with what is wrong.
    pub(super) fn check(&self, workflow: &Workflow) -> anyhow::Result<()> {
        workflow.input.check(&self.value).map_err(|violations| {
            let text = format!("use {} for {}: {violations}", self.name, workflow.name);
            Failure::new(Code::Usage, text).into()
        })
    }
}

/// Reads the named text, or the pack's sample.
///
/// # Errors
/// [`Code::Usage`] when there is no text in it that a goal can carry.
pub(super) fn read(file: Option<&Path>, pack: BuiltIn) -> anyhow::Result<Document> {
    let Some(file) = file else { return sample(pack) };
    let failed = |error: io::Error| usage(format!("read {}: {error}", file.display()));
    if file == Path::new("-") {
        let bytes = limited(io::stdin().lock()).map_err(failed)?;
        return Ok(document("standard input", &bytes)?);
    }
    let opened = File::open(file).map_err(failed)?;
    let bytes = limited(opened).map_err(failed)?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(document(&name.unwrap_or_default(), &bytes)?)
}

/// The first sample of a pack: an input as JSON, or the text of one.
fn sample(pack: BuiltIn) -> anyhow::Result<Document> {
    let name = Place::BuiltIn(pack).samples()?.into_iter().next().unwrap_or_default();
    let name = format!("samples/{name}");
    let content = pack.file(&name).unwrap_or_default();
    if Path::new(&name).extension().is_none_or(|it| it != "json") {
        return Ok(document(&name, content)?);
    }
    let value =
        serde_json::from_slice(content).map_err(|error| usage(format!("use {name}: {error}")))?;
    Ok(Document { name, value })
}

/// One byte more than is allowed, so that it shows.
fn limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn document(name: &str, bytes: &[u8]) -> Result<Document, Failure> {
    if bytes.len() > TEXT_BYTES_MAX {
        let limit = size(TEXT_BYTES_MAX as u64);
        return Err(usage(format!(
            "use {name}: it is over the limit of {limit} for one goal; take a part of it"
        )));
    }
    let Ok(text) = str::from_utf8(bytes) else {
        return Err(usage(format!(
            "use {name}: it is not UTF-8 text; convert it first, for example with `pdftotext FILE -` or \
             `iconv -f latin1 -t utf-8 FILE`"
        )));
    };
    // What editors on some systems put before the text.
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty() {
        return Err(usage(format!("use {name}: it has no text in it")));
    }
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let value = json!({"text": text, "name": name});
    Ok(Document { name, value })
}

fn usage(text: String) -> Failure {
    Failure::new(Code::Usage, text)
}

#[cfg(test)]
mod tests {
    use cadre_core::pack::compile;

    use super::*;

    #[test]
    fn the_sample_satisfies_its_contract() {
        let pack = BuiltIn::find("contract").unwrap();
        let document = read(None, pack).unwrap();
        document.check(&compile(&pack.source()).unwrap()).unwrap();
    }

    #[test]
    fn what_is_no_text_is_named() {
        let huge = vec![b'a'; TEXT_BYTES_MAX + 1];
        for (bytes, expected) in [
            (&b""[..], "no text"),
            (b" \n\t\xef\xbb\xbf", "no text"),
            (b"\xff\xfea\0", "UTF-8"),
            (&huge, "over the limit of 900.0 KB"),
        ] {
            let error = document("a.txt", bytes).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("a.txt"), "{error}");
        }
        let fine = document("a.txt", b"\xef\xbb\xbfa").unwrap();
        assert_eq!(fine.value, json!({"text": "a", "name": "a.txt"}));
    }

    #[test]
    fn a_missing_file_is_named() {
        let pack = BuiltIn::find("contract").unwrap();
        let error = read(Some(Path::new("nowhere.txt")), pack).unwrap_err();
        assert!(error.to_string().starts_with("read nowhere.txt: "), "{error}");
    }
}
