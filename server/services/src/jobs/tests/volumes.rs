//! Volumes: a size that the cluster refuses is not stored, the provided size is billed, and the owner is notified of lost files.

use std::collections::BTreeMap;

use domain::{
    Error, Problem,
    catalogue::ParameterInput,
    labs::{LabState, VOLUME_LOST, VOLUME_NOT_GROWN},
    notifications::Notice,
    pricing::Meter,
};
use storage::testing::for_each_engine;

use super::{Scene, fixtures::with_cards};
use crate::{
    jobs::{metering, watch},
    labs, notifications,
    ports::Change,
};

fn storage(gib: u32) -> ParameterInput {
    BTreeMap::from([("storage_gib".to_owned(), gib.to_string())])
}

#[tokio::test]
async fn a_volume_that_cannot_grow_is_refused_before_anything_is_stored() {
    for_each_engine("a_volume_that_cannot_grow_is_refused_before_anything_is_stored", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let before = scene.lab(id).await;
        let gib = before.spec.storage_gib;
        scene.world.cluster.fix_volumes();
        let manager = scene.world.manager("zhang").await;
        let refused = labs::resize(services, &manager, id, &storage(gib + 128), "").await.expect_err("it cannot grow");
        assert_eq!(refused, Error::field("parameters.storage_gib", Problem::VolumeFixed { gib }));
        let after = scene.lab(id).await;
        assert_eq!((after.state, &after.spec, after.lifecycle.generation), (LabState::Running, &before.spec, before.lifecycle.generation));
        // If the cluster cannot be asked, nothing is changed either.
        scene.world.cluster.go_away();
        let refused = labs::resize(services, &manager, id, &storage(gib + 128), "").await.expect_err("nobody answers");
        assert_eq!(refused, Error::Unavailable { retry_after_seconds: 5 });
        assert_eq!(scene.lab(id).await.spec, before.spec);
    })
    .await;
}

#[tokio::test]
async fn a_lab_whose_volume_did_not_grow_goes_back_to_what_is_there() {
    for_each_engine("a_lab_whose_volume_did_not_grow_goes_back_to_what_is_there", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let gib = scene.lab(id).await.spec.storage_gib;
        // The state that an earlier version left: the stored size is larger than the volume.
        let mut context = labs::resize_context(services, &scene.teacher, id).await.expect("a form");
        assert_eq!(context.volume_gib, Some(gib));
        context.lab.spec.storage_gib = gib + 128;
        let back = context.preview(&storage(gib)).expect("the size that is there");
        assert_eq!(back.spec.storage_gib, gib);
        let Err(Error::Invalid(problems)) = context.preview(&storage(gib - 1)) else { panic!("volumes never shrink") };
        let Problem::OutOfRange { min, max } = problems[0].problem else { panic!("{problems:?}") };
        assert_eq!(min, i64::from(gib));
        assert!((i64::from(gib)..1_000_000).contains(&max), "the offering's most, not {max}");
    })
    .await;
}

#[tokio::test]
async fn what_is_billed_is_what_is_there() {
    for_each_engine("what_is_billed_is_what_is_there", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let gib = scene.lab(id).await.spec.storage_gib;
        let manager = scene.world.manager("zhang").await;
        labs::resize(services, &manager, id, &storage(gib + 128), "").await.expect("may grow");
        // The volume itself does not grow.
        scene.world.cluster.set_volume(id, gib, gib + 128);
        for _ in 0..3 {
            watch::take(services, &[Change::Lab(id)]).await.expect("work");
            scene.settle().await;
            scene.world.clock.advance(5);
        }
        assert_eq!((scene.lab(id).await.state, scene.lab(id).await.spec.storage_gib), (LabState::Running, gib));
        scene.world.clock.advance(600);
        // Later the volume grows, beyond the ordered size: its real size is stored.
        scene.world.cluster.set_volume(id, gib + 512, gib + 512);
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.spec.storage_gib, gib + 512);
        scene.world.clock.advance(300);
        metering::run(services).await.expect("meters");
        let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
        let sizes: BTreeMap<i64, i64> =
            detail.usage.iter().filter(|line| matches!(line.meter, Meter::StorageGibMonth)).fold(BTreeMap::new(), |mut sizes, line| {
                *sizes.entry(line.quantity).or_default() += line.seconds;
                sizes
            });
        let ordered = sizes.get(&i64::from(gib + 128)).copied().unwrap_or_default();
        assert!(ordered <= 10, "only until the lab is up again and its volume is looked at: {sizes:?}");
        assert_eq!(sizes[&i64::from(gib + 512)], 300);
        assert_eq!(scene.lab(id).await.state, LabState::Running, "no pod was made anew for it");
    })
    .await;
}

#[tokio::test]
async fn a_stopped_lab_gets_its_larger_volume_and_is_billed_for_what_comes() {
    for_each_engine("a_stopped_lab_gets_its_larger_volume_and_is_billed_for_what_comes", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        let gib = scene.lab(id).await.spec.storage_gib;
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        let manager = scene.world.manager("zhang").await;
        labs::resize(services, &manager, id, &storage(gib + 128), "").await.expect("may grow");
        watch::take(services, &[Change::Lab(id)]).await.expect("work");
        scene.settle().await;
        let seen = services.cluster.observe(&scene.lab_order(id).await).await.expect("answers");
        assert_eq!(seen.volume.expect("a volume").size_gib(), Some(gib + 128));
        assert_eq!(scene.lab(id).await.spec.storage_gib, gib + 128);
    })
    .await;
}

#[tokio::test]
async fn a_growth_that_the_cluster_refuses_later_is_told_taken_back_and_not_billed() {
    for_each_engine("a_growth_that_the_cluster_refuses_later_is_told_taken_back_and_not_billed", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let manager = scene.world.manager("zhang").await;
        let running = with_cards(&scene, &scene.teacher, 1).await;
        let stopped = with_cards(&scene, &scene.teacher, 1).await;
        labs::stop(services, &scene.teacher, stopped).await.expect("stops");
        scene.settle().await;
        let gib = scene.lab(running).await.spec.storage_gib;
        for id in [running, stopped] {
            let state = scene.lab(id).await.state;
            labs::resize(services, &manager, id, &storage(gib + 128), "").await.expect("passes the check");
            scene.world.clock.advance(600);
            scene.world.cluster.fix_volumes();
            for _ in 0..3 {
                watch::take(services, &[Change::Lab(id)]).await.expect("work");
                scene.settle().await;
                scene.world.clock.advance(5);
            }
            let lab = scene.lab(id).await;
            assert_eq!((lab.state, lab.spec.storage_gib), (state, gib), "the lab and its files are there");
            let notices = told(&scene).await;
            let about = notices.iter().filter_map(|notice| match notice {
                Notice::VolumeNotGrown { lab, asked_gib, gib, .. } if *lab == id => Some((*asked_gib, *gib)),
                _ => None,
            });
            assert_eq!(about.collect::<Vec<_>>(), [(gib + 128, gib)], "its owner is told once");
            metering::run(services).await.expect("meters");
            let detail = labs::get(services, &scene.teacher, id).await.expect("reads");
            let notes: Vec<_> = detail.failures.iter().map(|each| each.failure.reason.as_str()).collect();
            assert_eq!(notes, [VOLUME_NOT_GROWN], "its page says so");
            let mut billed = detail.usage.iter().filter(|line| line.meter == Meter::StorageGibMonth).map(|line| line.quantity);
            assert!(billed.all(|quantity| quantity == i64::from(gib)), "what is billed is what is there");
            scene.world.cluster.free_volumes();
        }
        // Once the cluster allows it, the volume grows as ever.
        labs::resize(services, &manager, running, &storage(gib + 128), "").await.expect("passes the check");
        for _ in 0..3 {
            scene.settle().await;
            scene.world.clock.advance(5);
        }
        assert_eq!(scene.lab(running).await.spec.storage_gib, gib + 128);
    })
    .await;
}

async fn told(scene: &Scene) -> Vec<Notice> {
    let inbox = notifications::inbox(&scene.world.services, &scene.teacher).await.expect("reads");
    inbox.latest.into_iter().map(|notification| notification.notice).collect()
}

#[tokio::test]
async fn a_namespace_deleted_by_hand_fails_its_labs_and_their_owners_are_told() {
    for_each_engine("a_namespace_deleted_by_hand_fails_its_labs_and_their_owners_are_told", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        scene.world.cluster.delete_namespace();
        watch::take(services, &[Change::All]).await.expect("work");
        scene.settle().await;
        let lab = scene.lab(id).await;
        assert_eq!((lab.state, lab.failure.map(|failure| failure.reason).as_deref()), (LabState::Failed, Some(VOLUME_LOST)));
        assert!(!scene.world.cluster.holds(id), "nothing is made in its place");
        assert!(told(&scene).await.iter().any(|notice| matches!(notice, Notice::LabFilesLost { lab, .. } if *lab == id)));
        // Only a person can start the lab again, with a new volume.
        watch::take(services, &[Change::All]).await.expect("work");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Failed);
        labs::retry(services, &scene.teacher, id).await.expect("again");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Running);
    })
    .await;
}

#[tokio::test]
async fn the_owner_of_a_stopped_lab_is_told_at_once_and_its_next_start_says_so() {
    for_each_engine("the_owner_of_a_stopped_lab_is_told_at_once_and_its_next_start_says_so", |database| async {
        let scene = Scene::on(database).await;
        let services = &scene.world.services;
        let id = with_cards(&scene, &scene.teacher, 1).await;
        labs::stop(services, &scene.teacher, id).await.expect("stops");
        scene.settle().await;
        scene.world.cluster.delete_namespace();
        for _ in 0..2 {
            watch::take(services, &[Change::All]).await.expect("work");
            scene.settle().await;
        }
        assert_eq!(scene.lab(id).await.state, LabState::Stopped);
        let lost = told(&scene).await.iter().filter(|notice| matches!(notice, Notice::LabFilesLost { .. })).count();
        assert_eq!(lost, 1, "once");
        labs::start(services, &scene.teacher, id).await.expect("asks for it");
        scene.settle().await;
        let lab = scene.lab(id).await;
        assert_eq!((lab.state, lab.failure.map(|failure| failure.reason).as_deref()), (LabState::Failed, Some(VOLUME_LOST)));
    })
    .await;
}
