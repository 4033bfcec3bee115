//! Logs of a lab, read by people who may not enter it.

use domain::{Error, access::Scope};
use storage::testing::{for_each_engine, texts};

use super::*;
use crate::{
    labs::{LogAsk, logs},
    testing::with_scopes,
};

#[tokio::test]
async fn a_log_that_somebody_else_reads_is_on_record_and_one_of_the_course_is_not() {
    for_each_engine("a_log_that_somebody_else_reads_is_on_record_and_one_of_the_course_is_not", async |database| {
        let scene = Scene::on(database).await;
        let world = &scene.world;
        let (manager, operator, auditor) = (world.manager("zhang").await, world.operator("ops").await, world.auditor("audit").await);
        let colleague = world.teacher("zhao", &[&scene.course]).await;
        // The cluster of the tests has no logs; the record is written before the cluster is asked.
        let reads = async |caller: &Caller| logs(scene.services(), caller, scene.id, &LogAsk::default()).await.map(drop);
        let recorded = async || {
            let sql = "SELECT who_label FROM audit_events WHERE action = 'lab.logs' AND outcome = 'success' ORDER BY who_label";
            texts(&scene.services().db, sql).await
        };
        for caller in [&scene.teacher, &colleague, &manager, &with_scopes(&scene.teacher, &[Scope::LabsRead])] {
            assert_eq!(reads(caller).await, Err(Error::NotFound), "{}", caller.actor.login);
        }
        assert!(recorded().await.is_empty(), "they may enter the lab");
        for caller in [&operator, &operator, &with_scopes(&auditor, &[Scope::LabsRead])] {
            assert_eq!(reads(caller).await, Err(Error::NotFound), "{}", caller.actor.login);
        }
        assert_eq!(recorded().await, ["audit", "ops"], "once for the same log");
        world.clock.advance(601);
        let _ = reads(&operator).await;
        assert_eq!(recorded().await, ["audit", "ops", "ops"]);
    })
    .await;
}
