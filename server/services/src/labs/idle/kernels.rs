//! Whether a kernel of a Jupyter server executes. Bytes do not show it: a cell runs on when its page is closed.

use std::time::Duration;

use domain::secret::Secret;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    Services,
    ports::{ClusterError, PodTarget},
    reach,
};

/// HTTP/1.0, so that the answer is not cut into pieces and ends with the connection.
const QUESTION: &str = "GET /api/kernels HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n";
/// Bytes of an answer that are read.
const LONGEST: u64 = 512 * 1_024;
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernels {
    Busy,
    /// There is none, or none executes.
    Idle,
    /// The server does not tell without a password or token that the portal does not have.
    Closed,
    /// Nothing there speaks Jupyter's API.
    Absent,
}

#[derive(Deserialize)]
struct Kernel {
    execution_state: String,
}

/// `own`: the header by which the server takes the lab's own secret. Errors: as of `connect`; `Busy` if the answer does not come.
pub(super) async fn ask(services: &Services, pod: &PodTarget, port: u16, own: Option<&(String, Secret)>) -> Result<Kernels, ClusterError> {
    let asking = async {
        let mut connection = reach::connect(services, pod, port).await?;
        connection.write_all(question(own).as_bytes()).await.map_err(|error| ClusterError::Busy(error.to_string()))?;
        let mut answer = Vec::new();
        // A connection that breaks off may have answered before.
        let read = connection.take(LONGEST).read_to_end(&mut answer).await;
        if answer.is_empty() {
            return Err(ClusterError::Busy(read.err().map_or_else(|| "no answer".to_owned(), |error| error.to_string())));
        }
        Ok(meaning(&answer))
    };
    let late = || ClusterError::Busy("no answer in time".to_owned());
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| Err(late()))
}

fn question(own: Option<&(String, Secret)>) -> String {
    let mut text = QUESTION.to_owned();
    if let Some((name, value)) = own {
        text.extend([name.as_str(), ": ", value.expose().as_str(), "\r\n"]);
    }
    text.push_str("\r\n");
    text
}

fn meaning(answer: &[u8]) -> Kernels {
    const END: &[u8] = b"\r\n\r\n";
    let status = answer.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|digits| str::from_utf8(digits).ok());
    let body = answer.windows(END.len()).position(|part| part == END).map(|at| &answer[at + END.len()..]).unwrap_or_default();
    match status.and_then(|digits| digits.parse::<u16>().ok()) {
        Some(200) => match serde_json::from_slice::<Vec<Kernel>>(body) {
            Ok(kernels) if kernels.iter().any(|kernel| kernel.execution_state == "busy") => Kernels::Busy,
            Ok(_) => Kernels::Idle,
            Err(_) => Kernels::Absent,
        },
        // A sign-in page is a redirection.
        Some(300..=399 | 401 | 403) => Kernels::Closed,
        _ => Kernels::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_shows_the_secret_that_the_server_takes() {
        assert!(question(None).ends_with("\r\nAccept: application/json\r\n\r\n"));
        let own = ("authorization".to_owned(), Secret::new("token 5e".to_owned()));
        assert!(question(Some(&own)).ends_with("\r\nauthorization: token 5e\r\n\r\n"));
    }

    #[test]
    fn the_answer_says_whether_a_kernel_executes() {
        let answer = |status: &str, body: &str| meaning(format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{body}").as_bytes());
        let idle = r#"{"id":"a","name":"python3","execution_state":"idle","connections":1}"#;
        let busy = r#"{"id":"b","name":"python3","execution_state":"busy","connections":0}"#;
        assert_eq!(answer("200 OK", &format!("[{idle},{busy}]")), Kernels::Busy);
        assert_eq!(answer("200 OK", &format!("[{idle}]")), Kernels::Idle);
        assert_eq!(answer("200 OK", "[]"), Kernels::Idle);
        assert_eq!(answer("200 OK", "<!doctype html>busy"), Kernels::Absent);
        assert_eq!(answer("403 Forbidden", ""), Kernels::Closed);
        assert_eq!(answer("302 Found", ""), Kernels::Closed);
        assert_eq!(answer("404 Not Found", ""), Kernels::Absent);
        for nonsense in [&b""[..], b"HTTP/1.", b"HTTP/1.1 2", b"SSH-2.0-OpenSSH_9.7\r\n"] {
            assert_eq!(meaning(nonsense), Kernels::Absent);
        }
    }
}
