//! `lectern user …`: for whoever owns the machine, when nobody can sign in any more.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use domain::Error;
use services::{Origin, accounts};

use crate::{config::Config, world};

pub async fn reset_password(config: Config, login: &str) -> Result<ExitCode> {
    let services = world::beside(&config).await?;
    let password = accounts::reset_password(&services, &Origin::cli(), login).await.map_err(|error| explained(&error, login))?;
    super::say(&password);
    Ok(ExitCode::SUCCESS)
}

pub async fn disable(config: Config, login: &str) -> Result<ExitCode> {
    let services = world::beside(&config).await?;
    accounts::disable(&services, &Origin::cli(), login).await.map_err(|error| explained(&error, login))?;
    super::say(&format!("{login} is disabled"));
    Ok(ExitCode::SUCCESS)
}

fn explained(error: &Error, login: &str) -> anyhow::Error {
    match error {
        Error::NotFound => anyhow!("there is no account {login:?}"),
        other => anyhow!("{other}"),
    }
}
