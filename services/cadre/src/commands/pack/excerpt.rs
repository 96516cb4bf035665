//! The line of a file that a problem is about, with a mark below. Pure.

use cadre_core::pack::{PackProblem, PackSource};

/// Characters of a source line that are shown.
const LINE_CHARS_MAX: usize = 100;

/// A problem as people read it: place and message, then its line with a mark.
pub(super) fn shown(problem: &PackProblem, source: &PackSource) -> String {
    let head = problem.to_string();
    match excerpt(problem, source) {
        Some(excerpt) => format!("{head}\n{excerpt}"),
        None => head,
    }
}

fn excerpt(problem: &PackProblem, source: &PackSource) -> Option<String> {
    let number = problem.line?;
    let text = String::from_utf8_lossy(source.files.get(&problem.file)?);
    let line = text.lines().nth(usize::try_from(number).ok()?.checked_sub(1)?)?;
    // A tab is as wide as one mark, or the mark would stand elsewhere.
    let chars: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let column =
        problem.column.map(|column| usize::try_from(column).unwrap_or(1).saturating_sub(1));
    let column = column.map(|column| column.min(chars.len()));
    // Of a long line, the part around the mark.
    let half = LINE_CHARS_MAX / 2;
    let start =
        column.unwrap_or(0).saturating_sub(half).min(chars.len().saturating_sub(LINE_CHARS_MAX));
    let part: String = chars.iter().skip(start).take(LINE_CHARS_MAX).collect();
    let gutter = number.to_string();
    let margin = " ".repeat(gutter.len());
    let line = format!("  {gutter} | {}", part.trim_end());
    Some(match column {
        Some(column) => format!("{line}\n  {margin} | {}^", " ".repeat(column - start)),
        None => line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, place: (Option<u32>, Option<u32>), expected: &str) {
        let files = [("pack.yaml".to_owned(), text.as_bytes().to_vec())];
        let source = PackSource { files: files.into() };
        let (line, column) = place;
        let (file, path, message) =
            ("pack.yaml".to_owned(), "a.b".to_owned(), "is wrong".to_owned());
        assert_eq!(shown(&PackProblem { file, line, column, path, message }, &source), expected);
    }

    #[test]
    fn the_mark_stands_below_its_column() {
        check(
            "one\n  two: ä x\n",
            (Some(2), Some(10)),
            "pack.yaml:2:10: a.b: is wrong\n  2 |   two: ä x\n    |          ^",
        );
        check("\tone", (Some(1), Some(2)), "pack.yaml:1:2: a.b: is wrong\n  1 |  one\n    |  ^");
    }

    #[test]
    fn a_place_that_does_not_exist_shows_only_the_message() {
        check("one", (Some(7), Some(1)), "pack.yaml:7:1: a.b: is wrong");
        check("one", (None, None), "pack.yaml: a.b: is wrong");
        check("one", (Some(1), Some(99)), "pack.yaml:1:99: a.b: is wrong\n  1 | one\n    |    ^");
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = format!("{}X{}", "a".repeat(300), "b".repeat(300));
        let files = [("pack.yaml".to_owned(), text.into_bytes())];
        let problem = PackProblem {
            file: "pack.yaml".to_owned(),
            line: Some(1),
            column: Some(301),
            path: String::new(),
            message: "m".to_owned(),
        };
        let shown = excerpt(&problem, &PackSource { files: files.into() }).unwrap();
        let (line, mark) = shown.split_once('\n').unwrap();
        assert_eq!(line.find('X'), mark.find('^'));
        assert!(line.len() < 120);
    }
}
