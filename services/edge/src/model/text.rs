//! Texts of others, cut to what a row shows. Pure.

use serde_json::Value;

/// A text on one line, of so many characters at most.
pub(super) fn brief(text: &str, chars_max: usize) -> String {
    let mut short = String::with_capacity(text.len().min(chars_max * 2));
    let (mut count, mut is_space) = (0, true);
    for c in text.chars() {
        let space = c.is_whitespace() || c.is_control();
        if space && is_space {
            continue;
        }
        if count == chars_max {
            short.push('…');
            break;
        }
        short.push(if space { ' ' } else { c });
        (count, is_space) = (count + 1, space);
    }
    short.truncate(short.trim_end().len());
    short
}

/// A text without what differs between two failures that are alike: words with a digit in them.
pub(super) fn without_figures(text: &str) -> String {
    let word = |word: &str| match word.bytes().any(|c| c.is_ascii_digit()) {
        true => "#".to_owned(),
        false => word.to_lowercase(),
    };
    let words: Vec<_> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The texts of a document one after the other, of so many bytes at most; members of an object in the order of
/// their names.
pub(super) fn texts(value: &Value, bytes_max: usize) -> String {
    let mut all = String::new();
    collect(value, bytes_max, &mut all);
    all
}

fn collect(value: &Value, bytes_max: usize, all: &mut String) {
    let space = usize::from(!all.is_empty());
    let left = bytes_max.saturating_sub(all.len() + space);
    if left == 0 {
        return;
    }
    match value {
        Value::String(text) => {
            let text = text.get(..text.floor_char_boundary(left)).unwrap_or_default();
            if !all.is_empty() {
                all.push(' ');
            }
            all.push_str(text);
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, bytes_max, all)),
        Value::Object(members) => {
            let mut names: Vec<_> = members.keys().collect();
            names.sort_unstable();
            names.iter().filter_map(|name| members.get(*name)).for_each(|member| {
                collect(member, bytes_max, all);
            });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_brief_text_is_one_short_line() {
        assert_eq!(brief("  a\n\tb\u{1b}c  ", 10), "a b c");
        assert_eq!(brief("abcdef", 3), "abc…");
        assert_eq!(brief("äöü", 3), "äöü");
        assert_eq!(brief("", 3), "");
    }

    #[test]
    fn failures_that_differ_in_figures_are_alike() {
        let one = without_figures("No report within 30 s: task vs3tl6e2, worker pod-17");
        assert_eq!(one, without_figures("no report within 45 s: task b3xlc6fp, worker pod-3"));
        assert_ne!(one, without_figures("no answer within 45 s"));
    }

    #[test]
    fn texts_come_in_the_order_of_names_and_not_for_ever() {
        let value = json!({"b": ["x", 1, {"z": "y"}], "a": "first"});
        assert_eq!(texts(&value, 100), "first x y");
        assert_eq!(texts(&json!(["äää", "b"]), 3), "ä");
    }
}
