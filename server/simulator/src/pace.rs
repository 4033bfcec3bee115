//! How long things take in the simulated cluster.

use std::time::Duration;

/// Delays of the simulated control plane and kubelets. Pods may override theirs with `fake-kubelet/` annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From a pod's creation to its binding.
    pub schedule: Duration,
    /// From binding to Running: pulling the image and starting.
    pub start: Duration,
    /// From a pod's deletion to its end.
    pub stop: Duration,
    /// Before a failed attempt (a refused pod, a failed Job pod) is tried again.
    pub retry: Duration,
    /// From a claim's creation to its volume.
    pub provision: Duration,
    /// The longest that a pod stays on a node that does not answer, whatever it tolerates.
    pub evict: Duration,
    /// Between two measurements of the processes of labs.
    pub measure: Duration,
}

impl Pace {
    /// As quick as is still orderly: for tests.
    pub fn fast() -> Self {
        let short = Duration::from_millis(10);
        Self {
            schedule: Duration::ZERO,
            start: short * 3,
            stop: short * 2,
            retry: short * 20,
            provision: short,
            evict: short * 50,
            measure: short * 20,
        }
    }

    /// Like a small healthy cluster with warm images: for demonstrations.
    pub fn believable() -> Self {
        Self {
            schedule: Duration::from_millis(300),
            start: Duration::from_millis(2500),
            stop: Duration::from_millis(1200),
            retry: Duration::from_secs(10),
            provision: Duration::from_millis(800),
            evict: Duration::from_mins(5),
            measure: Duration::from_secs(15),
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::believable()
    }
}
