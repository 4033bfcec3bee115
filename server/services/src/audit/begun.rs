//! The chains that must be there. When the first records of a chain are sealed, the hash of its first record is noted beside the chains, so that
//! a chain that was removed as a whole is missed, also after it began anew.

use std::collections::BTreeMap;

use domain::{
    Result,
    audit::{Broken, Chain, Hash},
};
use storage::{AnyConnection, Write, audit::chain, settings};

use crate::error::OrDomain;

/// The hash of the first record by the name of its chain.
const KEY: &str = "audit_begun";

type Noted = BTreeMap<String, String>;

/// Notes the first record of each of these chains that has none noted.
pub(super) async fn note(write: &mut Write, heads: &BTreeMap<String, (i64, Hash)>) -> Result<()> {
    let mut noted = match settings::get::<Noted>(write, KEY).await {
        Ok(noted) => noted.map(|(noted, _)| noted).unwrap_or_default(),
        // Verification reports it. Sealing goes on.
        Err(storage::Error::Unreadable { .. }) => return Ok(()),
        Err(other) => return Err(crate::error::from_storage(other)),
    };
    let before = noted.len();
    for name in heads.keys() {
        if !noted.contains_key(name)
            && let Some(hash) = chain::first(write, name).await.or_domain()?
        {
            noted.insert(name.clone(), hash);
        }
    }
    if noted.len() > before {
        settings::set(write, KEY, &noted).await.or_domain()?;
    }
    Ok(())
}

/// The chains whose first record is not the noted one.
pub(super) async fn missing(connection: &mut AnyConnection) -> Result<Vec<(Chain, Broken)>> {
    let noted = match settings::get::<Noted>(connection, KEY).await {
        Ok(noted) => noted.map(|(noted, _)| noted).unwrap_or_default(),
        Err(storage::Error::Unreadable { reason, .. }) => {
            return Ok(vec![(Chain::System, Broken::Unreadable { seq: 0, reason: format!("settings.{KEY}: {reason}") })]);
        }
        Err(other) => return Err(crate::error::from_storage(other)),
    };
    let mut found = Vec::new();
    for (name, hash) in noted {
        if chain::first(connection, &name).await.or_domain()?.as_ref() != Some(&hash) {
            found.push((name.parse().unwrap_or(Chain::System), Broken::Missing));
        }
    }
    Ok(found)
}
