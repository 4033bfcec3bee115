//! `lectern simulator`: the simulated cluster alone, for kubectl and for tests.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{cli, commands::serve::asked_to_stop, config::Log, lock, telemetry};

pub async fn run(options: cli::Simulator) -> Result<ExitCode> {
    telemetry::start(&Log::default());
    let stop = asked_to_stop()?;
    if !options.listen.ip().is_loopback() {
        bail!("the simulated cluster listens on loopback only, and {} is not", options.listen);
    }
    if let Some(data) = &options.data {
        lock::make_private_folder(data)?;
    }
    let simulator = simulator::start(simulator::Options {
        listen: options.listen,
        data: options.data,
        pace: if options.fast { simulator::Pace::fast() } else { simulator::Pace::believable() },
        kubeconfig_out: Some(options.kubeconfig_out.clone()),
        ..simulator::Options::default()
    })
    .await?;
    tracing::info!(
        "the simulated cluster is at https://{}; try: kubectl --kubeconfig {} get nodes",
        simulator.addr(),
        options.kubeconfig_out.display()
    );
    stop.await;
    simulator.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
