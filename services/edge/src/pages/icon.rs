//! Icons as inline SVG: sixteen units square, stroked in the colour of the text around them.

use maud::{Markup, html};

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Icon {
    Overview,
    Tasks,
    Approvals,
    Agents,
    Breakers,
    Bus,
    Letters,
    Spend,
    Packs,
    Publish,
    Audit,
    Webhooks,
    Search,
    Copy,
    Menu,
    Theme,
    Leave,
    Done,
    Running,
    Waiting,
    Failed,
    Stopped,
    Partial,
    Paused,
    Warning,
    Note,
    Retry,
    Fallback,
    Person,
    Crew,
    Tool,
    Model,
    Next,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Overview => "M2 2.5h5v6H2zM9 2.5h5v3H9zM9 7.5h5v6H9zM2 10.5h5v3H2z",
            Self::Tasks => "M6 4h8M6 8h8M6 12h8M2.2 4h.6M2.2 8h.6M2.2 12h.6",
            Self::Approvals => {
                "M5.5 8.2 7.3 10l3.4-3.8M8 1.8l5 1.9v3.9c0 3.2-2.1 5.6-5 6.6-2.9-1-5-3.4-5-6.6V3.7z"
            }
            Self::Agents => {
                "M8 7.5a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM2.8 13.7c.5-2.6 2.6-4 5.2-4s4.7 1.4 5.2 4"
            }
            Self::Breakers => "M8.8 1.8 3.5 9h4l-.6 5.2L12.5 7h-4z",
            Self::Bus => {
                "M2 4.5c0-1.2 2.7-2 6-2s6 .8 6 2-2.7 2-6 2-6-.8-6-2zM2 4.5v7c0 1.2 2.7 2 6 2s6-.8 6-2v-7M2 8c0 1.2 2.7 2 6 2s6-.8 6-2"
            }
            Self::Letters => "M2 3.5h12v9H2zM2.3 4 8 8.6 13.7 4",
            Self::Spend => {
                "M8 1.8v12.4M11 4.6C10.5 3.7 9.4 3.2 8 3.2c-1.8 0-3.1.8-3.1 2.2 0 3.2 6.4 1.6 6.4 4.9 0 1.5-1.4 2.5-3.3 2.5-1.7 0-3-.7-3.5-1.9"
            }
            Self::Packs => "m8 1.8 5.6 3v6.4L8 14.2l-5.6-3V4.8zM2.5 4.9 8 7.9l5.5-3M8 7.9v6.2",
            Self::Publish => "M14 2 2 7l4.6 2L14 2zM14 2 9 14l-2.4-5",
            Self::Audit => "M4 1.8h6L12.5 4.5v9.7H4zM6.2 7h4M6.2 9.5h4M6.2 12h2.5",
            Self::Webhooks => {
                "M5.6 6.8a2.6 2.6 0 1 1 4.6-1.7M6.3 6.9 4 11M4 13.4a2.3 2.3 0 1 1 1.2-4.3M6 11.1h6M10.2 5.1 12 9M12 9a2.2 2.2 0 1 1-1.6 3.7"
            }
            Self::Search => "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 14 14",
            Self::Copy => "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
            Self::Menu => "M2 4.5h12M2 8h12M2 11.5h12",
            Self::Theme => "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12M8 5v6",
            Self::Leave => "M6 2.5H2.5v11H6M6 8h8M11 5l3 3-3 3",
            Self::Done => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.5 8.2 7.3 10l3.2-3.8",
            Self::Running => "M8 2a6 6 0 0 1 6 6M8 14a6 6 0 0 1-6-6",
            Self::Waiting => {
                "M4 2h8M4 14h8M5 2c0 3.5 6 4.5 6 6s-6 2.5-6 6M11 2c0 3.5-6 4.5-6 6s6 2.5 6 6"
            }
            Self::Failed => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6 6l4 4M10 6l-4 4",
            Self::Stopped => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.5 8h5",
            Self::Partial => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2v12M8 5h3.5M8 8h5M8 11h3.5",
            Self::Paused => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.5 6v4M9.5 6v4",
            Self::Warning => "M8 2 1.8 13.5h12.4zM8 6.5v3M8 11.6v.1",
            Self::Note => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5v3.5M8 5v.1",
            Self::Retry => "M13 3.5v3.2H9.8M13 6.7A5.2 5.2 0 1 0 13 10",
            Self::Fallback => "M2 4h5l3 6h4M11.5 7.5 14 10l-2.5 2.5",
            Self::Person => {
                "M8 7.2a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM3 14c.3-2.7 2.3-4.2 5-4.2s4.7 1.5 5 4.2"
            }
            Self::Crew => {
                "M5.5 7.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM11 8a1.7 1.7 0 1 0 0-3.4M1.8 13c.2-2.2 1.7-3.4 3.7-3.4s3.5 1.2 3.7 3.4M11.2 10c1.7.100 2.8 1.2 3 3"
            }
            Self::Tool => {
                "M9.8 6.2 3 13M13.5 4.2a3.2 3.2 0 0 1-4.6 3.3M8.5 7A3.2 3.2 0 0 1 11.8 2.5L10 4.3 11.7 6z"
            }
            Self::Model => "M8 1.8 9.6 6.4 14.2 8 9.6 9.6 8 14.2 6.4 9.6 1.8 8 6.4 6.4z",
            Self::Next => "m6 3.5 4.5 4.5L6 12.5",
        }
    }

    /// The icon for people who see it; others have the text beside it.
    pub(super) fn draw(self) -> Markup {
        html! {
            svg.i viewBox="0 0 16 16" aria-hidden="true" focusable="false" { path d=(self.path()) {} }
        }
    }

    /// The icon inside another drawing, at a place in that drawing's units.
    pub(super) fn place(self, x: u32, y: u32) -> Markup {
        html! {
            svg.i x=(x) y=(y) width="14" height="14" viewBox="0 0 16 16" aria-hidden="true" { path d=(self.path()) {} }
        }
    }
}

/// The mark of the product: four corners that hold something together.
pub(super) fn mark() -> Markup {
    html! {
        svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round"
            stroke-linejoin="round" aria-hidden="true" {
            path d="M3 8.5V5a2 2 0 0 1 2-2h3.5M15.5 3H19a2 2 0 0 1 2 2v3.5M21 15.5V19a2 2 0 0 1-2 2h-3.5M8.5 21H5a2 2 0 0 1-2-2v-3.5" {}
            circle cx="12" cy="12" r="2.2" fill="var(--accent)" stroke="var(--accent)" {}
        }
    }
}
