//! Words for what stands in an audit record.

use domain::audit::{Event, Outcome, Via, Who};

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

/// Through which door, and from which address.
pub fn source_text(language: Language, event: &Event) -> String {
    let via = via_text(language, event.via);
    event.address.as_ref().map_or_else(|| via.to_owned(), |address| format!("{via} · {address}"))
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
        ("request.", td_string!(language, audit.group_request)),
        ("password.", td_string!(language, audit.group_account)),
        ("identity.", td_string!(language, audit.group_identity)),
        ("token.", td_string!(language, audit.group_token)),
        ("ssh_key.", td_string!(language, audit.group_ssh_key)),
        ("people.", td_string!(language, audit.group_people)),
        ("course.", td_string!(language, audit.group_course)),
        ("offering.", td_string!(language, audit.group_offering)),
        ("department.", td_string!(language, audit.group_department)),
        ("quota.", td_string!(language, audit.group_quota)),
        ("delegation.", td_string!(language, audit.group_delegation)),
        ("announcement.", td_string!(language, audit.group_announcement)),
        ("import.", td_string!(language, audit.group_import)),
        ("audit.", td_string!(language, audit.group_audit)),
        ("policy.", td_string!(language, audit.group_policy)),
        ("setup.", td_string!(language, audit.group_setup)),
        ("price.", td_string!(language, prices.audit_group_price)),
        ("discount.", td_string!(language, prices.audit_group_discount)),
        ("billing.", td_string!(language, bills.audit_group)),
    ]
    .into_iter()
    .map(|(prefix, text)| (prefix.to_owned(), text.to_owned()))
    .collect()
}

/// What was done, in words; the code itself where there are none yet.
pub fn action_text(language: Language, code: &str) -> String {
    let text = match code {
        "session.sign_in" => td_string!(language, audit.action_session_sign_in),
        "session.authenticate" => td_string!(language, audit.action_session_authenticate),
        "session.cross_site" => td_string!(language, audit.action_session_cross_site),
        "token.authenticate" => td_string!(language, audit.action_token_authenticate),
        "request.refuse" => td_string!(language, audit.action_request_refuse),
        "offering.encrypt_secrets" => td_string!(language, audit.action_offering_encrypt_secrets),
        "session.sign_out" => td_string!(language, audit.action_session_sign_out),
        "password.change" => td_string!(language, audit.action_password_change),
        "password.reset" => td_string!(language, audit.action_password_reset),
        "token.create" => td_string!(language, audit.action_token_create),
        "token.revoke" => td_string!(language, audit.action_token_revoke),
        "token.use" => td_string!(language, audit.action_token_use),
        "ssh_key.add" => td_string!(language, audit.action_ssh_key_add),
        "ssh_key.remove" => td_string!(language, audit.action_ssh_key_remove),
        "identity.link" => td_string!(language, audit.action_identity_link),
        "identity.remove" => td_string!(language, audit.action_identity_remove),
        "account.create" => td_string!(language, audit.action_account_create),
        "setup.complete" => td_string!(language, audit.action_setup_complete),
        "demo.seed" => td_string!(language, audit.action_demo_seed),
        "people.create" => td_string!(language, audit.action_people_create),
        "people.set_access" => td_string!(language, audit.action_people_set_access),
        "people.disable" => td_string!(language, audit.action_people_disable),
        "people.enable" => td_string!(language, audit.action_people_enable),
        "people.read" => td_string!(language, audit.action_people_read),
        "department.create" => td_string!(language, audit.action_department_create),
        "department.change" => td_string!(language, audit.action_department_change),
        "course.rename" => td_string!(language, audit.action_course_rename),
        "course.move" => td_string!(language, audit.action_course_move),
        "course.archive" => td_string!(language, audit.action_course_archive),
        "course.restore" => td_string!(language, audit.action_course_restore),
        "course.add_member" => td_string!(language, audit.action_course_add_member),
        "course.remove_member" => td_string!(language, audit.action_course_remove_member),
        "course.roster" => td_string!(language, audit.action_course_roster),
        "course.change" => td_string!(language, audit.action_course_change),
        "quota.set" => td_string!(language, audit.action_quota_set),
        "budget.set" => td_string!(language, audit.action_budget_set),
        "people.invite" => td_string!(language, audit.action_people_invite),
        "people.reset" => td_string!(language, audit.action_people_reset),
        "people.join" => td_string!(language, audit.action_people_join),
        "people.revoke_link" => td_string!(language, audit.action_people_revoke_link),
        "people.rename" => td_string!(language, audit.action_people_rename),
        "session.end" => td_string!(language, audit.action_session_end),
        "announcement.create" => td_string!(language, audit.action_announcement_create),
        "announcement.end" => td_string!(language, audit.action_announcement_end),
        "import.preview" => td_string!(language, audit.action_import_preview),
        "import.start" => td_string!(language, audit.action_import_start),
        "import.finish" => td_string!(language, audit.action_import_finish),
        "import.links" => td_string!(language, audit.action_import_links),
        "import.read" => td_string!(language, audit.action_import_read),
        "import.mend" => td_string!(language, audit.action_import_mend),
        "delegation.create" => td_string!(language, audit.action_delegation_create),
        "delegation.end" => td_string!(language, audit.action_delegation_end),
        "announcement.write" => td_string!(language, audit.action_announcement_write),
        "course.create" => td_string!(language, audit.action_course_create),
        "offering.write" => td_string!(language, audit.action_offering_write),
        "offering.save" => td_string!(language, audit.action_offering_save),
        "offering.publish" => td_string!(language, audit.action_offering_publish),
        "offering.retire" => td_string!(language, audit.action_offering_retire),
        "offering.restore" => td_string!(language, audit.action_offering_restore),
        "audit.read" => td_string!(language, audit.action_audit_read),
        "audit.export" => td_string!(language, audit.action_audit_export),
        "audit.search_save" => td_string!(language, audit.action_audit_search_save),
        "audit.search_delete" => td_string!(language, audit.action_audit_search_delete),
        "audit.verify" => td_string!(language, audit.action_audit_verify),
        "audit.verified" => td_string!(language, audit.action_audit_verified),
        "audit.unreadable" => td_string!(language, audit.action_audit_unreadable),
        "order.submit" => td_string!(language, audit.action_order_submit),
        "order.approve" => td_string!(language, audit.action_order_approve),
        "order.reject" => td_string!(language, audit.action_order_reject),
        "order.cancel" => td_string!(language, audit.action_order_cancel),
        "order.expire" => td_string!(language, audit.action_order_expire),
        "order.promote" => td_string!(language, audit.action_order_promote),
        "order.fulfil" => td_string!(language, audit.action_order_fulfil),
        "order.fail" => td_string!(language, audit.action_order_fail),
        "order.change" => td_string!(language, audit.action_order_change),
        "order.propose" => td_string!(language, audit.action_order_propose),
        "order.accept" => td_string!(language, audit.action_order_accept),
        "order.renew" => td_string!(language, audit.action_order_renew),
        "order.withdraw" => td_string!(language, audit.action_order_withdraw),
        "order.decline" => td_string!(language, audit.action_order_decline),
        "order.ask" => td_string!(language, audit.action_order_ask),
        "order.answer" => td_string!(language, audit.action_order_answer),
        "order.remind" => td_string!(language, audit.action_order_remind),
        "order.read" => td_string!(language, audit.action_order_read),
        "order.decide" => td_string!(language, audit.action_order_decide),
        "policy.edit" => td_string!(language, audit.action_policy_edit),
        "policy.publish" => td_string!(language, audit.action_policy_publish),
        "policy.discard" => td_string!(language, audit.action_policy_discard),
        "lab.start" => td_string!(language, audit.action_lab_start),
        "lab.stop" => td_string!(language, audit.action_lab_stop),
        "lab.destroy" => td_string!(language, audit.action_lab_destroy),
        "lab.restart" => td_string!(language, audit.action_lab_restart),
        "lab.extend" => td_string!(language, audit.action_lab_extend),
        "lab.resize" => td_string!(language, audit.action_lab_resize),
        "lab.keep" => td_string!(language, audit.action_lab_keep),
        "lab.keep_running" => td_string!(language, idle.action_keep_running),
        "lab.idle" => td_string!(language, idle.action_idle),
        "lab.autostop" => td_string!(language, audit.action_lab_autostop),
        "lab.enter" => td_string!(language, audit.action_lab_enter),
        "lab.break_glass" => td_string!(language, audit.action_lab_break_glass),
        "lab.share" => td_string!(language, audit.action_lab_share),
        "lab.unshare" => td_string!(language, audit.action_lab_unshare),
        "lab.open" => td_string!(language, audit.action_lab_open),
        "lab.visit" => td_string!(language, audit.action_lab_visit),
        "lab.logs" => td_string!(language, audit.action_lab_logs),
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
        "price.set" => td_string!(language, prices.audit_price_set),
        "price.withdraw" => td_string!(language, prices.audit_price_withdraw),
        "price.read" => td_string!(language, prices.audit_price_read),
        "discount.grant" => td_string!(language, prices.audit_discount_grant),
        "discount.end" => td_string!(language, prices.audit_discount_end),
        "billing.adjust" => td_string!(language, bills.audit_adjust),
        "billing.close" => td_string!(language, bills.audit_close),
        "billing.correct" => td_string!(language, bills.audit_correct),
        "billing.export" => td_string!(language, bills.audit_export),
        "bill.read" => td_string!(language, bills.audit_bill_read),
        "usage.read" => td_string!(language, bills.audit_usage_read),
        "bill.write" => td_string!(language, audit.action_bill_write),
        "catalogue.read" => td_string!(language, audit.action_catalogue_read),
        "cluster.read" => td_string!(language, audit.action_cluster_read),
        "course.read" => td_string!(language, audit.action_course_read),
        "course.write" => td_string!(language, audit.action_course_write),
        "order.preview" => td_string!(language, audit.action_order_preview),
        "order.reply" => td_string!(language, audit.action_order_reply),
        "people.write" => td_string!(language, audit.action_people_write),
        "policy.read" => td_string!(language, audit.action_policy_read),
        "policy.write" => td_string!(language, audit.action_policy_write),
        "price.write" => td_string!(language, audit.action_price_write),
        "quota.read" => td_string!(language, audit.action_quota_read),
        "quota.write" => td_string!(language, audit.action_quota_write),
        other => return other.to_owned(),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use domain::access::Action;

    use super::*;

    #[test]
    fn whatever_can_be_refused_has_words() {
        let raw: Vec<_> = Action::ALL.into_iter().map(Action::code).filter(|code| action_text(Language::en, code) == *code).collect();
        assert!(raw.is_empty(), "no words for {raw:?}");
        for code in ["lab.open", "lab.visit", "lab.unshare", "lab.idle", "lab.keep_running", "lab.logs"] {
            assert_ne!(action_text(Language::en, code), code);
        }
    }
}
