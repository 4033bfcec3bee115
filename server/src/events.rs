//! `/events`: news for open pages as server-sent events. An event says what changed (`lab`, `order`, `cluster`, `notice`, `audit`), never how; the page
//! reads again what it shows. Who listens too slowly is told to read everything again (`refresh`).

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension,
    extract::{Query, State},
    http::HeaderMap,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{access::Resource, ids::LabId};
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use services::{Caller, hub::News, news};
use tokio::sync::{
    OnceCell,
    broadcast::{Receiver, error::RecvError},
};

use crate::{error_page, state::AppState};

/// Owners of what there was news of, so that a thousand open pages ask the database once. They never change.
#[derive(Debug, Default)]
pub struct Owners(Mutex<HashMap<uuid::Uuid, Arc<OnceCell<Resource>>>>);

/// Then it starts anew: owners are cheap to ask for again.
const MOST_OWNERS: usize = 20_000;

impl Owners {
    async fn about(&self, state: &AppState, news: News) -> Option<Resource> {
        let key = match news {
            News::Cluster | News::Notice(_) => return None,
            News::Audit(tenant) => return Some(Resource::tenant(tenant)),
            News::Order(_, id) => id.uuid(),
            News::Lab(_, id) => id.uuid(),
        };
        self.once(key, async { news::about(&state.services, news).await.ok().flatten() }).await
    }

    /// All pages hear of it at the same moment: the first one asks and the others wait for its answer.
    async fn once(&self, key: uuid::Uuid, ask: impl Future<Output = Option<Resource>>) -> Option<Resource> {
        self.kept(key).get_or_try_init(|| async { ask.await.ok_or(()) }).await.ok().copied()
    }

    fn kept(&self, key: uuid::Uuid) -> Arc<OnceCell<Resource>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_OWNERS {
            known.clear();
        }
        Arc::clone(known.entry(key).or_default())
    }
}

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
/// Proxies close what is silent for half a minute or so.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub async fn stream(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let lab = match wanted.lab.as_deref().map(str::parse::<LabId>) {
        None => None,
        Some(Ok(lab)) => Some(lab),
        Some(Err(_)) => return error_page::answer(&headers, &domain::Error::NotFound),
    };
    let age = wanted.age.map_or(Duration::ZERO, |age| Duration::from_millis(age.into()) + MARGIN);
    let (listening, missed) = state.services.hub.listen_since(age);
    let stopping = state.stopping.clone();
    let greeting = stream::once(async { Ok(Event::default().event("hello").data(NOTHING).retry(RETRY)) });
    let missed = catch_up(state.clone(), caller.clone(), lab, missed);
    let news = events(state, caller, lab, listening);
    let body = greeting.chain(missed).chain(news).take_until(async move { stopping.cancelled().await });
    let mut response = Sse::new(body).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    // Proxies that collect answers would hold the news back.
    response.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    response
}

/// What the page could not hear while it was made.
fn catch_up(state: AppState, caller: Caller, lab: Option<LabId>, missed: Option<BTreeSet<News>>) -> impl Stream<Item = Result<Event, Infallible>> {
    let all = async move {
        let Some(missed) = missed else { return vec![refresh()] };
        let heard = stream::iter(missed).filter_map(async |news| hears(&state, &caller, lab, news).await);
        heard.collect().await
    };
    stream::once(all).flat_map(|events| stream::iter(events.into_iter().map(Ok)))
}

/// Too much happened to be told.
fn refresh() -> Event {
    Event::default().event("refresh").data(NOTHING)
}

fn events(state: AppState, caller: Caller, lab: Option<LabId>, listening: Receiver<News>) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((state, caller, listening), move |(state, caller, mut listening)| async move {
        loop {
            let event = match listening.recv().await {
                Ok(news) => match hears(&state, &caller, lab, news).await {
                    Some(event) => event,
                    None => continue,
                },
                Err(RecvError::Lagged(_)) => refresh(),
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(event), (state, caller, listening)));
        }
    })
}

/// The event for this reader, if the news is any of theirs.
async fn hears(state: &AppState, caller: &Caller, wanted: Option<LabId>, news: News) -> Option<Event> {
    let (kind, id) = match news {
        News::Cluster => ("cluster", NOTHING.to_owned()),
        News::Lab(tenant, id) if tenant == caller.actor.tenant && wanted.is_none_or(|lab| lab == id) => ("lab", id.to_string()),
        News::Order(tenant, id) if tenant == caller.actor.tenant && wanted.is_none() => ("order", id.to_string()),
        News::Notice(user) if user == caller.actor.user => ("notice", NOTHING.to_owned()),
        News::Audit(tenant) if tenant == caller.actor.tenant && wanted.is_none() => ("audit", NOTHING.to_owned()),
        News::Lab(..) | News::Order(..) | News::Notice(_) | News::Audit(_) => return None,
    };
    let about = state.owners.about(state, news).await;
    news::may_hear(&caller.actor, news, about.as_ref()).then(|| Event::default().event(kind).data(id))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use domain::ids::TenantId;

    use super::*;

    #[tokio::test]
    async fn a_crowd_of_open_pages_asks_once() {
        let (owners, asked) = (Owners::default(), AtomicUsize::new(0));
        let ask = async || {
            asked.fetch_add(1, Ordering::Relaxed);
            // As long as a database takes: everybody else comes meanwhile.
            tokio::task::yield_now().await;
            Some(Resource::tenant(TenantId::from_uuid(uuid::Uuid::nil())))
        };
        let heard = futures::future::join_all((0..327).map(|_| owners.once(uuid::Uuid::nil(), ask()))).await;
        assert!(heard.iter().all(Option::is_some));
        assert_eq!(asked.into_inner(), 1);
    }

    #[tokio::test]
    async fn what_could_not_be_had_is_asked_for_again() {
        let owners = Owners::default();
        assert_eq!(owners.once(uuid::Uuid::nil(), async { None }).await, None);
        let found = Resource::tenant(TenantId::from_uuid(uuid::Uuid::nil()));
        assert_eq!(owners.once(uuid::Uuid::nil(), async { Some(found) }).await, Some(found));
    }
}
