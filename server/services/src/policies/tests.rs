//! Editing, trying and putting in force; on both engines where two editors meet.

use domain::{Error, access::Role, approvals::Outcome, audit::Filter, page::PageRequest, policies::Edit, policy_form::RuleForm};

use super::{blank, discard, dry_run, edit, edit_rule, get, publish, replace};
use crate::{
    orders::{IdempotencyKey, submit},
    testing::TestWorld,
};

fn typed(fields: &[(&str, &str)]) -> RuleForm {
    let mut form = blank();
    form.extend([("name_zh", "分片"), ("name_en", "Slices")].iter().chain(fields).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    form
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_edited_tried_and_put_in_force() {
    storage::testing::for_each_engine("a_draft_is_edited_tried_and_put_in_force", |database| async move {
        let world = TestWorld::college_on(database).await;
        let admin = world.administrator("qian").await;
        let course = world.course("CV2402").add().await;
        let teacher = world.teacher("li", &[&course]).await;
        let form = domain::orders::OrderForm {
            offering: "jupyterlab-slice".into(),
            course: "CV2402".into(),
            duration_minutes: "90".into(),
            ..Default::default()
        };
        let key = |text: &str| IdempotencyKey::parse(text).expect("a key");
        let small = submit(&world.services, &teacher, &form, &key("1")).await.expect("ordered");
        assert_eq!(small.order.ruling.outcome, Outcome::Automatic);

        let view = get(&world.services, &admin).await.expect("read");
        assert!(view.may_write && view.stored.draft.is_none());
        assert_eq!((view.dry_run.orders, view.dry_run.different, view.versions.len()), (1, 0, 1));
        let wrong = edit_rule(&world.services, &admin, view.stored.revision, None, &typed(&[("name_en", " ")])).await.expect_err("no name");
        assert_eq!(wrong, Error::field("rule.name_en", domain::Problem::Missing));
        let rule = typed(&[("cards_is", "within"), ("cards", "1/7"), ("stage1", "operator")]);
        let stored = edit_rule(&world.services, &admin, view.stored.revision, None, &rule).await.expect("added");
        let rules = &stored.edited().rules;
        let added = rules.iter().position(|rule| rule.name.en == "Slices").expect("it is there");
        assert_eq!(stored.edited().catch_all(), Some(added + 1), "before the rule that matches every order");
        let number = u32::try_from(added).expect("few");
        let mut revision = stored.revision;
        for _ in 0..number {
            let step = Edit::Up(number - (u32::try_from(revision - stored.revision).expect("few")));
            revision = edit(&world.services, &admin, revision, &step).await.expect("moved").revision;
        }
        let view = get(&world.services, &admin).await.expect("read");
        assert_eq!(view.stored.edited().rules[0].name.en, "Slices");
        assert_eq!((view.dry_run.now.automatic, view.dry_run.then.asked, view.dry_run.different), (1, 1, 1));
        assert_eq!(view.dry_run.differences[0].number, small.order.number);
        // Nothing is in force yet.
        let still = submit(&world.services, &teacher, &form, &key("2")).await.expect("ordered");
        assert_eq!(still.order.ruling.outcome, Outcome::Automatic);
        assert_eq!(publish(&world.services, &admin, 1).await.expect_err("somebody edited since"), Error::Stale);
        let stored = publish(&world.services, &admin, view.stored.revision).await.expect("in force");
        assert_eq!((stored.version, stored.draft), (2, None));
        let now = submit(&world.services, &teacher, &form, &key("3")).await.expect("ordered");
        assert_eq!(now.order.awaits(), Some(Role::Operator));
        assert!(matches!(publish(&world.services, &admin, stored.revision).await, Err(Error::InvalidTransition { .. })));

        let auditor = world.auditor("sun").await;
        let filter = Filter { action: Some("policy.publish".into()), ..Filter::default() };
        let found = crate::audit::search(&world.services, &auditor, &filter, &PageRequest::default()).await.expect("found");
        let good = found.items.iter().find(|each| each.event.code.is_none()).expect("a success");
        assert_eq!(good.event.before.as_ref().map(|before| before["version"].clone()), Some(1.into()));
        assert_eq!(good.event.after.as_ref().map(|after| after["policy"]["rules"][0]["name"]["en"].clone()), Some("Slices".into()));
    })
    .await;
}

#[tokio::test]
async fn programs_replace_and_try_a_policy_in_one_step() {
    let world = TestWorld::college().await;
    let admin = world.administrator("qian").await;
    let view = get(&world.services, &admin).await.expect("read");
    let mut policy = view.stored.policy.clone();
    policy.rules.pop();
    assert_eq!(dry_run(&world.services, &admin, &policy).await.expect("tried").matched.len(), policy.rules.len() + 1);
    assert_eq!(replace(&world.services, &admin, &policy, 9).await.expect_err("another version"), Error::Stale);
    let stored = replace(&world.services, &admin, &policy, 1).await.expect("in force");
    let again = replace(&world.services, &admin, &policy, 1).await.expect("a retry whose answer was lost");
    assert_eq!((stored.version, again), (2, stored.clone()));
    let draft = edit(&world.services, &admin, stored.revision, &Edit::Remove(0)).await.expect("a draft");
    assert_eq!(discard(&world.services, &admin, draft.revision).await.expect("dropped").draft, None);
}

#[tokio::test]
async fn administrators_write_and_others_read_or_know_nothing() {
    let world = TestWorld::college().await;
    for caller in [world.manager("zhou").await, world.operator("wu").await, world.auditor("sun").await] {
        let view = get(&world.services, &caller).await.expect("read");
        assert!(!view.may_write);
        assert_eq!(edit(&world.services, &caller, 1, &Edit::Remove(0)).await.expect_err("not theirs"), Error::Forbidden);
        assert_eq!(publish(&world.services, &caller, 1).await.expect_err("not theirs"), Error::Forbidden);
    }
    let teacher = world.teacher("li", &[]).await;
    assert_eq!(get(&world.services, &teacher).await.expect_err("not theirs"), Error::Forbidden);
}
