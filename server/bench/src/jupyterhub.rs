//! The peer: JupyterHub 6.1.1 with a spawner that does nothing, clicked in the same way. Its limit on starts at once is measured as it
//! comes and turned off.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::future::join_all;
use serde_json::json;
use tokio::{net::TcpListener, process::Command, sync::Barrier};

use crate::{
    process::{Process, free_port},
    report::Section,
    settings::Settings,
    stats::{Times, bytes, milliseconds, time},
};

const TOKEN: &str = "of-a-hub-on-loopback-that-lives-for-a-minute";

/// `fastest`: Lectern's time until all run, in milliseconds.
pub async fn measure(settings: &Settings, section: &mut Section, number: usize, fastest: f64) -> Result<()> {
    for limit in ["default", "off"] {
        if limit == "default" && settings.quick {
            continue;
        }
        let name = format!("JupyterHub 6.1.1, no-op spawner, limit {limit}");
        let hub = clicks(settings, number, limit).await?;
        section.row(format!("{name}: first clicks refused of {number}"), "", hub.refused.to_string(), "");
        section.row(
            format!("{name}: first click, p99 (p50, max)"),
            "",
            format!("{} ({}, {})", time(hub.first.percentile(99)), time(hub.first.median()), time(hub.first.max())),
            "",
        );
        section.row(
            format!("{name}: all ready after"),
            "",
            time(hub.all_ready),
            format!("{:.1} times Lectern's {}", hub.all_ready / fastest, time(fastest)),
        );
        section.row(format!("{name}: memory of the hub, most"), "", bytes(hub.memory), "");
    }
    Ok(())
}

struct Hub {
    first: Times,
    refused: usize,
    all_ready: f64,
    memory: u64,
}

async fn clicks(settings: &Settings, number: usize, limit: &str) -> Result<Hub> {
    let tool = |name: &str| {
        std::env::var(name).ok().filter(|text| !text.is_empty()).with_context(|| format!("{name} is not set: it could not be installed"))
    };
    let folder = settings.folder("jupyterhub")?;
    let (hub_port, labs) = (free_port()?, TcpListener::bind("127.0.0.1:0").await?);
    let mut command = Command::new(tool("BENCH_JUPYTERHUB")?);
    command.arg("--config").arg(settings.root.join("server/bench/jupyterhub_config.py")).current_dir(&folder);
    command.env("BENCH_PROXY", tool("BENCH_PROXY")?).env("BENCH_LIMIT", limit).env("BENCH_TOKEN", TOKEN).env("BENCH_HUB_PORT", hub_port.to_string());
    for name in ["BENCH_HUB_INNER_PORT", "BENCH_PROXY_PORT"] {
        command.env(name, free_port()?.to_string());
    }
    command.env("BENCH_LAB_PORT", labs.local_addr()?.port().to_string());
    // Every lab: it only has to answer.
    let labs = tokio::spawn(async move { axum::serve(labs, axum::Router::new().fallback(|| async { "{\"version\":\"0\"}" })).await });
    let mut process = Process::start(&mut command, &folder.join("hub.log"))?;
    let base = format!("http://127.0.0.1:{hub_port}/hub");
    process.ready(&format!("{base}/health"), Duration::from_mins(1)).await?;
    let result = on(&base, &process, number)
        .await
        .with_context(|| process.said().chars().rev().take(2_000).collect::<Vec<_>>().into_iter().rev().collect::<String>());
    process.stop().await?;
    labs.abort();
    result
}

async fn on(base: &str, process: &Process, number: usize) -> Result<Hub> {
    let client = reqwest::Client::new();
    let names: Vec<_> = (0..number).map(|at| format!("bench{at:04}")).collect();
    let made = client.post(format!("{base}/api/users")).header("authorization", format!("token {TOKEN}")).json(&json!({"usernames": names}));
    ensure!(made.send().await?.status().is_success(), "the hub makes users");
    let barrier = Arc::new(Barrier::new(number + 1));
    let tasks: Vec<_> = names
        .into_iter()
        .map(|name| {
            let (url, barrier, client) = (format!("{base}/api/users/{name}/server"), Arc::clone(&barrier), reqwest::Client::new());
            tokio::spawn(async move {
                barrier.wait().await;
                one(&client, &url).await
            })
        })
        .collect();
    barrier.wait().await;
    let started = Instant::now();
    let ready = async {
        loop {
            let text = client.get(format!("{base}/metrics")).send().await?.text().await?;
            let running = text
                .lines()
                .find_map(|line| line.strip_prefix("jupyterhub_running_servers "))
                .and_then(|text| text.trim().trim_end_matches(".0").parse::<usize>().ok());
            if running.is_some_and(|running| running >= number) {
                return Ok(milliseconds(started.elapsed()));
            }
            ensure!(started.elapsed() < Duration::from_mins(3), "after 3 minutes {running:?} of {number} are ready");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    };
    let (answers, all_ready) = tokio::join!(join_all(tasks), ready);
    let answers = answers.into_iter().map(|answer| answer?).collect::<Result<Vec<_>>>()?;
    Ok(Hub {
        first: Times::of(answers.iter().map(|answer| answer.0)),
        refused: answers.iter().filter(|answer| answer.1).count(),
        all_ready: all_ready?,
        memory: process.memory()?.peak,
    })
}

/// Time of the first answer and whether it was a refusal; clicks again as `Retry-After` says until the hub takes it.
async fn one(client: &reqwest::Client, url: &str) -> Result<(f64, bool)> {
    let mut first = None;
    loop {
        let started = Instant::now();
        let answer = client.post(url).header("authorization", format!("token {TOKEN}")).send().await?;
        let refused = answer.status() == 429;
        let first = *first.get_or_insert((milliseconds(started.elapsed()), refused));
        if !refused {
            ensure!(answer.status().is_success(), "{url}: {}", answer.text().await?);
            return Ok(first);
        }
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(1);
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
}
