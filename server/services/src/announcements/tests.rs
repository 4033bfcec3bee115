use domain::{
    Error, Problem,
    announcements::{AnnouncementForm, Level},
    page::PageRequest,
};
use storage::testing::for_each_engine;

use super::{banners, create, dismiss, end, list, public};
use crate::testing::TestWorld;

fn form(level: &str, department: &str) -> AnnouncementForm {
    AnnouncementForm {
        zh: "周六停机维护".into(),
        en: "Maintenance on Saturday".into(),
        level: level.into(),
        to: "2030-01-01T08:00".into(),
        department: department.into(),
        ..AnnouncementForm::default()
    }
}

#[tokio::test]
async fn an_announcement_reaches_whom_it_is_for_while_it_holds() {
    for_each_engine("an_announcement_reaches_whom_it_is_for_while_it_holds", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let operator = world.operator("ops").await;
        let software = world.department("软件").await;
        let course = world.course("A1").in_department(software).add().await;
        let (li, wang) = (world.teacher("li", &[&course]).await, world.teacher("wang", &[]).await);
        let elsewhere = world.other_tenant("law").await;
        let stranger = world.person("judge").in_tenant(elsewhere).add().await;

        let all = create(services, &operator, &form("info", "")).await.expect("announced");
        let its = create(services, &operator, &form("maintenance", &software.to_string())).await.expect("announced");
        let seen = async |caller: &crate::Caller| {
            banners(services, &caller.actor).await.expect("read").into_iter().map(|banner| banner.id).collect::<Vec<_>>()
        };
        assert_eq!(seen(&li).await, [its.id, all.id]);
        assert_eq!(seen(&wang).await, [all.id]);
        assert_eq!(seen(&stranger).await, []);
        assert_eq!(public(services).await.expect("read").iter().map(|banner| banner.id).collect::<Vec<_>>(), [all.id]);

        dismiss(services, &li, all.id).await.expect("put away");
        assert_eq!(dismiss(services, &li, its.id).await, Err(Error::Forbidden), "maintenance stays");
        assert_eq!(dismiss(services, &stranger, all.id).await, Err(Error::NotFound));
        assert_eq!((seen(&li).await, seen(&wang).await), (vec![its.id], vec![all.id]));
        end(services, &operator, its.id).await.expect("ended");
        assert_eq!(seen(&li).await, []);
        let listed = list(services, &operator, &PageRequest::default()).await.expect("listed").items;
        assert_eq!((listed.len(), listed[0].level, listed[0].ended_at.is_some()), (2, Level::Maintenance, true));
        assert_eq!(create(services, &li, &form("info", "")).await.expect_err("refused"), Error::Forbidden);
        let error = create(services, &operator, &form("info", &elsewhere.to_string())).await.expect_err("refused");
        assert_eq!(error, Error::field("department", Problem::NoSuch));
    })
    .await;
}
