//! Tables without lines: columns, two spaces, a header in capitals.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

/// Narrower terminals get wrapped lines all the same.
const WIDTH_MIN: u16 = 20;

/// Characters of the longest word that is not broken where there is room for it: a task's id.
const WORD_CHARS_MAX: usize = 26;

/// Columns between two cells.
const GAP: u16 = 2;

/// What a column gets at least, with its gap, before the words of others are kept whole.
const COLUMN_MIN: usize = 8;

/// A table as text. `None` as width wraps nothing.
#[must_use]
pub fn table_text(header: &[&str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width.max(WIDTH_MIN));
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    for row in rows {
        table.add_row(row);
    }
    let whole = width.map_or_else(Vec::new, |width| whole(header, rows, width.into()));
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, GAP));
        if whole.contains(&index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// The columns whose cells are single words that people copy, as far as all of them fit.
fn whole(header: &[&str], rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let cells = |index: usize| rows.iter().filter_map(move |row| row.get(index));
    let need = |(index, name): (usize, &&str)| {
        let longest = cells(index).map(|cell| cell.chars().count()).max().unwrap_or_default();
        longest.max(name.len()) + usize::from(GAP)
    };
    let least: usize = header.iter().enumerate().map(|it| need(it).min(COLUMN_MIN)).sum();
    let mut room = width.saturating_sub(least);
    let mut fits = |column: &(usize, &&str)| {
        let need = need(*column);
        let is_word = cells(column.0).all(|cell| !cell.contains(char::is_whitespace));
        let more = need.saturating_sub(COLUMN_MIN);
        let does = is_word && need <= WORD_CHARS_MAX + usize::from(GAP) && more <= room;
        room -= if does { more } else { 0 };
        does
    };
    header.iter().enumerate().filter(|column| fits(column)).map(|(index, _)| index).collect()
}

/// Columns of the terminal behind stdout; some terminals say 0 and mean that they do not know.
pub(super) fn terminal_width() -> Option<u16> {
    Table::new().width().filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        vec![
            vec!["a".to_owned(), "short".to_owned()],
            vec!["bbb".to_owned(), "some words that need more room".to_owned()],
        ]
    }

    #[test]
    fn columns_are_aligned_without_lines() {
        let text = table_text(&["id", "text"], &rows(), None);
        assert_eq!(text, "ID   TEXT\na    short\nbbb  some words that need more room");
    }

    #[test]
    fn a_narrow_terminal_wraps_cells() {
        let text = table_text(&["id", "text"], &rows(), Some(24));
        assert!(text.lines().count() > 3, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 24), "{text}");
    }

    #[test]
    fn ids_are_whole_on_a_terminal_of_eighty_columns() {
        let cells = ["zinz53cvlptqoms5edcnfqrhtr", "contract-intake", "completed", "9/9"];
        let mut row: Vec<_> = cells.map(str::to_owned).to_vec();
        row.extend(["531 ms ago".to_owned(), "44e949d6bdff525c6a10b0ea21350289".to_owned()]);
        let header = ["task", "workflow", "status", "steps", "accepted", "key"];
        let text = table_text(&header, std::slice::from_ref(&row), Some(80));
        assert!(cells.iter().all(|cell| text.contains(cell)), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let narrow = table_text(&header, &[row], Some(40));
        assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
    }

    #[test]
    fn letters_keep_their_ids_on_a_terminal_of_eighty_columns() {
        let (letter, task) = ("12-1234567", "zinz53cvlptqoms5edcnfqrhtr");
        let why =
            "role extractor of task zinz53cvlptqoms5edcnfqrhtr was never declared: apply its pack";
        let row = [letter, task, "report", "59 min 59 s ago", why, "112.4 KiB"].map(str::to_owned);
        let header = ["letter", "task", "kind", "given up", "reason", "size"];
        let text = table_text(&header, &[row.to_vec()], Some(80));
        assert!(text.contains(letter) && text.contains(task), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn an_empty_table_is_its_header() {
        assert_eq!(table_text(&["id"], &[], None), "ID");
    }
}
