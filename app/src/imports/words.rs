//! Words for lists; the downloads use the same ones.

use domain::imports::{ImportKind, ImportRow, ImportState, RowResult, Verdict};

use crate::{components::StatusKind, error_text::field_problem_text, i18n::td_string, language::Language};

pub fn kind_text(language: Language, kind: ImportKind) -> &'static str {
    match kind {
        ImportKind::People => td_string!(language, imports.people),
        ImportKind::Courses => td_string!(language, imports.courses),
    }
}

pub fn verdict_text(language: Language, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::New => td_string!(language, imports.new),
        Verdict::Change => td_string!(language, imports.change),
        Verdict::Unchanged => td_string!(language, imports.unchanged),
        Verdict::Error => td_string!(language, imports.error),
    }
}

pub fn state_text(language: Language, state: ImportState) -> &'static str {
    match state {
        ImportState::Preview => td_string!(language, imports.preview),
        ImportState::Running => td_string!(language, imports.running),
        ImportState::Done => td_string!(language, imports.done),
    }
}

pub const fn state_kind(state: ImportState) -> StatusKind {
    match state {
        ImportState::Preview => StatusKind::Wait,
        ImportState::Running => StatusKind::Busy,
        ImportState::Done => StatusKind::Ok,
    }
}

/// What a row did or would do.
pub fn row_text(language: Language, row: &ImportRow) -> &'static str {
    match (row.result, row.verdict) {
        (Some(RowResult::Done), Verdict::New) => td_string!(language, imports.made),
        (Some(RowResult::Done), _) => td_string!(language, imports.changed),
        (Some(RowResult::Failed), _) => td_string!(language, imports.error),
        (None, verdict) => verdict_text(language, verdict),
    }
}

pub const fn row_kind(row: &ImportRow) -> StatusKind {
    match (row.result, row.verdict) {
        (_, Verdict::Error) | (Some(RowResult::Failed), _) => StatusKind::Bad,
        (Some(RowResult::Done), _) => StatusKind::Ok,
        (None, Verdict::Unchanged) => StatusKind::Off,
        (None, _) => StatusKind::Wait,
    }
}

/// The name of a column.
pub fn column_text(language: Language, kind: ImportKind, field: &str) -> &'static str {
    let column = kind.columns().iter().find(|column| column.field == field);
    column.map_or("", |column| if language == Language::zh_CN { column.zh } else { column.en })
}

/// Every problem of a row with the name of its column.
pub fn problems_text(language: Language, kind: ImportKind, row: &ImportRow) -> String {
    let each = row.problems.iter().map(|each| {
        let (column, problem) = (column_text(language, kind, &each.field), field_problem_text(language, &each.problem));
        td_string!(language, imports.problem, column = column, problem = problem).to_string()
    });
    each.collect::<Vec<_>>().join(" ")
}
