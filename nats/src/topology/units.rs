//! Sizes and durations as people write them: `8GiB`, `2s`, `30d`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// A number of bytes, written with a unit: `512B`, `272KiB`, `64MiB`, `8GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

/// A duration, written with a unit: `200ms`, `2s`, `5m`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

const UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) =
        UNITS.iter().find_map(|(suffix, bytes)| Some((text.strip_suffix(suffix)?, *bytes)))?;
    number.trim_end().parse::<u64>().ok()?.checked_mul(unit)
}

/// The largest unit that divides it, as [`parse_size`] reads it.
pub(super) fn show_size(bytes: u64) -> String {
    let fits = |unit: &(&str, u64)| bytes > 0 && bytes.is_multiple_of(unit.1);
    let unit = UNITS.iter().filter(|unit| fits(unit)).max_by_key(|unit| unit.1);
    let (suffix, size) = unit.copied().unwrap_or(("B", 1));
    format!("{}{suffix}", bytes / size)
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let error = || D::Error::custom(format!("{text:?} is no size: write 512B, 272KiB or 8GiB"));
        parse_size(&text).map(Self).ok_or_else(error)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let error = |_| D::Error::custom(format!("{text:?} is no duration: write 2s, 5m or 30d"));
        humantime::parse_duration(&text).map(Self).map_err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown_with_their_unit() {
        for (text, bytes) in [
            ("1B", 1),
            ("272KiB", 278_528),
            ("64MiB", 64 << 20),
            ("8GiB", 8 << 30),
            ("1025KiB", 1_049_600),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
            assert_eq!(show_size(bytes), text);
        }
        for bad in ["", "8", "GiB", "-1GiB", "1.5GiB", "8GB", "99999999999GiB"] {
            assert_eq!(parse_size(bad), None, "{bad:?}");
        }
        assert_eq!(show_size(0), "0B");
    }
}
