//! Lists of people and courses as text. [`crate::csv`] reads and writes the tables.

use super::{Cells, Column, ImportKind, MAX_ROWS};
use crate::{
    csv::{self, BYTE_ORDER_MARK, text_line, tidy_header},
    error::{Error, Problem},
};

/// Lines at the top of a list that may be its header.
const TOP: usize = 20;

/// The rows of a list below its header; empty rows are left out, unknown columns too.
///
/// Errors: [`Error::Invalid`] on `list`: an empty list, a workbook, a missing required column, too many rows or columns.
pub fn read(kind: ImportKind, text: &str) -> Result<Vec<Cells>, Error> {
    let mut records = csv::read("list", text)?;
    if records.is_empty() {
        return Err(Error::field("list", Problem::Missing));
    }
    let headings = headers(kind);
    let column = |cell: &String| headings.iter().find(|(name, _)| name == cell).map(|(_, column)| *column);
    let known = |cells: &[String]| cells.iter().map(column).collect::<Vec<Option<&'static Column>>>();
    let complete = |columns: &[Option<&'static Column>]| kind.columns().iter().all(|column| !column.required || columns.contains(&Some(column)));
    let Some(header) = csv::header(&mut records, |cells| complete(&known(cells))) else {
        let lines = records.iter().take(TOP).map(|record| known(&record.cells.iter().map(|cell| tidy_header(cell)).collect::<Vec<_>>()));
        return Err(Error::field("list", no_header(kind, lines)));
    };
    let columns = known(&header);
    let rows: Vec<Cells> = records
        .into_iter()
        .map(|record| {
            let named = columns.iter().zip(record.cells).filter_map(|(column, cell)| Some((column.as_ref()?.field.to_owned(), cell)));
            // Nothing that a field can hold is longer, and each row is kept.
            named.filter(|(_, cell)| !cell.is_empty()).map(|(field, cell)| (field, cell.chars().take(500).collect())).collect()
        })
        .collect();
    match u32::try_from(rows.len()).unwrap_or(u32::MAX) {
        0 => Err(Error::field("list", Problem::HeaderOnly)),
        rows if rows > MAX_ROWS => Err(Error::field("list", Problem::TooManyRows { rows, max: MAX_ROWS })),
        _ => Ok(rows),
    }
}

/// The problem of a list in which no line names every required column: the first column that the line with most of them lacks.
fn no_header(kind: ImportKind, lines: impl Iterator<Item = Vec<Option<&'static Column>>>) -> Problem {
    let named = |line: &[Option<&'static Column>]| line.iter().flatten().count();
    let best = lines.fold(Vec::new(), |best, line| if named(&line) > named(&best) { line } else { best });
    let missing = kind.columns().iter().find(|column| column.required && !best.contains(&Some(*column)));
    match missing {
        Some(column) => Problem::NoColumn { headers: vec![column.zh.to_owned(), column.en.to_owned()] },
        // It stands below longer lines.
        None => Problem::BadFormat { example: kind.columns().iter().map(|column| column.zh).collect::<Vec<_>>().join(",") },
    }
}

/// The headers by which each column is known, in the form that [`tidy_header`] returns.
fn headers(kind: ImportKind) -> Vec<(String, &'static Column)> {
    let names = |column: &'static Column| {
        let all = [column.field, column.zh, column.en].into_iter().chain(column.also.iter().copied());
        all.map(move |name| (tidy_header(name), column))
    };
    kind.columns().iter().flat_map(names).collect()
}

/// A list to begin with. The mark at its beginning tells spreadsheets that it is UTF-8.
pub fn sample(kind: ImportKind, chinese: bool) -> String {
    let header = text_line(kind.columns().iter().map(|column| if chinese { column.zh } else { column.en }));
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
    format!("{BYTE_ORDER_MARK}{header}{}{}", text_line(rows[0].iter().copied()), text_line(rows[1].iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(read(ImportKind::People, "账号,姓名\n"), Err(Error::field("list", Problem::HeaderOnly)));
        let missing = |zh: &str, en: &str| Err(Error::field("list", Problem::NoColumn { headers: vec![zh.into(), en.into()] }));
        assert_eq!(read(ImportKind::People, "account,roles\nli,teacher\n"), missing("姓名", "name"));
        assert_eq!(read(ImportKind::People, "2026\n姓名,角色\n李华,教师\n"), missing("账号", "account"));
        assert_eq!(read(ImportKind::People, "foo,bar\n1,2\n"), missing("账号", "account"));
        assert_eq!(read(ImportKind::Courses, "code,budget\nCV2402,1\n"), missing("课程名称", "name"));
        let long = "账号,姓名\n".to_owned() + &"a,b\n".repeat(1_001);
        assert_eq!(read(ImportKind::People, &long), Err(Error::field("list", Problem::TooManyRows { rows: 1_001, max: 1_000 })));
    }

    #[test]
    fn a_list_with_too_many_columns_is_refused() {
        let wide = format!("账号,姓名,{}\n", "x,".repeat(100_000));
        let too_many = Problem::TooManyColumns { columns: 100_002, max: 64 };
        assert_eq!(read(ImportKind::People, &wide), Err(Error::field("list", too_many)));
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
