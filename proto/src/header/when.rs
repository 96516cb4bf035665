//! Values that people write into headers: points in time, money, numbers.

use cadre_core::time::UnixMillis;

/// Reads Unix milliseconds, or RFC 3339 from 1970 on; parts of a millisecond are cut.
pub(super) fn point(text: &str) -> Option<UnixMillis> {
    number(text).map(UnixMillis).or_else(|| rfc_3339(text))
}

/// Reads US dollars with up to six decimals as millionths.
pub(super) fn usd_micros(text: &str) -> Option<u64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, digits(fraction, 6)?),
        None => (text, 0),
    };
    number(whole)?.checked_mul(1_000_000)?.checked_add(fraction)
}

/// Writes millionths as US dollars, without trailing zeros.
pub(super) fn usd(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads digits without sign or leading zero.
pub(super) fn number(text: &str) -> Option<u64> {
    let is_canonical = text == "0" || !text.starts_with('0');
    let is_digits = text.bytes().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|_| is_canonical && is_digits)
}

/// Decimals behind a point, scaled to `places`; more places than that are refused.
fn digits(text: &str, places: usize) -> Option<u64> {
    if text.is_empty() || text.len() > places || !text.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    format!("{text:0<places$}").parse().ok()
}

fn rfc_3339(text: &str) -> Option<UnixMillis> {
    if !text.is_ascii() {
        return None;
    }
    let part = |at: usize, length: usize| {
        let part = text.get(at..at + length)?;
        part.bytes().all(|c| c.is_ascii_digit()).then(|| part.parse::<i64>().ok())?
    };
    let mark = |at: usize, marks: &str| text.get(at..=at).filter(|mark| marks.contains(mark));
    let (year, month, day) = (part(0, 4)?, part(5, 2)?, part(8, 2)?);
    let (hour, minute, second) = (part(11, 2)?, part(14, 2)?, part(17, 2)?);
    for (at, marks) in [(4, "-"), (7, "-"), (10, "Tt "), (13, ":"), (16, ":")] {
        mark(at, marks)?;
    }
    let is_valid = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let (fraction, zone) = fraction(text.get(19..)?)?;
    let seconds =
        days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - zone;
    let millis = u64::try_from(seconds).ok()?.checked_mul(1000)?.checked_add(fraction)?;
    is_valid.then_some(UnixMillis(millis))
}

/// Reads `[.fraction](Z|±hh:mm)` as milliseconds and the zone's seconds east of UTC.
fn fraction(text: &str) -> Option<(u64, i64)> {
    let zone_at = text.find(['Z', 'z', '+', '-'])?;
    let (fraction, zone) = text.split_at(zone_at);
    let millis = match fraction.strip_prefix('.') {
        Some(places) if (1..=9).contains(&places.len()) => digits(places, 9)? / 1_000_000,
        Some(_) => return None,
        None if fraction.is_empty() => 0,
        None => return None,
    };
    if zone.eq_ignore_ascii_case("z") {
        return Some((millis, 0));
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let two = |text: &str, max: u64| {
        let number = digits(text, 2).filter(|number| text.len() == 2 && *number <= max)?;
        i64::try_from(number).ok()
    };
    Some((millis, sign * (two(hours, 23)? * 3600 + two(minutes, 59)? * 60)))
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, by Howard Hinnant's `days_from_civil`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let yoe = year.rem_euclid(400);
    let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_read() {
        for (text, millis) in [
            ("0", 0),
            ("1709210096789", 1_709_210_096_789),
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T12:34:56.789Z", 1_709_210_096_789),
            ("2024-02-29t13:34:56.789999999+01:00", 1_709_210_096_789),
            ("2024-02-29 02:04:56.7-10:30", 1_709_210_096_700),
        ] {
            assert_eq!(point(text), Some(UnixMillis(millis)), "{text}");
        }
        for millis in
            [0, 951_782_400_000, 1_709_210_096_789, 4_102_444_799_999, 253_402_300_799_999]
        {
            assert_eq!(point(&UnixMillis(millis).to_string()), Some(UnixMillis(millis)));
        }
        for bad in [
            "",
            "-1",
            "1.5",
            "01",
            "+1",
            "18446744073709551616",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00",
            "2024-01-01",
            "1969-12-31T23:59:59Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+1:00",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00ZZ",
            "2024-01-01X00:00:00Z",
            "2024-01-01T00:00:00.1234567890Z",
            "2024-01-01T00:00:0ä",
            "2024-01-01T00:00:00+0a:00",
        ] {
            assert_eq!(point(bad), None, "{bad}");
        }
    }

    #[test]
    fn money_is_read_without_floats() {
        for (text, micros) in
            [("0", 0), ("0.05", 50_000), ("12.345678", 12_345_678), ("3", 3_000_000)]
        {
            assert_eq!(usd_micros(text), Some(micros), "{text}");
            assert_eq!(usd(micros), text);
        }
        for bad in [
            "",
            ".5",
            "1.",
            "1.0000001",
            "-1",
            "1e3",
            "1,5",
            "01",
            "18446744073710",
            "0x1",
            "1.5.2",
        ] {
            assert_eq!(usd_micros(bad), None, "{bad}");
        }
    }
}
