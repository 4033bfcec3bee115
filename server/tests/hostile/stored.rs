//! Hostile text in everything that is stored: every page is shown to every role, in both languages, and parsed as a browser does.

mod overwrite;

use std::{net::SocketAddr, path::Path};

use server::{config::Config, router::page_routes, state::AppState};
use storage::{
    Database,
    testing::{TestDatabase, texts},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::overwrite::{HOSTILE, overwrite};
use crate::{html, nasty::encode, wire::Ask, world::World};

/// Queries with which a page shows more.
const MORE: [&str; 5] =
    ["/audit?view=timeline", "/audit?range=ever", "/search?q=lab", "/orders?text=lab", "/approvals/bulk?do=reject&order={order}:1"];
/// How many things of each kind have their page requested.
const EACH: u32 = 4;

/// Values for a route's parameter. A new route with a parameter needs a line here.
async fn parameters(route: &str, db: &Database, token: &str) -> Vec<String> {
    let table = match route {
        "/orders/{id}" | "/orders/{id}/again" | "/approvals/{id}" => "orders",
        "/labs/{id}" | "/labs/{id}/resize" | "/labs/{id}/terminal" | "/billing/labs/{id}" => "labs",
        "/audit/{id}" => "audit_events",
        "/people/{id}" => "users",
        "/courses/{id}" => "courses",
        "/imports/{id}" => "imports",
        "/catalogue/{slug}" | "/catalogue/{slug}/order" | "/offerings/{slug}" => {
            return texts(db, &format!("SELECT slug FROM offerings ORDER BY slug DESC LIMIT {EACH}")).await;
        }
        "/policies/{number}" => return ["0", "1", "new"].map(str::to_owned).to_vec(),
        "/join/{token}" => return vec![token.to_owned(), encode(HOSTILE.as_bytes())],
        other => panic!("{other} has no example here"),
    };
    texts(db, &format!("SELECT id FROM {table} ORDER BY id LIMIT {EACH}")).await
}

async fn paths(db: &Database, token: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for route in page_routes() {
        match (route.path().find('{'), route.path().find('}')) {
            (Some(begin), Some(end)) => {
                let (before, after) = (&route.path()[..begin], &route.path()[end + 1..]);
                paths.extend(parameters(route.path(), db, token).await.iter().map(|parameter| format!("{before}{parameter}{after}")));
            }
            _ => paths.push(route.path().to_owned()),
        }
    }
    let order = texts(db, "SELECT id FROM orders ORDER BY id LIMIT 1").await.concat();
    paths.extend(MORE.map(|path| path.replace("{order}", &order)));
    paths.sort();
    paths
}

/// A replica with an empty cache.
async fn replica(world: &World) -> SocketAddr {
    let mut config = Config::for_testing(Path::new("unused"));
    config.server.hosts = vec!["lectern.test".to_owned()];
    let state = AppState::new(world.portal.world.replica(), config, CancellationToken::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    // The task ends with the test.
    tokio::spawn(server::commands::serve::serve(listener, state, std::future::pending()));
    address
}

/// How often the hostile text was shown as plain text.
#[derive(Debug, Default)]
struct Shown {
    pages: u32,
    titles: u32,
    textareas: u32,
    values: u32,
}

impl Shown {
    fn count(&mut self, page: &str) {
        self.pages += 1;
        for element in html::elements(page, true) {
            let text = element.text.contains(HOSTILE);
            self.titles += u32::from(text && element.name == "title");
            self.textareas += u32::from(text && element.name == "textarea");
            self.values += u32::from(element.attribute("value").is_some_and(|value| value.contains(HOSTILE)));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_stored_text_becomes_markup_on_any_page() {
    let world = World::on(TestDatabase::sqlite().await).await;
    let token = world.enrich().await;
    let db = &world.portal.world.services.db;
    overwrite(db).await;
    let people = &world.people;
    let mut readers = vec![("nobody", String::new())];
    let everybody = [
        ("teacher", &people.teacher),
        ("manager", &people.manager),
        ("auditor", &people.auditor),
        ("operator", &people.operator),
        ("administrator", &people.administrator),
    ];
    for (role, person) in everybody {
        readers.push((role, world.cookie(person).await));
    }
    let address = replica(&world).await;
    let (mut wrong, mut shown) = (Vec::new(), Shown::default());
    for path in paths(db, &token).await {
        for (number, (role, cookie)) in readers.iter().enumerate() {
            let language = if number % 2 == 0 { "en" } else { "zh-CN" };
            let ask = Ask::get(path.clone()).header("accept", "text/html").header("accept-language", language).header("cookie", cookie.clone());
            let answer = ask.send(address).await.unwrap_or_else(|| panic!("{path} answers"));
            if answer.status >= 500 {
                wrong.push(format!("{path} for {role}: {}", answer.status));
            }
            let page = answer.text();
            let faults = html::faults(&page);
            wrong.extend(
                faults.first().map(|fault| format!("{path} for {role}, {} faults, the first: {}", faults.len(), fault.replace(HOSTILE, "HOSTILE"))),
            );
            shown.count(&page);
        }
    }
    println!("{shown:?}");
    assert!(wrong.is_empty(), "{} pages; the first:\n{}", wrong.len(), wrong.iter().take(25).cloned().collect::<Vec<_>>().join("\n"));
    assert!(shown.titles > 5 && shown.textareas > 5 && shown.values > 5, "hostile text is on the pages: {shown:?}");
}
