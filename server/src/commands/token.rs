//! `lectern token create`: works beside a running server, on the same database.

use std::{collections::BTreeSet, process::ExitCode};

use anyhow::{Result, bail};
use domain::{Error, access::Scope};
use services::Origin;

use crate::{config::Config, world};

pub async fn create(config: Config, login: &str, scopes: &[String], name: &str, days: u32) -> Result<ExitCode> {
    let scopes = scopes.iter().map(|text| parse(text)).collect::<Result<BTreeSet<_>>>()?;
    let services = world::beside(&config).await?;
    match services::tokens::create_for(&services, &Origin::cli(), login, name, scopes, days).await {
        Ok(secret) => super::say(&secret),
        Err(Error::NotFound) => bail!("there is no account {login:?} in {}", config.storage.data.display()),
        Err(error) => bail!("{error}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn parse(text: &str) -> Result<Scope> {
    match Scope::parse(text) {
        Some(scope) => Ok(scope),
        None => bail!("{text:?} is no scope; there are {}", Scope::ALL.map(Scope::as_str).join(", ")),
    }
}
