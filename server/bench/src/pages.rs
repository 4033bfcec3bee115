//! Every page of the route table: time on the server, statements, bytes, and when it answers to its reader in a slow browser.
//! A new route with a parameter needs a line in [`filled`].

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, ensure};
use brotli::{CompressorWriter, enc::BrotliEncoderParams};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    load::Target,
    portal::{Api, Portal, Start, text},
    report::Section,
    settings::Settings,
    stats::{Times, bytes, median, time},
    term,
};

/// In the order in which they are tried: a page is measured as the first of them who may see it.
const ROLES: [&str; 5] = ["teacher", "manager", "auditor", "operator", "administrator"];
const ROUTES: &str = include_str!("../../../app/src/routes.rs");
/// Lighthouse's slow 4G: bits a second and milliseconds.
const DOWN: u64 = 1_638_400;
const UP: u64 = 768_000;
const LATENCY: u64 = 150;

/// A list that is looked at and never taken over.
const PEOPLE: &str = "account,name,roles,courses\nbench.one,Bench one,teacher,AI2301\nbench.two,Bench two,manager,\n";

/// A page as it is asked for.
struct Page {
    route: &'static str,
    path: String,
    role: &'static str,
    cookie: String,
    times: Times,
    statements: f64,
    html: usize,
    packed: usize,
    arrival: Option<Arrival>,
}

/// What Chromium saw, in milliseconds.
#[derive(Debug, Clone, Deserialize)]
struct Arrival {
    route: String,
    first: f64,
    again: Option<f64>,
    bytes: f64,
}

pub async fn measure(settings: &Settings, section: &mut Section) -> Result<()> {
    let (data, _) = term::data(settings).await?;
    let portal = Portal::start(settings, Start::on(&data)).await?;
    let mut cookies = BTreeMap::new();
    for role in ROLES {
        cookies.insert(role, portal.sign_in(role).await?);
    }
    let mut pages = find(&portal, &cookies).await?;
    let count = settings.size(200, 20);
    for page in &mut pages {
        let target = Target::new(&portal.base, &page.path, Some(&page.cookie));
        let body = target.once().await?;
        (page.html, page.packed) = (body.len(), packed(&body)?);
        page.times = target.in_turn(count).await?;
    }
    let arrivals = arrivals(settings, &portal, &pages).await;
    portal.stop().await?;
    statements(settings, &data, &mut pages).await?;
    section.note(format!(
        "The demonstration college after a term, each page as the first of {} who may see it. Server: {count} requests one after the other on one connection on loopback, \
         until the last byte. Statements: of a later request, as sqlx counts them. HTML: as it is sent, and what brotli (quality 5) would make of it. Browser: Chromium, CPU \
         slowed 4 times, {LATENCY} ms and 1.6 Mbit/s (Lighthouse's slow 4G); time until the page answers (`html[data-hydrated]`), at the first visit ever with the bytes that \
         travelled, and with a warm cache. Not here: `/setup` and `/join`, which are gone when somebody can sign in.",
        ROLES.join(", "),
    ));
    match arrivals {
        Ok(arrivals) => {
            for page in &mut pages {
                page.arrival = arrivals.iter().find(|arrival| arrival.route == page.route).cloned();
            }
        }
        Err(error) => section.row("In Chromium", "", format!("not measured: {error:#}").replace('\n', " "), ""),
    }
    summary(section, &pages);
    section.table(table(&pages));
    Ok(())
}

fn summary(section: &mut Section, pages: &[Page]) {
    let worst = |of: fn(&Page) -> f64| pages.iter().max_by(|one, other| of(one).total_cmp(&of(other)));
    let server: fn(&Page) -> f64 = |page| page.times.median();
    section.row(format!("{} pages on the server, median of medians", pages.len()), "", time(median(pages.iter().map(server))), "");
    if let Some(page) = worst(server) {
        section.row(
            "Slowest page on the server, median (p99)",
            "",
            format!("{}: {} ({})", page.route, time(server(page)), time(page.times.percentile(99))),
            "",
        );
    }
    if let Some(page) = worst(|page| page.statements) {
        section.aim("Most statements of a page", "10", format!("{}: {:.0}", page.route, page.statements), page.statements <= 10.0);
    }
    let arrived = || pages.iter().filter_map(|page| page.arrival.as_ref());
    if arrived().next().is_some() {
        let longest = arrived().map(|arrival| arrival.first).fold(0.0, f64::max);
        section.row(
            "First visit interactive after, median (longest)",
            "",
            format!("{} ({})", time(median(arrived().map(|arrival| arrival.first))), time(longest)),
            "",
        );
        section.row("With a warm cache, median", "", time(median(arrived().filter_map(|arrival| arrival.again))), "");
        section.row("Bytes of a first visit, median", "", kilobytes(median(arrived().map(|arrival| arrival.bytes))), "");
    }
}

fn table(pages: &[Page]) -> String {
    let mut text = "| Page | As | Server median | p99 | Statements | HTML | brotli | First visit | Interactive | Again |\n|---|---|---|---|---|---|---|---|---|---|\n".to_owned();
    for page in pages {
        let arrival = page.arrival.as_ref();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {:.0} | {} | {} | {} | {} | {} |",
            page.route,
            page.role,
            time(page.times.median()),
            time(page.times.percentile(99)),
            page.statements,
            bytes(page.html as u64),
            bytes(page.packed as u64),
            arrival.map_or_else(String::new, |arrival| kilobytes(arrival.bytes)),
            arrival.map_or_else(String::new, |arrival| time(arrival.first)),
            arrival.and_then(|arrival| arrival.again).map_or_else(String::new, time),
        );
    }
    text
}

fn kilobytes(bytes: f64) -> String {
    format!("{:.0} kB", bytes / 1e3)
}

fn packed(body: &[u8]) -> Result<usize> {
    let mut packed = Vec::new();
    let mut writer = CompressorWriter::with_params(&mut packed, 4_096, &BrotliEncoderParams { quality: 5, ..Default::default() });
    writer.write_all(body)?;
    drop(writer);
    Ok(packed.len())
}

/// The routes of the table, without those that only developers have.
fn routes() -> Vec<&'static str> {
    let found = ROUTES.split("<Route path=path!(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut routes: Vec<_> = found.filter(|route| *route != "/design").collect();
    routes.sort_unstable();
    routes
}

/// Every page with whoever sees it first.
async fn find(portal: &Portal, cookies: &BTreeMap<&'static str, String>) -> Result<Vec<Page>> {
    let examples = Examples::find(&portal.api("teacher").await?, &portal.api("administrator").await?, &portal.api("auditor").await?).await?;
    let mut pages = Vec::new();
    for route in routes() {
        let Some(path) = filled(route, &examples)? else { continue };
        let mut refused = Vec::new();
        for role in ROLES {
            let cookie = if route == "/sign-in" { String::new() } else { cookies[role].clone() };
            match Target::new(&portal.base, &path, Some(&cookie)).once().await {
                Ok(_) => {
                    let role = if cookie.is_empty() { "nobody" } else { role };
                    pages.push(Page { route, path, role, cookie, times: Times::default(), statements: f64::NAN, html: 0, packed: 0, arrival: None });
                    refused.clear();
                    break;
                }
                Err(error) => refused.push(format!("{role}: {error:#}")),
            }
        }
        ensure!(refused.is_empty(), "nobody sees {route}: {}", refused.join("; "));
    }
    ensure!(pages.len() > 30, "{} routes are read from routes.rs", pages.len());
    Ok(pages)
}

/// Things that pages can show.
struct Examples {
    order: String,
    pending: Option<String>,
    lab: String,
    event: String,
    course: String,
    person: String,
    import: String,
}

impl Examples {
    async fn find(teacher: &Api, administrator: &Api, auditor: &Api) -> Result<Self> {
        let list = async |api: &Api, path: &str| Ok::<_, anyhow::Error>(api.get(path).await?["items"].as_array().cloned().unwrap_or_default());
        let id = |items: &[Value]| items.first().and_then(|item| item["id"].as_str()).map(ToOwned::to_owned);
        // Without the term nobody has ordered anything yet.
        if list(teacher, "/orders").await?.is_empty() {
            order(teacher).await?;
        }
        let labs = list(teacher, "/labs").await?;
        let running = labs.iter().find(|lab| lab["state"] == "running").or(labs.first()).context("a lab")?;
        Ok(Self {
            order: id(&list(teacher, "/orders?mine=true").await?).context("an order")?,
            pending: id(&list(administrator, "/orders?state=pending_approval").await?),
            lab: text(running, "id")?.to_owned(),
            event: id(&list(auditor, "/audit/events").await?).context("a record")?,
            course: id(&list(administrator, "/courses").await?).context("a course")?,
            person: id(&list(administrator, "/people").await?).context("a person")?,
            import: text(&administrator.post("/imports", &json!({"kind": "people", "file_name": "bench.csv", "list": PEOPLE})).await?, "id")?
                .to_owned(),
        })
    }
}

async fn order(teacher: &Api) -> Result<()> {
    for (offering, key) in [("jupyterlab-slice", "one"), ("jupyterlab-2xa100-1tb", "two")] {
        teacher.order(key, &json!({"offering": offering, "course": "AI2301", "duration_minutes": 60})).await?;
    }
    Ok(())
}

/// A page's path with real names in it; `None` for what has nothing to show in this college.
fn filled(route: &str, examples: &Examples) -> Result<Option<String>> {
    let id = match route {
        "/catalogue/:slug/order" | "/catalogue/:slug" | "/offerings/:slug" => "jupyterlab-slice",
        "/orders/:id" | "/orders/:id/again" => &examples.order,
        "/approvals/:id" => match &examples.pending {
            Some(pending) => pending,
            None => return Ok(None),
        },
        "/labs/:id" | "/labs/:id/resize" | "/labs/:id/terminal" | "/billing/labs/:id" => &examples.lab,
        "/audit/:id" => &examples.event,
        "/policies/:number" => "1",
        "/courses/:id" => &examples.course,
        "/people/:id" => &examples.person,
        "/imports/:id" => &examples.import,
        "/search" => return Ok(Some("/search?q=AI2301".to_owned())),
        // A one-time link, and a portal that nobody set up: both are gone when somebody can sign in.
        "/join/:token" | "/setup" => return Ok(None),
        other => {
            ensure!(!other.contains(':'), "{other} has no example in server/bench/src/pages.rs");
            return Ok(Some(other.to_owned()));
        }
    };
    Ok(Some(route.split('/').map(|part| if part.starts_with(':') { id } else { part }).collect::<Vec<_>>().join("/")))
}

/// Asks for each page on a server that logs its statements. Background jobs make some too: the middle of nine requests has none of theirs.
async fn statements(settings: &Settings, data: &std::path::Path, pages: &mut [Page]) -> Result<()> {
    let log = "filter = \"info,sqlx::query=debug\"\nformat = \"json\"";
    let portal = Portal::start(settings, Start { log, ..Start::on(data) }).await?;
    // The background work that begins with the server would be counted as the first page's.
    tokio::time::sleep(Duration::from_secs(5)).await;
    for page in &mut *pages {
        let target = Target::new(&portal.base, &page.path, Some(&page.cookie));
        target.in_turn(10).await?;
    }
    let said = portal.said();
    portal.stop().await?;
    let mut counts = BTreeMap::<String, Vec<f64>>::new();
    let mut count = 0.0;
    for line in said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if line["summary"].as_str().is_some_and(|summary| !summary.starts_with("PRAGMA")) {
            count += 1.0;
        } else if line["message"] == "answered" {
            counts.entry(line["http.path"].as_str().unwrap_or_default().to_owned()).or_default().push(count);
            count = 0.0;
        }
    }
    for page in pages {
        // The first fills what a process keeps.
        let path = page.path.split('?').next().unwrap_or_default();
        let counts = counts.get(path).with_context(|| format!("{} is not in the log", page.path))?;
        page.statements = median(counts.iter().skip(1).copied());
    }
    Ok(())
}

async fn arrivals(settings: &Settings, portal: &Portal, pages: &[Page]) -> Result<Vec<Arrival>> {
    let folder = settings.root.join("end2end");
    ensure!(folder.join("node_modules").is_dir(), "end2end/node_modules is not there");
    let taken = settings.size(pages.len(), 2);
    let asked = json!({
        "base": portal.base, "cpu": 4, "network": {"latency": LATENCY, "down": DOWN, "up": UP}, "again": 1,
        "pages": pages.iter().take(taken).map(|page| json!({"route": page.route, "path": page.path, "cookie": page.cookie})).collect::<Vec<_>>(),
    });
    let mut command = Command::new("node");
    command.arg("time_to_interactive.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut input = child.stdin.take().context("standard input")?;
    tokio::io::AsyncWriteExt::write_all(&mut input, asked.to_string().as_bytes()).await?;
    drop(input);
    let output = tokio::time::timeout(Duration::from_mins(8), child.wait_with_output()).await.context("the browser takes more than 8 minutes")??;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).lines().take(3).collect::<Vec<_>>().join(" "));
    String::from_utf8(output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_table_has_an_example() {
        let some = || "x".to_owned();
        let examples = Examples { order: some(), pending: Some(some()), lab: some(), event: some(), course: some(), person: some(), import: some() };
        let routes = routes();
        assert!(routes.len() > 30, "{routes:?}");
        for route in routes {
            let path = filled(route, &examples).unwrap_or_else(|error| panic!("{error}"));
            assert!(path.is_none_or(|path| !path.contains(':')), "{route}");
        }
    }
}
