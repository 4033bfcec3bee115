//! How far something has come that takes longer than a breath: a bar on a terminal, now and then a line in a log.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::atomic::{AtomicU32, Ordering},
};

use tracing::Dispatch;

/// Characters of the bar.
const WIDTH: u32 = 32;
/// Percent between two lines of a log.
const STEP: u32 = 20;

#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    terminal: bool,
    /// The log of whoever began it: what is being done may be quiet.
    log: Dispatch,
    /// Percent that were shown last; nothing yet above a hundred.
    shown: AtomicU32,
}

impl Progress {
    /// `what` is being done, as a phrase.
    pub fn new(what: &'static str) -> Self {
        let log = tracing::dispatcher::get_default(Clone::clone);
        Self { what, log, terminal: std::io::stderr().is_terminal(), shown: AtomicU32::new(u32::MAX) }
    }

    /// So many of a hundred parts are done; the same again shows nothing.
    pub fn done(&self, percent: u32) {
        let percent = percent.min(100);
        let before = self.shown.load(Ordering::Relaxed);
        let begins = before == u32::MAX;
        if self.terminal {
            if before == percent {
                return;
            }
            let line = format!("\r{} [{}] {percent:3} %", self.what, bar(percent));
            let end = if percent == 100 { "\n" } else { "" };
            // A terminal that went away is no reason to stop.
            let mut out = std::io::stderr().lock();
            let _ = out.write_all(line.as_bytes()).and_then(|()| out.write_all(end.as_bytes())).and_then(|()| out.flush());
        } else {
            if !begins && percent / STEP == before / STEP {
                return;
            }
            tracing::dispatcher::with_default(&self.log, || tracing::info!(progress.percent = percent, "{}: {percent} %", self.what));
        }
        self.shown.store(percent, Ordering::Relaxed);
    }
}

fn bar(percent: u32) -> String {
    let full = percent * WIDTH / 100;
    (0..WIDTH).map(|at| if at < full { '#' } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_from_left_to_right() {
        assert_eq!(bar(0), ".".repeat(32));
        assert_eq!(bar(50), format!("{}{}", "#".repeat(16), ".".repeat(16)));
        assert_eq!(bar(100), "#".repeat(32));
    }
}
