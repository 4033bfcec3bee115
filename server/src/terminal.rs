//! `GET /labs/{id}/terminal/socket`: the WebSocket of the terminal on a lab's page (`app/src/labs/terminal`). The shell itself, and who may have
//! one, is in [`services::labs::terminal`]; here its words become messages of [`domain::terminal`].

use std::{future::pending, time::Duration};

use axum::{
    Extension,
    extract::{
        Path, State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use bytes::Bytes;
use domain::{
    Error,
    ids::LabId,
    secret::Secret,
    terminal::{Attached, FromBrowser, Hello, LARGEST, Notice, ToBrowser, fitting},
};
use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use http::HeaderMap;
use services::{
    Caller,
    digest::hex_sha256,
    labs::terminal::{Heard, Line, NoShell, Said, Wanted, connect},
    ports::TerminalSize,
};
use tokio::{
    sync::mpsc,
    time::{interval, timeout},
};
use tower_sessions::Session;

use crate::{auth::cross_site, error_page, state::AppState};

/// The browser's first message comes at once.
const HELLO: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(15);
/// A browser answers each ping. One that says nothing for so long, 5 s after a ping without an answer, is taken as gone; its shell waits.
const SILENCE: Duration = Duration::from_secs(20);
/// Longest wait for a browser to take the last message.
const FAREWELL: Duration = Duration::from_secs(2);

type ToSocket = SplitSink<WebSocket, Message>;
type FromSocket = SplitStream<WebSocket>;

pub async fn socket(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let checked = async {
        // A handshake is a GET, which other sites can have sent with our cookie: it must prove where it comes from, as a form does.
        if !cross_site::is_ours(&headers, state.config.server.public_url.as_deref(), &state.hosts) {
            return Err(Error::CrossSite);
        }
        let lab = id.parse::<LabId>().map_err(|_| Error::NotFound)?;
        services::labs::get(&state.services, &caller, lab).await?;
        let session = session.id().map(|id| hex_sha256(id.to_string())).ok_or(Error::Unauthenticated)?;
        Ok((lab, session))
    };
    match checked.await {
        Ok((lab, session)) => upgrade
            .max_message_size(LARGEST)
            .max_frame_size(LARGEST)
            .on_upgrade(move |socket| async move { Box::pin(converse(state, caller, session, lab, socket)).await }),
        Err(error) => error_page::answer(&headers, &error),
    }
}

async fn converse(state: AppState, caller: Caller, session: String, lab: LabId, socket: WebSocket) {
    let (mut to_socket, mut from_socket) = socket.split();
    let Ok(Some(hello)) = timeout(HELLO, first(&mut from_socket)).await else { return };
    let Hello { columns, rows, token, seen, reason } = hello;
    let wanted = Wanted { columns, rows, token: token.map(Secret::new), seen, reason };
    let over = match connect(&state.services, &caller, &session, lab, wanted).await {
        Ok(Line { said, mut heard }) => {
            let stopping = state.stopping.clone();
            tokio::select! {
                () = listen(&mut from_socket, &said) => Over::Left,
                over = tell(&mut to_socket, &mut heard) => over,
                () = stopping.cancelled() => Over::Restart,
            }
        }
        Err(error) => {
            let notice = worded(&error);
            match send(&mut to_socket, &ToBrowser::Notice(notice)).await {
                Some(()) => Over::Said,
                None => Over::Left,
            }
        }
    };
    let code = match over {
        Over::Left => return,
        Over::Said => close_code::NORMAL,
        Over::Restart => close_code::RESTART,
    };
    let farewell = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static("") }));
    let _ = timeout(FAREWELL, to_socket.send(farewell)).await;
}

/// How the conversation ended.
enum Over {
    /// By the browser.
    Left,
    /// By a last word.
    Said,
    /// The server stops.
    Restart,
}

/// The browser's first message, if it is a hello.
async fn first(from: &mut FromSocket) -> Option<Hello> {
    loop {
        match from.next().await?.ok()? {
            Message::Binary(bytes) => {
                return match FromBrowser::read(&bytes)? {
                    FromBrowser::Hello(hello) => Some(hello),
                    _ => None,
                };
            }
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Text(_) | Message::Close(_) => return None,
        }
    }
}

/// Passes on what the browser says, until it leaves, says nonsense or is silent for too long.
async fn listen(from: &mut FromSocket, said: &mpsc::Sender<Said>) {
    while let Ok(Some(Ok(message))) = timeout(SILENCE, from.next()).await {
        let word = match message {
            Message::Binary(bytes) => match FromBrowser::read(&bytes) {
                Some(FromBrowser::Data(data)) => Said::Data(Bytes::copy_from_slice(data)),
                Some(FromBrowser::Size { columns, rows }) => {
                    let (columns, rows) = fitting(columns, rows);
                    Said::Size(TerminalSize { columns, rows })
                }
                Some(FromBrowser::Seen(count)) => Said::Seen(count),
                Some(FromBrowser::Hello(_)) | None => return,
            },
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Text(_) | Message::Close(_) => return,
        };
        if said.send(word).await.is_err() {
            // The last word is on its way.
            return pending().await;
        }
    }
}

/// Passes on what the shell says, until its last word or until the browser takes nothing more.
async fn tell(to: &mut ToSocket, heard: &mut mpsc::Receiver<Heard>) -> Over {
    let mut pings = interval(PING_EVERY);
    loop {
        let word = tokio::select! {
            word = heard.recv() => word,
            _ = pings.tick() => {
                if to.send(Message::Ping(Bytes::new())).await.is_err() {
                    return Over::Left;
                }
                continue;
            }
        };
        let (sent, is_last) = match word {
            Some(Heard::Data(bytes)) => (send(to, &ToBrowser::Data(&bytes)).await, false),
            Some(Heard::Attached { token, from, live }) => {
                let attached = Attached { token: token.expose().clone(), from, live };
                (send(to, &ToBrowser::Attached(attached)).await, false)
            }
            Some(Heard::Notice(notice)) => (send(to, &ToBrowser::Notice(notice)).await, !notice.goes_on()),
            // Its task ended without a last word, which a panic does.
            None => (send(to, &ToBrowser::Notice(Notice::Lost)).await, true),
        };
        match (sent, is_last) {
            (None, _) => return Over::Left,
            (Some(()), true) => return Over::Said,
            (Some(()), false) => {}
        }
    }
}

/// `None` if the connection is gone.
async fn send(to: &mut ToSocket, message: &ToBrowser<'_>) -> Option<()> {
    to.send(Message::Binary(message.write().into())).await.ok()
}

/// What the browser says to its reader.
fn worded(error: &NoShell) -> Notice {
    match error {
        NoShell::Notice(notice) => *notice,
        NoShell::Refused(Error::Invalid(_)) => Notice::ReasonWanted,
        NoShell::Refused(Error::Forbidden | Error::NotFound | Error::ScopeMissing { .. }) => Notice::Forbidden,
        NoShell::Refused(Error::Unauthenticated) => Notice::AccessOver,
        NoShell::Refused(_) => Notice::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use domain::Problem;

    use super::*;

    #[test]
    fn refusals_are_worded_for_the_reader() {
        let refused = |error| worded(&NoShell::Refused(error));
        assert_eq!(refused(Error::field("reason", Problem::Missing)), Notice::ReasonWanted);
        assert_eq!(refused(Error::Forbidden), Notice::Forbidden);
        assert_eq!(refused(Error::Internal { reference: "x".into() }), Notice::Unavailable);
        assert_eq!(worded(&NoShell::Notice(Notice::TooManyInLab)), Notice::TooManyInLab);
    }
}
