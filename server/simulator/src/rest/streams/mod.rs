//! Exec, attach and port-forward, over WebSocket as clients of Kubernetes 1.31 and later speak it. The words of refusals are those of the API
//! server and the kubelet.

mod attach;
mod channels;
mod exec;
mod forward;

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use futures::{SinkExt as _, stream::SplitSink};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::{Api, Call, path::What};
use crate::{
    error::{ApiError, Result},
    pods::Place,
    store::Key,
    value,
    web_socket::{self, Opening, Refusal, WebSocket},
};

/// How long a client may take to close its side.
const GOODBYE: Duration = Duration::from_secs(5);

pub fn answer(api: &Arc<Api>, key: &Key, what: What, call: &Call) -> Result<Response> {
    let pod = api.store.write().get(key).ok_or_else(|| ApiError::not_found(key.resource.kind(), &key.name))?;
    let place = Place::new(&api.store, &api.faults, &api.stopping, &pod).with(api.local.as_ref());
    match what {
        What::PortForward => forward::answer(place, &pod, call),
        What::Attach => attach::answer(api, place, &pod, call),
        _ => exec::answer(place, &pod, call),
    }
}

/// Refuses a pod without a node that answers.
fn check_node(place: &Place, pod: &Value) -> Result<()> {
    if value::text(pod, "/spec/nodeName").is_empty() {
        return Err(ApiError::bad_request(format!("pod {} does not have a host assigned", value::name(pod))));
    }
    if place.is_cut() {
        let host = value::text(pod, "/status/hostIP");
        return Err(ApiError::new(
            500,
            "InternalError",
            format!("Internal error occurred: error dialing backend: dial tcp {host}:10250: i/o timeout"),
        ));
    }
    Ok(())
}

fn upgrade(call: &Call, spoken: &[&'static str]) -> Result<(Response, Opening)> {
    web_socket::accept(&call.headers, call.upgrade.clone(), spoken).map_err(|refusal| match refusal {
        Refusal::Other(_) => ApiError::new(501, "NotImplemented", refusal.to_string()),
        _ => ApiError::bad_request(refusal.to_string()),
    })
}

/// Tells the client that all is said.
async fn close(mut sink: SplitSink<WebSocket, Message>) {
    let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    // A client that is gone needs no goodbye.
    let _ = sink.send(Message::Close(Some(frame))).await;
}
