//! Ports of a lab beside its own: each has a host and passes of its own.

use domain::{Error, Problem, labs::host};
use storage::testing::for_each_engine;

use super::*;

async fn open_at(scene: &Scene, port: u16) -> Result<Opening, Error> {
    let session = scene.session(&scene.teacher).await;
    open(scene.services(), &scene.teacher, scene.id, Way { session: &session, origin: PORTAL, next: "/", port }, None).await
}

#[tokio::test]
async fn a_port_is_opened_on_its_own_host_and_the_cookie_is_good_there_alone() {
    for_each_engine("a_port_is_opened_on_its_own_host_and_the_cookie_is_good_there_alone", async |database| {
        let scene = Scene::on(database).await;
        let services = scene.services();
        let label = host::port_label(&scene.label, 8_501);
        let opening = open_at(&scene, 8_501).await.expect("they may");
        assert_eq!(opening.site, format!("http://{label}.localhost:3001"));
        assert_eq!(scene.take(&opening).await, Err(EnterError::NoTicket), "on the lab's own host");
        let other = host::port_label(&scene.label, 8_502);
        assert_eq!(enter(services, &other, opening.ticket.expose(), Some(PORTAL), None).await, Err(EnterError::NoTicket));
        let entered = enter(services, &label, opening.ticket.expose(), Some(PORTAL), None).await.expect("on its host");
        let cookie = entered.cookie.expose();
        let entry = admit(services, &label, cookie).await.expect("asked").expect("a pass");
        assert_eq!(entry.target().map(|(_, port)| port), Some(8_501));
        for elsewhere in [&scene.label, &other] {
            assert!(admit(services, elsewhere, cookie).await.expect("asked").is_none(), "{elsewhere}");
        }
        // Another replica knows it from the database.
        let next = scene.world.replica();
        let there = admit(&next, &label, cookie).await.expect("asked").expect("a pass");
        assert_eq!(there.target().map(|(_, port)| port), Some(8_501));
        for known in [&label, &other] {
            assert_eq!(lab_of(services, known).await, Ok(Some(scene.id)), "{known}");
        }
        for unknown in [format!("22--{}", scene.label), format!("08501--{}", scene.label)] {
            assert_eq!(lab_of(services, &unknown).await, Ok(None), "{unknown}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_labs_own_port_has_one_host_and_some_ports_have_none() {
    for_each_engine("the_labs_own_port_has_one_host_and_some_ports_have_none", async |database| {
        let scene = Scene::on(database).await;
        let own = open_at(&scene, 8_888).await.expect("they may");
        assert_eq!(own.site, format!("http://{}.localhost:3001", scene.label));
        for port in [1, 22, 1_023, 2_222, 29_500] {
            let refused = open_at(&scene, port).await.map(drop);
            assert_eq!(refused, Err(Error::field("port", Problem::OutOfRange { min: 1_024, max: 65_535 })), "{port}");
        }
    })
    .await;
}
