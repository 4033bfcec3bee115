//! What a row would do: read, held against what is there, in a fixed number of statements whatever the number of rows.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, Problem, Result,
    access::Role,
    courses::{Course, Department, PlacedCourse},
    error::{FieldError, FieldErrors},
    ids::{CourseId, TenantId, UserId},
    imports::{CellChange, Cells, CourseRow, ImportKind, ImportRow, PersonRow, Verdict, course_row, person_row},
    money::Currency,
    people::Post,
};
use storage::{
    AnyConnection,
    accounts::{members, roles, users},
};

use crate::{Services, catalogue::shelf, error::OrDomain, logins};

/// What rows are held against.
pub(super) struct Ground {
    pub tenant: TenantId,
    pub currency: Currency,
    pub departments: Vec<Department>,
    /// By code in lower case: codes that differ in case only would share a namespace.
    pub courses: BTreeMap<String, PlacedCourse>,
    settings: BTreeMap<CourseId, Course>,
    pub people: BTreeMap<String, users::User>,
    pub roles: BTreeMap<UserId, (BTreeSet<Role>, Vec<Post>)>,
    pub taught: BTreeMap<UserId, BTreeSet<CourseId>>,
}

/// A row of people with its names resolved.
pub(super) struct Person {
    pub row: PersonRow,
    pub department: Option<TenantId>,
    pub courses: BTreeSet<CourseId>,
    pub there: Option<users::User>,
    pub verdict: Verdict,
    /// Empty for somebody new.
    pub changes: Vec<CellChange>,
}

/// A row of courses with its names resolved.
pub(super) struct PlannedCourse {
    pub row: CourseRow,
    pub department: Option<Department>,
    pub teachers: BTreeSet<UserId>,
    pub there: Option<(Course, Option<TenantId>)>,
    pub verdict: Verdict,
    /// Empty for a new course.
    pub changes: Vec<CellChange>,
}

/// Every row with its verdict, numbered from 1.
pub(super) async fn rows(
    services: &Services,
    connection: &mut AnyConnection,
    tenant: TenantId,
    kind: ImportKind,
    cells: &[Cells],
) -> Result<Vec<ImportRow>> {
    let ground = Ground::load(services, connection, tenant, kind, cells).await?;
    let mut seen = Seen::default();
    let mut rows = Vec::new();
    for (number, cells) in (1..).zip(cells) {
        let checked = match kind {
            ImportKind::People => {
                ground.person(cells).map(|person| (person.row.login, person.there.map(|user| user.id), "login", person.verdict, person.changes))
            }
            ImportKind::Courses => ground.course(cells).map(|course| (course.row.code.to_lowercase(), None, "code", course.verdict, course.changes)),
        };
        let mut changes = Vec::new();
        let checked = checked.and_then(|(key, account, field, verdict, found)| {
            if let Some(row) = seen.insert(key, account, number) {
                return Err(Error::field(field, Problem::SameAsRow { row }));
            }
            changes = found;
            Ok(verdict)
        });
        let (verdict, problems) = outcome(checked)?;
        rows.push(ImportRow { number, cells: cells.clone(), verdict, problems, result: None, changes });
    }
    Ok(rows)
}

/// Fills in what the rows that wait to be taken would change as things are now.
pub(super) async fn fill_changes(
    services: &Services,
    connection: &mut AnyConnection,
    tenant: TenantId,
    kind: ImportKind,
    rows: &mut [ImportRow],
) -> Result<()> {
    let waiting: Vec<&mut ImportRow> = rows.iter_mut().filter(|row| row.verdict == Verdict::Change && row.result.is_none()).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let cells: Vec<Cells> = waiting.iter().map(|row| row.cells.clone()).collect();
    let ground = Ground::load(services, connection, tenant, kind, &cells).await?;
    for row in waiting {
        let found = match kind {
            ImportKind::People => ground.person(&row.cells).map(|person| person.changes),
            ImportKind::Courses => ground.course(&row.cells).map(|course| course.changes),
        };
        // A row that became wrong meanwhile says so when it is taken.
        row.changes = found.unwrap_or_default();
    }
    Ok(())
}

/// The verdict on a row that is in order.
const fn verdict(is_there: bool, changes: &[CellChange]) -> Verdict {
    match (is_there, changes.is_empty()) {
        (false, _) => Verdict::New,
        (true, true) => Verdict::Unchanged,
        (true, false) => Verdict::Change,
    }
}

/// Rows of a list by their login or code. Accounts from before the rule for logins may fold to one login: such rows are the same only if
/// they name the same account.
#[derive(Default)]
struct Seen(BTreeMap<String, Vec<(Option<UserId>, u32)>>);

impl Seen {
    /// Notes a row; the earlier row that is the same, if there is one.
    fn insert(&mut self, key: String, account: Option<UserId>, number: u32) -> Option<u32> {
        let rows = self.0.entry(key).or_default();
        let same = rows.iter().find(|(other, _)| other.is_none() || account.is_none() || *other == account).map(|(_, row)| *row);
        rows.push((account, number));
        same
    }
}

/// A row's mistakes are its verdict; anything else is an error of the whole.
pub(super) fn outcome(checked: Result<Verdict>) -> Result<(Verdict, Vec<FieldError>)> {
    match checked {
        Ok(verdict) => Ok((verdict, Vec::new())),
        Err(Error::Invalid(problems)) => Ok((Verdict::Error, problems)),
        Err(other) => Err(other),
    }
}

impl Ground {
    pub(super) async fn load(
        services: &Services,
        connection: &mut AnyConnection,
        tenant: TenantId,
        kind: ImportKind,
        cells: &[Cells],
    ) -> Result<Self> {
        let named: Vec<String> = match kind {
            ImportKind::People => cells.iter().filter_map(|cells| cells.get("login").cloned()).collect(),
            ImportKind::Courses => cells.iter().filter_map(|cells| course_row(cells).ok()).flat_map(|row| row.teachers).collect(),
        };
        // Logins as an earlier version stored them, and by the current rule.
        let logins: BTreeSet<String> = named.iter().flat_map(|login| [logins::typed(login), logins::fold(login)]).collect();
        let people = users::by_logins(connection, &logins).await.or_domain()?;
        let ids: BTreeSet<_> = people.iter().map(|user| user.id).collect();
        let taught = members::of_people(connection, &ids).await.or_domain()?;
        let courses = storage::departments::courses(connection, tenant).await.or_domain()?;
        let settings = match kind {
            ImportKind::People => Vec::new(),
            ImportKind::Courses => storage::courses::list(connection, tenant).await.or_domain()?,
        };
        Ok(Self {
            tenant,
            currency: shelf(services, connection).await?.book(tenant).currency,
            departments: storage::departments::list(connection, tenant).await.or_domain()?,
            courses: courses.into_iter().map(|placed| (placed.course.code.to_lowercase(), placed)).collect(),
            settings: settings.into_iter().map(|course| (course.id, course)).collect(),
            roles: roles::of_people(connection, &ids).await.or_domain()?,
            taught: taught.into_iter().map(|(user, courses)| (user, courses.into_iter().map(|course| course.id).collect())).collect(),
            people: people.into_iter().map(|user| (user.login.clone(), user)).collect(),
        })
    }

    fn department(&self, name: Option<&str>, errors: &mut FieldErrors) -> Option<&Department> {
        let name = name?;
        let found = self.departments.iter().find(|department| department.name == name);
        if found.is_none() {
            let choices = self.departments.iter().take(20).map(|department| department.name.clone()).collect::<Vec<_>>();
            errors.push("department", if choices.is_empty() { Problem::NoSuch } else { Problem::NotOneOf { choices } });
        }
        found
    }

    /// The account with this login, found in the same way as [`logins::find`] does.
    fn account(&self, login: &str) -> Option<&users::User> {
        self.people.get(&logins::typed(login)).or_else(|| self.people.get(&logins::fold(login)))
    }

    pub(super) fn person(&self, cells: &Cells) -> Result<Person> {
        let mut errors = FieldErrors::default();
        let row = errors.take(person_row(cells).and_then(|row| match logins::check(&row.login) {
            Ok(login) => Ok(PersonRow { login, ..row }),
            Err(problem) => Err(Error::field("login", problem)),
        }))?;
        let Some(row) = row else {
            // Its department can be looked up all the same, so that the row needs mending once only.
            self.department(cells.get("department").map(String::as_str), &mut errors);
            return Err(errors.finish().err().unwrap_or(Error::NotFound));
        };
        let department = self.department(row.department.as_deref(), &mut errors).map(|department| department.id);
        let mut courses = BTreeSet::new();
        for code in &row.courses {
            match self.courses.get(&code.to_lowercase()).filter(|placed| !placed.archived) {
                Some(placed) => _ = courses.insert(placed.course.id),
                None => errors.push("courses", Problem::NoSuch),
            }
        }
        let there = self.account(cells.get("login").map_or("", String::as_str)).cloned();
        if there.as_ref().is_some_and(|user| user.tenant != self.tenant) {
            errors.push("login", Problem::Taken);
        }
        errors.finish()?;
        let changes = there.as_ref().map(|user| self.person_changes(user, &row, department, &courses)).unwrap_or_default();
        let verdict = verdict(there.is_some(), &changes);
        Ok(Person { row, department, courses, there, verdict, changes })
    }

    pub(super) fn course(&self, cells: &Cells) -> Result<PlannedCourse> {
        let mut errors = FieldErrors::default();
        let row = errors.take(course_row(cells))?;
        let Some(row) = row else {
            self.department(cells.get("department").map(String::as_str), &mut errors);
            return Err(errors.finish().err().unwrap_or(Error::NotFound));
        };
        let department = self.department(row.department.as_deref(), &mut errors).cloned();
        let mut teachers = BTreeSet::new();
        for login in &row.teachers {
            match self.account(login).filter(|user| user.tenant == self.tenant) {
                Some(user) => _ = teachers.insert(user.id),
                None => errors.push("teachers", Problem::NoSuch),
            }
        }
        let placed = self.courses.get(&row.code.to_lowercase());
        if placed.is_some_and(|placed| placed.archived || placed.course.code != row.code) {
            errors.push("code", Problem::Taken);
        }
        let there = placed.and_then(|placed| self.settings.get(&placed.course.id).map(|course| (course.clone(), placed.department)));
        if there.is_none() && row.budget.is_none() {
            errors.push("budget", Problem::Missing);
        }
        errors.finish()?;
        let changes = there.as_ref().map(|(course, place)| self.course_changes(course, *place, &row, department.as_ref(), &teachers));
        let changes = changes.unwrap_or_default();
        let verdict = verdict(there.is_some(), &changes);
        Ok(PlannedCourse { row, department, teachers, there, verdict, changes })
    }
}
