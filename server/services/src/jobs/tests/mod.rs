//! The whole life of labs against a real database and a cluster in memory. `Scene` is a college with one course and a teacher.

mod bills;
mod blocked;
mod changes;
mod clock;
mod competing;
mod faults;
mod files;
mod fixtures;
mod handover;
mod idle;
mod job_logs;
mod keys;
mod life;
mod metering;
mod notices;
mod outage;
mod volumes;

use domain::{
    courses::Course,
    ids::LabId,
    labs::{Lab, LabState},
    money::Currency,
    orders::{OrderForm, OrderState, OrderView},
};
use storage::testing::TestDatabase;

use super::reconcile;
use crate::{Caller, Settings, cluster_status, orders, ports::LabOrder, testing::TestWorld};

struct Scene {
    world: TestWorld,
    course: Course,
    teacher: Caller,
}

impl Scene {
    async fn on(database: TestDatabase) -> Self {
        Self::with(database, Settings { simulated_cluster: true, ..Settings::default() }).await
    }

    async fn with(database: TestDatabase, settings: Settings) -> Self {
        let world = TestWorld::college_with(database, settings).await;
        let course = world.course("CV2402").add().await;
        let teacher = world.teacher("li.hua", &[&course]).await;
        cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
        Self { world, course, teacher }
    }

    /// An order for a slice, by the policy approved at once; 90 minutes.
    async fn order(&self) -> OrderView {
        self.order_by(&self.teacher).await
    }

    async fn order_by(&self, caller: &Caller) -> OrderView {
        let form = OrderForm {
            offering: "jupyterlab-slice".into(),
            course: self.course.code.clone(),
            duration_minutes: "90".into(),
            ..OrderForm::default()
        };
        let key = orders::IdempotencyKey::parse(&self.world.services.entropy.uuid().to_string()).expect("a key");
        orders::submit(&self.world.services, caller, &form, &key).await.expect("an order")
    }

    /// A lab that nobody has told the cluster of yet.
    async fn pending(&self) -> LabId {
        let view = self.order().await;
        assert_eq!(view.order.state, OrderState::Approved);
        view.labs[0]
    }

    async fn running(&self) -> LabId {
        let id = self.pending().await;
        self.settle().await;
        assert_eq!(self.lab(id).await.state, LabState::Running);
        id
    }

    /// Does all work until nothing is due.
    async fn settle(&self) {
        for _ in 0..50 {
            if reconcile::due(&self.world.services).await.expect("the database answers") == 0 {
                return;
            }
        }
        panic!("the work does not come to an end");
    }

    async fn lab(&self, id: LabId) -> Lab {
        let mut read = self.world.services.db.read().await.expect("a connection");
        storage::labs::get(&mut read, id).await.expect("read").expect("the lab is there")
    }

    async fn order_state(&self, id: LabId) -> OrderState {
        let lab = self.lab(id).await;
        let mut read = self.world.services.db.read().await.expect("a connection");
        storage::orders::find(&mut read, lab.order).await.expect("read").expect("the order is there").state
    }

    async fn lab_order(&self, id: LabId) -> LabOrder {
        super::lab_order(&self.world.services, id).await.expect("read").expect("the lab is there")
    }

    /// `pending order`, `starting applied`, …
    async fn steps(&self, id: LabId) -> Vec<String> {
        let mut read = self.world.services.db.read().await.expect("a connection");
        let history = storage::labs::history(&mut read, id).await.expect("read");
        history.into_iter().map(|change| format!("{} {}", change.to.as_str(), change.cause)).collect()
    }

    /// Slices that labs hold.
    async fn reserved(&self) -> u32 {
        let mut read = self.world.services.db.read().await.expect("a connection");
        let card = "a100-80g-1g.10gb".parse().expect("a card");
        storage::pools::find(&mut read, card).await.expect("read").map_or(0, |pool| pool.reserved)
    }

    async fn waiting_work(&self) -> usize {
        let mut read = self.world.services.db.read().await.expect("a connection");
        storage::outbox::due(&mut read, self.world.services.clock.now().plus_minutes(60), 100).await.expect("read").len()
    }

    /// Actions of the audit record about one object, oldest first.
    async fn recorded(&self, object: &str) -> Vec<String> {
        let mut read = self.world.services.db.read().await.expect("a connection");
        let chain = domain::audit::Chain::Tenant(self.world.tenant);
        let filter = domain::audit::Filter { object: Some(object.into()), ..domain::audit::Filter::default() };
        let engine = self.world.services.db.engine();
        let found =
            storage::audit::read::search(&mut read, engine, &[chain], None, &filter, storage::audit::read::Side::Newest, 100).await.expect("read");
        found.into_iter().rev().map(|listed| listed.event.action).collect()
    }
}

const CNY: Currency = Currency::Cny;
