//! Access to `/metrics`.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use domain::secret::Secret;
use serde::Deserialize;

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Address and port that answer `/metrics` and nothing else; the portal's port then does not answer it. Not set by default.
    pub listen: Option<SocketAddr>,
    /// Bearer token that a scraper must send. Not set by default.
    pub token: Option<Secret>,
    /// File that holds the token and nothing else. It is read at each scrape, so it may be replaced.
    pub token_file: Option<PathBuf>,
}

impl Metrics {
    /// The current token. Errors: both settings are set, or the file cannot be read or is empty.
    pub fn token(&self) -> Result<Option<String>> {
        match (&self.token, &self.token_file) {
            (Some(_), Some(_)) => bail!("set metrics.token or metrics.token_file, not both"),
            (Some(token), None) if token.expose().trim().is_empty() => bail!("metrics.token is empty"),
            (token, None) => Ok(token.as_ref().map(|token| token.expose().trim().to_owned())),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("cannot read metrics.token_file {}", file.display()))?;
                match text.trim() {
                    "" => bail!("metrics.token_file {} is empty", file.display()),
                    token => Ok(Some(token.to_owned())),
                }
            }
        }
    }

    /// The address at which other machines read it without a token, its own or else that of the portal; `None` where there is none.
    pub fn open_at(&self, portal: SocketAddr) -> Option<SocketAddr> {
        let address = self.listen.unwrap_or(portal);
        (self.token.is_none() && self.token_file.is_none() && !address.ip().is_loopback()).then_some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(text: &str) -> Metrics {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn what_stands_around_a_token_is_not_part_of_it() {
        let given = metrics("token = \" hush\\n\"");
        assert_eq!(given.token().unwrap().as_deref(), Some("hush"));
        assert!(metrics("token = \" \"").token().is_err());
    }

    #[test]
    fn metrics_are_open_where_other_machines_read_them_without_a_token() {
        let (at_home, open): (SocketAddr, SocketAddr) = ("127.0.0.1:3000".parse().unwrap(), "0.0.0.0:3000".parse().unwrap());
        assert_eq!(metrics("").open_at(at_home), None);
        assert_eq!(metrics("").open_at(open), Some(open));
        assert_eq!(metrics("listen = \"127.0.0.1:9464\"").open_at(open), None);
        assert_eq!(metrics("listen = \"10.0.0.5:9464\"").open_at(at_home), "10.0.0.5:9464".parse().ok());
        for token in ["token = \"hush\"", "token_file = \"/etc/lectern/metrics-token\""] {
            assert_eq!(metrics(&format!("listen = \"10.0.0.5:9464\"\n{token}")).open_at(open), None, "{token}");
        }
    }
}
