//! Passes and visits against a real database. `Scene` is a running lab of a teacher, in a portal whose labs have sites.

mod counting;
mod ending;
mod entering;
mod logs;
mod ports;
mod secret;
mod sharing;
mod tokens;
mod waiting;

use std::sync::Arc;

use domain::{
    Error,
    courses::Course,
    ids::LabId,
    labs::{LabState, host::host_label},
    orders::OrderForm,
    page::PageRequest,
    visits::Visit,
};
use serde_json::json;
use storage::testing::{TestDatabase, texts};

use super::*;
use crate::{Caller, Settings, cluster_status, jobs::reconcile, orders, ports::Clock as _, sessions, testing::TestWorld};

const PORTAL: &str = "https://lectern.example.edu";
const ADDRESS: &str = "10.1.1.1";

/// Opens a lab that has pages.
async fn open(services: &Services, caller: &Caller, lab: LabId, way: Way<'_>, reason: Option<&str>) -> Result<Opening, Error> {
    match super::open(services, caller, lab, way, reason).await? {
        Opened::Site(opening) => Ok(opening),
        Opened::Elsewhere(entrance) => panic!("it is used elsewhere: {entrance:?}"),
    }
}

/// To the first page at the lab's own port, from this session.
const fn own_port(session: &str) -> Way<'_> {
    Way { session, origin: PORTAL, next: "/", port: 0 }
}

struct Scene {
    world: TestWorld,
    course: Course,
    teacher: Caller,
    id: LabId,
    label: String,
}

impl Scene {
    async fn on(database: TestDatabase) -> Self {
        // On the heap: the setup holds a whole world.
        Box::pin(async {
            let labs_url = Some("http://{lab}.localhost:3001".to_owned());
            let world = TestWorld::college_with(database, Settings { simulated_cluster: true, labs_url, ..Settings::default() }).await;
            let course = world.course("CV2402").add().await;
            let teacher = world.teacher("li.hua", &[&course]).await;
            cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
            let id = running(&world, &course, &teacher).await;
            let label = label(&world, id).await;
            Self { world, course, teacher, id, label }
        })
        .await
    }

    fn services(&self) -> &Services {
        &self.world.services
    }

    async fn settle(&self) {
        settle(&self.world).await;
    }

    /// A new session of the caller: its stored id.
    async fn session(&self, caller: &Caller) -> String {
        let (services, now) = (self.services(), self.world.clock.now());
        let id = format!("session {}", services.entropy.uuid());
        let data = json!({"user": caller.actor.user, "credentials_version": 1, "began": now}).to_string();
        let until = now.plus_seconds(services.settings.session_hours * 3_600);
        assert!(sessions::create(services, &id, Some(caller.actor.user), &data, until).await.expect("a session"));
        id
    }

    /// Opens the lab in this session.
    async fn open_in(&self, caller: &Caller, session: &str) -> Opening {
        open(self.services(), caller, self.id, Way { next: "/lab", ..own_port(session) }, None).await.expect("they may")
    }

    async fn take(&self, opening: &Opening) -> Result<Entered, EnterError> {
        enter(self.services(), &self.label, opening.ticket.expose(), Some(PORTAL), Some(ADDRESS)).await
    }

    /// Opens the lab and goes in: the session and the cookie.
    async fn visit(&self, caller: &Caller) -> (String, String) {
        let session = self.session(caller).await;
        let opening = self.open_in(caller, &session).await;
        let entered = self.take(&opening).await.expect("they come in");
        (session, entered.cookie.expose().clone())
    }

    async fn admit(&self, cookie: &str) -> Option<Arc<Entry>> {
        admit(self.services(), &self.label, cookie).await.expect("the database answers")
    }

    async fn round(&self) {
        round(self.services()).await.expect("a round");
    }

    /// The connection log, oldest first.
    async fn log(&self) -> Vec<Visit> {
        let mut visits = list(self.services(), &self.teacher, self.id, &PageRequest::default()).await.expect("read").items;
        visits.reverse();
        visits
    }

    /// How the passes ended, oldest first; `-` for one that lasts.
    async fn ends(&self) -> Vec<String> {
        texts(&self.services().db, "SELECT COALESCE(ended_by, '-') FROM lab_passes ORDER BY id").await
    }

    /// Records of what was done and refused about entering: `lab.open success`.
    async fn recorded(&self) -> Vec<String> {
        let sql = "SELECT action || ' ' || outcome FROM audit_events WHERE action IN ('lab.open', 'lab.visit', 'lab.break_glass') ORDER BY at, id";
        texts(&self.services().db, sql).await
    }
}

/// A lab of the caller that runs.
async fn running(world: &TestWorld, course: &Course, caller: &Caller) -> LabId {
    let form = OrderForm { offering: "jupyterlab-slice".into(), course: course.code.clone(), duration_minutes: "90".into(), ..OrderForm::default() };
    let key = orders::IdempotencyKey::parse(&world.services.entropy.uuid().to_string()).expect("a key");
    let id = orders::submit(&world.services, caller, &form, &key).await.expect("an order").labs[0];
    settle(world).await;
    id
}

/// Does all work until nothing is due.
async fn settle(world: &TestWorld) {
    for _ in 0..50 {
        if reconcile::due(&world.services).await.expect("the database answers") == 0 {
            return;
        }
    }
    panic!("the work does not come to an end");
}

async fn label(world: &TestWorld, id: LabId) -> String {
    let mut read = world.services.db.read().await.expect("a connection");
    let lab = storage::labs::get(&mut read, id).await.expect("read").expect("the lab is there");
    assert_eq!(lab.state, LabState::Running);
    host_label(&lab.name, id)
}
