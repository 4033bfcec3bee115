//! Facts for the waiting page: read once for each state and report of a lab, for all who wait.

use domain::{Error, labs::start::StartStep};
use storage::testing::for_each_engine;

use super::*;

#[tokio::test]
async fn those_who_wait_share_one_look_at_the_lab() {
    for_each_engine("those_who_wait_share_one_look_at_the_lab", async |database| {
        let scene = Scene::on(database).await;
        let (services, id) = (scene.services(), scene.id);
        let (facts, now) = waiting(services, (id, LabState::Running, None)).await.expect("the lab is there");
        assert_eq!(now, scene.world.clock.now());
        assert_eq!(facts.steps.first().map(|step| step.step), Some(StartStep::Approval));
        assert!(facts.steps.iter().all(|step| step.until.is_some()) && facts.ends_at.is_some() && facts.failure.is_none(), "{facts:?}");
        assert!(matches!(
            waiting(services, (LabId::from_uuid(scene.teacher.actor.user.uuid()), LabState::Running, None)).await,
            Err(Error::NotFound)
        ));
        services.db.close().await;
        for _ in 0..1_000 {
            assert_eq!(waiting(services, (id, LabState::Running, None)).await.expect("in memory").0, facts);
        }
        assert!(waiting(services, (id, LabState::Stopped, None)).await.is_err(), "another look");
    })
    .await;
}
