//! What happens to a line whose server stops in the middle.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::Error;
use uuid::Uuid;

use super::super::{
    submit,
    tests::{SLICE, cards, key, slice},
};
use crate::{Services, ports::Entropy, testing::TestWorld};

/// Panics once when armed.
struct Faulty(Arc<dyn Entropy>, AtomicBool);

impl Entropy for Faulty {
    fn uuid(&self) -> Uuid {
        assert!(!self.1.swap(false, Ordering::SeqCst), "a fault that a test has asked for");
        self.0.uuid()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

#[tokio::test]
async fn a_fault_refuses_those_whose_turn_it_was_and_nobody_behind_them() {
    let world = TestWorld::college().await;
    cards(&world, SLICE, 14).await;
    let course = world.course("AI2301").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    let faulty = Arc::new(Faulty(Arc::clone(&world.services.entropy), AtomicBool::new(false)));
    let parts = &world.services;
    let services =
        Services::new(parts.db.clone(), Arc::clone(&parts.clock), Arc::clone(&faulty) as _, Arc::clone(&parts.cluster), parts.settings.clone());

    // Nobody is answered while somebody else writes, so that both stand in line when the fault comes.
    let writing = services.db.begin_write().await.expect("a transaction");
    let order = || {
        let (services, teacher, form) = (services.clone(), teacher.clone(), slice(&course));
        // A key is answered once in a turn: the second request has a turn of its own.
        tokio::spawn(async move { submit(&services, &teacher, &form, &key("one")).await })
    };
    let orders = [order(), order()];
    let both = async {
        while services.line.waiting().requests.len() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), both).await.expect("both stand in line");
    faulty.1.store(true, Ordering::SeqCst);
    drop(writing);

    let (mut made, mut refused) = (Vec::new(), Vec::new());
    for order in orders {
        let order = tokio::time::timeout(std::time::Duration::from_secs(30), order).await.expect("an answer");
        match order.expect("no panic of its own") {
            Ok(view) => made.push(view.order),
            Err(error) => refused.push(error),
        }
    }
    assert!(matches!(refused[..], [Error::Unavailable { .. }]), "{refused:?}");
    // Who was refused tries again, and nothing was made twice.
    let again = submit(&services, &teacher, &slice(&course), &key("one")).await.expect("the same");
    assert_eq!([again.order.id], *made.iter().map(|order| order.id).collect::<Vec<_>>());
    assert_eq!(again.order.number, 1_001, "the fault has left nothing behind");
    assert!(!services.line.waiting().served, "nobody waits");
}
