//! Labs in words: states, what brought them, why one failed.

use domain::{
    ids::UserId,
    labs::{JobOutcome, LabDetail, LabEvent, LabState, LabView, StateChange, idle},
    time::Timestamp,
};

use super::job_words::{job_lead, outcome_text};
use crate::{
    components::{MomentStyle, StatusKind, moment_text},
    i18n::td_string,
    language::Language,
    nodes::words::wait_text,
};

pub fn state_text(language: Language, state: LabState) -> &'static str {
    match state {
        LabState::Pending => td_string!(language, labs.state_pending),
        LabState::Starting => td_string!(language, labs.state_starting),
        LabState::Running => td_string!(language, labs.state_running),
        LabState::Stopping => td_string!(language, labs.state_stopping),
        LabState::Stopped => td_string!(language, labs.state_stopped),
        LabState::Failed => td_string!(language, labs.state_failed),
        LabState::Destroying => td_string!(language, labs.state_destroying),
        LabState::Destroyed => td_string!(language, labs.state_destroyed),
    }
}

pub fn state_kind(state: LabState) -> StatusKind {
    match state {
        LabState::Pending => StatusKind::Wait,
        LabState::Starting | LabState::Stopping | LabState::Destroying => StatusKind::Busy,
        LabState::Running => StatusKind::Live,
        LabState::Stopped | LabState::Destroyed => StatusKind::Off,
        LabState::Failed => StatusKind::Bad,
    }
}

/// The kind of the lab's state: a job that ended well is done.
pub fn view_kind(view: &LabView) -> StatusKind {
    match view.job.and_then(|job| job.outcome) {
        Some(JobOutcome::Finished) => StatusKind::Ok,
        _ => state_kind(view.lab.state),
    }
}

/// The state as a list shows it: a lab that waits for cards says its place, and a job how it ended.
pub fn view_text(language: Language, view: &LabView) -> String {
    if let Some(outcome) = outcome_text(language, view) {
        return outcome;
    }
    match view.queue_position {
        Some(place) => td_string!(language, labs.queued, place = place).to_string(),
        None => state_text(language, view.lab.state).to_owned(),
    }
}

/// How it stands, in one sentence.
pub fn lead(language: Language, detail: &LabDetail, now: Timestamp) -> String {
    let lab = &detail.view.lab;
    if let Some(text) = job_lead(language, detail, now) {
        return text;
    }
    match lab.state {
        LabState::Pending => match detail.view.queue_position {
            Some(place) => {
                let queued = td_string!(language, labs.lead_queued, place = place).to_string();
                match wait_text(language, detail.view.wait) {
                    Some(why) => format!("{queued} {why}"),
                    None => queued,
                }
            }
            None => td_string!(language, labs.lead_pending).to_owned(),
        },
        LabState::Starting => {
            let (ready, pods) = (detail.observation.ready, detail.observation.pods.max(lab.spec.nodes));
            td_string!(language, labs.lead_starting, ready = ready, pods = pods).to_string()
        }
        LabState::Running => match detail.view.stops_at() {
            Some(at) => td_string!(language, labs.lead_running, at = end_text(at, now)).to_string(),
            None => td_string!(language, labs.lead_running_open).to_owned(),
        },
        LabState::Stopping => td_string!(language, labs.lead_stopping).to_owned(),
        LabState::Stopped => td_string!(language, labs.lead_stopped).to_owned(),
        LabState::Failed => td_string!(language, labs.lead_failed).to_owned(),
        LabState::Destroying => td_string!(language, labs.lead_destroying).to_owned(),
        LabState::Destroyed => td_string!(language, labs.lead_destroyed).to_owned(),
    }
}

/// Today needs no date.
pub(super) fn end_text(at: Timestamp, now: Timestamp) -> String {
    let today = at.start_of_campus_day() == now.start_of_campus_day();
    moment_text(at, if today { MomentStyle::Time } else { MomentStyle::Minute })
}

/// What brought a state. A cause that has no words of its own stands as the server said it.
pub fn cause_text(language: Language, change: &StateChange) -> String {
    if change.from.is_none() {
        return td_string!(language, labs.cause_created).to_owned();
    }
    if change.cause == idle::CAUSE {
        return td_string!(language, idle.cause).to_owned();
    }
    let Some(event) = LabEvent::ALL.into_iter().find(|event| event.as_str() == change.cause) else {
        return change.cause.clone();
    };
    match event {
        LabEvent::Applied => td_string!(language, labs.cause_applied),
        LabEvent::Ready => td_string!(language, labs.cause_ready),
        LabEvent::Restart => td_string!(language, lifecycle.cause_restart),
        LabEvent::Resize => td_string!(language, lifecycle.cause_resize),
        LabEvent::Start if change.from == Some(LabState::Failed) => td_string!(language, lifecycle.cause_retry),
        LabEvent::Start => td_string!(language, labs.cause_start),
        LabEvent::Destroy if change.by.is_none() => td_string!(language, lifecycle.cause_kept_over),
        LabEvent::Lost => td_string!(language, labs.cause_lost),
        LabEvent::Finished => td_string!(language, labs.cause_finished),
        LabEvent::Fail => td_string!(language, labs.cause_fail),
        LabEvent::Stop if change.by.is_none() => td_string!(language, labs.cause_time_over),
        LabEvent::Stop => td_string!(language, labs.cause_stop),
        LabEvent::PodsGone => td_string!(language, labs.cause_pods_gone),
        LabEvent::Destroy => td_string!(language, labs.cause_destroy),
        LabEvent::ObjectsGone => td_string!(language, labs.cause_objects_gone),
    }
    .to_owned()
}

/// What brought a state, and who. `owner`: of the lab. Nobody approves their own order, so the policy approved a lab that its owner brought.
pub fn brought_text(language: Language, change: &StateChange, owner: UserId) -> String {
    match &change.by {
        Some(by) if change.from.is_none() && by.id == owner => td_string!(language, labs.cause_automatic).to_owned(),
        Some(by) => format!("{} · {}", cause_text(language, change), td_string!(language, labs.by, name = by.name.as_str())),
        None => cause_text(language, change),
    }
}

/// Texts for a change that the portal noticed late, or for pods that ran beyond the lab's time.
pub fn late_texts(language: Language, change: &StateChange) -> Vec<String> {
    let at = |at| moment_text(at, MomentStyle::Minute);
    let noticed = change.noticed_at.map(|noticed| td_string!(language, labs.noticed, at = at(noticed)).to_string());
    let beyond = change.ran_until.map(|until| td_string!(language, labs.ran_beyond, until = at(until)).to_string());
    noticed.into_iter().chain(beyond).collect()
}

/// The cluster's reason in plain words; its own name for one that we have none for.
pub fn reason_text(language: Language, reason: &str) -> String {
    match reason {
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" => td_string!(language, labs.reason_image).to_owned(),
        "CrashLoopBackOff" | "BackoffLimitExceeded" => td_string!(language, labs.reason_backoff).to_owned(),
        "Rejected" => td_string!(language, labs.reason_rejected).to_owned(),
        "Unschedulable" => td_string!(language, labs.reason_unschedulable).to_owned(),
        "VolumeLost" => td_string!(language, labs.reason_volume_lost).to_owned(),
        "QuotaExceeded" => td_string!(language, labs.reason_quota).to_owned(),
        "WebhookFailed" => td_string!(language, labs.reason_webhook).to_owned(),
        "PermissionMissing" | "CredentialsRefused" => td_string!(language, labs.reason_permission).to_owned(),
        other => other.to_owned(),
    }
}

/// Hours and minutes, or minutes and seconds below an hour.
pub fn seconds_text(language: Language, seconds: i64) -> String {
    let seconds = seconds.max(0);
    let text = if seconds >= 3_600 {
        td_string!(language, labs.hours_minutes, hours = seconds / 3_600, minutes = seconds % 3_600 / 60).to_string()
    } else {
        td_string!(language, labs.minutes_seconds, minutes = seconds / 60, seconds = seconds % 60).to_string()
    };
    text.replace(' ', "\u{a0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_an_hour_seconds_count() {
        assert_eq!(seconds_text(Language::en, 6_120), "1\u{a0}h\u{a0}42\u{a0}min");
        assert_eq!(seconds_text(Language::zh_CN, 59), "0\u{a0}分\u{a0}59\u{a0}秒");
        assert_eq!(seconds_text(Language::en, -5), "0\u{a0}min\u{a0}0\u{a0}s");
    }

    #[test]
    fn a_lab_that_its_owner_brought_was_approved_automatically() {
        let person = |id: &str, name: &str| domain::people::PersonRef { id: id.parse().expect("an id"), login: name.into(), name: name.into() };
        let li = person("01980000-0000-7000-8000-000000000001", "Li");
        let zhang = person("01980000-0000-7000-8000-000000000002", "Zhang");
        let created = |by| StateChange {
            seq: 1,
            from: None,
            to: LabState::Pending,
            at: Timestamp::from_seconds(0),
            noticed_at: None,
            ran_until: None,
            cause: "created".into(),
            by,
        };
        let text = |by| brought_text(Language::en, &created(by), li.id);
        assert_eq!(text(Some(li.clone())), "approved automatically");
        let approved = text(Some(zhang));
        assert!(approved.starts_with("the order was approved · ") && approved.contains("Zhang"), "{approved}");
        assert_eq!(text(None), "the order was approved");
        let stopped = StateChange { from: Some(LabState::Running), cause: "stop".into(), ..created(Some(li.clone())) };
        assert!(brought_text(Language::en, &stopped, li.id).contains("Li"));
    }

    #[test]
    fn a_stop_by_nobody_is_the_end_of_the_ordered_time() {
        let at = domain::time::Timestamp::from_seconds(0);
        let change = StateChange {
            seq: 2,
            from: Some(LabState::Running),
            to: LabState::Stopping,
            at,
            noticed_at: None,
            ran_until: None,
            cause: "stop".into(),
            by: None,
        };
        assert_eq!(cause_text(Language::en, &change), "the ordered time was over");
        assert!(late_texts(Language::en, &change).is_empty());
        let late = StateChange { noticed_at: Some(at.plus_minutes(120)), ran_until: Some(at.plus_minutes(60)), ..change.clone() };
        assert_eq!(
            late_texts(Language::en, &late),
            ["noticed at 1970-01-01 10:00", "its pods ran on until 1970-01-01 09:00; that time is not charged"]
        );
        let unused = StateChange { cause: idle::CAUSE.into(), ..change.clone() };
        assert_eq!(cause_text(Language::en, &unused), "nobody used it");
        let unknown = StateChange { cause: "eclipse".into(), ..change };
        assert_eq!(cause_text(Language::en, &unknown), "eclipse");
    }
}
