//! Who takes a course (B3): students by number and name, one a line. A class order gives each of them a seat.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    csv::{self, Record},
    error::{Error, Problem},
    names,
    text::narrow,
};

/// Most students of a course.
pub const STUDENTS_MAX: u32 = 200;
/// Longest number, in characters.
pub const NUMBER_MAX: usize = 32;
/// Longest name, in characters.
pub const NAME_MAX: u32 = 60;
/// A line as it should be.
pub const EXAMPLE: &str = "2024010117 李华";

/// A student of a course; no account is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Student {
    /// As the college counts them: `2024010117`. Letters, digits, `-`, `_` and `.`. No whole number with decimals.
    pub number: String,
    /// By the rule for all names; may be empty where only the number is known.
    pub name: String,
}

impl Student {
    /// `2024010117 name`, as a seat and a line show it.
    pub fn seat(&self) -> String {
        format!("{} {}", self.number, self.name).trim_end().to_owned()
    }
}

/// Headers of the number column, of the name column and of a column of row numbers, in the form that [`csv::tidy_header`] returns.
const NUMBERS: [&str; 11] = ["学号", "学生学号", "学生号", "学生编号", "number", "student number", "student no", "student id", "id", "sid", "xh"];
const NAMES: [&str; 9] = ["姓名", "学生姓名", "名字", "name", "student name", "full name", "fullname", "display name", "xm"];
const COUNTS: [&str; 5] = ["序号", "行号", "no", "#", "index"];
/// Headers of two columns that hold a name together.
const FAMILY_NAMES: [&str; 4] = ["姓", "last name", "family name", "surname"];
const GIVEN_NAMES: [&str; 4] = ["名", "first name", "given name", "given names"];

/// A list of students: `number name`, one per line, typed or copied from a spreadsheet. A header row names the columns. Without one the
/// first column holds the student numbers, except that a first column of row numbers (1, 2, 3) is skipped. Empty lines are ignored; an
/// empty text empties the roster.
///
/// Errors: [`Error::Invalid`] on `roster` with the first line that is wrong.
pub fn parse(text: &str) -> Result<Vec<Student>, Error> {
    let mut records = csv::read("roster", text)?;
    let empty = records.is_empty();
    let columns = columns(&mut records)?;
    let rows = records.len();
    if rows == 0 && !empty {
        // A header without rows is a mistake: it must not empty the roster.
        return Err(Error::field("roster", Problem::HeaderOnly));
    }
    if rows > STUDENTS_MAX as usize {
        return Err(Error::field("roster", Problem::TooManyRows { rows: u32::try_from(rows).unwrap_or(u32::MAX), max: STUDENTS_MAX }));
    }
    let mut students = Vec::with_capacity(rows);
    let mut earlier = BTreeMap::new();
    for Record { line: row, cells } in records {
        let cell = |column: usize| cells.get(column).map_or("", String::as_str);
        let student = student(row, cell(columns.number), &columns.name.of(cell)).map_err(|problem| Error::field("roster", problem))?;
        // `S01` and `s01` are one student.
        if let Some(other) = earlier.insert(student.number.to_ascii_lowercase(), row) {
            return Err(Error::field("roster", Problem::SameRows { row, other }));
        }
        students.push(student);
    }
    Ok(students)
}

/// A roster as text that [`parse`] reads: typed form, or a table if a name would otherwise be misread.
pub fn text(students: &[Student]) -> String {
    let is_plain = |Student { number, name }: &Student| {
        let first = name.split(' ').next().unwrap_or_default();
        let signs = [',', '，', ';', '；', '"', '\'', '='];
        let seat = csv::tidy_header(&format!("{number} {name}"));
        !name.contains(signs)
            && !narrow(first).contains(|c: char| c.is_ascii_digit())
            && !names_column(&csv::tidy_header(number))
            && !names_column(&seat)
    };
    if students.iter().all(is_plain) {
        return students.iter().map(Student::seat).collect::<Vec<_>>().join("\n");
    }
    let rows = students.iter().map(|Student { number, name }| csv::text_line([number.as_str(), name]));
    csv::text_line(["学号", "姓名"]) + &rows.collect::<String>()
}

/// The columns of number and name in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    number: usize,
    name: NameColumns,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameColumns {
    None,
    One(usize),
    Two { family: usize, given: usize },
}

impl NameColumns {
    /// The name in a row. Chinese names begin with the family name, without a blank; others stay in the order of the columns.
    fn of<'c>(self, cell: impl Fn(usize) -> &'c str) -> String {
        match self {
            Self::None => String::new(),
            Self::One(column) => cell(column).to_owned(),
            Self::Two { family, given } => {
                let is_chinese = [family, given].iter().all(|column| cell(*column).chars().all(|c| c >= '\u{2e80}'));
                if is_chinese {
                    return format!("{}{}", cell(family), cell(given));
                }
                format!("{} {}", cell(family.min(given)), cell(family.max(given))).trim().to_owned()
            }
        }
    }
}

impl Columns {
    const FIRST: Self = Self { number: 0, name: NameColumns::One(1) };

    /// Errors: [`Error::Invalid`] on `roster` for a header without numbers, or with other columns and without names.
    fn named(header: &[String]) -> Result<Self, Error> {
        let at = |names: &[&str]| header.iter().position(|cell| names.contains(&cell.as_str()));
        let missing = |headers: [&str; 2]| Error::field("roster", Problem::NoColumn { headers: headers.map(str::to_owned).to_vec() });
        let number = at(&NUMBERS).ok_or_else(|| missing(["学号", "student number"]))?;
        let name = match (at(&NAMES), at(&FAMILY_NAMES), at(&GIVEN_NAMES)) {
            (Some(name), ..) => NameColumns::One(name),
            (None, Some(family), Some(given)) => NameColumns::Two { family, given },
            (None, Some(part), None) | (None, None, Some(part)) => NameColumns::One(part),
            // Names that nobody finds must not be dropped without a word.
            (None, None, None) if header.iter().any(|cell| !cell.is_empty() && !names_column(cell)) => return Err(missing(["姓名", "name"])),
            (None, None, None) => NameColumns::None,
        };
        Ok(Self { number, name })
    }
}

/// Finds the columns, and removes the rows and columns that are not students.
fn columns(records: &mut Vec<Record>) -> Result<Columns, Error> {
    if let Some(header) = csv::header(records, is_header) {
        split_by_hand(records, 2);
        return Columns::named(&header);
    }
    // In a header typed by hand, blanks separate the names.
    if let Some([line]) = records.first().map(|record| record.cells.as_slice()) {
        let words: Vec<String> = line.split_whitespace().map(csv::tidy_header).collect();
        let known = words.iter().filter(|word| names_column(word)).count();
        let begins = words.first().is_some_and(|word| names_column(word));
        if begins && (known == words.len() || known > 1) && is_header(&words) {
            records.remove(0);
            split_by_hand(records, words.len());
            return Columns::named(&words);
        }
    }
    split_by_hand(records, 2);
    drop_running_numbers(records);
    Ok(Columns::FIRST)
}

fn names_column(header: &str) -> bool {
    [&NUMBERS[..], &NAMES, &COUNTS].iter().any(|names| names.contains(&header))
}

/// Whether the row is a header: it names the column of the numbers, or it names columns and holds no digit, such as `序号,姓名`.
fn is_header(cells: &[String]) -> bool {
    let names = |names: &[&str]| cells.iter().any(|cell| names.contains(&cell.as_str()));
    let digits = cells.iter().any(|cell| cell.contains(|c: char| c.is_ascii_digit()));
    names(&NUMBERS) && (cells.len() > 1 || !digits) || names(&NAMES) && !digits
}

/// Splits rows that are a single cell: people type a blank, or a separator other than the first line's, between number and name.
fn split_by_hand(records: &mut [Record], parts: usize) {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | '，' | ';' | '；');
    for cells in records.iter_mut().map(|record| &mut record.cells) {
        while cells.len() < parts
            && let Some((first, rest)) = cells.last().and_then(|line| line.split_once(between))
        {
            let rest = rest.trim_matches(between).to_owned();
            let first = first.to_owned();
            cells.pop();
            cells.extend([first, rest]);
        }
    }
}

/// Removes the first column if it only numbers the rows.
fn drop_running_numbers(records: &mut [Record]) {
    let mut numbers = BTreeSet::new();
    let mut last = None;
    let mut counts = |record: &Record| {
        let [count, rest @ ..] = record.cells.as_slice() else { return false };
        let count = tidy_number(count);
        let count = count.trim_end_matches(['.', '、', ')']).parse::<u32>().ok().filter(|count| *count <= 999);
        let follows = count.is_some() && (last.is_none() || count == last.map(|last| last + 1));
        last = count;
        // The student number after the row number, and whether a name is left. Without a name, only digits are certain to be a number.
        let (number, name) = match rest {
            [number] => number.split_once(char::is_whitespace).unwrap_or((number.as_str(), "")),
            [number, name, ..] => (number.as_str(), name.as_str()),
            [] => return false,
        };
        let digits = |c: char| c.is_ascii_digit();
        let number = tidy_number(number);
        let is_number = is_number(&number) && if name.is_empty() { number.chars().all(digits) } else { number.contains(digits) };
        follows && is_number && numbers.insert(number.to_ascii_lowercase())
    };
    if !records.is_empty() && records.iter().all(&mut counts) && records[0].cells.len() > 1 {
        for record in records.iter_mut() {
            record.cells.remove(0);
        }
        split_by_hand(records, 2);
    }
}

/// In one width, and without the decimals that spreadsheets give to whole numbers: `2401.0` is `2401`.
fn tidy_number(text: &str) -> String {
    let number = narrow(text);
    let is_whole = |whole: &str, decimals: &str| {
        !whole.is_empty() && whole.bytes().all(|digit| digit.is_ascii_digit()) && !decimals.is_empty() && decimals.bytes().all(|digit| digit == b'0')
    };
    match number.split_once('.') {
        Some((whole, decimals)) if is_whole(whole, decimals) => whole.to_owned(),
        _ => number,
    }
}

fn is_number(text: &str) -> bool {
    (1..=NUMBER_MAX).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn student(row: u32, number: &str, name: &str) -> Result<Student, Problem> {
    let number = tidy_number(number);
    if !is_number(&number) {
        return Err(Problem::BadRow { row, example: EXAMPLE.into() });
    }
    // The rule for all names, except that a cell may have several lines and that a name may be missing.
    let name = match names::check(&name.split_whitespace().collect::<Vec<_>>().join(" "), NAME_MAX) {
        Err(Problem::Missing) => String::new(),
        checked => checked.map_err(|cause| Problem::InRow { row, cause: Box::new(cause) })?,
    };
    Ok(Student { number, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<String> {
        parse(text).expect("a roster").iter().map(Student::seat).collect()
    }

    #[test]
    fn a_list_from_a_table_or_from_hand_is_read() {
        assert_eq!(
            numbers("2401 示范学生甲\r\n\n2402\t示范学生乙\n2403，示范 学生  丙\n2404"),
            ["2401 示范学生甲", "2402 示范学生乙", "2403 示范 学生 丙", "2404"]
        );
        assert_eq!(numbers(" \n"), [] as [&str; 0]);
        let students = parse("2401 甲\n2402, 乙").expect("a roster");
        assert_eq!(parse(&text(&students)), Ok(students), "what is shown reads back");
    }

    /// The same three students, the last one without a name, in the forms in which such lists arrive.
    #[test]
    fn a_header_a_running_number_and_every_end_of_a_line_are_known() {
        let seats = ["2024010117 李华", "S02 Wang, Fang", "S03"];
        for list in [
            "number,name\r\n2024010117,李华\r\nS02,\"Wang, Fang\"\r\nS03,\r\n",
            "\u{feff}学号,姓名\r2024010117,李华\rS02,\"Wang, Fang\"\rS03,\r",
            "姓名\t班级\t学号\n李华\t软件2401\t2024010117\nWang, Fang\t软件2401\tS02\n\t软件2401\tS03",
            "sep=;\n学号;姓名\n2024010117;李华\nS02;Wang, Fang\nS03;",
            "计算机视觉 学生名单\n\n序号,*学号（必填）,姓名\n1,2024010117,李华\n2,S02,\"Wang, Fang\"\n3,S03,",
            "1,2024010117,李华\n2,S02,\"Wang, Fang\"\n3,S03,x\n",
            "1\t2024010117\t李华\r\n2\tS02\tWang, Fang\r\n3\tS03\tx\r\n",
            "\"2024010117\",\"李华\"\n\"S02\",\"Wang, Fang\"\n\"S03\",\"\"\n",
            "=\"2024010117\",李华\n\"S02\t\",\"Wang, Fang\"\nS03,",
            "２０２４０１０１１７,李华\nS02,\"Wang, Fang\"\nS03",
        ] {
            let read: Vec<_> = numbers(list).into_iter().map(|seat| seat.trim_end_matches(" x").to_owned()).collect();
            assert_eq!(read, seats, "{list:?}");
        }
        assert_eq!(numbers("序号 学号 姓名\n1 2024010117 李华\n2 S02 Li Hua"), ["2024010117 李华", "S02 Li Hua"]);
        assert_eq!(numbers("学号 姓名\n2401 李 华"), ["2401 李 华"]);
        assert_eq!(numbers("1 2401 李华\n2 2402 王芳"), ["2401 李华", "2402 王芳"]);
        assert_eq!(numbers("1,2401\n2,2402"), ["2401", "2402"]);
        assert_eq!(numbers("31,2401,李华\n32,2402,王芳"), ["2401 李华", "2402 王芳"]);
        for list in
            ["2401.0 Li\n2402.0 Wang", "学号,姓名\n2401.0,Li\n2402.00,Wang", "1.0,2401.0,Li\n2.0,2402.0,Wang", "1. ２４０１．０ Li\n2. 2402 Wang"]
        {
            assert_eq!(numbers(list), ["2401 Li", "2402 Wang"], "a spreadsheet's numbers: {list:?}");
        }
        assert_eq!(numbers("24.01 Li\nA2401.0 Wang\n2401.5 Zhao"), ["24.01 Li", "A2401.0 Wang", "2401.5 Zhao"]);
        assert_eq!(numbers("1. 2401 李华\n2. 2402 王芳"), ["2401 李华", "2402 王芳"]);
        for list in ["１,2401,Li\n２,2402,Wang", "1. 2401 Li\n2. 2402 Wang", "１、 2401 Li\n２、 2402 Wang", "xh,xm\n2401,Li\n2402,Wang"] {
            assert_eq!(numbers(list), ["2401 Li", "2402 Wang"], "{list:?}");
        }
        assert_eq!(numbers("学号 姓名 班级\n2401 李华 软件2401"), ["2401 李华"]);
    }

    #[test]
    fn a_comma_of_one_line_is_no_separator_of_all() {
        assert_eq!(numbers("2401 Li\n2402 Wang, Jr"), ["2401 Li", "2402 Wang, Jr"]);
        assert_eq!(numbers("2401 Li\n2402, Wang\n2403 Zhao"), ["2401 Li", "2402 Wang", "2403 Zhao"]);
    }

    #[test]
    fn a_name_in_two_columns_is_one_name() {
        assert_eq!(numbers("Student ID,First name,Last name\n2401,Hua,Li\n2402,华,李\n2403,Fang,"), ["2401 Hua Li", "2402 李华", "2403 Fang"]);
        assert_eq!(numbers("学号,姓,名\n2401,李,华\n2402,Li,Hua"), ["2401 李华", "2402 Li Hua"]);
        assert_eq!(numbers("Student ID,Surname\n2401,Li"), ["2401 Li"]);
        let missing = Error::field("roster", Problem::NoColumn { headers: vec!["姓名".into(), "name".into()] });
        assert_eq!(parse("学号,班级\n2401,软件2401"), Err(missing), "names must not be lost without a word");
        assert_eq!(numbers("序号,学号\n1,2401"), ["2401"]);
    }

    #[test]
    fn numbers_that_only_look_like_running_ones_stay() {
        assert_eq!(numbers("1 甲\n2 乙\n3 丙"), ["1 甲", "2 乙", "3 丙"]);
        assert_eq!(numbers("1,student1\n2,student2"), ["1 student1", "2 student2"]);
        assert_eq!(numbers("2401,A1,李华\n2402,A1,王芳"), ["2401 A1", "2402 A1"]);
        assert_eq!(numbers("1\n2"), ["1", "2"]);
    }

    #[test]
    fn what_is_shown_reads_back_whatever_the_names() {
        for list in [
            "学号,姓名\n2401,\"Li, Hua; \"\"x\"\"\"",
            "学号,姓名\n1,2401\n2,2402",
            "学号,姓名\nid,x\nsid,y",
            "学号,姓名\nS1,''=1\nS2,'007",
            "学号,姓名\n1,２４０１ 甲\n2,２４０２ 乙",
        ] {
            let students = parse(list).expect("a roster");
            assert_eq!(parse(&text(&students)), Ok(students), "{list:?}");
        }
    }

    #[test]
    fn a_list_without_numbers_or_of_another_kind_says_so() {
        let columns = Error::field("roster", Problem::NoColumn { headers: vec!["学号".into(), "student number".into()] });
        assert_eq!(parse("序号,姓名\n1,李华"), Err(columns));
        for header in ["学号,姓名\n", "学号 姓名", "number"] {
            assert_eq!(parse(header), Err(Error::field("roster", Problem::HeaderOnly)), "{header}: it would empty the roster");
        }
        assert_eq!(parse("PK\u{3}\u{4}\u{14}"), Err(Error::field("roster", Problem::Workbook)));
    }

    #[test]
    fn one_number_in_two_forms_is_one_student() {
        assert_eq!(parse("2401 甲\n2401.0 乙"), Err(Error::field("roster", Problem::SameRows { row: 2, other: 1 })));
        assert_eq!(parse("S01 甲\ns01 乙"), Err(Error::field("roster", Problem::SameRows { row: 2, other: 1 })));
        assert_eq!(parse("学号,姓名\rS01,甲\rＳ０１,乙"), Err(Error::field("roster", Problem::SameRows { row: 3, other: 2 })));
    }

    #[test]
    fn a_name_is_held_to_the_rule_for_all_names() {
        let refused = |row, cause| Err(Error::field("roster", Problem::InRow { row, cause: Box::new(cause) }));
        for (character, code) in [('\u{200b}', "U+200B"), ('\u{202e}', "U+202E"), ('\u{3164}', "U+3164"), ('\u{2800}', "U+2800"), ('\u{1}', "U+0001")]
        {
            let list = format!("学号,姓名\n2401,李华\n2402,王{character}芳");
            assert_eq!(parse(&list), refused(3, Problem::Invisible { character: code.into() }), "{code}");
        }
        assert_eq!(parse(&format!("2401 {}", "甲".repeat(61))), refused(1, Problem::TooLong { max: 60 }));
        assert_eq!(numbers("2401 \u{feff}李华\u{200b}\n2402 \u{3164}\n2403 李\u{3000}华"), ["2401 李华", "2402", "2403 李 华"]);
    }

    #[test]
    fn the_first_wrong_line_is_named() {
        let problem = |text: &str| parse(text).expect_err("wrong");
        let bad = |row| Error::field("roster", Problem::BadRow { row, example: EXAMPLE.into() });
        assert_eq!(problem("2401 甲\n\n学生"), bad(3));
        assert_eq!(problem(&format!("{} 甲", "1".repeat(33))), bad(1));
        assert_eq!(problem("1 甲\n2 乙\n1 丙"), Error::field("roster", Problem::SameRows { row: 3, other: 1 }));
        let many = (0..201).map(|number: u32| number.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(problem(&many), Error::field("roster", Problem::TooManyRows { rows: 201, max: 200 }));
    }
}
