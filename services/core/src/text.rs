//! Texts for people, wherever they are read: safe to show, short times, short sizes.
//!
//! Called by whoever puts a sentence together out of what others wrote. Pure.

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

/// One of several: `1 step`, `2 steps`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    let mut text = format!("{number} {noun}");
    if number != 1 {
        let _infallible = write!(text, "s");
    }
    text
}

/// Bytes: `512 B`, `12.3 KB`, `4.0 GB`, in steps of 1024.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes.saturating_mul(10) / 1024, "KB");
    for next in UNITS.into_iter().skip(1) {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, next);
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
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
    fn spans_and_counts_are_short() {
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
        assert_eq!((count(1, "step"), count(0, "step")), ("1 step".into(), "0 steps".into()));
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KB"),
            (1_300_000, "1.2 MB"),
            (4 << 30, "4.0 GB"),
            (u64::MAX, "1638.3 PB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
