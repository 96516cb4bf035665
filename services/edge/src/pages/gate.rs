//! Pages for who has not said who they are, and for what went wrong.

use maud::{Markup, html};

use super::{
    chrome::{self, Chrome},
    part::{self, Tone},
};

/// The page that asks for a token.
#[must_use]
pub fn login(chrome: &Chrome, refused: &str, next: &str) -> Markup {
    let body = html! {
        h1 { "Sign in" }
        form.gap method="post" action="/session" {
            input type="hidden" name="next" value=(next);
            @if !refused.is_empty() { div.field role="alert" { (part::note(Tone::Bad, &html! { p { (refused) } })) } }
            div.field {
                label for="token" { "API token" }
                input #token type="password" name="token" required autofocus autocomplete="current-password" aria-describedby="token-hint";
                span.hint #token-hint { "Made with " code { "cadre token create" } ". It is shown once." }
            }
            button.btn.first { "Sign in" }
        }
    };
    chrome::bare(chrome, "Sign in", &body)
}

/// A page that says what went wrong, who can repair it, and how to go on.
#[must_use]
pub fn error(chrome: &Chrome, title: &str, said: &str, next: &Markup) -> Markup {
    let body = html! { h1 { (title) } p.gap { (said) } p.gap.mute { (next) } p.gap { a.btn href="/" { "To the overview" } } };
    chrome::bare(chrome, title, &body)
}
