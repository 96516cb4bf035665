//! Headers that a publisher may put on a goal.

use std::{borrow::Cow, time::Duration};

use cadre_core::time::UnixMillis;

use super::{
    BUDGET_STEPS, BUDGET_TOKENS, BUDGET_USD, DEADLINE, Fields, HeaderError, MSG_ID, TIMEOUT_MS,
    TRACEPARENT, USER, invalid, is_traceparent, is_value, millis, unix, when,
};

/// Every header that Cadre reads on a goal.
const NAMES: [&str; 8] =
    [MSG_ID, DEADLINE, TIMEOUT_MS, BUDGET_USD, BUDGET_TOKENS, BUDGET_STEPS, USER, TRACEPARENT];

/// What the headers of a goal say; all of them are optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GoalHeaders<'a> {
    /// The publisher's idempotency key.
    pub msg_id: Option<&'a str>,
    /// When the publisher stops caring.
    pub until: Option<Until>,
    /// Money that the goal may cost, in millionths of a US dollar.
    pub usd_micros: Option<u64>,
    /// Model tokens that it may cost.
    pub tokens: Option<u64>,
    /// Work orders that it may cost.
    pub steps: Option<u32>,
    /// Who asks.
    pub user: Option<&'a str>,
    /// W3C trace context; `None` when there is none that is valid.
    pub traceparent: Option<&'a str>,
}

/// When a publisher stops caring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At this point of the broker's clock.
    At(UnixMillis),
    /// This long after publishing: whole milliseconds, at least one.
    Within(Duration),
}

impl Until {
    /// The deadline of a goal that was published at `published`.
    #[must_use]
    pub fn deadline(self, published: UnixMillis) -> UnixMillis {
        match self {
            Self::At(point) => point,
            Self::Within(duration) => published.after(duration),
        }
    }
}

/// The key of a goal that was published without one: it names the message by its place in the stream of
/// goals, in this life of it.
#[must_use]
pub fn own_key(stream_epoch: &str, sequence: u64) -> String {
    format!("message:{stream_epoch}:{sequence}")
}

impl<'a> GoalHeaders<'a> {
    /// Reads the headers of a goal.
    ///
    /// # Errors
    /// [`HeaderError`] names the header.
    pub fn decode(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, HeaderError> {
        let mut fields = Fields::collect(NAMES, pairs)?;
        fields.refuse_unknown()?;
        let deadline = fields.get(DEADLINE).map(|text| {
            let expected = "Unix milliseconds or RFC 3339 from 1970 on";
            when::point(text).ok_or_else(|| invalid(DEADLINE, text, expected))
        });
        let usd = fields.get(BUDGET_USD).map(|text| {
            let expected = "US dollars with up to six decimals, such as 0.05";
            when::usd_micros(text).ok_or_else(|| invalid(BUDGET_USD, text, expected))
        });
        let until = match (deadline.transpose()?, fields.timeout()?) {
            (Some(_), Some(_)) => return Err(HeaderError::Contradiction(DEADLINE, TIMEOUT_MS)),
            (Some(point), None) => Some(Until::At(point)),
            (None, timeout) => timeout.map(Until::Within),
        };
        Ok(Self {
            msg_id: fields.get(MSG_ID),
            until,
            usd_micros: usd.transpose()?,
            tokens: fields.number(BUDGET_TOKENS)?,
            steps: fields.small_number(BUDGET_STEPS)?,
            user: fields.get(USER),
            traceparent: fields.traceparent(),
        })
    }

    /// Writes the headers that are set.
    ///
    /// # Errors
    /// [`HeaderError::Unprintable`] when a text is no value for a header.
    pub fn encode(&self) -> Result<Vec<(&'static str, Cow<'a, str>)>, HeaderError> {
        let until = self.until.map(|until| match until {
            Until::At(point) => (DEADLINE, unix(point)),
            Until::Within(duration) => (TIMEOUT_MS, millis(duration).max(1).to_string()),
        });
        let numbers = [
            self.usd_micros.map(|micros| (BUDGET_USD, when::usd(micros))),
            self.tokens.map(|tokens| (BUDGET_TOKENS, tokens.to_string())),
            self.steps.map(|steps| (BUDGET_STEPS, steps.to_string())),
            until,
        ];
        let texts = [
            (MSG_ID, self.msg_id),
            (USER, self.user),
            (TRACEPARENT, self.traceparent.filter(|text| is_traceparent(text))),
        ];
        let numbers = numbers.into_iter().flatten().map(|(name, text)| (name, Cow::Owned(text)));
        let texts = texts
            .into_iter()
            .filter_map(|(name, text)| text.map(|text| (name, Cow::Borrowed(text))));
        let pairs: Vec<_> = texts.chain(numbers).collect();
        match pairs.iter().find(|(_, value)| !is_value(value)) {
            Some((name, _)) => Err(HeaderError::Unprintable(name)),
            None => Ok(pairs),
        }
    }
}
