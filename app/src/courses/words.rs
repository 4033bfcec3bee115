//! Words for departments and budgets.

use domain::{courses::DepartmentKind, quotas::BudgetAction};

use crate::{i18n::td_string, language::Language};

pub fn kind_text(language: Language, kind: DepartmentKind) -> &'static str {
    match kind {
        DepartmentKind::Department => td_string!(language, courses.kind_department),
        DepartmentKind::Project => td_string!(language, courses.kind_project),
        DepartmentKind::Customer => td_string!(language, courses.kind_customer),
    }
}

pub fn kinds(language: Language) -> Vec<(String, String)> {
    DepartmentKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), kind_text(language, kind).to_owned())).collect()
}

pub fn action_text(language: Language, action: BudgetAction) -> &'static str {
    match action {
        BudgetAction::Notify => td_string!(language, courses.action_notify),
        BudgetAction::Approve => td_string!(language, courses.action_approve),
        BudgetAction::Block => td_string!(language, courses.action_block),
    }
}
