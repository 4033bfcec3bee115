//! Connections to the pods of labs. They are kept for a moment and used again, by the pod's uid and port: the pod's name and address may be
//! another lab's soon, its uid never is.

use std::{
    error::Error,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use futures::future::BoxFuture;
use http::{
    Request, Response, Uri,
    uri::{Authority, PathAndQuery, Scheme},
};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection as Metadata},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use services::ports::{ClusterError, Connection, PodTarget};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower::{BoxError, Service};

use crate::ports::Dial;

/// A kept connection is closed before applications close theirs: Node does so after 5 s, and a request that meets it would be lost.
const KEPT: Duration = Duration::from_secs(4);
/// Most kept connections of one port.
const KEPT_EACH: usize = 32;
/// Until a connection is made. Answers may take any time.
const CONNECT: Duration = Duration::from_secs(15);

pub struct Upstream {
    client: Client<Connector, Body>,
    connector: Connector,
}

impl Upstream {
    pub fn new(dial: Arc<dyn Dial>) -> Self {
        let connector = Connector(dial);
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT).pool_max_idle_per_host(KEPT_EACH).set_host(false);
        Self { client: builder.build(connector.clone()), connector }
    }

    /// Sends a request on a kept connection, or on a new one. It is sent again only if the kept connection turns out to be closed before
    /// anything of the request was sent.
    pub async fn send(&self, mut request: Request<Body>, pod: &PodTarget, port: u16) -> Result<Response<Incoming>, BoxError> {
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(authority(pod, port)?);
        parts.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from_parts(parts)?;
        Ok(self.client.request(request).await?)
    }

    /// A connection for anything.
    pub async fn dial(&self, pod: &PodTarget, port: u16) -> Result<Channel, BoxError> {
        Ok(self.connector.connect(pod.clone(), port).await?)
    }

    /// Sends a request on a connection of its own, which closes after the answer or becomes the upgraded one.
    pub async fn send_alone(&self, mut request: Request<Body>, pod: &PodTarget, port: u16) -> Result<Response<Incoming>, BoxError> {
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        (parts.scheme, parts.authority) = (None, None);
        *request.uri_mut() = Uri::from_parts(parts)?;
        let channel = self.connector.connect(pod.clone(), port).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(channel)).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a connection to a lab broke");
            }
        });
        Ok(sender.send_request(request).await?)
    }
}

/// Why no connection to the pod was made, if that is what went wrong: nothing was sent then.
pub fn no_connection<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e ClusterError> {
    std::iter::successors(Some(error), |error| Error::source(*error)).find_map(|error| error.downcast_ref())
}

/// The pod and port as the authority of a URL: the key by which connections are kept.
fn authority(pod: &PodTarget, port: u16) -> Result<Authority, BoxError> {
    let PodTarget { namespace, name, uid } = pod;
    let is_simple = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_simple(uid) || !is_simple(namespace) || !name.split('.').all(is_simple) {
        return Err("the name of the pod cannot be part of a URL".into());
    }
    Ok(format!("{uid}.{name}.{namespace}:{port}").parse()?)
}

/// The way back from [`authority`].
fn target(uri: &Uri) -> Option<(PodTarget, u16)> {
    let (uid, rest) = uri.host()?.split_once('.')?;
    let (name, namespace) = rest.rsplit_once('.')?;
    Some((PodTarget { namespace: namespace.to_owned(), name: name.to_owned(), uid: uid.to_owned() }, uri.port_u16()?))
}

#[derive(Clone)]
struct Connector(Arc<dyn Dial>);

impl Connector {
    fn connect(&self, pod: PodTarget, port: u16) -> BoxFuture<'static, Result<Channel, ClusterError>> {
        let dialing = self.0.dial(pod, port);
        Box::pin(async move {
            let late = || ClusterError::Away("no connection to the pod in time".to_owned());
            tokio::time::timeout(CONNECT, dialing).await.map_err(|_| late())?.map(Channel)
        })
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Channel>;
    type Error = ClusterError;
    type Future = BoxFuture<'static, Result<TokioIo<Channel>, ClusterError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ClusterError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = target(&uri).map(|(pod, port)| self.connect(pod, port));
        Box::pin(async move {
            let nowhere = || ClusterError::Busy("no pod has this address".to_owned());
            Ok::<_, ClusterError>(TokioIo::new(connecting.ok_or_else(nowhere)?.await?))
        })
    }
}

/// A connection to a pod, as the client takes it.
pub struct Channel(Connection);

impl Metadata for Channel {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Channel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Channel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, pieces: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(uid: &str, name: &str) -> PodTarget {
        PodTarget { namespace: "ai-cv2402".into(), name: name.into(), uid: uid.into() }
    }

    #[test]
    fn the_key_of_a_connection_names_the_pod_by_its_uid() {
        for pod in [pod("0b6f5a1e-8c5e-4f2a-9a57-2f1f3f0c9f11", "lab-7-0"), pod("u-1", "lab-7.rank.0")] {
            let uri = format!("http://{}/a", authority(&pod, 8_888).unwrap()).parse().unwrap();
            assert_eq!(target(&uri), Some((pod, 8_888)));
        }
        assert_ne!(authority(&pod("a", "lab-7-0"), 80).unwrap(), authority(&pod("b", "lab-7-0"), 80).unwrap());
        assert_ne!(authority(&pod("a", "lab-7-0"), 80).unwrap(), authority(&pod("a", "lab-7-0"), 81).unwrap());
        for odd in [pod("", "a"), pod("a.b", "a"), pod("a", "b@c"), pod("a", ""), pod("a", "b..c"), pod("a/b", "c")] {
            assert!(authority(&odd, 80).is_err(), "{odd:?}");
        }
    }
}
