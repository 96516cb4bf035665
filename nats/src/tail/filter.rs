//! Which messages of which streams a person wants to see. Pure.

use cadre_core::ids::TaskId;

use super::TailError;

/// Length of a filter that is accepted: the broker's own limit for subjects in a protocol line is near.
const FILTER_BYTES_MAX: usize = 1_024;

/// A subject with wildcards, or everything of one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    Everything,
    Subject(String),
    Task(TaskId),
}

impl Filter {
    /// Reads a task id, or else a subject with wildcards.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, TailError> {
        let Some(text) = text else { return Ok(Self::Everything) };
        if let Ok(task) = TaskId::parse(text) {
            return Ok(Self::Task(task));
        }
        let is_open_only_at_end = text.find('>').is_none_or(|at| at + 1 == text.len());
        let token = |token: &str| {
            let plain = |c: char| c.is_ascii_graphic() && c != '*' && c != '>';
            token == "*" || token == ">" || (!token.is_empty() && token.chars().all(plain))
        };
        if text.len() <= FILTER_BYTES_MAX && is_open_only_at_end && text.split('.').all(token) {
            return Ok(Self::Subject(text.to_owned()));
        }
        Err(TailError::Filter { filter: text.chars().take(80).collect() })
    }

    /// What to ask of a stream that takes `subjects`; `None` when it has nothing of interest.
    pub(super) fn of_stream(&self, subjects: &[String]) -> Option<Vec<String>> {
        match self {
            Self::Everything => Some(Vec::new()),
            Self::Subject(filter) => {
                let wanted = subjects.iter().any(|subject| overlap(subject, filter));
                wanted.then(|| vec![filter.clone()])
            }
            Self::Task(task) => {
                let filters: Vec<String> = [
                    format!("cadre.*.log.{task}"),
                    format!("cadre.*.timer.{task}.*"),
                    format!("cadre.*.due.{task}.*"),
                    format!("answers.*.*.{task}"),
                    format!("cadre.*.run.*.{task}.*"),
                    "cadre.*.dead.>".to_owned(),
                    "cadre.*.in.>".to_owned(),
                    "cadre.*.work.>".to_owned(),
                ]
                .into_iter()
                .filter(|filter| subjects.iter().any(|subject| overlap(subject, filter)))
                .collect();
                (!filters.is_empty()).then_some(filters)
            }
        }
    }

    /// Whether a message on `subject` is wanted; the broker may send more than that.
    pub(super) fn wants(&self, subject: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Subject(filter) => overlap(subject, filter),
            Self::Task(task) => subject.split('.').any(|token| token == task.as_str()),
        }
    }
}

/// Whether some subject matches both patterns.
fn overlap(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(a), Some(b)) if a == b || a == "*" || b == "*" => {}
            (Some(_), Some(_) | None) | (None, Some(_)) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_when_one_subject_fits_both() {
        for (one, other, expected) in [
            ("cadre.*.log.*", "cadre.3.log.abc", true),
            ("cadre.*.log.*", "cadre.>", true),
            ("cadre.*.log.*", ">", true),
            ("cadre.3.in.>", "cadre.*.in.goal.>", true),
            ("cadre.*.log.*", "cadre.3.log", false),
            ("cadre.*.log.*", "cadre.*.*.*.*", false),
            ("cadre.3.log.*", "cadre.4.log.*", false),
            ("goals.*.*", "goals.>", true),
            ("goals.>", "goals", false),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} {other}");
            assert_eq!(overlap(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_filter_is_a_task_or_a_subject() {
        let task = "vs3tl6e2t2bmylf5r7pg2ndlxn";
        let filter = Filter::parse(Some(task)).unwrap();
        assert!(matches!(filter, Filter::Task(_)));
        assert!(filter.wants(&format!("cadre.1.in.report.a.{task}.b.1")));
        assert!(!filter.wants("cadre.1.log.other"));
        let journals = filter.of_stream(&["cadre.*.run.>".to_owned()]).unwrap();
        assert_eq!(journals, [format!("cadre.*.run.*.{task}.*")]);
        for good in [">", "cadre.*.log.*", "goals.acme.>"] {
            assert_eq!(Filter::parse(Some(good)).unwrap(), Filter::Subject(good.to_owned()));
        }
        for bad in ["", "a..b", "a b", ">.a", "a>", "a*", "a.\r\nPUB"] {
            assert!(Filter::parse(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
