//! 327 teachers press "start lab" at one moment, on SQLite and PostgreSQL; JupyterHub starts as many in the same run.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::{
    clicks::{self, Outcome},
    cluster::{SLICES, Simulator, add_nodes},
    database::Engine,
    jupyterhub,
    portal::{Portal, Start},
    process::{Memory, run},
    report::Section,
    settings::Settings,
    stats::{bytes, median, time},
    world::{Teacher, teachers},
};

const IN_A_COURSE: usize = 25;
const PATIENCE: Duration = Duration::from_secs(90);

/// A data folder with everybody in it, to be copied for each run.
struct Seed {
    engine: Engine,
    data: PathBuf,
    teachers: Vec<Teacher>,
}

/// One measured start of everybody.
struct Run {
    outcome: Outcome,
    memory: Memory,
}

pub async fn measure(settings: &Settings, section: &mut Section) -> Result<()> {
    let number: usize = settings.size(327, 40);
    let nodes = number.div_ceil(SLICES);
    section.note(format!(
        "{number} teachers in courses of {IN_A_COURSE}, each signed in, on her own connection, with the order form open and the page listening for news; the click is \
         the page's server function (`POST /api/orders/submit`). The simulator has its six default nodes and {nodes} more with {SLICES} slices each, at its believable \
         pace: 0.3 s to place a pod, 2.5 s to start it. The clients run on the same two cores. PostgreSQL is private, with fsync on."
    ));
    let runs = settings.size(3, 1);
    let mut fastest = f64::INFINITY;
    for engine in Engine::all() {
        let seed = seed(settings, engine, number, nodes).await?;
        let mut inside = Vec::new();
        for _ in 0..runs {
            inside.push(start(settings, &seed, nodes, false).await?);
        }
        report(section, &format!("{engine}, simulator in the server's process"), number, &inside);
        fastest = fastest.min(median(inside.iter().map(|run| run.outcome.all_running)));
        if !settings.quick {
            report(section, &format!("{engine}, simulator in a process of its own"), number, &[start(settings, &seed, nodes, true).await?]);
        }
    }
    if Engine::all().len() == 1 {
        section.row("PostgreSQL", "", "not measured: no PostgreSQL on this machine", "");
    }
    match jupyterhub::measure(settings, section, number, fastest).await {
        Ok(()) => Ok(()),
        Err(error) => {
            section.row("JupyterHub 6.1.1", "", format!("not measured: {error:#}").replace('\n', " "), "");
            Ok(())
        }
    }
}

fn report(section: &mut Section, name: &str, number: usize, runs: &[Run]) {
    let sum = |pick: fn(&Outcome) -> usize| runs.iter().map(|run| pick(&run.outcome)).sum::<usize>();
    let (refused, duplicates, lost) = (sum(|run| run.refused), sum(|run| run.duplicates), sum(|run| run.lost));
    if let Some(refusal) = runs.iter().find_map(|run| run.outcome.first_refusal.clone()) {
        eprintln!("  first refusal: {refusal}");
    }
    let of = |pick: fn(&Outcome) -> f64| median(runs.iter().map(|run| pick(&run.outcome)));
    let p99 = of(|run| run.clicks.percentile(99));
    let (p50, max, all) = (of(|run| run.clicks.median()), of(|run| run.clicks.max()), of(|run| run.all_running));
    section.aim(
        format!("{name}: refused, duplicate, lost of {} clicks", number * runs.len()),
        "0, 0, 0",
        format!("{refused}, {duplicates}, {lost}"),
        refused + duplicates + lost == 0,
    );
    section.aim(
        format!("{name}: click, p99 (p50, max)"),
        "under 500 ms, better 250 ms",
        format!("{} ({}, {})", time(p99), time(p50), time(max)),
        p99 < 500.0,
    );
    section.aim(format!("{name}: all running after"), "10 s", time(all), all < 10_000.0);
    let peak = runs.iter().map(|run| run.memory.peak).max().unwrap_or_default();
    section.aim(format!("{name}: memory of the server, most"), "256 MB", bytes(peak), peak < 256_000_000);
}

async fn seed(settings: &Settings, engine: Engine, number: usize, nodes: usize) -> Result<Seed> {
    let data = settings.folder(&format!("seed-{engine}"))?;
    engine.create("bench_seed", None).await?;
    let database = engine.url(&data, "bench_seed")?;
    let portal = Portal::start(settings, Start { database: Some(database.clone()), fast: true, ..Start::on(&data) }).await?;
    let api = portal.api("administrator").await?;
    add_nodes(&portal.kubeconfig(), nodes, 0, &api).await?;
    let teachers = teachers(&api, &database, number, IN_A_COURSE).await?;
    portal.stop().await?;
    Ok(Seed { engine, data, teachers })
}

/// On a copy of the seed.
async fn start(settings: &Settings, seed: &Seed, nodes: usize, beside: bool) -> Result<Run> {
    let data = settings.folder("run")?;
    run(Command::new("cp").arg("-r").arg(format!("{}/.", seed.data.display())).arg(&data)).await?;
    seed.engine.create("bench_run", Some("bench_seed")).await?;
    let simulator = if beside { Some(Simulator::start(settings, &data, false).await?) } else { None };
    let kubeconfig = simulator.as_ref().map(|simulator| simulator.kubeconfig.clone());
    let database = Some(seed.engine.url(&data, "bench_run")?);
    let portal = Portal::start(settings, Start { database, kubeconfig, ..Start::on(&data) }).await?;
    let api = portal.api("administrator").await?;
    add_nodes(&portal.kubeconfig(), nodes, 0, &api).await?;
    let ready = clicks::open_forms(&portal, &seed.teachers, true).await?;
    let outcome = clicks::click(&portal, &ready, &api, PATIENCE).await.with_context(|| portal.said());
    drop(ready);
    let memory = portal.memory()?;
    if let Some(simulator) = simulator {
        eprintln!("  memory of the simulator: {}", bytes(simulator.memory()?.peak));
        portal.stop().await?;
        simulator.stop().await?;
    } else {
        portal.stop().await?;
    }
    let outcome = outcome?;
    eprintln!(
        "  {} {}: p50 {}, p99 {}, max {}, all running after {}, memory {}",
        seed.engine,
        if beside { "beside" } else { "inside" },
        time(outcome.clicks.median()),
        time(outcome.clicks.percentile(99)),
        time(outcome.clicks.max()),
        time(outcome.all_running),
        bytes(memory.peak)
    );
    Ok(Run { outcome, memory })
}
