//! One wish for many tasks: first what it would do, then what became of it.

use axum::{extract::State, http::HeaderMap, response::Response};
use cadre_core::{
    access::Act,
    task::Action,
    wish::{Outcome, Want},
};
use futures::{StreamExt as _, stream};

use super::{Visit, cookie, note, theme};
use crate::{
    http::{AppState, Identity, Problem, SafeForm, random_key, wish},
    pages::{
        chrome::Chrome,
        tasks::{BulkPlan, confirm},
        text,
    },
};

/// Tasks of one wish at most: those of one page and some more.
const PICKS_MAX: usize = 200;

/// Wishes on their way at the same time.
const AT_ONCE: usize = 16;

/// What a form says; `pick` comes many times.
struct Wanted {
    action: String,
    picks: Vec<String>,
    reason: Option<String>,
    is_confirmed: bool,
}

impl Wanted {
    fn of(fields: Vec<(String, String)>) -> Self {
        let mut wanted =
            Self { action: String::new(), picks: Vec::new(), reason: None, is_confirmed: false };
        for (name, value) in fields {
            match name.as_str() {
                "action" => wanted.action = value,
                "pick" => wanted.picks.push(value),
                "reason" if !value.trim().is_empty() => wanted.reason = Some(value),
                "confirmed" => wanted.is_confirmed = true,
                _ => {}
            }
        }
        wanted.picks.truncate(PICKS_MAX);
        wanted
    }

    fn want(&self) -> Result<Want, Problem> {
        match self.action.as_str() {
            "pause" => Ok(Want::Control(Action::Pause)),
            "resume" => Ok(Want::Control(Action::Resume)),
            "retry" => Ok(Want::Control(Action::Retry(None))),
            "cancel" => Ok(Want::Cancel),
            other => {
                Err(Problem::malformed(format!("{other:?} is no pause, resume, retry or cancel")))
            }
        }
    }
}

pub(super) async fn act(
    State(app): State<AppState>,
    headers: HeaderMap,
    SafeForm(identity, fields): SafeForm<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted::of(fields);
    if !wanted.is_confirmed {
        let has_session = cookie(&headers, "cadre_session").is_some();
        let chrome = Chrome {
            csrf: identity.csrf().to_owned(),
            theme: theme(&headers),
            has_session,
            ..Chrome::default()
        };
        return match plan(&app, &identity, &wanted).await {
            Ok(plan) => Visit::part(&confirm(&chrome, &plan)),
            Err(problem) => note(Err(problem)),
        };
    }
    note(all(&app, &identity, &wanted).await)
}

/// What it would do, from each task's own log.
async fn plan(app: &AppState, identity: &Identity, wanted: &Wanted) -> Result<BulkPlan, Problem> {
    identity.require(Act::Steer)?;
    let want = wanted.want()?;
    let looked: Vec<(String, Result<Option<Outcome>, Problem>)> =
        stream::iter(wanted.picks.clone())
            .map(|id| {
                let want = want.clone();
                async move {
                    let task = app.task(identity, &id).await;
                    (id, task.map(|task| want.moot(&task)))
                }
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
    let mut plan = BulkPlan { action: wanted.action.clone(), ..BulkPlan::default() };
    for (id, found) in looked {
        match found {
            Ok(None) => plan.fits.push(id),
            Ok(Some(outcome)) => plan.left.push((id, outcome.reason().to_owned())),
            Err(problem) => plan.left.push((id, problem.detail().to_owned())),
        }
    }
    Ok(plan)
}

async fn all(app: &AppState, identity: &Identity, wanted: &Wanted) -> Result<String, Problem> {
    identity.require(Act::Steer)?;
    wanted.want()?;
    let outcomes: Vec<Result<Outcome, Problem>> = stream::iter(wanted.picks.clone())
        .map(|id| async move {
            let task = app.task(identity, &id).await?;
            let wish = wish(identity, wanted.want()?, random_key(), wanted.reason.clone())?;
            Ok(app.desk().steer(&task, wish).await?)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let done =
        outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Done { .. }))).count();
    let rest = outcomes.len() - done;
    let said = format!("{}: {} done", wanted.action, text::count(done as u64, "task"));
    let first = outcomes.iter().find_map(|outcome| match outcome {
        Ok(Outcome::Done { .. }) => None,
        Ok(other) => Some(other.reason().to_owned()),
        Err(problem) => Some(problem.detail().to_owned()),
    });
    Ok(match first {
        Some(why) => format!("{said}, {rest} left as they are ({why})."),
        None => format!("{said}."),
    })
}
