//! What a worker tells of each call: one line, `made <task> <step> <attempt> <deliveries>`.

use std::fmt;

use cadre_core::ids::{StepId, TaskId};

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallKind {
    /// It goes on.
    Begun,
    /// It was made to its end.
    Made,
    /// The role is broken.
    Refused,
}

/// One call of a role, as its worker tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) kind: CallKind,
    pub(super) task: TaskId,
    pub(super) step: StepId,
    pub(super) attempt: u32,
    /// How often its order was delivered, this time included.
    pub(super) deliveries: u32,
}

impl CallKind {
    const ALL: [Self; 3] = [Self::Begun, Self::Made, Self::Refused];

    fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Made => "made",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, task, step, attempt, deliveries } = self;
        write!(f, "{} {task} {step} {attempt} {deliveries}", kind.as_str())
    }
}

impl Call {
    /// Reads what `Display` wrote; `None` for anything else.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let word = words.next()?;
        let kind = CallKind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
        let task = TaskId::parse(words.next()?).ok()?;
        let step = StepId::parse(words.next()?).ok()?;
        let (attempt, deliveries) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().is_none().then_some(Self { kind, task, step, attempt, deliveries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        let task = TaskId::derive(&"acme".parse().unwrap(), "a");
        for kind in CallKind::ALL {
            let step = StepId::parse("weigh-2").unwrap();
            let call = Call { kind, task: task.clone(), step, attempt: 3, deliveries: 2 };
            assert_eq!(Call::parse(&call.to_string()), Some(call));
        }
        for bad in ["", "made", "made x y 1 1", &format!("made {task} read 1 1 1")] {
            assert_eq!(Call::parse(bad), None, "{bad}");
        }
    }
}
