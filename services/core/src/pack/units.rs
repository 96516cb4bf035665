//! Durations, money and shares as packs write them.

use std::time::Duration;

use serde_json::Value;

/// What a duration looks like.
pub(super) const DURATION_PATTERN: &str = "^[0-9]{1,9}(ms|s|m|h|d)$";
/// Said of a value that is none.
pub(super) const DURATION_WANTED: &str = "is no duration: write 250ms, 8s, 5m, 72h or 3d";

/// Reads `250ms`, `8s`, `5m`, `72h` or `3d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    if number.len() > 9 {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number * 60)),
        "h" => Some(Duration::from_secs(number * 3_600)),
        "d" => Some(Duration::from_secs(number * 86_400)),
        _ => None,
    }
}

/// A duration as a pack would write it.
pub(crate) fn shown(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if ms >= size && ms.is_multiple_of(size) {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}

/// Reads a decimal number, or a text of one, as a count of `10^-places`; never through a float's sum.
///
/// A JSON number's shortest text is what its author wrote, up to 15 digits.
pub(crate) fn decimal(value: &Value, places: usize) -> Option<u64> {
    let text = match value {
        // A float's text has no exponent, unlike the number's own.
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(int), _) => int.to_string(),
            (None, float) => float?.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let part = part.trim_end_matches('0');
    let is_digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 12
        || part.len() > places
        || !is_digits(whole)
        || !is_digits(part)
    {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

/// Millionths of a US dollar as a pack would write them.
pub(crate) fn usd_shown(micros: u64) -> String {
    let (whole, part) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{whole}.{part:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("250ms", 250),
            ("8s", 8_000),
            ("5m", 300_000),
            ("72h", 259_200_000),
            ("3d", 259_200_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "8", "s", "8 s", "8S", "1.5s", "-1s", "+1s", "9999999999s", "8sec", "٣s"]
        {
            assert_eq!(duration(text), None, "{text:?}");
        }
        let shown = ["1500ms", "8s", "90s", "5m", "3d", "36h", "0ms"];
        assert_eq!(shown.map(|text| super::shown(duration(text).unwrap())), shown);
    }

    #[test]
    fn money_is_exact() {
        for (value, micros) in [
            (json!(0.25), 250_000),
            (json!(0.1), 100_000),
            (json!(1.1), 1_100_000),
            (json!(0.000001), 1),
            (json!(12), 12_000_000),
            (json!(4.0), 4_000_000),
            (json!("1234567.123456"), 1_234_567_123_456),
            (json!(0), 0),
        ] {
            assert_eq!(decimal(&value, 6), Some(micros), "{value}");
            assert_eq!(decimal(&json!(usd_shown(micros)), 6), Some(micros), "{value}");
        }
        for value in [
            json!(-1),
            json!(0.0000001),
            json!(1e300),
            json!("1.2.3"),
            json!("$1"),
            json!("."),
            json!(null),
        ] {
            assert_eq!(decimal(&value, 6), None, "{value}");
        }
        assert_eq!(decimal(&json!(0.8), 3), Some(800));
        let shown = [250_000, 4_000_000, 1, 0, 10_500_000].map(usd_shown);
        assert_eq!(shown, ["0.25", "4", "0.000001", "0", "10.5"]);
    }
}
