//! Steps and changes in words; conditions of a policy are in `policies/words.rs`.

use domain::{
    decisions::{Change, Changed, Decision, Step},
    gpu::Card,
};

use crate::{components::StatusKind, i18n::td_string, language::Language, orders::words::duration_text};

pub fn step_text(language: Language, step: Step) -> &'static str {
    match step {
        Step::Approve => td_string!(language, decisions.step_approve),
        Step::Change => td_string!(language, decisions.step_change),
        Step::Propose => td_string!(language, decisions.step_propose),
        Step::Accept => td_string!(language, decisions.step_accept),
        Step::Decline => td_string!(language, decisions.step_decline),
        Step::Withdraw => td_string!(language, decisions.step_withdraw),
        Step::Reject => td_string!(language, decisions.step_reject),
        Step::Ask => td_string!(language, decisions.step_ask),
        Step::Answer => td_string!(language, decisions.step_answer),
        Step::Expire => td_string!(language, decisions.step_expire),
        Step::Cancel => td_string!(language, decisions.step_cancel),
    }
}

/// Whose step it was: `Wu` or, for a stand-in, `Wu for Zhou`. `None` for time.
pub fn by_text(language: Language, decision: &Decision) -> Option<String> {
    let by = decision.by.as_ref()?;
    Some(match &decision.on_behalf_of {
        Some(absent) => td_string!(language, decisions.by_for, name = by.name.as_str(), absent = absent.name.as_str()).to_string(),
        None => by.name.clone(),
    })
}

pub const fn step_kind(step: Step) -> StatusKind {
    match step {
        Step::Approve | Step::Change | Step::Accept => StatusKind::Ok,
        Step::Propose => StatusKind::Wait,
        Step::Ask | Step::Answer => StatusKind::Idle,
        Step::Decline | Step::Withdraw | Step::Reject | Step::Expire | Step::Cancel => StatusKind::Off,
    }
}

pub fn changed_text(language: Language, what: Changed) -> &'static str {
    match what {
        Changed::Card => td_string!(language, decisions.what_card),
        Changed::CardsPerNode => td_string!(language, decisions.what_cards),
        Changed::Nodes => td_string!(language, decisions.what_nodes),
        Changed::CpuCores => td_string!(language, decisions.what_cpu),
        Changed::MemoryGib => td_string!(language, decisions.what_memory),
        Changed::StorageGib => td_string!(language, decisions.what_storage),
        Changed::Minutes => td_string!(language, decisions.what_minutes),
        Changed::Cost => td_string!(language, decisions.what_cost),
    }
}

/// `Cards: 4 → 2`
pub fn change_text(language: Language, change: &Change) -> String {
    let show = |text: &str| match change.what {
        Changed::Card => text.parse::<Card>().map_or_else(|_| text.to_owned(), |card| card.name().to_owned()),
        Changed::Minutes => text.parse().map_or_else(|_| text.to_owned(), |minutes| duration_text(language, minutes)),
        _ => text.to_owned(),
    };
    let (before, after) = (show(&change.before), show(&change.after));
    td_string!(language, decisions.change_line, what = changed_text(language, change.what), before = before, after = after).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_reads_as_a_line() {
        let change = |what, before: &str, after: &str| Change { what, before: before.into(), after: after.into() };
        assert_eq!(change_text(Language::en, &change(Changed::Minutes, "120", "90")), "Duration: 2\u{a0}h → 1\u{a0}h\u{a0}30\u{a0}min");
        assert_eq!(change_text(Language::zh_CN, &change(Changed::Card, "a100-80g", "h100-80g")), "卡型：A100 80 GB → H100 80 GB");
    }
}
