//! `/metrics` in OpenMetrics text. Counts of requests are kept here; what the database knows is asked when somebody scrapes.
//! A series is kept for ever, so every label has a closed set of values: the standard methods, the router's own patterns, statuses and
//! states. No label is a text that a client chose.

use std::{
    sync::{Arc, OnceLock, atomic::Ordering},
    time::Duration,
};

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use door::Counts;
use http::{HeaderMap, StatusCode, header};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use services::digest::hex_sha256;

use crate::state::AppState;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: String,
}

/// The only label of a series: one of a few words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabels {
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// Counts that the lab site keeps by itself, and the series that show them.
#[derive(Debug, Default)]
struct LabSiteMetrics {
    /// `None` until the lab site is served.
    counts: OnceLock<Arc<Counts>>,
    requests: Family<OutcomeLabels, Counter>,
    sockets: Gauge,
    bytes: Family<DirectionLabels, Counter>,
    tickets: Family<ReasonLabels, Counter>,
}

impl LabSiteMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register("lab_site_requests", "Requests to the sites of labs, by outcome", self.requests.clone());
        registry.register("lab_site_sockets", "Sockets to labs that are open", self.sockets.clone());
        registry.register("lab_site_bytes", "Bytes that passed to labs (in) and from them (out)", self.bytes.clone());
        registry.register("lab_site_tickets_refused", "Tickets for labs that were refused", self.tickets.clone());
    }

    /// Copies the counts.
    fn update(&self) {
        let Some(counts) = self.counts.get() else { return };
        for (outcome, count) in counts.outcomes() {
            count_as(&self.requests.get_or_create(&OutcomeLabels { outcome }), count);
        }
        self.sockets.set(counts.sockets());
        let (to_labs, from_labs) = counts.bytes();
        for (direction, count) in [("in", to_labs), ("out", from_labs)] {
            count_as(&self.bytes.get_or_create(&DirectionLabels { direction }), count);
        }
        let (bad, foreign) = counts.refused_tickets();
        for (reason, count) in [("no_ticket", bad), ("wrong_origin", foreign)] {
            count_as(&self.tickets.get_or_create(&ReasonLabels { reason }), count);
        }
    }
}

/// Gives a series the count that is kept elsewhere.
fn count_as(counter: &Counter, count: u64) {
    counter.inner().store(count, Ordering::Relaxed);
}

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    orders: Family<StateLabels, Gauge>,
    labs: Family<StateLabels, Gauge>,
    waiting: Gauge,
    cluster: Gauge,
    overruns: Gauge,
    clock: Gauge,
    visits: Gauge,
    lab_site: LabSiteMetrics,
}

/// Seconds: a page should be well under a tenth, a password takes about half.
const BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("lectern");
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let seconds = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        registry.register("http_request_seconds", "Time until the head of the answer", seconds.clone());
        let (orders, labs, waiting, cluster) = (Family::default(), Family::default(), Gauge::default(), Gauge::default());
        registry.register("orders", "Orders by state", orders.clone());
        registry.register("labs", "Labs by state", labs.clone());
        registry.register("jobs_waiting", "Pieces of background work that wait", waiting.clone());
        registry.register("cluster_reachable", "1 while the cluster answers", cluster.clone());
        let overruns = Gauge::default();
        registry.register("lab_overrun_seconds", "Seconds for which labs' pods ran beyond their time, charged to nobody", overruns.clone());
        let clock = Gauge::default();
        registry.register("clock_jump_seconds", "By how much the machine's clock has jumped without being followed", clock.clone());
        let (visits, lab_site) = (Gauge::default(), LabSiteMetrics::default());
        registry.register("lab_visits_open", "Visits to labs that have not ended", visits.clone());
        lab_site.register(&mut registry);
        Self { registry, requests, seconds, orders, labs, waiting, cluster, overruns, clock, visits, lab_site }
    }
}

impl Metrics {
    /// Shows the counts of the lab site from now on.
    pub fn show_lab_site(&self, counts: Arc<Counts>) {
        // There is one lab site.
        let _ = self.lab_site.counts.set(counts);
    }

    /// `method` comes from [`crate::methods::label`]; `route` is the pattern, not the path: each id would add a series.
    pub fn request(&self, method: &'static str, route: &str, status: StatusCode, took: Duration) {
        let labels = RequestLabels { method, route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&RouteLabels { route: route.to_owned() }).observe(took.as_secs_f64());
    }
}

/// The name of the scheme may have any case. Compares hashes, so that the time it takes reveals nothing about the token.
fn sends(headers: &HeaderMap, token: &str) -> bool {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked("Bearer ".len()));
    sent.is_some_and(|(scheme, sent)| scheme.eq_ignore_ascii_case(b"bearer ") && hex_sha256(sent) == hex_sha256(token))
}

/// Also answers while the database is unavailable, without the values from it. If a token is set, the request has to send it.
pub async fn show(State(state): State<AppState>, headers: HeaderMap) -> Response {
    match state.config.metrics.token() {
        Ok(None) => {}
        Ok(Some(token)) if sends(&headers, &token) => {}
        Ok(Some(_)) => {
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer realm=\"metrics\"")], "a bearer token is needed\n")
                .into_response();
        }
        Err(error) => {
            tracing::error!("the metrics are shown to nobody: {error:#}");
            return (StatusCode::SERVICE_UNAVAILABLE, "the token of the metrics cannot be read\n").into_response();
        }
    }
    let metrics = &state.metrics;
    match services::figures::read(&state.services).await {
        Ok(figures) => {
            for (family, counts) in [(&metrics.orders, &figures.orders), (&metrics.labs, &figures.labs)] {
                family.clear();
                for (state, count) in counts {
                    family.get_or_create(&StateLabels { state: state.clone() }).set(*count);
                }
            }
            metrics.waiting.set(figures.waiting);
            metrics.cluster.set(i64::from(figures.cluster_reachable));
            metrics.overruns.set(figures.overrun_seconds);
            metrics.clock.set(figures.clock_jump_seconds);
            metrics.visits.set(figures.visits_open);
        }
        Err(error) => tracing::warn!(%error, "figures could not be read"),
    }
    metrics.lab_site.update();
    let mut text = String::new();
    if encode(&mut text, &metrics.registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
