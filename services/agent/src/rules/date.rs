//! Dates in running text, as ISO 8601 days. Ambiguous forms (`03/04/2026`) are no dates here.

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

#[derive(Debug)]
enum Token<'a> {
    Number(&'a str),
    Month(u32),
    Mark(char),
    Word,
}

/// Finds the first date and gives it as `YYYY-MM-DD`.
pub(super) fn find(text: &str) -> Option<String> {
    let tokens = tokens(text);
    (0..tokens.len()).find_map(|first| at(tokens.get(first..)?))
}

/// True for a day that exists, written `YYYY-MM-DD`.
pub(super) fn is_iso(text: &str) -> bool {
    text.len() == 10 && find(text).as_deref() == Some(text)
}

fn at(tokens: &[Token]) -> Option<String> {
    match tokens {
        [
            Token::Number(year),
            Token::Mark('-'),
            Token::Number(month),
            Token::Mark('-'),
            Token::Number(day),
            ..,
        ] if month.len() == 2 && day.len() == 2 => iso(year, month.parse().ok()?, day),
        [
            Token::Number(first),
            Token::Mark(mark @ ('/' | '.')),
            Token::Number(second),
            Token::Mark(other),
            Token::Number(year),
            ..,
        ] if mark == other => numeric(first, second, year, *mark),
        [Token::Number(day), Token::Month(month), Token::Number(year), ..] => {
            iso(year, *month, day)
        }
        [Token::Month(month), Token::Number(day), Token::Number(year), ..] => {
            iso(year, *month, day)
        }
        [..] => None,
    }
}

/// Reads `D.M.YYYY` as written, and slashes only when just one order makes a date.
fn numeric(first: &str, second: &str, year: &str, mark: char) -> Option<String> {
    let day_first = iso(year, second.parse().ok()?, first);
    let month_first = iso(year, first.parse().ok()?, second);
    match (day_first, month_first) {
        (Some(day), _) if mark == '.' => Some(day),
        (Some(day), Some(month)) => (day == month).then_some(day),
        (Some(day), None) => Some(day),
        (None, Some(month)) if mark == '/' => Some(month),
        (None, _) => None,
    }
}

fn iso(year: &str, month: u32, day: &str) -> Option<String> {
    let (year_number, day_number): (u32, u32) = (year.parse().ok()?, day.parse().ok()?);
    let is_leap = year_number.is_multiple_of(4)
        && (!year_number.is_multiple_of(100) || year_number.is_multiple_of(400));
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let is_real = year.len() == 4 && year_number >= 1000 && (1..=days).contains(&day_number);
    is_real.then(|| format!("{year_number:04}-{month:02}-{day_number:02}"))
}

/// Splits into numbers, months and the marks between digits; fillers ("1st day of") vanish.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| {
            if first.is_ascii_digit() { c.is_ascii_digit() } else { c.is_alphabetic() }
        };
        let width = if first.is_ascii_digit() || first.is_alphabetic() {
            rest.find(|c| !same(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(width);
        rest = after;
        if first.is_ascii_digit() {
            tokens.push(Token::Number(token));
        } else if first.is_alphabetic() {
            tokens.extend(word(token));
        } else if matches!(first, '-' | '/')
            || (first == '.' && rest.starts_with(|c: char| c.is_ascii_digit()))
        {
            tokens.push(Token::Mark(first));
        }
    }
    tokens
}

fn word(word: &str) -> Option<Token<'_>> {
    let lower = word.to_lowercase();
    if matches!(lower.as_str(), "st" | "nd" | "rd" | "th" | "day" | "of" | "the") {
        return None;
    }
    let month = MONTHS.iter().zip(1..).find(|(name, _)| {
        **name == lower || (lower.len() >= 3 && lower.len() <= 4 && name.starts_with(&lower))
    });
    Some(month.map_or(Token::Word, |(_, number)| Token::Month(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_many_forms_become_iso() {
        for (text, want) in [
            ("1 March 2026", Some("2026-03-01")),
            ("March 1, 2026", Some("2026-03-01")),
            ("the 1st day of March, 2026", Some("2026-03-01")),
            ("Sept. 3rd, 2025", Some("2025-09-03")),
            ("on 2026-02-28 or later", Some("2026-02-28")),
            ("31.12.2025", Some("2025-12-31")),
            ("13/02/2026", Some("2026-02-13")),
            ("02/13/2026", Some("2026-02-13")),
            ("03/04/2026", None),
            ("04/04/2026", Some("2026-04-04")),
            ("29 February 2025", None),
            ("29 February 2024", Some("2024-02-29")),
            ("30 days after March", None),
            ("May 2026", None),
            ("1 März 2026", None),
            ("", None),
        ] {
            assert_eq!(find(text).as_deref(), want, "{text}");
        }
        assert!(is_iso("2026-03-01") && !is_iso("2026-13-01") && !is_iso("1 May 2026"));
    }
}
