//! What a row would change, field by field: what is there, and what would be. A row that changes nothing has no changes.

use std::collections::BTreeSet;

use domain::{
    access::Role,
    courses::{Course, Department},
    gpu::CardShare,
    ids::{CourseId, TenantId, UserId},
    imports::{CellChange, CourseRow, PersonRow},
    money::Money,
};
use storage::accounts::users;

use super::check::Ground;

/// `None` if they are the same.
fn change(field: &str, before: Vec<String>, after: Vec<String>) -> Option<CellChange> {
    (before != after).then(|| CellChange { field: field.to_owned(), before: Some(before), after })
}

fn codes(roles: &BTreeSet<Role>) -> Vec<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

impl Ground {
    /// Roles and courses only grow.
    pub(super) fn person_changes(
        &self,
        user: &users::User,
        row: &PersonRow,
        department: Option<TenantId>,
        courses: &BTreeSet<CourseId>,
    ) -> Vec<CellChange> {
        let held = match (self.roles.get(&user.id), department) {
            (None, _) => BTreeSet::new(),
            (Some((college, _)), None) => college.clone(),
            (Some((_, posts)), Some(id)) => posts.iter().find(|post| post.department.id == id).map(|post| post.roles.clone()).unwrap_or_default(),
        };
        let taught = self.taught.get(&user.id).cloned().unwrap_or_default();
        let all = &taught | courses;
        [
            change("name", vec![user.name.clone()], vec![row.name.clone()]),
            change("roles", codes(&held), codes(&(&held | &row.roles))),
            change("courses", self.course_codes(&taught), self.course_codes(&all)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// In order of the codes.
    fn course_codes(&self, courses: &BTreeSet<CourseId>) -> Vec<String> {
        let named = self.courses.values().filter(|placed| courses.contains(&placed.course.id));
        named.map(|placed| placed.course.code.clone()).collect()
    }

    /// An empty cell changes nothing. Of teachers only those are known who are added.
    pub(super) fn course_changes(
        &self,
        course: &Course,
        place: Option<TenantId>,
        row: &CourseRow,
        department: Option<&Department>,
        teachers: &BTreeSet<UserId>,
    ) -> Vec<CellChange> {
        let settings = &course.settings;
        let name_of = |id: TenantId| self.departments.iter().find(|department| department.id == id).map(|department| department.name.clone());
        let place_after = department.filter(|department| place != Some(department.id));
        let budget = row.budget.map(|units| Money::units(units, settings.budget.currency)).filter(|budget| *budget != settings.budget);
        let cards = row.cards.map(CardShare::from_parts).filter(|cards| *cards != settings.limits.cards);
        let added: Vec<String> = self
            .people
            .values()
            .filter(|user| teachers.contains(&user.id) && self.taught.get(&user.id).is_none_or(|taught| !taught.contains(&course.id)))
            .map(|user| user.login.clone())
            .collect();
        [
            change("name", vec![course.name.clone()], vec![row.name.clone()]),
            place_after.and_then(|department| change("department", place.and_then(name_of).into_iter().collect(), vec![department.name.clone()])),
            budget.and_then(|budget| change("budget", vec![settings.budget.to_string()], vec![budget.to_string()])),
            cards.and_then(|cards| change("cards", vec![settings.limits.cards.to_string()], vec![cards.to_string()])),
            (!added.is_empty()).then(|| CellChange { field: "teachers".to_owned(), before: None, after: added }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
