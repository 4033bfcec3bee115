//! Lists of people and courses as text, there and back.

use domain::{
    csv::text_line,
    imports::{ImportKind, MAX_ROWS, course_row, csv, person_row},
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::texts::{config, fields, names_only, nasty, near, unquoted};

const LISTS: &[&str] = &[
    "\u{feff}sep=;\r名单;;\r\"账号\";\"姓名\";备注\r'007001;=\"x\";\r",
    "账号,姓名,部门,角色,课程\n20260001,示范教师甲,软件技术系,教师,CV2402；AI2301\n",
    "code\tname\tbudget\nCV2402\t\"Computer\n vision\"\t\"6,000\"\n",
    "account;name\nli.hua;Li Hua\n",
    "账号,姓名\n\"a\"\"b\",c\n",
];

fn kinds() -> impl Strategy<Value = ImportKind> {
    select(&ImportKind::ALL[..])
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_list_is_read_or_says_what_is_wrong(kind in kinds(), text in near(LISTS)) {
        match csv::read(kind, &text) {
            Ok(rows) => {
                prop_assert!((1..=MAX_ROWS as usize).contains(&rows.len()));
                let columns: Vec<_> = kind.columns().iter().map(|column| column.field).collect();
                for row in rows {
                    prop_assert!(row.iter().all(|(field, cell)| columns.contains(&field.as_str()) && cell.chars().count() <= 500));
                    let error = match kind {
                        ImportKind::People => person_row(&row).err(),
                        ImportKind::Courses => course_row(&row).err(),
                    };
                    if let Some(error) = &error {
                        names_only(error, &columns);
                    }
                }
            }
            Err(error) => prop_assert_eq!(fields(&error), ["list"]),
        }
    }

    #[test]
    fn what_is_written_reads_back(names in vec("[^\u{0}-\u{1f}\u{7f}-\u{9f}]{1,40}", 1..20)) {
        // Reading trims a cell and removes the marks that protect it from being a formula or a number.
        let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
        let names: Vec<String> = names.iter().map(|name| name.trim_matches(blank).to_owned()).filter(|name| !name.is_empty()).collect();
        prop_assume!(!names.is_empty());
        let mut text = text_line(["账号", "姓名"]);
        for name in &names {
            text.push_str(&text_line(["login", name]));
        }
        let read = csv::read(ImportKind::People, &text).expect("a list");
        let read: Vec<_> = read.iter().map(|row| row["name"].clone()).collect();
        prop_assert_eq!(read, names);
    }

    #[test]
    fn a_line_is_one_row_and_never_a_formula(cells in vec(nasty(), 1..8)) {
        let line = text_line(cells.iter().map(String::as_str));
        let mut quoted = false;
        let mut ends = 0;
        for character in line.chars() {
            match character {
                '"' => quoted = !quoted,
                '\n' if !quoted => ends += 1,
                _ => {}
            }
        }
        prop_assert_eq!((ends, quoted), (1, false), "{:?}", line);
        let first = unquoted(&line);
        let shown = first.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
        prop_assert!(!shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{:?}", line);
        prop_assert!(!first.starts_with(['\t', '\r']) || line == "\r\n", "{:?}", line);
    }
}

/// A megabyte of the dullest kind takes no longer than it must: reading is linear.
#[test]
fn a_long_list_is_read_once() {
    for text in ["\"".repeat(1_000_000), ",".repeat(1_000_000), "a,b\n".repeat(250_000), "\r".repeat(1_000_000), "\"\"".repeat(500_000)] {
        let _ = csv::read(ImportKind::People, &text);
    }
}
