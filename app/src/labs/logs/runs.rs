//! The pods whose logs can be read: those that are there, and those of a job of which a log is kept.

use domain::labs::{KeptLog, LabPod, LogProblem};

use crate::{
    components::{MomentStyle, moment_text},
    i18n::td_string,
    language::Language,
};

/// A pod with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub pod: String,
    pub containers: Vec<String>,
    /// Of a job: counts from 1 in each start.
    pub attempt: u32,
    pub exit_code: Option<i32>,
    pub is_there: bool,
}

/// The pods in the order in which they are offered: by rank, but the newest try of a job first.
pub(super) fn runs(pods: &[LabPod], kept: &[KeptLog], is_job: bool) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for log in kept.iter().filter(|log| pods.iter().all(|pod| pod.uid != log.pod_uid)) {
        match runs.iter_mut().find(|run| run.pod == log.pod) {
            Some(run) => run.containers.push(log.container.clone()),
            None => runs.push(Run {
                pod: log.pod.clone(),
                containers: vec![log.container.clone()],
                attempt: log.attempt,
                exit_code: log.exit_code,
                is_there: false,
            }),
        }
    }
    let mut there: Vec<_> = pods.iter().collect();
    if is_job {
        there.sort_by_key(|pod| (pod.generation, pod.made_at));
    }
    for (at, pod) in there.iter().enumerate() {
        let earlier = there[..at].iter().filter(|other| other.generation == pod.generation).count();
        runs.push(Run {
            pod: pod.name.clone(),
            containers: pod.containers.clone(),
            attempt: u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(1),
            exit_code: pod.end.as_ref().map(|end| end.exit_code),
            is_there: true,
        });
    }
    if is_job {
        runs.reverse();
    }
    runs
}

/// `Try 2 · exit code 1 · kept; the pod is gone · lab-7-x2x4q`
pub(super) fn run_text(language: Language, run: &Run, is_job: bool) -> String {
    if !is_job {
        return run.pod.clone();
    }
    let number = td_string!(language, logs.try_number, number = run.attempt).to_string();
    let code = run.exit_code.map(|code| td_string!(language, logs.try_code, code = code).to_string());
    let kept = (!run.is_there).then(|| td_string!(language, logs.kept).to_owned());
    [Some(number), code, kept, Some(run.pod.clone())].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Whether the log is all of it, and until when it is kept; or why it is not.
pub(super) fn kept_text(language: Language, log: &KeptLog) -> String {
    match log.problem {
        Some(LogProblem::Unreachable) => td_string!(language, logs.not_kept_unreachable).to_owned(),
        Some(LogProblem::Gone) => td_string!(language, logs.not_kept_gone).to_owned(),
        Some(LogProblem::Late) => td_string!(language, logs.not_kept_late).to_owned(),
        None => {
            let at = moment_text(log.kept_at, MomentStyle::Minute);
            let note = td_string!(language, logs.kept_note, at = at).to_string();
            if log.cut { format!("{note} {}", td_string!(language, logs.kept_cut)) } else { note }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

    use super::*;

    fn pod(name: &str, made: i64) -> LabPod {
        LabPod {
            name: name.into(),
            uid: format!("uid-{name}"),
            generation: 0,
            ready: true,
            containers: vec!["lab".into()],
            init_containers: Vec::new(),
            made_at: Some(Timestamp::from_seconds(made)),
            end: None,
        }
    }

    fn kept(name: &str, attempt: u32, problem: Option<LogProblem>) -> KeptLog {
        KeptLog {
            pod: name.into(),
            pod_uid: format!("uid-{name}"),
            container: "lab".into(),
            place: 0,
            generation: 0,
            attempt,
            exit_code: Some(1),
            ended_at: None,
            kept_at: Timestamp::from_seconds(0),
            bytes: 1,
            cut: true,
            problem,
        }
    }

    fn names(runs: &[Run]) -> Vec<(&str, u32, bool)> {
        runs.iter().map(|run| (run.pod.as_str(), run.attempt, run.is_there)).collect()
    }

    #[test]
    fn the_newest_try_of_a_job_is_first_and_the_first_rank_of_others() {
        let pods = [pod("b", 2), pod("a", 5)];
        assert_eq!(names(&runs(&pods, &[], false)), [("b", 1, true), ("a", 2, true)]);
        assert_eq!(names(&runs(&pods, &[], true)), [("a", 2, true), ("b", 1, true)]);
        let logs = [kept("x", 1, None), kept("b", 1, None)];
        assert_eq!(names(&runs(&pods, &logs, true)), [("a", 2, true), ("b", 1, true), ("x", 1, false)], "its pod is there");
    }

    #[test]
    fn a_kept_log_says_so() {
        let run = &runs(&[], &[kept("lab-7-x", 2, None)], true)[0];
        assert_eq!(run_text(Language::en, run, true), "Try 2 · exit code 1 · kept; the pod is gone · lab-7-x");
        assert!(run_text(Language::zh_CN, run, true).starts_with("第 2 次运行 · 退出码 1 · 已保留"));
        assert!(kept_text(Language::en, &kept("x", 1, None)).contains("Only the end"));
        assert!(kept_text(Language::en, &kept("x", 1, Some(LogProblem::Late))).contains("took too long"));
    }
}
