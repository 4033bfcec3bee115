//! Who takes a course (B3): students by number and name, one a line. A class order gives each of them a seat.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Problem};

/// Most students of a course.
pub const STUDENTS_MAX: u32 = 200;
/// Longest number, in characters.
pub const NUMBER_MAX: usize = 32;
/// Longest name, in characters.
pub const NAME_MAX: usize = 60;
/// A line as it should be.
pub const EXAMPLE: &str = "2024010117 李华";

/// A student of a course; no account is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Student {
    /// As the college counts them: `2024010117`. Letters, digits, `-`, `_` and `.`.
    pub number: String,
    /// May be empty where only the number is known.
    pub name: String,
}

impl Student {
    /// `2024010117 name`, as a seat and a line show it.
    pub fn seat(&self) -> String {
        format!("{} {}", self.number, self.name).trim_end().to_owned()
    }
}

/// One student a line, `number name` with spaces, a tab or a comma between; empty lines count for nothing. An empty text empties the
/// roster.
///
/// Errors: [`Error::Invalid`] on `roster` with the first line that is wrong.
pub fn parse(text: &str) -> Result<Vec<Student>, Error> {
    let lines = || text.lines().map(str::trim).zip(1_u32..).filter(|(line, _)| !line.is_empty());
    let rows = lines().count();
    if rows > STUDENTS_MAX as usize {
        return Err(Error::field("roster", Problem::TooManyRows { rows: u32::try_from(rows).unwrap_or(u32::MAX), max: STUDENTS_MAX }));
    }
    let mut students = Vec::with_capacity(rows);
    let mut earlier = BTreeMap::new();
    for (line, row) in lines() {
        let student = student(line).ok_or_else(|| Error::field("roster", Problem::BadRow { row, example: EXAMPLE.into() }))?;
        if let Some(other) = earlier.insert(student.number.clone(), row) {
            return Err(Error::field("roster", Problem::SameRows { row, other }));
        }
        students.push(student);
    }
    Ok(students)
}

/// A roster as [`parse`] reads it.
pub fn text(students: &[Student]) -> String {
    students.iter().map(Student::seat).collect::<Vec<_>>().join("\n")
}

fn student(line: &str) -> Option<Student> {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | '，' | ';' | '；');
    let (number, name) = line.split_once(between).unwrap_or((line, ""));
    let name = name.trim_matches(between);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = (1..=NUMBER_MAX).contains(&number.len()) && number.chars().all(plain) && name.chars().count() <= NAME_MAX;
    // A name is shown in tables and written into records: no control characters, and nothing that turns the direction of the line.
    let shown = !name
        .chars()
        .any(|c| (c.is_control() && !c.is_whitespace()) || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    (good && shown).then(|| Student { number: number.to_owned(), name: name.split_whitespace().collect::<Vec<_>>().join(" ") })
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

    #[test]
    fn the_first_wrong_line_is_named() {
        let problem = |text: &str| parse(text).expect_err("wrong");
        let bad = |row| Error::field("roster", Problem::BadRow { row, example: EXAMPLE.into() });
        assert_eq!(problem("2401 甲\n\n学生"), bad(3));
        assert_eq!(problem(&format!("{} 甲", "1".repeat(33))), bad(1));
        assert_eq!(problem(&format!("1 {}", "甲".repeat(61))), bad(1));
        assert_eq!(problem("1 \u{202e}甲"), bad(1));
        assert_eq!(problem("1 甲\n2 乙\n1 丙"), Error::field("roster", Problem::SameRows { row: 3, other: 1 }));
        let many = (0..201).map(|number: u32| number.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(problem(&many), Error::field("roster", Problem::TooManyRows { rows: 201, max: 200 }));
    }
}
