//! Numbers, money and periods in running text: `thirty (30) days`, `USD 1,500,000`, `$1.5 million`.

use serde::Deserialize;

/// A unit of time that a period can be counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    Days,
    Weeks,
    Months,
    Years,
}

/// A number found in text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quantity {
    pub value: f64,
    /// The unit of time named after the number.
    pub unit: Option<Unit>,
    /// Words and digits name different numbers, as in `thirty (45) days`.
    pub is_disputed: bool,
}

/// Finds the first number: digits if there are any, else number words.
pub(super) fn find(text: &str) -> Option<Quantity> {
    let digits = digits(text);
    let before = digits.map_or(text, |(_, start, _)| text.get(..start).unwrap_or_default());
    let words = words(before);
    let (value, end) = match (digits, words) {
        (Some((value, _, end)), _) => (value, end),
        (None, Some((value, end))) => (value, end),
        (None, None) => return None,
    };
    let is_disputed = digits.is_some() && words.is_some_and(|(words, _)| words != value);
    let unit = unit(text.get(end..).unwrap_or_default());
    Some(Quantity { value, unit, is_disputed })
}

/// Finds the first unit of time among the first words.
pub(super) fn unit(text: &str) -> Option<Unit> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).take(3).find_map(
        |word| match word.to_lowercase().as_str() {
            "day" | "days" => Some(Unit::Days),
            "week" | "weeks" => Some(Unit::Weeks),
            "month" | "months" => Some(Unit::Months),
            "year" | "years" => Some(Unit::Years),
            _ => None,
        },
    )
}

/// Converts a count between units; the flag says that the result is only customary (30, 365 days).
///
/// None when the target cannot hold it in whole units, as 45 days in months.
pub(super) fn convert(value: f64, from: Unit, to: Unit) -> Option<(f64, bool)> {
    let days = |unit| match unit {
        Unit::Days => 1.0,
        Unit::Weeks => 7.0,
        Unit::Months => 30.0,
        Unit::Years => 365.0,
    };
    let is_customary = |unit| matches!(unit, Unit::Months | Unit::Years);
    match (from, to) {
        (Unit::Years, Unit::Months) => Some((value * 12.0, false)),
        (Unit::Months, Unit::Years) => whole(value / 12.0).map(|years| (years, false)),
        (from, to) if from == to => Some((value, false)),
        (from, to) => whole(value * days(from) / days(to))
            .map(|count| (count, is_customary(from) || is_customary(to))),
    }
}

fn whole(value: f64) -> Option<f64> {
    (value.fract() == 0.0).then_some(value)
}

/// The first number in digits with its scale word: value, start, end.
fn digits(text: &str) -> Option<(f64, usize, usize)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let tail = text.get(start..)?.as_bytes();
    let is_digit = |at: usize| tail.get(at).is_some_and(u8::is_ascii_digit);
    let mut plain = String::new();
    let mut at = 0;
    let mut has_point = false;
    while let Some(byte) = tail.get(at).copied() {
        let groups = || (1..=3).all(|next| is_digit(at + next)) && !is_digit(at + 4);
        match byte {
            b'0'..=b'9' => plain.push(char::from(byte)),
            b',' | b'\'' if !has_point && groups() => {}
            b'.' if !has_point && is_digit(at + 1) => {
                has_point = true;
                plain.push('.');
            }
            _ => break,
        }
        at += 1;
    }
    let value: f64 = plain.parse().ok()?;
    let end = start + at;
    let (scale, width) = scale(text.get(end..).unwrap_or_default());
    Some((value * scale, start, end + width))
}

/// The scale word right after a number (`million`, `k`), with the bytes it takes.
fn scale(after: &str) -> (f64, usize) {
    let trimmed = after.trim_start();
    let word = trimmed.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let scale = match word.to_lowercase().as_str() {
        "k" | "thousand" => 1e3,
        "m" | "mn" | "mio" | "million" | "millions" => 1e6,
        "bn" | "billion" | "billions" => 1e9,
        _ => return (1.0, 0),
    };
    (scale, after.len() - trimmed.len() + word.len())
}

/// The first run of number words: value and end.
fn words(text: &str) -> Option<(f64, usize)> {
    let (mut total, mut current) = (0.0, 0.0);
    let mut end = None;
    let mut at = 0;
    for piece in text.split_inclusive(|c: char| !c.is_alphabetic()) {
        let word = piece.trim_end_matches(|c: char| !c.is_alphabetic());
        let next = at + piece.len();
        let word_end = at + word.len();
        at = next;
        if word.is_empty() {
            continue;
        }
        match number_word(&word.to_lowercase()) {
            Some(number) if number < 100.0 => current += number,
            Some(100.0) if current > 0.0 => current *= 100.0,
            Some(scale) if current > 0.0 => {
                total += current * scale;
                current = 0.0;
            }
            Some(_) => continue,
            None if end.is_some() && word.eq_ignore_ascii_case("and") => continue,
            None if end.is_some() => break,
            None => continue,
        }
        end = Some(word_end);
    }
    end.map(|end| (total + current, end))
}

fn number_word(word: &str) -> Option<f64> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] =
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let tens = TENS.iter().zip(2_u8..).map(|(name, ten)| (name, ten * 10));
    let mut named = SMALL.iter().zip(0_u8..).chain(tens);
    if let Some((_, number)) = named.find(|(name, _)| **name == word) {
        return Some(f64::from(number));
    }
    match word {
        "hundred" => Some(100.0),
        "thousand" => Some(1e3),
        "million" => Some(1e6),
        "billion" => Some(1e9),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_many_forms_are_read() {
        for (text, want, unit) in [
            ("thirty (30) days", 30.0, Some(Unit::Days)),
            ("forty-five days", 45.0, Some(Unit::Days)),
            ("twelve (12) calendar months", 12.0, Some(Unit::Months)),
            ("USD 1,500,000", 1_500_000.0, None),
            ("$1.5 million", 1_500_000.0, None),
            ("EUR 250k per claim", 250_000.0, None),
            ("CHF 1'500'000", 1_500_000.0, None),
            ("one million five hundred thousand dollars", 1_500_000.0, None),
            ("two hundred and fifty", 250.0, None),
            ("30, then 40", 30.0, None),
            ("5.25 percent", 5.25, None),
            ("three years", 3.0, Some(Unit::Years)),
        ] {
            let found = find(text).expect(text);
            assert_eq!((found.value, found.unit, found.is_disputed), (want, unit, false), "{text}");
        }
        for text in ["", "no number", "million", "hundred ways", "٣٠ days"] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn words_and_digits_that_disagree_are_disputed() {
        let found = find("thirty (45) days").expect("a number");
        assert!(found.is_disputed);
        assert_eq!(found.value, 45.0);
    }

    #[test]
    fn units_convert_only_into_whole_counts() {
        assert_eq!(convert(2.0, Unit::Weeks, Unit::Days), Some((14.0, false)));
        assert_eq!(convert(3.0, Unit::Years, Unit::Months), Some((36.0, false)));
        assert_eq!(convert(2.0, Unit::Months, Unit::Days), Some((60.0, true)));
        assert_eq!(convert(45.0, Unit::Days, Unit::Months), None);
        assert_eq!(convert(18.0, Unit::Months, Unit::Years), None);
    }
}
