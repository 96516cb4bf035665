//! Collects what is wrong with a pack, with the place of each problem.

use super::{
    PackProblem,
    document::{Document, Position, dotted, escaped},
};

/// The file that declares a pack.
pub(super) const PACK_FILE: &str = "pack.yaml";
/// Problems that are listed; after that many the author has enough to do.
const PROBLEMS_MAX: usize = 100;

/// Problems of one pack.
#[derive(Debug)]
pub(super) struct Problems<'d> {
    document: &'d Document,
    found: Vec<PackProblem>,
}

impl<'d> Problems<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self { document, found: Vec::new() }
    }

    /// A problem of the value at a JSON pointer into the pack file.
    pub(super) fn at(&mut self, pointer: &str, message: impl Into<String>) {
        let position = nearest(pointer, |pointer| self.document.value_at(pointer));
        self.add(PACK_FILE, position, pointer, message.into());
    }

    /// A problem of the key at a JSON pointer into the pack file.
    pub(super) fn at_key(&mut self, pointer: &str, message: impl Into<String>) {
        let position = nearest(pointer, |pointer| self.document.key_at(pointer));
        self.add(PACK_FILE, position, pointer, message.into());
    }

    /// A problem of another file.
    pub(super) fn in_file(&mut self, file: &str, position: Option<Position>, message: String) {
        self.add(file, position, "", message);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// All problems in the order of files and lines, each once.
    pub(super) fn sorted(mut self) -> Vec<PackProblem> {
        // The pack's own file first: the others hang on it.
        self.found.sort_by_key(|it| (it.file != PACK_FILE, it.file.clone(), it.line, it.column));
        self.found.dedup();
        self.found
    }

    fn add(&mut self, file: &str, position: Option<Position>, pointer: &str, message: String) {
        if self.found.len() < PROBLEMS_MAX {
            self.found.push(PackProblem {
                file: file.to_owned(),
                line: position.map(|position| position.line),
                column: position.map(|position| position.column),
                path: dotted(pointer),
                message,
            });
        }
    }
}

/// The position of the pointer's own node, else of the next one around it.
fn nearest(pointer: &str, find: impl Fn(&str) -> Option<Position>) -> Option<Position> {
    let mut pointer = pointer;
    loop {
        if let Some(position) = find(pointer) {
            return Some(position);
        }
        (pointer, _) = pointer.rsplit_once('/')?;
    }
}

/// A JSON pointer of these keys.
pub(super) fn pointer(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("/{}", escaped(key))).collect()
}
