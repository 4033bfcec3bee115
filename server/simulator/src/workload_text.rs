//! What a simulated container would print, by the image it runs.

use serde_json::Value;
use time::OffsetDateTime;

use crate::{stamp, value};

/// A container's made-up output.
pub struct Program {
    style: Style,
    pod: String,
    image: String,
    rank: i64,
    exit_code: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Notebook,
    Training,
    Plain,
}

/// Lines printed at once when a container starts.
const OPENING: usize = 4;

impl Program {
    pub fn of(pod: &Value, container: &str, exit_code: Option<i64>) -> Self {
        let find = |list: &str| value::items(pod, list).iter().find(|one| value::text(one, "/name") == container).cloned();
        let container = find("/spec/containers").or_else(|| find("/spec/initContainers")).unwrap_or_default();
        let image = value::text(&container, "/image").to_owned();
        let has = |word: &str| image.contains(word) || value::name(pod).contains(word);
        let style = if has("jupyter") || has("notebook") {
            Style::Notebook
        } else if has("torch") || has("ddp") || has("train") {
            Style::Training
        } else {
            Style::Plain
        };
        let rank = value::annotation(pod, "batch.kubernetes.io/job-completion-index").and_then(|index| index.parse().ok()).unwrap_or(0);
        Self { style, pod: value::name(pod).to_owned(), image, rank, exit_code }
    }

    /// Seconds between two later lines.
    fn pace(&self) -> i64 {
        match self.style {
            Style::Notebook => 30,
            Style::Training => 1,
            Style::Plain => 5,
        }
    }

    /// How many lines there are after so many seconds; one more says how it ended.
    pub fn count(&self, seconds: i64, has_ended: bool) -> usize {
        OPENING + usize::try_from(seconds / self.pace()).unwrap_or_default() + usize::from(has_ended)
    }

    /// The second and the text of one line.
    pub fn line(&self, at: usize, started: OffsetDateTime, count: usize, has_ended: bool) -> (i64, String) {
        if has_ended && at + 1 == count {
            return (i64::MAX / 4_000_000_000, self.last());
        }
        if at < OPENING {
            return (0, self.opening(at, started));
        }
        let step = i64::try_from(at - OPENING + 1).unwrap_or(i64::MAX);
        let second = step.saturating_mul(self.pace());
        (second, self.later(step, &stamp::plus(started, second)))
    }

    fn last(&self) -> String {
        match (self.exit_code.unwrap_or(0), self.style) {
            (0, Style::Training) => format!("[rank {}] training finished, checkpoint saved to /workspace/checkpoints/last.pt", self.rank),
            (0, _) => "finished".to_owned(),
            (143, _) => "received SIGTERM, shutting down".to_owned(),
            (code, _) => format!("error: process exited with code {code}"),
        }
    }

    fn opening(&self, at: usize, started: OffsetDateTime) -> String {
        let clock = stamp::plus(started, 0);
        match (self.style, at) {
            (Style::Notebook, 0) => format!("[I {clock} ServerApp] jupyterlab | extension was successfully loaded."),
            (Style::Notebook, 1) => format!("[I {clock} ServerApp] Serving notebooks from local directory: /home/jovyan"),
            (Style::Notebook, 2) => format!("[I {clock} ServerApp] Jupyter Server is running at: http://{}:8888/lab", self.pod),
            (Style::Notebook, _) => format!("[I {clock} ServerApp] Use Control-C to stop this server and shut down all kernels."),
            (Style::Training, 0) => format!("[rank {}] starting on {} with {}", self.rank, self.pod, self.image),
            (Style::Training, 1) => format!("[rank {}] initialised process group: backend nccl", self.rank),
            (Style::Training, 2) => format!("[rank {}] device cuda:0, mixed precision bf16", self.rank),
            (Style::Training, _) => format!("[rank {}] dataset ready, training starts", self.rank),
            (Style::Plain, 0) => format!("{clock} starting {}", self.image),
            (Style::Plain, 1) => format!("{clock} simulated container on {}: nothing is computed here", self.pod),
            (Style::Plain, 2) => format!("{clock} configuration loaded"),
            (Style::Plain, _) => format!("{clock} ready"),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a made-up loss curve")]
    fn later(&self, step: i64, clock: &str) -> String {
        match self.style {
            Style::Notebook => format!("[I {clock} ServerApp] Saving file at /work/experiment.ipynb"),
            Style::Training => {
                let loss = 0.31 + 2.1 / (1.0 + step as f64 / 12.0) + ((step * 37 + self.rank * 11) % 17) as f64 / 400.0;
                format!(
                    "[rank {}] epoch {} step {step:>5} loss {loss:.4} {:.1} samples/s",
                    self.rank,
                    step / 100 + 1,
                    1480.0 + ((step * 13) % 40) as f64
                )
            }
            Style::Plain => format!("{clock} alive"),
        }
    }
}
