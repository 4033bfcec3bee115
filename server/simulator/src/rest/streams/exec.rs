//! Runs a program in a container.

use axum::response::Response;
use serde_json::Value;

use super::{channels, check_node, upgrade};
use crate::{
    error::Result,
    pods::{
        Environment, Place, container_of, is_running,
        process::{self, Console, Exit},
    },
    rest::Call,
};

/// The code of a program that was killed with its container.
const KILLED: u8 = 137;

pub fn answer(place: Place, pod: &Value, call: &Call) -> Result<Response> {
    let container = container_of(pod, call.query.get("container"))?;
    check_node(&place, pod)?;
    let streams = channels::streams(call)?;
    let command: Vec<String> = call.query.all("command").map(str::to_owned).collect();
    let (response, opening) = upgrade(call, &channels::PROTOCOLS)?;
    tokio::spawn(async move {
        let Some(socket) = opening.open().await else { return };
        let shown = command.join(" ");
        channels::serve(socket, streams, &place, &shown, |console| run(&place, &container, command, console)).await;
    });
    Ok(response)
}

async fn run(place: &Place, container: &str, command: Vec<String>, console: Console) -> Exit {
    if !place.pod().is_some_and(|pod| is_running(&pod, container)) {
        return Exit::NotStarted(format!("unable to upgrade connection: container not found ({container:?})"));
    }
    let environment = Environment::of(place, container);
    tokio::select! {
        exit = process::run(environment, command, console) => exit,
        () = place.ended(container) => Exit::Code(KILLED),
    }
}
