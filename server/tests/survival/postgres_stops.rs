//! PostgreSQL stopped and started again while teachers work: everybody is told to come back, nothing that was acknowledged is lost, and
//! half a minute after the database is back the portal serves and does its background work.

use std::time::{Duration, Instant};

use reqwest::{Client, redirect::Policy};
use serde_json::Value;
use server::outside::SystemClock;
use services::ports::Clock as _;
use storage::{
    Database,
    testing::{TestDatabase, number, texts},
};
use tokio_util::sync::CancellationToken;

use crate::{
    aftermath,
    chance::{Chance, seed},
    college::{College, Member},
    postgres::Postgres,
    process::Place,
    teacher::{Teacher, all_at_work},
};

const TEACHERS: usize = 6;
/// After the database is back.
const BACK: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_postgresql_is_stopped_under_load_loses_nothing_and_comes_back() {
    let Some(postgres) = Postgres::start("survival::postgres_stops") else { return };
    let seed = seed("postgres_stops");
    let college = College::with_teachers(TestDatabase::postgres_on(&postgres.url).await, TEACHERS).await;
    let place = Place::on(college.world.url());
    let mut running = place.start().await;
    let mut teachers = Teacher::all(&place, &college, seed);
    let mut chance = Chance::of(seed, 1_000);
    let cookie = session(&college).await;
    let database = &college.world.services.db;

    for mode in ["fast", "immediate"] {
        let enough = CancellationToken::new();
        let working = all_at_work(teachers, &enough);
        tokio::time::sleep(Duration::from_millis(1_000 + chance.below(2_000))).await;
        postgres.halt(mode);
        everybody_is_told(&place, &cookie, &college.manager).await;
        postgres.resume();
        let back = Instant::now();
        serves_within(&place, back).await;
        works_within(database, back).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        enough.cancel();
        teachers = working.ended().await;
        assert!(running.is_running(), "{}", place.log());
        aftermath::check(database, &teachers, &format!("after a stop that was {mode}")).await;
    }
    let put_off: Vec<_> = teachers.iter().flat_map(|teacher| teacher.put_off.clone()).collect();
    assert!(!put_off.is_empty(), "nobody was at work while it was away");
    let done = texts(database, "SELECT request_id FROM audit_events WHERE outcome = 'success' AND request_id IS NOT NULL").await;
    // It may be done all the same: the database died between the commit and its answer.
    let unheard = put_off.iter().filter(|id| done.contains(id)).count();
    aftermath::clear_up(&place, database, &mut teachers).await;
    running.stop(&place);
    let told = aftermath::audit(&place, &college, database.clone(), &teachers).await;
    eprintln!("postgres_stops: 2 stops, {} answers \"come back later\" of which {unheard} were done, {told}", put_off.len());
    database.close().await;
}

/// A browser's cookie of the first teacher.
async fn session(college: &College) -> String {
    let id = tower_sessions::session::Id::default().to_string();
    let user = college.teachers[0].caller.actor.user;
    let data = format!("{{\"user\":\"{user}\",\"credentials_version\":1}}");
    let until = SystemClock.now().plus_seconds(3_600);
    let hash = services::digest::hex_sha256(&id);
    assert!(services::sessions::create(&college.world.services, &hash, Some(user), &data, until).await.unwrap());
    format!("lectern={id}")
}

async fn everybody_is_told(place: &Place, cookie: &str, member: &Member) {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let get = |path: &str| client.get(place.url(path)).header("accept-language", "en");
    let ready = get("/readyz").send().await.unwrap();
    assert_eq!((ready.status().as_u16(), ready.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    assert_eq!(get("/healthz").send().await.unwrap().status(), 200, "the process itself is well");

    let page = get("/orders").header("accept", "text/html").header("cookie", cookie).send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    let html = page.text().await.unwrap();
    for part in ["<html lang=\"en\"", "<link rel=\"stylesheet\"", "<main", "try again in 5 s", "href=\"/\""] {
        assert!(html.contains(part), "no {part} in {html}");
    }

    let api = get("/api/v1/orders").bearer_auth(&member.token).send().await.unwrap();
    assert_eq!((api.status().as_u16(), api.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    assert_eq!(api.headers()["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(&api.text().await.unwrap()).unwrap();
    assert_eq!(problem["code"], "unavailable");
}

/// Ready, and an answer for somebody who asks.
async fn serves_within(place: &Place, back: Instant) {
    let client = Client::new();
    while !client.get(place.url("/readyz")).send().await.is_ok_and(|answer| answer.status() == 200) {
        assert!(back.elapsed() < BACK, "does not serve again:\n{}", place.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The lease is held, and something waits no longer for the background work.
async fn works_within(database: &Database, back: Instant) {
    let held = || async {
        let now = SystemClock.now().micros();
        number(database, &format!("SELECT COUNT(*) FROM leases WHERE name = 'jobs' AND expires_at > {now}")).await == 1
    };
    let sealed = || number(database, "SELECT COALESCE(MAX(seq), 0) FROM audit_events");
    let before = sealed().await;
    while !held().await || sealed().await <= before {
        assert!(back.elapsed() < BACK, "the background work does not go on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
