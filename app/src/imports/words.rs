//! Words for lists; the downloads use the same ones.

use domain::{
    Problem,
    access::Role,
    imports::{CellChange, ImportKind, ImportRow, ImportState, RowResult, Verdict, role_word},
};

use crate::{components::StatusKind, error_text::field_problem_text, i18n::td_string, language::Language, people::words::role_name};

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
        let (column, problem) = (column_text(language, kind, &each.field), cell_problem_text(language, &each.field, &each.problem));
        td_string!(language, imports.problem, column = column, problem = problem).to_string()
    });
    each.collect::<Vec<_>>().join(" ")
}

/// The text of a cell's problem; roles are named as a list in this language writes them.
fn cell_problem_text(language: Language, field: &str, problem: &Problem) -> String {
    match problem {
        Problem::NotOneOf { choices } if field == "roles" => {
            let choices = choices.iter().map(|choice| role_word(choice, language == Language::zh_CN).to_owned()).collect();
            field_problem_text(language, &Problem::NotOneOf { choices })
        }
        problem => field_problem_text(language, problem),
    }
}

/// `Name: Li → Li Hua`; of a list that is not known as a whole only what is added.
pub fn change_text(language: Language, kind: ImportKind, change: &CellChange) -> String {
    let CellChange { field, before, after } = change;
    let word = |value: &String| match Role::parse(value) {
        Some(role) if field == "roles" => role_name(language, role).to_owned(),
        _ => value.clone(),
    };
    let words = |values: &[String]| values.iter().map(word).collect::<Vec<_>>().join(td_string!(language, common.list_comma));
    let (column, after) = (column_text(language, kind, field), words(after));
    let before = match before {
        Some(before) if before.is_empty() => td_string!(language, imports.nothing).to_owned(),
        Some(before) => words(before),
        None => return td_string!(language, imports.adds, column = column, after = after).to_string(),
    };
    td_string!(language, imports.change_of, column = column, before = before, after = after).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(field: &str, before: Option<&[&str]>, after: &[&str]) -> CellChange {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        CellChange { field: field.into(), before: before.map(list), after: list(after) }
    }

    #[test]
    fn roles_are_offered_in_the_language_of_the_page() {
        let choices = ["教师", "系主任", "审计员", "运维员"].map(ToOwned::to_owned).to_vec();
        let problem = Problem::NotOneOf { choices };
        assert_eq!(cell_problem_text(Language::en, "roles", &problem), "One of these: teacher, manager, auditor, operator.");
        assert_eq!(cell_problem_text(Language::zh_CN, "roles", &problem), "从这些里选：教师, 系主任, 审计员, 运维员。");
        assert_eq!(cell_problem_text(Language::en, "department", &Problem::NotOneOf { choices: vec!["教师".into()] }), "One of these: 教师.");
    }

    #[test]
    fn a_change_says_what_is_there_and_what_would_be() {
        let text = |change: &CellChange| change_text(Language::en, ImportKind::People, change);
        assert_eq!(text(&change("name", Some(&["Old"]), &["New"])), "name: Old → New");
        assert_eq!(text(&change("courses", Some(&[]), &["CV2402"])), "courses: none → CV2402");
        let roles = change("roles", Some(&["teacher"]), &["teacher", "auditor"]);
        assert_eq!(change_text(Language::zh_CN, ImportKind::People, &roles), "角色：教师 → 教师、审计员");
        let teachers = change("teachers", None, &["li"]);
        assert_eq!(change_text(Language::en, ImportKind::Courses, &teachers), "teachers: adds li");
    }
}
