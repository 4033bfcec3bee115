//! Orders as people and jobs use them, on both engines wherever the database decides something.

mod cancelling;
mod classes;
mod deciding;
mod leaving;
mod model;
mod queueing;
mod reading;
mod staged;
mod submitting;
mod withdrawing;

use domain::{
    Error,
    courses::Course,
    gpu::Card,
    ids::{CourseId, OrderId},
    orders::{OrderForm, OrderState, OrderView},
    quotas::QuotaStatus,
};

use super::{IdempotencyKey, submit};
use crate::{Caller, Services, testing::TestWorld};

pub(super) const SLICE: &str = "a100-80g-1g.10gb";
pub(super) const WHOLE: &str = "a100-80g";

/// The body runs in a college of its own on every engine.
macro_rules! on_each_engine {
    ($name:ident, |$world:ident| $body:block) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            storage::testing::for_each_engine(stringify!($name), |database| async move {
                let $world = crate::testing::TestWorld::college_on(database).await;
                $body
            })
            .await;
        }
    };
}
pub(super) use on_each_engine;

/// The cluster reports so many cards of a kind, all on one node.
pub(super) async fn cards(world: &TestWorld, card: &str, total: u32) {
    cards_on(world, card, &[total]).await;
}

/// The cluster reports nodes with so many cards each.
pub(super) async fn cards_on(world: &TestWorld, card: &str, nodes: &[u32]) {
    let card: Card = card.parse().expect("a card");
    let mut write = world.services.db.begin_write().await.expect("a transaction");
    let (total, largest) = (nodes.iter().sum(), nodes.iter().max().copied().unwrap_or_default());
    storage::pools::put(&mut write, card, total, largest, crate::ports::Clock::now(&*world.clock)).await.expect("put");
    let nodes: Vec<_> = (1..)
        .zip(nodes)
        .map(|(at, total)| storage::placement::NodeCards { node: format!("gpu-{at}"), total: *total, others: 0, machine: None })
        .collect();
    storage::placement::put_nodes(&mut write, card, &nodes).await.expect("put");
    write.commit().await.expect("committed");
}

/// A slice for 90 minutes: automatic by the default policy.
pub(super) fn slice(course: &Course) -> OrderForm {
    OrderForm { offering: "jupyterlab-slice".into(), course: course.code.clone(), duration_minutes: "90".into(), ..OrderForm::default() }
}

/// Whole cards for two hours: two or more ask a manager.
pub(super) fn whole(course: &Course, cards: u32) -> OrderForm {
    OrderForm {
        offering: "jupyterlab-2xa100-1tb".into(),
        course: course.code.clone(),
        parameters: [
            ("cards".into(), cards.to_string()),
            ("cpu_cores".into(), "8".into()),
            ("memory_gib".into(), "64".into()),
            ("storage_gib".into(), "128".into()),
        ]
        .into(),
        duration_minutes: "120".into(),
        ..OrderForm::default()
    }
}

pub(super) fn key(text: impl std::fmt::Display) -> IdempotencyKey {
    IdempotencyKey::parse(&text.to_string()).expect("a key")
}

/// Submits under a key of its own.
pub(super) async fn order(world: &TestWorld, caller: &Caller, form: &OrderForm) -> Result<OrderView, Error> {
    submit(&world.services, caller, form, &key(crate::ports::Entropy::uuid(&*world.services.entropy))).await
}

pub(super) async fn state(services: &Services, id: OrderId) -> OrderState {
    let mut connection = services.db.read().await.expect("a connection");
    storage::orders::find(&mut connection, id).await.expect("read").expect("an order").state
}

pub(super) async fn quota(world: &TestWorld, course: CourseId) -> QuotaStatus {
    let mut connection = world.services.db.read().await.expect("a connection");
    let now = crate::ports::Clock::now(&*world.clock);
    storage::quotas::of_course(&mut connection, course, now).await.expect("read").expect("a course").status
}

/// Cards of a kind that labs hold.
pub(super) async fn reserved(world: &TestWorld, card: &str) -> u32 {
    let mut connection = world.services.db.read().await.expect("a connection");
    storage::pools::find(&mut connection, card.parse().expect("a card")).await.expect("read").map_or(0, |pool| pool.reserved)
}

/// Records of this action with their outcome and code.
pub(super) async fn records(world: &TestWorld, action: &str) -> Vec<(String, Option<String>)> {
    let auditor = world.auditor(&format!("auditor-{}", crate::ports::Entropy::uuid(&*world.services.entropy))).await;
    let filter = domain::audit::Filter { action: Some(action.into()), ..Default::default() };
    let page = domain::page::PageRequest { limit: 200, after: None };
    let page = crate::audit::search(&world.services, &auditor, &filter, &page).await.expect("found");
    page.items.into_iter().map(|listed| (listed.event.outcome.as_str().to_owned(), listed.event.code)).collect()
}
