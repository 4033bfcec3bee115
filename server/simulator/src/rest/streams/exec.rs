//! Runs a program in a container.

use axum::response::Response;
use serde_json::Value;

use super::{channels, check_node, upgrade};
use crate::{
    error::Result,
    local,
    pods::{
        Environment, Place, container_of, is_running,
        process::{self, Console, Exit, Wires},
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
        channels::serve(socket, streams, &place, &shown, |wires| run(&place, &container, command, wires)).await;
    });
    Ok(response)
}

async fn run(place: &Place, container: &str, command: Vec<String>, wires: Wires) -> Exit {
    let Some(pod) = place.pod().filter(|pod| is_running(pod, container)) else {
        return Exit::NotStarted(format!("unable to upgrade connection: container not found ({container:?})"));
    };
    if let Some(program) = place.local().and_then(|local| local.program(&pod, container, &command)) {
        return tokio::select! {
            exit = local::exec(program, wires) => exit,
            () = place.ended(container) => Exit::Code(KILLED),
        };
    }
    let environment = Environment::of(place, container);
    tokio::select! {
        exit = process::run(environment, command, Console::new(wires)) => exit,
        () = place.ended(container) => Exit::Code(KILLED),
    }
}
