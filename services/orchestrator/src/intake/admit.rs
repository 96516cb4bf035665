//! What a published goal must be to become a task, and what its publisher reads if it is not.

use cadre_core::{
    contract::Violation,
    ids::{Name, TaskId},
    limits::{KEY_BYTES_MAX, PAYLOAD_BYTES_MAX},
    payload::{Hash, Payload, PayloadError, canonical},
    ports::RawGoal,
    task::{Goal, GoalLimits, clip},
    time::UnixMillis,
    workflow::Workflow,
};
use cadre_proto::{
    header::{GoalHeaders, own_key},
    subject::Intake,
};
use serde_json::json;

/// Where a goal was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whose goal it is.
    pub tenant: Name,
    /// Which workflow shall do it.
    pub workflow: Name,
}

/// A goal that passed every check, but perhaps that of its deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// The goal.
    pub goal: Goal,
    /// Its deadline has passed: it is rejected so, unless it repeats a goal that has a task.
    pub late: Option<Box<Rejected>>,
}

/// Why a goal will not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// Who is told.
    pub tenant: Name,
    /// For programs: `subject header too_large json unknown_workflow schema deadline key conflict
    /// overloaded poison`.
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub message: String,
    /// Where the input breaks the workflow's contract.
    pub violations: Vec<Violation>,
    /// The publisher's key, as far as it is known.
    pub key: Option<String>,
}

impl Rejected {
    fn new(tenant: &Name, code: &'static str, message: &str) -> Box<Self> {
        // The code stands before it wherever it is shown.
        let message =
            message.strip_prefix(code).and_then(|rest| rest.strip_prefix(' ')).unwrap_or(message);
        let (tenant, message) = (tenant.clone(), clip(message));
        Box::new(Self { tenant, code, message, violations: Vec::new(), key: None })
    }

    /// What is published on `goals.rejected.<tenant>`.
    #[must_use]
    pub(crate) fn document(&self, subject: &str, sequence: u64) -> Payload {
        let violations: Vec<_> = self
            .violations
            .iter()
            .map(|violation| json!({"path": violation.path, "message": violation.message}))
            .collect();
        let task = self.key.as_deref().map(|key| TaskId::derive(&self.tenant, key).to_string());
        payload(json!({
            "code": self.code,
            "message": self.message,
            "violations": violations,
            "subject": clip(subject),
            "sequence": sequence,
            "key": self.key,
            "task": task,
        }))
    }
}

/// The answer to a goal whose key belongs to another goal already.
#[must_use]
pub(crate) fn conflict(goal: &Goal) -> Payload {
    payload(json!({
        "code": "conflict",
        "message": format!(
            "key {:?} belongs to task {}, whose goal has another content: use another key, or \
             publish the same content",
            goal.key, goal.task
        ),
        "violations": [],
        "subject": format!("goals.{}.{}", goal.tenant, goal.workflow),
        "sequence": 0,
        "key": goal.key,
        "task": goal.task.as_str(),
    }))
}

/// A document of bounded texts is always small enough; an empty one stands for the impossible.
fn payload(value: serde_json::Value) -> Payload {
    Payload::from_value(value).unwrap_or_else(|_| Payload::null())
}

impl Address {
    /// Reads a subject `goals.<tenant>.<workflow>`.
    ///
    /// # Errors
    /// [`Rejected`], addressed to the tenant if there is one, else to `nobody`.
    pub(crate) fn parse(subject: &str) -> Result<Self, Box<Rejected>> {
        let tokens: Vec<_> = subject.split('.').collect();
        let at = |place: usize| tokens.get(place).copied().unwrap_or_default();
        let (tenant, workflow) = (at(1), at(2));
        let tenant = Name::new(tenant).map_err(|error| {
            Rejected::new(&Name::nobody(), "subject", &format!("tenant: {error}"))
        })?;
        if tokens.len() != 3 {
            let text = format!(
                "it has {} tokens: publish goals on goals.<tenant>.<workflow>",
                tokens.len()
            );
            return Err(Rejected::new(&tenant, "subject", &text));
        }
        let workflow = Name::new(workflow)
            .map_err(|error| Rejected::new(&tenant, "subject", &format!("workflow: {error}")))?;
        Intake::new(tenant.clone(), workflow.clone())
            .map_err(|error| Rejected::new(&tenant, "subject", &error.to_string()))?;
        Ok(Self { tenant, workflow })
    }
}

/// Checks a published goal and pins it to `workflow`, the current revision of its pack.
///
/// # Errors
/// [`Rejected`] says which check failed; the checks stand in the order of their codes.
pub(crate) fn admit<R>(
    address: &Address,
    raw: &RawGoal<R>,
    workflow: Option<&Workflow>,
    now: UnixMillis,
) -> Result<Admitted, Box<Rejected>> {
    let reject = |code, message: &str| Rejected::new(&address.tenant, code, message);
    let headers = raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers =
        GoalHeaders::decode(headers).map_err(|error| reject("header", &error.to_string()))?;
    let key = key(raw, &headers);
    let named = |mut rejected: Box<Rejected>| {
        rejected.key = Some(clip(&key));
        rejected
    };
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        let text =
            format!("idempotency key has {} bytes, allowed are 1 to {KEY_BYTES_MAX}", key.len());
        return Err(reject("key", &text));
    }
    let input = input(address, raw).map_err(named)?;
    let Some(workflow) = workflow else {
        let text = format!("no pack is named {}: see `cadre pack ls`", address.workflow);
        return Err(named(reject("unknown_workflow", &text)));
    };
    if let Err(violations) = workflow.input.check(input.value()) {
        let text = format!("input breaks contract {}: {violations}", workflow.input.id());
        let mut rejected = named(reject("schema", &text));
        rejected.violations = violations.0;
        return Err(rejected);
    }
    // A relative timeout runs from the moment the broker stored the goal.
    let deadline = headers.until.map(|until| until.deadline(raw.stored_at));
    let late = deadline.filter(|deadline| *deadline <= now).map(|deadline| {
        let text = format!("deadline {deadline} has passed (it is {now} now)");
        named(reject("deadline", &text))
    });
    let limits = GoalLimits {
        steps_max: headers.steps,
        usd_micros_max: headers.usd_micros,
        tokens_max: headers.tokens,
    };
    let goal = Goal {
        task: TaskId::derive(&address.tenant, &key),
        tenant: address.tenant.clone(),
        workflow: address.workflow.clone(),
        revision: workflow.revision.as_str().into(),
        digest: digest(address, &input, &headers),
        key,
        input,
        deadline,
        limits,
        user: headers.user.map(str::to_owned),
        trace: headers.traceparent.map(str::to_owned),
        fork: None,
    };
    Ok(Admitted { goal, late })
}

/// The goal's document, or what is wrong with it.
fn input<R>(address: &Address, raw: &RawGoal<R>) -> Result<Payload, Box<Rejected>> {
    Payload::parse_unique(&raw.body).map_err(|error| {
        let code = match &error {
            PayloadError::TooLarge(_) => "too_large",
            PayloadError::Syntax(_) | PayloadError::Twice(_) | PayloadError::TooDeep => "json",
        };
        let hint =
            format!("{error} (a goal is one JSON document of at most {PAYLOAD_BYTES_MAX} bytes)");
        let mut rejected = Rejected::new(&address.tenant, code, &hint);
        if let PayloadError::Twice(path) = &error {
            let message = "given twice".to_owned();
            rejected.violations.push(Violation { path: clip(path), message });
        }
        rejected
    })
}

/// The answer to a goal that fails each time, by no fault that a check could name.
#[must_use]
pub(crate) fn poison<R>(address: &Address, raw: &RawGoal<R>, why: &str) -> Box<Rejected> {
    let text = format!(
        "it failed at each of {} deliveries, the last time because {why}; when that is mended, \
         publish it again, or `cadre dlq replay` it",
        raw.deliveries
    );
    let headers = raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let key = GoalHeaders::decode(headers).ok().map(|headers| clip(&key(raw, &headers)));
    Box::new(Rejected { key, ..*Rejected::new(&address.tenant, "poison", &text) })
}

/// The answer to a goal for which there is no room: it waited as long as its task might have taken, or too
/// many wait already.
#[must_use]
pub(crate) fn overloaded(address: &Address, key: &str, why: &str) -> Box<Rejected> {
    let text = format!(
        "{why} more to do than its workers keep up with: publish it again later, or run more workers"
    );
    Box::new(Rejected {
        key: Some(clip(key)),
        ..*Rejected::new(&address.tenant, "overloaded", &text)
    })
}

/// The publisher's key, or one that names this very message.
fn key<R>(raw: &RawGoal<R>, headers: &GoalHeaders<'_>) -> String {
    let own = || own_key(&raw.stream_epoch, raw.sequence);
    headers.msg_id.map_or_else(own, str::to_owned)
}

/// Names what is wanted: the workflow, the input's meaning, and the limits, but not the deadline,
/// for a publisher who tries again asks for the same later.
fn digest(address: &Address, input: &Payload, headers: &GoalHeaders<'_>) -> Hash {
    let limits = format!("{:?}/{:?}/{:?}", headers.steps, headers.usd_micros, headers.tokens);
    let text = format!("{}\n{limits}\n{}", address.workflow, canonical(input.value()));
    Hash::of(text.as_bytes())
}
