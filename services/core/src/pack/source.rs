//! The files of a pack: which count, what hash they have, and how they are stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::problems::PACK_FILE;
use crate::limits::PACK_BYTES_MAX;

/// The files of one pack as its author wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackSource {
    /// Content by path relative to the pack's folder; only those that [`PackSource::counts`].
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Files that cannot be stored, or a stored document that is no pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackSourceError {
    /// A path outside of the pack's layout.
    #[error(
        "file {0:?} is no part of a pack: it has pack.yaml, contracts/*.json, prompts/*, documents/* and cassettes/*.jsonl"
    )]
    Path(String),
    /// A file that is no UTF-8 text.
    #[error("file {0} is not UTF-8 text")]
    Text(String),
    /// Longer than [`PACK_BYTES_MAX`].
    #[error("pack of {0} bytes is over the limit of {PACK_BYTES_MAX} bytes")]
    TooLarge(usize),
    /// Something else than [`PackSource::encode`] wrote.
    #[error("not a stored pack: {0}")]
    Document(String),
}

/// A pack as it is stored: one JSON document with sorted keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    files: BTreeMap<String, String>,
}

impl PackSource {
    /// Whether a file belongs to a pack: `pack.yaml`, `contracts/*.json`, `prompts/*`, `documents/*` and
    /// `cassettes/*.jsonl`.
    ///
    /// Samples, tests and editors' files lie beside them and change no revision.
    #[must_use]
    pub fn counts(path: &str) -> bool {
        let is_name = |name: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            (1..=128).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('.')
        };
        match path.split_once('/') {
            None => path == PACK_FILE,
            Some(("contracts", name)) => is_name(name) && name.ends_with(".json"),
            Some(("prompts" | "documents", name)) => is_name(name),
            Some(("cassettes", name)) => is_name(name) && name.ends_with(".jsonl"),
            Some(_) => false,
        }
    }

    /// Content hash of all files: 64 hexadecimal digits, the same on every system.
    #[must_use]
    pub fn revision(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"cadre.pack.v1\0");
        for (path, content) in &self.files {
            // Lengths first, so that no two packs give the same bytes.
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path);
            hash.update((content.len() as u64).to_le_bytes());
            hash.update(content);
        }
        data_encoding::HEXLOWER.encode(&hash.finalize())
    }

    /// One canonical JSON document of all files, to be stored.
    ///
    /// # Errors
    /// [`PackSourceError`] when a file does not count or is no text, or all are too large.
    pub fn encode(&self) -> Result<String, PackSourceError> {
        self.check()?;
        let mut files = BTreeMap::new();
        for (path, content) in &self.files {
            let text = str::from_utf8(content).map_err(|_| PackSourceError::Text(path.clone()))?;
            files.insert(path.clone(), text.to_owned());
        }
        serde_json::to_string(&Stored { files })
            .map_err(|e| PackSourceError::Document(e.to_string()))
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`PackSourceError`] when it is something else.
    pub fn decode(document: &[u8]) -> Result<Self, PackSourceError> {
        // Escapes make a stored text at most six times as long.
        if document.len() > PACK_BYTES_MAX * 6 + 1024 {
            return Err(PackSourceError::TooLarge(document.len()));
        }
        let stored: Stored = serde_json::from_slice(document)
            .map_err(|e| PackSourceError::Document(e.to_string()))?;
        let files = stored.files.into_iter().map(|(path, text)| (path, text.into_bytes()));
        let source = Self { files: files.collect() };
        source.check()?;
        Ok(source)
    }

    /// The text of a file.
    pub(super) fn text(&self, path: &str) -> Option<Result<&str, PackSourceError>> {
        let text = str::from_utf8(self.files.get(path)?);
        Some(text.map_err(|_| PackSourceError::Text(path.to_owned())))
    }

    /// Paths and sizes.
    pub(super) fn check(&self) -> Result<(), PackSourceError> {
        if let Some(path) = self.files.keys().find(|path| !Self::counts(path)) {
            return Err(PackSourceError::Path(path.chars().take(200).collect()));
        }
        let size_bytes: usize = self.files.values().map(Vec::len).sum();
        if size_bytes > PACK_BYTES_MAX {
            return Err(PackSourceError::TooLarge(size_bytes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(files: &[(&str, &str)]) -> PackSource {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        PackSource { files: files.collect() }
    }

    #[test]
    fn a_pack_reads_back() {
        let pack = source(&[
            ("pack.yaml", "name: ä\n"),
            ("contracts/a.v1.json", "{}"),
            ("prompts/a.md", ""),
        ]);
        let stored = pack.encode().unwrap();
        assert_eq!(
            stored,
            r#"{"files":{"contracts/a.v1.json":"{}","pack.yaml":"name: ä\n","prompts/a.md":""}}"#
        );
        assert_eq!(PackSource::decode(stored.as_bytes()), Ok(pack));
    }

    #[test]
    fn the_revision_follows_every_byte() {
        let revision = |files: &[(&str, &str)]| source(files).revision();
        let one = revision(&[("pack.yaml", "a"), ("prompts/b", "c")]);
        // Golden: a change here would make every stored pack a new revision.
        assert_eq!(one, "210fc0e6d05124a38790f4c8897136928d36e3f7d1631fe7033d4da3762d5cad");
        for other in [
            revision(&[("pack.yaml", "a"), ("prompts/b", "d")]),
            revision(&[("pack.yaml", "a"), ("prompts/bc", "")]),
            revision(&[("pack.yaml", "ac"), ("prompts/b", "")]),
            revision(&[("pack.yaml", "a")]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn only_files_of_a_pack_count() {
        for path in [
            "pack.yaml",
            "contracts/terms.v2.json",
            "prompts/classifier.md",
            "documents/handbook.md",
            "cassettes/msa.jsonl",
        ] {
            assert!(PackSource::counts(path), "{path}");
        }
        for path in [
            "",
            "pack.yml",
            "../pack.yaml",
            "/pack.yaml",
            "contracts/../x.json",
            "contracts/a/b.json",
            "contracts/",
            "contracts/.json",
            "contracts/a.yaml",
            "contracts\\a.json",
            "samples/msa.txt",
            "prompts/.swp",
            "prompts/ä",
            "cassettes/msa.json",
            "prompts/a\0",
            "prompts/..",
        ] {
            assert!(!PackSource::counts(path), "{path:?}");
            assert!(
                matches!(source(&[(path, "")]).encode(), Err(PackSourceError::Path(_))),
                "{path:?}"
            );
            let stored = serde_json::json!({"files": {path: ""}}).to_string();
            assert!(
                matches!(PackSource::decode(stored.as_bytes()), Err(PackSourceError::Path(_))),
                "{path:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        let mut pack = source(&[("pack.yaml", "")]);
        pack.files.insert("prompts/raw".to_owned(), vec![0xff]);
        assert_eq!(pack.encode(), Err(PackSourceError::Text("prompts/raw".to_owned())));
        pack.files.insert("prompts/raw".to_owned(), vec![b' '; PACK_BYTES_MAX + 1]);
        assert_eq!(pack.encode(), Err(PackSourceError::TooLarge(PACK_BYTES_MAX + 1)));
        for document in
            ["", "{}", "[]", r#"{"files": {"pack.yaml": 1}}"#, r#"{"files": {}, "x": 1}"#]
        {
            assert!(matches!(
                PackSource::decode(document.as_bytes()),
                Err(PackSourceError::Document(_))
            ));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_text_is_stored_to_the_letter(text in "(?s).{0,200}") {
            let pack = source(&[("pack.yaml", &text)]);
            let stored = pack.encode().unwrap();
            prop_assert_eq!(PackSource::decode(stored.as_bytes()).unwrap().revision(), pack.revision());
        }
    }
}
