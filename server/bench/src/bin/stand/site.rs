//! The door as a replica of the portal runs it: real passes in the portal's database, the watch over them, the listener with the limits of the
//! lab site. It dials by address, as inside the cluster; all pods are the one upstream.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use door::{Door, DoorSettings, ports::Dial};
use futures::future::BoxFuture;
use listener::{Limits, Listener};
use services::{
    Services, Settings,
    encryption::Keyring,
    ports::{ClusterError, Connection, NoCluster, PodTarget},
};
use storage::Database;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::machine::Machine;

/// As `server/src/lab_site.rs` has it.
const STILL: Duration = Duration::from_mins(10);
const CONNECTIONS: usize = 16_384;
const SLOW_PER_ADDRESS: usize = 1_024;

pub async fn serve(address: &str, upstream: &str, database: &str) -> Result<()> {
    let upstream: SocketAddr = upstream.parse()?;
    let database = Database::open(database).await?;
    let socket = crate::bind(address).await?;
    let labs_url = format!("http://{{lab}}.localhost:{}", socket.local_addr()?.port());
    // Labs' own secrets are derived from what it decrypts.
    let key = database.file().context("the database is a file")?.with_file_name("secret.key");
    let keyring = Keyring::parse(&tokio::fs::read_to_string(key).await?)?;
    let settings = Settings { labs_url: Some(labs_url.clone()), keyring, ..Settings::default() };
    let machine = Arc::new(Machine::new());
    let services = Services::new(database, Arc::clone(&machine) as _, machine, Arc::new(NoCluster), settings);
    let settings = DoorSettings { labs_url, portal_url: None, behind_proxy: false, per_lab: 512, per_person: 256 };
    let stopping = CancellationToken::new();
    let door = Door::with(Arc::new(services.clone()), Arc::new(Inside(upstream)), settings, stopping.clone())?;
    tokio::spawn(services::visits::keep(services));
    let limits = Limits { body: STILL, write: STILL, connections: CONNECTIONS, slow_per_address: SLOW_PER_ADDRESS, ..Limits::default() };
    Listener::new(socket, limits, stopping, Duration::ZERO).serve(door).await;
    Ok(())
}

/// Connects every pod's every port to this address.
struct Inside(SocketAddr);

impl Dial for Inside {
    fn dial(&self, _: PodTarget, _: u16) -> BoxFuture<'static, Result<Connection, ClusterError>> {
        let address = self.0;
        Box::pin(async move {
            let failed = |error: io::Error| ClusterError::Busy(error.to_string());
            let stream = TcpStream::connect(address).await.map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            Ok::<_, ClusterError>(Box::new(stream) as Connection)
        })
    }
}
