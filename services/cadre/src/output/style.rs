//! Colours and glyphs for people at a terminal, plain words for everybody else.

use anstyle::{AnsiColor, Color};

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Escape codes for colours.
    pub has_color: bool,
    /// Characters beyond ASCII.
    pub has_glyphs: bool,
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// Somebody should look.
    Warn,
    /// It begins.
    Begin,
    /// Background.
    Dim,
    /// A heading.
    Strong,
}

impl Style {
    /// ASCII without colours.
    #[must_use]
    pub fn plain() -> Self {
        Self { has_color: false, has_glyphs: false }
    }

    /// Glyphs on a terminal, and colours unless they are unwanted.
    #[must_use]
    pub fn detect() -> Self {
        Self { has_color: super::has_color(), has_glyphs: super::is_terminal() }
    }

    /// `text` with the colour of its meaning.
    #[must_use]
    pub fn paint(self, look: Look, text: &str) -> String {
        if !self.has_color {
            return text.to_owned();
        }
        let color = |color: AnsiColor| anstyle::Style::new().fg_color(Some(Color::Ansi(color)));
        let style = match look {
            Look::Good => color(AnsiColor::Green),
            Look::Bad => color(AnsiColor::Red),
            Look::Warn => color(AnsiColor::Yellow),
            Look::Begin => color(AnsiColor::Cyan),
            Look::Dim => anstyle::Style::new().dimmed(),
            Look::Strong => anstyle::Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }
}
