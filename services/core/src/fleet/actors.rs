//! Who supervises what in one process, as its beats tell it: a tree in one list, and bounded.

use serde::{Deserialize, Serialize};

use crate::limits::{ACTOR_TEXT_CHARS_MAX, ACTORS_MAX};

/// One supervised actor, or a supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// 0 for the supervisor of a service, 1 for its children.
    pub depth: u8,
    /// Its name: of a service, a role, a partition, a job.
    pub name: String,
    /// `running`, `restarting`, `parked` (its restarts are spent) or `ended`.
    pub state: String,
    /// Restarts since its supervisor began; for a supervisor the sum of its children's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u32,
    /// Why it failed last; `None` when it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Actor {
    /// Whether there is nothing to say but that it is there.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.state == "running" && self.restarts == 0 && self.error.is_none()
    }
}

/// The actors of one process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actors {
    /// Each supervisor, followed by its children.
    pub rows: Vec<Actor>,
    /// Well ones that are not listed, for want of room.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u32,
}

impl Actors {
    /// A list that fits into a beat: of too many the last well ones are left out, then the last ones.
    #[must_use]
    pub fn bounded(mut rows: Vec<Actor>) -> Self {
        for row in &mut rows {
            row.error = row.error.take().map(|text| clip(&text));
        }
        let all = rows.len();
        let mut beyond = all.saturating_sub(ACTORS_MAX);
        for place in (0..all).rev() {
            let may_go = rows.get(place).is_some_and(|row| row.depth > 0 && row.is_well());
            if beyond > 0 && may_go {
                rows.remove(place);
                beyond -= 1;
            }
        }
        rows.truncate(ACTORS_MAX);
        let left_out = u32::try_from(all.saturating_sub(rows.len())).unwrap_or(u32::MAX);
        Self { rows, left_out }
    }

    /// Restarts of the actor that does this role, whatever service runs it; 0 for one that is not here.
    #[must_use]
    pub fn restarts_of(&self, role: &str) -> u32 {
        let own = self.rows.iter().filter(|row| row.depth > 0 && row.name == role);
        own.map(|row| row.restarts).sum()
    }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(ACTOR_TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(depth: u8, name: String, restarts: u32) -> Actor {
        Actor { depth, name, state: "running".to_owned(), restarts, error: None }
    }

    #[test]
    fn of_too_many_the_troubled_ones_stay() {
        let mut rows = vec![actor(0, "orchestrator".to_owned(), 3)];
        rows.extend((0..ACTORS_MAX).map(|number| actor(1, format!("partition-{number}"), 0)));
        let failed = Actor { error: Some("é".repeat(1_000)), ..actor(1, "last".to_owned(), 3) };
        rows.push(failed);
        let bounded = Actors::bounded(rows);
        assert_eq!((bounded.rows.len(), bounded.left_out), (ACTORS_MAX, 2));
        let last = bounded.rows.last().unwrap();
        assert_eq!((last.name.as_str(), bounded.restarts_of("last")), ("last", 3));
        let said = last.error.as_ref().unwrap().chars().count();
        assert_eq!(said, ACTOR_TEXT_CHARS_MAX + 1);
        let in_trouble = Actors::bounded(vec![actor(1, "one".to_owned(), 1); ACTORS_MAX + 5]);
        assert_eq!((in_trouble.rows.len(), in_trouble.left_out), (ACTORS_MAX, 5));
    }
}
