//! What a record changed: before and after side by side, field by field, changed ones marked.

use leptos::prelude::*;
use serde_json::Value;

use crate::{
    components::{Cell, Column, DataTable, Row, Status, StatusKind},
    i18n::td_string,
    language::Language,
};

/// How the record writes what must not be kept.
const SECRET: &str = "***";
/// Names whose values are never shown, whatever a record holds.
const SECRET_NAMES: [&str; 5] = ["password", "secret", "token", "hash", "credential"];

/// A field of both sides, by its path: `settings.limits.cards`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Same,
    Changed,
    Added,
    Removed,
}

impl Field {
    fn kind(&self) -> Kind {
        match (&self.before, &self.after) {
            (None, Some(_)) => Kind::Added,
            (Some(_), None) => Kind::Removed,
            (before, after) if before == after => Kind::Same,
            _ => Kind::Changed,
        }
    }
}

/// Leaves of objects by path, in order of their names; lists are one leaf.
fn flatten(value: &Value, path: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(value, &path, out);
            }
        }
        _ => {
            let name = path.rsplit('.').next().unwrap_or_default().to_lowercase();
            let hidden = SECRET_NAMES.iter().any(|secret| name.contains(secret));
            let text = if hidden { SECRET.to_owned() } else { value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned) };
            out.push((path.to_owned(), text));
        }
    }
}

fn fields(before: Option<&Value>, after: Option<&Value>) -> Vec<Field> {
    let leaves = |value: Option<&Value>| {
        let mut out = Vec::new();
        if let Some(value) = value {
            flatten(value, "", &mut out);
        }
        out
    };
    let (old, mut new) = (leaves(before), leaves(after));
    let mut fields: Vec<Field> = old
        .into_iter()
        .map(|(path, text)| {
            let after = new.iter().position(|(other, _)| *other == path).map(|index| new.remove(index).1);
            Field { path, before: Some(text), after }
        })
        .collect();
    fields.extend(new.into_iter().map(|(path, text)| Field { path, before: None, after: Some(text) }));
    fields.sort_by(|a, b| a.path.cmp(&b.path));
    fields
}

/// The whole of it; a list of facts where only one side was recorded.
pub fn changes(language: Language, before: Option<&Value>, after: Option<&Value>) -> AnyView {
    let fields = fields(before, after);
    if fields.is_empty() {
        return view! { <p class="muted">{td_string!(language, audit.no_change)}</p> }.into_any();
    }
    let both = before.is_some() && after.is_some();
    let mut columns = vec![Column::text(td_string!(language, audit_tools.field))];
    if before.is_some() {
        columns.push(Column::text(td_string!(language, audit_tools.before)));
    }
    if after.is_some() {
        columns.push(Column::text(if both { td_string!(language, audit_tools.after) } else { td_string!(language, audit_tools.data) }));
    }
    if both {
        columns.push(Column::text(td_string!(language, audit_tools.changed)));
    }
    let (has_before, has_after) = (before.is_some(), after.is_some());
    let rows = fields
        .into_iter()
        .map(|field| {
            let kind = field.kind();
            let marked = both && kind != Kind::Same;
            view! {
                <Row selected=marked>
                    <Cell><span class="mono break">{field.path}</span></Cell>
                    {has_before.then(|| view! {
                        <Cell label=td_string!(language, audit_tools.before)>{side(language, field.before, marked, false)}</Cell>
                    })}
                    {has_after.then(|| view! {
                        <Cell label=td_string!(language, audit_tools.after)>{side(language, field.after, marked, true)}</Cell>
                    })}
                    {both.then(|| view! { <Cell label=td_string!(language, audit_tools.changed)>{mark(language, kind)}</Cell> })}
                </Row>
            }
        })
        .collect_view();
    view! { <DataTable caption=td_string!(language, audit.change) columns dense=true>{rows}</DataTable> }.into_any()
}

fn side(language: Language, text: Option<String>, marked: bool, new: bool) -> AnyView {
    match text {
        None => view! { <span class="muted">"–"</span> }.into_any(),
        Some(text) if text == SECRET => view! { <span class="muted">{td_string!(language, audit_tools.secret)}</span> }.into_any(),
        Some(text) if marked && new => view! { <span class="diff break"><ins>{text}</ins></span> }.into_any(),
        Some(text) if marked => view! { <span class="diff break"><del>{text}</del></span> }.into_any(),
        Some(text) => view! { <span class="break">{text}</span> }.into_any(),
    }
}

fn mark(language: Language, kind: Kind) -> AnyView {
    match kind {
        Kind::Same => view! { <span class="muted">{td_string!(language, audit_tools.unchanged)}</span> }.into_any(),
        Kind::Changed => view! { <Status kind=StatusKind::Held>{td_string!(language, audit_tools.changed)}</Status> }.into_any(),
        Kind::Added => view! { <Status kind=StatusKind::Live>{td_string!(language, audit_tools.added)}</Status> }.into_any(),
        Kind::Removed => view! { <Status kind=StatusKind::Off>{td_string!(language, audit_tools.removed)}</Status> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kinds(before: &Value, after: &Value) -> Vec<(String, Kind)> {
        fields(Some(before), Some(after)).iter().map(|field| (field.path.clone(), field.kind())).collect()
    }

    #[test]
    fn fields_are_matched_by_their_path() {
        let before = json!({"name": "a", "limits": {"cards": 4, "storage": 1}, "gone": true});
        let after = json!({"name": "a", "limits": {"cards": 8, "storage": 1}, "fresh": [1, 2]});
        let expected =
            [("fresh", Kind::Added), ("gone", Kind::Removed), ("limits.cards", Kind::Changed), ("limits.storage", Kind::Same), ("name", Kind::Same)];
        assert_eq!(kinds(&before, &after), expected.map(|(path, kind)| (path.to_owned(), kind)));
    }

    #[test]
    fn secrets_are_masked_whatever_the_record_holds() {
        let found = fields(None, Some(&json!({"password_hash": "x", "API_Token": "y", "name": "z"})));
        let texts: Vec<_> = found.iter().filter_map(|field| field.after.as_deref()).collect();
        assert_eq!(texts, [SECRET, "z", SECRET]);
    }
}
