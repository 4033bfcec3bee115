//! The lease: one replica at a time, fencing, and all jobs together.

use std::time::{Duration, Instant};

use domain::{
    Error,
    labs::{LabFilter, LabState},
    page::PageRequest,
};
use storage::testing::for_each_engine;

use super::Scene;
use crate::{
    jobs::{self, lease},
    labs,
};

#[tokio::test]
async fn one_replica_works_and_the_next_takes_over_with_a_larger_token() {
    for_each_engine("one_replica_works_and_the_next_takes_over_with_a_larger_token", |database| async {
        let scene = Scene::on(database).await;
        let (one, two) = (&scene.world.services, &scene.world.replica());
        let first = lease::take(one, "one").await.expect("asks").expect("is free");
        assert_eq!(lease::take(two, "two").await, Ok(None));
        scene.world.clock.advance(lease::LIFE_SECONDS - 1);
        assert_eq!(lease::take(one, "one").await, Ok(Some(first)), "a renewal keeps the token");
        scene.world.clock.advance(lease::LIFE_SECONDS);
        let second = lease::take(two, "two").await.expect("asks").expect("has ended");
        assert!(second > first);
        assert_eq!(lease::take(one, "one").await, Ok(None));

        // The first one slept and does not know: whatever it tries to write is refused.
        let id = scene.pending().await;
        assert_eq!(lease::under(first, jobs::reconcile::lab(one, id)).await, Err(Error::Unavailable { retry_after_seconds: 1 }));
        assert_eq!(scene.lab(id).await.state, LabState::Pending);
        lease::under(second, jobs::reconcile::lab(two, id)).await.expect("the holder works");
        assert_eq!(scene.lab(id).await.state, LabState::Starting);

        lease::release(two, second).await.expect("gives up");
        assert!(lease::take(one, "one").await.expect("asks").expect("is free") > second);
    })
    .await;
}

#[tokio::test]
async fn the_jobs_together_bring_a_lab_up_and_end_when_they_are_dropped() {
    for_each_engine("the_jobs_together_bring_a_lab_up_and_end_when_they_are_dropped", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let running = tokio::spawn(jobs::run(services.clone()));
        let waiting = tokio::spawn(jobs::run(scene.world.replica()));
        scene.order().await;
        let all_are = async |state: LabState| {
            let deadline = Instant::now() + Duration::from_secs(20);
            loop {
                let page = labs::list(services, &scene.teacher, &LabFilter::default(), &PageRequest::default()).await.expect("a list");
                if page.items.iter().all(|view| view.lab.state == state) {
                    return page.items;
                }
                assert!(Instant::now() < deadline, "{:?}", page.items);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let items = all_are(LabState::Running).await;
        // Nobody calls the reconciler: the watch does.
        scene.world.cluster.fail(items[0].lab.id, "Evicted", "the node was drained");
        all_are(LabState::Failed).await;
        labs::destroy(services, &scene.teacher, items[0].lab.id).await.expect("goes");
        all_are(LabState::Destroyed).await;

        for task in [running, waiting] {
            task.abort();
            assert!(task.await.expect_err("was aborted").is_cancelled());
        }
        // Whoever had the lease gave it up, though the clock stands still.
        let deadline = Instant::now() + Duration::from_secs(20);
        while lease::take(services, "next").await.expect("asks").is_none() {
            assert!(Instant::now() < deadline, "the lease was not given up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
