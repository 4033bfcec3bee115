//! What every handler works with.

use std::sync::Arc;

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use services::Services;
use tokio_util::sync::CancellationToken;

use crate::{bodies::Bodies, config::Config, health::Readiness, hosts::Hosts, metrics::Metrics, oidc::Provider, streams::Streams};

/// Cheap to clone: handles and one `Arc`.
#[derive(Clone)]
pub struct AppState {
    pub services: Services,
    pub config: Arc<Config>,
    pub metrics: Arc<Metrics>,
    pub readiness: Arc<Readiness>,
    pub hosts: Arc<Hosts>,
    pub streams: Arc<Streams>,
    pub bodies: Arc<Bodies>,
    /// The identity provider, where people may sign in through one.
    pub provider: Option<Arc<Provider>>,
    pub options: LeptosOptions,
    /// Cancelled when the server stops, so that endless answers end.
    pub stopping: CancellationToken,
}

impl AppState {
    pub fn new(services: Services, config: Config, stopping: CancellationToken) -> Self {
        let options = LeptosOptions::builder().output_name("lectern").site_pkg_dir("pkg").site_addr(config.server.listen).build();
        let provider = config.oidc.clone().map(|oidc| Arc::new(Provider::new(oidc)));
        let hosts = Arc::new(Hosts::of(&config.server));
        let bodies = Arc::new(Bodies::new(config.server.max_body_bytes));
        let (metrics, readiness, streams) = (Arc::default(), Arc::default(), Arc::default());
        Self { services, config: Arc::new(config), metrics, readiness, hosts, streams, bodies, provider, options, stopping }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.options.clone()
    }
}

impl FromRef<AppState> for Services {
    fn from_ref(state: &AppState) -> Self {
        state.services.clone()
    }
}
