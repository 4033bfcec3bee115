//! Usage: exact to the second, each second once.

use domain::{labs::LabState, metering::UsageLine, pricing::Meter};
use storage::testing::for_each_engine;

use super::Scene;
use crate::{jobs::metering, labs};

async fn lines(scene: &Scene, id: domain::ids::LabId) -> Vec<UsageLine> {
    let mut read = scene.world.services.db.read().await.expect("a connection");
    storage::usage::of_lab(&mut read, id).await.expect("read")
}

#[tokio::test]
async fn usage_is_counted_once_to_the_second_however_often_metering_runs() {
    for_each_engine("usage_is_counted_once_to_the_second_however_often_metering_runs", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = scene.running().await;
        for seconds in [7, 13, 600] {
            scene.world.clock.advance(seconds);
            metering::run(services).await.expect("meters");
        }
        let open = lines(&scene, id).await;
        assert!(open.iter().all(|line| line.open && line.seconds == 620), "{open:?}");
        assert_eq!(open.len(), 4, "card, cores, memory and volume");
        metering::run(services).await.expect("meters");
        assert_eq!(lines(&scene, id).await, open, "running it twice gives the same");

        labs::stop(services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        scene.world.clock.advance(380);
        metering::run(services).await.expect("meters");
        let stopped = lines(&scene, id).await;
        for line in &stopped {
            let kept = line.meter == Meter::StorageGibMonth;
            assert_eq!((line.seconds, line.open), if kept { (1_000, true) } else { (620, false) }, "{:?}", line.meter);
        }
        // A seventh of an A100 for 620 s at ¥0.77 an hour.
        let card = stopped.iter().find(|line| matches!(line.meter, Meter::CardHour(_))).expect("a card");
        assert_eq!(card.amount.micros, (770_000 * 620 + 1_800) / 3_600);

        labs::destroy(services, &scene.teacher, id).await.expect("goes");
        scene.settle().await;
        assert_eq!(metering::run(services).await, Ok(1));
        let done = lines(&scene, id).await;
        assert!(done.iter().all(|line| !line.open));
        scene.world.clock.advance(3_600);
        assert_eq!(metering::run(services).await, Ok(0), "what is gone is not counted for ever");
        assert_eq!(lines(&scene, id).await, done);
        let cost = labs::get(services, &scene.teacher, id).await.expect("reads").view.cost;
        assert_eq!(cost.micros, done.iter().map(|line| line.amount.micros).sum::<i64>());
    })
    .await;
}

#[tokio::test]
async fn nothing_is_counted_before_it_runs() {
    for_each_engine("nothing_is_counted_before_it_runs", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        scene.world.cluster.hold_pods();
        let id = scene.pending().await;
        scene.settle().await;
        scene.world.clock.advance(300);
        metering::run(services).await.expect("meters");
        assert_eq!(scene.lab(id).await.state, LabState::Starting);
        assert_eq!(lines(&scene, id).await, [], "nor is its volume");
    })
    .await;
}

#[tokio::test]
async fn a_replica_that_meters_at_the_same_time_counts_nothing_twice() {
    for_each_engine("a_replica_that_meters_at_the_same_time_counts_nothing_twice", |database| async {
        let scene = Scene::on(database).await;
        let replica = scene.world.replica();
        let mut made = Vec::new();
        for _ in 0..4 {
            made.push(scene.running().await);
        }
        scene.world.clock.advance(90);
        let (one, two) = futures::join!(metering::run(&scene.world.services), metering::run(&replica));
        one.and(two).expect("both meter");
        for id in made {
            let lines = lines(&scene, id).await;
            assert_eq!((lines.len(), lines.iter().map(|line| line.seconds).sum::<i64>()), (4, 4 * 90));
        }
    })
    .await;
}
