//! Everybody presses Open at one moment: the portal makes a ticket, the lab's site takes it, and the lab's first page comes back. This is the
//! release binary with everything in it, in front of the simulator's pods, which it reaches through their API server.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, future::join_all, stream};
use reqwest::redirect::Policy;
use tokio::sync::Barrier;

use crate::{
    clicks,
    cluster::{SLICES, Simulator, add_nodes},
    database::Engine,
    portal::{Portal, Start, text},
    report::Section,
    settings::Settings,
    stats::{Times, bytes, median, milliseconds, time},
    world::{Teacher, teachers},
};

const IN_A_COURSE: usize = 25;
const PATIENCE: Duration = Duration::from_mins(2);
/// Path of a lab's site that takes tickets.
const ENTER: &str = "/.lectern/enter";

/// A browser with a pass.
#[derive(Debug, Clone)]
pub struct Entered {
    /// The first part of the host of the lab's site.
    pub label: String,
    /// `lectern-lab=…`
    pub cookie: String,
}

/// Somebody on the page of her own running lab.
#[derive(Debug, Clone)]
struct Person {
    client: reqwest::Client,
    lab: String,
    session: String,
}

/// A way into a lab; times in milliseconds.
struct Way {
    open: f64,
    enter: f64,
    page: f64,
    entered: Entered,
}

/// The ways of everybody at one moment.
struct Run {
    ways: Vec<Way>,
    refused: usize,
}

pub struct Opening {
    pub database: String,
    /// Of the last run.
    pub entered: Vec<Entered>,
    people: usize,
    runs: Vec<Run>,
    memory: u64,
}

/// Makes labs that run and has everybody open hers, several times. The portal has stopped when this returns; passes and labs are in its
/// database.
pub async fn measure(settings: &Settings, number: usize) -> Result<Opening> {
    let data = settings.folder("door")?;
    let database = Engine::Sqlite.url(&data, "")?;
    let simulator = Simulator::start(settings, &data, true).await?;
    let portal = Portal::start(settings, Start { kubeconfig: Some(simulator.kubeconfig.clone()), ..Start::on(&data) }).await?;
    let api = portal.api("administrator").await?;
    add_nodes(&simulator.kubeconfig, number.div_ceil(SLICES), 0, &api).await?;
    let teachers = teachers(&api, &database, number, IN_A_COURSE).await?;
    let ready = clicks::open_forms(&portal, &teachers, false).await?;
    clicks::click(&portal, &ready, &api, PATIENCE).await?;
    drop(ready);
    let mut labs = BTreeMap::new();
    // An administrator reads orders, not labs.
    for order in api.all("/orders").await? {
        let lab = order["labs"][0].as_str().context("an order without a lab")?;
        labs.insert(text(&order["owner"], "login")?.to_owned(), lab.to_owned());
    }
    let mut runs = Vec::new();
    for _ in 0..settings.size(3, 1) {
        let people = on_their_pages(&portal, &teachers, &labs).await?;
        runs.push(everybody(&portal, &people).await?);
    }
    let memory = portal.memory()?.peak;
    portal.stop().await?;
    simulator.stop().await?;
    let entered: Vec<_> = runs.iter().skip(runs.len() - 1).flat_map(|run| &run.ways).map(|way| way.entered.clone()).collect();
    ensure!(!entered.is_empty(), "nobody came into a lab");
    Ok(Opening { database, entered, people: number, runs, memory })
}

impl Opening {
    pub fn report(&self, section: &mut Section) {
        let refused: usize = self.runs.iter().map(|run| run.refused).sum();
        let of = |pick: fn(&Way) -> f64, percent: usize| median(self.runs.iter().map(|run| Times::of(run.ways.iter().map(pick)).percentile(percent)));
        let whole: fn(&Way) -> f64 = |way| way.open + way.enter + way.page;
        section.aim(
            format!("{} people open their labs at once: refused of {}", self.people, self.people * self.runs.len()),
            "0",
            refused.to_string(),
            refused == 0,
        );
        section.aim(
            "From Open to the lab's first page: p99 (p50, max)",
            "under 500 ms",
            format!("{} ({}, {})", time(of(whole, 99)), time(of(whole, 50)), time(of(whole, 100))),
            of(whole, 99) < 500.0,
        );
        section.row(
            "Of it, p99 each: the portal's ticket, the cookie, the page through the API server",
            "",
            format!("{}, {}, {}", time(of(|way| way.open, 99)), time(of(|way| way.enter, 99)), time(of(|way| way.page, 99))),
            "",
        );
        section.row("Memory of the server, most", "", bytes(self.memory), "");
    }
}

/// Opens the page of each teacher's lab, on a connection of its own that stays open for the click.
async fn on_their_pages(portal: &Portal, teachers: &[Teacher], labs: &BTreeMap<String, String>) -> Result<Vec<Person>> {
    let go = |teacher: Teacher| async move {
        let lab = labs.get(&teacher.login).with_context(|| format!("{} has no lab", teacher.login))?.clone();
        let client = reqwest::Client::builder().redirect(Policy::none()).pool_max_idle_per_host(2).tcp_nodelay(true).build()?;
        let page = client.get(format!("{}/labs/{lab}", portal.base)).header("cookie", &teacher.cookie).header("accept", "text/html");
        page.send().await?.error_for_status()?.bytes().await?;
        Ok::<_, anyhow::Error>(Person { client, lab, session: teacher.cookie })
    };
    stream::iter(teachers.iter().cloned()).map(go).buffered(16).try_collect().await
}

async fn everybody(portal: &Portal, people: &[Person]) -> Result<Run> {
    let barrier = Arc::new(Barrier::new(people.len()));
    let mut tasks = Vec::new();
    for person in people {
        let (person, barrier, portal) = (person.clone(), Arc::clone(&barrier), portal.base.clone());
        tasks.push(tokio::spawn(async move {
            barrier.wait().await;
            person.open(&portal).await
        }));
    }
    let (mut ways, mut refused) = (Vec::new(), 0);
    for answer in join_all(tasks).await {
        match answer? {
            Ok(way) => ways.push(way),
            Err(error) => {
                if refused == 0 {
                    eprintln!("  first refusal: {error:#}");
                }
                refused += 1;
            }
        }
    }
    Ok(Run { ways, refused })
}

impl Person {
    /// As her browser does it: the portal's page with the ticket, the post to the lab's site, the page that this leads to.
    async fn open(&self, portal: &str) -> Result<Way> {
        let started = Instant::now();
        let request = self.client.post(format!("{portal}/labs/{}/open", self.lab)).header("cookie", &self.session).header("origin", portal);
        let answer = request.header("sec-fetch-site", "same-origin").header("accept", "text/html").form(&[("next", "/")]).send().await?;
        let (status, page) = (answer.status(), answer.text().await?);
        ensure!(status == 200, "Open answered {status}");
        let site = between(&page, "action=\"http://", ENTER).context("the page does not say where the ticket goes")?;
        let ticket = between(&page, "name=\"ticket\" value=\"", "\"").context("the page has no ticket")?;
        let (label, port) = site.split_once(".localhost:").with_context(|| format!("{site} is no site on this machine"))?;
        let site_address = format!("http://127.0.0.1:{port}");

        let opened = Instant::now();
        let request = self.client.post(format!("{site_address}{ENTER}")).header("host", site).header("origin", portal);
        let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate").header("accept", "text/html");
        let answer = request.form(&[("ticket", ticket), ("next", "/")]).send().await?;
        ensure!(answer.status() == 303, "the lab's site answered {} to the ticket", answer.status());
        let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookie = cookie.context("the lab's site gave no cookie")?.to_owned();
        answer.bytes().await?;

        let entered = Instant::now();
        let request = self.client.get(format!("{site_address}/")).header("host", site).header("cookie", &cookie);
        let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate").header("accept", "text/html");
        let answer = request.send().await?;
        ensure!(answer.status() == 200, "the lab answered {}", answer.status());
        answer.bytes().await?;
        let times = [opened - started, entered - opened, entered.elapsed()].map(milliseconds);
        Ok(Way { open: times[0], enter: times[1], page: times[2], entered: Entered { label: label.to_owned(), cookie } })
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn the_ticket_is_read_from_the_page_that_carries_it() {
        let page = "<form action=\"http://lab-7-0a.localhost:3001/.lectern/enter\"><input type=\"hidden\" name=\"ticket\" value=\"abc\">";
        assert_eq!(between(page, "action=\"http://", super::ENTER), Some("lab-7-0a.localhost:3001"));
        assert_eq!(between(page, "name=\"ticket\" value=\"", "\""), Some("abc"));
        assert_eq!(between(page, "name=\"next\" value=\"", "\""), None);
    }
}
