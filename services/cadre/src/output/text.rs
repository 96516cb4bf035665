//! Texts for people: safe to show, short times, wrapped lines.

use std::{fmt::Write as _, time::Duration};

/// Makes text from elsewhere safe for a terminal: control characters become spaces.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// As [`clean`], on one line of at most `max` characters.
#[must_use]
pub fn brief(text: &str, max: usize) -> String {
    let line = clean(text);
    if line.chars().count() <= max {
        return line;
    }
    let kept: String = line.chars().take(max.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// A duration with the two largest units that matter: `8 ms`, `1.2 s`, `2 min 3 s`.
#[must_use]
pub fn span(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        3_600_000..86_400_000 => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
        _ => format!("{} d {} h", ms / 86_400_000, ms % 86_400_000 / 3_600_000),
    }
}

/// Millionths of a US dollar as `$0.0012`, with at least two decimals.
#[must_use]
pub fn usd(micros: u64) -> String {
    let mut text = format!("${}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let point = text.find('.').unwrap_or(text.len());
    while text.ends_with('0') && text.len() > point + 3 {
        text.pop();
    }
    text
}

/// One of several: `1 step`, `2 steps`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    let mut text = format!("{number} {noun}");
    if number != 1 {
        let _infallible = write!(text, "s");
    }
    text
}

/// Breaks text into lines of at most `width` characters, at spaces where there are any.
///
/// Line breaks of the text stay; other control characters become spaces.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in clean(paragraph).split_whitespace() {
            place(&mut lines, &mut line, word, width);
        }
        lines.push(line);
    }
    lines
}

fn place(lines: &mut Vec<String>, line: &mut String, word: &str, width: usize) {
    let length = |text: &str| text.chars().count();
    if !line.is_empty() && length(line) + 1 + length(word) > width {
        lines.push(std::mem::take(line));
    }
    if !line.is_empty() {
        line.push(' ');
    }
    for c in word.chars() {
        // A word longer than a line is broken anywhere.
        if length(line) >= width {
            lines.push(std::mem::take(line));
        }
        line.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_cannot_steer_a_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\r\nc"), "a [31mb  c");
        assert_eq!(brief("one two three", 8), "one t...");
        assert_eq!(brief("short", 8), "short");
    }

    #[test]
    fn spans_and_money_are_short() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_250, "1.2 s"),
            (123_000, "2 min 3 s"),
            (7_260_000, "2 h 1 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_millis(ms)), expected);
        }
        for (micros, expected) in
            [(0, "$0.00"), (1_200, "$0.0012"), (1_500_000, "$1.50"), (1, "$0.000001")]
        {
            assert_eq!(usd(micros), expected);
        }
        assert_eq!((count(1, "step"), count(0, "step")), ("1 step".into(), "0 steps".into()));
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 10), ["a", "", "b"]);
        assert!(wrap("", 10).is_empty());
    }
}
