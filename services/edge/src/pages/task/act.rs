//! What a person can do with a task: buttons, and the panel that asks before anything happens.

use maud::{Markup, html};

use super::{super::chrome::Chrome, Task};

/// A wish for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing new begins.
    Pause,
    /// It goes on.
    Resume,
    /// Its failed steps begin anew.
    Retry,
    /// A new task keeps what was done before a step.
    Fork,
    /// It may spend more.
    Budget,
    /// It ends, and its open work stops.
    Cancel,
}

impl Act {
    /// Every wish.
    pub const ALL: [Self; 6] =
        [Self::Resume, Self::Pause, Self::Retry, Self::Fork, Self::Budget, Self::Cancel];

    /// The wish as the last part of its address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry => "retry",
            Self::Fork => "fork",
            Self::Budget => "budget",
            Self::Cancel => "cancel",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == text)
    }

    /// What can be wished for a task in this status.
    #[must_use]
    pub fn fitting(status: &str) -> Vec<Self> {
        match status {
            "paused" => vec![Self::Resume, Self::Budget, Self::Cancel],
            "running" | "waiting" => vec![Self::Pause, Self::Retry, Self::Budget, Self::Cancel],
            "aggregating" | "compensating" => vec![Self::Cancel],
            "completed" | "partial" | "failed" | "cancelled" | "incomplete" => vec![Self::Fork],
            _ => Vec::new(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Retry => "Retry",
            Self::Fork => "Fork",
            Self::Budget => "Add budget",
            Self::Cancel => "Cancel",
        }
    }

    fn explained(self) -> &'static str {
        match self {
            Self::Pause => {
                "Nothing new begins until somebody resumes it. What is out comes to its end."
            }
            Self::Resume => "It goes on with the steps that are open.",
            Self::Retry => {
                "A failed step begins anew, and what was skipped because of it is open again."
            }
            Self::Fork => {
                "A new task keeps what was done before the step, and does the rest again."
            }
            Self::Budget => "It may spend that much more, and goes on from the open step.",
            Self::Cancel => "Its open work stops, and it ends as cancelled. That cannot be undone.",
        }
    }
}

/// The buttons beside the title, each with its panel.
pub(super) fn buttons(chrome: &Chrome, view: &Task) -> Markup {
    html! {
        @for act in &view.acts {
            button.btn.first[*act == Act::Resume].danger[*act == Act::Cancel] type="button" popovertarget={ "act-" (act.as_str()) } { (act.name()) }
        }
        @for act in &view.acts { (panel(chrome, view, *act)) }
    }
}

fn panel(chrome: &Chrome, view: &Task, act: Act) -> Markup {
    let address = format!("/tasks/{}/{}", view.id, act.as_str());
    let panel = format!("act-{}", act.as_str());
    html! {
        div.pop id=(panel) popover aria-label=(act.name()) {
            form method="post" action=(address) hx-post=(address) hx-target="#toasts" data-close {
                h2 { (act.name()) }
                p { (act.explained()) }
                (chrome.csrf_field())
                (fields(view, act))
                div.acts {
                    button.btn type="button" popovertarget=(panel) popovertargetaction="hide" { "Not now" }
                    button.btn.first.danger[act == Act::Cancel] { (act.name()) }
                }
            }
        }
    }
}

fn fields(view: &Task, act: Act) -> Markup {
    match act {
        Act::Pause | Act::Resume => html! {},
        Act::Retry => html! {
            div.field {
                label for="retry-step" { "Step" }
                input #retry-step type="text" name="step" value=(view.selected) placeholder="the failed one" autocomplete="off";
            }
        },
        Act::Fork => html! {
            div.field {
                label for="fork-from" { "From step" }
                input #fork-from type="text" name="from" value=(view.selected) required autocomplete="off";
            }
        },
        Act::Budget => html! {
            div.field { label for="budget-usd" { "US dollars more" } input #budget-usd type="number" name="usd" min="0" step="0.0001" value="0"; }
            div.field { label for="budget-tokens" { "Tokens more" } input #budget-tokens type="number" name="tokens" min="0" step="1" value="0"; }
            div.field { label for="budget-steps" { "Steps more" } input #budget-steps type="number" name="steps" min="0" step="1" value="0"; }
            div.field { label for="budget-seconds" { "Seconds more" } input #budget-seconds type="number" name="seconds" min="0" step="1" value="0"; }
        },
        Act::Cancel => html! {
            div.field {
                label for="cancel-reason" { "Reason" }
                input #cancel-reason type="text" name="reason" maxlength="256" required;
            }
        },
    }
}
