//! A look at the trail: which entries are wanted, the newest first, and where the next look begins. Pure.

use std::{fmt, str::FromStr};

use super::{Chain, Entry};
use crate::{ids::TaskId, time::UnixMillis};

/// The place of an entry in the stream: its message, and its line there from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Sequence of the message.
    pub sequence: u64,
    /// Line in it, from 0.
    pub line: u32,
}

/// A text that is no [`Spot`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place in the audit trail: use what the page before gave as `next`")]
pub struct SpotError(String);

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sequence, self.line)
    }
}

impl FromStr for Spot {
    type Err = SpotError;

    fn from_str(text: &str) -> Result<Self, SpotError> {
        let read = || {
            let (sequence, line) = text.split_once('-')?;
            Some(Self { sequence: sequence.parse().ok()?, line: line.parse().ok()? })
        };
        // One place has one spelling.
        let found = read().filter(|spot| spot.to_string() == text);
        found.ok_or_else(|| SpotError(text.chars().take(80).collect()))
    }
}

/// Which entries are wanted. What is left out does not filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Only of this chain.
    pub chain: Option<Chain>,
    /// Only about this task.
    pub task: Option<TaskId>,
    /// Only of this person or program.
    pub actor: Option<String>,
    /// Only of this kind, as it is written.
    pub action: Option<String>,
    /// Only what was done then or later.
    pub since: Option<UnixMillis>,
    /// Only what was done before.
    pub until: Option<UnixMillis>,
    /// Only what stands before this place: the next page.
    pub before: Option<Spot>,
    /// At most so many, the newest ones.
    pub limit: usize,
}

impl Query {
    /// The newest entries of every chain.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self {
            chain: None,
            task: None,
            actor: None,
            action: None,
            since: None,
            until: None,
            before: None,
            limit,
        }
    }

    /// Whether an entry is wanted, wherever it stands.
    #[must_use]
    pub fn wants(&self, entry: &Entry) -> bool {
        let is_about = |task: &TaskId| entry.task() == Some(task.as_str());
        self.chain.as_ref().is_none_or(|chain| chain.to_string() == entry.chain)
            && self.task.as_ref().is_none_or(is_about)
            && self.actor.as_ref().is_none_or(|actor| *actor == entry.actor)
            && self.action.as_ref().is_none_or(|action| *action == entry.action)
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
    }
}

/// What a look came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Entries with their places, the newest first.
    pub entries: Vec<(Spot, Entry)>,
    /// Lines that cannot be read: `cadre audit verify` says more.
    pub unread: u64,
    /// Where the next look begins; `None` when nothing older can be wanted. A look that has gone through much
    /// and found little ends early, so there may be more behind few or no entries.
    pub next: Option<Spot>,
}

impl Listed {
    /// Takes what is wanted of one message, its last line first; true when there is no room for more.
    pub fn take(&mut self, query: &Query, sequence: u64, body: &[u8]) -> bool {
        let lines: Vec<&[u8]> =
            body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        for (line, text) in (0_u32..).zip(lines).collect::<Vec<_>>().into_iter().rev() {
            let spot = Spot { sequence, line };
            if query.before.is_some_and(|before| spot >= before) {
                continue;
            }
            if self.entries.len() >= query.limit {
                return true;
            }
            match Entry::decode(text) {
                Ok(entry) if query.wants(&entry) => {
                    self.entries.push((spot, entry));
                    self.next = Some(spot);
                }
                Ok(_) => {}
                Err(_) => self.unread += 1,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Action, Deed, Tip};

    fn deed(at: u64, actor: &str, object: &str) -> Deed {
        Deed {
            at: UnixMillis(at),
            actor: actor.to_owned(),
            action: Action::TaskPaused,
            object: object.to_owned(),
            reason: String::new(),
        }
    }

    /// Two messages of two lines each.
    fn messages() -> Vec<(u64, String)> {
        let (mut tip, mut all) = (Tip::default(), Vec::new());
        for sequence in [5, 9] {
            let mut text = String::new();
            for line in 0..2 {
                let at = sequence * 10 + line;
                let page = tip.note(&Chain::Fleet, &deed(at, "ann", &format!("task/t{at}")));
                text.push_str(&page.text);
                tip = page.tip;
            }
            all.push((sequence, text));
        }
        all
    }

    fn look(query: &Query) -> Listed {
        let mut listed = Listed::default();
        for (sequence, text) in messages().into_iter().rev() {
            if listed.take(query, sequence, text.as_bytes()) {
                break;
            }
        }
        listed
    }

    #[test]
    fn the_newest_come_first_and_pages_meet() {
        let all = look(&Query::newest(10));
        let times: Vec<_> = all.entries.iter().map(|(_, entry)| entry.at.0).collect();
        assert_eq!(times, [91, 90, 51, 50]);
        let first = look(&Query::newest(3));
        assert_eq!(first.entries, all.entries[..3]);
        let rest = look(&Query { before: first.next, ..Query::newest(3) });
        assert_eq!(rest.entries, all.entries[3..]);
    }

    #[test]
    fn each_filter_leaves_out_what_is_not_wanted() {
        let of = |change: fn(&mut Query)| {
            let mut query = Query::newest(10);
            change(&mut query);
            look(&query).entries.len()
        };
        assert_eq!(of(|query| query.chain = Some(Chain::Fleet)), 4);
        assert_eq!(of(|query| query.chain = Some("tenant.acme".parse().unwrap())), 0);
        assert_eq!(of(|query| query.actor = Some("bob".to_owned())), 0);
        assert_eq!(of(|query| query.action = Some("task_paused".to_owned())), 4);
        assert_eq!(of(|query| query.since = Some(UnixMillis(90))), 2);
        assert_eq!(of(|query| query.until = Some(UnixMillis(90))), 2);
    }

    #[test]
    fn a_damaged_line_is_counted_and_a_place_has_one_spelling() {
        let mut listed = Listed::default();
        assert!(!listed.take(&Query::newest(1), 3, b"{}\n"));
        assert_eq!((listed.unread, listed.next), (1, None));
        let spot = Spot { sequence: 17, line: 2 };
        assert_eq!(spot.to_string().parse(), Ok(spot));
        for wrong in ["", "17", "17-", "017-2", "17-2 ", "a-b"] {
            assert!(wrong.parse::<Spot>().is_err(), "{wrong:?}");
        }
    }
}
