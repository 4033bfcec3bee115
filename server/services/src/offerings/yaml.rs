//! Offerings as YAML files, as they come with the product, from an editor or from Git. The format is `docs/offering.schema.json`.
//! Enums are written as in the API (`kind: {text: …}`), by way of JSON, and not as YAML tags.

use domain::{Error, FieldError, Problem, Result, catalogue::Offering, gpu::Card, secret::SecretValue};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::reading;

mod kept;
mod nesting;
mod place;

pub use kept::without_secrets_apart;

/// Characters of a file that are read.
pub const LONGEST: usize = 100_000;

/// Reads and checks an offering; its base follows its defaults. `id` and `version` may be left out: Lectern gives them.
///
/// Errors: [`Error::Invalid`]; what the reader cannot take in is named alone, else every problem is. A field is a path
/// (`parameters.2.default`), or `line 7` where the text is no YAML.
pub fn parse(text: &str) -> Result<Offering> {
    from_json(read(text)?)
}

/// The same for a text from the network: parsed outside the async threads, a few at a time.
pub async fn parse_apart(text: String) -> Result<Offering> {
    reading::apart(move || parse(&text)).await
}

/// The same for a text that its writer sees again as it is: mistakes name their line too.
pub async fn parse_shown_apart(text: String) -> Result<Offering> {
    reading::apart(move || parse(&text).map_err(|error| place::with_lines(&text, error))).await
}

fn read(text: &str) -> Result<Value> {
    if text.len() > LONGEST {
        return Err(Error::field("yaml", Problem::TooLong { max: u32::try_from(LONGEST).unwrap_or(u32::MAX) }));
    }
    let says_nothing = |line: &str| line.is_empty() || line == "---" || line.starts_with('#');
    if text.lines().all(|line| says_nothing(line.trim())) {
        return Err(Error::field("yaml", Problem::Missing));
    }
    if let Some(line) = nesting::too_deep(text) {
        return Err(Error::field(format!("line {line}"), Problem::TooDeep { max: nesting::DEEPEST }));
    }
    let unreadable = |line| Error::field(format!("line {line}"), Problem::BadFormat { example: example("slug").into() });
    let value: Value = serde_yaml_ng::from_str(text).map_err(|error| unreadable(place::of_error(text, &error)))?;
    if value.is_object() { Ok(value) } else { Err(unreadable(1)) }
}

/// Whether two members have one name: only the last of them is read.
fn has_members_twice(text: &str) -> bool {
    serde_yaml_ng::from_str::<serde_yaml_ng::Value>(text).is_err()
}

/// An offering from JSON, checked like a file. Errors: as [`parse`].
pub fn from_json(mut value: Value) -> Result<Offering> {
    let Value::Object(document) = &mut value else {
        return Err(Error::Malformed { reason: "the body must be a JSON object".into() });
    };
    document.entry("id").or_insert_with(|| json!(Uuid::nil()));
    document.entry("version").or_insert_with(|| json!(1));
    if let Some(workload) = document.get("workload").cloned()
        && let Some(Value::Object(base)) = document.get_mut("base")
    {
        base.entry("workload").or_insert(workload);
    }
    let mut offering: Offering = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = plain(&error.path().to_string());
        Error::Invalid(vec![problem(&path, &error.into_inner().to_string())])
    })?;
    offering.base.separate_secrets();
    offering.check()?;
    Ok(offering.normalised())
}

/// `parameters[2].kind.integer.min` as the editor names it: `parameters.2.min`.
fn plain(path: &str) -> String {
    let dotted = path.replace('[', ".").replace(']', "");
    let words: Vec<&str> = dotted.split('.').filter(|word| !word.is_empty() && *word != "?").collect();
    let is_variant = |at: usize| at > 0 && words[at - 1] == "kind" && matches!(words[at], "integer" | "choice" | "text");
    let kept = (0..words.len()).filter(|at| !(is_variant(*at) || at + 1 < words.len() && is_variant(at + 1)));
    kept.map(|at| words[at]).collect::<Vec<_>>().join(".")
}

/// serde's sentence as a problem with its field.
fn problem(path: &str, sentence: &str) -> FieldError {
    let quoted: Vec<&str> = sentence.split('`').skip(1).step_by(2).collect();
    let below = |name: &str| {
        // A name that somebody else made: never nothing, and not longer than is of use.
        let name = if name.is_empty() { "\"\"" } else { name.char_indices().nth(100).map_or(name, |(end, _)| &name[..end]) };
        if path.is_empty() {
            name.to_owned()
        } else if path.rsplit('.').next() == Some(name) {
            path.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match quoted.as_slice() {
        [name, ..] if sentence.starts_with("missing field") => FieldError { field: below(name), problem: Problem::Missing },
        [name, ..] if sentence.starts_with("unknown field") => FieldError { field: below(name), problem: Problem::UnknownField },
        [_, choices @ ..] if sentence.starts_with("unknown variant") => {
            let choices = choices.iter().map(|choice| (*choice).to_owned()).collect();
            FieldError { field: path.to_owned(), problem: Problem::NotOneOf { choices } }
        }
        _ if path.ends_with("card") => {
            let choices = Card::all().map(|card| card.id().to_owned()).collect();
            FieldError { field: path.to_owned(), problem: Problem::NotOneOf { choices } }
        }
        _ => {
            let is_number = sentence.contains("expected u") || sentence.contains("expected i");
            let problem = if is_number { Problem::NotANumber } else { Problem::BadFormat { example: example(path).to_owned() } };
            FieldError { field: path.to_owned(), problem }
        }
    }
}

/// How the field could be written; for messages.
pub fn example(field: &str) -> &'static str {
    if field.starts_with("duration") {
        return "duration: { default: 90, min: 30, max: 720 }";
    }
    if field.contains("base.secrets") {
        return "secrets: { HF_TOKEN: \"hf_…\" }";
    }
    let leaf = field.rsplit('.').find(|word| word.parse::<u32>().is_err()).unwrap_or_default();
    match leaf {
        "slug" => "slug: jupyterlab-slice",
        "zh" | "en" => "{ zh: 推理服务, en: Inference service }",
        "name" | "summary" | "label" | "help" => "name: { zh: 推理服务, en: Inference service }",
        "icon" => "icon: book",
        "workload" => "workload: notebook",
        "image" => "image: quay.io/jupyter/pytorch-notebook:cuda12-python-3.12",
        "command" => "command: [/bin/sh, -c, exec python train.py]",
        "port" => "port: 8888",
        "card" => "card: a100-80g",
        "cpu_cores" => "cpu_cores: 8",
        "memory_gib" => "memory_gib: 32",
        "storage_gib" => "storage_gib: 20",
        "cards_per_node" => "cards_per_node: 1",
        "nodes" => "nodes: 1",
        "environment" => "environment: { LESSON_NAME: lesson-1 }",
        "health_path" => "health_path: /health",
        "app_access" | "variable" | "header" => "app_access: { variable: JUPYTER_TOKEN, header: \"Authorization: token {secret}\" }",
        "base" => "base: { image: …, port: 8888, card: a100-80g, … }",
        "parameters" => "parameters: []",
        "target" => "target: cpu_cores",
        "kind" | "min" | "max" | "step" | "unit" => "kind: { integer: { min: 1, max: 8, unit: cores } }",
        "options" => "options: [{ value: a100-80g, label: { zh: A100, en: A100 } }]",
        "default" => "default: \"8\"",
        "roles" => "roles: [teacher]",
        "tenants" => "tenants: [ai]",
        "key" => "key: cpu_cores",
        _ => "slug: jupyterlab-slice",
    }
}

/// The order in which people read a file; anything else follows by name.
const ORDER: [&str; 44] = [
    "slug",
    "name",
    "summary",
    "icon",
    "workload",
    "audience",
    "base",
    "duration",
    "parameters",
    "key",
    "value",
    "label",
    "help",
    "target",
    "default",
    "optional",
    "kind",
    "zh",
    "en",
    "image",
    "command",
    "port",
    "health_path",
    "app_access",
    "variable",
    "header",
    "card",
    "cards_per_node",
    "nodes",
    "cpu_cores",
    "memory_gib",
    "storage_gib",
    "retries",
    "git_url",
    "environment",
    "secrets",
    "min",
    "max",
    "step",
    "unit",
    "options",
    "max_length",
    "tenants",
    "roles",
];

/// The file of an offering, without defaults. A secret is written as an empty text, which keeps the stored value when the file is saved
/// again.
pub fn write(offering: &Offering) -> String {
    let mut offering = offering.clone();
    offering.base.secrets.values_mut().for_each(|value| *value = SecretValue::Kept);
    let mut value = serde_json::to_value(offering).unwrap_or_default();
    if let Value::Object(document) = &mut value {
        document.remove("id");
        document.remove("version");
        if let Some(Value::Object(base)) = document.get_mut("base") {
            base.remove("workload");
        }
    }
    serde_yaml_ng::to_string(&ordered(&value)).unwrap_or_default()
}

fn ordered(value: &Value) -> serde_yaml_ng::Value {
    match value {
        Value::Object(members) => {
            let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
            let mut sorted: Vec<(&String, &Value)> = members.iter().filter(|(_, member)| !is_empty(member)).collect();
            sorted.sort_by_key(|(name, _)| (rank(name), name.as_str()));
            serde_yaml_ng::Value::Mapping(sorted.into_iter().map(|(name, member)| (name.as_str().into(), ordered(member))).collect())
        }
        Value::Array(items) => serde_yaml_ng::Value::Sequence(items.iter().map(ordered).collect()),
        other => serde_yaml_ng::to_value(other).unwrap_or_default(),
    }
}

/// What says nothing and may be left out.
fn is_empty(value: &Value) -> bool {
    value.is_null() || *value == Value::Bool(false) || matches!(value, Value::Object(members) if *members == Map::new())
}

#[cfg(test)]
mod tests;
