//! Every page and everything else that a browser asks for by its address: nonsense in the path, the query, the headers and the cookies.

use server::router::page_routes;
use services::Caller;

use crate::{
    judge::{Judge, listen},
    nasty::{ATTRIBUTE, Chance, ELEMENT, encode},
    wire::Ask,
    world::World,
};

/// What pages and downloads read from a query.
const NAMES: [&str; 43] = [
    "after",
    "text",
    "state",
    "q",
    "month",
    "course",
    "person",
    "from",
    "to",
    "view",
    "back",
    "order",
    "chosen",
    "done",
    "do",
    "range",
    "format",
    "limit",
    "slug",
    "tab",
    "show",
    "role",
    "by",
    "key",
    "action",
    "object",
    "outcome",
    "via",
    "address",
    "mine",
    "card",
    "purpose",
    "parameters",
    "draft",
    "code",
    "meter",
    "next",
    "member",
    "container",
    "tail",
    "download",
    "port",
    "share",
];
/// What answers by itself instead of a page. Not `/events`, which never ends.
const OTHERS: [&str; 15] = [
    "/audit/export",
    "/billing/export",
    "/imports/sample/{}",
    "/imports/{}/result.csv",
    "/labs/{}/logs",
    "/labs/{}/open",
    "/labs/{}/terminal/socket",
    "/labs/shared/{}",
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/healthz",
    "/readyz",
    "/pkg/{}",
    "/{}",
    "/api/{}",
];
/// Requests for each page and each of the others.
const EACH: usize = 5;

fn filled(path: &str, world: &World, chance: &mut Chance) -> String {
    let real = !chance.once_in(3);
    let part = |part: &str| match part.strip_prefix('{') {
        Some(_) if real => world.thing(path).to_owned(),
        Some(_) if chance.once_in(3) => encode(ELEMENT.as_bytes()),
        Some(_) => chance.encoded(),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn query(chance: &mut Chance) -> String {
    let mut pairs = Vec::new();
    for _ in 0..5 {
        let name = *chance.one_of(&NAMES);
        let value = match chance.one_of(&[0, 1, 2, 3]) {
            0 => encode(ELEMENT.as_bytes()),
            1 => encode(ATTRIBUTE.as_bytes()),
            _ => chance.encoded(),
        };
        pairs.push(format!("{name}={value}"));
    }
    format!("?{}", pairs.join("&"))
}

/// Bytes that a header may hold; the rest is no HTTP.
fn header(chance: &mut Chance) -> Vec<u8> {
    let bytes = if chance.once_in(2) { chance.bytes(300) } else { chance.text().into_bytes() };
    bytes.into_iter().filter(|byte| !matches!(byte, 0..=31 | 127)).take(8_000).collect()
}

async fn ask(path: &str, who: &Caller, world: &World, chance: &mut Chance) -> Ask {
    let cookie = world.cookie(who).await;
    let mut ask = Ask::get(format!("{}{}", filled(path, world, chance), query(chance)));
    ask = ask.header("accept", *chance.one_of(&["text/html", "text/html", "*/*", "application/json"]));
    for name in ["accept-language", "referer", "user-agent", "origin", "x-forwarded-for", "if-none-match", "range", "accept-encoding", "x-request-id"]
    {
        if chance.once_in(5) {
            ask = ask.header(name, header(chance));
        }
    }
    let noise = String::from_utf8_lossy(&header(chance)).replace([';', '='], "");
    let others =
        ["", "; language=en; theme=dark", "; language=<lectern-probe>; theme=\" lectern-probe=\"1", "; lectern=; lectern=x", "; __Host-lectern=y"];
    let cookie = if chance.once_in(8) { format!("lectern={noise}") } else { cookie };
    ask.header("cookie", format!("{cookie}{}; noise={noise}", chance.one_of(&others)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_address_breaks_a_page() {
    listen();
    storage::testing::for_each_engine("no_address_breaks_a_page", |database| async move {
        let world = World::on(database).await;
        let (mut chance, mut judge) = (Chance::new(), Judge::default());
        let pages = page_routes().iter().map(|route| route.path().to_owned());
        let mut paths: Vec<_> = pages.chain(OTHERS.map(ToOwned::to_owned)).collect();
        paths.sort();
        for path in paths {
            for number in 0..EACH {
                let people = &world.people;
                let everybody = [&people.administrator, &people.teacher, &people.manager, &people.operator, &people.auditor];
                let ask = ask(&path, everybody[number % everybody.len()], &world, &mut chance).await;
                judge.any(&ask, ask.send(world.address).await.as_ref());
            }
        }
        assert!(judge.count(200) > 60, "most pages were shown");
        judge.end("pages");
    })
    .await;
}
