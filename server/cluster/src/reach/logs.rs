//! The log of a container, as it comes.

use std::{future::ready, time::Duration};

use bytes::Bytes;
use futures::{AsyncBufRead, AsyncBufReadExt, FutureExt, StreamExt, future::BoxFuture, stream};
use kube::api::LogParams;
use services::ports::{ClusterError, LogRequest, LogStream, PodTarget};

use super::meaning;
use crate::{client::Kubernetes, errors::chain};

/// A node answers a request to follow a log only with the first line. If nothing came by then, the container is quiet, since refusals come
/// at once.
const QUIET: Duration = Duration::from_secs(1);

impl Kubernetes {
    pub(crate) async fn logs_of_pod(&self, target: &PodTarget, wanted: &LogRequest) -> Result<LogStream, ClusterError> {
        self.pod(target).await?;
        let mut opening = self.open_log(target, wanted);
        let log = if wanted.follow {
            if let Ok(log) = tokio::time::timeout(QUIET, &mut opening).await {
                log?
            } else {
                // Tells a quiet container from a server that does not answer.
                self.version().await?;
                once_open(opening)
            }
        } else {
            self.in_time(target, opening).await?
        };
        self.unchanged(target)?;
        Ok(log)
    }

    fn open_log(&self, target: &PodTarget, wanted: &LogRequest) -> BoxFuture<'static, Result<LogStream, ClusterError>> {
        let (pods, name) = (self.pods(target), target.name.clone());
        let parameters = LogParams {
            container: Some(wanted.container.clone()),
            follow: wanted.follow,
            previous: wanted.previous,
            tail_lines: wanted.tail.map(i64::from),
            // The server refuses 0.
            since_seconds: wanted.since.map(|since| i64::try_from(since.as_secs().max(1)).unwrap_or(i64::MAX)),
            timestamps: wanted.timestamps,
            ..LogParams::default()
        };
        async move {
            let log = pods.log_stream(&name, &parameters).await.map_err(|error| meaning::of_call(&error))?;
            Ok(pieces(log))
        }
        .boxed()
    }
}

/// A log that has not been answered yet; a refusal is its only item.
fn once_open(opening: BoxFuture<'static, Result<LogStream, ClusterError>>) -> LogStream {
    let log = stream::once(opening).map(|log| log.unwrap_or_else(|error| stream::once(ready(Err(error))).boxed()));
    log.flatten().boxed()
}

/// Gives out what has arrived at once, without waiting for the end of a line.
fn pieces(log: impl AsyncBufRead + Send + 'static) -> LogStream {
    let pieces = stream::try_unfold(Box::pin(log), |mut log| async move {
        let arrived = log.fill_buf().await.map_err(|error| ClusterError::Away(chain(&error)))?;
        if arrived.is_empty() {
            return Ok(None);
        }
        let piece = Bytes::copy_from_slice(arrived);
        log.consume_unpin(piece.len());
        Ok::<_, ClusterError>(Some((piece, log)))
    });
    pieces.boxed()
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn a_log_comes_in_pieces_and_ends() {
        let log: &[u8] = b"one\ntwo\n";
        let all: Vec<Bytes> = pieces(log).try_collect().await.expect("a log");
        assert_eq!(all.concat(), log);
    }

    #[tokio::test]
    async fn a_refusal_of_a_log_that_was_quiet_is_its_only_item() {
        let refused: BoxFuture<'static, Result<LogStream, ClusterError>> = async { Err(ClusterError::Busy("pod lab-7-0 is gone".into())) }.boxed();
        let items: Vec<_> = once_open(refused).collect().await;
        assert!(matches!(items.as_slice(), [Err(ClusterError::Busy(_))]), "{items:?}");
        let quiet: BoxFuture<'static, Result<LogStream, ClusterError>> = async { Ok(pieces(&b"line\n"[..])) }.boxed();
        let all: Vec<Bytes> = once_open(quiet).try_collect().await.expect("a log");
        assert_eq!(all.concat(), b"line\n");
    }
}
