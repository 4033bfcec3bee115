//! The way into labs: the door beside what JupyterHub has in its place and beside a bare proxy, all before the same small application, and
//! everybody opening her lab at one moment. `stand` (`src/bin/stand`) has the servers.

mod downloads;
mod opening;
mod sockets;
mod stands;

use std::{iter, time::Duration};

use anyhow::Result;
use stands::{Front, Kind, Stand};

use crate::{
    load::Load,
    report::Section,
    settings::Settings,
    stats::{median, time},
};

const BROWSERS: usize = 50;
/// Browsers that ask at a steady pace, once in each period.
const STEADY: u32 = 20;
const PERIOD: Duration = Duration::from_millis(100);

/// Results of one kind of server, a value for each run.
struct Measured<T> {
    kind: Kind,
    runs: Vec<T>,
}

pub async fn measure(settings: &Settings, section: &mut Section) -> Result<()> {
    listener::raise_descriptor_limit();
    let people = settings.size(327, 40);
    section.note(format!(
        "Each server is a process of its own before one small application on hyper, on loopback; the client runs on the same two cores. The door is \
         a replica of the portal on its SQLite database: each browser has the pass of another person for another lab, checked as in the product, and \
         pods are dialled by address, as inside the cluster. The bare proxy is 40 lines on the same hyper, without cookies, checks and counts; it \
         and the door have the product's allocator. {BROWSERS} browsers that ask for 1 kB again at once, {} s each time; latency at {} requests a second \
         of {STEADY} browsers. The middle of {} runs, in turn with the others.",
        duration(settings).as_secs(),
        u128::from(STEADY) * 1_000 / PERIOD.as_millis(),
        runs(settings),
    ));
    let opening = opening::measure(settings, people).await?;
    let front = Front::start(settings, opening.database.clone(), opening.entered.clone()).await?;
    if !front.kinds.contains(&Kind::Peer) {
        section.row(Kind::Peer.to_string(), "", "not measured: it could not be installed", "");
    }
    let stands = front.stands().await?;
    requests(&front, &stands, section).await?;
    latency(&front, &stands, section).await?;
    for stand in stands {
        stand.stop().await?;
    }
    sockets::measure(&front, section).await?;
    downloads::measure(&front, section).await?;
    front.stop().await?;
    opening.report(section);
    Ok(())
}

fn duration(settings: &Settings) -> Duration {
    settings.size(Duration::from_secs(5), Duration::from_secs(2))
}

fn runs(settings: &Settings) -> usize {
    settings.size(3, 1)
}

/// The middle one of the runs of a kind of server; `None` if it was not measured.
fn middle<T>(measured: &[Measured<T>], kind: Kind, figure: impl Fn(&T) -> f64) -> Option<f64> {
    let found = measured.iter().find(|measured| measured.kind == kind)?;
    Some(median(found.runs.iter().map(figure)))
}

/// How many times the door's figure is that of another kind of server.
fn times_of<T>(measured: &[Measured<T>], kind: Kind, figure: impl Fn(&T) -> f64) -> Option<f64> {
    Some(middle(measured, Kind::Door, &figure)? / middle(measured, kind, &figure)?)
}

async fn requests(front: &Front<'_>, stands: &[Stand], section: &mut Section) -> Result<()> {
    let all = || iter::once(&front.upstream).chain(stands);
    let mut measured: Vec<_> = all().map(|stand| Measured { kind: stand.kind, runs: Vec::new() }).collect();
    for _ in 0..runs(front.settings) {
        for (stand, measured) in all().zip(&mut measured) {
            let before = stand.processor_time()?;
            let load = front.load(stand, BROWSERS, duration(front.settings)).await?;
            let used = stand.processor_time()?.saturating_sub(before);
            measured.runs.push((load, used));
        }
    }
    let rate = |(load, _): &(Load, Duration)| load.per_second;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let processor = |(load, used): &(Load, Duration)| used.as_secs_f64() * 1e6 / load.times.len() as f64;
    for Measured { kind, runs } in &measured {
        let of = |figure: &dyn Fn(&(Load, Duration)) -> f64| median(runs.iter().map(figure));
        let shown = format!(
            "{:.0} requests a second, p99 {}, {:.0} µs of processor time each",
            of(&rate),
            time(of(&|(load, _): &(Load, Duration)| load.times.percentile(99))),
            of(&processor)
        );
        section.row(format!("{kind}: {BROWSERS} browsers"), "", shown, "");
    }
    if let Some(times) = times_of(&measured, Kind::Peer, rate) {
        section.aim("Requests a second: the door's of configurable-http-proxy's", "at least 3 times", format!("{times:.1} times"), times >= 3.0);
    }
    if let Some(times) = times_of(&measured, Kind::Bare, rate) {
        section.row("Requests a second: the door's of the bare proxy's", "", format!("{:.0} %", times * 100.0), "");
    }
    Ok(())
}

async fn latency(front: &Front<'_>, stands: &[Stand], section: &mut Section) -> Result<()> {
    let count = asked(front.settings);
    // Of each run: what the server adds to the p50 and to the p99 of the upstream alone.
    let mut measured: Vec<_> = stands.iter().map(|stand| Measured { kind: stand.kind, runs: Vec::new() }).collect();
    for _ in 0..runs(front.settings) {
        let direct = front.paced(&front.upstream, STEADY, PERIOD, count).await?;
        for (stand, measured) in stands.iter().zip(&mut measured) {
            let times = front.paced(stand, STEADY, PERIOD, count).await?;
            measured.runs.push([50, 99].map(|percent| times.percentile(percent) - direct.percentile(percent)));
        }
    }
    for Measured { kind, runs } in &measured {
        let [half, most] = [0, 1].map(|at| median(runs.iter().map(|added| added[at])));
        let (what, shown) = (format!("{kind}: added latency, p50 and p99"), format!("{half:.2} ms, {most:.2} ms"));
        if *kind == Kind::Door {
            section.aim(what, "under 1 ms, under 5 ms", shown, half < 1.0 && most < 5.0);
        } else {
            section.row(what, "", shown, "");
        }
    }
    Ok(())
}

/// Requests of one browser at a steady pace.
fn asked(settings: &Settings) -> usize {
    settings.size(60, 20)
}
