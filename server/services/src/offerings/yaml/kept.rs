//! A refused file in the form in which it may be kept for its writer: without secrets.

use domain::secret::{has_secret, has_secret_argument, is_known_secret, is_secret_name};
use serde_json::{Value, json};

use super::{has_members_twice, ordered, read};
use crate::reading;

/// The text itself if it holds no value of a secret, else its fields without the values of secrets. Nothing is kept of a text that could hold a secret
/// at an unknown place: one that cannot be parsed, or one with anchors.
fn without_secrets(text: &str) -> String {
    let Ok(mut value) = read(text) else { return if could_hold(text) { String::new() } else { text.to_owned() } };
    if !clean(&mut value, false) && !has_secret(text) && !has_members_twice(text) {
        text.to_owned()
    } else if has_anchors(text) {
        String::new()
    } else {
        serde_yaml_ng::to_string(&ordered(&value)).unwrap_or_default()
    }
}

/// [`without_secrets`] outside the async threads.
pub async fn without_secrets_apart(text: String) -> String {
    reading::apart(move || Ok(without_secrets(&text))).await.unwrap_or_default()
}

/// Whether a text that is no YAML names variables or secrets.
fn could_hold(text: &str) -> bool {
    let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    ["secrets", "environment"].iter().any(|name| text.contains(name))
        || has_secret(text)
        || words.any(|word| is_variable(word) && is_secret_name(word))
}

/// Removes the values of secrets at any depth. Whether there was one.
fn clean(value: &mut Value, in_environment: bool) -> bool {
    match value {
        Value::Object(members) => {
            let before = members.len();
            members.retain(|name, _| !has_secret(name));
            let target = members.get("target").and_then(|target| target.get("environment")).and_then(Value::as_str);
            let sets_secret = target.is_some_and(is_secret_name);
            let mut found = members.len() < before;
            for (name, member) in members.iter_mut() {
                let is_of_secret = name == "secrets" || sets_secret && ["default", "kind"].contains(&name.as_str());
                found |=
                    if is_of_secret || is_secret_member(name, member, in_environment) { blank(member) } else { clean(member, name == "environment") };
            }
            found
        }
        Value::Array(items) => {
            let mut found = false;
            for item in items.iter_mut() {
                found |= clean(item, in_environment);
            }
            let arguments: Vec<String> = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            if has_secret_argument(&arguments) {
                for item in items.iter_mut() {
                    blank(item);
                }
                found = true;
            }
            found
        }
        Value::String(text) if has_secret(text) => {
            text.clear();
            true
        }
        _ => false,
    }
}

fn is_secret_member(name: &str, member: &Value, in_environment: bool) -> bool {
    let text = match member {
        // By its name alone; its members are looked at one by one.
        Value::Object(_) | Value::Array(_) => "x".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    is_known_secret(name, &text) || (in_environment || is_variable(name)) && is_secret_name(name)
}

/// Whether the word is written as the name of a variable: fields of an offering, such as `key`, have small letters.
fn is_variable(name: &str) -> bool {
    name.contains(|c: char| c.is_ascii_uppercase()) && !name.contains(|c: char| c.is_ascii_lowercase())
}

/// Whether there was a value to remove.
fn blank(value: &mut Value) -> bool {
    let had = holds_value(value);
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !has_secret(name));
            members.values_mut().for_each(|member| *member = json!(""));
        }
        other => *other = json!(""),
    }
    had
}

fn holds_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(holds_value),
        Value::Object(members) => members.iter().any(|(name, member)| has_secret(name) || holds_value(member)),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whether the text may have anchors or aliases: `&name`, `*name`.
fn has_anchors(text: &str) -> bool {
    let after = std::iter::once(' ').chain(text.chars());
    let next = text.chars().skip(1).chain(std::iter::once(' '));
    after.zip(text.chars()).zip(next).any(|((before, sign), next)| {
        let begins = before.is_whitespace() || matches!(before, '[' | '{' | ',' | ':' | '-' | '?');
        begins && matches!(sign, '&' | '*') && (next.is_alphanumeric() || matches!(next, '_' | '-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_secrets_is_kept_as_it_was_written() {
        let exported = "slug: x # mine\nbase:\n  secrets:\n    HF_TOKEN: ''\n    OTHER:\n";
        for text in
            [exported, "slug: x # mine\nparameters:\n  - key: cpu_cores\n", "x: &a {b: 1}\ny: *a\n", "slug: [", "base: {command: [sh, -c, a && b]}\n"]
        {
            assert_eq!(without_secrets(text), text);
        }
    }

    #[test]
    fn a_file_with_secrets_is_kept_without_their_values() {
        for text in [
            "slug: vscode\nbase:\n  secrets: {HF_TOKEN: hush}\n",
            "slug: vscode\nbase:\n  \"secr\\u0065ts\": {A: hush}\n",
            "slug: vscode\nbase:\n  environment: {gitHub_pat: hush, LESSON: one}\n",
            "slug: vscode\nenvironment: [WANDB_KEY=hush1]\n",
            "slug: vscode\nx: {HF_TOKEN: hush}\n",
            "slug: vscode\nx: {DB_PASS: {y: hush}}\n",
            "slug: vscode\nbase:\n  command: [serve, --token, hush1]\n",
            "slug: vscode\nbase:\n  git_url: https://example.edu/x?token=hush1\n",
            "slug: vscode # token=hush1\n",
            "slug: vscode\nparameters:\n- {target: {environment: GITHUB_PAT}, default: hush, kind: {choice: {options: [{value: hush}]}}}\n",
        ] {
            let kept = without_secrets(text);
            assert!(kept.contains("slug: vscode") && !kept.contains("hush"), "{text}: {kept}");
        }
    }

    #[test]
    fn of_two_members_with_one_name_neither_is_kept() {
        for text in [
            "base:\n  secrets: {HF_TOKEN: hush, HF_TOKEN: \"\"}\n",
            "base: {secrets: {A: hush}, secrets: {}}\n",
            "x: {HF_TOKEN: hush, HF_TOKEN: \"\"}\n",
        ] {
            assert!(!without_secrets(text).contains("hush"), "{text}");
        }
    }

    #[test]
    fn nothing_is_kept_where_a_secret_may_be_anywhere() {
        for text in [
            "x: &s {HF_TOKEN: hush}\nbase:\n  secrets: *s\n",
            "x: &s hush\nbase: {secrets: {A: *s}}\n",
            "base: {secrets: {A: hush}\n",
            "HF_TOKEN: [hush",
            "x: [token=hush1",
        ] {
            assert_eq!(without_secrets(text), "", "{text}");
        }
    }
}
