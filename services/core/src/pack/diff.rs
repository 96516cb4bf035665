//! What changed between two revisions of a pack, line by line.

use std::{collections::BTreeSet, fmt::Write as _};

use super::PackSource;

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Cells of the table of one comparison; beyond it a changed part is shown as replaced whole.
const TABLE_MAX: usize = 4_000_000;

/// One line of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

/// Every changed file with its changed lines, `-` before and `+` after; empty when nothing changed.
pub(super) fn diff(old: &PackSource, new: &PackSource) -> String {
    let paths: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
    let mut text = String::new();
    for path in paths {
        let (before, after) = (old.files.get(path), new.files.get(path));
        if before == after {
            continue;
        }
        let name = |file: Option<&Vec<u8>>, side: &str| {
            file.map_or_else(|| "/dev/null".to_owned(), |_| format!("{side}/{path}"))
        };
        // Writing to a text cannot fail.
        let _infallible = writeln!(text, "--- {}\n+++ {}", name(before, "a"), name(after, "b"));
        let lines = |file: Option<&Vec<u8>>| {
            String::from_utf8_lossy(file.map(Vec::as_slice).unwrap_or_default()).into_owned()
        };
        let (before, after) = (lines(before), lines(after));
        let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
        show(&compare(&before, &after), &mut text);
    }
    text
}

/// The shortest change of `old` into `new`, by the longest common subsequence.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (same, old) = old.split_at(head);
    let new = new.get(head..).unwrap_or_default();
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, end) = old.split_at(old.len() - tail);
    let new = new.get(..new.len() - tail).unwrap_or_default();
    let mut lines: Vec<Line> = same.iter().map(|line| Line::Same(line)).collect();
    lines.extend(middle(old, new));
    lines.extend(end.iter().map(|line| Line::Same(line)));
    lines
}

fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    if old.len().saturating_mul(new.len()) > TABLE_MAX {
        let removed = old.iter().map(|line| Line::Removed(line));
        return removed.chain(new.iter().map(|line| Line::Added(line))).collect();
    }
    // lengths[i][j]: common lines of old[i..] and new[j..].
    let mut lengths = vec![vec![0_u32; new.len() + 1]];
    for from in old.iter().rev() {
        let below = lengths.last().cloned().unwrap_or_default();
        let mut row = vec![0_u32];
        let cells = new.iter().zip(below.iter().zip(below.iter().skip(1))).rev();
        for (to, (down, across)) in cells {
            let right = row.last().copied().unwrap_or_default();
            row.push(if from == to { across + 1 } else { right.max(*down) });
        }
        row.reverse();
        lengths.push(row);
    }
    lengths.reverse();
    let length =
        |i: usize, j: usize| lengths.get(i).and_then(|row| row.get(j)).copied().unwrap_or_default();
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(from), Some(to)) if from == to => {
                lines.push(Line::Same(from));
                (i, j) = (i + 1, j + 1);
            }
            (Some(from), to) if to.is_none() || length(i + 1, j) >= length(i, j + 1) => {
                lines.push(Line::Removed(from));
                i += 1;
            }
            (_, Some(to)) => {
                lines.push(Line::Added(to));
                j += 1;
            }
            (_, None) => return lines,
        }
    }
}

fn show(lines: &[Line], text: &mut String) {
    let is_change = |line: &Line| !matches!(line, Line::Same(_));
    let mut gap = false;
    for (index, line) in lines.iter().enumerate() {
        let from = index.saturating_sub(CONTEXT);
        let near = lines.iter().skip(from).take(index - from + CONTEXT + 1);
        if !near.into_iter().any(is_change) {
            gap = true;
            continue;
        }
        if std::mem::take(&mut gap) {
            text.push_str("…\n");
        }
        let (sign, line) = match line {
            Line::Same(line) => (' ', line),
            Line::Removed(line) => ('-', line),
            Line::Added(line) => ('+', line),
        };
        text.push(sign);
        text.push_str(line);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(files: &[(&str, &str)]) -> PackSource {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        PackSource { files: files.collect() }
    }

    #[test]
    fn changed_files_show_their_changed_lines() {
        let old = pack(&[
            ("pack.yaml", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"),
            ("prompts/gone.md", "bye\n"),
            ("prompts/same.md", "same\n"),
        ]);
        let new = pack(&[
            ("contracts/new.v1.json", "{}\n"),
            ("pack.yaml", "1\n2\n3\n4\n5\nsix\n6½\n7\n8\n9\n"),
            ("prompts/same.md", "same\n"),
        ]);
        assert_eq!(
            diff(&old, &new),
            "--- /dev/null\n+++ b/contracts/new.v1.json\n+{}\n\
             --- a/pack.yaml\n+++ b/pack.yaml\n…\n 3\n 4\n 5\n-6\n+six\n+6½\n 7\n 8\n 9\n\
             --- a/prompts/gone.md\n+++ /dev/null\n-bye\n"
        );
        assert_eq!(diff(&old, &old), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn both_sides_can_be_read_off(old in lines(), new in lines()) {
            let (old, new): (Vec<&str>, Vec<&str>) =
                (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
            let compared = compare(&old, &new);
            let side = |keep: fn(&Line) -> bool| -> Vec<&str> {
                let lines = compared.iter().filter(|line| keep(line));
                lines.map(|line| match line {
                    Line::Same(line) | Line::Removed(line) | Line::Added(line) => *line,
                }).collect()
            };
            prop_assert_eq!(side(|line| !matches!(line, Line::Added(_))), old);
            prop_assert_eq!(side(|line| !matches!(line, Line::Removed(_))), new);
        }
    }

    fn lines() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("[abc]", 0..12)
    }
}
