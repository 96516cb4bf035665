//! Texts for people: safe to show, short times, wrapped lines.

pub use cadre_core::text::{brief, clean, count, span};

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
    fn money_is_short() {
        for (micros, expected) in
            [(0, "$0.00"), (1_200, "$0.0012"), (1_500_000, "$1.50"), (1, "$0.000001")]
        {
            assert_eq!(usd(micros), expected);
        }
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 10), ["a", "", "b"]);
        assert!(wrap("", 10).is_empty());
    }
}
