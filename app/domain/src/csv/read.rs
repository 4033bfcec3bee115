//! The only reader of tables: CSV as spreadsheets write it (RFC 4180 and common deviations), cells copied from a spreadsheet (tabs), and
//! lists typed by hand.

use super::write::kept;
use crate::error::{Error, Problem};

/// Most rows that may be above the header: a title, the term, an empty line.
const TITLE_ROWS: usize = 10;
/// Rows by which the separator is chosen.
const SEPARATOR_ROWS: usize = 20;
/// Most columns of a table. Lists have some ten; empty cells at the end of a row do not count.
const MAX_COLUMNS: usize = 64;

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Number of the line where the row begins, from 1.
    pub line: u32,
    /// Trimmed, without the marks that keep a spreadsheet from reading the cell as a number or a formula.
    pub cells: Vec<String>,
}

impl Record {
    /// Whether every cell is empty.
    fn is_empty(&self) -> bool {
        self.cells.iter().all(String::is_empty)
    }
}

/// Checks that this is text. A workbook that was uploaded or pasted instead of its rows gets an error of its own.
///
/// Errors: [`Problem::Workbook`].
pub fn check_text(bytes: &[u8]) -> Result<(), Problem> {
    // XLSX, ODS and new WPS files are ZIP archives; XLS and ET are OLE2.
    const ZIP: &[u8] = b"PK\x03\x04";
    const OLE2: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
    if [ZIP, OLE2].iter().any(|magic| bytes.starts_with(magic)) { Err(Problem::Workbook) } else { Ok(()) }
}

/// The rows of a text, without empty ones. Lines end in CR LF, LF or CR. Quotes may hold separators, line ends and doubled quotes. A first
/// line `sep=;` sets the separator.
///
/// Errors: [`Error::Invalid`] on `field`: `Workbook`; `TooManyColumns`.
pub fn read(field: &str, text: &str) -> Result<Vec<Record>, Error> {
    let text = text.trim_start_matches('\u{feff}');
    check_text(text.as_bytes()).map_err(|problem| Error::field(field, problem))?;
    let (separator, text, first) = separator(text);
    let mut records = records(text, separator, first);
    records.retain(|record| !record.is_empty());
    let columns = records.iter().map(columns).max().unwrap_or_default();
    if columns > MAX_COLUMNS {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        return Err(Error::field(field, Problem::TooManyColumns { columns: count(columns), max: count(MAX_COLUMNS) }));
    }
    for record in &mut records {
        record.cells.truncate(MAX_COLUMNS);
    }
    Ok(records)
}

/// Cells of a row up to its last filled one.
fn columns(record: &Record) -> usize {
    record.cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1)
}

/// The separator, the text after a line that sets it, and the number of the text's first line.
fn separator(text: &str) -> (char, &str, u32) {
    let first = text.split(['\r', '\n']).next().unwrap_or_default();
    if let Some((key, sign)) = first.trim_matches('"').split_at_checked("sep=".len())
        && key.eq_ignore_ascii_case("sep=")
        && let Some(sign) = sign.chars().next()
    {
        let rest = &text[first.len()..];
        return (sign, rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n'])).unwrap_or(rest), 2);
    }
    // A title line has no separator, so the first line that has one is read.
    let signs = ['\t', ',', ';', '，', '；'];
    let first = text.split(['\r', '\n']).take(TITLE_ROWS).find(|line| outside_quotes(line).any(|c| signs.contains(&c))).unwrap_or_default();
    let count = |sign: char| outside_quotes(first).filter(|c| *c == sign).count();
    let separator = if count('\t') > 0 {
        '\t'
    } else {
        // The comma, unless another separator is more frequent.
        let most = [';', '，', '；'].into_iter().fold(',', |most, sign| if count(sign) > count(most) { sign } else { most });
        if separates(text, most) { most } else { '\t' }
    };
    (separator, text, 1)
}

/// Whether most rows have the sign. In a list typed by hand a single line may have a comma of its own: `2402 Wang, Jr`.
fn separates(text: &str, sign: char) -> bool {
    let (mut quoted, mut rows, mut with) = (false, 0, 0);
    // What the current row has: the sign, a digit, anything.
    let (mut has_sign, mut has_digit, mut has_any) = (false, false, false);
    for character in text.chars().chain(std::iter::once('\n')) {
        quoted ^= character == '"';
        if quoted || !matches!(character, '\r' | '\n') {
            has_sign |= !quoted && character == sign;
            has_digit |= character.is_ascii_digit();
            has_any |= !character.is_whitespace();
            continue;
        }
        // Rows without a digit are titles above the table, and its header.
        if rows == 0 && has_sign && !has_digit {
            return true;
        }
        let is_title = with == 0 && !has_sign && !has_digit;
        if has_any && !is_title {
            rows += 1;
            with += usize::from(has_sign);
        }
        (has_sign, has_digit, has_any) = (false, false, false);
        if rows == SEPARATOR_ROWS {
            break;
        }
    }
    with * 2 > rows
}

fn outside_quotes(line: &str) -> impl Iterator<Item = char> {
    let mut quoted = false;
    line.chars().filter(move |c| {
        quoted ^= *c == '"';
        !quoted
    })
}

fn records(text: &str, separator: char, first: u32) -> Vec<Record> {
    let (mut records, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut begins, mut line, mut quoted) = (first, first, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let ends = match character {
            '\r' if characters.peek() == Some(&'\n') => false,
            '\r' | '\n' => true,
            _ => false,
        };
        line += u32::from(ends);
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            '\r' | '\n' if !quoted => {
                if ends {
                    cells.push(plain(&std::mem::take(&mut cell)));
                    records.push(Record { line: begins, cells: std::mem::take(&mut cells) });
                    begins = line;
                }
            }
            other if other == separator && !quoted => cells.push(plain(&std::mem::take(&mut cell))),
            other => cell.push(other),
        }
    }
    if !cell.is_empty() || !cells.is_empty() {
        cells.push(plain(&cell));
        records.push(Record { line: begins, cells });
    }
    records
}

/// The cell without the marks that only protect it from a spreadsheet: `'007001` as [`super::line`] writes it, `="007001"` as other systems
/// do.
pub fn plain(cell: &str) -> String {
    let cell = cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let formula = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    let marked = cell.strip_prefix('\'').filter(|rest| kept(rest) != *rest);
    formula.or(marked).unwrap_or(cell).trim().to_owned()
}

/// The name of a column in the form in which names are compared: `*学号（必填）` is `学号`, `Student_No.` is `student no`.
pub fn tidy_header(cell: &str) -> String {
    let cell = cell.split(['(', '（', '[', '【']).next().unwrap_or_default().to_lowercase();
    let words = cell.split(|c: char| c.is_whitespace() || matches!(c, '_' | '*' | '＊' | ':' | '：' | '.' | '\u{feff}'));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Removes the header from a table, with the title rows above it, and returns it. The header is the first of the first rows that
/// `is_header` accepts and that has more cells than every row above it. `None` if there is none; then nothing is removed.
pub fn header(records: &mut Vec<Record>, is_header: impl Fn(&[String]) -> bool) -> Option<Vec<String>> {
    let filled = |record: &Record| record.cells.iter().filter(|cell| !cell.is_empty()).count();
    let tidy = |record: &Record| record.cells.iter().map(|cell| tidy_header(cell)).collect::<Vec<_>>();
    let (at, header) = records.iter().take(TITLE_ROWS).map(tidy).enumerate().find(|(_, cells)| is_header(cells))?;
    let (above, rest) = records.split_at(at);
    if above.iter().any(|record| filled(record) >= filled(&rest[0])) {
        return None;
    }
    records.drain(..=at);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        read("list", text).expect("text").into_iter().map(|record| record.cells).collect()
    }

    #[test]
    fn quotes_hold_separators_line_ends_and_quotes() {
        let rows = cells("\u{feff}a,b\r\n\"x, \"\"y\"\"\nz\",2\r\n\r\nlast,");
        assert_eq!(rows, [vec!["a", "b"], vec!["x, \"y\"\nz", "2"], vec!["last", ""]]);
        assert_eq!(cells("a\tb\n1,5\t2"), [vec!["a", "b"], vec!["1,5", "2"]]);
    }

    #[test]
    fn every_end_of_a_line_ends_a_row_and_counts_one_line() {
        for end in ["\r\n", "\n", "\r"] {
            let text = ["a,b", "", "\"x", "y\",2", "3,4", ""].join(end);
            let records = read("list", &text).expect("text");
            assert_eq!(records.iter().map(|record| record.line).collect::<Vec<_>>(), [1, 3, 5], "{end:?}");
            assert_eq!(records[1].cells, [format!("x{end}y"), "2".into()]);
        }
    }

    #[test]
    fn the_separator_is_named_or_seen() {
        for text in ["sep=;\r\na;b\r\n1,5;2", "\"sep=;\"\na;b\n1,5;2", "SEP=;\ra;b\r1,5;2", "\u{feff}sep=;\r\na;b\r\n1,5;2"] {
            assert_eq!(cells(text), [vec!["a", "b"], vec!["1,5", "2"]], "{text:?}");
        }
        assert_eq!(read("list", "sep=;\na;b").expect("text")[0].line, 2);
        assert_eq!(cells("sep=\t\na\tb"), [["a", "b"]]);
        assert_eq!(cells("a，b\n1，2"), [["a", "b"], ["1", "2"]]);
        assert_eq!(cells("a；b\n1；2"), [["a", "b"], ["1", "2"]]);
        assert_eq!(cells("学生名单\n学号\t姓名\n1,5\t2"), [vec!["学生名单"], vec!["学号", "姓名"], vec!["1,5", "2"]]);
        assert_eq!(cells("sep="), [["sep="]]);
        assert_eq!(cells("2401 Li\n2402 Wang, Jr\n2403 Zhao"), [["2401 Li"], ["2402 Wang, Jr"], ["2403 Zhao"]]);
        assert_eq!(cells("2401 Li\n2402 Wang, Jr"), [["2401 Li"], ["2402 Wang, Jr"]]);
        assert_eq!(cells("学号,姓名\n2401\n2402"), [vec!["学号", "姓名"], vec!["2401"], vec!["2402"]]);
        assert_eq!(cells("学生名单\n学号,姓名"), [vec!["学生名单"], vec!["学号", "姓名"]]);
        assert_eq!(cells("separate,b"), [["separate", "b"]]);
        assert_eq!(cells("a,\"b;c;d\""), [["a", "b;c;d"]]);
    }

    #[test]
    fn marks_that_keep_a_number_a_number_are_no_part_of_it() {
        assert_eq!(
            cells("'007001,\"=\"\"007001\"\"\",=\"007001\",\"007001\t\",'=1,it's,'quoted'"),
            [["007001", "007001", "007001", "007001", "=1", "it's", "'quoted'"]]
        );
    }

    #[test]
    fn a_workbook_is_no_text() {
        for bytes in ["PK\u{3}\u{4}\u{14}\0", "\u{feff}PK\u{3}\u{4}"] {
            assert_eq!(read("list", bytes), Err(Error::field("list", Problem::Workbook)));
        }
        assert_eq!(check_text(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"), Err(Problem::Workbook));
        assert_eq!(check_text("学号".as_bytes()), Ok(()));
    }

    #[test]
    fn a_table_has_a_bounded_number_of_columns() {
        let too_many = |columns| Err(Error::field("list", Problem::TooManyColumns { columns, max: 64 }));
        assert_eq!(read("list", &format!("a,b,{}\n", "x,".repeat(100_000))), too_many(100_002));
        assert_eq!(read("list", &format!("a,b\n{}x", ",".repeat(64))), too_many(65));
        let wide = read("list", &format!("a,b{}\n", ",".repeat(16_382))).expect("empty cells at the end of a row are no columns");
        assert_eq!((wide[0].cells.len(), &wide[0].cells[..3]), (64, &["a".to_owned(), "b".to_owned(), String::new()][..]));
    }

    #[test]
    fn a_header_is_found_below_its_title() {
        let mut records = read("list", "计算机视觉 学生名单\n\n*学号（必填）,Student_No.\n1,2").expect("text");
        assert_eq!(header(&mut records, |cells| cells[0] == "学号"), Some(vec!["学号".to_owned(), "student no".to_owned()]));
        assert_eq!(records.len(), 1);
        assert_eq!(header(&mut records, |cells| cells[0] == "学号"), None);
        assert_eq!(records.len(), 1);
        let mut records = read("list", "1,2\n学号,姓名").expect("text");
        assert_eq!(header(&mut records, |cells| cells[0] == "学号"), None, "a row is no title");
        assert_eq!(records.len(), 2);
    }
}
