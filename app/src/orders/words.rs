//! Orders in words: states, durations, who decides, what a lab is made of.

use domain::{
    access::Role,
    approvals::{Outcome, Ruling},
    catalogue::LabSpec,
    gpu::{Card, CardShare},
    orders::{ChangeTo, LabChange, OrderState, OrderView},
};

use crate::{
    components::{StatusKind, quantity_text},
    i18n::td_string,
    language::{self, Language},
};

pub fn state_text(language: Language, state: OrderState) -> &'static str {
    match state {
        OrderState::PendingApproval => td_string!(language, orders.state_pending_approval),
        OrderState::AwaitingRequester => td_string!(language, orders.state_awaiting_requester),
        OrderState::Approved => td_string!(language, orders.state_approved),
        OrderState::Queued => td_string!(language, orders.state_queued),
        OrderState::Rejected => td_string!(language, orders.state_rejected),
        OrderState::Cancelled => td_string!(language, orders.state_cancelled),
        OrderState::Fulfilled => td_string!(language, orders.state_fulfilled),
        OrderState::Failed => td_string!(language, orders.state_failed),
    }
}

/// The same of an order in a list: before its time it waits for that, in no line for cards.
pub fn view_text(language: Language, view: &OrderView) -> &'static str {
    waiting_text(language, view.order.state, view.order.starts_at.is_some() && view.queue_position.is_none())
}

/// The state of an order; `ahead`: it is for a lesson that is still to come.
pub fn waiting_text(language: Language, state: OrderState, ahead: bool) -> &'static str {
    if ahead && state == OrderState::Queued { td_string!(language, class.state_scheduled) } else { state_text(language, state) }
}

/// A rejection asks nothing of anybody: it is no alarm.
pub fn state_kind(state: OrderState) -> StatusKind {
    match state {
        OrderState::PendingApproval | OrderState::AwaitingRequester | OrderState::Queued => StatusKind::Wait,
        OrderState::Approved => StatusKind::Busy,
        OrderState::Fulfilled => StatusKind::Ok,
        OrderState::Rejected | OrderState::Cancelled => StatusKind::Off,
        OrderState::Failed => StatusKind::Bad,
    }
}

/// `1 h 30 min`
pub fn duration_text(language: Language, minutes: u32) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    let text = match (hours, rest) {
        (0, _) => td_string!(language, orders.only_minutes, minutes = rest).to_string(),
        (_, 0) => td_string!(language, orders.hours, hours = hours).to_string(),
        _ => td_string!(language, orders.hours_minutes, hours = hours, minutes = rest).to_string(),
    };
    text.replace(' ', "\u{a0}")
}

/// Who decides, as the subject of a sentence.
pub fn role_text(language: Language, role: Role) -> &'static str {
    match role {
        Role::Manager => td_string!(language, orders.role_manager),
        Role::Operator => td_string!(language, orders.role_operator),
        Role::Administrator => td_string!(language, orders.role_administrator),
        Role::Auditor => td_string!(language, orders.role_auditor),
        Role::Teacher => td_string!(language, orders.role_teacher),
    }
}

/// Who decides a stage: the administrator as the owner of the budget.
pub fn approver_text(language: Language, role: Role) -> &'static str {
    match role {
        Role::Administrator => td_string!(language, orders.role_budget_owner),
        other => role_text(language, other),
    }
}

/// `The head of department → The budget owner`
pub fn stages_text(language: Language, roles: &[Role]) -> String {
    roles.iter().map(|role| approver_text(language, *role)).collect::<Vec<_>>().join("\u{a0}→ ")
}

/// `Approved automatically` or who decides.
pub fn ruling_text(language: Language, ruling: &Ruling) -> String {
    match &ruling.outcome {
        Outcome::Automatic => td_string!(language, orders.automatic).to_owned(),
        Outcome::Refuse(_) => td_string!(language, orders.refused).to_owned(),
        Outcome::Stages(roles) => match roles.as_slice() {
            [] => td_string!(language, orders.approval_by, role = role_text(language, Role::Manager)).to_string(),
            [role] => td_string!(language, orders.approval_by, role = approver_text(language, *role)).to_string(),
            several => {
                let roles = stages_text(language, several);
                td_string!(language, orders.approval_by_stages, count = several.len(), roles = roles).to_string()
            }
        },
    }
}

/// The rule that decided so.
pub fn rule_text(language: Language, ruling: &Ruling) -> String {
    match &ruling.rule {
        Some(rule) => td_string!(language, orders.by_rule, rule = rule.get(language::tag(language))).to_string(),
        None => td_string!(language, orders.by_default_rule).to_owned(),
    }
}

/// `A100 80 GB × 2`
pub fn cards_text(spec: &LabSpec) -> String {
    let cards = spec.cards();
    if cards == 1 { spec.card.name().to_owned() } else { format!("{}\u{a0}×\u{a0}{cards}", spec.card.name()) }
}

/// `A100 80 GB × 2 · 16 cores, 128 GiB · 1 TiB`: all that a change of size can change.
pub fn size_text(language: Language, spec: &LabSpec) -> String {
    let storage = (spec.storage_gib > 0).then(|| storage_text(spec.storage_gib));
    [Some(cards_text(spec)), Some(machine_text(language, spec)), storage].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// What an order changes of a lab that exists.
pub fn change_text(language: Language, change: &LabChange) -> String {
    let name = change.name.as_str();
    match &change.to {
        ChangeTo::Extend { minutes, .. } => {
            td_string!(language, orders.change_extend, name = name, time = duration_text(language, *minutes)).to_string()
        }
        ChangeTo::Resize { .. } => td_string!(language, orders.change_resize, name = name).to_string(),
    }
}

/// `30 cards`, `14 slices`: pieces of one kind, whole or not.
pub fn pieces_text(language: Language, card: Card, count: u32) -> String {
    let text = match (card.share() == CardShare::WHOLE, count) {
        (true, 1) => td_string!(language, orders.count_card, count = count),
        (true, _) => td_string!(language, orders.count_cards, count = count),
        (false, 1) => td_string!(language, orders.count_slice, count = count),
        (false, _) => td_string!(language, orders.count_slices, count = count),
    };
    text.replace(' ', "\u{a0}")
}

/// `2 cards`, for whole-card equivalents: `1/7 card`.
pub fn share_text(language: Language, share: CardShare) -> String {
    let one = share > CardShare::ZERO && share <= CardShare::WHOLE;
    quantity_text(share, if one { td_string!(language, quotas.unit_card) } else { td_string!(language, quotas.unit_cards) })
}

/// The role that decides a stage, inside a sentence: `the head of department`.
pub fn approver_within(language: Language, role: Role) -> String {
    let text = approver_text(language, role);
    let mut rest = text.chars();
    rest.next().map(|first| first.to_lowercase().chain(rest).collect()).unwrap_or_default()
}

/// `1 TiB`, `20 GiB`
pub fn storage_text(gib: u32) -> String {
    if gib >= 1_024 && gib.is_multiple_of(1_024) { format!("{}\u{a0}TiB", gib / 1_024) } else { format!("{gib}\u{a0}GiB") }
}

/// Cores and memory, of each node where there are several.
pub fn machine_text(language: Language, spec: &LabSpec) -> String {
    if spec.nodes > 1 {
        td_string!(language, orders.machine_each, cores = spec.cpu_cores, memory = spec.memory_gib).to_string()
    } else {
        td_string!(language, orders.machine_one, cores = spec.cpu_cores, memory = spec.memory_gib).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_no_empty_parts() {
        assert_eq!(duration_text(Language::en, 90), "1\u{a0}h\u{a0}30\u{a0}min");
        assert_eq!(duration_text(Language::en, 120), "2\u{a0}h");
        assert_eq!(duration_text(Language::zh_CN, 45), "45\u{a0}分钟");
    }

    #[test]
    fn a_lesson_to_come_is_in_no_queue() {
        assert_eq!(waiting_text(Language::en, OrderState::Queued, true), "Waiting for its lesson");
        assert_eq!(waiting_text(Language::en, OrderState::Queued, false), "Queued for cards");
        assert_eq!(waiting_text(Language::en, OrderState::Fulfilled, true), state_text(Language::en, OrderState::Fulfilled));
    }

    #[test]
    fn one_card_or_a_part_of_one_is_no_plural() {
        let text = |parts| share_text(Language::en, CardShare::from_parts(parts)).replace('\u{a0}', " ");
        assert_eq!([0, 120, 840, 1_680].map(text), ["0 cards", "1/7 card", "1 card", "2 cards"]);
        assert_eq!(approver_within(Language::en, Role::Manager), "the head of department");
    }

    #[test]
    fn a_terabyte_is_called_one() {
        assert_eq!(storage_text(1_024), "1\u{a0}TiB");
        assert_eq!(storage_text(1_000), "1000\u{a0}GiB");
    }
}
