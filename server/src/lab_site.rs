//! The lab site: a port of its own with the [`Door`] behind it, on which each lab has a host. It has none of the portal's limits on bodies and
//! times, since it carries what applications in labs send.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use door::{Door, DoorSettings};
use futures::future::join_all;
use listener::{Ended, Limits, Listener};
use rustix::io::Errno;
use tokio::net::TcpListener;

use crate::{config::Config, state::AppState};

/// An upload that stands still, and a browser that takes nothing of an answer, are given this long.
const STILL: Duration = Duration::from_mins(10);
const HEAD: Duration = Duration::from_secs(20);
/// A simple program closes its side when it has sent its request. It gets the answer if that comes within this time.
const HALF_CLOSE: Duration = Duration::from_secs(10);
/// Most connections at a time for each one of the portal: pages of labs keep many open.
const FOR_EACH_OF_PORTAL: usize = 4;
/// Most slow connections of one address: a course in one room may upload by a weak network.
const SLOW_PER_ADDRESS: usize = 1_024;
/// Tries to find a port that is free on both loopback addresses.
const TRIES: u32 = 20;

/// The ports of the lab site, bound.
#[derive(Debug)]
pub struct LabSite {
    sockets: Vec<TcpListener>,
    /// With the placeholder for the lab.
    url: String,
}

impl LabSite {
    /// Binds the ports of the lab site, if there is one, and puts its URL into the configuration. Errors: an address is taken.
    pub async fn bind(config: &mut Config) -> Result<Option<Self>> {
        let Some(address) = config.labs.listen_beside(&config.server) else { return Ok(None) };
        let sockets = bind_all(address).await?;
        let port = sockets.first().context("the lab site has no port")?.local_addr()?.port();
        let url = config.labs.url_at(port);
        config.labs.url = Some(url.clone());
        Ok(Some(Self { sockets, url }))
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What serves it until the portal stops; what is open then is given `patience`. `portal`: the URL to which pages of the site lead people
    /// who have no access yet. Errors: the door cannot read the URL of the site.
    pub fn serve(self, state: &AppState, portal: &str, descriptors: usize, patience: Duration) -> Result<impl Future<Output = ()> + Send + use<>> {
        let Self { sockets, url } = self;
        let (config, stopping) = (&state.config, state.stopping.clone());
        let settings = DoorSettings {
            labs_url: url,
            portal_url: Some(portal.to_owned()),
            behind_proxy: config.server.behind_proxy,
            per_lab: config.labs.connections_per_lab,
            per_person: config.labs.connections_per_person,
        };
        let door = Door::new(state.services.clone(), settings, stopping.clone())?;
        state.metrics.show_lab_site(door.counts());
        let limits = limits(config, descriptors, sockets.len());
        Ok(async move {
            let serving = sockets.into_iter().map(|socket| Listener::new(socket, limits, stopping.clone(), patience).serve(door.clone()));
            let ended = join_all(serving).await;
            let cut_off: usize = ended.into_iter().map(|ended| if let Ended::CutOff(connections) = ended { connections } else { 0 }).sum();
            if cut_off > 0 {
                tracing::warn!(connections = cut_off, "requests to labs that did not end were cut off");
            }
        })
    }
}

/// The limits of one of `sockets` ports, which share these descriptors. Each connection has another one to its lab.
fn limits(config: &Config, descriptors: usize, sockets: usize) -> Limits {
    let portal = config.connections.limits();
    let connections = portal.connections.saturating_mul(FOR_EACH_OF_PORTAL).min(descriptors / 2 / sockets.max(1)).max(16);
    Limits { head: HEAD, body: STILL, write: STILL, connections, slow_per_address: SLOW_PER_ADDRESS, half_close: HALF_CLOSE, ..portal }
}

/// Binds the address. Browsers take `*.localhost` for both loopback addresses and try one after the other: a program of somebody else on the
/// other one would get the tickets, so both are bound. A machine without IPv6 has only one.
async fn bind_all(address: SocketAddr) -> Result<Vec<TcpListener>> {
    for _ in 0..TRIES {
        let socket = TcpListener::bind(address).await.with_context(|| {
            format!("the lab site cannot listen on {address}: set labs.listen (--labs-listen) to another address, or end what listens there")
        })?;
        let port = socket.local_addr()?.port();
        let Some(other) = other_loopback(address.ip()).map(|ip| SocketAddr::new(ip, port)) else { return Ok(vec![socket]) };
        match TcpListener::bind(other).await {
            Ok(second) => return Ok(vec![socket, second]),
            Err(error) if is_missing(&error) => return Ok(vec![socket]),
            // A port that the system chose is free on one address only.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && address.port() == 0 => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "the lab site cannot listen on {other}: browsers that look for a lab on this machine would ask the program that listens \
                         there. End it, or set labs.listen (--labs-listen) to another port"
                    )
                });
            }
        }
    }
    bail!("the lab site finds no port that is free on both loopback addresses: set labs.listen")
}

/// The other address that `localhost` stands for.
fn other_loopback(ip: IpAddr) -> Option<IpAddr> {
    let pair = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    pair.contains(&ip).then_some(pair)?.into_iter().find(|other| *other != ip)
}

/// Whether the machine has no such address at all.
fn is_missing(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_loopback_addresses_are_bound_or_none() {
        let sockets = bind_all("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let addresses: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
        let port = addresses[0].port();
        assert!(addresses.iter().all(|address| address.port() == port), "{addresses:?}");
        if addresses.len() == 1 {
            // A machine without IPv6.
            return;
        }
        drop(sockets);
        let taken = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.unwrap();
        let error = bind_all(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).await.unwrap_err();
        assert!(format!("{error:#}").contains(&format!("[::1]:{port}")), "{error:#}");
        drop(taken);
    }

    #[test]
    fn connections_to_labs_leave_descriptors_for_their_other_halves() {
        let config = Config::default();
        assert_eq!(limits(&config, 1_000_000, 2).connections, 16_384);
        assert_eq!(limits(&config, 1_000, 2).connections, 250);
        assert_eq!(limits(&config, 0, 2).connections, 16);
    }
}
