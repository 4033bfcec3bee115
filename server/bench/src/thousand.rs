//! A thousand running labs on two hundred nodes: memory, how far behind the reconciler is, and what the portal asks of the cluster when
//! nothing happens.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};

use crate::{
    clicks,
    cluster::{SLICES, Simulator, add_nodes},
    database::Engine,
    portal::{Portal, Start},
    report::Section,
    settings::Settings,
    stats::{Times, bytes, time},
    world::teachers,
};

/// Nodes that the simulator begins with.
const DEFAULT_NODES: usize = 6;
/// Orders that are sent at the same moment while the thousand are made.
const AT_ONCE: usize = 50;

pub async fn measure(settings: &Settings, section: &mut Section) -> Result<()> {
    let (labs, nodes): (usize, usize) = settings.size((1_000, 200), (100, 20));
    let singles = settings.size(20, 3);
    let sliced = (labs + singles).div_ceil(SLICES);
    let idle = settings.size(Duration::from_mins(1), Duration::from_secs(10));
    section.note(format!(
        "{labs} labs of one slice each on {nodes} nodes; SQLite; the simulator in a process of its own, at its fast pace (a pod runs 40 ms after it was made), so that what \
         is measured is the portal. Orders come {AT_ONCE} at a time. Then nothing happens for {} s, and then {singles} more labs are started one after the other.",
        idle.as_secs()
    ));
    let data = settings.folder("thousand")?;
    let simulator = Simulator::start(settings, &data, true).await?;
    // One line for each request to the cluster.
    let log = "filter = \"warn,kube_client::client::builder=debug\"";
    let portal = Portal::start(settings, Start { kubeconfig: Some(simulator.kubeconfig.clone()), log, ..Start::on(&data) }).await?;
    let api = portal.api("administrator").await?;
    add_nodes(&simulator.kubeconfig, sliced, nodes - DEFAULT_NODES - sliced, &api).await?;
    let people = teachers(&api, &Engine::Sqlite.url(&data, "")?, labs + singles, 25).await?;
    let before = portal.memory()?.now;

    let ready = clicks::open_forms(&portal, &people, false).await?;
    let mut groups = Vec::new();
    for group in ready[..labs].chunks(AT_ONCE) {
        groups.push(
            clicks::click(&portal, group, &api, Duration::from_mins(1))
                .await
                .with_context(|| portal.said().lines().rev().take(5).collect::<String>())?,
        );
    }
    let running = portal.labs("running").await?;
    section.aim("Labs that run", labs.to_string(), running.to_string(), running == labs);
    section.row(
        format!("{AT_ONCE} at once: until all run, first and last group"),
        "",
        format!("{}, {}", time(groups[0].all_running), time(groups[groups.len() - 1].all_running)),
        "",
    );

    // What is left to do settles.
    tokio::time::sleep(settings.size(Duration::from_secs(5), Duration::from_secs(1))).await;
    let asked = requests(&portal.said());
    tokio::time::sleep(idle).await;
    let more = requests(&portal.said());
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let a_minute = |kind: &str| {
        let count = |requests: &BTreeMap<String, usize>| requests.get(kind).copied().unwrap_or_default() as f64;
        (count(&more) - count(&asked)) * 60.0 / idle.as_secs_f64()
    };
    let all: f64 = more.keys().map(|kind| a_minute(kind)).sum();
    let kinds: Vec<_> = more.keys().filter(|kind| a_minute(kind) > 0.0).map(|kind| format!("{kind} {:.0}", a_minute(kind))).collect();
    section.row("Requests to the cluster a minute while nothing happens", "", format!("{all:.0} ({})", kinds.join(", ")), "");
    section.aim("Lists among them", "0", format!("{:.0}", a_minute("list")), a_minute("list") == 0.0);
    let memory = portal.memory()?;
    section.row(
        "Memory of the server: before the labs, now, most",
        "",
        format!("{}, {}, {}", bytes(before), bytes(memory.now), bytes(memory.peak)),
        "",
    );
    section.row("Memory of the simulator", "", bytes(simulator.memory()?.now), "");

    let mut starts = Vec::new();
    for one in ready[labs..].chunks(1) {
        starts.push(clicks::click(&portal, one, &api, Duration::from_secs(30)).await?);
    }
    let lag = Times::of(starts.iter().map(|start| start.all_running));
    let click = Times::of(starts.iter().map(|start| start.clicks.max()));
    section.row("One more start: until it runs, median (most)", "", format!("{} ({})", time(lag.median()), time(lag.max())), "");
    section.row("One more start: click, median (most)", "", format!("{} ({})", time(click.median()), time(click.max())), "");
    drop(ready);
    portal.stop().await?;
    simulator.stop().await
}

/// Requests that the portal sent, by kind.
fn requests(log: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in log.lines().filter(|line| line.ends_with("requesting")) {
        *counts.entry(kind(line)).or_default() += 1;
    }
    counts
}

/// Of a line like `… HTTP{http.method=GET http.url=https://127.0.0.1:1/api/v1/pods?&watch=true … otel.name="watch"…}: requesting`.
fn kind(line: &str) -> String {
    let part = |name: &str| line.split(name).nth(1).and_then(|rest| rest.split([' ', '}', '"']).next()).unwrap_or_default();
    let (method, url, name) = (part("http.method="), part("http.url="), part("otel.name=\""));
    match (method, name) {
        ("GET", _) if url.contains("watch=true") => "watch".to_owned(),
        ("GET", "list" | "get" | "version") => name.to_owned(),
        ("GET", _) if url.ends_with("/version") => "version".to_owned(),
        ("GET", _) => "get".to_owned(),
        (method, _) => method.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_kind() {
        let line = |method: &str, url: &str, name: &str| {
            format!("2026 DEBUG HTTP{{http.method={method} http.url=https://127.0.0.1:1{url} otel.name={name:?} otel.kind=\"client\"}}: requesting\n")
        };
        let log = [
            line("GET", "/api/v1/pods?&limit=500", "list"),
            line("GET", "/api/v1/pods?&watch=true&timeoutSeconds=290", "watch"),
            line("GET", "/version", "HTTP"),
            line("PATCH", "/api/v1/namespaces/x", "patch"),
            "2026 WARN something else\n".to_owned(),
        ];
        let expected = [("PATCH", 1), ("list", 1), ("version", 1), ("watch", 1)];
        assert_eq!(requests(&log.concat()), expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    }
}
