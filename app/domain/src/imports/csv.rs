//! Lists as text: comma separated values as spreadsheets write them (RFC 4180), or what was copied out of one (tabs).

use super::{Cells, ImportKind, MAX_ROWS};
use crate::error::{Error, Problem};

/// Rows of cells. Quotes hold commas, line ends and doubled quotes.
fn table(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let separator = if first.contains('\t') {
        '\t'
    } else if !first.contains(',') && first.contains(';') {
        ';'
    } else {
        ','
    };
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
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
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            other if other == separator && !quoted => row.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

/// The rows of a list below its header; empty rows are left out, unknown columns too.
///
/// Errors: [`Error::Invalid`] on `list`: nothing in it, a column that must be there is not, too many rows.
pub fn read(kind: ImportKind, text: &str) -> Result<Vec<Cells>, Error> {
    let mut rows = table(text).into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty()));
    let Some(header) = rows.next() else { return Err(Error::field("list", Problem::Missing)) };
    let columns: Vec<_> = header
        .iter()
        .map(|name| {
            let name = name.trim().to_lowercase();
            kind.columns().iter().find(|column| [column.field, column.zh, column.en].contains(&name.as_str()) || column.also.contains(&name.as_str()))
        })
        .collect();
    if kind.columns().iter().any(|column| column.required && !columns.contains(&Some(column))) {
        let example = kind.columns().iter().map(|column| column.zh).collect::<Vec<_>>().join(",");
        return Err(Error::field("list", Problem::BadFormat { example }));
    }
    let rows: Vec<Cells> = rows
        .map(|row| {
            let known = columns.iter().zip(row).filter_map(|(column, cell)| Some((column.as_ref()?.field.to_owned(), cell.trim().to_owned())));
            // Nothing that a field can hold is longer, and each row is kept.
            known.filter(|(_, cell)| !cell.is_empty()).map(|(field, cell)| (field, cell.chars().take(500).collect())).collect()
        })
        .collect();
    match u32::try_from(rows.len()).unwrap_or(u32::MAX) {
        0 => Err(Error::field("list", Problem::Missing)),
        rows if rows > MAX_ROWS => Err(Error::field("list", Problem::TooManyRows { rows, max: MAX_ROWS })),
        _ => Ok(rows),
    }
}

/// A line of cells with its end. What a spreadsheet would take for a formula gets a `'` before it.
pub fn line<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(escaped).collect();
    format!("{}\r\n", cells.join(","))
}

fn escaped(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{guard}{}\"", cell.replace('"', "\"\"")) } else { format!("{guard}{cell}") }
}

/// A list to begin with. The mark at its beginning tells spreadsheets that it is UTF-8.
pub fn sample(kind: ImportKind, chinese: bool) -> String {
    let header = line(kind.columns().iter().map(|column| if chinese { column.zh } else { column.en }));
    let rows: [&[&str]; 2] = match (kind, chinese) {
        (ImportKind::People, true) => {
            [&["20260001", "示范教师甲", "软件技术系", "教师", "CV2402；AI2301"], &["20260002", "示范系主任", "软件技术系", "系主任", ""]]
        }
        (ImportKind::People, false) => {
            [&["20260001", "Demo Teacher", "Software", "teacher", "CV2402; AI2301"], &["20260002", "Demo Manager", "Software", "manager", ""]]
        }
        (ImportKind::Courses, true) => {
            [&["CV2402", "计算机视觉", "软件技术系", "6000", "8", "20260001"], &["AI2301", "深度学习基础", "软件技术系", "4000", "4", ""]]
        }
        (ImportKind::Courses, false) => {
            [&["CV2402", "Computer vision", "Software", "6000", "8", "20260001"], &["AI2301", "Deep learning basics", "Software", "4000", "4", ""]]
        }
    };
    format!("\u{feff}{header}{}{}", line(rows[0].iter().copied()), line(rows[1].iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_line_ends_and_quotes() {
        let rows = table("\u{feff}a,b\r\n\"x, \"\"y\"\"\nz\",2\r\n\r\nlast,");
        assert_eq!(rows, [vec!["a", "b"], vec!["x, \"y\"\nz", "2"], vec![""], vec!["last", ""]]);
        assert_eq!(table("a\tb\n1,5\t2"), [vec!["a", "b"], vec!["1,5", "2"]]);
    }

    #[test]
    fn headers_are_known_in_both_languages_and_in_any_order() {
        let rows = read(ImportKind::People, "姓名,备注,工号\n李华,x,20190442\n,,\n").expect("read");
        assert_eq!(rows, [Cells::from([("name".into(), "李华".into()), ("login".into(), "20190442".into())])]);
        let rows = read(ImportKind::Courses, "Code,Name\nCV2402,Vision\n").expect("read");
        assert_eq!(rows[0]["code"], "CV2402");
    }

    #[test]
    fn what_is_no_list_says_what_one_looks_like() {
        assert_eq!(read(ImportKind::People, " \n"), Err(Error::field("list", Problem::Missing)));
        let example = "账号,姓名,部门,角色,课程".to_owned();
        assert_eq!(read(ImportKind::People, "a,b\n1,2\n"), Err(Error::field("list", Problem::BadFormat { example })));
        let long = "账号,姓名\n".to_owned() + &"a,b\n".repeat(1_001);
        assert_eq!(read(ImportKind::People, &long), Err(Error::field("list", Problem::TooManyRows { rows: 1_001, max: 1_000 })));
    }

    #[test]
    fn no_cell_becomes_a_formula() {
        assert_eq!(line(["=1+1", "a,b", "@x,\"y\"", "-", "good"]), "'=1+1,\"a,b\",\"'@x,\"\"y\"\"\",'-,good\r\n");
    }

    #[test]
    fn the_samples_are_good_lists() {
        for kind in ImportKind::ALL {
            for chinese in [true, false] {
                for row in read(kind, &sample(kind, chinese)).expect("a list") {
                    match kind {
                        ImportKind::People => assert!(super::super::person_row(&row).is_ok(), "{row:?}"),
                        ImportKind::Courses => assert!(super::super::course_row(&row).is_ok(), "{row:?}"),
                    }
                }
            }
        }
    }
}
