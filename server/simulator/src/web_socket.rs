//! Accepts WebSockets.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

pub type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// Of each socket; the library's own is 128 KiB.
const READ_BUFFER: usize = 16 << 10;

/// Why a request does not become a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Upgrade request required")]
    NoUpgrade,
    /// Another protocol than WebSocket, as the client names it.
    #[error("unable to upgrade to {0:?}: only WebSocket is served here")]
    Other(String),
    #[error("the request is no handshake of a WebSocket")]
    NoHandshake,
    #[error("unable to negotiate a subprotocol: the client offers {0:?}")]
    NoCommonProtocol(String),
}

/// A WebSocket whose answer is on its way.
#[derive(Debug)]
pub struct Opening {
    upgrade: OnUpgrade,
    /// The chosen one; `None` if the client offered none.
    pub protocol: Option<&'static str>,
}

impl Opening {
    /// `None` if the client went away.
    pub async fn open(self) -> Option<WebSocket> {
        let upgraded = self.upgrade.await.ok()?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        Some(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await)
    }
}

/// The answer to a handshake. Of the client's protocols, the first one that is spoken here is chosen.
pub fn accept(headers: &HeaderMap, upgrade: OnUpgrade, spoken: &[&'static str]) -> Result<(Response, Opening), Refusal> {
    let upgrades = words(headers, &header::CONNECTION).any(|word| word.eq_ignore_ascii_case("upgrade"));
    let to = words(headers, &header::UPGRADE).next().unwrap_or_default();
    if !upgrades || to.is_empty() {
        return Err(Refusal::NoUpgrade);
    }
    if !to.eq_ignore_ascii_case("websocket") {
        return Err(Refusal::Other(to.to_owned()));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(Refusal::NoHandshake)?;
    let accepted = HeaderValue::try_from(derive_accept_key(key.as_bytes())).map_err(|_| Refusal::NoHandshake)?;
    let offered: Vec<&str> = words(headers, &header::SEC_WEBSOCKET_PROTOCOL).collect();
    let protocol = offered.iter().find_map(|offer| spoken.iter().find(|one| *one == offer)).copied();
    if protocol.is_none() && !offered.is_empty() && !spoken.is_empty() {
        return Err(Refusal::NoCommonProtocol(offered.join(", ")));
    }
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(header::SEC_WEBSOCKET_ACCEPT, accepted);
    if let Some(protocol) = protocol {
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    Ok((response, Opening { upgrade, protocol }))
}

/// The words of a list, also over several headers.
fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty())
}
