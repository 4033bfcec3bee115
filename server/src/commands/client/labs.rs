//! One lab, by its name or its id, as the API shows it.

use anyhow::{Context as _, Result, bail};
use domain::ids::LabId;
use serde_json::Value;

use super::Account;

/// Labs of one page of the list, and pages at most.
const PAGE: &str = "100";
const PAGES: usize = 20;
/// End of the host names in `lectern ssh-config`.
const SUFFIX: &str = ".lectern";

#[derive(Debug)]
pub struct Lab {
    pub id: String,
    pub name: String,
    pub state: String,
    /// Port that it answers on.
    pub port: u16,
    /// Address of its own site, where it has one.
    pub site: Option<String>,
}

impl Lab {
    /// `name`: `lab-2047`, `lab-2047.lectern` or an id. Errors: there is none that the token may read.
    pub async fn find(account: &Account, name: &str) -> Result<Self> {
        let name = name.strip_suffix(SUFFIX).unwrap_or(name);
        let found = match name.parse::<LabId>() {
            Ok(id) => account.ask(&format!("/labs/{id}"), &[]).await?,
            Err(_) => named(account, name).await?,
        };
        let Some(found) = found else { bail!("there is no lab {name:?} that this token may read at {}", account.url) };
        Self::of(&found).context("the portal is older or newer than this program")
    }

    pub(super) fn of(shown: &Value) -> Option<Self> {
        let text = |name: &str| shown[name].as_str().map(ToOwned::to_owned);
        let port = shown["port"].as_u64().and_then(|port| u16::try_from(port).ok())?;
        Some(Self { id: text("id")?, name: text("name")?, state: text("state")?, port, site: text("site") })
    }
}

/// The list finds parts of names too, so `lab-2` is looked for among `lab-20` and `lab-2047`.
async fn named(account: &Account, name: &str) -> Result<Option<Value>> {
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let mut query = vec![("text", name), ("live", "true"), ("limit", PAGE)];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let Some(mut page) = account.ask("/labs", &query).await? else { return Ok(None) };
        if let Some(lab) = pick(&mut page, name) {
            return Ok(Some(lab));
        }
        after = page["next"].as_str().map(ToOwned::to_owned);
        if after.is_none() {
            return Ok(None);
        }
    }
    Ok(None)
}

/// The lab of this name, of one page of the list.
pub(super) fn pick(page: &mut Value, name: &str) -> Option<Value> {
    let items = page.get_mut("items")?.as_array_mut()?;
    let at = items.iter().position(|lab| lab["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name)))?;
    Some(items.swap_remove(at))
}
