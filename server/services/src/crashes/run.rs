//! One telling of a story: a course with people of its own, a process that may die, and people who try again.

use std::sync::Arc;

use domain::{
    Error, Result,
    courses::Course,
    ids::{LabId, OrderId},
    labs::Lab,
    orders::{Order, OrderForm, OrderView},
};
use storage::testing::fuse::{Fault, Fuse, Step};

use super::{outcome::Outcome, stories::Story};
use crate::{
    Caller, Services, audit, cluster_status,
    jobs::{metering, reconcile},
    labs, orders,
    orders::IdempotencyKey,
    testing::{FragileCluster, TestWorld},
};

const NODES: [(&str, &str, u32); 3] = [("gpu-1", "a100-80g", 8), ("gpu-2", "a100-80g", 8), ("gpu-3", "a100-80g-1g.10gb", 14)];

pub(super) struct Run<'w> {
    pub world: &'w TestWorld,
    pub course: Course,
    pub teacher: Caller,
    pub manager: Caller,
    /// Of the process that lives now.
    services: Services,
    fuse: Fuse,
    keys: u32,
}

impl<'w> Run<'w> {
    /// Tells it to its end: the steps that it took, and how it ended.
    pub async fn tell(world: &'w TestWorld, story: Story, plan: Option<(usize, Fault)>) -> (Vec<Step>, Outcome) {
        let fuse = world.services.db.fuse().clone();
        fuse.arm(None);
        let code = format!("C{}", world.services.entropy.uuid().simple());
        let course = world.course(&code).add().await;
        let teacher = world.teacher(&format!("t-{code}"), &[&course]).await;
        let manager = world.manager(&format!("m-{code}")).await;
        // An hour later, and the cluster as it was at first.
        world.clock.advance(3_600);
        world.cluster.set_nodes(&NODES);
        cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
        let mut run = Self { world, course, teacher, manager, services: process(world, &fuse), fuse, keys: 0 };
        run.fuse.arm(plan);
        Box::pin(story.tell(&mut run)).await;
        run.settle().await;
        run.act(metering::run).await;
        run.act(audit::seal).await;
        assert_eq!(run.fuse.blown(), plan.is_some(), "{story:?}: the fault happens where it was planned: {plan:?}");
        let steps = run.fuse.steps();
        run.fuse.arm(None);
        let outcome = Outcome::of(&run).await;
        // Nobody of this telling is told of the next one's orders.
        for person in [&run.teacher, &run.manager] {
            let sql = format!("DELETE FROM user_roles WHERE user_id = '{}'", person.actor.user);
            storage::testing::execute(&world.services.db, &sql).await.expect("no roles any more");
        }
        (steps, outcome)
    }

    /// Does it until an answer comes: over errors of what is away, and in a new process after a crash. Who tries again may find that it
    /// was done: `None` then.
    pub async fn act<T>(&mut self, what: impl AsyncFn(&Services) -> Result<T>) -> Option<T> {
        let mut again = false;
        for _ in 0..20 {
            let answer = what(&self.services).await;
            if self.fuse.dead() {
                self.fuse.revive();
                self.services = process(self.world, &self.fuse);
            } else {
                match answer {
                    Ok(value) => return Some(value),
                    Err(Error::Stale | Error::InvalidTransition { .. }) if again => return None,
                    Err(Error::Unavailable { .. }) if self.fuse.blown() => {}
                    Err(error) => panic!("refused: {error:?}"),
                }
            }
            again = true;
        }
        panic!("it never comes to an end");
    }

    /// Asks for what the rules do not allow until it hears so.
    pub async fn refused<T>(&mut self, what: impl AsyncFn(&Services) -> Result<T>) {
        let denied = self
            .act(async |services| match what(services).await {
                Err(Error::Forbidden) => Ok(true),
                Err(other) => Err(other),
                Ok(_) => Ok(false),
            })
            .await;
        assert_eq!(denied, Some(true), "the rules say no");
    }

    /// As the jobs do it, until nothing moves any more: what was tried in vain is tried again later, what waits for pods is looked at again.
    pub async fn settle(&mut self) {
        let (mut before, mut quiet) = (Vec::new(), 0);
        for _ in 0..60 {
            while self.act(reconcile::due).await != Some(0) {}
            self.act(orders::promote).await;
            let rows = async |sql| storage::testing::texts(&self.world.services.db, sql).await;
            if rows("SELECT id FROM outbox").await.is_empty() {
                return;
            }
            let failed = rows("SELECT id FROM outbox WHERE last_error IS NOT NULL").await;
            let moved = rows("SELECT lab_id || ' ' || seq FROM lab_changes ORDER BY lab_id DESC, seq DESC LIMIT 8").await;
            quiet = if failed.is_empty() && before == moved { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
            before = moved;
            self.world.clock.advance(31);
        }
        panic!("the work does not come to an end");
    }

    /// Orders once, whatever happens in between.
    pub async fn order(&mut self, form: OrderForm) -> OrderView {
        self.keys += 1;
        let key = IdempotencyKey::parse(&format!("{}-{}", self.course.code, self.keys)).expect("a key");
        let caller = self.teacher.clone();
        self.act(async |services| orders::submit(services, &caller, &form, &key).await).await.expect("an answer in the end")
    }

    /// A running slice.
    pub async fn running(&mut self) -> LabId {
        let form = self.slice();
        let lab = self.order(form).await.labs[0];
        self.settle().await;
        lab
    }

    pub async fn lab(&self, id: LabId) -> Lab {
        let mut read = self.world.services.db.read().await.expect("a connection");
        storage::labs::get(&mut read, id).await.expect("read").expect("the lab is there")
    }

    pub async fn stored(&self, id: OrderId) -> Order {
        let mut read = self.world.services.db.read().await.expect("a connection");
        storage::orders::find(&mut read, id).await.expect("read").expect("the order is there")
    }

    /// The lab that an order has become.
    pub async fn lab_of(&self, id: OrderId) -> LabId {
        orders::get(&self.world.services, &self.teacher, id).await.expect("read").labs[0]
    }

    pub async fn destroy(&mut self, lab: LabId) {
        let caller = self.teacher.clone();
        self.act(async |services| labs::destroy(services, &caller, lab).await).await;
        self.settle().await;
    }

    /// A slice for four hours: automatic by the default policy.
    pub fn slice(&self) -> OrderForm {
        OrderForm { offering: "jupyterlab-slice".into(), course: self.course.code.clone(), duration_minutes: "240".into(), ..OrderForm::default() }
    }

    /// A batch job for two hours, tried again twice.
    pub fn job(&self) -> OrderForm {
        OrderForm { offering: "batch-training".into(), duration_minutes: "120".into(), ..self.slice() }
    }

    /// Whole cards for two hours: two or more ask a manager.
    pub fn whole(&self, cards: u32) -> OrderForm {
        let parameters = [("cards", cards), ("cpu_cores", 8), ("memory_gib", 64), ("storage_gib", 128)];
        OrderForm {
            offering: "jupyterlab-2xa100-1tb".into(),
            course: self.course.code.clone(),
            parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_string())).into(),
            duration_minutes: "120".into(),
            ..OrderForm::default()
        }
    }
}

/// A process of the portal: caches and news of its own over the same database and cluster.
fn process(world: &TestWorld, fuse: &Fuse) -> Services {
    let cluster = Arc::new(FragileCluster::new(Arc::clone(&world.cluster), fuse.clone()));
    let parts = &world.services;
    Services::new(parts.db.clone(), Arc::clone(&parts.clock), Arc::clone(&parts.entropy), cluster, parts.settings.clone())
}
