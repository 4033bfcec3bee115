//! `/events`: news for open pages as server-sent events. An event says what changed (`lab`, `order`, `cluster`, `notice`, `audit`), never how; the page
//! reads again what it shows. Who listens too slowly is told to read everything again (`refresh`). A stream ends within seconds when its
//! session does (signed out, over, ended elsewhere, disabled) or its reader's rights change; an open page then asks for another.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension,
    extract::{Query, State},
    http::HeaderMap,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{access::Actor, ids::LabId};
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use services::{
    Caller, Services,
    digest::hex_sha256,
    hub::{Heard, Listening, News},
    news,
};
use tower_sessions::Session;

use crate::{error_page, state::AppState};

#[derive(Debug, Deserialize)]
pub struct Wanted {
    /// Only news of this lab (and of the cluster).
    lab: Option<String>,
    /// Milliseconds since the page was asked for: what was told since then comes first.
    age: Option<u32>,
}

/// The data of an event that is about nothing in particular. Never empty: browsers drop such events.
const NOTHING: &str = "-";
/// A browser comes back by itself after this time.
const RETRY: Duration = Duration::from_secs(3);
/// A page is asked for a little before its browser begins to count.
const MARGIN: Duration = Duration::from_secs(2);
/// How often it is checked that the reader may still listen.
const CHECK: Duration = Duration::from_secs(3);
/// Proxies close what is silent for half a minute or so.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub async fn stream(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    session: Session,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let lab = match wanted.lab.as_deref().map(str::parse::<LabId>) {
        None => None,
        Some(Ok(lab)) => Some(lab),
        Some(Err(_)) => return error_page::answer(&headers, &domain::Error::NotFound),
    };
    let age = wanted.age.map_or(Duration::ZERO, |age| Duration::from_millis(age.into()) + MARGIN);
    let reader = Reader { services: state.services.clone(), actor: caller.actor.clone(), session };
    let listening = state.services.hub.listen(age, move |news| is_on_page(lab, *news) && news::may_hear(&caller.actor, *news));
    let greeting = stream::once(async { Ok(Event::default().event("hello").data(NOTHING).retry(RETRY)) });
    let stopping = state.stopping.clone();
    let body = greeting.chain(events(listening)).take_until(async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = reader.leaves() => {}
        }
    });
    let mut response = Sse::new(body).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    // Proxies that collect answers would hold the news back.
    response.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    response
}

/// Who listens, and by which session.
struct Reader {
    services: Services,
    actor: Actor,
    session: Session,
}

impl Reader {
    /// Ends when what was checked as the stream began no longer holds.
    async fn leaves(self) {
        loop {
            tokio::time::sleep(CHECK).await;
            match self.is_still_here().await {
                Ok(true) => {}
                Ok(false) => return,
                // Nothing is known, and while the database is away nothing is told either.
                Err(error) => tracing::debug!(%error, "a reader of events could not be looked up"),
            }
        }
    }

    async fn is_still_here(&self) -> Result<bool, domain::Error> {
        let (Some(id), Some((user, version))) = (self.session.id(), app::caller::session_user(&self.session).await?) else { return Ok(false) };
        if services::sessions::load(&self.services, &hex_sha256(id.to_string())).await?.is_none() {
            return Ok(false);
        }
        let now = services::accounts::actor(&self.services, user, version).await?;
        Ok(now.is_some_and(|actor| actor == self.actor))
    }
}

/// Whether the page shows anything of it. `lab`: the one that the page is about.
fn is_on_page(lab: Option<LabId>, news: News) -> bool {
    match news {
        News::Cluster | News::Notice(_) => true,
        News::Lab(_, id) => lab.is_none_or(|lab| lab == id),
        News::Order(..) | News::Audit(_) => lab.is_none(),
    }
}

fn events(listening: Listening) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(listening, |mut listening| async move {
        let heard = listening.next().await?;
        Some((Ok(event(heard)), listening))
    })
}

fn event(heard: Heard) -> Event {
    let (kind, about) = match heard {
        Heard::TooMuch => ("refresh", None),
        Heard::News(News::Cluster) => ("cluster", None),
        Heard::News(News::Notice(_)) => ("notice", None),
        Heard::News(News::Audit(_)) => ("audit", None),
        Heard::News(News::Lab(_, id)) => ("lab", Some(id.to_string())),
        Heard::News(News::Order(_, id)) => ("order", Some(id.to_string())),
    };
    Event::default().event(kind).data(about.as_deref().unwrap_or(NOTHING))
}
