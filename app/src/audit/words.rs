//! Words for what stands in an audit record.

use domain::audit::{Outcome, Via, Who};

use crate::{components::StatusKind, i18n::td_string, language::Language};

pub fn outcome_text(language: Language, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => td_string!(language, audit.success),
        Outcome::Refused => td_string!(language, audit.refused),
        Outcome::Failed => td_string!(language, audit.failed),
    }
}

pub const fn outcome_kind(outcome: Outcome) -> StatusKind {
    match outcome {
        Outcome::Success => StatusKind::Ok,
        Outcome::Refused => StatusKind::Warn,
        Outcome::Failed => StatusKind::Bad,
    }
}

pub fn via_text(language: Language, via: Via) -> &'static str {
    match via {
        Via::Web => td_string!(language, audit.via_web),
        Via::Api => td_string!(language, audit.via_api),
        Via::Cli => td_string!(language, audit.via_cli),
        Via::Job => td_string!(language, audit.via_job),
    }
}

/// A person's name, the job's, or what somebody unknown typed.
pub fn who_text(language: Language, who: &Who) -> String {
    match who {
        Who::Person { name, .. } => name.clone(),
        Who::System { job } => format!("{} {job}", td_string!(language, audit.system)),
        Who::Anonymous { login: Some(login) } if !login.is_empty() => login.clone(),
        Who::Anonymous { .. } => td_string!(language, audit.nobody).to_owned(),
    }
}

/// The groups that the search offers, each a prefix of action codes with its words.
pub fn action_groups(language: Language) -> Vec<(String, String)> {
    [
        ("order.", td_string!(language, audit.group_order)),
        ("lab.", td_string!(language, audit.group_lab)),
        ("session.", td_string!(language, audit.group_session)),
        ("password.", td_string!(language, audit.group_account)),
        ("token.", td_string!(language, audit.group_token)),
        ("people.", td_string!(language, audit.group_people)),
        ("course.", td_string!(language, audit.group_course)),
        ("offering.", td_string!(language, audit.group_offering)),
        ("audit.", td_string!(language, audit.group_audit)),
        ("setup.", td_string!(language, audit.group_setup)),
    ]
    .into_iter()
    .map(|(prefix, text)| (prefix.to_owned(), text.to_owned()))
    .collect()
}

/// What was done, in words; the code itself where there are none yet.
pub fn action_text(language: Language, code: &str) -> String {
    let text = match code {
        "session.sign_in" => td_string!(language, audit.action_session_sign_in),
        "session.sign_out" => td_string!(language, audit.action_session_sign_out),
        "password.change" => td_string!(language, audit.action_password_change),
        "password.reset" => td_string!(language, audit.action_password_reset),
        "token.create" => td_string!(language, audit.action_token_create),
        "token.revoke" => td_string!(language, audit.action_token_revoke),
        "token.use" => td_string!(language, audit.action_token_use),
        "setup.complete" => td_string!(language, audit.action_setup_complete),
        "demo.seed" => td_string!(language, audit.action_demo_seed),
        "people.create" => td_string!(language, audit.action_people_create),
        "people.set_access" => td_string!(language, audit.action_people_set_access),
        "people.disable" => td_string!(language, audit.action_people_disable),
        "people.enable" => td_string!(language, audit.action_people_enable),
        "people.read" => td_string!(language, audit.action_people_read),
        "course.create" => td_string!(language, audit.action_course_create),
        "offering.write" => td_string!(language, audit.action_offering_write),
        "offering.save" => td_string!(language, audit.action_offering_save),
        "offering.publish" => td_string!(language, audit.action_offering_publish),
        "offering.retire" => td_string!(language, audit.action_offering_retire),
        "offering.restore" => td_string!(language, audit.action_offering_restore),
        "audit.read" => td_string!(language, audit.action_audit_read),
        "order.submit" => td_string!(language, audit.action_order_submit),
        "order.approve" => td_string!(language, audit.action_order_approve),
        "order.reject" => td_string!(language, audit.action_order_reject),
        "order.cancel" => td_string!(language, audit.action_order_cancel),
        "order.expire" => td_string!(language, audit.action_order_expire),
        "order.promote" => td_string!(language, audit.action_order_promote),
        "order.fulfil" => td_string!(language, audit.action_order_fulfil),
        "order.fail" => td_string!(language, audit.action_order_fail),
        "order.read" => td_string!(language, audit.action_order_read),
        "order.decide" => td_string!(language, audit.action_order_decide),
        "lab.start" => td_string!(language, audit.action_lab_start),
        "lab.stop" => td_string!(language, audit.action_lab_stop),
        "lab.destroy" => td_string!(language, audit.action_lab_destroy),
        "lab.read" => td_string!(language, audit.action_lab_read),
        "lab.applied" => td_string!(language, audit.action_lab_applied),
        "lab.ready" => td_string!(language, audit.action_lab_ready),
        "lab.lost" => td_string!(language, audit.action_lab_lost),
        "lab.finished" => td_string!(language, audit.action_lab_finished),
        "lab.fail" => td_string!(language, audit.action_lab_fail),
        "lab.pods_gone" => td_string!(language, audit.action_lab_pods_gone),
        "lab.objects_gone" => td_string!(language, audit.action_lab_objects_gone),
        "lab.promote" => td_string!(language, audit.action_lab_promote),
        "lab.release" => td_string!(language, audit.action_lab_release),
        other => return other.to_owned(),
    };
    text.to_owned()
}
