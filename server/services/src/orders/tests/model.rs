//! Many people submitting, approving, changing, cancelling and waiting too long, against a reference model that is a list and a few sums.
//!
//! One after the other, everything is as the model says after every step. At the same time, nobody can say who comes first, but the sums
//! must be right: no quota and no pool is over by one, every approved order has its one lab, and nobody waits for cards that are free.

use domain::{
    decisions::ChangeForm,
    gpu::CardShare,
    ids::{LabId, OrderId},
    orders::OrderState,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use storage::testing::TestDatabase;

use super::{WHOLE, quota, reserved, whole};
use crate::{
    Caller, cluster_status,
    jobs::reconcile,
    labs,
    orders::{accept, approve, approve_with, cancel, decline, expire, get, promote, reject},
    testing::TestWorld,
};

/// Cards of the cluster, on one node; a course may have this many more than that.
const POOL: u32 = 6;
const LIMIT: u32 = 10;
const TEACHERS: usize = 3;

/// What somebody does. Numbers choose among the orders that are there.
#[derive(Debug, Clone)]
enum Deed {
    Submit {
        teacher: usize,
        cards: u32,
    },
    Approve(usize),
    ApproveWith {
        order: usize,
        cards: u32,
    },
    Accept(usize),
    Decline(usize),
    Reject(usize),
    Cancel(usize),
    Destroy(usize),
    /// Nobody does anything for so many days.
    Wait(i64),
}

impl Deed {
    /// The number that chooses an order.
    const fn chosen(&self) -> Option<usize> {
        match self {
            Self::Submit { .. } | Self::Wait(_) => None,
            Self::Approve(at) | Self::Accept(at) | Self::Decline(at) | Self::Reject(at) | Self::Cancel(at) | Self::Destroy(at) => Some(*at),
            Self::ApproveWith { order, .. } => Some(*order),
        }
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let any = 0..64_usize;
    prop_oneof![
        6 => (0..TEACHERS, 1..=4_u32).prop_map(|(teacher, cards)| Deed::Submit { teacher, cards }),
        4 => any.clone().prop_map(Deed::Approve),
        2 => (any.clone(), 1..=4_u32).prop_map(|(order, cards)| Deed::ApproveWith { order, cards }),
        2 => any.clone().prop_map(Deed::Accept),
        1 => any.clone().prop_map(Deed::Decline),
        1 => any.clone().prop_map(Deed::Reject),
        2 => any.clone().prop_map(Deed::Cancel),
        3 => any.prop_map(Deed::Destroy),
        1 => (1..9_i64).prop_map(Deed::Wait),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waits,
    /// The requester must agree to so many cards.
    Proposed(u32),
    Queued,
    Up,
    Over,
}

#[derive(Debug)]
struct Known {
    id: OrderId,
    teacher: usize,
    cards: u32,
    days_left: i64,
    phase: Phase,
}

/// The reference: what is there, and in which order it began to wait for cards.
#[derive(Debug, Default)]
struct Model {
    orders: Vec<Known>,
    /// Who waits, and whether they waited for so long that nobody passes them.
    queue: Vec<(usize, bool)>,
}

impl Model {
    fn sum(&self, of: impl Fn(Phase) -> bool) -> u32 {
        self.orders.iter().filter(|order| of(order.phase)).map(|order| order.cards).sum()
    }
    fn held(&self) -> u32 {
        self.sum(|phase| matches!(phase, Phase::Waits | Phase::Proposed(_) | Phase::Queued))
    }
    fn up(&self) -> u32 {
        self.sum(|phase| phase == Phase::Up)
    }
    /// Whether the course may have this many more.
    fn fits(&self, more: u32) -> bool {
        self.held() + self.up() + more <= LIMIT
    }
    fn granted(&mut self, at: usize) {
        self.orders[at].phase = Phase::Queued;
        self.queue.push((at, false));
        self.promote();
    }
    /// Each in the queue gets its cards if they are free. Who finds none is passed, unless they waited too long: there is one node.
    fn promote(&mut self) {
        let mut place = 0;
        while let Some((at, due)) = self.queue.get(place).copied() {
            if self.orders[at].phase != Phase::Queued {
                self.queue.remove(place);
            } else if self.up() + self.orders[at].cards <= POOL {
                self.orders[at].phase = Phase::Up;
                self.queue.remove(place);
            } else if due {
                return;
            } else {
                place += 1;
            }
        }
    }
    /// More has to fit, and the requester to agree; anything else is approved with it.
    fn changed(&mut self, at: usize, cards: u32) {
        let more = cards.saturating_sub(self.orders[at].cards);
        if more == 0 {
            self.orders[at].cards = cards;
            self.granted(at);
        } else if self.fits(more) {
            self.orders[at].phase = Phase::Proposed(cards);
        }
    }
    fn phase(&self, at: usize) -> Phase {
        self.orders[at].phase
    }

    /// What the deed does to orders that are there.
    fn apply(&mut self, deed: &Deed, at: usize) {
        match (deed, self.phase(at)) {
            (Deed::Approve(_), Phase::Waits) => self.granted(at),
            (Deed::ApproveWith { cards, .. }, Phase::Waits) => self.changed(at, *cards),
            (Deed::Accept(_), Phase::Proposed(cards)) if self.fits(cards - self.orders[at].cards) => {
                self.orders[at].cards = cards;
                self.granted(at);
            }
            (Deed::Decline(_), Phase::Proposed(_)) => self.orders[at].phase = Phase::Waits,
            (Deed::Reject(_), Phase::Waits)
            | (Deed::Cancel(_), Phase::Waits | Phase::Proposed(_) | Phase::Queued)
            | (Deed::Destroy(_), Phase::Up) => self.orders[at].phase = Phase::Over,
            _ => {}
        }
        self.promote();
    }

    fn wait(&mut self, days: i64) {
        for (_, due) in &mut self.queue {
            *due = true;
        }
        for order in &mut self.orders {
            order.days_left -= days;
            if matches!(order.phase, Phase::Waits | Phase::Proposed(_)) && order.days_left <= 0 {
                order.phase = Phase::Over;
            }
        }
    }
}

/// A course in a cluster of [`POOL`] cards, with the people of one case.
struct Stage<'w> {
    world: &'w TestWorld,
    course: domain::courses::Course,
    teachers: Vec<Caller>,
    manager: Caller,
}

impl<'w> Stage<'w> {
    async fn on(world: &'w TestWorld) -> Self {
        let code = format!("M{}", world.services.entropy.uuid().simple());
        let course = world.course(&code).cards(LIMIT.into()).cards_per_order(64).starts_per_day(10_000).budget(10_000_000).add().await;
        let mut teachers = Vec::new();
        for number in 0..TEACHERS {
            teachers.push(world.teacher(&format!("t{number}-{code}"), &[&course]).await);
        }
        world.cluster.set_nodes(&[("gpu-1", WHOLE, POOL)]);
        cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
        Self { world, course, teachers, manager: world.manager(&format!("m-{code}")).await }
    }

    /// Whatever the rules say to it is an answer; only faults of the portal are none.
    async fn deed(&self, deed: &Deed, order: Option<(OrderId, &Caller)>) -> Option<OrderId> {
        let services = &self.world.services;
        let answer = match (deed, order) {
            (Deed::Submit { teacher, cards }, _) => {
                super::order(self.world, &self.teachers[*teacher], &whole(&self.course, *cards)).await.map(|view| Some(view.order.id))
            }
            (Deed::Wait(days), _) => {
                self.world.clock.advance(days * 24 * 3_600);
                expire(services).await.map(|_| None)
            }
            (_, None) => Ok(None),
            (Deed::Approve(_), Some((id, _))) => approve(services, &self.manager, id, None).await.map(|_| None),
            (Deed::ApproveWith { cards, .. }, Some((id, _))) => {
                let form = ChangeForm { parameters: [("cards".to_owned(), cards.to_string())].into(), duration_minutes: String::new() };
                approve_with(services, &self.manager, id, &form, "", None).await.map(|_| None)
            }
            (Deed::Accept(_), Some((id, owner))) => accept(services, owner, id, None).await.map(|_| None),
            (Deed::Decline(_), Some((id, owner))) => decline(services, owner, id, "", None).await.map(|_| None),
            (Deed::Reject(_), Some((id, _))) => reject(services, &self.manager, id, "Not now", None).await.map(|_| None),
            (Deed::Cancel(_), Some((id, owner))) => cancel(services, owner, id).await.map(|_| None),
            (Deed::Destroy(_), Some((id, owner))) => match self.lab(id).await {
                Some(lab) => labs::destroy(services, owner, lab).await.map(|_| None),
                None => Ok(None),
            },
        };
        match answer {
            Ok(made) => made,
            Err(fault @ (domain::Error::Internal { .. } | domain::Error::Unavailable { .. })) => panic!("{deed:?}: {fault:?}"),
            Err(_) => None,
        }
    }

    async fn lab(&self, id: OrderId) -> Option<LabId> {
        get(&self.world.services, &self.manager, id).await.expect("read").labs.first().copied()
    }

    /// The jobs, until nothing is due.
    async fn settle(&self) {
        let services = &self.world.services;
        while reconcile::due(services).await.expect("the database answers") + promote(services).await.expect("the database answers") > 0 {}
    }

    async fn state(&self, id: OrderId) -> OrderState {
        super::state(&self.world.services, id).await
    }

    /// Nothing is left for the next case.
    async fn clear(&self, orders: impl Iterator<Item = (OrderId, usize)>) {
        for (id, teacher) in orders {
            let owner = &self.teachers[teacher];
            self.deed(&Deed::Cancel(0), Some((id, owner))).await;
            self.settle().await;
            self.deed(&Deed::Destroy(0), Some((id, owner))).await;
            self.settle().await;
        }
        let quota = quota(self.world, self.course.id).await;
        assert_eq!((quota.used.cards, quota.held.cards, quota.budget.held.micros), (CardShare::default(), CardShare::default(), 0));
        assert_eq!(reserved(self.world, WHOLE).await, 0);
    }
}

/// The model and the portal take each deed; they agree after each.
async fn in_turn(world: &TestWorld, deeds: &[Deed]) -> Result<(), TestCaseError> {
    let (stage, mut model) = (Stage::on(world).await, Model::default());
    let result = agree(&stage, &mut model, deeds).await;
    stage.clear(model.orders.iter().map(|known| (known.id, known.teacher))).await;
    result
}

async fn agree(stage: &Stage<'_>, model: &mut Model, deeds: &[Deed]) -> Result<(), TestCaseError> {
    let world = stage.world;
    for (step, deed) in deeds.iter().enumerate() {
        world.clock.advance(1);
        let at = deed.chosen().and_then(|at| at.checked_rem(model.orders.len()));
        let order = at.map(|at| (model.orders[at].id, &stage.teachers[model.orders[at].teacher]));
        let made = stage.deed(deed, order).await;
        stage.settle().await;
        match (deed, at) {
            (Deed::Submit { teacher, cards }, _) => {
                prop_assert_eq!(made.is_some(), model.fits(*cards), "step {}: {:?} on {:?}", step, deed, model);
                if let Some(id) = made {
                    model.orders.push(Known { id, teacher: *teacher, cards: *cards, days_left: 7, phase: Phase::Waits });
                    if *cards == 1 {
                        // Nobody has to allow one card.
                        model.granted(model.orders.len() - 1);
                    }
                }
            }
            (Deed::Wait(days), _) => model.wait(*days),
            (_, Some(at)) => model.apply(deed, at),
            (_, None) => {}
        }
        let quota = quota(world, stage.course.id).await;
        let (used, held) = (CardShare::whole(model.up().into()), CardShare::whole(model.held().into()));
        prop_assert_eq!((quota.used.cards, quota.held.cards), (used, held), "step {}: {:?}, {:?}", step, deed, model);
        prop_assert_eq!(reserved(world, WHOLE).await, model.up(), "step {}: {:?}", step, deed);
        for known in &model.orders {
            let now = stage.state(known.id).await;
            let agrees = match known.phase {
                Phase::Waits => now == OrderState::PendingApproval,
                Phase::Proposed(_) => now == OrderState::AwaitingRequester,
                Phase::Queued => now == OrderState::Queued,
                Phase::Up => matches!(now, OrderState::Approved | OrderState::Fulfilled),
                Phase::Over => matches!(now, OrderState::Rejected | OrderState::Cancelled | OrderState::Fulfilled),
            };
            prop_assert!(agrees, "step {}: {:?}: {:?} is {:?}", step, deed, known, now);
        }
    }
    Ok(())
}

/// Everybody at once, a crowd at a time; then the sums.
async fn at_once(world: &TestWorld, crowds: &[Vec<Deed>]) -> Result<(), TestCaseError> {
    let (stage, mut orders) = (Stage::on(world).await, Vec::new());
    let result = sums_are_right(&stage, &mut orders, crowds).await;
    stage.clear(orders.into_iter()).await;
    result
}

async fn sums_are_right(stage: &Stage<'_>, orders: &mut Vec<(OrderId, usize)>, crowds: &[Vec<Deed>]) -> Result<(), TestCaseError> {
    let world = stage.world;
    for crowd in crowds {
        world.clock.advance(1);
        let there = &*orders;
        let done = futures::future::join_all(crowd.iter().map(async |deed| {
            let at = deed.chosen().and_then(|at| at.checked_rem(there.len()));
            let order = at.and_then(|at| there.get(at)).map(|(id, teacher)| (*id, &stage.teachers[*teacher]));
            (deed, stage.deed(deed, order).await)
        }))
        .await;
        for (deed, made) in done {
            if let (Deed::Submit { teacher, .. }, Some(id)) = (deed, made) {
                orders.push((id, *teacher));
            }
        }
        stage.settle().await;
        let (mut held, mut up, mut first_waiting) = (0, 0, None);
        for (id, _) in &*orders {
            let view = get(&world.services, &stage.manager, *id).await.expect("read");
            let cards = view.order.spec.cards();
            let labs = view.labs.len();
            match view.order.state {
                OrderState::PendingApproval | OrderState::AwaitingRequester | OrderState::Queued => {
                    held += cards;
                    prop_assert_eq!(labs, 0, "no lab before its time: {:?}", view.order.state);
                    if view.queue_position == Some(1) {
                        first_waiting = Some(cards);
                    }
                }
                OrderState::Approved | OrderState::Fulfilled => {
                    prop_assert_eq!(labs, 1, "one lab for one order");
                    let lab = labs::get(&world.services, &stage.manager, view.labs[0]).await.expect("read").view.lab;
                    if lab.state != domain::labs::LabState::Destroyed {
                        up += cards;
                    }
                }
                OrderState::Rejected | OrderState::Cancelled | OrderState::Failed => {}
            }
        }
        let quota = quota(world, stage.course.id).await;
        prop_assert_eq!((quota.used.cards, quota.held.cards), (CardShare::whole(up.into()), CardShare::whole(held.into())));
        prop_assert_eq!(reserved(world, WHOLE).await, up);
        prop_assert!(up <= POOL && up + held <= LIMIT, "{} up and {} held", up, held);
        prop_assert!(first_waiting.is_none_or(|cards| up + cards > POOL), "{:?} wait while {} of {} are up", first_waiting, up, POOL);
    }
    Ok(())
}

/// One world for all cases, since a case leaves nothing behind; proptest prints what it shrank a failure to, and the seed of it.
fn run<S: Strategy<Value = V>, V: std::fmt::Debug>(
    test: &str,
    cases: u32,
    strategy: S,
    case: &impl AsyncFn(&TestWorld, V) -> Result<(), TestCaseError>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let databases = runtime.block_on(async { [Some(TestDatabase::sqlite().await), TestDatabase::postgres(test).await] });
    let config = Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    for database in databases.into_iter().flatten() {
        let world = runtime.block_on(TestWorld::college_on(database));
        let mut runner = TestRunner::new(config.clone());
        if let Err(error) = runner.run(&strategy, |value| runtime.block_on(case(&world, value))) {
            panic!("{:?}: {error}", world.services.db.engine());
        }
    }
}

#[test]
fn orders_are_as_the_reference_model_says_after_every_deed() {
    run("orders_are_as_the_reference_model_says_after_every_deed", 24, prop::collection::vec(deed(), 1..40), &async |world, deeds| {
        in_turn(world, &deeds).await
    });
}

#[test]
fn of_many_at_once_nobody_is_over_by_one_and_nobody_is_forgotten() {
    let crowds = prop::collection::vec(prop::collection::vec(deed(), 2..12), 1..6);
    run("of_many_at_once_nobody_is_over_by_one_and_nobody_is_forgotten", 16, crowds, &async |world, crowds| at_once(world, &crowds).await);
}
