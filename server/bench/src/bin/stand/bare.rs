//! The least that a proxy on hyper does: no cookie, no check, no count. It shows what the same machinery does without the door's work.

use anyhow::Result;
use http::{
    Request, Uri,
    uri::{Authority, Scheme},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};

pub async fn serve(address: &str, upstream: &str) -> Result<()> {
    let upstream: Authority = upstream.parse()?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).set_host(false);
    let client: Client<HttpConnector, Incoming> = builder.build(connector);
    let socket = crate::bind(address).await?;
    loop {
        let (stream, _) = socket.accept().await?;
        stream.set_nodelay(true)?;
        let (client, upstream) = (client.clone(), upstream.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answering = to(&upstream, request).map(|request| client.request(request));
                async move { Ok::<_, anyhow::Error>(answering?.await?) }
            });
            // An error is that of a client which left.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn to(upstream: &Authority, mut request: Request<Incoming>) -> Result<Request<Incoming>> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(upstream.clone());
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(request)
}
