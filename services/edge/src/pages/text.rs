//! Figures and times as people read them. Pages hold integers; only here they become texts.

use std::fmt::Write as _;

use cadre_core::time::UnixMillis;
use maud::{Markup, html};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A text as a word of a shell; an empty one stays empty.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,".contains(c);
    if text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A duration with the two largest units that matter: `8 ms`, `1.2 s`, `2 min 3 s`, `2 min`.
pub(super) fn span(ms: u64) -> String {
    let two = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {part}"),
    };
    match ms {
        0..SECOND => format!("{ms} ms"),
        SECOND..MINUTE => format!("{}.{} s", ms / SECOND, ms % SECOND / 100),
        MINUTE..HOUR => two(ms / MINUTE, "min", ms % MINUTE / SECOND, "s"),
        HOUR..DAY => two(ms / HOUR, "h", ms % HOUR / MINUTE, "min"),
        _ => two(ms / DAY, "d", ms % DAY / HOUR, "h"),
    }
}

/// Thousands apart: `38,412`.
pub(super) fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// At most four digits: `950`, `38.4k`, `200k`, `1.2M`.
pub(super) fn short(number: u64) -> String {
    let (unit, name) = match number {
        0..10_000 => return whole(number),
        10_000..1_000_000 => (1_000, "k"),
        1_000_000..1_000_000_000 => (1_000_000, "M"),
        _ => (1_000_000_000, "G"),
    };
    match number % unit * 10 / unit {
        0 => format!("{}{name}", number / unit),
        tenth => format!("{}.{tenth}{name}", number / unit),
    }
}

/// Millionths of a US dollar: `$0.00`, `$0.0612`, `$214.80`. Rounded up: never less than was spent.
pub(super) fn usd(micros: u64) -> String {
    match micros {
        0 => "$0.00".to_owned(),
        1..100 => format!("$0.{micros:06}"),
        // Four decimals or two, so that figures below each other can be compared.
        100..=999_900 if !micros.is_multiple_of(10_000) => {
            format!("$0.{:04}", micros.div_ceil(100))
        }
        _ => {
            let cents = micros.div_ceil(10_000);
            format!("${}.{:02}", whole(cents / 100), cents % 100)
        }
    }
}

/// Prose of ours: what stands in backticks is code, and points in time are of the reader's day.
pub(super) fn prose(text: &str, now_ms: u64) -> Markup {
    let now = UnixMillis(now_ms).to_string();
    let today = now.get(..10).unwrap_or_default();
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else {
                @for word in part.split_inclusive(' ') {
                    @if let Some((exact, rest)) = moment(word) {
                        time datetime=(exact) title=(exact) {
                            @if exact.starts_with(today) { (exact.get(11..19).unwrap_or(exact)) }
                            @else { (exact.get(..10).unwrap_or(exact)) " " (exact.get(11..16).unwrap_or_default()) }
                        } (rest)
                    } @else { (word) }
                }
            }
        }
    }
}

/// A word that begins with a point in time, as we write one, and what follows.
fn moment(word: &str) -> Option<(&str, &str)> {
    let (exact, rest) = word.split_at_checked(word.find('Z')? + 1)?;
    let is_moment = exact.len() >= "1970-01-01T00:00:00Z".len()
        && exact.as_bytes().get(10) == Some(&b'T')
        && exact.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TZ".contains(&byte));
    is_moment.then_some((exact, rest))
}

/// Bytes with one decimal: `20.2 KB`.
pub(super) fn bytes(number: u64) -> String {
    match number {
        0..1_024 => format!("{number} B"),
        1_024..1_048_576 => format!("{}.{} KB", number / 1_024, number % 1_024 * 10 / 1_024),
        1_048_576..1_073_741_824 => {
            format!("{}.{} MB", number / 1_048_576, number % 1_048_576 * 10 / 1_048_576)
        }
        _ => {
            format!("{}.{} GB", number / 1_073_741_824, number % 1_073_741_824 * 10 / 1_073_741_824)
        }
    }
}

/// Hundredths of `part` in `whole`, at most 999; 0 of nothing.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    (part.saturating_mul(100) / whole).min(999)
}

/// `1 step`, `2 steps`.
pub(super) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", whole(number)) }
}

/// The first characters of a long id, enough to tell two apart on one page.
pub(super) fn brief_id(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// A point in time as its age, which stays true while the page is open; the tooltip is exact.
pub(super) fn ago(at_ms: u64, now_ms: u64) -> Markup {
    let exact = UnixMillis(at_ms).to_string();
    html! {
        time datetime=(exact) title=(exact) data-ago=(at_ms) { (coarse(now_ms.saturating_sub(at_ms))) " ago" }
    }
}

/// How long something lasts by now, counting.
pub(super) fn since(at_ms: u64, now_ms: u64) -> Markup {
    let exact = UnixMillis(at_ms).to_string();
    html! {
        time datetime=(exact) title={ "since " (exact) } data-since=(at_ms) { (coarse(now_ms.saturating_sub(at_ms))) }
    }
}

/// How long until a point in time, counting down.
pub(super) fn until(at_ms: u64, now_ms: u64) -> Markup {
    let exact = UnixMillis(at_ms).to_string();
    let left = if at_ms > now_ms { coarse(at_ms - now_ms) } else { "expired".to_owned() };
    html! { time datetime=(exact) title=(exact) data-until=(at_ms) { (left) } }
}

/// Time of day to the second, the rest in the tooltip.
pub(super) fn clock(at_ms: u64) -> Markup {
    let exact = UnixMillis(at_ms).to_string();
    let of_day = exact.get(11..19).unwrap_or(&exact).to_owned();
    html! { time datetime=(exact) title=(exact) { (of_day) } }
}

/// Whole seconds, as the script shows them.
fn coarse(ms: u64) -> String {
    match ms {
        0..MINUTE => format!("{} s", ms / SECOND),
        MINUTE..600_000 => span(ms / SECOND * SECOND),
        600_000..HOUR => format!("{} min", ms / MINUTE),
        _ => span(ms),
    }
}

/// A query string in the making; what is empty is left out, so that addresses stay short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query(String);

impl Query {
    /// With one more key, unless the value is empty.
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.0.push(if self.0.is_empty() { '?' } else { '&' });
            self.0.push_str(key);
            self.0.push('=');
            escape(&mut self.0, value);
        }
        self
    }

    /// The address of a page with this query.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{path}{}", self.0)
    }
}

/// Percent-encodes everything but what RFC 3986 calls unreserved.
fn escape(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _infallible = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_exact_enough() {
        let money = [
            (0, "$0.00"),
            (7, "$0.000007"),
            (61_200, "$0.0612"),
            (61_250, "$0.0613"),
            (100_000, "$0.10"),
            (250_000, "$0.25"),
            (1_000, "$0.0010"),
            (53_000, "$0.0530"),
            (999_999, "$1.00"),
            (1_500_000, "$1.50"),
            (214_800_000, "$214.80"),
            (1_234_567_890_000, "$1,234,567.89"),
        ];
        for (micros, expected) in money {
            assert_eq!(usd(micros), expected, "{micros}");
        }
        assert_eq!([whole(7), whole(38_412), whole(1_000_000)], ["7", "38,412", "1,000,000"]);
        assert_eq!([short(950), short(38_412), short(200_000)], ["950", "38.4k", "200k"]);
        assert_eq!([bytes(12), bytes(20_685), bytes(5_242_880)], ["12 B", "20.2 KB", "5.0 MB"]);
        assert_eq!([span(120_000), span(61_000), span(999)], ["2 min", "1 min 1 s", "999 ms"]);
        assert_eq!([percent(1, 0), percent(1, 3), percent(3, 2)], [0, 33, 150]);
    }

    #[test]
    fn times_say_both_age_and_moment() {
        let text = ago(1_000, 66_000).into_string();
        assert!(text.contains("1 min 5 s ago") && text.contains("1970-01-01T00:00:01.000Z"));
        assert!(until(1_000, 66_000).into_string().contains("expired"));
        assert!(clock(3_723_000).into_string().contains("01:02:03"));
    }

    #[test]
    fn prose_has_code_and_times_of_the_day() {
        let text =
            "since 1970-01-01T01:02:03.004Z (2 s), until 1970-02-03T04:05:06Z: see `cadre <x>`";
        let html = prose(text, 5_000).into_string();
        for part in [
            ">01:02:03</time> (2 s)",
            ">1970-02-03 04:05</time>: see",
            "<code>cadre &lt;x&gt;</code>",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert_eq!(prose("a Zebra at 5Z", 0).into_string(), "a Zebra at 5Z");
    }

    #[test]
    fn addresses_hold_any_text() {
        let query = Query::default().with("status", "").with("q", "a b&c=d/ü").with("x", "1");
        assert_eq!(query.address("/tasks"), "/tasks?q=a%20b%26c%3Dd%2F%C3%BC&x=1");
    }
}
