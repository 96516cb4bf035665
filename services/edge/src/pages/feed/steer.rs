//! What people wish for one task.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use cadre_core::{
    access,
    ids::{Name, StepId},
    task::{Action, Budget},
    wish::{ForkWish, Outcome, Want},
};
use serde::Deserialize;

use super::after;
use crate::{
    http::{AppState, Identity, Problem, SafeForm, random_key, wish},
    pages::task::Act,
};

/// Fields of all panels together; each uses its own.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ActForm {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    step: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    usd: String,
    #[serde(default)]
    tokens: String,
    #[serde(default)]
    steps: String,
    #[serde(default)]
    seconds: String,
}

pub(super) async fn act(
    State(app): State<AppState>,
    Path((id, act)): Path<(String, String)>,
    headers: HeaderMap,
    SafeForm(identity, form): SafeForm<ActForm>,
) -> Response {
    let Some(act) = Act::parse(&act) else {
        return after(&headers, "/tasks", Err(Problem::not_found("nothing has this address")));
    };
    if act == Act::Fork {
        return match forked(&app, &identity, &id, &form).await {
            Ok(task) if headers.contains_key("hx-request") => {
                (StatusCode::OK, [("hx-redirect", format!("/tasks/{task}"))]).into_response()
            }
            Ok(task) => (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/tasks/{task}"))])
                .into_response(),
            Err(problem) => after(&headers, "/tasks", Err(problem)),
        };
    }
    let outcome = done(&app, &identity, (&id, act), &form).await;
    after(&headers, &format!("/tasks/{id}"), outcome)
}

async fn done(
    app: &AppState,
    identity: &Identity,
    (id, act): (&str, Act),
    form: &ActForm,
) -> Result<String, Problem> {
    identity.require(access::Act::Steer)?;
    let task = app.task(identity, id).await?;
    let want = match act {
        Act::Pause => Want::Control(Action::Pause),
        Act::Resume => Want::Control(Action::Resume),
        Act::Cancel => Want::Cancel,
        Act::Retry => Want::Control(Action::Retry(step(&form.step)?)),
        Act::Budget => Want::Control(Action::AddBudget(budget(form)?)),
        Act::Fork => return Err(Problem::malformed("a fork is no wish for this task")),
    };
    let reason = Some(form.reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let wish = wish(identity, want, random_key(), reason)?;
    said(&app.desk().steer(&task, wish).await?)
}

async fn forked(
    app: &AppState,
    identity: &Identity,
    id: &str,
    form: &ActForm,
) -> Result<String, Problem> {
    identity.require(access::Act::Steer)?;
    let task = app.task(identity, id).await?;
    let from = Name::new(form.from.trim()).map_err(|error| Problem::at("/from", error))?;
    let user = Some(identity.user().to_owned()).filter(|user| !user.is_empty());
    let wish = ForkWish { from, key: random_key(), input: None, user, trace: None };
    Ok(app.desk().fork(&task, wish).await?.task.to_string())
}

fn step(text: &str) -> Result<Option<StepId>, Problem> {
    let text = text.trim();
    let step = (!text.is_empty()).then(|| StepId::parse(text)).transpose();
    step.map_err(|error| Problem::at("/step", error))
}

fn budget(form: &ActForm) -> Result<Budget, Problem> {
    fn number<T: std::str::FromStr + Default>(name: &str, text: &str) -> Result<T, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(T::default());
        }
        text.parse().map_err(|_| Problem::at(name, "it must be a whole number"))
    }
    let budget = Budget {
        steps: number("/steps", &form.steps)?,
        usd_micros: micros(&form.usd)?,
        tokens: number("/tokens", &form.tokens)?,
        time: Duration::from_secs(number("/seconds", &form.seconds)?),
    };
    if budget == Budget::default() {
        return Err(Problem::invalid("name what to add: money, tokens, steps or time"));
    }
    Ok(budget)
}

/// `0.05` as millionths, without a detour over binary fractions.
fn micros(text: &str) -> Result<u64, Problem> {
    let wrong = || Problem::at("/usd", "write an amount such as 0.05, with at most six decimals");
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() > 6 || !is_digits(whole) || !is_digits(part) {
        return Err(wrong());
    }
    let parse = |text: &str| if text.is_empty() { Ok(0) } else { text.parse::<u64>() };
    let whole = parse(whole).map_err(|_| wrong())?;
    let part = parse(&format!("{part:0<6}")).map_err(|_| wrong())?;
    whole.checked_mul(1_000_000).and_then(|micros| micros.checked_add(part)).ok_or_else(wrong)
}

/// What became of a wish, in a sentence.
pub(super) fn said(outcome: &Outcome) -> Result<String, Problem> {
    match outcome {
        Outcome::Done { reason, .. } => Ok(format!("Done: {reason}")),
        Outcome::Unchanged(why) => Ok(format!("Nothing to do: {why}")),
        Outcome::Unknown(why) => Ok(format!("Stored, and nobody has handled it yet: {why}")),
        Outcome::Refused(why) => Err(Problem::refused(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_to_the_millionth() {
        for (text, expected) in
            [("0.05", 50_000), ("2", 2_000_000), (".000001", 1), ("", 0), ("12.50", 12_500_000)]
        {
            assert_eq!(micros(text).ok(), Some(expected), "{text}");
        }
        for wrong in ["-1", "1e3", "0.0000001", "1,5", "99999999999999999999"] {
            assert!(micros(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_budget_of_nothing_is_refused() {
        assert!(budget(&ActForm::default()).is_err());
        let form = ActForm { tokens: "500".to_owned(), ..ActForm::default() };
        assert_eq!(budget(&form).map(|budget| budget.tokens).ok(), Some(500));
    }
}
