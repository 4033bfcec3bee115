//! Names and labels.

use serde_json::Value;

use super::Complaints;
use crate::{
    error::FieldError,
    registry::{Kind, Resource},
    value,
};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const OLD_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const LABEL_KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

pub fn check(kind: &Kind, object: &Value, complaints: &mut Complaints) {
    let name = value::name(object);
    let problem = match kind.resource {
        Resource::Namespaces => label(name),
        Resource::Services => old_label(name),
        Resource::Roles | Resource::RoleBindings | Resource::ClusterRoles | Resource::ClusterRoleBindings => {
            (name.contains('/') || name.contains('%')).then(|| "may not contain '/'".to_owned())
        }
        _ => subdomain(name),
    };
    if let Some(problem) = problem {
        complaints.push(FieldError::invalid("metadata.name", &name.into(), &problem));
    }
    labels(object, complaints);
}

pub fn labels(object: &Value, complaints: &mut Complaints) {
    labels_at(object, "metadata.labels", complaints);
    for (key, _) in value::entries(object, "/metadata/annotations") {
        key_problem(key, "metadata.annotations", complaints);
    }
}

/// Checks the labels at a dotted path.
pub fn labels_at(object: &Value, field: &str, complaints: &mut Complaints) {
    for (key, text) in value::entries(object, &format!("/{}", field.replace('.', "/"))) {
        key_problem(key, field, complaints);
        let Some(plain) = text.as_str() else { continue };
        if plain.len() > 63 {
            complaints.push(FieldError::invalid(field, text, "must be no more than 63 characters"));
        }
        if !plain.is_empty() && !is_name_part(plain) {
            complaints.push(FieldError::invalid(field, text, LABEL_VALUE));
        }
    }
}

fn key_problem(key: &str, field: &str, complaints: &mut Complaints) {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if let Some(problem) = prefix.and_then(subdomain) {
        complaints.push(FieldError::invalid(field, &key.into(), &format!("prefix part {problem}")));
    }
    if name.len() > 63 {
        complaints.push(FieldError::invalid(field, &key.into(), "name part must be no more than 63 characters"));
    }
    if !is_name_part(name) {
        complaints.push(FieldError::invalid(field, &key.into(), LABEL_KEY));
    }
}

fn is_name_part(text: &str) -> bool {
    is_made_of(text, |c| c.is_ascii_alphanumeric() || "-_.".contains(c)) && is_edged(text, |c| c.is_ascii_alphanumeric())
}

fn is_made_of(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

fn is_edged(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    text.chars().next().is_some_and(&allowed) && text.chars().next_back().is_some_and(allowed)
}

fn is_lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    is_made_of(text, |c| is_lower(c) || c == '-') && is_edged(text, is_lower)
}

/// What is wrong with a subdomain name.
pub fn subdomain(text: &str) -> Option<String> {
    if text.len() > 253 {
        return Some("must be no more than 253 characters".to_owned());
    }
    (!text.split('.').all(is_label)).then(|| SUBDOMAIN.to_owned())
}

/// What is wrong with a label name.
pub fn label(text: &str) -> Option<String> {
    if text.len() > 63 {
        return Some("must be no more than 63 characters".to_owned());
    }
    (!is_label(text)).then(|| LABEL.to_owned())
}

fn old_label(text: &str) -> Option<String> {
    if text.len() > 63 {
        return Some("must be no more than 63 characters".to_owned());
    }
    (!is_label(text) || !text.starts_with(|c: char| c.is_ascii_lowercase())).then(|| OLD_LABEL.to_owned())
}
