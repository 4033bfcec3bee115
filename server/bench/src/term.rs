//! The demonstration college after a term, made once in a run: people, orders, labs, usage and bills for pages to show.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;

use crate::{
    portal::{Portal, Start},
    settings::Settings,
};

/// The data folder, and how long its first start took where it was made now.
pub async fn data(settings: &Settings) -> Result<(PathBuf, Option<Duration>)> {
    let data = settings.work.join("term");
    if data.join("made").is_file() {
        return Ok((data, None));
    }
    let data = settings.folder("term")?;
    let portal = Portal::start(settings, Start { history: !settings.quick, ..Start::on(&data) }).await?;
    let took = portal.ready_after;
    portal.stop().await?;
    std::fs::write(data.join("made"), "")?;
    Ok((data, Some(took)))
}
