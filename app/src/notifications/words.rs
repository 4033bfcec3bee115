//! Words and links of notices.

use domain::{
    notifications::{Notice, ReaderChange, Target, Verdict},
    people::PersonRef,
};

use crate::{
    components::{MomentStyle, moment_text},
    i18n::td_string,
    labs::{
        open::role_text,
        start::{seconds_text as start_seconds, step_text},
    },
    language::Language,
    orders::words::{change_text, duration_text},
    routes,
};

/// One sentence: what happened, and what to do where something is to be done.
pub fn notice_text(language: Language, notice: &Notice) -> String {
    match notice {
        Notice::OrderWaits { number, owner, .. } => {
            td_string!(language, notifications.order_waits, number = *number, owner = owner.as_str()).to_string()
        }
        Notice::ClassWaits { number, orders, owner, .. } => {
            td_string!(language, notifications.class_waits, number = *number, orders = *orders, owner = owner.as_str()).to_string()
        }
        Notice::ClassDecided { number, orders, rejected: 0, .. } => {
            td_string!(language, notifications.class_approved, number = *number, orders = *orders).to_string()
        }
        Notice::ClassDecided { number, orders, rejected, .. } => {
            td_string!(language, notifications.class_decided, number = *number, orders = *orders, rejected = *rejected).to_string()
        }
        Notice::ClassExpiresSoon { number, expires_at, .. } => {
            let at = moment_text(*expires_at, MomentStyle::Minute);
            td_string!(language, notifications.class_expires_soon, number = *number, at = at).to_string()
        }
        Notice::ClassExpired { number, .. } => td_string!(language, notifications.class_expired, number = *number).to_string(),
        Notice::OrderDecided { number, verdict: Verdict::Approved | Verdict::Queued | Verdict::Scheduled, change: Some(change), .. } => {
            td_string!(language, notifications.change_approved, number = *number, change = change_text(language, change)).to_string()
        }
        Notice::OrderDecided { number, verdict: Verdict::Rejected, change: Some(change), .. } => {
            td_string!(language, notifications.change_rejected, number = *number, change = change_text(language, change)).to_string()
        }
        Notice::OrderDecided { number, verdict: Verdict::Approved, .. } => {
            td_string!(language, notifications.order_approved, number = *number).to_string()
        }
        Notice::OrderDecided { number, verdict: Verdict::Queued, .. } => {
            td_string!(language, notifications.order_queued, number = *number).to_string()
        }
        Notice::OrderDecided { number, verdict: Verdict::Scheduled, .. } => {
            td_string!(language, notifications.order_scheduled, number = *number).to_string()
        }
        Notice::OrderDecided { number, verdict: Verdict::Rejected, .. } => {
            td_string!(language, notifications.order_rejected, number = *number).to_string()
        }
        Notice::OrderExpiresSoon { number, expires_at, .. } => {
            let at = moment_text(*expires_at, MomentStyle::Minute);
            td_string!(language, notifications.order_expires_soon, number = *number, at = at).to_string()
        }
        Notice::OrderChanged { number, .. } => td_string!(language, notifications.order_changed, number = *number).to_string(),
        Notice::OrderProposed { number, cost, .. } => {
            td_string!(language, notifications.order_proposed, number = *number, cost = cost.to_string()).to_string()
        }
        Notice::ProposalAnswered { number, agreed: true, .. } => td_string!(language, notifications.proposal_accepted, number = *number).to_string(),
        Notice::ProposalAnswered { number, agreed: false, .. } => td_string!(language, notifications.proposal_declined, number = *number).to_string(),
        Notice::OrderAsked { number, .. } => td_string!(language, notifications.order_asked, number = *number).to_string(),
        Notice::OrderAnswered { number, .. } => td_string!(language, notifications.order_answered, number = *number).to_string(),
        Notice::OrderExpired { number, .. } => td_string!(language, notifications.order_expired, number = *number).to_string(),
        Notice::RequesterLeft { number, orders, owner, code, .. } => {
            let (owner, code) = (owner.as_str(), code.as_str());
            match orders {
                1 => td_string!(language, notifications.requester_left, number = *number, owner = owner, course = code).to_string(),
                _ => td_string!(language, notifications.requester_left_class, number = *number, orders = *orders, owner = owner, course = code)
                    .to_string(),
            }
        }
        Notice::LabEndsSoon { name, minutes, .. } => {
            td_string!(language, notifications.lab_ends_soon, name = name.as_str(), minutes = *minutes).to_string()
        }
        Notice::LabIdle { name, since, stops_at, .. } => {
            let (since, at) = (moment_text(*since, MomentStyle::Minute), moment_text(*stops_at, MomentStyle::Time));
            td_string!(language, idle.notice, name = name.as_str(), since = since, at = at).to_string()
        }
        Notice::LabIdleStopped { name, minutes, .. } => {
            td_string!(language, idle.notice_stopped, name = name.as_str(), time = duration_text(language, *minutes)).to_string()
        }
        Notice::LabBreakGlass { name, by, reason, .. } => {
            td_string!(language, notifications.lab_break_glass, name = name.as_str(), by = by.name.as_str(), reason = reason.as_str()).to_string()
        }
        Notice::LabVisited { name, by, role, .. } => {
            let role = role_text(language, *role);
            td_string!(language, notifications.lab_visited, name = name.as_str(), by = by.name.as_str(), role = role).to_string()
        }
        Notice::LabLate { name, step, usual_seconds, .. } => {
            let usual = start_seconds(language, i64::from(*usual_seconds));
            td_string!(language, notifications.lab_late, name = name.as_str(), step = step_text(language, *step), usual = usual).to_string()
        }
        Notice::ClassLate { number, step, usual_seconds, .. } => {
            let usual = start_seconds(language, i64::from(*usual_seconds));
            td_string!(language, notifications.class_late, number = *number, step = step_text(language, *step), usual = usual).to_string()
        }
        Notice::ClassEndsSoon { number, ends_at, .. } => {
            td_string!(language, notifications.class_ends_soon, number = *number, at = ends_at.on_campus().time()).to_string()
        }
        Notice::LabGoesSoon { name, kept_until, .. } => {
            let at = moment_text(*kept_until, MomentStyle::Minute);
            td_string!(language, notifications.lab_goes_soon, name = name.as_str(), at = at).to_string()
        }
        Notice::BudgetReached { code, percent, amount, .. } => {
            td_string!(language, notifications.budget_reached, course = code.as_str(), percent = *percent, amount = amount.to_string()).to_string()
        }
        Notice::LabFailed { name, .. } => td_string!(language, notifications.lab_failed, name = name.as_str()).to_string(),
        Notice::JobFinished { name, .. } => td_string!(language, notifications.job_finished, name = name.as_str()).to_string(),
        Notice::JobFailed { name, exit_code: Some(code), .. } => {
            td_string!(language, notifications.job_failed_code, name = name.as_str(), code = *code).to_string()
        }
        Notice::JobFailed { name, exit_code: None, .. } => td_string!(language, notifications.job_failed, name = name.as_str()).to_string(),
        Notice::LabFilesLost { name, .. } => td_string!(language, notifications.lab_files_lost, name = name.as_str()).to_string(),
        Notice::VolumeNotGrown { name, asked_gib, gib, .. } => {
            td_string!(language, notifications.volume_not_grown, name = name.as_str(), asked = *asked_gib, gib = *gib).to_string()
        }
        Notice::LabReady { name, resized: true, .. } => td_string!(language, notifications.lab_resized, name = name.as_str()).to_string(),
        Notice::LabReady { name, .. } => td_string!(language, notifications.lab_ready, name = name.as_str()).to_string(),
        Notice::ClassReady { number, .. } => td_string!(language, notifications.class_ready, number = *number).to_string(),
        Notice::ClassFailed { number, .. } => td_string!(language, notifications.class_failed, number = *number).to_string(),
        Notice::ClassGoesSoon { number, day, .. } => {
            let day = moment_text(*day, MomentStyle::Date);
            td_string!(language, notifications.class_goes_soon, number = *number, day = day).to_string()
        }
        Notice::ProposalWithdrawn { number, .. } => td_string!(language, notifications.proposal_withdrawn, number = *number).to_string(),
        Notice::StandInNamed { absent, from, until, .. } => {
            let (from, to) = (moment_text(*from, MomentStyle::Date), moment_text(until.plus_seconds(-1), MomentStyle::Date));
            td_string!(language, notifications.stand_in_named, name = absent.as_str(), from = from, to = to).to_string()
        }
        Notice::StandInEnded { absent, .. } => td_string!(language, notifications.stand_in_ended, name = absent.as_str()).to_string(),
        Notice::StandInGone { stand_in, .. } => td_string!(language, notifications.stand_in_gone, name = stand_in.as_str()).to_string(),
        Notice::AuditBroken { .. } => td_string!(language, notifications.audit_broken).to_owned(),
        Notice::AuditReader { person, change, by, .. } => {
            let (person, by) = (full_name(person), full_name(by));
            match change {
                ReaderChange::RoleGiven => td_string!(language, notifications.audit_role_given, person = person, by = by).to_string(),
                ReaderChange::Invited => td_string!(language, notifications.audit_invited, person = person, by = by).to_string(),
                ReaderChange::LinkMade => td_string!(language, notifications.audit_link_made, person = person, by = by).to_string(),
            }
        }
    }
}

/// Names may be the same; logins are not.
fn full_name(person: &PersonRef) -> String {
    format!("{} ({})", person.name, person.login)
}

/// The page that the notice leads to.
pub fn notice_link(notice: &Notice) -> String {
    match notice.target() {
        Target::Order(id) => routes::order(id),
        Target::Approval(id) => routes::approval(id),
        Target::Lab(id) => routes::lab(id),
        Target::Class(id) => routes::with_query(routes::ORDERS, &[("class", &id.to_string())]),
        Target::Audit => routes::AUDIT.to_owned(),
        Target::Person(id) => routes::person(id),
        Target::Account => format!("{}#away", routes::ACCOUNT),
        Target::Course(id) => routes::course(id),
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        ids::NotAnId,
        labs::start::StartStep,
        orders::{ChangeTo, LabChange},
    };

    use super::*;

    fn id<T: std::str::FromStr<Err = NotAnId>>() -> T {
        "01980000-0000-7000-8000-000000000001".parse().expect("an id")
    }

    #[test]
    fn a_new_reader_of_the_audit_record_is_named_with_who_did_it() {
        let person = |login: &str, name: &str| PersonRef { id: id(), login: login.into(), name: name.into() };
        let notice = |change| Notice::AuditReader {
            person: person("shen", "沈"),
            change,
            by: person("root", "Root"),
            at: domain::time::Timestamp::from_seconds(1),
        };
        let english = notice_text(Language::en, &notice(ReaderChange::RoleGiven));
        assert_eq!(english, "Root (root) gave 沈 (shen) a role that reads the audit record.");
        for change in [ReaderChange::RoleGiven, ReaderChange::Invited, ReaderChange::LinkMade] {
            for language in [Language::en, Language::zh_CN] {
                let text = notice_text(language, &notice(change));
                assert!(text.contains("Root (root)") && text.contains("沈 (shen)"), "{text}");
            }
        }
        assert_eq!(notice_link(&notice(ReaderChange::LinkMade)), "/people/01980000-0000-7000-8000-000000000001");
    }

    #[test]
    fn an_approved_order_that_waits_says_for_what_and_a_new_size_is_no_first_start() {
        let decided = |verdict| notice_text(Language::en, &Notice::OrderDecided { order: id(), number: 1_699, verdict, change: None });
        assert_eq!(decided(Verdict::Approved), "Your order #1699 is approved.");
        assert!(decided(Verdict::Queued).contains("waits for cards"), "{}", decided(Verdict::Queued));
        assert!(decided(Verdict::Scheduled).contains("lesson"), "{}", decided(Verdict::Scheduled));
        let ready = |resized| notice_text(Language::en, &Notice::LabReady { lab: id(), name: "lab-1".into(), generation: 1, resized });
        assert_eq!(ready(true), "lab-1 was restarted with its new size and is ready.");
        assert!(ready(false).starts_with("lab-1 is ready"), "{}", ready(false));
    }

    #[test]
    fn a_job_is_not_ready_but_ends() {
        let finished = Notice::JobFinished { lab: id(), name: "lab-1".into(), generation: 0 };
        assert_eq!(notice_text(Language::en, &finished), "Job lab-1 has finished. Its log and files are on its page.");
        let failed = |exit_code| Notice::JobFailed { lab: id(), name: "lab-1".into(), exit_code, at: domain::time::Timestamp::from_seconds(1) };
        assert!(notice_text(Language::en, &failed(Some(137))).contains("exit code 137"));
        assert!(notice_text(Language::zh_CN, &failed(Some(1))).contains("退出码 1"));
        assert!(!notice_text(Language::en, &failed(None)).contains("code"));
    }

    #[test]
    fn a_late_start_names_its_step_and_the_usual_time() {
        let began = domain::time::Timestamp::from_seconds(1);
        let notice = Notice::LabLate { lab: id(), name: "lab-1".into(), began, step: StartStep::Pull, usual_seconds: 30 };
        let text = notice_text(Language::en, &notice);
        assert!(text.contains("lab-1") && text.contains("Pulling the image") && text.contains("30 s"), "{text}");
        assert!(notice_text(Language::zh_CN, &notice).contains("拉取镜像"));
        assert!(notice_link(&notice).starts_with("/labs/"));
        let class = Notice::ClassLate { class: id(), number: 7, began, step: StartStep::Schedule, usual_seconds: 2 };
        assert!(notice_text(Language::en, &class).contains("#7") && notice_link(&class).starts_with("/orders?class="));
    }

    #[test]
    fn a_decided_change_names_its_lab_and_what_it_gets() {
        let change = LabChange { lab: id(), name: "lab-1698".into(), to: ChangeTo::Extend { minutes: 30, until: None, seen: None } };
        let decided = |verdict| Notice::OrderDecided { order: id(), number: 1_699, verdict, change: Some(change.clone()) };
        let approved = notice_text(Language::en, &decided(Verdict::Approved)).replace('\u{a0}', " ");
        assert_eq!(approved, "Approved: 30 min more for lab-1698 (order #1699).");
        assert!(notice_text(Language::zh_CN, &decided(Verdict::Rejected)).contains("lab-1698"));
    }
}
