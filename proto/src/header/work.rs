//! Headers of a work order.

use std::{borrow::Cow, time::Duration};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    task::Resource,
    time::UnixMillis,
};

use super::{
    ATTEMPT, BUDGET_NEAR, CONTENT_TYPE, CONTRACT_IN, CONTRACT_OUT, DEADLINE, Fields, GRANT_STEPS,
    GRANT_TOKENS, GRANT_USD_MICROS, HOP, HeaderError, IDEMPOTENCY_KEY, ROLE, SCHEMA, STEP, TASK,
    TIMEOUT_MS, TRACEPARENT, TRACESTATE, USER, invalid, is_traceparent, is_value, millis, unix,
};
use crate::{ContentType, subject::Attempt};

/// Every header that a work order can have.
const NAMES: [&str; 19] = [
    TASK,
    STEP,
    ATTEMPT,
    ROLE,
    USER,
    CONTRACT_IN,
    CONTRACT_OUT,
    DEADLINE,
    TIMEOUT_MS,
    GRANT_TOKENS,
    GRANT_USD_MICROS,
    GRANT_STEPS,
    BUDGET_NEAR,
    HOP,
    IDEMPOTENCY_KEY,
    SCHEMA,
    CONTENT_TYPE,
    TRACEPARENT,
    TRACESTATE,
];

/// What the headers of a work order say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkHeaders<'a> {
    /// Which work it is.
    pub attempt: Attempt,
    /// Who asked for the task, when that is known.
    pub user: Option<&'a str>,
    /// When the attempt counts as timed out, on the broker's clock.
    pub deadline: UnixMillis,
    /// From publishing to the deadline, in whole milliseconds, at least one.
    pub timeout: Duration,
    /// Contract of the input, as `name@version`.
    pub contract_in: &'a str,
    /// Contract of the output, as `name@version`.
    pub contract_out: &'a str,
    /// How many services passed the call on before.
    pub hop: u32,
    /// What the work may spend.
    pub grant: Grant,
    /// Limits of the whole task of which four fifths are used; those that this build does not know are
    /// left out.
    pub near: Vec<Resource>,
    /// Key for side effects: the same on every delivery and attempt of the step.
    pub idempotency_key: &'a str,
    /// W3C trace context; `None` when there is none that is valid.
    pub traceparent: Option<&'a str>,
    /// Its vendors' part.
    pub tracestate: Option<&'a str>,
    /// Schema of the body, from 1.
    pub schema: u32,
    /// Encoding of the body.
    pub content: ContentType,
}

/// What a piece of work may spend; a missing header means zero, never infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grant {
    /// Model tokens.
    pub tokens: u64,
    /// Millionths of a US dollar.
    pub usd_micros: u64,
    /// Further steps.
    pub steps: u32,
}

impl<'a> WorkHeaders<'a> {
    /// Reads the headers of a work order.
    ///
    /// Unknown names beginning with `Cadre-` are ignored only when `Cadre-Schema` says
    /// that a newer build wrote them.
    ///
    /// # Errors
    /// [`HeaderError`] names the header.
    pub fn decode(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, HeaderError> {
        let mut fields = Fields::collect(NAMES, pairs)?;
        let schema = from_one(&fields, SCHEMA)?;
        if schema <= crate::SCHEMA {
            fields.refuse_unknown()?;
        }
        let content = fields.required(CONTENT_TYPE)?;
        let expected = "application/json or application/protobuf";
        Ok(Self {
            attempt: attempt(&fields)?,
            user: fields.get(USER),
            deadline: UnixMillis(required_number(&fields, DEADLINE)?),
            timeout: fields.timeout()?.ok_or(HeaderError::Missing(TIMEOUT_MS))?,
            contract_in: fields.required(CONTRACT_IN)?,
            contract_out: fields.required(CONTRACT_OUT)?,
            hop: fields.small_number(HOP)?.unwrap_or(0),
            grant: Grant {
                tokens: fields.number(GRANT_TOKENS)?.unwrap_or(0),
                usd_micros: fields.number(GRANT_USD_MICROS)?.unwrap_or(0),
                steps: fields.small_number(GRANT_STEPS)?.unwrap_or(0),
            },
            near: fields
                .get(BUDGET_NEAR)
                .map(|text| text.split(',').filter_map(Resource::parse).collect())
                .unwrap_or_default(),
            idempotency_key: fields.required(IDEMPOTENCY_KEY)?,
            traceparent: fields.traceparent(),
            tracestate: fields.get(TRACESTATE).filter(|_| fields.traceparent().is_some()),
            schema,
            content: ContentType::parse(content)
                .map_err(|_| invalid(CONTENT_TYPE, content, expected))?,
        })
    }

    /// Writes the headers; zero grants and hop 0 are left out.
    ///
    /// # Errors
    /// [`HeaderError::Unprintable`] when a text is no value for a header.
    pub fn encode(&self) -> Result<Vec<(&'static str, Cow<'a, str>)>, HeaderError> {
        let Attempt { role, task, step, number } = &self.attempt;
        let mut pairs = vec![
            (TASK, Cow::Owned(task.to_string())),
            (STEP, Cow::Owned(step.to_string())),
            (ATTEMPT, Cow::Owned(number.to_string())),
            (ROLE, Cow::Owned(role.to_string())),
            (CONTRACT_IN, Cow::Borrowed(self.contract_in)),
            (CONTRACT_OUT, Cow::Borrowed(self.contract_out)),
            (DEADLINE, Cow::Owned(unix(self.deadline))),
            (TIMEOUT_MS, Cow::Owned(millis(self.timeout).max(1).to_string())),
            (IDEMPOTENCY_KEY, Cow::Borrowed(self.idempotency_key)),
            (SCHEMA, Cow::Owned(self.schema.to_string())),
            (CONTENT_TYPE, Cow::Borrowed(self.content.as_str())),
        ];
        let Grant { tokens, usd_micros, steps } = self.grant;
        for (name, number) in [
            (HOP, u64::from(self.hop)),
            (GRANT_TOKENS, tokens),
            (GRANT_USD_MICROS, usd_micros),
            (GRANT_STEPS, u64::from(steps)),
        ] {
            if number > 0 {
                pairs.push((name, Cow::Owned(number.to_string())));
            }
        }
        if !self.near.is_empty() {
            let words: Vec<_> = self.near.iter().map(|limit| limit.as_str()).collect();
            pairs.push((BUDGET_NEAR, Cow::Owned(words.join(","))));
        }
        let traceparent = self.traceparent.filter(|text| is_traceparent(text));
        let tracestate = self.tracestate.filter(|_| traceparent.is_some());
        for (name, text) in
            [(USER, self.user), (TRACEPARENT, traceparent), (TRACESTATE, tracestate)]
        {
            pairs.extend(text.map(|text| (name, Cow::Borrowed(text))));
        }
        match pairs.iter().find(|(_, value)| !is_value(value)) {
            Some((name, _)) => Err(HeaderError::Unprintable(name)),
            None => Ok(pairs),
        }
    }
}

type WorkFields<'a> = Fields<'a, { NAMES.len() }>;

fn attempt(fields: &WorkFields<'_>) -> Result<Attempt, HeaderError> {
    let (role, task, step) =
        (fields.required(ROLE)?, fields.required(TASK)?, fields.required(STEP)?);
    Ok(Attempt {
        role: Name::new(role).map_err(|_| invalid(ROLE, role, "a name"))?,
        task: TaskId::parse(task).map_err(|_| invalid(TASK, task, "a task id"))?,
        step: StepId::parse(step).map_err(|_| invalid(STEP, step, "a step"))?,
        number: from_one(fields, ATTEMPT)?,
    })
}

fn from_one(fields: &WorkFields<'_>, name: &'static str) -> Result<u32, HeaderError> {
    match fields.small_number(name)?.ok_or(HeaderError::Missing(name))? {
        0 => Err(invalid(name, "0", "a number from 1")),
        number => Ok(number),
    }
}

fn required_number(fields: &WorkFields<'_>, name: &'static str) -> Result<u64, HeaderError> {
    fields.number(name)?.ok_or(HeaderError::Missing(name))
}
