//! Random histories against the recount: hundreds of labs over three months, with prices, discounts, restarts and closed months.

use domain::{
    billing::AdjustmentForm,
    courses::Course,
    ids::{LabId, OrderId},
    labs::{Lab, LabState},
    orders::{Order, OrderForm},
    pricing::{DiscountForm, PriceForm},
};
use storage::testing::{TestDatabase, execute, for_each_engine};

use super::*;
use crate::{Caller, billing, jobs::metering, orders, prices, testing::TestWorld};

/// Numbers that are always the same and look like chance.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

struct History {
    world: TestWorld,
    administrator: Caller,
    courses: Vec<Course>,
    model: (Order, Lab),
    labs: Vec<Lab>,
    dice: Dice,
}

impl History {
    async fn on(database: TestDatabase, seed: u64) -> Self {
        let world = TestWorld::college_on(database).await;
        let courses = vec![world.course("CV2402").add().await, world.course("NLP").add().await];
        let teacher = world.teacher("li.hua", &[&courses[0]]).await;
        let administrator = world.administrator("zhou").await;
        crate::cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
        let form =
            OrderForm { offering: "jupyterlab-slice".into(), course: courses[0].code.clone(), duration_minutes: "90".into(), ..OrderForm::default() };
        let key = orders::IdempotencyKey::parse("model").expect("a key");
        let view = orders::submit(&world.services, &teacher, &form, &key).await.expect("an order");
        let mut read = world.services.db.read().await.expect("a connection");
        let lab = storage::labs::get(&mut read, view.labs[0]).await.expect("read").expect("there");
        drop(read);
        Self { world, administrator, courses, model: (view.order, lab), labs: Vec::new(), dice: Dice(seed) }
    }

    async fn step(&mut self) {
        // Never twice in the same instant, and not in whole seconds.
        let pause = 1 + self.dice.roll(40 * 60);
        let micros = i64::try_from(self.dice.roll(999_999)).expect("small");
        let services = self.world.services.clone();
        let now = services.clock.now();
        self.world
            .clock
            .set(domain::time::Timestamp::from_micros(now.plus_seconds(i64::try_from(pause).expect("small")).micros() / SECOND * SECOND + micros));
        match self.dice.roll(100) {
            0..30 => self.add_lab().await,
            30..88 => self.move_lab().await,
            88..90 => self.price().await,
            90..92 => self.discount().await,
            92..94 => self.credit().await,
            _ => drop(metering::run(&services).await.expect("meters")),
        }
    }

    async fn add_lab(&mut self) {
        let services = &self.world.services;
        let (mut order, mut lab) = self.model.clone();
        order.id = OrderId::from_uuid(services.entropy.uuid());
        let course = &self.courses[usize::try_from(self.dice.roll(2)).expect("small")];
        (order.course, lab.course) = (course.id, course.id);
        lab.id = LabId::from_uuid(services.entropy.uuid());
        lab.order = order.id;
        lab.name = format!("lab-{}", lab.id);
        lab.state = LabState::Pending;
        lab.version = 1;
        lab.spec.storage_gib = u32::try_from(self.dice.roll(3) * 50).expect("small");
        let mut write = services.db.begin_write().await.expect("a transaction");
        order.number = storage::orders::next_numbers(&mut write, 1).await.expect("a number");
        storage::orders::insert(&mut write, &order).await.expect("an order");
        storage::labs::insert(&mut write, &lab, domain::money::Currency::Cny).await.expect("a lab");
        storage::labs::change(lab.id, None, lab.state, services.clock.now(), "order", None).run(&mut write).await.expect("a change");
        write.commit().await.expect("committed");
        self.labs.push(lab);
    }

    async fn move_lab(&mut self) {
        let alive: Vec<_> = (0..self.labs.len()).filter(|at| self.labs[*at].state != LabState::Destroyed).collect();
        if alive.is_empty() {
            return;
        }
        let index = alive[usize::try_from(self.dice.roll(alive.len() as u64)).expect("small")];
        let roll = self.dice.roll(10);
        let to = match self.labs[index].state {
            LabState::Pending => LabState::Starting,
            LabState::Starting if roll == 0 => LabState::Failed,
            LabState::Starting | LabState::Failed => LabState::Running,
            LabState::Running if roll == 0 => LabState::Starting,
            LabState::Running => LabState::Stopping,
            LabState::Stopping => LabState::Stopped,
            LabState::Stopped if roll < 6 => LabState::Pending,
            LabState::Stopped => LabState::Destroying,
            LabState::Destroying | LabState::Destroyed => LabState::Destroyed,
        };
        let services = &self.world.services;
        let lab = &mut self.labs[index];
        let from = std::mem::replace(&mut lab.state, to);
        let mut write = services.db.begin_write().await.expect("a transaction");
        assert!(storage::labs::save(&mut write, lab).await.expect("saved"));
        storage::labs::change(lab.id, Some(from), to, services.clock.now(), "test", None).run(&mut write).await.expect("a change");
        write.commit().await.expect("committed");
        lab.version += 1;
    }

    async fn price(&mut self) {
        let meter = ["gpu-a100-80g-1g.10gb-hour", "cpu-core-hour", "storage-gib-month"][usize::try_from(self.dice.roll(3)).expect("small")];
        let planned = self.dice.roll(2) == 0;
        let day = self.world.services.clock.now().end_of_campus_day().on_campus().date();
        let form = PriceForm {
            meter: meter.into(),
            price: format!("{}.{:06}", self.dice.roll(3), self.dice.roll(1_000_000)),
            quoted: String::new(),
            from: if planned { day } else { String::new() },
        };
        prices::set_price(&self.world.services, &self.administrator, &form).await.expect("a price");
    }

    async fn discount(&mut self) {
        let services = &self.world.services;
        let form =
            DiscountForm { percent: format!("{}.{}", self.dice.roll(90), 1 + self.dice.roll(9)), reason: "pilot".into(), ..DiscountForm::default() };
        if prices::grant_discount(services, &self.administrator, &form).await.is_err() {
            let list = prices::list(services, &self.administrator).await.expect("a list");
            let now = services.clock.now();
            let held = list.book.discounts.iter().find(|each| each.holds(now)).expect("what is in the way").id;
            prices::end_discount(services, &self.administrator, held).await.expect("ended");
        }
    }

    async fn credit(&mut self) {
        let form = AdjustmentForm { course: "NLP".into(), kind: "credit".into(), amount: "1.25".into(), reason: "The cards were away".into() };
        billing::adjust(&self.world.services, &self.administrator, &form, None).await.expect("a credit");
    }

    async fn agrees(&self) {
        metering::run(&self.world.services).await.expect("meters");
        let differences = recount(&self.world.services).await;
        let shown: Vec<_> = differences.iter().take(5).map(ToString::to_string).collect();
        assert!(differences.is_empty(), "{} differences\n{}", differences.len(), shown.join("\n"));
    }
}

#[tokio::test]
async fn bills_of_random_histories_agree_with_an_independent_recount() {
    for_each_engine("bills_of_random_histories_agree_with_an_independent_recount", |database| async {
        let mut history = History::on(database, 20_261_121).await;
        let services = history.world.services.clone();
        let first = services.clock.now().campus_month();
        let mut closed = first;
        for step in 0..1_000_u32 {
            history.step().await;
            if step % 250 == 249 {
                // Over the month's end, so that intervals are cut there, and the month before is closed.
                let ahead = services.clock.now().campus_month().end();
                history.world.clock.set(ahead.plus_seconds(3_600));
                history.agrees().await;
                billing::close(&services, &history.administrator, closed).await.expect("closed");
                closed = closed.next();
            }
        }
        history.agrees().await;
        assert!(history.labs.len() > 250, "{} labs", history.labs.len());
        let bills = billing::months(&services, &history.administrator).await.expect("months");
        assert!(bills.len() >= 4 && bills.iter().filter(|month| month.closing.is_some()).count() >= 4, "{bills:?}");
        assert!(bills.iter().all(|month| month.usage.micros > 0));
    })
    .await;
}

#[tokio::test]
async fn the_recount_notices_a_single_micro_unit() {
    let mut history = History::on(TestDatabase::sqlite().await, 7).await;
    for _ in 0..60 {
        history.step().await;
    }
    history.agrees().await;
    let services = &history.world.services;
    execute(&services.db, "UPDATE usage_records SET amount_micros = amount_micros + 1 WHERE lab_id = (SELECT MIN(lab_id) FROM usage_records)")
        .await
        .expect("tampered");
    assert!(!recount(services).await.is_empty());
}

#[tokio::test]
async fn what_comes_to_light_after_the_close_is_a_correction_and_the_bill_stays() {
    for_each_engine("what_comes_to_light_after_the_close_is_a_correction_and_the_bill_stays", |database| async {
        let mut history = History::on(database, 3).await;
        for _ in 0..120 {
            history.step().await;
        }
        let services = history.world.services.clone();
        let month = services.clock.now().campus_month();
        history.world.clock.set(month.end().plus_seconds(60));
        metering::run(&services).await.expect("meters");
        billing::close(&services, &history.administrator, month).await.expect("closed");
        let bills = || async { billing::bills(&services, &history.administrator, month).await.expect("bills") };
        let before = bills().await;
        assert!(before.iter().all(|bill| bill.closed));
        // It turns out that a lab ran an hour longer than was known: its last stop moves, and the lab is looked at again.
        let moved = execute(
            &services.db,
            "UPDATE lab_changes SET at = at + 3600000000 WHERE (lab_id, seq) = (SELECT lab_id, seq FROM lab_changes c WHERE to_state = 'stopping' \
             AND NOT EXISTS (SELECT 1 FROM lab_changes n WHERE n.lab_id = c.lab_id AND n.seq > c.seq AND n.at < c.at + 3700000000) ORDER BY lab_id LIMIT 1)",
        );
        assert_eq!(moved.await.expect("moved"), 1);
        execute(&services.db, "UPDATE labs SET metered_to = NULL, usage_frontier = NULL").await.expect("looked at again");
        history.agrees().await;
        assert_eq!(bills().await, before, "the closed bill is as it was");
        let page = domain::page::PageRequest::default();
        let found = billing::adjustments(&services, &history.administrator, None, Some(month.next()), &page).await.expect("adjustments").items;
        let [correction] = found.as_slice() else { panic!("one correction, not {found:?}") };
        assert_eq!((correction.of_month, correction.kind), (Some(month), domain::billing::AdjustmentKind::Correction));
        assert!(correction.amount.micros > 0 && correction.lab.is_some());
        execute(&services.db, "UPDATE labs SET metered_to = NULL, usage_frontier = NULL").await.expect("looked at again");
        history.agrees().await;
        let again = billing::adjustments(&services, &history.administrator, None, None, &page).await.expect("adjustments").items;
        assert_eq!(again.iter().filter(|each| each.of_month.is_some()).count(), 1, "corrected once");
    })
    .await;
}
