//! Teachers who press "start lab" at the same moment: each with her own session, connection and open page.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, future::join_all, stream};
use tokio::{sync::Barrier, task::JoinHandle};

use crate::{
    portal::{Api, Portal, text},
    stats::{Times, milliseconds},
    world::Teacher,
};

/// What is ordered: the first offering of the catalogue, with what its form is filled with.
const OFFERING: &str = "jupyterlab-slice";
const FIELDS: [(&str, &str); 7] = [
    ("offering", OFFERING),
    ("duration_minutes", "90"),
    ("purpose", ""),
    ("parameters[image]", "quay.io/jupyter/pytorch-notebook:cuda12-python-3.12"),
    ("parameters[cpu_cores]", "4"),
    ("parameters[memory_gib]", "16"),
    ("parameters[storage_gib]", "20"),
];

/// Somebody before the filled order form.
#[derive(Debug)]
pub struct Ready {
    client: reqwest::Client,
    teacher: Teacher,
    key: String,
    /// The page's own connection for news, read to its end as a browser does.
    news: Option<JoinHandle<()>>,
}

impl Drop for Ready {
    fn drop(&mut self) {
        if let Some(news) = &self.news {
            news.abort();
        }
    }
}

/// Opens the order form as everybody; `listening`: with the page's connection for news.
pub async fn open_forms(portal: &Portal, teachers: &[Teacher], listening: bool) -> Result<Vec<Ready>> {
    let open = |teacher: Teacher| async move {
        let client = reqwest::Client::builder().pool_max_idle_per_host(2).tcp_nodelay(true).build()?;
        let mut news = None;
        if listening {
            let request = client.get(format!("{}/events?age=50", portal.base)).header("cookie", &teacher.cookie);
            let mut heard = request.send().await?.error_for_status()?.bytes_stream();
            news = Some(tokio::spawn(async move { while heard.next().await.is_some_and(|part| part.is_ok()) {} }));
        }
        // On a connection of its own, which stays open for the click.
        let page = client.get(format!("{}/catalogue/{OFFERING}/order", portal.base)).header("cookie", &teacher.cookie).header("accept", "text/html");
        let page = page.send().await?.error_for_status()?.text().await?;
        let key = page.split("name=\"idempotency_key\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1)?.split('"').next());
        let key = key.context("the form has no key")?.to_owned();
        Ok::<_, anyhow::Error>(Ready { client, teacher, key, news })
    };
    stream::iter(teachers.iter().cloned()).map(open).buffered(16).try_collect().await
}

/// One answer to one click.
#[derive(Debug)]
struct Answer {
    milliseconds: f64,
    login: String,
    /// The order's id, or what was answered instead.
    result: Result<String, String>,
}

/// What came of one click of everybody.
#[derive(Debug)]
pub struct Outcome {
    pub clicks: Times,
    pub refused: usize,
    pub first_refusal: Option<String>,
    pub duplicates: usize,
    /// Acknowledged, but not there afterwards.
    pub lost: usize,
    /// From the click until the last of them runs, in milliseconds.
    pub all_running: f64,
}

/// Everybody clicks at one barrier; then waits until as many labs run. The click is the page's own server function, as its script
/// calls it.
pub async fn click(portal: &Portal, ready: &[Ready], api: &Api, patience: Duration) -> Result<Outcome> {
    let running_before = portal.labs("running").await?;
    let barrier = Arc::new(Barrier::new(ready.len() + 1));
    let refusals = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for Ready { client, teacher, key, news: _ } in ready {
        let mut form = FIELDS.to_vec();
        form.extend([("course", teacher.course.as_str()), ("idempotency_key", key.as_str())]);
        let request = client.post(format!("{}/api/orders/submit", portal.base)).header("cookie", &teacher.cookie);
        let request = request.header("accept", "application/json").header("sec-fetch-site", "same-origin").form(&form).build()?;
        let (client, barrier, refusals, login) = (client.clone(), Arc::clone(&barrier), Arc::clone(&refusals), teacher.login.clone());
        tasks.push(tokio::spawn(async move {
            barrier.wait().await;
            let started = Instant::now();
            let result = async {
                let answer = client.execute(request).await.map_err(|error| error.to_string())?;
                let status = answer.status();
                let text = answer.text().await.map_err(|error| error.to_string())?;
                if status.is_success() { Ok(text.trim_matches('"').to_owned()) } else { Err(format!("{status}: {text}")) }
            };
            let result = result.await;
            if result.is_err() {
                refusals.fetch_add(1, Ordering::Relaxed);
            }
            Answer { milliseconds: milliseconds(started.elapsed()), login, result }
        }));
    }
    barrier.wait().await;
    let started = Instant::now();
    let running = async {
        // What was refused never runs, and is counted by itself.
        while portal.labs("running").await? + refusals.load(Ordering::Relaxed) < running_before + ready.len() {
            ensure!(
                started.elapsed() < patience,
                "after {patience:?} {} of {} labs run",
                portal.labs("running").await? - running_before,
                ready.len()
            );
            // Asking costs the server something: a crowd is asked for less often than one.
            tokio::time::sleep(Duration::from_millis(if ready.len() > 1 { 50 } else { 5 })).await;
        }
        Ok(milliseconds(started.elapsed()))
    };
    let (answers, all_running) = tokio::join!(join_all(tasks), running);
    let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
    let refused = answers.iter().filter(|answer| answer.result.is_err()).count();
    let first_refusal = answers.iter().find_map(|answer| answer.result.clone().err());
    let all_running = all_running.with_context(|| format!("{refused} refused, first: {first_refusal:?}"))?;
    let (duplicates, lost) = compare(&answers, api).await?;
    let clicks = Times::of(answers.iter().map(|answer| answer.milliseconds));
    Ok(Outcome { clicks, refused, first_refusal, duplicates, lost, all_running })
}

/// Holds what was acknowledged against the orders that are there: second orders of somebody, and orders that are not there.
async fn compare(answers: &[Answer], api: &Api) -> Result<(usize, usize)> {
    let mut there = BTreeSet::new();
    let mut orders_of = BTreeMap::<String, usize>::new();
    for order in api.all("/orders").await? {
        there.insert(text(&order, "id")?.to_owned());
        *orders_of.entry(text(&order["owner"], "login")?.to_owned()).or_default() += 1;
    }
    let second = |answer: &&Answer| orders_of.get(&answer.login).is_some_and(|count| *count > 1);
    let gone = |answer: &&Answer| answer.result.as_ref().is_ok_and(|id| !there.contains(id));
    Ok((answers.iter().filter(second).count(), answers.iter().filter(gone).count()))
}
