//! Lists of people and courses that are imported row by row (A7): the fields of a row, its errors, and its outcome. `imports/csv.rs` reads
//! their columns from text, `csv.rs` reads tables.

pub mod csv;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    courses::{check_code, check_course_name},
    error::{Error, FieldError, FieldErrors, Problem},
    ids::ImportId,
    names,
    people::{PersonRef, check_login, check_name},
    quotas::{cards, whole_units},
    time::Timestamp,
};

/// Rows that one list may have.
pub const MAX_ROWS: u32 = 1_000;

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    People,
    Courses,
}

/// A column: its name in forms and the headers by which it is known.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    pub field: &'static str,
    pub zh: &'static str,
    pub en: &'static str,
    pub required: bool,
    /// Other headers that people write.
    pub also: &'static [&'static str],
}

const fn column(field: &'static str, zh: &'static str, en: &'static str, required: bool, also: &'static [&'static str]) -> Column {
    Column { field, zh, en, required, also }
}

const PEOPLE: [Column; 5] = [
    column("login", "账号", "account", true, &["login", "工号", "用户名"]),
    column("name", "姓名", "name", true, &[]),
    column("department", "部门", "department", false, &["系", "院系", "系部"]),
    column("roles", "角色", "roles", false, &["role", "身份"]),
    column("courses", "课程", "courses", false, &["课程代码", "course"]),
];
const COURSES: [Column; 6] = [
    column("code", "课程代码", "code", true, &["代码", "course code"]),
    column("name", "课程名称", "name", true, &["课程名", "名称"]),
    column("department", "部门", "department", false, &["系", "院系", "系部"]),
    column("budget", "预算", "budget", false, &["预算（元）", "预算(元)"]),
    column("cards", "显卡", "cards", false, &["卡数", "显卡数"]),
    column("teachers", "教师", "teachers", false, &["任课教师", "teacher", "账号"]),
];

impl ImportKind {
    pub const ALL: [Self; 2] = [Self::People, Self::Courses];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Courses => "courses",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::People => &PEOPLE,
            Self::Courses => &COURSES,
        }
    }
}

/// What was typed in a row, by field; empty cells are left out.
pub type Cells = BTreeMap<String, String>;

/// What a row would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    New,
    Change,
    Unchanged,
    Error,
}

impl Verdict {
    pub const ALL: [Self; 4] = [Self::New, Self::Change, Self::Unchanged, Self::Error];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Change => "change",
            Self::Unchanged => "unchanged",
            Self::Error => "error",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowResult {
    Done,
    Failed,
}

impl RowResult {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Done, Self::Failed].into_iter().find(|result| result.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    /// The first row below the header is 1.
    pub number: u32,
    pub cells: Cells,
    pub verdict: Verdict,
    pub problems: Vec<FieldError>,
    /// `None` until its turn.
    pub result: Option<RowResult>,
    /// The changes that it would make, while it waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<CellChange>,
}

/// A field that a row would change. Roles by their codes, courses by theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellChange {
    pub field: String,
    /// Empty where there is nothing yet; `None` where `after` holds only what is added.
    pub before: Option<Vec<String>>,
    pub after: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Nothing is done yet.
    Preview,
    Running,
    Done,
}

impl ImportState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Running => "running",
            Self::Done => "done",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Preview, Self::Running, Self::Done].into_iter().find(|state| state.as_str() == text)
    }
}

/// Rows by what they would do, and how far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub new: u32,
    pub change: u32,
    pub unchanged: u32,
    pub error: u32,
    pub done: u32,
    pub failed: u32,
}

impl Counts {
    /// Rows that a run takes, taken or not.
    pub const fn to_do(&self) -> u32 {
        self.new + self.change
    }
    pub const fn all(&self) -> u32 {
        self.to_do() + self.unchanged + self.error
    }
    /// Rows that wait for a run.
    pub const fn waiting(&self) -> u32 {
        self.to_do().saturating_sub(self.done + self.failed)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub id: ImportId,
    pub kind: ImportKind,
    pub file_name: String,
    pub state: ImportState,
    pub by: PersonRef,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// When the links of new people were taken.
    pub links_at: Option<Timestamp>,
    pub counts: Counts,
}

/// A row of people, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    pub login: String,
    pub name: String,
    /// By its name; roles are given there, or at the college without one.
    pub department: Option<String>,
    pub roles: BTreeSet<Role>,
    /// Codes.
    pub courses: BTreeSet<String>,
}

/// A row of courses, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseRow {
    pub code: String,
    pub name: String,
    pub department: Option<String>,
    /// Whole units.
    pub budget: Option<i64>,
    /// 1/840 of a card.
    pub cards: Option<i64>,
    /// Logins.
    pub teachers: BTreeSet<String>,
}

/// What a list may call a role. Administrators are not made by lists.
const ROLE_WORDS: [(Role, [&str; 3]); 4] = [
    (Role::Teacher, ["教师", "teacher", "老师"]),
    (Role::Manager, ["系主任", "manager", "主任"]),
    (Role::Auditor, ["审计员", "auditor", "审计"]),
    (Role::Operator, ["运维员", "operator", "运维"]),
];

/// The word of a list for the role that another of its words names, in either language. Other words stay.
pub fn role_word(word: &str, chinese: bool) -> &str {
    let known = ROLE_WORDS.iter().find(|(_, words)| words.contains(&word));
    known.map_or(word, |(_, words)| words[usize::from(!chinese)])
}

fn several(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '；', ',', '，', '、', '|', ' ']).map(str::trim).filter(|part| !part.is_empty())
}

fn cell<'c>(cells: &'c Cells, field: &str) -> &'c str {
    cells.get(field).map_or("", |text| text.trim())
}

fn optional(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Errors: [`Error::Invalid`] with every problem of the row.
pub fn person_row(cells: &Cells) -> Result<PersonRow, Error> {
    let mut errors = FieldErrors::default();
    let login = check_login(cell(cells, "login")).unwrap_or_else(|problem| {
        errors.push("login", problem);
        String::new()
    });
    let name = names::check_ends(cell(cells, "name")).and_then(|()| check_name(cell(cells, "name"))).unwrap_or_else(|problem| {
        errors.push("name", problem);
        String::new()
    });
    let mut roles = BTreeSet::new();
    for word in several(cell(cells, "roles")) {
        let lower = word.to_lowercase();
        match ROLE_WORDS.iter().find(|(_, words)| words.contains(&lower.as_str())) {
            Some((role, _)) => _ = roles.insert(*role),
            None => errors.push("roles", Problem::NotOneOf { choices: ROLE_WORDS.iter().map(|(_, words)| words[0].to_owned()).collect() }),
        }
    }
    let courses = several(cell(cells, "courses")).map(ToOwned::to_owned).collect();
    errors.finish()?;
    Ok(PersonRow { login, name, department: optional(cell(cells, "department")), roles, courses })
}

/// Errors: [`Error::Invalid`] with every problem of the row.
pub fn course_row(cells: &Cells) -> Result<CourseRow, Error> {
    let mut errors = FieldErrors::default();
    let (code, name) = (cell(cells, "code"), cell(cells, "name"));
    if code.is_empty() {
        errors.push("code", Problem::Missing);
    } else if let Err(problem) = check_code(code) {
        errors.push("code", problem);
    }
    let name = names::check_ends(name).and_then(|()| check_course_name(name)).unwrap_or_else(|problem| {
        errors.push("name", problem);
        String::new()
    });
    let mut number = |field: &str, result: Result<i64, Problem>| match result {
        Ok(number) => Some(number),
        Err(Problem::Missing) => None,
        Err(problem) => {
            errors.push(field, problem);
            None
        }
    };
    // Spreadsheets write thousands apart.
    let budget = number("budget", whole_units(cell(cells, "budget").replace('，', ",").trim_start_matches('¥')));
    let cards = number("cards", cards(cell(cells, "cards")));
    let teachers = several(cell(cells, "teachers")).map(str::to_lowercase).collect();
    errors.finish()?;
    Ok(CourseRow { code: code.to_owned(), name, department: optional(cell(cells, "department")), budget, cards, teachers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(pairs: &[(&str, &str)]) -> Cells {
        pairs.iter().map(|(field, text)| ((*field).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_row_is_read_in_either_language() {
        let row = person_row(&cells(&[("login", " Li.Hua "), ("name", "李华"), ("roles", "教师；manager"), ("courses", "CV2402、AI2301")]));
        let row = row.expect("good");
        assert_eq!((row.login.as_str(), row.department), ("li.hua", None));
        assert_eq!(row.roles, [Role::Teacher, Role::Manager].into());
        assert_eq!(row.courses, ["AI2301".to_owned(), "CV2402".to_owned()].into());
        let row = course_row(&cells(&[("code", "CV2402"), ("name", "计算机视觉"), ("budget", "¥12,000"), ("cards", "1/2")])).expect("good");
        assert_eq!((row.budget, row.cards), (Some(12_000), Some(420)));
        let budget = |text: &str| course_row(&cells(&[("code", "CV2402"), ("name", "计算机视觉"), ("budget", text)])).map(|row| row.budget);
        assert_eq!(budget("1，200，000"), Ok(Some(1_200_000)));
        assert_eq!(budget("12,5"), Err(Error::field("budget", Problem::NotANumber)), "a decimal comma is no group of thousands");
    }

    #[test]
    fn a_name_is_stored_as_the_preview_shows_it_or_refused() {
        for name in ["李华\u{202e}", "\u{200b}李华"] {
            let code = if name.starts_with('李') { "U+202E" } else { "U+200B" };
            let refused = Error::field("name", Problem::Invisible { character: code.into() });
            assert_eq!(person_row(&cells(&[("login", "li.hua"), ("name", name)])), Err(refused.clone()));
            assert_eq!(course_row(&cells(&[("code", "CV2402"), ("name", name)])), Err(refused));
        }
    }

    #[test]
    fn a_wrong_row_says_each_field_and_what_to_write() {
        let Err(Error::Invalid(problems)) = person_row(&cells(&[("login", "zheng(at)x"), ("roles", "讲师")])) else { panic!("it must be refused") };
        let fields: Vec<_> = problems.iter().map(|each| each.field.as_str()).collect();
        assert_eq!(fields, ["login", "name", "roles"]);
        let choices = ["教师", "系主任", "审计员", "运维员"].map(ToOwned::to_owned).to_vec();
        assert_eq!(problems[2].problem, Problem::NotOneOf { choices }, "nor is an administrator made by a list");
    }
}
