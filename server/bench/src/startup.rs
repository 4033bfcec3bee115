//! Starting with data that is there, the front door when everything is built, and the size of what is shipped.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use tokio::process::Command;

use crate::{
    portal::{Portal, Start},
    process::{free_port, run},
    report::Section,
    settings::Settings,
    stats::{bytes, median, milliseconds, time},
    term,
};

pub async fn measure(settings: &Settings, section: &mut Section) -> Result<()> {
    section.note("From the start of the process until `/readyz` answers. The data is the demonstration college after a term, on SQLite.");
    let (data, made) = term::data(settings).await?;
    if let Some(made) = made.filter(|_| !settings.quick) {
        section.row("First start, which lives through the term", "60 s", time(milliseconds(made)), "");
    }
    let mut starts = Vec::new();
    for _ in 0..settings.size(5, 2) {
        let portal = Portal::start(settings, Start::on(&data)).await?;
        starts.push((milliseconds(portal.ready_after), portal.memory()?.now));
        portal.stop().await?;
    }
    let stored = bytes(fs::metadata(data.join("lectern.db"))?.len());
    section.row(
        format!("Start with {stored} of data"),
        "",
        time(median(starts.iter().map(|start| start.0))),
        format!("memory then {}", bytes(starts[0].1)),
    );
    match front_door(settings).await {
        Ok(took) => section.row("`make run` when everything is built, until it serves", "", time(milliseconds(took)), ""),
        Err(error) => section.row("`make run` when everything is built", "", format!("not measured: {error:#}").replace('\n', " "), ""),
    }
    let site = if settings.site.is_some() { "without the site" } else { "with the site inside" };
    section.row(format!("The release binary, {site}"), "", bytes(fs::metadata(&settings.binary)?.len()), "");
    Ok(())
}

/// `make run` builds what is missing first: here that is done before, so that what is measured is looking and starting.
async fn front_door(settings: &Settings) -> Result<Duration> {
    if settings.quick {
        bail!("it may have to build");
    }
    for package in ["site", "server"] {
        let build = ["build", "--quiet", "--locked", "-p", package];
        run(Command::new("cargo").args(build).current_dir(&settings.root)).await?;
    }
    run(Command::new("make").args(["--silent", "site"]).current_dir(&settings.root)).await?;
    let data = settings.folder("make-run")?;
    let address = format!("127.0.0.1:{}", free_port()?);
    make_run(&settings.root, &data, &address, Duration::from_mins(1)).await?;
    // The second time finds its data.
    make_run(&settings.root, &data, &address, Duration::from_mins(1)).await
}

async fn make_run(root: &Path, data: &Path, address: &str, patience: Duration) -> Result<Duration> {
    let started = Instant::now();
    let mut command = Command::new("make");
    command.args(["--silent", "run", "HISTORY=0"]).arg(format!("LISTEN={address}")).arg(format!("DATA={}", data.display())).current_dir(root);
    // Of its own group, so that make and what it started end together.
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()?;
    let id = child.id().unwrap_or_default();
    let ready = async {
        while !reqwest::get(format!("http://{address}/readyz")).await.is_ok_and(|answer| answer.status().is_success()) {
            ensure!(started.elapsed() < patience, "it does not answer after {patience:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(started.elapsed())
    };
    let ready = ready.await;
    Command::new("kill").args(["-TERM", "--", &format!("-{id}")]).status().await?;
    child.wait().await?;
    ready
}
