//! Runs a simulated cluster by itself, for a look with kubectl: `cargo run -p simulator --example serve -- PORT [FOLDER]`.

use std::{net::SocketAddr, path::PathBuf};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().as_deref().unwrap_or("0").parse()?;
    let data = arguments.next().map(PathBuf::from);
    let fast = arguments.next().is_some();
    let options = simulator::Options {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        kubeconfig_out: Some(PathBuf::from("simulator.kubeconfig")),
        data,
        pace: if fast { simulator::Pace::fast() } else { simulator::Pace::believable() },
        ..simulator::Options::default()
    };
    let simulator = simulator::start(options).await?;
    tokio::signal::ctrl_c().await?;
    simulator.shutdown().await;
    Ok(())
}
