//! The door with the real passes of the portal, before a pod of the cluster in memory: from Open to the connection log.

use std::time::Duration;

use domain::{
    ids::LabId,
    labs::LabState,
    orders::OrderForm,
    page::PageRequest,
    secret::Secret,
    visits::{VisitEnd, VisitRole},
};
use door::{Door, DoorSettings};
use listener::{Limits, Listener};
use serde_json::json;
use services::{Caller, Settings, cluster_status, jobs::reconcile, labs, orders, ports::Clock as _, sessions, testing::TestWorld, visits};
use storage::testing::TestDatabase;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

const PORTAL: &str = "http://127.0.0.1:3000";

struct Scene {
    world: TestWorld,
    teacher: Caller,
    lab: LabId,
    port: u16,
}

impl Scene {
    async fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = socket.local_addr().expect("an address").port();
        let labs_url = format!("http://{{lab}}.localhost:{port}");
        let settings = Settings { simulated_cluster: true, labs_url: Some(labs_url.clone()), ..Settings::default() };
        let world = Box::pin(TestWorld::college_with(TestDatabase::sqlite().await, settings)).await;
        let course = world.course("CV2402").add().await;
        let teacher = world.teacher("li.hua", &[&course]).await;
        cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
        let form = OrderForm { offering: "jupyterlab-slice".into(), course: course.code, duration_minutes: "90".into(), ..OrderForm::default() };
        let key = orders::IdempotencyKey::parse(&world.services.entropy.uuid().to_string()).expect("a key");
        let lab = orders::submit(&world.services, &teacher, &form, &key).await.expect("an order").labs[0];
        let settings = DoorSettings { labs_url, portal_url: Some(PORTAL.to_owned()), behind_proxy: false, per_lab: 64, per_person: 64 };
        let stopping = CancellationToken::new();
        let door = Door::new(world.services.clone(), settings, stopping.clone()).expect("an address of labs");
        tokio::spawn(Listener::new(socket, Limits::default(), stopping, Duration::from_secs(1)).serve(door));
        let scene = Self { world, teacher, lab, port };
        scene.settle().await;
        scene
    }

    /// Does all work until nothing is due, and looks at the passes.
    async fn settle(&self) {
        for _ in 0..50 {
            if reconcile::due(&self.world.services).await.expect("the database answers") == 0 {
                break;
            }
        }
        visits::round(&self.world.services).await.expect("a round");
    }

    /// Presses Open in a new session.
    async fn open(&self) -> visits::Opening {
        let (services, now, user) = (&self.world.services, self.world.clock.now(), self.teacher.actor.user);
        let session = format!("session {}", services.entropy.uuid());
        let data = json!({"user": user, "credentials_version": 1, "began": now}).to_string();
        assert!(sessions::create(services, &session, Some(user), &data, now.plus_seconds(43_200)).await.expect("a session"));
        let way = visits::Way { session: &session, origin: PORTAL, next: "/lab", port: 0 };
        let opened = visits::open(services, &self.teacher, self.lab, way, None).await.expect("they may");
        let visits::Opened::Site(opening) = opened else { panic!("the lab has pages") };
        opening
    }

    async fn ask(&self, site: &str, line: &str, headers: &str, body: &str) -> String {
        let host = site.trim_start_matches("http://");
        let length = body.len();
        let request = format!("{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }
}

/// Answers every request of a connection with `hello`, as JupyterLab does to those who show its token.
async fn application(mut connection: DuplexStream, token: Secret) {
    let shown = format!("\r\nauthorization: token {}\r\n", token.expose());
    let mut seen = Vec::new();
    while let Ok(byte) = connection.read_u8().await {
        seen.push(byte);
        if seen.ends_with(b"\r\n\r\n") {
            let status = if String::from_utf8_lossy(&seen).contains(&shown) { "200 OK" } else { "403 Forbidden" };
            seen.clear();
            let _ = connection.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 5\r\n\r\nhello").as_bytes()).await;
        }
    }
}

#[tokio::test]
async fn a_teacher_opens_a_lab_works_in_it_and_is_in_its_log() {
    let scene = Box::pin(Scene::new()).await;
    let mut connections = scene.world.cluster.listen(scene.lab, 8_888);
    let token = scene.world.cluster.own_secret(scene.lab).expect("JupyterLab takes one");
    tokio::spawn(async move {
        while let Some(connection) = connections.recv().await {
            tokio::spawn(application(connection, token.clone()));
        }
    });
    let opening = scene.open().await;
    let (site, ticket) = (opening.site.as_str(), opening.ticket.expose());
    let before = scene.ask(site, "GET /lab", "sec-fetch-mode: navigate\r\n", "").await;
    assert!(before.starts_with("HTTP/1.1 303 ") && before.contains(&format!("location: {PORTAL}/labs/{}/open?next=%2Flab", scene.lab)), "{before}");

    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let posted = format!("ticket={ticket}&next=%2Flab");
    let foreign = scene.ask(site, "POST /.lectern/enter", &format!("{form}origin: null\r\n"), &posted).await;
    assert!(foreign.starts_with("HTTP/1.1 403 ") && !foreign.contains("set-cookie"), "{foreign}");
    let entered = scene.ask(site, "POST /.lectern/enter", &format!("{form}origin: {PORTAL}\r\n"), &posted).await;
    assert!(entered.starts_with("HTTP/1.1 303 ") && entered.contains("location: /lab\r\n"), "{entered}");
    let cookie = entered.split_once("set-cookie: ").and_then(|(_, rest)| rest.split_once(';')).expect("a cookie").0;
    let own = format!("cookie: {cookie}\r\nsec-fetch-site: same-origin\r\n");
    let inside = scene.ask(site, "GET /lab", &own, "").await;
    assert!(inside.starts_with("HTTP/1.1 200 ") && inside.ends_with("hello"), "{inside}");
    let other = site.replace("lab-", "lac-");
    assert!(scene.ask(&other, "GET /lab", &own, "").await.starts_with("HTTP/1.1 401 "), "the cookie opens no other lab");

    labs::stop(&scene.world.services, &scene.teacher, scene.lab).await.expect("they may");
    scene.settle().await;
    let stopped = scene.ask(site, "GET /api/kernels", &own, "").await;
    assert!(stopped.starts_with("HTTP/1.1 503 ") && stopped.contains("retry-after: 5\r\n"), "{stopped}");
    let state = labs::get(&scene.world.services, &scene.teacher, scene.lab).await.expect("the lab").view.lab.state;
    assert!(stopped.ends_with(&format!(r#""state":"{}"}}"#, state.as_str())) && state != LabState::Running, "{stopped}");

    for _ in 0..2 {
        scene.world.clock.advance(15);
        scene.settle().await;
    }
    let log = visits::list(&scene.world.services, &scene.teacher, scene.lab, &PageRequest::default()).await.expect("read").items;
    let visit = log.last().expect("a visit");
    assert_eq!((visit.role, visit.ended_by, visit.address.as_deref()), (VisitRole::Owner, Some(VisitEnd::LabStopped), Some("127.0.0.1")));
    assert!(visit.bytes_in > 0 && visit.bytes_out > 5, "{visit:?}");
}
