//! Label and field selectors: parsing from a query and matching.

use serde_json::Value;

use crate::{
    error::{ApiError, Result},
    value,
};

/// One condition on a label.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// A conjunction of label conditions; the empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

impl LabelSelector {
    /// Reads the text form: `a=b,c!=d,e in (f,g),h,!i`.
    pub fn parse(text: &str) -> Result<Self> {
        split_outside_brackets(text).into_iter().map(requirement).collect::<Result<_>>().map(Self)
    }

    /// Reads a `matchLabels`/`matchExpressions` object. A null selector matches nothing, an empty one everything.
    pub fn of(selector: &Value) -> Option<Self> {
        let mut all = Vec::new();
        selector.as_object()?;
        for (key, wanted) in value::entries(selector, "/matchLabels") {
            all.push(Requirement::In(key.clone(), vec![wanted.as_str().unwrap_or_default().to_owned()]));
        }
        for expression in value::items(selector, "/matchExpressions") {
            let key = value::text(expression, "/key").to_owned();
            let values = || value::items(expression, "/values").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            all.push(match value::text(expression, "/operator") {
                "In" => Requirement::In(key, values()),
                "NotIn" => Requirement::NotIn(key, values()),
                "Exists" => Requirement::Exists(key),
                _ => Requirement::Absent(key),
            });
        }
        Some(Self(all))
    }

    /// Reads a plain map of labels, as a Service's selector.
    pub fn of_map(labels: &Value) -> Option<Self> {
        let map = labels.as_object().filter(|map| !map.is_empty())?;
        let one = |(key, wanted): (&String, &Value)| Requirement::In(key.clone(), vec![wanted.as_str().unwrap_or_default().to_owned()]);
        Some(Self(map.iter().map(one).collect()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object's labels satisfy every condition.
    pub fn matches(&self, object: &Value) -> bool {
        self.matches_labels(object.pointer("/metadata/labels").unwrap_or(&Value::Null))
    }

    pub fn matches_labels(&self, labels: &Value) -> bool {
        let get = |key: &str| labels.get(key).and_then(Value::as_str);
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, wanted) => get(key).is_some_and(|have| wanted.iter().any(|one| one == have)),
            Requirement::NotIn(key, barred) => get(key).is_none_or(|have| !barred.iter().any(|one| one == have)),
            Requirement::Exists(key) => get(key).is_some(),
            Requirement::Absent(key) => get(key).is_none(),
        })
    }
}

impl std::fmt::Display for LabelSelector {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each = self.0.iter().map(|requirement| match requirement {
            Requirement::In(key, wanted) if wanted.len() == 1 => format!("{key}={}", wanted[0]),
            Requirement::In(key, wanted) => format!("{key} in ({})", wanted.join(",")),
            Requirement::NotIn(key, barred) => format!("{key} notin ({})", barred.join(",")),
            Requirement::Exists(key) => key.clone(),
            Requirement::Absent(key) => format!("!{key}"),
        });
        out.write_str(&each.collect::<Vec<_>>().join(","))
    }
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn requirement(part: &str) -> Result<Requirement> {
    let listed = |list: &str| -> Vec<String> {
        list.trim().trim_start_matches('(').trim_end_matches(')').split(',').map(|one| one.trim().to_owned()).collect()
    };
    let key = |text: &str| -> Result<String> {
        let text = text.trim();
        let fine = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        if fine {
            Ok(text.to_owned())
        } else {
            Err(ApiError::bad_request(format!(
                "unable to parse requirement: <nil>: Invalid value: {text:?}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            )))
        }
    };
    let bracketed = |list: &str| match list.split_whitespace().next().unwrap_or_default() {
        first if first.starts_with('(') => Ok(listed(list)),
        first => Err(ApiError::bad_request(format!("unable to parse requirement: found '{first}' expected: '('"))),
    };
    if let Some((left, right)) = part.split_once(" notin ") {
        return Ok(Requirement::NotIn(key(left)?, bracketed(right)?));
    }
    if let Some((left, right)) = part.split_once(" in ") {
        return Ok(Requirement::In(key(left)?, bracketed(right)?));
    }
    if let Some((left, right)) = part.split_once("!=") {
        return Ok(Requirement::NotIn(key(left)?, vec![right.trim().to_owned()]));
    }
    if let Some((left, right)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Requirement::In(key(left)?, vec![right.trim().to_owned()]));
    }
    match part.strip_prefix('!') {
        Some(absent) => Ok(Requirement::Absent(key(absent)?)),
        None => Ok(Requirement::Exists(key(part)?)),
    }
}

/// A conjunction of field conditions: path, wanted text, and whether it must be equal.
#[derive(Debug, Clone, Default)]
pub struct FieldSelector(Vec<(String, String, Comparison)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Different,
}

impl FieldSelector {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads `metadata.name=a,spec.nodeName!=b`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut all = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (field, wanted, comparison) = if let Some((field, wanted)) = part.split_once("!=") {
                (field, wanted, Comparison::Different)
            } else if let Some((field, wanted)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (field, wanted, Comparison::Equal)
            } else {
                return Err(ApiError::bad_request(format!("invalid selector: {part:?}; can't understand {part:?}")));
            };
            all.push((field.to_owned(), wanted.to_owned(), comparison));
        }
        Ok(Self(all))
    }

    /// Complains about a field that this kind cannot be selected by.
    pub fn check(&self, kind: &crate::registry::Kind) -> Result<()> {
        use crate::registry::Resource as R;
        let extra: &[&str] = match kind.resource {
            R::Pods => &[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "status.phase",
                "status.podIP",
                "status.nominatedNodeName",
            ],
            R::Nodes => &["spec.unschedulable"],
            R::Namespaces => &["status.phase"],
            R::Secrets => &["type"],
            R::Jobs => &["status.successful"],
            R::Events => &[
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "involvedObject.apiVersion",
                "involvedObject.resourceVersion",
                "involvedObject.fieldPath",
                "reason",
                "reportingComponent",
                "source",
                "type",
            ],
            _ => &[],
        };
        for (field, _, _) in &self.0 {
            if !["metadata.name", "metadata.namespace"].contains(&field.as_str()) && !extra.contains(&field.as_str()) {
                // Kinds with fields of their own word it so, and some that have none.
                let has_own = !extra.is_empty() || matches!(kind.group, "apps" | "batch");
                return Err(ApiError::bad_request(if has_own {
                    format!("field label not supported: {field}")
                } else {
                    format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
                }));
            }
        }
        Ok(())
    }

    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(field, wanted, comparison)| {
            let have = match field.as_str() {
                "source" => object.pointer("/source/component"),
                _ => object.pointer(&format!("/{}", field.replace('.', "/"))),
            };
            let have = match have {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None if field == "spec.unschedulable" => "false".to_owned(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            (have == *wanted) == (*comparison == Comparison::Equal)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn label_selectors_mean_what_they_say() {
        let object = json!({"metadata": {"labels": {"app": "lab", "tier": "gpu"}}});
        for (text, expected) in [
            ("", true),
            ("app=lab", true),
            ("app==lab,tier!=cpu", true),
            ("app in (lab, other)", true),
            ("app notin (lab)", false),
            ("missing", false),
            ("!missing", true),
            ("!app", false),
            ("tier=cpu", false),
            ("missing!=x", true),
        ] {
            assert_eq!(LabelSelector::parse(text).unwrap().matches(&object), expected, "{text}");
        }
        assert!(LabelSelector::parse("a b=c").is_err());
    }

    #[test]
    fn field_selectors_compare_text_and_treat_missing_as_empty() {
        let pod = json!({"metadata": {"name": "a"}, "spec": {}, "status": {"phase": "Running"}});
        for (text, expected) in [("metadata.name=a", true), ("spec.nodeName!=", false), ("spec.nodeName=", true), ("status.phase!=Failed", true)] {
            assert_eq!(FieldSelector::parse(text).unwrap().matches(&pod), expected, "{text}");
        }
    }
}
