//! Short names inside expressions: `{date}`, `{money}`, `{number}`, `{period}`, `{gap}`, and the free space.

const MONTH: &str = "(?i:january|february|march|april|may|june|july|august|september|october|\
                     november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)";
const DAY: &str = r"[0-9]{1,2}(?:st|nd|rd|th)?";
const SCALE: &str = r"(?:\s?(?i:million|billion|thousand|mio|mn|bn|m|k)\b)?";
const WORD: &str = "(?i:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\
                    thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|\
                    forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion)";

/// Replaces macros by expressions and each free space by "any white space".
///
/// Escapes and character classes stay as written.
///
/// # Errors
/// A macro that does not exist.
pub(super) fn expand(pattern: &str) -> Result<String, String> {
    let mut expanded = String::with_capacity(pattern.len() * 2);
    let mut classes = 0_usize;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = after;
        match c {
            '\\' => {
                expanded.push(c);
                let (escaped, after) = after.split_at(escape_width(after));
                expanded.push_str(escaped);
                rest = after;
            }
            '[' => {
                classes += 1;
                expanded.push(c);
            }
            ']' => {
                classes = classes.saturating_sub(1);
                expanded.push(c);
            }
            ' ' if classes == 0 => expanded.push_str(r"(?:\s+)"),
            '{' if classes == 0 && after.starts_with(|c: char| c.is_ascii_lowercase()) => {
                let name = after.split('}').next().unwrap_or_default();
                expanded.push_str(&named(name).ok_or_else(|| {
                    format!("macro `{{{name}}}` is unknown; use date, money, number, period or gap")
                })?);
                rest = after.get(name.len() + 1..).unwrap_or_default();
            }
            other => expanded.push(other),
        }
    }
    Ok(expanded)
}

/// Bytes of an escape after its backslash: one character, with its braces as in `\p{alpha}`.
fn escape_width(after: &str) -> usize {
    let first = after.chars().next().map_or(0, char::len_utf8);
    let tail = after.get(first..).unwrap_or_default();
    let is_boundary = after.starts_with("b{start") || after.starts_with("b{end");
    let has_name = after.starts_with(['p', 'P', 'x', 'u', 'U']) && tail.starts_with('{');
    first + if has_name || is_boundary { tail.find('}').map_or(0, |end| end + 1) } else { 0 }
}

fn named(name: &str) -> Option<String> {
    match name {
        "date" => Some(format!(
            r"(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|(?:the\s+)?{DAY}(?:\s+day)?(?:\s+of)?\s+{MONTH}\.?,?\s+[0-9]{{4}}|{MONTH}\.?\s+{DAY},?\s+[0-9]{{4}}|[0-9]{{1,2}}[./][0-9]{{1,2}}[./][0-9]{{4}})"
        )),
        "number" => Some(number()),
        // A stop before a digit belongs to a clause number or an amount.
        "gap" => Some(r"(?:[^.]|\.[0-9]){0,200}?".to_owned()),
        "money" => Some(format!(
            r"(?:(?:USD|EUR|GBP|CHF|US\$|[$€£])\s?[0-9][0-9,']*(?:\.[0-9]+)?{SCALE}|[0-9][0-9,']*(?:\.[0-9]+)?{SCALE}\s?(?:USD|EUR|GBP|CHF|(?i:(?:u\.?s\.?\s+)?dollars|euros?|pounds)|[€£]))"
        )),
        "period" => Some(format!(
            r"(?:{}[\s-]+(?:(?i:business|calendar|working|consecutive)[\s-]+)?(?i:days?|weeks?|months?|years?)\b)",
            number()
        )),
        _ => None,
    }
}

/// Digits, or words with the digits that lawyers put behind them in brackets.
fn number() -> String {
    format!(
        r"(?:(?:\b[0-9][0-9,]*(?:\.[0-9]+)?|\b{WORD}(?:(?:[\s-]+(?:and\s+)?){WORD})*\b)(?:\s*\([0-9][0-9,]*\))?)"
    )
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn first(pattern: &str, text: &str) -> Option<String> {
        let expression = Regex::new(&expand(pattern).expect(pattern)).expect(pattern);
        expression.find(text).map(|found| found.as_str().to_owned())
    }

    #[test]
    fn macros_match_the_forms_that_contracts_use() {
        for (pattern, text, want) in [
            ("{date}", "as of the 1st day of March, 2026.", "the 1st day of March, 2026"),
            ("{date}", "on March 1, 2026 and", "March 1, 2026"),
            ("{date}", "due 2026-03-01", "2026-03-01"),
            ("{money}", "exceed USD 1,500,000 in", "USD 1,500,000"),
            ("{money}", "exceed $1.5 million.", "$1.5 million"),
            ("{money}", "exceed 250,000 euros.", "250,000 euros"),
            (
                "within {period} of",
                "within thirty (30)\n  days of",
                "within thirty (30)\n  days of",
            ),
            ("{period}", "a forty-five (45) calendar-day notice", "forty-five (45) calendar-day"),
            ("{period}", "two hundred and ten days", "two hundred and ten days"),
            ("pay{gap}net", "pay. We pay as in 5.2 net", "pay as in 5.2 net"),
            ("a ?b", "a \n b", "a \n b"),
            (r"[ x]+\ y", "x x y", "x x y"),
            (r"\p{alpha}+", "1 äb", "äb"),
            (r"a\b{gap}\b{end}", "aa a", "a"),
        ] {
            assert_eq!(first(pattern, text).as_deref(), Some(want), "{pattern} on {text}");
        }
        assert_eq!(first("{period}", "someone days"), None);
        assert!(expand("{dates}").is_err());
    }
}
