//! Tables without lines: columns, two spaces, a header in capitals.

use comfy_table::{ContentArrangement, Table, presets};

/// Narrower terminals get wrapped lines all the same.
const WIDTH_MIN: u16 = 20;

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
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
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
    fn an_empty_table_is_its_header() {
        assert_eq!(table_text(&["id"], &[], None), "ID");
    }
}
