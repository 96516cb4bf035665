//! A goal as the command line describes it, checked as far as one can without a broker.

use std::borrow::Cow;

use cadre_core::{
    ids::{Name, TaskId},
    limits::PAYLOAD_BYTES_MAX,
    payload::{Payload, canonical},
    task::{Goal, GoalLimits},
};
use cadre_proto::{
    header::{self, GoalHeaders, Until},
    subject::Intake,
};
use cadre_runtime::trace;

use super::{PublishArgs, input};
use crate::{
    exit::{Code, Failure},
    settings::Settings,
};

/// A goal ready to be published.
pub(super) struct Wanted {
    pub(super) intake: Intake,
    /// Follows from tenant and key.
    pub(super) task: TaskId,
    pub(super) key: String,
    pub(super) input: Payload,
    pub(super) headers: Vec<(&'static str, String)>,
    /// When nobody cares any more.
    pub(super) until: Option<Until>,
    limits: GoalLimits,
}

impl Wanted {
    pub(super) fn of(args: &PublishArgs, settings: &Settings) -> anyhow::Result<Self> {
        let usage = |error: &dyn std::fmt::Display| Failure::new(Code::Usage, error.to_string());
        let workflow = Name::new(&args.workflow)
            .map_err(|error| usage(&format_args!("workflow {:?}: {error}", args.workflow)))?;
        let tenant = settings.tenant.clone();
        let intake = Intake::new(tenant.clone(), workflow).map_err(|error| usage(&error))?;
        let value = input::read(&args.input, &mut input::System)
            .map_err(|error| usage(&format_args!("{:#}", anyhow::Error::from(error))))?;
        let input = Payload::from_value(value).map_err(|error| {
            usage(&format_args!("input: {error}; at most {PAYLOAD_BYTES_MAX} bytes are allowed"))
        })?;
        let key = args.key.clone().unwrap_or_else(random_key);
        let trace = trace::current_traceparent();
        // Four eyes need to know the first pair.
        let login = settings.login.as_deref().filter(|login| header::is_value(login));
        let user = args.user.as_deref().or(login);
        let given = given(args, (&key, user), trace.as_deref());
        let pairs = given.iter().map(|(name, text)| (*name, text.as_ref()));
        let headers = GoalHeaders::decode(pairs).map_err(|error| usage(&flag_of(&error)))?;
        let limits = GoalLimits {
            steps_max: headers.steps,
            usd_micros_max: headers.usd_micros,
            tokens_max: headers.tokens,
        };
        let until = headers.until;
        let pairs = headers.encode().map_err(|error| usage(&error))?;
        let headers = pairs.into_iter().map(|(name, text)| (name, text.into_owned())).collect();
        let task = TaskId::derive(&tenant, &key);
        Ok(Self { intake, task, key, input, headers, until, limits })
    }

    /// Whether the goal of an accepted task asks for the same.
    pub(super) fn is_same(&self, goal: &Goal) -> bool {
        let input = |payload: &Payload| canonical(payload.value());
        goal.workflow == *self.intake.workflow()
            && goal.limits == self.limits
            && (goal.input == self.input || input(&goal.input) == input(&self.input))
    }
}

/// What the flags say, as headers.
fn given<'a>(
    args: &'a PublishArgs,
    (key, user): (&'a str, Option<&'a str>),
    trace: Option<&'a str>,
) -> Vec<(&'static str, Cow<'a, str>)> {
    let deadline = args.deadline.as_deref().map(|text| match humantime::parse_duration(text) {
        Ok(within) => (header::TIMEOUT_MS, Cow::Owned(within.as_millis().to_string())),
        Err(_) => (header::DEADLINE, Cow::Borrowed(text)),
    });
    let borrowed = |name, text: Option<&'a str>| text.map(|text| (name, Cow::Borrowed(text)));
    let number = |name, number: Option<u64>| number.map(|n| (name, Cow::Owned(n.to_string())));
    let all = [
        borrowed(header::MSG_ID, Some(key)),
        borrowed(header::USER, user),
        borrowed(header::TRACEPARENT, trace),
        borrowed(header::BUDGET_USD, args.budget_usd.as_deref()),
        number(header::BUDGET_TOKENS, args.max_tokens),
        number(header::BUDGET_STEPS, args.max_steps.map(u64::from)),
        deadline,
    ];
    all.into_iter().flatten().collect()
}

/// A header error in the words of the command line.
fn flag_of(error: &header::HeaderError) -> String {
    let flags = [
        (header::MSG_ID, "--key"),
        (header::USER, "--user"),
        (header::BUDGET_USD, "--budget-usd"),
        (header::BUDGET_TOKENS, "--max-tokens"),
        (header::BUDGET_STEPS, "--max-steps"),
        (header::DEADLINE, "--deadline"),
        (header::TIMEOUT_MS, "--deadline"),
    ];
    let text = error.to_string();
    let flag = flags.iter().find(|(name, _)| text.contains(name));
    match flag {
        Some((name, flag)) => {
            let text = text.replace(&format!("header {name}"), flag);
            let also = if *name == header::DEADLINE { ", nor a duration such as 10m" } else { "" };
            format!("{text}{also}")
        }
        None => text,
    }
}

fn random_key() -> String {
    let bytes: [u8; 16] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::settings::{Environment, Settings, Sources};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: PublishArgs,
    }

    fn wanted(line: &[&str]) -> Result<Wanted, String> {
        let args = Line::try_parse_from([&["publish"], line].concat()).unwrap().args;
        let settings = Settings::resolve(&Sources::default()).unwrap();
        Wanted::of(&args, &settings).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_become_headers() {
        let line = [
            "intake",
            "-i",
            "a=1",
            "--key",
            "k 1",
            "--deadline",
            "10m",
            "--budget-usd",
            "0.05",
            "--max-steps",
            "7",
            "--max-tokens",
            "900",
            "--user",
            "ann",
        ];
        let wanted = wanted(&line).unwrap();
        assert_eq!(wanted.intake.to_string(), "goals.default.intake");
        assert_eq!(wanted.input.text(), "{\"a\":1}");
        let expected = [
            ("Nats-Msg-Id", "k 1"),
            ("Cadre-User", "ann"),
            ("Cadre-Budget-Usd", "0.05"),
            ("Cadre-Budget-Tokens", "900"),
            ("Cadre-Budget-Steps", "7"),
            ("Cadre-Timeout-Ms", "600000"),
        ];
        let expected: Vec<_> =
            expected.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        assert_eq!(wanted.headers, expected);
    }

    #[test]
    fn whoever_is_at_the_keyboard_asks_unless_somebody_else_is_named() {
        let user = |login: &str, line: &[&str]| {
            let args = Line::try_parse_from([&["publish", "w"], line].concat()).unwrap().args;
            let environment = Environment::of(&[("USER", login)]);
            let settings = Settings::resolve(&Sources { environment, ..Sources::default() });
            let headers = Wanted::of(&args, &settings.unwrap()).unwrap().headers;
            headers.into_iter().find_map(|(name, text)| (name == header::USER).then_some(text))
        };
        assert_eq!(user("ann", &[]).as_deref(), Some("ann"));
        assert_eq!(user("ann", &["--user", "bob"]).as_deref(), Some("bob"));
        assert_eq!((user("", &[]), user("zoë", &[])), (None, None));
    }

    #[test]
    fn a_goal_without_a_key_gets_one() {
        let (one, other) = (wanted(&["intake"]).unwrap(), wanted(&["intake"]).unwrap());
        assert!(one.key.len() == 32 && one.key != other.key && one.task != other.task);
    }

    #[test]
    fn errors_name_the_flag() {
        for (line, named) in [
            (&["Not A Name"][..], "workflow"),
            (&["w", "--deadline", "soon"], "--deadline"),
            (&["w", "--deadline", "0s"], "--deadline"),
            (&["w", "--budget-usd", "1e3"], "--budget-usd"),
            (&["w", "--key", "ä"], "--key"),
            (&["w", "--user", "a\nb"], "--user"),
            (&["w", "-i", "nothing"], "\"nothing\""),
        ] {
            let error = wanted(line).err().unwrap();
            assert!(error.contains(named), "{line:?}: {error}");
        }
    }

    #[test]
    fn an_rfc_3339_deadline_is_a_point_in_time() {
        let wanted = wanted(&["w", "--deadline", "2100-01-01T00:00:00Z"]).unwrap();
        assert!(wanted.headers.contains(&("Cadre-Deadline", "4102444800000".to_owned())));
    }
}
