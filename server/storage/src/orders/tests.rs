//! Orders, quotas, cards and the queue at the level of rows, on both engines.

mod deciding;
pub(crate) mod ground;
mod lessons;
mod lifecycle;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::Role,
    capacity::{Machine, Room},
    gpu::CardShare,
    ids::{PriceBookId, TenantId, UserId},
    labs::{LabState, Observation},
    money::{Currency, Money},
    orders::OrderState,
    pricing::PriceBook,
    quotas::Amounts,
};

use super::{Query, Visible};
use crate::{
    labs, nodes, observations, offerings, orders,
    placement::{self, NodeCards},
    pools, prices, quotas,
    reservations::{self, Waiter},
    testing::for_each_engine,
};
use ground::{card, course, everything, ground, lab, now, offering, order, teacher, tenant, uuid};

#[tokio::test]
async fn an_order_reads_back_as_it_was_written_and_changes_once_per_version() {
    for_each_engine("an_order_reads_back_as_it_was_written_and_changes_once_per_version", |database| async move {
        let mut write = ground(&database).await;
        let mut row = order(1, OrderState::PendingApproval);
        orders::insert(&mut write, &row).await.expect("inserted");
        assert_eq!(orders::find(&mut write, row.id).await.expect("read"), Some(row.clone()));
        row.state = OrderState::Rejected;
        row.decided_at = Some(now());
        row.decided_by = Some(teacher());
        row.reason = Some("no".into());
        assert!(orders::save(&mut write, &row).await.expect("saved"));
        assert!(!orders::save(&mut write, &row).await.expect("asked"), "the version has moved on");
        row.version = 2;
        let listed = orders::get(&mut write, row.id).await.expect("read").expect("there");
        assert_eq!(listed.order, row);
        assert_eq!((listed.owner.login.as_str(), listed.course.code.as_str(), listed.labs.as_slice()), ("li", "CV1", [].as_slice()));
        assert_eq!(listed.decided_by.map(|person| person.name).as_deref(), Some("李"));
        let numbers = [orders::next_numbers(&mut write, 1).await.expect("one"), orders::next_numbers(&mut write, 1).await.expect("two")];
        assert_eq!(numbers, [1_001, 1_002]);
        assert_eq!(orders::remembered(&mut write, teacher(), "k").await.expect("read"), None);
        let made = orders::Remembered { request_hash: "hash".into(), order: row.id, answer: Some("{}".into()) };
        for is_first in [true, false] {
            assert_eq!(orders::remember(teacher(), "k", &made, now()).run(&mut write).await.expect("asked"), is_first);
        }
        assert_eq!(orders::remembered(&mut write, teacher(), "k").await.expect("read"), Some(made));
    })
    .await;
}

#[tokio::test]
async fn lists_hold_what_was_asked_for_and_nothing_else() {
    for_each_engine("lists_hold_what_was_asked_for_and_nothing_else", |database| async move {
        let mut write = ground(&database).await;
        let states = [OrderState::PendingApproval, OrderState::Queued, OrderState::PendingApproval, OrderState::Queued];
        for (number, state) in (1..).zip(states) {
            orders::insert(&mut write, &order(number, state)).await.expect("inserted");
        }
        let stranger = UserId::from_uuid(uuid(99));
        let all = everything();
        let cases = [
            (all.clone(), vec![4, 3, 2, 1]),
            (Query { limit: 2, after: Some(order(4, OrderState::Queued).id), ..all.clone() }, vec![3, 2]),
            (Query { state: Some(OrderState::Queued), course: Some(course().into()), owner: Some(teacher()), ..all.clone() }, vec![4, 2]),
            (Query { visible: Visible::Own(stranger), ..all.clone() }, vec![]),
            (Query { visible: Visible::Courses(stranger, vec![course()]), ..all.clone() }, vec![4, 3, 2, 1]),
            (Query { visible: Visible::Courses(stranger, vec![]), ..all.clone() }, vec![]),
            (Query { tenant: TenantId::from_uuid(uuid(98)), ..all.clone() }, vec![]),
        ];
        for (query, expected) in cases {
            let rows = orders::list(&mut write, &query).await.expect("a list");
            assert_eq!(rows.iter().map(|row| row.order.number).collect::<Vec<_>>(), expected, "{query:?}");
        }
        let rows = orders::list(&mut write, &Query { state: Some(OrderState::Queued), ..all }).await.expect("a list");
        assert_eq!(rows.iter().map(|row| row.queue_position).collect::<Vec<_>>(), [Some(2), Some(1)]);
        let decider =
            |user, role| orders::Decider { tenant: tenant(), user, roles: [role].into(), department_roles: BTreeMap::new(), away: Vec::new() };
        let inbox = orders::inbox(&mut write, &decider(stranger, Role::Manager), None, 10).await.expect("an inbox");
        assert_eq!(inbox.iter().map(|row| row.order.number).collect::<Vec<_>>(), [1, 3], "oldest first");
        assert_eq!(orders::inbox(&mut write, &decider(teacher(), Role::Manager), None, 10).await.expect("an inbox"), [], "not one's own");
        assert_eq!(orders::inbox(&mut write, &decider(stranger, Role::Operator), None, 10).await.expect("an inbox"), [], "another role's");
        let mut barred = inbox[0].order.clone();
        barred.barred.insert(stranger);
        assert!(orders::save(&mut write, &barred).await.expect("saved"));
        let inbox = orders::inbox(&mut write, &decider(stranger, Role::Manager), None, 10).await.expect("an inbox");
        assert_eq!(inbox.iter().map(|row| row.order.number).collect::<Vec<_>>(), [3], "not where one passed a stage");
        assert_eq!(orders::pending_count(&mut write, &decider(stranger, Role::Manager), 1).await.expect("counted"), 1, "no further than asked");
        let of_department = |courses: &[domain::ids::CourseId]| orders::Decider {
            department_roles: [(Role::Manager, courses.iter().copied().collect())].into(),
            roles: BTreeSet::new(),
            ..decider(stranger, Role::Manager)
        };
        assert_eq!(orders::inbox(&mut write, &of_department(&[course()]), None, 10).await.expect("an inbox").len(), 1);
        assert_eq!(orders::inbox(&mut write, &of_department(&[]), None, 10).await.expect("an inbox"), []);
        assert_eq!(orders::pending_count(&mut write, &of_department(&[course()]), 9).await.expect("counted"), 1);
        assert_eq!(orders::pending_count(&mut write, &of_department(&[]), 9).await.expect("counted"), 0);
        let stand_in = |absent, role| orders::Decider {
            away: vec![orders::Powers { user: absent, roles: [role].into(), department_roles: BTreeMap::new() }],
            roles: BTreeSet::new(),
            ..decider(domain::ids::UserId::from_uuid(uuid(98)), role)
        };
        let of_absent = async |write: &mut sqlx::AnyConnection, absent, role| {
            let inbox = orders::inbox(write, &stand_in(absent, role), None, 10).await.expect("an inbox");
            inbox.iter().map(|row| row.order.number).collect::<Vec<_>>()
        };
        let another = domain::ids::UserId::from_uuid(uuid(97));
        assert_eq!(of_absent(&mut write, another, Role::Manager).await, [1, 3], "in the name of somebody who is away");
        assert_eq!(of_absent(&mut write, stranger, Role::Manager).await, [3], "not where the absent person passed a stage");
        assert_eq!(of_absent(&mut write, teacher(), Role::Manager).await, [0_i64; 0], "nor their own orders");
        assert_eq!(of_absent(&mut write, another, Role::Operator).await, [0_i64; 0], "nor another role's");
        let expired = orders::expired(&mut write, now().plus_seconds(101), 10).await.expect("read");
        assert_eq!(expired.iter().map(|order| order.number).collect::<Vec<_>>(), [1]);
    })
    .await;
}

#[tokio::test]
async fn a_quota_counts_each_lab_and_order_for_what_it_takes() {
    for_each_engine("a_quota_counts_each_lab_and_order_for_what_it_takes", |database| async move {
        let mut write = ground(&database).await;
        // Number 1 waits for a decision, 2 for cards; 3 to 6 have labs.
        orders::insert(&mut write, &order(1, OrderState::PendingApproval)).await.expect("inserted");
        orders::insert(&mut write, &order(2, OrderState::Queued)).await.expect("inserted");
        let labs = [LabState::Running, LabState::Stopped, LabState::Destroyed, LabState::Stopped];
        for (number, state) in (3..).zip(labs) {
            let order = order(number, OrderState::Fulfilled);
            orders::insert(&mut write, &order).await.expect("inserted");
            let mut row = lab(&order, state);
            // The last one's time is over: it holds nothing of the budget any more.
            row.ends_at = (number == 6).then_some(now());
            labs::insert(&mut write, &row, Currency::Cny).await.expect("inserted");
            labs::save_cost(&mut write, row.id, 1, 1_000_000, now(), None).await.expect("cost");
        }
        quotas::lock(&mut write, course()).await.expect("locked");
        let quota = quotas::of_course(&mut write, course(), now()).await.expect("read").expect("a course");
        let status = &quota.status;
        let amounts = |labs: i64, volumes: i64| Amounts {
            cards: CardShare::whole(labs),
            cpu_cores: 8 * labs,
            memory_gib: 32 * labs,
            storage_gib: 20 * volumes,
            running_labs: labs,
        };
        assert_eq!((status.used, status.held), (amounts(1, 3), amounts(2, 2)));
        let yuan = |units| Money::units(units, Currency::Cny);
        // Spent: 4 labs at ¥1. Held: 2 orders at ¥6, and ¥5 each for the running lab and the one that may be started again.
        assert_eq!((status.budget.limit, status.budget.spent, status.budget.held), (yuan(100), yuan(4), yuan(22)));
        // Four labs made today and one order about to start.
        assert_eq!(status.started_today, CardShare::whole(5));
        assert_eq!((quota.course.code.as_str(), quota.namespace.as_str()), ("CV1", "lectern-ai-cv1"));
        let tomorrow = quotas::of_tenant(&mut write, tenant(), now().plus_seconds(86_400)).await.expect("read");
        assert_eq!((tomorrow.len(), tomorrow[0].status.started_today), (1, CardShare::whole(1)), "what still waits will start then");
    })
    .await;
}

#[tokio::test]
async fn cards_are_set_aside_while_there_are_any() {
    for_each_engine("cards_are_set_aside_while_there_are_any", |database| async move {
        let mut write = ground(&database).await;
        for number in 1..=3 {
            let order = order(number, OrderState::Approved);
            orders::insert(&mut write, &order).await.expect("inserted");
            labs::insert(&mut write, &lab(&order, LabState::Pending), Currency::Cny).await.expect("inserted");
        }
        let id = |number| lab(&order(number, OrderState::Approved), LabState::Pending).id;
        pools::lock(&mut write, card()).await.expect("locked");
        assert_eq!(pools::find(&mut write, card()).await.expect("read"), None);
        assert!(!reservations::take(id(1), card(), 1, &[], now()).run(&mut write).await.expect("asked"), "the cluster has not reported");
        assert!(reservations::take(id(3), card(), 0, &[], now()).run(&mut write).await.expect("asked"), "none are always there");
        pools::put(&mut write, card(), 9, 9, now()).await.expect("put");
        pools::put(&mut write, card(), 2, 2, now()).await.expect("put again");
        assert!(reservations::take(id(1), card(), 2, &[], now()).run(&mut write).await.expect("taken"));
        assert!(!reservations::take(id(1), card(), 0, &[], now()).run(&mut write).await.expect("asked"), "once a lab");
        assert!(!reservations::take(id(2), card(), 1, &[], now()).run(&mut write).await.expect("asked"), "none left");
        let pool = pools::find(&mut write, card()).await.expect("read").expect("reported");
        assert_eq!((pool.total, pool.reserved, pool.largest_node), (2, 2, 2));
        assert_eq!(pools::all(&mut write).await.expect("read"), [pool]);
        assert!(reservations::release(&mut write, id(1)).await.expect("released"));
        assert!(!reservations::release(&mut write, id(1)).await.expect("asked"), "it holds none");
        assert!(reservations::take(id(2), card(), 1, &[], now()).run(&mut write).await.expect("taken"));
    })
    .await;
}

#[tokio::test]
async fn orders_and_labs_wait_in_one_line() {
    for_each_engine("orders_and_labs_wait_in_one_line", |database| async move {
        let mut write = ground(&database).await;
        let first = order(1, OrderState::Queued);
        let last = order(3, OrderState::Queued);
        let restarted = order(2, OrderState::Fulfilled);
        for order in [&first, &last, &restarted] {
            orders::insert(&mut write, order).await.expect("inserted");
        }
        let waiting = lab(&restarted, LabState::Pending);
        labs::insert(&mut write, &waiting, Currency::Cny).await.expect("inserted");
        labs::set_queued_at(&mut write, waiting.id, Some(now().plus_seconds(2))).await.expect("queued");
        let later = now().plus_minutes(9);
        assert_eq!(reservations::waiting_counts(&mut write, now()).await.expect("read"), [(card(), 1)], "their time is to come");
        assert_eq!(reservations::waited_for(&mut write, later).await.expect("read"), [card()]);
        assert_eq!(reservations::waiting_counts(&mut write, later).await.expect("read"), [(card(), 3)]);
        let line = reservations::queue(&mut write, card(), 8, later, 10).await.expect("read");
        let waiters: Vec<_> = line.iter().map(|waiting| waiting.waiter).collect();
        assert_eq!(waiters, [Waiter::Order(first.id), Waiter::Lab(waiting.id), Waiter::Order(last.id)]);
        assert_eq!(reservations::queue(&mut write, card(), 8, later, 1).await.expect("read").len(), 1);
        assert_eq!(reservations::queue(&mut write, card(), 0, later, 10).await.expect("read"), [], "nobody whom no waiting helps");
        let listed = orders::get(&mut write, last.id).await.expect("read").expect("there");
        assert_eq!(listed.queue_position, Some(3));
    })
    .await;
}

#[tokio::test]
async fn the_newest_version_is_on_sale_and_every_change_raises_the_number() {
    for_each_engine("the_newest_version_is_on_sale_and_every_change_raises_the_number", |database| async move {
        let mut write = ground(&database).await;
        assert_eq!(offerings::version(&mut write).await.expect("read"), 0);
        offerings::raise_version(&mut write).await.expect("raised");
        offerings::raise_version(&mut write).await.expect("raised");
        assert_eq!(offerings::version(&mut write).await.expect("read"), 2);
        assert!(offerings::publish(&mut write, &offering(2), 1, now()).await.expect("published"));
        assert!(!offerings::publish(&mut write, &offering(2), 1, now()).await.expect("asked"), "it is there");
        assert_eq!(offerings::on_sale(&mut write).await.expect("read"), [offering(2)]);

        let book = PriceBookId::from_uuid(uuid(5));
        assert!(!prices::has_default(&mut write).await.expect("read"));
        prices::insert_book(&mut write, book, None, Currency::Cny).await.expect("a book");
        assert!(prices::has_default(&mut write).await.expect("read"));
        let price = domain::pricing::Price::new(domain::pricing::Meter::CpuCoreHour, 7, now());
        prices::insert_price(&mut write, book, &price).await.expect("a price");
        let books = prices::books(&mut write).await.expect("read");
        assert_eq!(books, [(None, PriceBook { prices: vec![price], ..PriceBook::empty(book, Currency::Cny) })]);

        assert_eq!(offerings::find(&mut write, offering(1).id, 1).await.expect("read"), Some(offering(1)), "also what is no more on sale");
        assert_eq!(offerings::find(&mut write, offering(1).id, 3).await.expect("read"), None);
    })
    .await;
}

#[tokio::test]
async fn the_room_of_a_node_is_what_neither_labs_nor_others_hold() {
    for_each_engine("the_room_of_a_node_is_what_neither_labs_nor_others_hold", |database| async move {
        let mut write = ground(&database).await;
        let order = order(1, OrderState::Approved);
        orders::insert(&mut write, &order).await.expect("inserted");
        let lab = lab(&order, LabState::Pending);
        labs::insert(&mut write, &lab, Currency::Cny).await.expect("inserted");
        pools::put(&mut write, card(), 16, 8, now()).await.expect("put");
        assert_eq!(placement::rooms(&mut write, card()).await.expect("read").nodes, [], "nodes are not known yet");
        let node = |node: &str, total, others| NodeCards { node: node.into(), total, others, machine: None };
        let room = |node: &str, total, free| Room { node: node.into(), total, free, machine: None, machine_free: None };
        let nodes = [node("n2", 8, 1), node("n1", 8, 0)];
        placement::put_nodes(&mut write, card(), &nodes).await.expect("put");
        placement::put_nodes(&mut write, card(), &nodes).await.expect("put again");
        assert!(reservations::take(lab.id, card(), 4, &["n1", "n3"], now()).run(&mut write).await.expect("taken"));
        placement::put_places(&mut write, lab.id, &[("n1".into(), 4)]).await.expect("planned");
        assert_eq!(placement::rooms(&mut write, card()).await.expect("read").nodes, [room("n1", 8, 4), room("n2", 8, 7)]);
        assert_eq!(pools::find(&mut write, card()).await.expect("read").expect("a pool").largest_node, 7);

        // The cluster put its pod elsewhere; what was asked of it stays as it was.
        placement::put_places(&mut write, lab.id, &[("n2".into(), 4)]).await.expect("placed");
        assert_eq!(placement::rooms(&mut write, card()).await.expect("read").nodes, [room("n1", 8, 8), room("n2", 8, 3)]);
        assert_eq!(placement::preferred_nodes(&mut write, lab.id).await.expect("read"), ["n1", "n3"]);
        let held = placement::Reserved { card: card(), cards: 4, per_pod: 1, places: vec![("n2".to_owned(), 4)] };
        assert_eq!(placement::places(&mut write).await.expect("read"), [(lab.id, held)].into());
        assert_eq!(placement::places_of(&mut write, lab.id).await.expect("read"), vec![("n2".to_owned(), 4)]);
        let held = nodes::held(&mut write).await.expect("read");
        assert_eq!((held.len(), held[0].node.as_str(), held[0].cards, held[0].owner.login.as_str()), (1, "n2", 4, "li"));

        reservations::release(&mut write, lab.id).await.expect("released");
        assert_eq!(placement::rooms(&mut write, card()).await.expect("read").nodes, [room("n1", 8, 8), room("n2", 8, 7)]);
        assert!(placement::preferred_nodes(&mut write, lab.id).await.expect("read").is_empty());
        placement::put_nodes(&mut write, card(), &[node("n2", 2, 3)]).await.expect("fewer");
        assert_eq!(placement::rooms(&mut write, card()).await.expect("read").nodes, [room("n2", 2, 0)], "never below none");
        placement::forget(&mut write, lab.id).await.expect("nothing to forget");

        // Cards beside no pod slot are of no use, and a lab gives its slot back with its cards.
        let slots = |pods| Some(Machine { cpu_cores: 64, memory_gib: 512, pods: Some(pods) });
        let nodes = [NodeCards { machine: slots(1), ..node("n1", 8, 0) }, NodeCards { machine: slots(5), ..node("n2", 8, 1) }];
        placement::put_nodes(&mut write, card(), &nodes).await.expect("put");
        let before = pools::find(&mut write, card()).await.expect("read").expect("a pool");
        assert_eq!((before.unusable, before.free()), (1, 15), "another pod holds one");
        assert!(reservations::take(lab.id, card(), 1, &[], now()).run(&mut write).await.expect("taken"));
        placement::put_places(&mut write, lab.id, &[("n1".into(), 1)]).await.expect("planned");
        let rooms = placement::rooms(&mut write, card()).await.expect("read").nodes;
        let free: Vec<_> = rooms.iter().map(|room| (room.free, room.machine_free.and_then(|machine| machine.pods))).collect();
        assert_eq!(free, [(7, Some(0)), (7, Some(5))]);
        let full = pools::find(&mut write, card()).await.expect("read").expect("a pool");
        assert_eq!((full.reserved, full.unusable, full.free()), (1, 8, 7), "seven cards of the first node are of no use");
        let spec = &lab.spec;
        let machine = Machine { cpu_cores: spec.cpu_cores, memory_gib: spec.memory_gib, pods: Some(1) };
        assert_eq!(nodes::held(&mut write).await.expect("read")[0].machine, machine);
        reservations::release(&mut write, lab.id).await.expect("released");
        assert_eq!(pools::find(&mut write, card()).await.expect("read"), Some(before));
    })
    .await;
}

#[tokio::test]
async fn what_waits_and_what_comes_up_is_found_for_the_nodes_page() {
    for_each_engine("what_waits_and_what_comes_up_is_found_for_the_nodes_page", |database| async move {
        let mut write = ground(&database).await;
        let (queued, made) = (order(1, OrderState::Queued), order(2, OrderState::Approved));
        for order in [&queued, &made] {
            orders::insert(&mut write, order).await.expect("inserted");
        }
        let lab = lab(&made, LabState::Starting);
        labs::insert(&mut write, &lab, Currency::Cny).await.expect("inserted");
        assert_eq!(nodes::coming_up(&mut write, tenant(), 10).await.expect("read"), [], "the cluster has said nothing of it");
        observations::put(&mut write, lab.id, &Observation::default(), now()).await.expect("observed");
        assert_eq!(nodes::coming_up(&mut write, tenant(), 10).await.expect("read"), [(lab.id, "lab-2".to_owned(), Observation::default())]);
        assert_eq!(nodes::queued(&mut write, tenant(), now().plus_minutes(9), 10).await.expect("read"), [queued.spec]);
        let abroad = TenantId::from_uuid(uuid(99));
        assert_eq!(nodes::queued(&mut write, abroad, now().plus_minutes(9), 10).await.expect("read"), []);
        assert_eq!(nodes::coming_up(&mut write, abroad, 10).await.expect("read"), []);
    })
    .await;
}
