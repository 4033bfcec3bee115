//! The HTTP client for the API server: kube's own layers over connections of our own. kube's connections hold back a small write until the
//! one before it is acknowledged, which a person at a terminal feels at every key, and do not notice that the other side is gone.

use std::time::Duration;

use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Client, Config, Error,
    client::{Body, ClientBuilder, ConfigExt as _, retry::RetryPolicy},
};
use tower::{BoxError, ServiceBuilder, retry::RetryLayer};

use crate::watch::Paced;

/// When the system asks whether the other side of a quiet connection is there.
pub struct KeepAlive {
    pub idle: Duration,
    pub interval: Duration,
    pub probes: u32,
}

/// Within a minute in all.
pub const KEEPALIVE: KeepAlive = KeepAlive { idle: Duration::from_secs(30), interval: Duration::from_secs(10), probes: 3 };

/// Errors: a configuration that cannot be used, with the reason. Must be called in a runtime.
pub fn client(config: Config) -> Result<Client, Error> {
    if config.proxy_url.is_some() {
        // kube knows the proxies.
        return Ok(ClientBuilder::try_from(config)?.with_layer(&Paced::default()).build());
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE.idle));
    tcp.set_keepalive_interval(Some(KEEPALIVE.interval));
    tcp.set_keepalive_retries(Some(KEEPALIVE.probes));
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(tcp)?);
    connector.set_connect_timeout(config.connect_timeout);
    let http: HttpClient<_, Body> = HttpClient::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.default_retry.then(|| RetryLayer::new(RetryPolicy::server_retry())))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(ClientBuilder::new(service, config.default_namespace).with_layer(&Paced::default()).build())
}
