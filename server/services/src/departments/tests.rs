use domain::{Error, Problem, access::Role, audit::Filter, orders::OrderFilter, page::PageRequest, people::PersonFilter};
use storage::testing::for_each_engine;

use super::{change, create, tree};
use crate::{audit, billing, courses, labs, orders, people, quotas, testing::TestWorld};

#[tokio::test]
async fn departments_are_made_renamed_and_courses_moved_between_them() {
    for_each_engine("departments_are_made_renamed_and_courses_moved_between_them", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let course = world.course("CV2402").add().await;
        let software = create(services, &administrator, " 软件技术系 ", "department").await.expect("made");
        let error = create(services, &administrator, "软件技术系", "department").await.expect_err("refused");
        assert_eq!(error, Error::field("name", Problem::Taken));
        let outside = create(services, &administrator, "某公司", "customer").await.expect("made");
        let renamed = change(services, &administrator, outside.id, "另一家公司", "customer").await.expect("renamed");
        assert_eq!(renamed.name, "另一家公司");
        assert_eq!(change(services, &administrator, world.tenant, "x", "department").await.expect_err("a college"), Error::NotFound);

        let head = world.person("head").role_at(software.id, Role::Manager).add().await;
        let actor = async || crate::accounts::actor(services, head.actor.user, 1).await.expect("read").expect("there");
        assert!(actor().await.department_roles[&Role::Manager].is_empty());
        courses::move_to(services, &administrator, course.id, &software.id.to_string()).await.expect("moved");
        assert_eq!(actor().await.department_roles[&Role::Manager], [course.id].into(), "at once");
        let seen = crate::Caller { actor: actor().await, origin: head.origin.clone() };
        let its = tree(services, &seen).await.expect("read");
        assert_eq!((its.departments.len(), its.courses.len(), its.may_write), (1, 1, false));
        assert_eq!(courses::move_to(services, &seen, course.id, "").await, Err(Error::Forbidden));
        courses::move_to(services, &administrator, course.id, "").await.expect("moved back");
        assert!(actor().await.department_roles[&Role::Manager].is_empty());
        assert_eq!(tree(services, &administrator).await.expect("read").departments.len(), 2);
    })
    .await;
}

/// Two departments with a course, a teacher and a waiting order each.
#[tokio::test]
async fn a_role_at_a_department_sees_and_decides_its_courses_only() {
    for_each_engine("a_role_at_a_department_sees_and_decides_its_courses_only", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let (software, data) = (world.department("软件").await, world.department("数据").await);
        let its = world.course("A1").in_department(software).cards_per_order(0).add().await;
        let other = world.course("B2").in_department(data).cards_per_order(0).add().await;
        let mut ids = Vec::new();
        for (login, course) in [("li", &its), ("wang", &other)] {
            let teacher = world.teacher(login, &[course]).await;
            let form = domain::orders::OrderForm {
                offering: "jupyterlab-slice".into(),
                course: course.code.clone(),
                duration_minutes: "90".into(),
                ..Default::default()
            };
            let key = orders::IdempotencyKey::parse(login).expect("a key");
            ids.push(orders::submit(services, &teacher, &form, &key).await.expect("ordered").order.id);
        }
        let head = world.person("head").role_at(software, Role::Manager).add().await;
        let page = PageRequest::default();
        let orders_of = async |caller: &crate::Caller| {
            let found = orders::list(services, caller, &OrderFilter::default(), &page).await.expect("listed");
            found.items.into_iter().map(|view| view.course.code).collect::<Vec<_>>()
        };
        assert_eq!(orders_of(&head).await, ["A1"]);
        let inbox = orders::inbox(services, &head, &page).await.expect("an inbox");
        assert_eq!(inbox.items.iter().map(|each| each.view.order.id).collect::<Vec<_>>(), ids[..1]);
        assert_eq!(crate::accounts::viewer(services, &head).await.expect("a viewer").pending_approvals, 1);
        assert_eq!(orders::approve(services, &head, ids[1], None).await.expect_err("hidden"), Error::NotFound);
        orders::reject(services, &head, ids[0], "no", None).await.expect("decided");
        assert_eq!(quotas::list(services, &head).await.expect("listed").len(), 1);
        let month = services.clock.now().campus_month();
        assert_eq!(billing::bills(services, &head, month).await.expect("listed").len(), 1);
        assert_eq!(billing::bill(services, &head, "B2", month).await.expect_err("hidden"), Error::NotFound);
        assert_eq!(courses::get(services, &head, other.id).await.expect_err("hidden"), Error::NotFound);
        assert_eq!(courses::get(services, &head, its.id).await.expect("seen").department.expect("placed").id, software);
        assert_eq!(crate::catalogue::list(services, &head).await.expect("a catalogue").len(), 8);
        assert_eq!(labs::list(services, &head, &domain::labs::LabFilter::default(), &page).await.expect("listed").items, []);
        assert_eq!(billing::usage(services, &head, None, None, None, &page).await.expect("listed").items, []);

        let auditor = world.person("auditor").role_at(software, Role::Auditor).add().await;
        let records = audit::search(services, &auditor, &Filter::default(), &page).await.expect("found").items;
        assert!(!records.is_empty() && records.iter().all(|each| each.event.course == Some(its.id)), "{records:?}");
        assert_eq!(orders_of(&auditor).await, ["A1"]);
        let whole = world.auditor("whole").await;
        let all = audit::search(services, &whole, &Filter::default(), &page).await.expect("found").items;
        let foreign = all.iter().find(|each| each.event.course == Some(other.id)).expect("the other course's");
        assert_eq!(audit::get(services, &auditor, foreign.event.id).await.expect_err("hidden"), Error::NotFound);

        let operator = world.person("operator").role_at(software, Role::Operator).add().await;
        assert_eq!(crate::cluster_status::get(services, &operator).await.expect_err("the college's"), Error::Forbidden);
        assert_eq!(people::search(services, &operator, &PersonFilter::default(), &page).await.expect_err("none of theirs"), Error::Forbidden);
    })
    .await;
}
