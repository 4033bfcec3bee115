//! Answers that get lost: 327 clients send the same order five times at once, and many hang up before they are answered. There is one
//! order for each key, every answer for it is the same to the byte, also after a crash and after the order went on, and another
//! request under the key changes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};
use storage::{
    Database,
    testing::{agreement::differences, for_each_engine, number, texts},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::Barrier};

use crate::{
    chance::{Chance, seed},
    college::{College, Member},
    process::Place,
};

const CLIENTS: usize = 327;
const TRIES: usize = 5;
/// Of each client's tries, those whose answer is read; the others hang up.
const READ: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_of_327_clients_with_lost_answers_make_327_orders() {
    for_each_engine("survival::lost_answers", |database| async {
        let engine = database.engine();
        let seed = seed(&format!("lost_answers on {engine:?}"));
        let college = College::with_teachers(database, CLIENTS).await;
        let place = Arc::new(Place::on(college.world.url()));
        let running = place.start().await;
        let answers = everybody_at_once(&place, &college.teachers, seed).await;
        assert_eq!(answers.len(), CLIENTS);

        let database = &college.world.services.db;
        let orders = "SELECT CAST(number AS TEXT) || ' ' || id || ' ' || spec || ' ' || purpose FROM orders ORDER BY number";
        let made = texts(database, orders).await;
        assert_eq!(made.len(), CLIENTS, "one order for each key");
        assert_eq!(differences(database).await, [""; 0]);
        let numbers: BTreeSet<_> = answers.values().map(|(_, text)| json_of(text)["number"].as_i64()).collect();
        assert_eq!((numbers.len(), numbers.first(), numbers.last()), (CLIENTS, Some(&Some(1_001)), Some(&Some(1_327))));
        let queued = answers.values().filter(|(_, text)| json_of(text)["state"] == "queued").count();
        assert!(queued > 0 && queued < CLIENTS, "{queued} wait for cards: the answers tell of different states");

        // The orders go on, the process dies, and the same keys are still answered the same.
        until(database, "SELECT COUNT(*) FROM orders WHERE state = 'fulfilled'").await;
        running.kill();
        let running = place.start().await;
        let client = Client::new();
        for member in &college.teachers {
            let again = submit(&client, &place, member, &body(member)).await;
            assert_eq!(Some(&again), answers.get(&member.token), "another answer after the crash");
        }

        // Another request under a used key.
        let recorded = refusals(database).await;
        for member in &college.teachers {
            let mut other = body(member);
            other["purpose"] = "Something else".into();
            let (status, text) = submit(&client, &place, member, &other).await;
            assert_eq!((status, json_of(&text)["code"].as_str()), (422, Some("idempotency_key_reused")), "{text}");
        }
        assert_eq!(texts(database, orders).await, made, "a mismatch changes nothing");
        assert_eq!(refusals(database).await - recorded, i64::try_from(CLIENTS).unwrap(), "and is recorded");
        assert_eq!(differences(database).await, [""; 0]);
        running.stop(&place);
    })
    .await;
}

/// Status and body by token; every answer that was read for a key was the same.
async fn everybody_at_once(place: &Arc<Place>, teachers: &[Member], seed: u64) -> BTreeMap<String, (u16, String)> {
    let barrier = Arc::new(Barrier::new(teachers.len() * TRIES));
    let mut tries = Vec::new();
    for (at, member) in (0..).zip(teachers) {
        for number in 0..TRIES {
            let (place, member, barrier) = (Arc::clone(place), member.clone(), Arc::clone(&barrier));
            let mut chance = Chance::of(seed, at * 10 + number as u64);
            // Made before the clock runs: each reads its certificates, which takes the machine longer than the server waits for a request.
            let client = (number < READ).then(Client::new);
            tries.push(tokio::spawn(async move {
                barrier.wait().await;
                if let Some(client) = client {
                    let answer = submit(&client, &place, &member, &body(&member)).await;
                    return Some((member.token, answer));
                }
                // Long enough that some are cut off before they are looked at, some in the middle, some when they are done.
                let patience = Duration::from_millis(chance.below(3_000));
                hang_up(&place, &member, patience).await;
                None
            }));
        }
    }
    let mut answers = BTreeMap::new();
    for each in tries {
        let Some((token, answer)) = each.await.expect("no panic") else { continue };
        assert_eq!(answer.0, 201, "{}", answer.1);
        let first = answers.entry(token).or_insert_with(|| answer.clone());
        assert_eq!(*first, answer, "two answers for one key");
    }
    answers
}

fn body(member: &Member) -> Value {
    json!({"offering": "jupyterlab-slice", "course": member.course, "duration_minutes": 90, "purpose": "Lesson 3"})
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Sends the order and hears the answer. Who is asked to come back does so.
async fn submit(client: &Client, place: &Place, member: &Member, body: &Value) -> (u16, String) {
    loop {
        let request = client.post(place.url("/api/v1/orders")).bearer_auth(&member.token).header("idempotency-key", "lesson-3").json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        if status != 503 {
            return (status, answer.text().await.unwrap());
        }
        let seconds = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

/// Sends the order and closes the connection without reading.
async fn hang_up(place: &Place, member: &Member, patience: Duration) {
    let body = body(member).to_string();
    let request = format!(
        "POST /api/v1/orders HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nidempotency-key: lesson-3\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        member.token,
        body.len()
    );
    let mut connection = TcpStream::connect(place.address()).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(patience).await;
}

async fn refusals(database: &Database) -> i64 {
    number(database, "SELECT COUNT(*) FROM audit_events WHERE outcome = 'refused' AND code = 'idempotency_key_reused'").await
}

/// Until there is one of them.
async fn until(database: &Database, count: &str) {
    for _ in 0..300 {
        if number(database, count).await > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {count}");
}
