use domain::{
    courses::{Course, Tenant},
    gpu::CardShare,
    ids::{CourseId, TenantId},
    money::{Currency, Money},
    quotas::QuotaSettings,
    time::Timestamp,
};
use uuid::Uuid;

use super::{by_code, by_id, insert, insert_tenant, list, tenant, tenants};
use crate::testing::for_each_engine;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn college(number: u128, slug: &str) -> Tenant {
    Tenant { id: TenantId::from_uuid(Uuid::from_u128(number)), slug: slug.into(), name: "人工智能学院".into() }
}

fn course(number: u128, tenant: &Tenant, code: &str) -> Course {
    let mut settings = QuotaSettings::reference(Money::units(7, Currency::Usd));
    settings.limits.cards = CardShare::from_parts(1_234);
    settings.starts_per_day = CardShare::whole(99);
    let namespace = domain::courses::namespace(&tenant.slug, code);
    Course {
        id: CourseId::from_uuid(Uuid::from_u128(number)), tenant: tenant.id, code: code.into(), name: "计算机视觉".into(), namespace, settings
    }
}

#[tokio::test]
async fn tenants_and_courses_come_back_as_they_were_put_in() {
    for_each_engine("tenants_and_courses_come_back_as_they_were_put_in", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (ai, law) = (college(1, "ai"), college(2, "law"));
        insert_tenant(&mut write, &ai, NOW).await.expect("a tenant");
        insert_tenant(&mut write, &law, NOW).await.expect("a tenant");
        assert_eq!(tenant(&mut write, ai.id).await.expect("read"), Some(ai.clone()));
        assert_eq!(tenant(&mut write, TenantId::from_uuid(Uuid::from_u128(9))).await.expect("read"), None);
        assert_eq!(tenants(&mut write).await.expect("read"), [ai.clone(), law.clone()]);

        let (b, a, other) = (course(1, &ai, "B2"), course(2, &ai, "A1"), course(3, &law, "A1"));
        for course in [&b, &a, &other] {
            insert(&mut write, course, NOW).await.expect("a course");
        }
        assert_eq!(by_id(&mut write, b.id).await.expect("read"), Some(b.clone()));
        assert_eq!(by_code(&mut write, ai.id, "A1").await.expect("read"), Some(a.clone()));
        assert_eq!(by_code(&mut write, law.id, "B2").await.expect("read"), None);
        assert_eq!(list(&mut write, ai.id).await.expect("read"), [a, b]);
    })
    .await;
}

#[tokio::test]
async fn slugs_codes_and_namespaces_are_unique() {
    for_each_engine("slugs_codes_and_namespaces_are_unique", async |test| {
        let ai = college(1, "ai");
        let mut write = test.database.begin_write().await.expect("a transaction");
        insert_tenant(&mut write, &ai, NOW).await.expect("a tenant");
        insert(&mut write, &course(1, &ai, "A1"), NOW).await.expect("a course");
        write.commit().await.expect("committed");
        // A failed statement ends a transaction on PostgreSQL, so each has its own.
        let mut write = test.database.begin_write().await.expect("a transaction");
        let error = insert_tenant(&mut write, &college(2, "ai"), NOW).await.expect_err("refused");
        assert!(error.is_not_unique("tenants", "slug"), "{error:?}");
        drop(write);
        let mut write = test.database.begin_write().await.expect("a transaction");
        let error = insert(&mut write, &course(2, &ai, "A1"), NOW).await.expect_err("refused");
        assert!(error.is_not_unique("courses", "tenant_id") || error.is_not_unique("courses", "namespace"), "{error:?}");
        drop(write);
        let mut write = test.database.begin_write().await.expect("a transaction");
        let error = insert(&mut write, &course(2, &ai, "a1"), NOW).await.expect_err("refused");
        assert!(error.is_not_unique("courses", "namespace"), "{error:?}");
    })
    .await;
}
