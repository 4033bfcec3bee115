//! Logs: readable lines or JSON, on standard error, so that standard output belongs to commands.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Call once at the start. `RUST_LOG` goes over the configured filter.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(with_quiet_libraries(&log.filter)));
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    // A second start (tests) keeps the first.
    let _ = match log.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    };
}

/// Messages of libraries at `info` are not useful to operators. The Kubernetes client logs each failed request as an error without saying
/// which; Lectern logs these failures itself, with the lab and the reason.
fn with_quiet_libraries(filter: &str) -> String {
    format!(
        "{filter},tower_sessions=error,tower_sessions_core=off,sqlx=warn,hyper=warn,rustls=warn,kube=warn,kube_client::client::builder=off,tower=warn,h2=warn"
    )
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panics while they hold it").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failed_request_to_the_cluster_is_logged_with_its_context_alone() {
        let written = Written::default();
        let writer = written.clone();
        let filter = EnvFilter::new(with_quiet_libraries("info"));
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "kube_client::client::builder", "failed with error client error (Connect)");
            tracing::warn!(target: "kube_client::client", "a watch ended");
            tracing::warn!(target: "services::labs", lab = "lab-1", reason = "connection refused", "the lab cannot be started");
        });
        let bytes = written.0.lock().expect("nobody panics while they hold it").clone();
        let text = String::from_utf8(bytes).expect("text");
        assert!(!text.contains("failed with"), "{text}");
        assert!(text.contains("a watch ended"), "the client's other warnings stay: {text}");
        assert!(text.contains("the lab cannot be started lab=\"lab-1\" reason=\"connection refused\""), "{text}");
    }
}
