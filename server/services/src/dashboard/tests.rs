use domain::{
    access::Role,
    dashboard::{Part, Teaching},
    orders::OrderForm,
};
use storage::testing::for_each_engine;

use super::get;
use crate::{Caller, jobs, orders, ports, testing::TestWorld};

fn form(course: &str, cards: Option<u32>) -> OrderForm {
    let whole = cards.map(|cards| [("cards".to_owned(), cards.to_string())].into());
    OrderForm {
        offering: if cards.is_some() { "jupyterlab-2xa100-1tb" } else { "jupyterlab-slice" }.into(),
        course: course.into(),
        parameters: whole.unwrap_or_default(),
        duration_minutes: "60".into(),
        ..OrderForm::default()
    }
}

async fn submit(world: &TestWorld, who: &Caller, form: &OrderForm, key: &str) {
    orders::submit(&world.services, who, form, &orders::IdempotencyKey::parse(key).expect("a key")).await.expect("ordered");
}

#[tokio::test]
async fn each_role_sees_its_own_part_and_no_other() {
    for_each_engine("each_role_sees_its_own_part_and_no_other", async |database| {
        let world = TestWorld::college_on(database).await;
        let course = world.course("CV2402").add().await;
        jobs::watch::take(&world.services, &[ports::Change::Nodes]).await.expect("nodes are counted");
        let li = world.teacher("li.hua", &[&course]).await;
        let (manager, auditor) = (world.manager("head").await, world.auditor("shen").await);
        let (operator, admin) = (world.operator("ops").await, world.administrator("root").await);
        submit(&world, &li, &form("CV2402", Some(2)), "waits").await;
        submit(&world, &li, &form("CV2402", None), "starts").await;

        let page = get(&world.services, &li).await.expect("read");
        assert_eq!(page.parts(), [Part::Teaching]);
        assert_eq!(page.teaching, Some(Teaching { waiting_for_decision: 1, waiting_for_cards: 0 }));
        assert_eq!((page.labs.expect("labs").shown.len(), page.quotas.len()), (1, 1));

        let page = get(&world.services, &manager).await.expect("read");
        let deciding = page.deciding.as_ref().expect("decisions");
        assert_eq!((deciding.waiting, deciding.oldest.is_some()), (1, true));
        assert_eq!(page.parts(), [Part::Deciding]);

        let page = get(&world.services, &auditor).await.expect("read");
        let auditing = page.auditing.as_ref().expect("the record");
        assert_eq!((auditing.chain.chains.len(), auditing.refused_today), (2, 0));
        assert_eq!(page.parts(), [Part::Auditing]);

        let page = get(&world.services, &operator).await.expect("read");
        let operating = page.operating.as_ref().expect("the cluster");
        assert!(operating.cards > 0 && operating.nodes > 0 && operating.away_since.is_none());
        assert_eq!(page.parts(), [Part::Operating]);

        let page = get(&world.services, &admin).await.expect("read");
        let setting = page.administering.expect("people");
        assert_eq!((setting.people, setting.never_signed_in, setting.teachers_with_course), (5, 5, 1));
        assert!(setting.is_set_up() && page.labs.is_none());
        assert_eq!(page.parts(), [Part::Administering]);

        let all = Role::ALL.into_iter().fold(world.person("all"), crate::testing::PersonBuilder::role).add().await;
        assert_eq!(get(&world.services, &all).await.expect("read").parts().len(), 5);
        let nobody = world.person("nobody").add().await;
        assert_eq!(get(&world.services, &nobody).await.expect("read").parts(), []);
    })
    .await;
}

#[tokio::test]
async fn starts_are_measured_from_the_order_to_the_first_running() {
    for_each_engine("starts_are_measured_from_the_order_to_the_first_running", async |database| {
        let world = TestWorld::college_on(database).await;
        let course = world.course("CV2402").add().await;
        jobs::watch::take(&world.services, &[ports::Change::Nodes]).await.expect("nodes are counted");
        let li = world.teacher("li.hua", &[&course]).await;
        let operator = world.operator("ops").await;
        let empty = get(&world.services, &operator).await.expect("read").operating.expect("the cluster").starts;
        assert_eq!((empty.median_seconds, empty.success_permille()), (None, None));
        for seconds in [60, 600, 120] {
            submit(&world, &li, &form("CV2402", None), &seconds.to_string()).await;
            world.clock.advance(seconds);
            while jobs::reconcile::due(&world.services).await.expect("the database answers") > 0 {}
        }
        let starts = get(&world.services, &operator).await.expect("read").operating.expect("the cluster").starts;
        assert_eq!((starts.median_seconds, starts.succeeded, starts.failed), (Some(120), 3, 0));
        assert_eq!(starts.success_permille(), Some(1_000));
        world.clock.advance(31 * 86_400);
        let later = get(&world.services, &operator).await.expect("read").operating.expect("the cluster").starts;
        assert_eq!((later.median_seconds, later.succeeded), (None, 0), "long ago");
    })
    .await;
}
