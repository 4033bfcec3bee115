//! Features of the API server by its version. Server-side apply refuses fields that it does not know, so they are left out.

/// Lectern supports 1.27 and later; older servers run notebooks and plain jobs, so that the same tests pass there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// `Job.spec.completionMode: Indexed` is stable (1.24): each pod knows its rank and has a name of its own.
    pub indexed_jobs: bool,
    /// `Job.spec.podFailurePolicy` is enabled by default (1.26): an evicted pod does not count as a failed try.
    pub pod_failure_policy: bool,
}

impl Capabilities {
    /// A server of today.
    pub const CURRENT: Self = Self { indexed_jobs: true, pod_failure_policy: true };

    /// From `/version`: major and minor as the server spells them, `1` and `27+`.
    pub fn of_version(major: &str, minor: &str) -> Self {
        let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>().ok();
        match (number(major), number(minor)) {
            (Some(major), Some(minor)) => Self { indexed_jobs: (major, minor) >= (1, 24), pod_failure_policy: (major, minor) >= (1, 26) },
            _ => Self::CURRENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexed_jobs_are_used_from_1_24_on() {
        assert!(!Capabilities::of_version("1", "20").indexed_jobs);
        assert!(!Capabilities::of_version("1", "23+").indexed_jobs);
        assert!(Capabilities::of_version("1", "24").indexed_jobs);
        assert!(Capabilities::of_version("1", "33-gke.1").indexed_jobs);
        assert!(Capabilities::of_version("", "").indexed_jobs);
    }

    #[test]
    fn pod_failure_policies_are_used_from_1_26_on() {
        assert!(!Capabilities::of_version("1", "25").pod_failure_policy);
        assert!(Capabilities::of_version("1", "26").pod_failure_policy);
    }
}
