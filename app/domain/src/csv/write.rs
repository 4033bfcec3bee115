//! The only writer of CSV cells. Workbooks use [`harmless`] for their texts.

use std::borrow::Cow;

use crate::names;

/// At the beginning of a file it tells Excel that the text is UTF-8.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Characters that begin a formula, also in full width, which Excel accepts in Chinese and Japanese settings.
const FORMULA: [char; 13] =
    ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{fe66}', '\u{fe62}', '\u{fe63}', '\u{fe6b}', '\u{2212}'];
/// Most digits of a whole number that Excel shows unchanged.
const SHOWN_DIGITS: usize = 11;

/// A cell of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'c> {
    /// Text that people wrote: it stays text, even if it looks like a number or a formula.
    Text(Cow<'c, str>),
    /// A number, an instant or a word of Lectern's own: a spreadsheet may convert it.
    Plain(Cow<'c, str>),
}

impl<'c> Cell<'c> {
    pub fn text(text: impl Into<Cow<'c, str>>) -> Self {
        Self::Text(text.into())
    }
    pub fn plain(text: impl Into<Cow<'c, str>>) -> Self {
        Self::Plain(text.into())
    }
}

/// Cells as one line, with its line end.
pub fn line<'c>(cells: impl IntoIterator<Item = Cell<'c>>) -> String {
    let mut text = String::new();
    for (number, cell) in cells.into_iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        match cell {
            Cell::Text(cell) => push(&mut text, &kept(&cell)),
            Cell::Plain(cell) => push(&mut text, &cell),
        }
    }
    text.push_str("\r\n");
    text
}

/// The same for cells that are all text.
pub fn text_line<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    line(cells.into_iter().map(Cell::text))
}

/// A text that no spreadsheet reads as a formula: if it could be one, it gets an apostrophe, which marks it as text. For workbooks, whose
/// cells already have the type text.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// A text for a CSV file, protected so that a spreadsheet shows it unchanged. If such a text already begins with an apostrophe, it gets
/// another one.
pub(super) fn kept(text: &str) -> Cow<'_, str> {
    let bare = text.trim_start_matches('\'');
    if is_formula(bare) || is_rewritten(bare) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

fn push(line: &mut String, cell: &str) {
    if cell.contains([',', ';', '"', '\'', '\t', '\r', '\n']) {
        line.push('"');
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(cell);
    }
}

/// Leading blanks and invisible characters do not make a formula harmless. A leading tab or line end by itself moves the rest into another
/// cell.
fn is_formula(text: &str) -> bool {
    let unseen = |c: char| c.is_whitespace() || names::is_invisible(c);
    text.starts_with(['\t', '\r', '\n']) || text.trim_start_matches(unseen).starts_with(FORMULA)
}

/// Whether a spreadsheet would convert it to a number or a date that reads differently: `007001`, `2024010117001`, `1E5`, `3-4`, `1/2`.
fn is_rewritten(text: &str) -> bool {
    let text = text.trim();
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':' | '/' | '-' | '+' | 'e' | 'E' | '%' | ' ');
    let is_whole = text.chars().all(|c| c.is_ascii_digit());
    let as_it_is = is_whole && text.len() <= SHOWN_DIGITS && (text.len() == 1 || !text.starts_with('0'));
    // A number or a date has at most two points; an IP address has three.
    let is_address = text.matches('.').count() > 2;
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(numeric)
        && !as_it_is
        && !is_address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula_in_any_width_or_behind_blanks() {
        for formula in [
            "=1+1",
            "+1",
            "-1+1",
            "@SUM(1)",
            "\u{ff1d}1+1",
            "\u{ff0b}1",
            "\u{ff0d}1",
            "\u{ff20}SUM(1)",
            " =1",
            "\u{3000}=1",
            "\u{a0}=1",
            "\u{200b}=1",
            "\u{feff}=1",
            "\u{3164}=1",
            "\u{2800}=1",
            "\u{ad}=1",
            "\t=1",
            "\tx",
            "\rx",
            "\nx",
            "\u{1}=1",
            "\u{fe66}1",
            "\u{2212}1",
        ] {
            assert_eq!(harmless(formula), format!("'{formula}"));
            let written = line([Cell::text(formula)]);
            assert!(written.starts_with("\"'"), "{written:?}");
        }
        assert_eq!(text_line(["=1+1", "a,b", "@x,\"y\"", "-", "good"]), "\"'=1+1\",\"a,b\",\"'@x,\"\"y\"\"\",\"'-\",good\r\n");
        for good in ["深度学习", "a=1", "li.hua@example.edu", "\u{201c}=1\u{201d}", ""] {
            assert_eq!(harmless(good), good);
        }
    }

    #[test]
    fn numbers_that_people_wrote_stay_as_they_wrote_them() {
        for changed in
            ["007001", "00", "2024010117001", "1E5", "1e5", "3-4", "1/2", "12:30", "1.50", ".5", "5%", "1,000", "2026-11-30", "'007", "''=1"]
        {
            assert_eq!(kept(changed), format!("'{changed}"));
        }
        for same in ["2024010117", "7", "0", "", "S01", "3D", "CV2402", "e", "10.0.0.1", "'quoted'"] {
            assert_eq!(kept(same), same);
        }
    }

    #[test]
    fn amounts_and_instants_stay_bare() {
        let cells = [Cell::plain("-12.5"), Cell::plain("2026-11-21 10:00:00"), Cell::plain("a;b"), Cell::text("007001")];
        assert_eq!(line(cells), "-12.5,2026-11-21 10:00:00,\"a;b\",\"'007001\"\r\n");
    }
}
