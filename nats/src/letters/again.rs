//! The message of a dead letter as it is published once more. Pure.

use async_nats::{HeaderMap, HeaderName, HeaderValue};
use cadre_proto::subject::Subject;

use super::Letter;

/// Headers by which a message asks something of the broker, or the broker said something about one
/// delivery: none of them holds for another publication.
const BROKERS: &str = "Nats-";

/// The name of a message, and the key of a goal.
const MSG_ID: &str = "Nats-Msg-Id";

/// Why a message cannot be published again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrepeatable {
    /// Not all of it is kept.
    #[error("{0} were too large to be kept: whoever sent it must send it again")]
    Lost(String),
    /// It did not come from where goals, inputs and work orders come from.
    #[error(
        "its subject {0:?} is none of a goal, an input or a work order: publish its content anew \
         where it belongs (`cadre dlq show --body`, `cadre goal publish`)"
    )]
    Subject(String),
    /// A header is none that can be sent.
    #[error("its header {0:?} cannot be sent")]
    Header(String),
}

/// A message that is ready to be published.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) subject: String,
    pub(super) headers: HeaderMap,
}

/// Makes the message of a letter anew: same subject, same headers, but none that guards.
pub(super) fn again(letter: &Letter) -> Result<Again, Unrepeatable> {
    let head = &letter.head;
    if let Some(lost) = &head.lost {
        return Err(Unrepeatable::Lost(lost.clone()));
    }
    let is_goal = match Subject::parse(&head.subject) {
        Ok(Subject::Goals(_)) => true,
        Ok(
            Subject::InGoal { .. }
            | Subject::InReport(..)
            | Subject::InCancel { .. }
            | Subject::InControl { .. }
            | Subject::InDecision { .. }
            | Subject::InTimer(..)
            | Subject::Work(..),
        ) => false,
        Ok(
            Subject::Log(..)
            | Subject::Timer(..)
            | Subject::Due(..)
            | Subject::Stop(..)
            | Subject::Dead { .. }
            | Subject::Run { .. }
            | Subject::Rejected(_)
            | Subject::Answer { .. },
        )
        | Err(_) => return Err(Unrepeatable::Subject(head.subject.clone())),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in letter.headers.iter().filter(|(name, _)| !name.starts_with(BROKERS)) {
        let bad = || Unrepeatable::Header(name.clone());
        let key = name.parse::<HeaderName>().map_err(|_| bad())?;
        headers.append(key, value.parse::<HeaderValue>().map_err(|_| bad())?);
    }
    // A goal is named by its key: the same one, or what it becomes is another task. All else, and a
    // goal without a key, is named by the letter, so that replaying it twice is replaying it once.
    let key = head.key.clone().filter(|_| is_goal);
    let key = key.unwrap_or_else(|| format!("letter:{}:{}", head.at.0, head.id));
    let key = key.parse::<HeaderValue>().map_err(|_| Unrepeatable::Header(MSG_ID.to_owned()))?;
    headers.insert(MSG_ID, key);
    Ok(Again { subject: head.subject.clone(), headers })
}
