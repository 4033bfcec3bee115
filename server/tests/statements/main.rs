//! Statements that each page costs: at most ten, whatever it shows. Every route of the route table is here, or the test fails.
//! A program of its own, since it counts all statements of its process: pages are asked for one after the other.

#[path = "../http/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use serde_json::json;
use server::router::page_routes;
use services::Caller;
use support::{People, Portal};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _, util::SubscriberInitExt as _};

const MOST: usize = 10;

/// sqlx tells of each statement it has run: the first words of each, in turn.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// Those since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no test panics while it holds the lock"))
    }
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Summary(String);
        impl Visit for Summary {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                if field.name() == "summary" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        if event.metadata().target() == "sqlx::query" && *event.metadata().level() <= Level::DEBUG {
            let mut summary = Summary(String::new());
            event.record(&mut summary);
            // A new connection sets itself up, which is no page's doing.
            if !summary.0.starts_with("\"PRAGMA") {
                self.0.lock().expect("no test panics while it holds the lock").push(summary.0);
            }
        }
    }
}

/// Things that pages can show, a few of each, so that a statement for each of them would be seen.
struct Things {
    order: String,
    pending: String,
    lab: String,
    event: String,
    course: String,
    person: String,
}

const EACH: usize = 6;

async fn things(portal: &Portal, people: &People) -> Things {
    let (teacher, manager) = (portal.api(&people.teacher).await, portal.api(&people.manager).await);
    let mut pending = String::new();
    let mut order = String::new();
    for number in 0..EACH {
        let body = json!({"offering": "jupyterlab-2xa100-1tb", "course": "CV2402", "duration_minutes": 60, "purpose": "lesson"});
        let waiting = teacher.order(&format!("waits-{number}"), &body).await;
        pending = waiting["id"].as_str().expect("an id").to_owned();
        let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60});
        let granted = teacher.order(&format!("goes-{number}"), &body).await;
        order = granted["id"].as_str().expect("an id").to_owned();
        if granted["state"] == "pending_approval" {
            manager.act(&format!("/orders/{order}/approve")).await;
        }
    }
    let labs = teacher.read("/labs").await;
    let lab = labs["items"][0]["id"].as_str().unwrap_or_else(|| panic!("a lab: {labs}")).to_owned();
    let events = portal.api(&people.auditor).await.read("/audit/events").await;
    let event = events["items"][0]["id"].as_str().unwrap_or_else(|| panic!("a record: {events}")).to_owned();
    let course = portal.api(&people.administrator).await.read("/courses").await["items"][0]["id"].as_str().expect("a course").to_owned();
    Things { order, pending, lab, event, course, person: people.teacher.actor.user.to_string() }
}

/// A page's path with real names in it. A new route with a parameter needs a line here.
fn filled(route: &str, things: &Things) -> String {
    let id = match route {
        "/catalogue/{slug}/order" => "jupyterlab-2xa100-1tb",
        "/orders/{id}" => &things.order,
        "/approvals/{id}" => &things.pending,
        "/labs/{id}" => &things.lab,
        "/audit/{id}" => &things.event,
        "/orders/{id}/again" => &things.order,
        "/labs/{id}/resize" | "/labs/{id}/terminal" | "/billing/labs/{id}" => &things.lab,
        "/catalogue/{slug}" | "/offerings/{slug}" => "vscode",
        "/policies/{number}" => "1",
        "/courses/{id}" => &things.course,
        "/people/{id}" => &things.person,
        // Nothing is behind these: the page that says so.
        "/imports/{id}" | "/join/{token}" => "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e",
        other => {
            assert!(!other.contains('{'), "{other} has no example here");
            return other.to_owned();
        }
    };
    route.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_needs_few_statements() {
    let statements = Statements::default();
    tracing_subscriber::registry().with(statements.clone().with_filter(LevelFilter::DEBUG)).init();
    let portal = Portal::college().await;
    let people = portal.people().await;
    let things = things(&portal, &people).await;
    let everybody: [(&str, &Caller); 5] = [
        ("teacher", &people.teacher),
        ("manager", &people.manager),
        ("auditor", &people.auditor),
        ("operator", &people.operator),
        ("administrator", &people.administrator),
    ];
    let mut routes: Vec<_> = page_routes().iter().map(|route| route.path().to_owned()).collect();
    routes.sort();
    let (mut report, mut too_many, mut seen) = (String::new(), String::new(), 0);
    for route in &routes {
        let path = filled(route, &things);
        let _ = write!(report, "\n{route:<28}");
        for (role, person) in everybody {
            let browser = portal.browser_of(person).await;
            // The first time fills what a process keeps.
            let status = browser.page(&path).await.status();
            statements.take();
            let _ = browser.page(&path).await.text().await;
            let run = statements.take();
            let count = run.len();
            seen += count;
            let _ = write!(report, " {role} {count:>2} ({})", status.as_u16());
            if count > MOST {
                let _ = write!(too_many, "\n{path} costs {role} {count} statements:\n  {}", run.join("\n  "));
            }
        }
    }
    println!("{report}");
    assert!(seen > routes.len(), "statements were counted");
    assert!(too_many.is_empty(), "too many:{too_many}");
}
