//! Every operation of the API: good bodies with one thing spoilt, bodies that are none, paths and queries of nonsense, other methods.

use domain::access::Scope;
use serde_json::{Map, Value, json};
use server::rest;

use crate::{
    judge::{Judge, listen},
    nasty::{Chance, encode},
    support::People,
    wire::Ask,
    world::World,
};

/// Requests for each operation.
const EACH: usize = 14;
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "LECTERN"];

struct Described {
    method: String,
    path: String,
    /// Names of the parameters of its query.
    query: Vec<String>,
    example: Option<Value>,
}

fn described() -> Vec<Described> {
    let document = rest::openapi::whole();
    let items = document["paths"].as_object().expect("paths").iter();
    let operations =
        items.flat_map(|(path, item)| item.as_object().expect("operations").iter().map(move |(method, operation)| (path, method, operation)));
    operations
        .map(|(path, method, operation)| Described {
            method: method.to_uppercase(),
            path: path.clone(),
            query: operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|each| each["in"] == "query")
                .filter_map(|each| Some(each["name"].as_str()?.to_owned()))
                .collect(),
            example: operation.pointer("/requestBody/content/application~1json/example").cloned(),
        })
        .collect()
}

/// The path with real names, or with nonsense.
fn filled(path: &str, world: &World, chance: &mut Chance) -> String {
    let below = path.trim_start_matches(rest::PREFIX);
    let real = !chance.once_in(3);
    let part = |part: &str| match part.strip_prefix('{') {
        Some("user}") if real => world.people.colleague.actor.user.to_string(),
        Some(_) if real => world.thing(below).to_owned(),
        Some(_) => chance.encoded(),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn query(names: &[String], chance: &mut Chance) -> String {
    let mut pairs = Vec::new();
    for name in names.iter().chain(["limit".to_owned(), "after".to_owned()].iter()) {
        if chance.once_in(3) {
            pairs.push(format!("{name}={}", chance.encoded()));
        }
    }
    if chance.once_in(6) {
        pairs.push(chance.encoded());
    }
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// The example with a member or two changed, gone or added; or no JSON object at all.
fn body(example: Option<&Value>, world: &World, chance: &mut Chance) -> Vec<u8> {
    let mut body = example.and_then(Value::as_object).cloned().unwrap_or_default();
    if chance.once_in(6) {
        return broken(&body, chance);
    }
    let names: Vec<_> = body.keys().cloned().collect();
    for _ in 0..2 {
        let id = chance.one_of(&world.ids()).clone();
        let value = if chance.once_in(5) { json!(id) } else { chance.value() };
        match (chance.once_in(8), names.is_empty()) {
            (false, false) => _ = body.insert(chance.one_of(&names).clone(), value),
            _ => _ = body.insert(chance.text(), value),
        }
    }
    if chance.once_in(6) && !names.is_empty() {
        body.remove(chance.one_of(&names));
    }
    Value::Object(body).to_string().into_bytes()
}

fn broken(body: &Map<String, Value>, chance: &mut Chance) -> Vec<u8> {
    let whole = Value::Object(body.clone()).to_string();
    let ways: [Vec<u8>; 9] = [
        whole.as_bytes()[..whole.len() / 2].to_vec(),
        b"[1]".to_vec(),
        b"\xff\xfe{}".to_vec(),
        b"{\"a\":\"\\ud800\"}".to_vec(),
        b"{\"version\":1e999}".to_vec(),
        b"{\"a\":1,\"a\":2}".to_vec(),
        [b"[".repeat(100_000), b"]".repeat(100_000)].concat(),
        format!("{{\"policy\":{}1{}}}", "{\"not\":".repeat(20_000), "}".repeat(20_000)).into_bytes(),
        chance.bytes(400),
    ];
    chance.one_of(&ways).clone()
}

fn asks(world: &World, authorization: &str, chance: &mut Chance) -> Vec<Ask> {
    let mut asks = Vec::new();
    for operation in described() {
        for number in 0..EACH {
            let target = format!("{}{}", filled(&operation.path, world, chance), query(&operation.query, chance));
            let method = if number == 0 { *chance.one_of(&METHODS) } else { operation.method.as_str() };
            let mut ask = Ask::new(method, target)
                .header("authorization", authorization)
                .header("accept-language", *chance.one_of(&["en", "zh-CN", "\u{fffd}"]));
            if operation.path.ends_with("/orders") {
                ask = ask.header("idempotency-key", encode(chance.text().as_bytes()).chars().take(120).collect::<String>());
            }
            if method != "GET" && method != "HEAD" {
                let media = if chance.once_in(10) {
                    *chance.one_of(&["", "text/plain", "application/xml", "application/x-www-form-urlencoded"])
                } else {
                    "application/json"
                };
                ask = ask.body(media, body(operation.example.as_ref(), world, chance));
            }
            asks.push(ask);
        }
    }
    asks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_of_a_program_breaks_the_portal() {
    listen();
    storage::testing::for_each_engine("no_request_of_a_program_breaks_the_portal", |database| async move {
        let world = World::on(database).await;
        let (mut chance, mut judge) = (Chance::new(), Judge::default());
        for (number, ask) in asks(&world, &world.administrator, &mut chance).into_iter().enumerate() {
            judge.api(&ask, ask.send(world.address).await.as_ref());
            // Now and then as somebody who may do little.
            if number % 5 == 0 {
                let mut ask = ask;
                ask.headers.iter_mut().filter(|(name, _)| name == "authorization").for_each(|(_, value)| *value = world.teacher.clone().into_bytes());
                judge.api(&ask, ask.send(world.address).await.as_ref());
            }
        }
        // The token stayed good all the way, and what was good among the bodies was taken.
        let (good, unauthenticated) = (judge.count(200), judge.count(401));
        assert!(good > 100 && unauthenticated == 0, "{good} good answers, {unauthenticated} without a token");
        judge.end("the API");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_without_the_scope_of_an_operation_is_told_which_it_lacks() {
    listen();
    let world = World::on(storage::testing::TestDatabase::sqlite().await).await;
    let People { teacher, colleague, manager, auditor, operator, administrator } = &world.people;
    let everybody = [teacher, colleague, manager, auditor, operator, administrator];
    let mut tokens = Vec::new();
    for person in everybody {
        // Two scopes that no operation asks for together: each operation lacks its scope with one of them at least.
        for scope in [Scope::OfferingsRead, Scope::UsageRead] {
            tokens.push(format!("Bearer {}", world.portal.token(person, &[scope]).await.secret.expect("a secret")));
        }
    }
    let document = rest::openapi::whole();
    for operation in described() {
        let below = operation.path.trim_start_matches(rest::PREFIX);
        let said = &document["paths"][&operation.path][operation.method.to_lowercase()]["security"][0]["token"];
        let path = operation.path.split('/').map(|part| if part.starts_with('{') { world.thing(below) } else { part }).collect::<Vec<_>>().join("/");
        let (mut lacking, mut answers) = (Vec::new(), Vec::new());
        for token in &tokens {
            let body = operation.example.clone().unwrap_or_else(|| json!({})).to_string();
            let ask = Ask::new(&operation.method, path.clone()).header("authorization", token.as_str()).header("idempotency-key", "scope");
            let ask = if operation.method == "GET" { ask } else { ask.body("application/json", body) };
            let answer = ask.send(world.address).await.expect("an answer");
            let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            answers.push(format!("{} {}", answer.status, document["code"]));
            lacking.extend(document["scope"].as_str().filter(|_| document["code"] == "scope_missing").map(ToOwned::to_owned));
        }
        lacking.sort();
        lacking.dedup();
        // That of the change, and where it answers with what another one reads, that too: the first that is missing is told.
        let said: Vec<String> = said.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        let is_told = lacking.iter().all(|scope| said.contains(scope)) && lacking.is_empty() == said.is_empty();
        assert!(is_told, "{} {}: mend rest/scopes.rs; {lacking:?} of {said:?}; {answers:?}", operation.method, operation.path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_of_nonsense_opens_anything() {
    listen();
    let world = World::on(storage::testing::TestDatabase::sqlite().await).await;
    let (mut chance, mut judge) = (Chance::new(), Judge::default());
    for _ in 0..150 {
        let token = match chance.one_of(&[0, 1, 2]) {
            0 => format!("Bearer lct_{}", encode(chance.text().as_bytes())).into_bytes(),
            1 => [b"Bearer ".to_vec(), chance.bytes(60).into_iter().filter(|byte| !matches!(byte, 0 | 10 | 13)).collect()].concat(),
            _ => chance.bytes(60).into_iter().filter(|byte| !matches!(byte, 0 | 10 | 13)).collect(),
        };
        let ask = Ask::get("/api/v1/orders").header("authorization", token.into_iter().take(8_000).collect::<Vec<u8>>());
        let answer = ask.send(world.address).await;
        if answer.as_ref().is_some_and(|answer| answer.status == 200) {
            judge.blame(&ask, "let in");
        }
        judge.api(&ask, answer.as_ref());
    }
    judge.end("tokens");
}
