//! Who may read `/metrics`.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use domain::secret::Secret;
use serde::Deserialize;

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Address and port that answer `/metrics` and nothing else; the portal's port then does not. None unless set.
    pub listen: Option<SocketAddr>,
    /// What a scraper must send as a bearer token. None unless set.
    pub token: Option<Secret>,
    /// File that holds the token and nothing else; read at each scrape, so that it may be replaced.
    pub token_file: Option<PathBuf>,
}

impl Metrics {
    /// The token as it is now. Errors: both places are set, or the file cannot be read or is empty.
    pub fn token(&self) -> Result<Option<String>> {
        match (&self.token, &self.token_file) {
            (Some(_), Some(_)) => bail!("set metrics.token or metrics.token_file, not both"),
            (Some(token), None) if token.expose().trim().is_empty() => bail!("metrics.token is empty"),
            (token, None) => Ok(token.as_ref().map(|token| token.expose().to_owned())),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("cannot read metrics.token_file {}", file.display()))?;
                match text.trim() {
                    "" => bail!("metrics.token_file {} is empty", file.display()),
                    token => Ok(Some(token.to_owned())),
                }
            }
        }
    }

    /// Whether whoever reaches the portal's port reads it.
    pub const fn is_open(&self) -> bool {
        self.listen.is_none() && self.token.is_none() && self.token_file.is_none()
    }
}
