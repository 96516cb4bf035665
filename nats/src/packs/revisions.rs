//! Compiled revisions: each compiled once, however many ask at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use cadre_core::workflow::Workflow;

/// Compiled revisions that are kept: those of running tasks, some hundred kilobytes each.
const REVISIONS_MAX: usize = 256;

/// One revision, compiled or about to be.
pub(super) type Cell = Arc<OnceCell<Arc<Workflow>>>;

/// A bounded cache; the one that was used longest ago leaves first.
#[derive(Debug, Default)]
pub(super) struct Revisions(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    cells: HashMap<String, (Cell, u64)>,
    uses: u64,
}

impl Revisions {
    /// The place of a revision, made when missing.
    pub(super) fn cell(&self, revision: &str) -> Cell {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.uses += 1;
        let now = inner.uses;
        if let Some((cell, used)) = inner.cells.get_mut(revision) {
            *used = now;
            return cell.clone();
        }
        if inner.cells.len() >= REVISIONS_MAX {
            let oldest = inner.cells.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(oldest) = oldest.map(|(revision, _)| revision.clone()) {
                inner.cells.remove(&oldest);
            }
        }
        let cell = Cell::default();
        inner.cells.insert(revision.to_owned(), (cell.clone(), now));
        cell
    }

    /// Forgets the place of a revision that could not be compiled, so that unknown names do not push out known ones.
    pub(super) fn forget_empty(&self, revision: &str) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.cells.get(revision).is_some_and(|(cell, _)| !cell.initialized()) {
            inner.cells.remove(revision);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let revisions = Revisions::default();
        let first = revisions.cell("0");
        for number in 1..=REVISIONS_MAX {
            revisions.cell(&number.to_string());
            revisions.cell("0");
        }
        assert!(Arc::ptr_eq(&first, &revisions.cell("0")));
        let inner = revisions.0.lock().unwrap();
        assert_eq!(inner.cells.len(), REVISIONS_MAX);
        assert!(!inner.cells.contains_key("1"));
    }
}
