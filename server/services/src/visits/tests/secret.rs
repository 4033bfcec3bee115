//! The lab's own secret: the door shows it to the pods of one start, and nobody else has it.

use domain::labs::host;
use storage::testing::for_each_engine;

use super::*;
use crate::labs;

/// The header for the pod that serves the lab now.
fn header(entry: &Entry) -> Option<(String, String)> {
    let (pod, _) = entry.target().expect("a pod");
    entry.secret_header(&pod.uid).map(|(name, value)| (name, value.expose().clone()))
}

/// The value that the cluster has for the lab, as the application takes it.
fn in_cluster(scene: &Scene) -> Option<(String, String)> {
    let secret = scene.world.cluster.own_secret(scene.id)?;
    Some(("authorization".to_owned(), format!("token {}", secret.expose())))
}

#[tokio::test]
async fn the_door_shows_what_the_pod_was_given_and_each_start_has_another() {
    for_each_engine("the_door_shows_what_the_pod_was_given_and_each_start_has_another", async |database| {
        let scene = Scene::on(database).await;
        let (_, cookie) = scene.visit(&scene.teacher).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        let first = header(&entry).expect("JupyterLab takes one");
        assert_eq!(Some(&first), in_cluster(&scene).as_ref());
        assert_eq!(first.1.len(), "token ".len() + 64);
        assert_eq!(entry.secret_header("pod-of-another-lab"), None);

        // After a restart of the portal it is the same, from the database alone.
        let next = scene.world.replica();
        let there = admit(&next, &scene.label, &cookie).await.expect("asked").expect("a pass");
        assert_eq!(header(&there), Some(first.clone()));

        let old = entry.target().expect("a pod").0;
        scene.world.clock.advance(1);
        labs::stop(scene.services(), &scene.teacher, scene.id).await.expect("stops");
        scene.settle().await;
        scene.world.clock.advance(1);
        labs::start(scene.services(), &scene.teacher, scene.id).await.expect("starts again");
        scene.settle().await;
        scene.round().await;
        let second = header(&entry).expect("JupyterLab takes one");
        assert_eq!(Some(&second), in_cluster(&scene).as_ref());
        assert_eq!(entry.secret_header(&old.uid), None, "the pod of the first start is gone");
        assert_ne!(first, second, "no two starts have the same");
        // A pod that takes the place of another is no start.
        scene.world.cluster.replace_pods(scene.id);
        scene.world.clock.advance(1);
        reconcile::lab(scene.services(), scene.id).await.expect("observed");
        scene.round().await;
        assert_eq!(header(&entry), Some(second), "the next pod of the same start has the same");
    })
    .await;
}

#[tokio::test]
async fn another_port_and_an_application_that_takes_none_get_none() {
    for_each_engine("another_port_and_an_application_that_takes_none_get_none", async |database| {
        let scene = Scene::on(database).await;
        let (services, session) = (scene.services(), scene.session(&scene.teacher).await);
        let way = Way { session: &session, origin: PORTAL, next: "/", port: 8_501 };
        let opening = open(services, &scene.teacher, scene.id, way, None).await.expect("they may");
        let label = host::port_label(&scene.label, 8_501);
        let entered = enter(services, &label, opening.ticket.expose(), Some(PORTAL), None).await.expect("on its host");
        let entry = admit(services, &label, entered.cookie.expose()).await.expect("asked").expect("a pass");
        assert_eq!(header(&entry), None, "another program listens there");

        // A lab that was ordered before its offering said anything of a secret.
        let said = r#","app_access":{"variable":"JUPYTER_TOKEN","header":"Authorization: token {secret}"}"#;
        let sql = format!("UPDATE labs SET spec = replace(spec, '{said}', '')");
        assert_eq!(storage::testing::execute(&services.db, &sql).await.expect("written"), 1);
        let (_, cookie) = scene.visit(&scene.teacher).await;
        assert_eq!(header(&scene.admit(&cookie).await.expect("a pass")), None);
    })
    .await;
}

#[tokio::test]
async fn it_is_in_no_row_record_or_print() {
    for_each_engine("it_is_in_no_row_record_or_print", async |database| {
        let scene = Scene::on(database).await;
        let secret = scene.world.cluster.own_secret(scene.id).expect("JupyterLab takes one");
        let sql = "SELECT sealed AS text FROM secrets UNION ALL SELECT spec FROM labs UNION ALL SELECT document FROM lab_observations \
                   UNION ALL SELECT COALESCE(after_json, '') FROM audit_events";
        let stored = texts(&scene.services().db, sql).await.join("\n");
        assert!(!stored.contains(secret.expose().as_str()));
        let order = crate::jobs::lab_order(scene.services(), scene.id).await.expect("read").expect("there");
        let full = crate::jobs::with_secrets(scene.services(), &order).await.expect("derived");
        assert_eq!(full.own_secret.as_ref(), Some(&secret));
        assert!(!format!("{full:?}").contains(secret.expose().as_str()));
    })
    .await;
}
