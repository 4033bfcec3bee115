//! Who takes a course (B3): read by whoever may see the course, replaced as a whole by who writes it or teaches it.

use domain::{
    Error, Result,
    access::Action,
    ids::CourseId,
    roster::{self, Student},
};
use serde_json::json;

use super::detail::load;
use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
};

/// In the order of its lines. Three statements. Errors: `NotFound` also for a course that the caller may not see; `Forbidden`.
pub async fn roster(services: &Services, caller: &Caller, id: CourseId) -> Result<Vec<Student>> {
    let entry = || Entry::new(audit::action(Action::CourseRead), "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let mut connection = services.db.read().await.or_domain()?;
        load(&mut connection, caller, Action::CourseRead, id).await?;
        storage::rosters::of_course(&mut connection, id).await.or_domain()
    })
    .await
}

/// Replaces the roster by `text`, one student a line. Orders that were made keep the seats that they have. The same roster again is no
/// change.
///
/// Errors: `Forbidden`, `NotFound`; `Invalid` on `roster`.
pub async fn set_roster(services: &Services, caller: &Caller, id: CourseId, text: &str) -> Result<Vec<Student>> {
    let entry = || Entry::new("course.roster", "course", id, "").course(id);
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let (course, _) = load(&mut write, caller, Action::RosterWrite, id).await?;
        let students = roster::parse(text)?;
        // An order for the whole class that is being submitted holds this lock.
        storage::quotas::lock(&mut write, id).await.or_domain()?;
        let before = storage::rosters::of_course(&mut write, id).await.or_domain()?;
        if students != before {
            storage::rosters::replace(&mut write, id, &students).await.map_err(twice)?;
            // Who was added and who went: names of students are no business of the record beyond that.
            let numbers = |these: &[Student], those: &[Student]| -> Vec<String> {
                these.iter().filter(|one| !those.contains(one)).map(|one| one.number.clone()).collect()
            };
            let entry = Entry::new("course.roster", "course", id, course.code.as_str()).course(id);
            let entry = entry
                .before(json!({"students": before.len(), "gone": numbers(&before, &students)}))
                .after(json!({"students": students.len(), "new": numbers(&students, &before)}));
            audit::success(services, &mut write, caller, entry).await?;
        }
        write.commit().await.or_domain()?;
        Ok(students)
    })
    .await
}

/// Unreachable after [`roster::parse`]; said by its name all the same.
fn twice(error: storage::Error) -> Error {
    if error.is_not_unique("course_students", "course_id") {
        return Error::field("roster", domain::Problem::Taken);
    }
    crate::error::from_storage(error)
}

#[cfg(test)]
mod tests {
    use domain::{Error, Problem, audit::Filter, page::PageRequest};
    use storage::testing::for_each_engine;

    use super::{roster, set_roster};
    use crate::{courses, testing::TestWorld};

    #[tokio::test]
    async fn teachers_of_a_course_and_its_administrators_say_who_takes_it() {
        for_each_engine("teachers_of_a_course_and_its_administrators_say_who_takes_it", |database| async move {
            let world = TestWorld::college_on(database).await;
            let (mine, other) = (world.course("CV2402").add().await, world.course("NLP2401").add().await);
            let (teacher, administrator, manager) =
                (world.teacher("li.hua", &[&mine]).await, world.administrator("root").await, world.manager("zhou").await);
            let services = &world.services;
            let students = set_roster(services, &teacher, mine.id, "2401 示范学生甲\n2402 示范学生乙").await.expect("their own course");
            assert_eq!(roster(services, &manager, mine.id).await, Ok(students.clone()));
            assert_eq!(roster(services, &teacher, other.id).await, Err(Error::NotFound));
            assert_eq!(set_roster(services, &teacher, other.id, "1 a").await, Err(Error::NotFound));
            assert_eq!(set_roster(services, &manager, mine.id, "1 a").await, Err(Error::Forbidden));
            let twice = set_roster(services, &teacher, mine.id, "1 a\n1 b").await;
            assert_eq!(twice, Err(Error::field("roster", Problem::SameRows { row: 2, other: 1 })));
            let hidden = set_roster(services, &teacher, mine.id, "1 a\n2 b\u{200b}c").await;
            let cause = Box::new(Problem::Invisible { character: "U+200B".into() });
            assert_eq!(hidden, Err(Error::field("roster", Problem::InRow { row: 2, cause })));
            assert_eq!(set_roster(services, &administrator, mine.id, "2401 示范学生甲\n2402 示范学生乙").await, Ok(students), "as it was");
            set_roster(services, &administrator, mine.id, "2402 示范学生乙\n2403").await.expect("changed");
            let detail = courses::get(services, &teacher, mine.id).await.expect("read");
            assert_eq!((detail.students.len(), detail.may_set_roster, detail.may_write), (2, true, false));

            let auditor = world.auditor("shen").await;
            let filter = Filter { action: Some("course.roster".into()), ..Filter::default() };
            let page = crate::audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
            let said: Vec<_> = page.items.iter().rev().map(|each| (each.event.outcome.as_str(), each.event.code.clone())).collect();
            let denied = |code: &str| ("refused", Some(code.to_owned()));
            assert_eq!(said, [("success", None), denied("not_found"), denied("forbidden"), ("success", None)]);
            let after = page.items[0].event.after.clone().expect("what it is now");
            assert_eq!(after, serde_json::json!({"students": 2, "new": ["2403"]}));
        })
        .await;
    }
}
