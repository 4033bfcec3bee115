//! What deciding writes and reads: steps, changed orders, those that wait for the same cards, reminders, policies and their versions.

use domain::{
    access::Role,
    approvals::{Outcome, Policy},
    capacity::{Machine, PlannedEnd, Pods},
    decisions::{Change, Changed, Changes, Decision, Proposal, Step},
    ids::{ClassId, DecisionId, OrderId, TenantId},
    labs::LabState,
    money::{Currency, Money},
    orders::{ClassRef, Order, OrderState},
    people::PersonRef,
};

use super::ground::{card, ground, lab, now, order, teacher, tenant, text, uuid};
use crate::{decisions, labs, orders, placement, policies, pools, reservations, supplies, testing::for_each_engine};

#[tokio::test]
async fn steps_read_back_in_the_order_in_which_they_were_taken() {
    for_each_engine("steps_read_back_in_the_order_in_which_they_were_taken", |database| async move {
        let mut write = ground(&database).await;
        let order = order(1, OrderState::PendingApproval);
        orders::insert(&mut write, &order).await.expect("inserted");
        let step = |number: u128, step, by: Option<PersonRef>| Decision {
            id: DecisionId::from_uuid(uuid(number)),
            order: order.id,
            stage: 1,
            role: by.as_ref().map(|_| Role::Operator),
            on_behalf_of: by.clone().filter(|_| number == 2),
            by,
            at: now().plus_seconds(i64::try_from(number).expect("small")),
            step,
            text: "为什么".into(),
            changes: vec![Change { what: Changed::Cost, before: "¥2.00".into(), after: "¥1.00".into() }],
        };
        let li = PersonRef { id: teacher(), login: "li".into(), name: "李".into() };
        let steps = [step(2, Step::Ask, Some(li)), step(3, Step::Expire, None)];
        for each in steps.iter().rev() {
            decisions::insert(&mut write, each).await.expect("inserted");
        }
        assert_eq!(decisions::of_order(&mut write, order.id).await.expect("read"), steps);
        assert_eq!(decisions::of_order(&mut write, OrderId::from_uuid(uuid(99))).await.expect("read"), []);
    })
    .await;
}

#[tokio::test]
async fn a_change_is_written_with_all_that_sums_by_it() {
    for_each_engine("a_change_is_written_with_all_that_sums_by_it", |database| async move {
        let mut write = ground(&database).await;
        let mut row = order(1, OrderState::PendingApproval);
        orders::insert(&mut write, &row).await.expect("inserted");
        let changes = Changes {
            parameters: [("cards".into(), "2".into())].into(),
            spec: domain::catalogue::LabSpec { cards_per_node: 2, ..row.spec.clone() },
            minutes: 30,
            estimate: domain::pricing::Estimate { total: Money::units(9, Currency::Cny), ..row.estimate.clone() },
        };
        row.state = OrderState::AwaitingRequester;
        row.proposal =
            Some(Proposal {
                to: changes.clone(), ruling: row.ruling.clone(), by: teacher(), on_behalf_of: None, at: now(), text: "多一张".into()
            });
        assert!(orders::save(&mut write, &row).await.expect("saved"));
        row.version = 2;
        assert_eq!(orders::find(&mut write, row.id).await.expect("read"), Some(row.clone()));
        let held = |quota: crate::quotas::CourseQuota| (quota.status.held.cards, quota.status.budget.held);
        let quota = crate::quotas::of_course(&mut write, row.course, now()).await.expect("read").expect("a course");
        assert_eq!(held(quota), (domain::gpu::CardShare::whole(1), Money::units(6, Currency::Cny)), "as before, until the requester agrees");
        let mut row = changes.applied(row);
        (row.state, row.proposal, row.stage) = (OrderState::PendingApproval, None, 1);
        row.ruling.outcome = Outcome::Stages(vec![Role::Manager, Role::Operator]);
        row.barred = [teacher()].into();
        assert!(orders::save(&mut write, &row).await.expect("saved"));
        row.version = 3;
        assert_eq!(orders::find(&mut write, row.id).await.expect("read"), Some(row.clone()));
        let quota = crate::quotas::of_course(&mut write, row.course, now()).await.expect("read").expect("a course");
        assert_eq!(held(quota), (domain::gpu::CardShare::whole(2), Money::units(9, Currency::Cny)));
        let both = orders::several(&mut write, &[row.id, OrderId::from_uuid(uuid(99))]).await.expect("read");
        assert_eq!(both.into_iter().map(|each| each.order).collect::<Vec<_>>(), [row]);
        assert_eq!(orders::several(&mut write, &[]).await.expect("read"), []);
    })
    .await;
}

#[tokio::test]
async fn what_expires_soon_is_found_once() {
    for_each_engine("what_expires_soon_is_found_once", |database| async move {
        let mut write = ground(&database).await;
        for (number, state) in [(1, OrderState::PendingApproval), (2, OrderState::Queued), (3, OrderState::AwaitingRequester)] {
            orders::insert(&mut write, &order(number, state)).await.expect("inserted");
        }
        let first = order(1, OrderState::PendingApproval);
        let soon = orders::expiring(&mut write, now(), first.expires_at, 10).await.expect("read");
        assert_eq!(soon.iter().map(|order| order.number).collect::<Vec<_>>(), [1]);
        assert_eq!(orders::expiring(&mut write, now(), first.expires_at.plus_seconds(-1), 10).await.expect("read"), []);
        assert_eq!(orders::expiring(&mut write, first.expires_at, first.expires_at, 10).await.expect("read"), [], "it is over");
        assert!(orders::remind(&mut write, first.id, now()).await.expect("kept"));
        assert!(!orders::remind(&mut write, first.id, now()).await.expect("asked"), "somebody told them");
        assert_eq!(orders::expiring(&mut write, now(), first.expires_at, 10).await.expect("read"), []);
        let over = orders::expired(&mut write, now().plus_seconds(200), 10).await.expect("read");
        assert_eq!(over.iter().map(|order| order.number).collect::<Vec<_>>(), [1, 3], "also what waits for the requester");
    })
    .await;
}

#[tokio::test]
async fn those_who_wait_for_the_same_cards_are_named_and_forecasts_know_ends_and_queue() {
    for_each_engine("those_who_wait_for_the_same_cards_are_named_and_forecasts_know_ends_and_queue", |database| async move {
        let mut write = ground(&database).await;
        for (number, state) in
            [(1, OrderState::PendingApproval), (2, OrderState::Queued), (3, OrderState::Rejected), (4, OrderState::PendingApproval)]
        {
            orders::insert(&mut write, &order(number, state)).await.expect("inserted");
        }
        let this = order(4, OrderState::PendingApproval);
        let waiters = orders::waiters(&mut write, tenant(), card(), &this, now(), 10).await.expect("read");
        let named: Vec<_> = waiters.iter().map(|each| (each.number, each.owner.as_str(), each.course.as_str(), each.cards, each.state)).collect();
        assert_eq!(named, [(1, "李", "CV1", 1, OrderState::PendingApproval), (2, "李", "CV1", 1, OrderState::Queued)]);
        assert_eq!(
            orders::waiters(&mut write, TenantId::from_uuid(uuid(98)), card(), &this, now(), 10).await.expect("read"),
            [],
            "another tenant's are nobody's business"
        );
        let class = ClassRef { id: ClassId::from_uuid(uuid(0x50)), seats: 2, lessons: 1, lesson: 1 };
        let seat = |number| Order { class: Some(class), ..order(number, OrderState::PendingApproval) };
        orders::insert(&mut write, &seat(8)).await.expect("inserted");
        let beside = orders::waiters(&mut write, tenant(), card(), &seat(9), now(), 10).await.expect("read");
        assert_eq!(beside.iter().map(|each| each.number).collect::<Vec<_>>(), [1, 2, 4], "seats of the same class are no others");
        orders::insert(&mut write, &seat(10)).await.expect("inserted");
        let waiters = orders::waiters(&mut write, tenant(), card(), &this, now(), 10).await.expect("read");
        let lines: Vec<_> = waiters.iter().map(|each| (each.number, each.orders, each.cards)).collect();
        assert_eq!(lines, [(1, 1, 1), (2, 1, 1), (8, 2, 2)], "a class is one line");

        pools::put(&mut write, card(), 6, 4, now()).await.expect("put");
        let machine = Some(Machine { cpu_cores: 64, memory_gib: 512, pods: Some(20) });
        let nodes = [("gpu-b", 4), ("gpu-a", 2)].map(|(node, total)| placement::NodeCards { node: node.into(), total, others: 0, machine });
        placement::put_nodes(&mut write, card(), &nodes).await.expect("put");
        for (number, minutes) in [(5, Some(60)), (6, Some(30)), (7, None)] {
            let order = order(number, OrderState::Fulfilled);
            orders::insert(&mut write, &order).await.expect("inserted");
            let mut row = lab(&order, LabState::Running);
            row.ends_at = minutes.map(|minutes| now().plus_minutes(minutes));
            labs::insert(&mut write, &row, Currency::Cny).await.expect("inserted");
            assert!(reservations::take(row.id, card(), 1, &[], now()).run(&mut write).await.expect("taken"));
            placement::put_places(&mut write, row.id, &[("gpu-b".to_owned(), 1)]).await.expect("put");
            assert!(labs::save(&mut write, &row).await.expect("its end is written"));
        }
        let later = now().plus_minutes(9);
        let supplies = supplies::all(&mut write, later).await.expect("read");
        let [supply] = &supplies[..] else { panic!("{supplies:?}") };
        assert_eq!((supply.card, supply.free), (card(), 3));
        let mut rooms: Vec<_> = supply.rooms.iter().map(|room| (room.free, room.total)).collect();
        rooms.sort_unstable();
        assert_eq!(rooms, [(1, 4), (2, 2)]);
        let full = supply.rooms.iter().find(|room| room.total == 4).expect("a node");
        let spec = &order(5, OrderState::Fulfilled).spec;
        let three = Machine { cpu_cores: 3 * spec.cpu_cores, memory_gib: 3 * spec.memory_gib, pods: Some(3) };
        assert_eq!(full.machine_free, machine.map(|machine| machine.without(three)));
        let end = |minutes| PlannedEnd {
            at: now().plus_minutes(minutes),
            node: full.node.clone(),
            cards: 1,
            machine: Machine { cpu_cores: spec.cpu_cores, memory_gib: spec.memory_gib, pods: Some(1) },
        };
        assert_eq!(supply.ends, [end(30), end(60)]);
        assert_eq!(supply.line.iter().map(|waits| waits.pods).collect::<Vec<_>>(), [Pods::of(spec)], "the queued one");
        assert!(!supply.more_wait);
    })
    .await;
}

#[tokio::test]
async fn a_policy_has_a_draft_versions_and_orders_to_be_tried_on() {
    for_each_engine("a_policy_has_a_draft_versions_and_orders_to_be_tried_on", |database| async move {
        let mut write = ground(&database).await;
        let policy = Policy::default();
        assert_eq!(policies::find(&mut write, tenant()).await.expect("read"), None);
        assert!(policies::insert(&mut write, tenant(), &policy, now()).await.expect("a policy"));
        assert!(!policies::insert(&mut write, tenant(), &policy, now()).await.expect("asked"));
        let edited = Policy { same_person_twice: true, ..Policy::default() };
        assert!(policies::save_draft(&mut write, tenant(), 1, Some(&edited)).await.expect("saved"));
        assert!(!policies::save_draft(&mut write, tenant(), 1, None).await.expect("asked"), "somebody edited since");
        let stored = policies::find(&mut write, tenant()).await.expect("read").expect("a policy");
        assert_eq!((stored.version, stored.revision, stored.draft.as_ref()), (1, 2, Some(&edited)));
        assert!(policies::publish(&mut write, &stored, &edited, now().plus_seconds(5), teacher()).await.expect("published"));
        assert!(!policies::publish(&mut write, &stored, &edited, now(), teacher()).await.expect("asked"), "once");
        let stored = policies::find(&mut write, tenant()).await.expect("read").expect("a policy");
        assert_eq!((stored.version, stored.revision, stored.draft, &stored.policy), (2, 3, None, &edited));
        assert_eq!(policies::all(&mut write).await.expect("read"), [(tenant(), edited)]);
        let versions = policies::versions(&mut write, tenant(), 10).await.expect("read");
        let told: Vec<_> = versions.iter().map(|each| (each.version, each.published_by.as_ref().map(|by| by.login.as_str()))).collect();
        assert_eq!(told, [(2, Some("li")), (1, None)]);

        for number in 1..=3 {
            let mut row = order(number, OrderState::Fulfilled);
            if number == 1 {
                row.ruling.rule = Some(text("old"));
            }
            orders::insert(&mut write, &row).await.expect("inserted");
        }
        let past = orders::past(&mut write, tenant(), now().plus_seconds(2), 10).await.expect("read");
        assert_eq!(past.iter().map(|each| each.number).collect::<Vec<_>>(), [3, 2], "the newest first, and none from before");
        assert_eq!((past[0].facts.cards_per_order, past[0].facts.minutes), (domain::gpu::CardShare::whole(4), 60), "worked out for an old order");
        assert_eq!(orders::past(&mut write, tenant(), now(), 1).await.expect("read").len(), 1);
    })
    .await;
}
