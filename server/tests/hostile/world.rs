//! A portal with one of everything, so that paths and forms reach what they name; on each database.

use std::net::SocketAddr;

use domain::access::Scope;
use serde_json::{Value, json};
use services::{Caller, testing::TestWorld};
use storage::testing::TestDatabase;

use crate::support::{People, Portal};

pub struct World {
    pub portal: Portal,
    pub people: People,
    pub address: SocketAddr,
    /// `authorization` of a token with every scope: the administrator's and a teacher's.
    pub administrator: String,
    pub teacher: String,
    things: Vec<(&'static str, String)>,
}

impl World {
    pub async fn on(database: TestDatabase) -> Self {
        let portal = Portal::of(TestWorld::college_on(database).await).await;
        let people = portal.people().await;
        // Somebody and something to be disabled and archived, so that the rest goes on.
        let course = portal.world.course("SPARE1").add().await;
        let person = portal.world.teacher("spare", &[&course]).await;
        let address = portal.base.trim_start_matches("http://").parse().expect("an address");
        let bearer = async |person: &Caller| format!("Bearer {}", portal.token(person, &Scope::ALL).await.secret.expect("a secret"));
        let (administrator, teacher) = (bearer(&people.administrator).await, bearer(&people.teacher).await);
        let mut world = Self { portal, people, address, administrator, teacher, things: Vec::new() };
        world.fill(course.id.to_string(), person.actor.user.to_string()).await;
        world
    }

    async fn fill(&mut self, course: String, person: String) {
        let (teacher, administrator) = (self.portal.api(&self.people.teacher).await, self.portal.api(&self.people.administrator).await);
        let order = |offering: &str| json!({"offering": offering, "course": "CV2402", "duration_minutes": 60, "purpose": "lesson"});
        let mut orders = Vec::new();
        for (number, offering) in ["jupyterlab-2xa100-1tb", "jupyterlab-slice", "jupyterlab-slice"].into_iter().enumerate() {
            orders.push(id(&teacher.order(&format!("thing-{number}"), &order(offering)).await));
        }
        let mut seats = order("jupyterlab-slice");
        seats["seats"] = json!("2");
        let class = teacher.order("thing-class", &seats).await["class"]["id"].as_str().expect("a class order").to_owned();
        let labs = teacher.read("/labs").await;
        let announcement = json!({"zh": "维护", "en": "Maintenance", "level": "info", "to": "2099-01-01T08:00"});
        let announcement = administrator.post("/announcements").json(&announcement).send().await.expect("an answer");
        let announcement: Value = announcement.json().await.expect("JSON");
        let stand_in = json!({"stand_in": "spare", "until": "2027-06-01"});
        let delegation = administrator.post("/delegations").json(&stand_in).send().await.expect("an answer");
        let delegation: Value = delegation.json().await.expect("JSON");
        let list = json!({"kind": "people", "list": "账号,姓名\n20260001,示范教师甲\n"});
        let import = administrator.say("/imports", &list).await;
        let discount = administrator.post("/discounts").json(&json!({"percent": "10", "reason": "pilot"})).send().await.expect("an answer");
        let discount: Value = discount.json().await.expect("JSON");
        let search = administrator.post("/audit/searches").json(&json!({"name": "kept"})).send().await.expect("an answer");
        let search: Value = search.json().await.expect("JSON");
        let events = self.portal.api(&self.people.auditor).await.read("/audit/events").await;
        let named = |value: &Value| value["id"].as_str().unwrap_or("01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e").to_owned();
        self.things = vec![
            ("/orders", orders[1].clone()),
            ("/class-orders", class),
            ("/approvals", orders[0].clone()),
            ("/labs", named(&labs["items"][0])),
            ("/billing/labs", named(&labs["items"][0])),
            ("/courses", course),
            ("/people", person),
            ("/announcements", named(&announcement)),
            ("/delegations", named(&delegation)),
            ("/imports", named(&import)),
            ("/discounts", named(&discount)),
            ("/audit/searches", named(&search)),
            ("/audit", named(&events["items"][0])),
            ("/offerings", "vscode".into()),
            ("/catalogue", "vscode".into()),
            ("/nodes", "node-1".into()),
            ("/policies", "1".into()),
            ("/bills", "2026-11_CV2402".into()),
        ];
    }

    /// What a parameter of this path names.
    pub fn thing(&self, path: &str) -> &str {
        let fits = self.things.iter().filter(|(prefix, _)| path.starts_with(prefix));
        fits.max_by_key(|(prefix, _)| prefix.len()).map_or("01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e", |(_, id)| id)
    }

    /// Ids of all kinds, to be put where others belong.
    pub fn ids(&self) -> Vec<String> {
        self.things.iter().map(|(_, id)| id.clone()).collect()
    }

    /// A `Cookie` header in which this person is signed in; each is a session of its own.
    pub async fn cookie(&self, person: &Caller) -> String {
        self.portal.session_of(person.actor.user, "lectern").await
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("an id: {value}")).to_owned()
}
