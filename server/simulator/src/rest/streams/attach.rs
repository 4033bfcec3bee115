//! Attaches to the main program of a container: a shell if the container keeps its input open, else the log as it grows.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use serde_json::Value;

use super::{channels, check_node, upgrade};
use crate::{
    error::Result,
    local::Local,
    pods::{
        Environment, Place, container_of, is_running,
        process::{Console, Exit, Shell, Wires},
    },
    rest::{Api, Call, logs},
    store::Object,
    value,
};

pub fn answer(api: &Arc<Api>, place: Place, pod: &Object, call: &Call) -> Result<Response> {
    let container = container_of(pod, call.query.get("container"))?;
    check_node(&place, pod)?;
    let streams = channels::streams(call)?;
    let (response, opening) = upgrade(call, &channels::PROTOCOLS)?;
    let containers = value::items(pod, "/spec/containers").iter().chain(value::items(pod, "/spec/initContainers"));
    let takes_input = containers.filter(|one| value::text(one, "/name") == container).any(|one| value::flag(one, "/stdin"));
    let lines = logs::from_now(api, pod, &container);
    // A process has no input of its own to type into: its log is all.
    let takes_input = takes_input && !is_process(api, pod);
    tokio::spawn(async move {
        let Some(socket) = opening.open().await else { return };
        let is_typed = takes_input && streams.stdin;
        channels::serve(socket, streams, &place, "attach", |wires| run(&place, &container, is_typed, lines, wires)).await;
    });
    Ok(response)
}

async fn run(place: &Place, container: &str, is_typed: bool, lines: Option<BoxStream<'static, Bytes>>, wires: Wires) -> Exit {
    if !place.pod().is_some_and(|pod| is_running(&pod, container)) {
        return Exit::NotStarted(format!("unable to upgrade connection: container {container} not found in pod"));
    }
    let console = Console::new(wires);
    if is_typed {
        let mut shell = Shell::new(Environment::of(place, container), console);
        return tokio::select! {
            code = shell.interactive() => Exit::Code(code),
            () = place.ended(container) => Exit::Code(0),
        };
    }
    let Some(mut lines) = lines else { return Exit::Code(0) };
    while let Some(piece) = lines.next().await {
        if console.output.out(&piece).await.is_err() {
            break;
        }
    }
    Exit::Code(0)
}

fn is_process(api: &Api, pod: &Value) -> bool {
    api.local.is_some() && Local::takes(pod)
}
