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

fn ssh_key() -> Value {
    json!({"name": "laptop", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To"})
}

impl World {
    pub async fn on(database: TestDatabase) -> Self {
        // Host names that requests of the tests use.
        let hosts = ["lectern.test", "x"].map(ToOwned::to_owned).to_vec();
        let portal = Portal::configured(TestWorld::college_on(database).await, |config| config.server.hosts = hosts).await;
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
        let key = teacher.post("/ssh-keys").json(&ssh_key()).send().await.expect("an answer");
        let key: Value = key.json().await.expect("JSON");
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
            ("/ssh-keys", named(&key)),
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

    /// Adds a row to every table that people or the cluster write text into. Returns the secret of an invitation.
    pub async fn enrich(&self) -> String {
        let Self { portal, people, .. } = self;
        let services = &portal.world.services;
        let (administrator, teacher) = (portal.api(&people.administrator).await, portal.api(&people.teacher).await);
        let (manager, auditor) = (portal.api(&people.manager).await, portal.api(&people.auditor).await);
        auditor.post("/audit/searches").json(&json!({"name": "kept"})).send().await.expect("an answer");
        teacher.say("/ssh-keys", &ssh_key()).await;
        administrator.say("/tenants", &json!({"name": "Software", "kind": "department"})).await;
        let guest = administrator.say("/people", &json!({"login": "guest", "name": "Guest", "roles": "teacher"})).await;
        let link = guest["link"]["url"].as_str().expect("a link").to_owned();
        administrator.say("/adjustments", &json!({"course": "CV2402", "kind": "credit", "amount": "1", "reason": "sorry"})).await;
        for course in administrator.read("/courses").await["items"].as_array().expect("courses") {
            let path = format!("/courses/{}/roster", course["id"].as_str().expect("an id"));
            let set = administrator.put(&path).json(&json!({"roster": "2024010117 Li Hua\n2024010118"})).send().await.expect("an answer");
            assert_eq!(set.status(), 200);
        }
        let pending = format!("/orders/{}", self.thing("/approvals"));
        manager.say(&format!("{pending}/ask"), &json!({"text": "Why two?"})).await;
        teacher.say(&format!("{pending}/answer"), &json!({"text": "Since one is slow."})).await;
        manager.say(&format!("{pending}/approve"), &json!({"duration_minutes": 120, "text": "Longer"})).await;
        let rule = |then: Value| json!({"name": {"zh": "夜里", "en": "At night"}, "when": "always", "then": then});
        let refuse = rule(json!({"refuse": {"zh": "不行", "en": "Not tonight"}}));
        let rules = json!({"policy": {"rules": [rule(json!("automatic")), refuse]}, "version": 1});
        let put = administrator.put("/policies").json(&rules).send().await.expect("an answer");
        assert_eq!(put.status(), 200, "{}", put.text().await.expect("text"));
        // One lab that the cluster refuses, and one that runs.
        portal.world.cluster.refuse_next_start("Forbidden", "exceeded quota");
        for _ in 0..5 {
            while services::jobs::reconcile::due(services).await.expect("reconciled") > 0 {}
            portal.world.clock.advance(5);
        }
        services::cluster_status::refresh(services).await.expect("the cluster reports");
        let browser = portal.browser();
        browser.form("/api/session/sign-in", "/sign-in", &[("login", "nobody"), ("password", "wrong")]).send().await.expect("an answer");
        let browser = portal.browser_of(&people.administrator).await;
        let edit = [("step", "up"), ("number", "1"), ("revision", "2")];
        browser.form("/api/policies/edit", "/policies", &edit).send().await.expect("an answer");
        let user = people.teacher.actor.user;
        let identity =
            format!("INSERT INTO identities (issuer, subject, user_id, created_at, last_used_at) VALUES ('https://id', 'a', '{user}', 1, 1)");
        storage::testing::execute(&services.db, &identity).await.expect("an identity");
        // An order that asks for another size of a lab.
        let lab = self.thing("/labs");
        let change = json!({"lab": lab, "name": "lab-1", "to": {"kind": "resize", "parameters": {"image": "python:3"}}});
        let order = self.thing("/approvals");
        let asked = format!("UPDATE orders SET changes_lab = '{lab}', lab_change = '{change}' WHERE id = '{order}'");
        storage::testing::execute(&services.db, &asked).await.expect("an order");
        // Somebody who came into the lab by break-glass.
        let pass = format!(
            "INSERT INTO lab_passes (id, tenant_id, lab_id, user_id, session_id, role, reason, origin, next, ticket_hash, ticket_expires_at, \
             cookie_hash, created_at, entered_at) SELECT '{user}', tenant_id, id, '{user}', 's', 'break_glass', 'Disk full', 'https://x', '/', \
             't', 1, 'c', 1, 1 FROM labs WHERE id = '{lab}'"
        );
        let visit = format!(
            "INSERT INTO lab_visits (id, pass_id, tenant_id, lab_id, user_id, role, reason, address, started_at, bytes_in, bytes_out, \
             last_used_at) SELECT '{user}', '{user}', tenant_id, id, '{user}', 'break_glass', 'Disk full', '10.1.1.1', 1, 1, 1, 1 \
             FROM labs WHERE id = '{lab}'"
        );
        for sql in [pass, visit] {
            assert_eq!(storage::testing::execute(&services.db, &sql).await.expect("a visit"), 1);
        }
        link.rsplit('/').next().unwrap_or_default().to_owned()
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
