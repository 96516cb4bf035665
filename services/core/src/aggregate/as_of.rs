//! Points in time as agents write them: `2024-05-01`, RFC 3339, or Unix milliseconds.

use serde_json::Value;

/// A point in time that can be compared: nanoseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AsOf(i128);

const NANOS_PER_MS: i128 = 1_000_000;
const NANOS_PER_S: i128 = 1_000_000_000;
const S_PER_DAY: i64 = 86_400;

impl AsOf {
    /// `None` when the value is no time: it counts as missing then.
    pub(super) fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(ms), _) => Some(Self(i128::from(ms) * NANOS_PER_MS)),
                // `as` saturates, and JSON has no NaN.
                (None, Some(ms)) => Some(Self((ms * 1e6) as i128)),
                (None, None) => None,
            },
            Value::String(text) => Self::parse(text.trim()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut left = Cursor(text.as_bytes());
        let (year, month, day) = left.date()?;
        let days = days_of(year, month, day)?;
        if left.0.is_empty() {
            return Some(Self(i128::from(days * S_PER_DAY) * NANOS_PER_S));
        }
        left.one_of(b"Tt ")?;
        let (hour, minute) = (left.number(2)?, left.one_of(b":").and_then(|_| left.number(2))?);
        let (second, nanos) = left.seconds()?;
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let offset_s = left.offset_s()?;
        let seconds = days * S_PER_DAY + hour * 3600 + minute * 60 + second - offset_s;
        left.0.is_empty().then(|| Self(i128::from(seconds) * NANOS_PER_S + i128::from(nanos)))
    }
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        if !allowed.contains(first) {
            return None;
        }
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        (0..digits).try_fold(0, |sum, _| {
            let digit = self.one_of(b"0123456789")?;
            Some(sum * 10 + i64::from(digit - b'0'))
        })
    }

    fn date(&mut self) -> Option<(i64, i64, i64)> {
        let year = self.number(4)?;
        self.one_of(b"-")?;
        let month = self.number(2)?;
        self.one_of(b"-")?;
        Some((year, month, self.number(2)?))
    }

    /// Seconds and nanoseconds; zero when the text stops at minutes.
    fn seconds(&mut self) -> Option<(i64, i64)> {
        if self.one_of(b":").is_none() {
            return Some((0, 0));
        }
        let second = self.number(2)?;
        if self.one_of(b".,").is_none() {
            return Some((second, 0));
        }
        let (mut nanos, mut unit) = (0, NANOS_PER_S as i64);
        while let Some(digit) = self.one_of(b"0123456789") {
            unit /= 10;
            nanos += i64::from(digit - b'0') * unit;
        }
        Some((second, nanos))
    }

    /// A time without an offset is taken as UTC.
    fn offset_s(&mut self) -> Option<i64> {
        if self.0.is_empty() {
            return Some(0);
        }
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number(2)?;
        self.one_of(b":");
        Some(sign * (hours * 3600 + self.number(2)? * 60))
    }
}

/// Days since 1970-01-01 by Howard Hinnant's `days_from_civil`; `None` for a day that is none.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ms(value: &Value) -> Option<i128> {
        AsOf::read(value).map(|at| at.0 / NANOS_PER_MS)
    }

    #[test]
    fn dates_and_times_are_points_on_one_line() {
        let table = [
            (json!("1970-01-01"), 0),
            (json!("2024-02-29"), 1_709_164_800_000),
            (json!("2024-02-29T12:34:56.789Z"), 1_709_210_096_789),
            (json!("2024-02-29t12:34:56.789z"), 1_709_210_096_789),
            (json!("2024-02-29 13:34:56,789+01:00"), 1_709_210_096_789),
            (json!("2024-02-29T07:04:56.789-0530"), 1_709_210_096_789),
            (json!("2024-02-29T12:34"), 1_709_210_040_000),
            (json!("1969-12-31"), -86_400_000),
            (json!("0001-01-01"), -62_135_596_800_000),
            (json!(1_709_210_096_789_i64), 1_709_210_096_789),
            (json!(1.5e12), 1_500_000_000_000),
        ];
        for (value, expected) in table {
            assert_eq!(ms(&value), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_is_no_time_counts_as_missing() {
        let bad = [
            "",
            "2024",
            "2024-13-01",
            "2023-02-29",
            "2024-02-00",
            "2024-2-1",
            "yesterday",
            "2024-01-01T",
            "2024-01-01T24:00Z",
            "2024-01-01T10:00:61Z",
            "2024-01-01T10:00+1",
            "2024-01-01Tx",
            "2024-01-01T10:00:00Zx",
            "２０２４-01-01",
        ];
        for text in bad {
            assert_eq!(ms(&json!(text)), None, "{text:?}");
        }
        for value in [json!(null), json!(true), json!([]), json!({})] {
            assert_eq!(ms(&value), None, "{value}");
        }
    }
}
