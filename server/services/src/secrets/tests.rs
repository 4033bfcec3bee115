//! The life of an offering's secret: encrypted, compared, kept, replaced, given to labs, and moved out of unencrypted documents.

use domain::{
    Error,
    catalogue::{Parameter, ParameterKind, Target},
    ids::LabId,
    orders::OrderForm,
    page::PageRequest,
};
use storage::testing::for_each_engine;

use super::*;
use crate::{
    Caller,
    encryption::Keyring,
    offerings::{self, publish, save},
    orders::{self, IdempotencyKey},
    testing::TestWorld,
};

const LAB: LabId = LabId::from_uuid(uuid::Uuid::from_u128(7));

fn typed(text: &str) -> SecretValue {
    SecretValue::Typed(Secret::new(text.to_owned()))
}

async fn on_sale(services: &Services, operator: &Caller) -> Offering {
    let history = offerings::history(services, operator, "vscode").await.expect("there");
    history.published().expect("on sale").offering.clone()
}

/// The offering with these secrets, saved.
async fn saved(services: &Services, operator: &Caller, secrets: &[(&str, SecretValue)]) -> Offering {
    let mut offering = on_sale(services, operator).await;
    offering.base.secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    save(services, operator, Some("vscode"), offering, None).await.expect("saved").offering
}

async fn values(services: &Services, spec: &LabSpec) -> BTreeMap<String, String> {
    let mut read = services.db.read().await.expect("a connection");
    let all = of_lab(services, &mut read, spec).await.expect("opened");
    all.into_iter().map(|(name, value)| (name, value.expose().clone())).collect()
}

async fn stored(services: &Services, offering: &Offering) -> Vec<StoredSecret> {
    let mut read = services.db.read().await.expect("a connection");
    storage::secrets::of_owner(&mut read, &of_offering(offering.id)).await.expect("read")
}

#[tokio::test]
async fn a_secret_is_encrypted_kept_by_an_empty_field_and_replaced_by_another_value() {
    for_each_engine("a_secret_is_encrypted_kept_by_an_empty_field_and_replaced_by_another_value", |database| async move {
        let world = TestWorld::college_on(database).await;
        let (services, operator) = (&world.services, world.operator("ops").await);
        let first = saved(services, &operator, &[("HF_TOKEN", typed("hush-1"))]).await;
        assert!(first.base.secrets["HF_TOKEN"].stored().is_some());
        assert_eq!(values(services, &first.base).await["HF_TOKEN"], "hush-1");
        assert!(stored(services, &first).await.iter().all(|secret| !secret.sealed.contains("hush")));

        for same in [SecretValue::Kept, typed("hush-1"), first.base.secrets["HF_TOKEN"].clone()] {
            assert_eq!(saved(services, &operator, &[("HF_TOKEN", same)]).await.base, first.base, "nothing changed");
        }
        let second = saved(services, &operator, &[("HF_TOKEN", typed("hush-2")), ("OTHER", typed("x"))]).await;
        assert_ne!(second.base.secrets["HF_TOKEN"], first.base.secrets["HF_TOKEN"]);
        assert_eq!(values(services, &second.base).await["HF_TOKEN"], "hush-2");
        assert_eq!(stored(services, &second).await.len(), 2, "nobody can have the draft's earlier value");
        let third = saved(services, &operator, &[("HF_TOKEN", SecretValue::Kept)]).await;
        assert_eq!(stored(services, &third).await.len(), 1);

        let nothing = save(services, &operator, Some("vscode"), with(&third, "NEW", SecretValue::Kept), None).await.map(drop);
        assert_eq!(nothing, Err(Error::field("base.secrets.NEW", Problem::Missing)), "nothing to keep");
        let elsewhere = SecretValue::Stored(SecretId::from_uuid(services.entropy.uuid()));
        let refused = save(services, &operator, Some("vscode"), with(&third, "HF_TOKEN", elsewhere), None).await.map(drop);
        assert_eq!(refused, Err(Error::field("base.secrets.HF_TOKEN", Problem::NoSuch)), "of another offering");
    })
    .await;
}

fn with(offering: &Offering, name: &str, value: SecretValue) -> Offering {
    let mut offering = offering.clone();
    offering.base.secrets.insert(name.to_owned(), value);
    offering
}

#[tokio::test]
async fn a_new_offering_takes_its_secrets_and_the_same_request_again_is_a_retry() {
    let world = TestWorld::college().await;
    let (services, operator) = (&world.services, world.operator("ops").await);
    let mut offering = with(&on_sale(services, &operator).await, "HF_TOKEN", typed("hush"));
    offering.slug = "vscode-large".into();
    let made = save(services, &operator, None, offering.clone(), None).await.expect("saved").offering;
    assert_eq!(values(services, &made.base).await["HF_TOKEN"], "hush");
    assert_eq!(save(services, &operator, None, offering.clone(), None).await.expect("a retry").offering, made);
    let other = save(services, &operator, None, with(&offering, "HF_TOKEN", typed("other")), None).await.map(drop);
    assert_eq!(other, Err(Error::field("slug", Problem::Taken)));
}

#[tokio::test]
async fn the_audit_record_says_that_a_secret_changed_and_never_to_what() {
    let world = TestWorld::college().await;
    let (services, operator, auditor) = (&world.services, world.operator("ops").await, world.auditor("shen").await);
    let mut offering = on_sale(services, &operator).await;
    // A secret that was typed among the plain variables is moved to the secrets, and is not recorded either.
    offering.base.environment.insert("DB_PASSWORD".into(), "hushhush".into());
    save(services, &operator, Some("vscode"), offering, None).await.expect("saved");
    saved(services, &operator, &[("DB_PASSWORD", typed("hushhush2"))]).await;
    crate::audit::seal(services).await.expect("sealed");
    let filter = domain::audit::Filter { action: Some("offering.save".into()), ..domain::audit::Filter::default() };
    let page = crate::audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    let last = &page.items.first().expect("a record").event;
    assert_eq!(last.after.as_ref().expect("after")["fields"], serde_json::json!({ "base.secrets.DB_PASSWORD": "***" }));
    assert_eq!(last.before.as_ref().expect("before")["fields"], serde_json::json!({ "base.secrets.DB_PASSWORD": "***" }));
    assert!(!serde_json::to_string(&page.items).expect("JSON").contains("hush"));
    let words = domain::audit::Filter { text: Some("hushhush".into()), ..domain::audit::Filter::default() };
    let found = crate::audit::search(services, &auditor, &words, &PageRequest::default()).await.expect("searched").items;
    assert!(found.iter().all(|listed| listed.event.action == "audit.read"), "only that it was looked for: {found:?}");
}

#[tokio::test]
async fn a_lab_gets_the_value_that_is_on_sale_when_it_starts() {
    let world = TestWorld::college().await;
    let course = world.course("AI2301").add().await;
    let (teacher, operator) = (world.teacher("li", &[&course]).await, world.operator("ops").await);
    let services = &world.services;
    crate::cluster_status::refresh(services).await.expect("the cluster reports its cards");
    saved(services, &operator, &[("HF_TOKEN", typed("old"))]).await;
    publish(services, &operator, "vscode", None).await.expect("published");
    let form = OrderForm { offering: "vscode".into(), course: "AI2301".into(), duration_minutes: "90".into(), ..OrderForm::default() };
    let order = orders::submit(services, &teacher, &form, &IdempotencyKey::parse("one").expect("a key")).await.expect("ordered").order;
    assert!(matches!(order.spec.secrets["HF_TOKEN"], SecretValue::Stored(_)));
    assert_eq!(values(services, &order.spec).await["HF_TOKEN"], "old");

    saved(services, &operator, &[("HF_TOKEN", typed("new"))]).await;
    assert_eq!(values(services, &order.spec).await["HF_TOKEN"], "old", "nobody gets a draft");
    publish(services, &operator, "vscode", None).await.expect("published");
    assert_eq!(values(services, &order.spec).await["HF_TOKEN"], "new", "replaced at the source");
    offerings::retire(services, &operator, "vscode").await.expect("retired");
    assert_eq!(values(services, &order.spec).await["HF_TOKEN"], "old", "what its own version has");

    let lab = storage::testing::texts(&services.db, "SELECT id FROM labs").await.pop().expect("approved at once");
    let order = crate::jobs::lab_order(services, lab.parse().expect("an id")).await.expect("read").expect("there");
    let full = crate::jobs::with_secrets(services, &order).await.expect("opened");
    assert_eq!(full.secrets["HF_TOKEN"].expose(), "old");
    assert!(!format!("{full:?}").contains("\"old\""));
}

#[tokio::test]
async fn a_ciphertext_in_another_row_does_not_open() {
    let world = TestWorld::college().await;
    let (services, operator) = (&world.services, world.operator("ops").await);
    let offering = saved(services, &operator, &[("HF_TOKEN", typed("one")), ("OTHER", typed("two"))]).await;
    let all = stored(services, &offering).await;
    let mut write = services.db.begin_write().await.expect("a transaction");
    storage::secrets::reseal(&mut write, &all[0], &all[1].key_id, &all[1].sealed).await.expect("written");
    write.commit().await.expect("committed");
    let mut read = services.db.read().await.expect("a connection");
    assert_eq!(of_lab(services, &mut read, &offering.base).await.expect_err("moved").code(), "internal");
}

#[tokio::test]
async fn a_new_key_takes_over_what_lies_under_the_old_one() {
    for_each_engine("a_new_key_takes_over_what_lies_under_the_old_one", |database| async move {
        let world = TestWorld::college_on(database).await;
        let (services, operator) = (&world.services, world.operator("ops").await);
        let offering = saved(services, &operator, &[("HF_TOKEN", typed("hush"))]).await;
        let (old, new) = (Keyring::for_testing(1), Keyring::for_testing(2));
        let both = Keyring::of([new.clone(), old]);
        let parts = &world.services;
        let settings = crate::Settings { keyring: both, ..parts.settings.clone() };
        let renewed = Services::new(
            parts.db.clone(),
            std::sync::Arc::clone(&parts.clock),
            std::sync::Arc::clone(&parts.entropy),
            std::sync::Arc::clone(&parts.cluster),
            settings,
        );
        let own = own::own_secrets(services).await.expect("from the old key").of(LAB, 0);
        assert_eq!(renew(&renewed).await.expect("renewed"), 2, "this one, and what labs' own secrets are derived from");
        assert_eq!(renew(&renewed).await.expect("renewed"), 0);
        assert_eq!(values(&renewed, &offering.base).await["HF_TOKEN"], "hush");
        assert_eq!(own::own_secrets(&renewed).await.expect("from the new key").of(LAB, 0), own, "running labs keep theirs");
        assert_eq!(stored(services, &offering).await[0].key_id, new.current().expect("a key"));
    })
    .await;
}

/// Writes a document as an earlier release did.
async fn as_before(services: &Services, offering: &Offering) {
    let text = serde_json::to_string(offering).expect("JSON").replace('\'', "''");
    let sql = format!("UPDATE offering_versions SET document = '{text}' WHERE offering_id = '{}'", offering.id);
    storage::testing::execute(&services.db, &sql).await.expect("written");
    storage::testing::execute(&services.db, "UPDATE settings SET version = version + 1 WHERE key = 'catalogue'").await.expect("raised");
}

/// All documents that may hold a copy of an offering's variables.
async fn documents(services: &Services) -> String {
    let sql = "SELECT document AS text FROM offering_versions UNION ALL SELECT spec FROM orders UNION ALL SELECT parameters FROM orders \
               UNION ALL SELECT spec FROM labs UNION ALL SELECT COALESCE(answer, '') FROM idempotency_keys UNION ALL SELECT spec FROM lab_sizes";
    storage::testing::texts(&services.db, sql).await.join("\n")
}

#[tokio::test]
async fn secrets_of_an_earlier_release_are_encrypted_wherever_they_were_copied() {
    for_each_engine("secrets_of_an_earlier_release_are_encrypted_wherever_they_were_copied", |database| async move {
        let world = TestWorld::college_on(database).await;
        let course = world.course("AI2301").add().await;
        let (teacher, operator) = (world.teacher("li", &[&course]).await, world.operator("ops").await);
        let services = &world.services;
        crate::cluster_status::refresh(services).await.expect("the cluster reports its cards");
        let mut offering = on_sale(services, &operator).await;
        offering.base.environment.insert("HF_TOKEN".into(), "hush-offering".into());
        offering.base.environment.insert("LESSON".into(), "one".into());
        offering.parameters.push(Parameter {
            key: "wandb".into(),
            label: offering.name.clone(),
            help: None,
            target: Target::Environment("WANDB_API_KEY".into()),
            kind: ParameterKind::Text { max_length: 80 },
            default: None,
            optional: true,
        });
        as_before(services, &offering).await;
        let form = OrderForm { offering: "vscode".into(), course: "AI2301".into(), duration_minutes: "90".into(), ..OrderForm::default() };
        let key = IdempotencyKey::parse("one").expect("a key");
        let order = orders::submit(services, &teacher, &form, &key).await.expect("ordered").order;
        // As the earlier release stored typed parameters.
        let with_key = |column: &str| format!("replace({column}, '\"LESSON\"', '\"WANDB_API_KEY\":\"hush-order\",\"LESSON\"')");
        for sql in [
            format!("UPDATE orders SET spec = {}, parameters = '{{\"wandb\":\"hush-order\"}}'", with_key("spec")),
            format!("UPDATE labs SET spec = {}", with_key("spec")),
            format!("UPDATE idempotency_keys SET answer = {}", with_key("answer")),
            "INSERT INTO lab_sizes (lab_id, until_at, spec) SELECT id, 1, spec FROM labs".to_owned(),
        ] {
            assert_eq!(storage::testing::execute(&services.db, &sql).await.expect("written"), 1, "{sql}");
        }
        let before = documents(services).await;
        assert!(before.matches("hush-order").count() >= 5 && before.matches("hush-offering").count() >= 5, "{before}");

        let moved = encrypt_clear(services).await.expect("moved");
        assert_eq!(moved.offerings, [("vscode".to_owned(), ["HF_TOKEN".to_owned()].into())].into());
        assert_eq!(moved.orders, [order.id.to_string()].into());
        assert_eq!(encrypt_clear(services).await.expect("once"), Moved::default());
        assert_eq!(documents(services).await.matches("hush-").count(), 0, "{}", documents(services).await);

        let after = on_sale(services, &operator).await;
        assert_eq!(after.base.environment, [("LESSON".to_owned(), "one".to_owned())].into());
        assert_eq!(once_in_clear(services, &after).await.expect("read"), ["HF_TOKEN"], "the operator is told");
        let order = orders::get(services, &teacher, order.id).await.expect("readable").order;
        assert_eq!(order.parameters.len(), 0);
        let values = values(services, &order.spec).await;
        assert_eq!((values["HF_TOKEN"].as_str(), values["WANDB_API_KEY"].as_str()), ("hush-offering", "hush-order"), "labs go on with them");
        // The offering gets a secret of the same name: what somebody typed into the order stays theirs.
        let mut same_name = after.clone();
        same_name.base.secrets.insert("WANDB_API_KEY".into(), after.base.secrets["HF_TOKEN"].clone());
        as_before(services, &same_name).await;
        assert_eq!(self::values(services, &order.spec).await, values);
        as_before(services, &after).await;
        let repeated = orders::submit(services, &teacher, &form, &key).await.expect("the kept answer is readable");
        assert_eq!(repeated.order.id, order.id);

        let mut mended = after.clone();
        mended.base.secrets.insert("HF_TOKEN".into(), typed("new"));
        let refused = save(services, &operator, Some("vscode"), mended.clone(), None).await.map(drop);
        let field = format!("parameters.{}.variable", mended.parameters.len() - 1);
        assert_eq!(refused, Err(Error::field(field, Problem::SecretInClear)), "nobody types a secret into an order any more");
        mended.parameters.pop();
        let replaced = save(services, &operator, Some("vscode"), mended, None).await.expect("saved").offering;
        assert_eq!(once_in_clear(services, &replaced).await.expect("read"), Vec::<String>::new(), "replaced");
    })
    .await;
}

#[tokio::test]
async fn labs_own_secrets_differ_and_are_the_same_whenever_they_are_asked_for() {
    for_each_engine("labs_own_secrets_differ_and_are_the_same_whenever_they_are_asked_for", |database| async move {
        let world = TestWorld::college_on(database).await;
        let first = own::own_secrets(&world.services).await.expect("derived");
        let other = LabId::from_uuid(uuid::Uuid::from_u128(8));
        let all = [first.of(LAB, 0), first.of(LAB, 1), first.of(other, 0)].map(|secret| secret.expose().clone());
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2], "one for each lab and each start");
        assert!(all.iter().all(|secret| secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit())));
        let again = own::own_secrets(&world.replica()).await.expect("derived");
        assert_eq!(again.of(LAB, 0), first.of(LAB, 0), "another replica, and the portal after a restart");
        // Another installation has others.
        let elsewhere = TestWorld::college().await;
        storage::testing::execute(&elsewhere.services.db, "DELETE FROM secrets WHERE owner_kind = 'labs'").await.expect("deleted");
        let mut bytes = [0; 32];
        elsewhere.services.entropy.fill(&mut bytes);
        let made = own::own_secrets(&elsewhere.services).await.expect("an earlier release had none: it is made");
        assert_ne!(made.of(LAB, 0), first.of(LAB, 0));
        assert_eq!(own::own_secrets(&elsewhere.replica()).await.expect("derived").of(LAB, 0), made.of(LAB, 0));
    })
    .await;
}
