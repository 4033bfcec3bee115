//! `/events`: news for open pages as server-sent events. An event says what changed (`lab`, `order`, `cluster`, `notice`, `audit`), never how; the page
//! reads again what it shows. Who listens too slowly is told to read everything again (`refresh`). A stream ends when its session does (signed
//! out, over, ended elsewhere, disabled) or its reader's rights change: at once where the hub tells of it, within half a minute or so where
//! another process did it. Each session and person has only so many streams ([`crate::streams`]). An open page whose stream
//! ended asks for another.

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
use domain::{
    access::Actor,
    ids::{LabId, UserId},
};
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
/// How often it is checked that the reader may still listen, where nobody tells.
const CHECK: Duration = Duration::from_secs(25);
/// Added to it at random, so that streams that began together do not ask the database together.
const CHECK_SPREAD: Duration = Duration::from_secs(10);
/// News for all streams: within this time each of them has checked.
const ALL_SPREAD: Duration = Duration::from_secs(5);
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
    let held = match app::caller::session_user(&session).await {
        Ok(user) => user.zip(session.id()),
        Err(error) => return error_page::answer(&headers, &error),
    };
    let Some(((user, credentials_version), id)) = held else { return error_page::answer(&headers, &domain::Error::Unauthenticated) };
    let age = wanted.age.map_or(Duration::ZERO, |age| Duration::from_millis(age.into()) + MARGIN);
    // Also what was told while the request was on its way here.
    let told = state.services.hub.listen(MARGIN, move |news| matches!(news, News::Access(who) if who.is_none_or(|who| who == user)));
    let session = hex_sha256(id.to_string());
    let open = state.streams.begin(&session, user);
    let reader = Reader { services: state.services.clone(), actor: caller.actor.clone(), session, user, credentials_version, told };
    let listening = state.services.hub.listen(age, move |news| is_on_page(lab, *news) && news::may_hear(&caller.actor, *news));
    let greeting = stream::once(async { Ok(Event::default().event("hello").data(NOTHING).retry(RETRY)) });
    let stopping = state.stopping.clone();
    let body = greeting.chain(events(listening)).take_until(async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = reader.leaves() => {}
            () = open.ended() => {}
        }
    });
    let mut response = Sse::new(body).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    // Proxies that collect answers would hold the news back.
    response.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    response
}

/// The reader of a stream, and their session.
struct Reader {
    services: Services,
    actor: Actor,
    /// Its stored id.
    session: String,
    user: UserId,
    credentials_version: i64,
    told: Listening,
}

impl Reader {
    /// Ends when what was checked as the stream began no longer holds.
    async fn leaves(mut self) {
        loop {
            let pause = CHECK + self.part_of(CHECK_SPREAD);
            tokio::select! {
                heard = self.told.next() => match heard {
                    // The process ends.
                    None => return,
                    Some(Heard::News(News::Access(Some(_)))) => {}
                    Some(_) => tokio::time::sleep(self.part_of(ALL_SPREAD)).await,
                },
                () = tokio::time::sleep(pause) => {}
            }
            // One look is for all that was told until now.
            self.told.skip();
            match self.is_still_here().await {
                Ok(true) => {}
                Ok(false) => return,
                // The database did not answer, so the result is unknown. While it is unavailable there is no news either.
                Err(error) => tracing::debug!(%error, "a reader of events could not be looked up"),
            }
        }
    }

    async fn is_still_here(&self) -> Result<bool, domain::Error> {
        let now = services::sessions::holder(&self.services, &self.session, self.user, self.credentials_version).await?;
        Ok(now.is_some_and(|actor| actor == self.actor))
    }

    /// A random part of this time.
    fn part_of(&self, time: Duration) -> Duration {
        let mut bytes = [0; 2];
        self.services.entropy.fill(&mut bytes);
        time * u32::from(u16::from_be_bytes(bytes)) / u32::from(u16::MAX)
    }
}

/// Whether the page shows anything of it. `lab`: the one that the page is about.
fn is_on_page(lab: Option<LabId>, news: News) -> bool {
    match news {
        News::Cluster | News::Notice(_) => true,
        News::Access(_) => false,
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
        // No page hears of access: see `is_on_page`.
        Heard::TooMuch | Heard::News(News::Access(_)) => ("refresh", None),
        Heard::News(News::Cluster) => ("cluster", None),
        Heard::News(News::Notice(_)) => ("notice", None),
        Heard::News(News::Audit(_)) => ("audit", None),
        Heard::News(News::Lab(_, id)) => ("lab", Some(id.to_string())),
        Heard::News(News::Order(_, id)) => ("order", Some(id.to_string())),
    };
    Event::default().event(kind).data(about.as_deref().unwrap_or(NOTHING))
}
