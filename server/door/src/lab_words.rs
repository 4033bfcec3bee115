//! Words about a lab that its page on the portal uses too: the steps of a start, and why a lab failed. A test compares them with the
//! portal's files.

use domain::labs::start::StartStep;

use crate::words::Language;

pub const fn step(language: Language, step: StartStep) -> &'static str {
    match step {
        StartStep::Approval => language.pick("审批", "Approval"),
        StartStep::Queue => language.pick("等待显卡", "Waiting for cards"),
        StartStep::Volumes => language.pick("准备存储卷", "Preparing the volume"),
        StartStep::Schedule => language.pick("分配节点", "Finding a node"),
        StartStep::Pull => language.pick("拉取镜像", "Pulling the image"),
        StartStep::Container => language.pick("启动容器", "Starting the container"),
        StartStep::Ready => language.pick("应用就绪", "Application becomes ready"),
    }
}

pub const fn steps_title(language: Language) -> &'static str {
    language.pick("启动过程", "Start")
}

pub const fn not_begun(language: Language) -> &'static str {
    language.pick("未开始", "not begun")
}

pub const fn late(language: Language) -> &'static str {
    language.pick("比平时久", "longer than usual")
}

pub fn usual(language: Language, seconds_text: &str) -> String {
    match language {
        Language::Chinese => format!("通常 {seconds_text}"),
        Language::English => format!("usually {seconds_text}"),
    }
}

pub fn seconds(language: Language, seconds: i64) -> String {
    match (language, seconds / 60, seconds % 60) {
        (Language::Chinese, 0, rest) => format!("{rest} 秒"),
        (Language::English, 0, rest) => format!("{rest} s"),
        (Language::Chinese, minutes, rest) => format!("{minutes} 分 {rest} 秒"),
        (Language::English, minutes, rest) => format!("{minutes} min {rest} s"),
    }
}

/// The reason of a failure as a sentence, or as the cluster named it.
pub fn failure(language: Language, reason: &str) -> &str {
    match reason {
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" => language.pick("镜像拉不下来", "the image cannot be pulled"),
        "CrashLoopBackOff" | "BackoffLimitExceeded" => language.pick("程序反复退出", "the program keeps exiting"),
        "Rejected" => language.pick("集群拒绝了它", "the cluster refused it"),
        "Unschedulable" => language.pick("没有节点放得下", "no node has room for it"),
        "VolumeLost" => language.pick("存储卷在集群中被删除，文件已丢失", "its volume was deleted in the cluster, and its files are gone"),
        "QuotaExceeded" => language.pick("课程在集群中的资源配额已用完", "the course's quota in the cluster is used up"),
        "WebhookFailed" => language.pick(
            "集群的准入 webhook 出现故障，已告知运维人员，系统会自动重试",
            "an admission webhook of the cluster does not work; the operators have been told, and the step is retried automatically",
        ),
        "PermissionMissing" | "CredentialsRefused" => language.pick(
            "集群没有授权 Lectern 执行此操作，已告知运维人员，系统会自动重试",
            "the cluster does not let the portal do this; the operators have been told, and the step is retried automatically",
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_words_are_those_of_the_labs_page() {
        let files = [
            (Language::English, include_str!("../../../app/locales/en/labs.json")),
            (Language::Chinese, include_str!("../../../app/locales/zh-CN/labs.json")),
        ];
        for (language, file) in files {
            let all: Value = serde_json::from_str(file).unwrap();
            let word = |key: &str| all[key].as_str().unwrap_or_else(|| panic!("no {key}")).to_owned();
            for each in StartStep::ALL {
                assert_eq!(step(language, each), word(&format!("step_{}", each.as_str())));
            }
            assert_eq!(steps_title(language), word("start_steps"));
            assert_eq!(not_begun(language), word("step_next"));
            assert_eq!(late(language), word("step_late"));
            assert_eq!(usual(language, "{{ time }}"), word("step_usual"));
            assert_eq!(seconds(language, 42), word("only_seconds").replace("{{ seconds }}", "42"));
            assert_eq!(seconds(language, 102), word("minutes_seconds").replace("{{ minutes }}", "1").replace("{{ seconds }}", "42"));
            for (reason, key) in [
                ("ErrImagePull", "image"),
                ("CrashLoopBackOff", "backoff"),
                ("Rejected", "rejected"),
                ("Unschedulable", "unschedulable"),
                ("VolumeLost", "volume_lost"),
                ("QuotaExceeded", "quota"),
                ("WebhookFailed", "webhook"),
                ("PermissionMissing", "permission"),
            ] {
                assert_eq!(failure(language, reason), word(&format!("reason_{key}")));
            }
            assert_eq!(failure(language, "Evicted"), "Evicted");
        }
    }
}
