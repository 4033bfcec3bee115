//! Jobs that end, and their kept logs.

use domain::{
    Error,
    ids::LabId,
    labs::{JobOutcome, LabState, LogProblem},
    notifications::Notice,
    orders::{OrderForm, OrderState},
};
use futures::TryStreamExt as _;
use storage::testing::{for_each_engine, texts};

use super::{Scene, fixtures::key};
use crate::{
    jobs::watch,
    labs::{self, LogAsk},
    orders,
    ports::{Change, ClusterError},
};

/// A running batch job with two tries after the first.
async fn job(scene: &Scene) -> LabId {
    let services = &scene.world.services;
    let form =
        OrderForm { offering: "batch-training".into(), course: scene.course.code.clone(), duration_minutes: "90".into(), ..OrderForm::default() };
    let order = orders::submit(services, &scene.teacher, &form, &key(scene)).await.expect("an order").order;
    if order.state == OrderState::PendingApproval {
        let manager = scene.world.manager("zhou").await;
        orders::approve(services, &manager, order.id, None).await.expect("approved");
    }
    scene.settle().await;
    let id = orders::get(services, &scene.teacher, order.id).await.expect("read").labs[0];
    assert_eq!(scene.lab(id).await.state, LabState::Running);
    id
}

async fn looked_at(scene: &Scene, id: LabId) {
    watch::take(&scene.world.services, &[Change::Lab(id)]).await.expect("looked at");
    scene.settle().await;
}

/// The text of a log, and whether it is a kept one.
async fn read(scene: &Scene, id: LabId, ask: &LogAsk) -> Result<(String, bool), Error> {
    let log = labs::logs(&scene.world.services, &scene.teacher, id, ask).await?;
    let pieces: Vec<_> = log.pieces.try_collect().await.expect("a log");
    Ok((String::from_utf8(pieces.concat()).expect("text"), log.kept_at.is_some()))
}

#[tokio::test]
async fn the_log_of_a_job_outlives_its_pods_and_goes_with_the_lab() {
    for_each_engine("the_log_of_a_job_outlives_its_pods_and_goes_with_the_lab", |database| async {
        let scene = Scene::on(database).await;
        let (services, cluster) = (&scene.world.services, &scene.world.cluster);
        let id = job(&scene).await;
        cluster.write_log(id, "epoch 1\nloss=0.1\n");
        cluster.fail_try(id, 3);
        let there = read(&scene, id, &LogAsk::default()).await.expect("its pod is there");
        assert_eq!(there, ("epoch 1\nloss=0.1\n".into(), false));
        cluster.finish(id);
        looked_at(&scene, id).await;
        assert_eq!(scene.lab(id).await.state, LabState::Stopped);

        let detail = labs::get(services, &scene.teacher, id).await.expect("read");
        assert_eq!(detail.view.job.and_then(|job| job.outcome), Some(JobOutcome::Finished));
        let told: Vec<_> = detail.kept_logs.iter().map(|log| (log.attempt, log.exit_code, log.bytes, log.cut, log.problem)).collect();
        assert_eq!(told, [(1, Some(3), 17, false, None), (2, None, 17, false, None)]);
        assert_eq!(read(&scene, id, &LogAsk::default()).await, Ok(("epoch 1\nloss=0.1\n".into(), true)));
        let last = LogAsk { tail: Some(1), follow: true, previous: true, ..LogAsk::default() };
        assert_eq!(read(&scene, id, &last).await, Ok(("loss=0.1\n".into(), true)), "the end of the try before");
        let first = LogAsk { member: Some(detail.kept_logs[0].pod.clone()), ..last };
        assert_eq!(read(&scene, id, &first).await, Err(Error::NotFound), "nothing was before it");

        let seen = texts(&services.db, "SELECT notice FROM notifications").await.join(" ");
        assert!(seen.contains("job_finished") && !seen.contains("lab_ready"), "{seen}");

        labs::destroy(services, &scene.teacher, id).await.expect("destroyed");
        scene.settle().await;
        assert!(texts(&services.db, "SELECT pod_name FROM lab_logs").await.is_empty());
        assert!(matches!(read(&scene, id, &LogAsk::default()).await, Err(Error::InvalidTransition { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_noted_and_holds_nothing_up() {
    for_each_engine("a_log_that_cannot_be_read_is_noted_and_holds_nothing_up", |database| async {
        let scene = Scene::on(database).await;
        let (services, cluster) = (&scene.world.services, &scene.world.cluster);
        let id = job(&scene).await;
        cluster.refuse_logs(id, ClusterError::Away("the node is away".into()));
        cluster.fail(id, "BackoffLimitExceeded", "lab-1-x: exit code 2 (Error)");
        looked_at(&scene, id).await;
        let lab = scene.lab(id).await;
        assert_eq!((lab.state, lab.reserved), (LabState::Failed, false), "its cards are free");
        let detail = labs::get(services, &scene.teacher, id).await.expect("read");
        assert_eq!(detail.view.job.and_then(|job| job.outcome), Some(JobOutcome::Failed { exit_code: Some(2), ran: true }));
        assert_eq!(detail.kept_logs.iter().map(|log| log.problem).collect::<Vec<_>>(), [Some(LogProblem::Unreachable)]);
        assert_eq!(read(&scene, id, &LogAsk::default()).await, Err(Error::NotFound));
        let mut connection = services.db.read().await.expect("a connection");
        let latest = storage::notifications::latest(&mut connection, scene.teacher.actor.user, 100).await.expect("read");
        assert!(latest.iter().any(|each| matches!(each.notice, Notice::JobFailed { exit_code: Some(2), .. })), "{latest:?}");
    })
    .await;
}

#[tokio::test]
async fn logs_of_other_labs_are_not_kept() {
    for_each_engine("logs_of_other_labs_are_not_kept", |database| async {
        let scene = Scene::on(database).await;
        let id = scene.running().await;
        scene.world.cluster.write_log(id, "served\n");
        labs::stop(&scene.world.services, &scene.teacher, id).await.expect("stopped");
        scene.settle().await;
        assert_eq!(scene.lab(id).await.state, LabState::Stopped);
        assert!(texts(&scene.world.services.db, "SELECT pod_name FROM lab_logs").await.is_empty());
    })
    .await;
}
