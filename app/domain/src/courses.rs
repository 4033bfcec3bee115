//! Tenants and courses (D1): who pays and whose quota it is.

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, FieldErrors, Problem},
    ids::{CourseId, TenantId},
    names,
    people::PersonRef,
    quotas::{QuotaSettings, QuotaStatus, whole, whole_units},
    roster::Student,
    time::Timestamp,
};

/// A course, briefly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseRef {
    pub id: CourseId,
    /// `CV2402`: unique in the tenant, part of the namespace's name.
    pub code: String,
    pub name: String,
}

/// A course as a filter names it: by its id or its code. No code looks like an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CourseKey {
    Id(CourseId),
    Code(String),
}

impl CourseKey {
    /// `None` for an empty text.
    pub fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "" => None,
            text => Some(text.parse().map_or_else(|_| Self::Code(text.to_owned()), Self::Id)),
        }
    }
    pub const fn id(&self) -> Option<CourseId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Code(_) => None,
        }
    }
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Code(code) => Some(code),
        }
    }
}

impl From<CourseId> for CourseKey {
    fn from(id: CourseId) -> Self {
        Self::Id(id)
    }
}

/// A college: the boundary that nothing crosses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
}

/// The kind of a unit between a college and its courses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepartmentKind {
    Department,
    Project,
    /// From outside of the college.
    Customer,
}

impl DepartmentKind {
    pub const ALL: [Self; 3] = [Self::Department, Self::Project, Self::Customer];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Project => "project",
            Self::Customer => "customer",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A department, briefly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartmentRef {
    pub id: TenantId,
    pub name: String,
}

/// A department, project or outside customer of a college.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    pub id: TenantId,
    /// The college.
    pub tenant: TenantId,
    pub kind: DepartmentKind,
    pub name: String,
}

impl Department {
    pub fn brief(&self) -> DepartmentRef {
        DepartmentRef { id: self.id, name: self.name.clone() }
    }
}

/// A course in the tree of a college.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedCourse {
    pub course: CourseRef,
    pub department: Option<TenantId>,
    pub archived: bool,
}

/// College, departments and courses, as far as the reader may see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    pub college: String,
    /// By name.
    pub departments: Vec<Department>,
    /// By code.
    pub courses: Vec<PlacedCourse>,
    /// Whether the reader may make, rename and move.
    pub may_write: bool,
}

/// A course with all that its page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseDetail {
    pub course: Course,
    pub department: Option<DepartmentRef>,
    pub archived_at: Option<Timestamp>,
    pub quota: QuotaStatus,
    /// Who teaches it, by login.
    pub members: Vec<PersonRef>,
    /// Who takes it, in the order of the list.
    pub students: Vec<Student>,
    pub may_write: bool,
    /// Whether the reader may replace `students`.
    pub may_set_roster: bool,
    pub may_set_quota: bool,
}

/// In forms, the college itself where a department may be chosen: a choice must have a value.
pub const COLLEGE: &str = "college";

/// The department of a form: none for the college itself. Errors: [`Problem::NoSuch`].
pub fn department_choice(text: &str) -> Result<Option<TenantId>, Problem> {
    match text.trim() {
        "" | COLLEGE => Ok(None),
        id => id.parse().map(Some).map_err(|_| Problem::NoSuch),
    }
}

/// A department's name: 1 to 60 characters, by the common rule for names.
pub fn check_department(name: &str) -> Result<String, Problem> {
    names::check(name, 60)
}

/// A course's name: 1 to 100 characters, by the common rule for names.
pub fn check_course_name(name: &str) -> Result<String, Problem> {
    names::check(name, 100)
}

/// A college's name: 1 to 100 characters, by the common rule for names.
pub fn check_college(name: &str) -> Result<String, Problem> {
    names::check(name, 100)
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    pub id: CourseId,
    pub tenant: TenantId,
    pub code: String,
    pub name: String,
    /// Kubernetes namespace of the course: `lectern-cv2402`.
    pub namespace: String,
    pub settings: QuotaSettings,
}

impl Course {
    pub fn brief(&self) -> CourseRef {
        CourseRef { id: self.id, code: self.code.clone(), name: self.name.clone() }
    }
}

/// A course code: 2 to 24 of `A-Z a-z 0-9 -`, beginning and ending with a letter or digit, since it names a namespace.
pub fn check_code(code: &str) -> Result<(), Problem> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if code.chars().count() > 24 {
        return Err(Problem::TooLong { max: 24 });
    }
    if code.chars().count() < 2 {
        return Err(Problem::TooShort { min: 2 });
    }
    let good = code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && edge(code.chars().next()) && edge(code.chars().last());
    if good { Ok(()) } else { Err(Problem::BadFormat { example: "CV2402".into() }) }
}

/// The namespace of a course in the tenant's cluster.
pub fn namespace(tenant_slug: &str, code: &str) -> String {
    format!("lectern-{}-{}", tenant_slug.to_ascii_lowercase(), code.to_ascii_lowercase())
}

/// A new course as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseForm {
    pub code: String,
    pub name: String,
    /// Whole units of the price book's currency.
    pub budget: String,
    /// Whole cards.
    pub cards: String,
    /// See [`department_choice`].
    pub department: String,
}

impl CourseForm {
    /// Checked code, name, budget (units) and cards. Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self) -> Result<(String, String, i64, i64), Error> {
        let mut errors = FieldErrors::default();
        let code = self.code.trim();
        if code.is_empty() {
            errors.push("code", Problem::Missing);
        } else if let Err(problem) = check_code(code) {
            errors.push("code", problem);
        }
        let name = check_course_name(&self.name).unwrap_or_else(|problem| {
            errors.push("name", problem);
            String::new()
        });
        let mut number = |field: &str, read: Result<i64, Problem>| {
            read.unwrap_or_else(|problem| {
                errors.push(field, problem);
                0
            })
        };
        let budget = number("budget", whole_units(&self.budget));
        let cards = number("cards", whole(&self.cards, 10_000));
        errors.finish()?;
        Ok((code.to_owned(), name, budget, cards))
    }
}
