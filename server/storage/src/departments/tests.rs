use domain::{
    courses::{Course, Department, DepartmentKind, Tenant},
    ids::{CourseId, TenantId},
    money::{Currency, Money},
    quotas::{Amounts, BudgetAction, BudgetTerms, QuotaSettings, Threshold},
    time::Timestamp,
};
use uuid::Uuid;

use super::{by_id, courses, insert, list, update};
use crate::{courses as table, quotas, testing::for_each_engine};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn id(number: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(number))
}

fn department(number: u128, name: &str) -> Department {
    Department { id: id(number), tenant: id(1), kind: DepartmentKind::Department, name: name.into() }
}

fn course() -> Course {
    Course {
        id: CourseId::from_uuid(Uuid::from_u128(5)),
        tenant: id(1),
        code: "CV1".into(),
        name: "Vision".into(),
        namespace: "lectern-ai-cv1".into(),
        settings: QuotaSettings::reference(Money::units(100, Currency::Cny)),
    }
}

#[tokio::test]
async fn departments_hang_below_their_college() {
    for_each_engine("departments_hang_below_their_college", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        table::insert_tenant(&mut write, &Tenant { id: id(1), slug: "ai".into(), name: "AI".into() }, NOW).await.expect("a college");
        let (mut software, data) = (department(2, "Software"), department(3, "Data"));
        for each in [&software, &data] {
            insert(&mut write, each, NOW).await.expect("a department");
        }
        assert_eq!(list(&mut write, id(1)).await.expect("read"), [data, software.clone()]);
        (software.name, software.kind) = ("Systems".into(), DepartmentKind::Project);
        update(&mut write, &software).await.expect("renamed");
        assert_eq!(by_id(&mut write, id(2)).await.expect("read"), Some(software));
        assert_eq!(by_id(&mut write, id(1)).await.expect("read"), None, "a college is no department");
        assert_eq!(table::tenants(&mut write).await.expect("read").len(), 1, "nor is a department a college");
    })
    .await;
}

#[tokio::test]
async fn a_course_is_moved_renamed_limited_and_archived() {
    for_each_engine("a_course_is_moved_renamed_limited_and_archived", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        table::insert_tenant(&mut write, &Tenant { id: id(1), slug: "ai".into(), name: "AI".into() }, NOW).await.expect("a college");
        insert(&mut write, &department(2, "Software"), NOW).await.expect("a department");
        let mut course = course();
        table::insert(&mut write, &course, NOW).await.expect("a course");
        assert_eq!(table::place(&mut write, course.id).await.expect("read"), Some(table::Place::default()));
        let place = table::Place { department: Some(id(2)), archived_at: Some(NOW) };
        table::set_place(&mut write, course.id, place).await.expect("moved");
        assert_eq!(table::place(&mut write, course.id).await.expect("read"), Some(place));
        let [placed] = courses(&mut write, id(1)).await.expect("read").try_into().expect("one");
        assert_eq!((placed.department, placed.archived), (Some(id(2)), true));

        table::set_name(&mut write, course.id, "Seeing").await.expect("renamed");
        course.name = "Seeing".into();
        course.settings.limits = Amounts { running_labs: 3, ..course.settings.limits };
        table::set_quota(&mut write, course.id, &course.settings).await.expect("limited");
        course.settings.budget = Money::units(70, Currency::Cny);
        let thresholds = vec![Threshold { percent: 80, action: BudgetAction::Notify }];
        let terms = BudgetTerms { from: Some(NOW), to: Some(NOW.plus_minutes(1)), thresholds };
        table::set_budget(&mut write, course.id, course.settings.budget, &terms).await.expect("limited");
        assert_eq!(table::by_id(&mut write, course.id).await.expect("read"), Some(course.clone()));
        let quota = quotas::of_course(&mut write, course.id, NOW).await.expect("read").expect("there");
        assert!(quota.archived);
        assert_eq!((quota.status.budget.terms, quota.status.budget.spent), (terms, Money::zero(Currency::Cny)));
        assert_eq!(table::in_the_way(&mut write, course.id).await.expect("read"), (0, 0));
        assert_eq!(table::with_namespaces(&mut write).await.expect("read"), []);
    })
    .await;
}
