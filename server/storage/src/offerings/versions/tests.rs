use domain::{
    access::Role,
    catalogue::{DurationLimits, LabSpec, Localized, Offering, Workload},
    courses::Tenant,
    ids::TenantId,
    offerings::Audience,
};
use uuid::Uuid;

use super::*;
use crate::{Write, accounts::users, courses, offerings, testing::for_each_engine};

fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_000_000)
}

fn operator() -> UserId {
    UserId::from_uuid(Uuid::from_u128(3))
}

fn offering(version: u32) -> Offering {
    let text = |text: &str| Localized { zh: text.into(), en: text.into() };
    Offering {
        id: OfferingId::from_uuid(Uuid::from_u128(4)),
        slug: "vscode".into(),
        version,
        name: text(&format!("VS Code {version}")),
        summary: text("An editor"),
        icon: "code".into(),
        workload: Workload::CodeEditor,
        audience: Audience { tenants: ["ai".to_owned()].into(), roles: [Role::Teacher].into() },
        base: LabSpec {
            workload: Workload::CodeEditor,
            image: "example/editor".into(),
            command: vec![],
            port: 8080,
            card: "a100-80g".parse().expect("a card"),
            cards_per_node: 1,
            nodes: 1,
            cpu_cores: 8,
            memory_gib: 32,
            storage_gib: 20,
            git_url: None,
            environment: [].into(),
            secrets: [].into(),
            retries: 0,
            health_path: None,
            app_access: None,
        },
        duration: DurationLimits { default: 60, min: 30, max: 90 },
        parameters: vec![],
    }
}

fn college() -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(1))
}

async fn ground(database: &crate::testing::TestDatabase) -> Write {
    let tenant = college();
    let mut write = database.database.begin_write().await.expect("a transaction");
    courses::insert_tenant(&mut write, &Tenant { id: tenant, slug: "ai".into(), name: "AI".into() }, now()).await.expect("tenant");
    let user = users::User::new(operator(), tenant, "ops".into(), "运维".into(), now());
    users::insert(&mut write, &user).await.expect("user");
    write
}

#[tokio::test]
async fn a_draft_is_written_published_and_retired_and_remembers_who_did_it() {
    for_each_engine("a_draft_is_written_published_and_retired_and_remembers_who_did_it", |database| async move {
        let mut write = ground(&database).await;
        let id = offering(1).id;
        insert_offering(&mut write, id, "vscode", college()).await.expect("an offering");
        insert_draft(&mut write, &offering(1), operator(), now()).await.expect("a draft");
        assert_eq!(id_of(&mut write, "vscode").await.expect("read"), Some(id));
        assert_eq!(id_of(&mut write, "hovercraft").await.expect("read"), None);
        assert_eq!(offerings::on_sale(&mut write).await.expect("read"), [], "nobody can order a draft");

        assert!(update_draft(&mut write, &offering(1), 1, operator(), now()).await.expect("written"));
        assert!(!update_draft(&mut write, &offering(1), 1, operator(), now()).await.expect("asked"), "it has another revision now");
        let draft = (VersionState::Draft, VersionState::Published);
        assert!(turn(&mut write, id, 1, draft, operator(), now()).await.expect("published"));
        assert!(!turn(&mut write, id, 1, draft, operator(), now()).await.expect("asked"), "it is no draft any more");
        assert!(!update_draft(&mut write, &offering(1), 3, operator(), now()).await.expect("asked"), "what is published never changes");
        assert_eq!(offerings::on_sale(&mut write).await.expect("read"), [offering(1)]);

        insert_draft(&mut write, &offering(2), operator(), now().plus_seconds(1)).await.expect("a draft");
        let elsewhere = TenantId::from_uuid(Uuid::from_u128(9));
        assert_eq!(owner(&mut write, id).await.expect("read"), Some(college()));
        assert!(overview(&mut write, elsewhere).await.expect("read").is_empty(), "of another college");
        let both = overview(&mut write, college()).await.expect("read");
        let shown: Vec<_> = both.iter().map(|version| (version.offering.version, version.state)).collect();
        assert_eq!(shown, [(2, VersionState::Draft), (1, VersionState::Published)]);
        assert!(turn(&mut write, id, 2, draft, operator(), now().plus_seconds(2)).await.expect("published"));
        offerings::retire_older(&mut write, id, 2, now().plus_seconds(2)).await.expect("replaced");
        let history = history(&mut write, id).await.expect("read");
        let shown: Vec<_> = history.iter().map(|version| (version.offering.version, version.state, version.retired_at)).collect();
        assert_eq!(shown, [(2, VersionState::Published, None), (1, VersionState::Retired, Some(now().plus_seconds(2)))]);
        assert_eq!(history[0].changed_by.as_deref(), Some("运维"));
        assert_eq!(history[0].offering, offering(2));
        assert!(labs(&mut write).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_slug_is_one_offerings_alone() {
    for_each_engine("a_slug_is_one_offerings_alone", |database| async move {
        let mut write = ground(&database).await;
        let other = OfferingId::from_uuid(Uuid::from_u128(5));
        insert_offering(&mut write, other, "vscode", college()).await.expect("an offering");
        assert!(!offerings::publish(&mut write, &offering(1), 1, now()).await.expect("asked"), "what comes with the product gives way");
        write.commit().await.expect("committed");
        let mut write = database.database.begin_write().await.expect("a transaction");
        let error = insert_offering(&mut write, offering(1).id, "vscode", college()).await.expect_err("taken");
        assert!(error.is_not_unique("offerings", "slug"), "{error}");
    })
    .await;
}
