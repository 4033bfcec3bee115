//! What changed between two versions, field by field, for people to read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{catalogue::Offering, secret::MASK};

const SECRETS: &str = "base.secrets.";

/// One field that differs. `None` where the version has no such field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// As in the document, parameters and options by their key: `parameters.cpu_cores.max`.
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Ordered by field. The version number is not compared. For a secret the result only says that it changed.
pub fn changes(before: &Offering, after: &Offering) -> Vec<FieldChange> {
    let (mut old, new) = (flat(before), flat(after));
    let mut all: Vec<_> = new
        .into_iter()
        .filter_map(|(field, after)| {
            let before = old.remove(&field);
            (before.as_ref() != Some(&after)).then_some(FieldChange { field, before, after: Some(after) })
        })
        .collect();
    all.extend(old.into_iter().map(|(field, before)| FieldChange { field, before: Some(before), after: None }));
    for change in all.iter_mut().filter(|change| change.field.starts_with(SECRETS)) {
        for side in [&mut change.before, &mut change.after] {
            *side = side.take().map(|_| MASK.to_owned());
        }
    }
    all.sort_by(|a, b| a.field.cmp(&b.field));
    all
}

fn flat(offering: &Offering) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut rest = offering.clone();
    for (name, value) in std::mem::take(&mut rest.base.secrets) {
        let which = value.stored().map_or_else(|| "typed".to_owned(), |id| id.to_string());
        out.insert(format!("{SECRETS}{name}"), which);
    }
    walk(&serde_json::to_value(rest).unwrap_or_default(), String::new(), &mut out);
    for own in ["id", "version", "slug", "base.workload"] {
        out.remove(own);
    }
    out
}

fn walk(value: &Value, path: String, out: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                // The kind's own name is said by its limits; `kind.integer.max` reads as `max`.
                let is_kind = matches!(name.as_str(), "kind" | "integer" | "choice" | "text") && member.is_object();
                walk(member, if is_kind { path.clone() } else { below(name) }, out);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                let name = ["key", "value"].iter().find_map(|key| item.get(key)?.as_str()).map_or_else(|| number.to_string(), str::to_owned);
                let name = if item.is_string() { item.as_str().filter(|text| text.len() < 30).map_or(name, str::to_owned) } else { name };
                walk(item, below(&name), out);
            }
        }
        Value::Null => {}
        Value::String(text) => _ = out.insert(path, text.clone()),
        other => _ = out.insert(path, other.to_string()),
    }
}
