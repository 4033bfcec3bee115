//! CPU time and memory that the processes of labs use, read from `/proc` every few seconds as a cluster's metrics server does.

use std::{collections::HashMap, fs, path::Path, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Local, Running, launch, process};
use crate::value;

/// Use of a container between two measurements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Billionths of a core.
    pub nanocores: u64,
    pub memory_bytes: u64,
}

/// A process at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sample {
    /// Of its container.
    mark: String,
    /// Its number, and when it started: another process may have its number later.
    process: (String, u64),
    /// CPU time so far.
    ticks: u64,
    memory_bytes: u64,
}

impl Sample {
    /// `None` if it has ended.
    fn of(process: &Path, mark: String) -> Option<Self> {
        let text = fs::read_to_string(process.join("stat")).ok()?;
        let number = process.file_name()?.to_str()?.to_owned();
        let (ticks, started, pages) = read_stat(&text)?;
        let page = u64::try_from(rustix::param::page_size()).unwrap_or(4_096);
        Some(Self { mark, process: (number, started), ticks, memory_bytes: pages.saturating_mul(page) })
    }
}

/// CPU time in ticks, the start in ticks since the boot, and the pages in memory.
fn read_stat(text: &str) -> Option<(u64, u64, u64)> {
    // The name of the program, in brackets, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |at: usize| words.get(at)?.parse::<u64>().ok();
    Some((number(11)?.saturating_add(number(12)?), number(19)?, number(21)?))
}

/// The last measurement.
#[derive(Debug, Default)]
pub struct Meter {
    at: Option<Instant>,
    ticks: HashMap<(String, u64), u64>,
    /// By the mark of the container.
    usage: HashMap<String, Usage>,
}

impl Meter {
    /// A process that is new has used all its time since the last measurement. The first one measures nothing.
    fn take(&mut self, now: Instant, samples: Vec<Sample>, ticks_per_second: u64) {
        let before = std::mem::take(&mut self.ticks);
        let passed = self.at.replace(now).map(|at| now.saturating_duration_since(at));
        let mut used: HashMap<String, (u64, u64)> = HashMap::new();
        for Sample { mark, process, ticks, memory_bytes } in samples {
            let (sum, memory) = used.entry(mark).or_default();
            *sum = sum.saturating_add(ticks.saturating_sub(before.get(&process).copied().unwrap_or_default()));
            *memory = memory.saturating_add(memory_bytes);
            self.ticks.insert(process, ticks);
        }
        let millis = passed.and_then(|passed| u64::try_from(passed.as_millis()).ok()).filter(|millis| *millis > 0);
        let Some(millis) = millis else { return };
        let nanos_per_tick = 1_000_000_000 / ticks_per_second.max(1);
        let usage = |(ticks, memory_bytes): (u64, u64)| Usage {
            nanocores: ticks.saturating_mul(nanos_per_tick).saturating_mul(1_000) / millis,
            memory_bytes,
        };
        self.usage = used.into_iter().map(|(mark, used)| (mark, usage(used))).collect();
    }
}

/// Measures until the server stops.
pub async fn measure(local: Arc<Local>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = local.stopping.cancelled() => return,
        }
        let read = || process::marks().into_iter().filter_map(|(process, mark)| Sample::of(&process, mark)).collect::<Vec<_>>();
        let Ok(samples) = tokio::task::spawn_blocking(read).await else { continue };
        local.meter().take(Instant::now(), samples, rustix::param::clock_ticks_per_second());
    }
}

impl Local {
    /// The use of each container of a running pod at the last measurement; `None` if it is not measured, or not yet.
    pub fn usage(&self, pod: &Value) -> Option<Vec<Usage>> {
        if !Self::takes(pod) {
            return None;
        }
        let uid = value::uid(pod);
        let of = |container: &Value| {
            let name = value::text(container, "/name");
            match self.running(uid, name)? {
                Running::Page => Some(Usage::default()),
                Running::Process(_) => self.meter().usage.get(&launch::mark(uid, name)).copied(),
            }
        };
        value::items(pod, "/spec/containers").iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(process: &str, started: u64, ticks: u64) -> Sample {
        Sample { mark: "u/main".to_owned(), process: (process.to_owned(), started), ticks, memory_bytes: 1_000 }
    }

    #[test]
    fn a_container_uses_what_its_processes_used_since_the_last_measurement() {
        let (mut meter, begin) = (Meter::default(), Instant::now());
        meter.take(begin, vec![sample("7", 1, 500)], 100);
        assert_eq!(meter.usage.get("u/main"), None, "there is nothing to compare with");
        meter.take(begin + Duration::from_secs(10), vec![sample("7", 1, 900), sample("8", 5, 200)], 100);
        assert_eq!(meter.usage["u/main"], Usage { nanocores: 600_000_000, memory_bytes: 2_000 });
        // Another process has the number, and has used nothing.
        meter.take(begin + Duration::from_secs(20), vec![sample("7", 9, 0)], 100);
        assert_eq!(meter.usage["u/main"], Usage { nanocores: 0, memory_bytes: 1_000 });
        meter.take(begin + Duration::from_secs(30), Vec::new(), 100);
        assert_eq!(meter.usage.get("u/main"), None, "it has ended");
    }

    #[test]
    fn the_kernels_line_is_read_whatever_a_program_is_called() {
        let line = "42 (a) R 1 (b) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 9 9 20 0 1 0 777 1000000 25 18446744073709551615 1 1 0\n";
        assert_eq!(read_stat(line), Some((200, 777, 25)));
        assert_eq!((read_stat(""), read_stat("42 (sh) S 1")), (None, None));
    }
}
