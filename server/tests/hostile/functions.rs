//! Every server function with nonsense for its arguments, as scripts and as forms without scripts call it. What arguments there are stands
//! in the source.

use std::{collections::BTreeMap, path::Path};

use http::Method;

use crate::{
    judge::{Judge, listen},
    nasty::{ATTRIBUTE, Chance, ELEMENT, encode},
    wire::Ask,
    world::World,
};

/// Requests for each function.
const EACH: usize = 6;

/// Names of the arguments of each server function, by its path.
fn arguments() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                read(&std::fs::read_to_string(path).unwrap(), &mut found);
            }
        }
    }
    found
}

fn read(source: &str, found: &mut BTreeMap<String, Vec<String>>) {
    for function in source.split("#[server(").skip(1) {
        let Some(endpoint) = function.split("endpoint = \"").nth(1).and_then(|rest| rest.split('"').next()) else { continue };
        // Attributes of arguments have parentheses of their own.
        let signature = function.split("fn ").nth(1).and_then(|rest| rest.split(" -> ").next()).unwrap_or_default().replace("#[server(default)]", "");
        let arguments = signature.split_once('(').map_or("", |(_, arguments)| arguments);
        let names = arguments.split(':').filter_map(|part| part.rsplit([',', '(', ' ', '\n']).find(|word| !word.is_empty()));
        found.insert(
            format!("/api/{endpoint}"),
            names.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')).map(ToOwned::to_owned).collect(),
        );
    }
}

fn form(names: &[String], world: &World, chance: &mut Chance) -> String {
    let mut pairs = Vec::new();
    for name in names {
        let value = match chance.one_of(&[0, 1, 2, 3, 4, 5, 6]) {
            0 => encode(ELEMENT.as_bytes()),
            1 => encode(ATTRIBUTE.as_bytes()),
            2 | 3 => chance.one_of(&world.ids()).clone(),
            _ => chance.encoded(),
        };
        let inner = if chance.once_in(3) {
            format!("[{}]", chance.one_of(&["month", "0", "", "course", "zh", "a][b", "99999999999"]))
        } else {
            String::new()
        };
        if !chance.once_in(10) {
            pairs.push(format!("{name}{inner}={value}"));
        }
    }
    if chance.once_in(5) {
        pairs.push(format!("{}={}", chance.encoded(), chance.encoded()));
    }
    if chance.once_in(12) {
        pairs.push(format!("id{}=1", "[a]".repeat(2_000)));
    }
    pairs.join("&")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_form_breaks_a_server_function() {
    listen();
    let arguments = arguments();
    let mut functions: Vec<_> = leptos::server_fn::axum::server_fn_paths().collect();
    functions.sort_by_key(|(path, _)| *path);
    assert!(functions.iter().all(|(path, _)| arguments.contains_key(*path)), "the arguments of each are found");
    let (functions, arguments) = (&functions, &arguments);
    storage::testing::for_each_engine("no_form_breaks_a_server_function", |database| async move {
        let world = World::on(database).await;
        let (mut chance, mut judge) = (Chance::new(), Judge::default());
        for (path, method) in functions {
            for number in 0..EACH {
                // A session each: some of these end it.
                let people = &world.people;
                let cookie = world.cookie([&people.administrator, &people.operator, &people.teacher][number % 3]).await;
                let form = form(&arguments[*path], &world, &mut chance);
                let ask = if *method == Method::GET {
                    Ask::get(format!("{path}?{form}"))
                } else if chance.once_in(10) {
                    Ask::new("POST", *path).body(
                        chance.one_of::<&str>(&["application/x-www-form-urlencoded", "application/json", "multipart/form-data", ""]),
                        chance.bytes(500),
                    )
                } else {
                    Ask::new("POST", *path).body("application/x-www-form-urlencoded", form)
                };
                let accept = *chance.one_of(&["application/json", "text/html"]);
                let referer = (*chance.one_of(&["http://lectern.test/orders", "", "not an address", "http://evil.example/\u{202e}"])).to_owned();
                let ask = ask.header("accept", accept).header("cookie", cookie).header("sec-fetch-site", "same-origin").header("referer", referer);
                let answer = ask.send(world.address).await;
                judge.any(&ask, answer.as_ref());
                if let Some(answer) = answer.filter(|answer| answer.status >= 400 && accept == "application/json")
                    && !answer.is_json()
                {
                    judge.blame(&ask, &format!("{} that no script can read: {}", answer.status, answer.text()));
                }
            }
        }
        assert!(judge.count(200) > 60, "many were carried out");
        judge.end("server functions");
    })
    .await;
}
