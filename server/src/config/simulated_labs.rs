//! What runs in the pods of the simulated cluster.

use std::str::FromStr;

use anyhow::{Result, bail};
use serde::Deserialize;

use super::{Config, Source};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SimulatedLabs {
    /// A page that says that it is a simulation.
    #[default]
    Pretend,
    /// The containers' commands, as processes of this machine.
    Local,
}

impl FromStr for SimulatedLabs {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "pretend" => Ok(Self::Pretend),
            "local" => Ok(Self::Local),
            _ => Err(format!("{text:?} is none of pretend, local")),
        }
    }
}

impl SimulatedLabs {
    /// Processes have no isolation: their users have the rights of the account that runs the server. So only people at this machine may be
    /// such users.
    pub fn check(self, config: &Config) -> Result<()> {
        if self == Self::Pretend {
            return Ok(());
        }
        if config.cluster.source != Source::Simulator {
            bail!("cluster.simulator_labs is for the simulated cluster only, and cluster.source is {}", config.cluster.source);
        }
        let labs = config.labs.listen_beside(&config.server);
        if let Some(open) = [Some(config.server.listen), labs].into_iter().flatten().find(|address| !address.ip().is_loopback()) {
            bail!(
                "labs that are processes of this machine have no isolation, and {open} is no loopback address: listen on 127.0.0.1, or leave cluster.simulator_labs (--labs) at pretend"
            );
        }
        if !config.server.is_at_home() {
            bail!(
                "labs that are processes of this machine have no isolation, and server.public_url leads people of other machines here: leave cluster.simulator_labs (--labs) at pretend"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_without_isolation_stay_on_this_machine() {
        let mut config = Config::default();
        config.cluster.simulator_labs = "local".parse().unwrap();
        config.check().unwrap();
        let refused = |change: fn(&mut Config)| {
            let mut changed = config.clone();
            change(&mut changed);
            changed.check().unwrap_err().to_string()
        };
        assert!(refused(|config| config.server.listen = "0.0.0.0:3000".parse().unwrap()).contains("0.0.0.0:3000 is no loopback"));
        let labs = refused(|config| {
            config.labs.listen = "192.0.2.1:3001".parse().ok();
            config.labs.url = Some("http://{lab}.labs.example.edu:3001".to_owned());
        });
        assert!(labs.contains("192.0.2.1:3001 is no loopback"), "{labs}");
        let behind = refused(|config| {
            config.server.public_url = Some("https://lectern.example.edu".to_owned());
        });
        assert!(behind.contains("server.public_url"), "{behind}");
        assert!(refused(|config| config.cluster.source = Source::InCluster).contains("simulated cluster only"));
        assert!("docker".parse::<SimulatedLabs>().unwrap_err().contains("docker"));
    }
}
