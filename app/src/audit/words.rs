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
        ("account.", td_string!(language, audit.group_account)),
        ("token.", td_string!(language, audit.group_token)),
        ("people.", td_string!(language, audit.group_people)),
        ("course.", td_string!(language, audit.group_course)),
        ("audit.", td_string!(language, audit.group_audit)),
        ("setup.", td_string!(language, audit.group_setup)),
    ]
    .into_iter()
    .map(|(prefix, text)| (prefix.to_owned(), text.to_owned()))
    .collect()
}
