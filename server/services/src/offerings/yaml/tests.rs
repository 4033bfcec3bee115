//! Files in and out, and that the published schema says what the parser does.

use super::*;
use crate::catalogue::BUILT_IN;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../../docs/offering.schema.json")).expect("JSON")
}

fn documents() -> Vec<Value> {
    BUILT_IN.iter().map(|text| serde_yaml_ng::from_str(text).expect("YAML")).collect()
}

/// As much of JSON Schema as ours uses.
fn fits(value: &Value, rule: &Value, whole: &Value) -> bool {
    if let Some(reference) = rule["$ref"].as_str() {
        return fits(value, whole.pointer(reference.trim_start_matches('#')).expect("a definition"), whole);
    }
    let any = |rules: &Value| rules.as_array().expect("rules").iter().filter(|rule| fits(value, rule, whole)).count();
    if rule["oneOf"].is_array() {
        return any(&rule["oneOf"]) == 1;
    }
    if rule["anyOf"].is_array() {
        return any(&rule["anyOf"]) > 0;
    }
    if let Some(choices) = rule["enum"].as_array() {
        return choices.contains(value);
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64(),
        other => panic!("{other}"),
    };
    let typed = match &rule["type"] {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().any(|kind| is(kind.as_str().expect("a type"))),
        _ => true,
    };
    let number = value.as_i64().is_none_or(|number| {
        rule["minimum"].as_i64().is_none_or(|least| number >= least) && rule["maximum"].as_i64().is_none_or(|most| number <= most)
    });
    let text = value.as_str().is_none_or(|text| rule["minLength"].as_u64().is_none_or(|least| text.len() as u64 >= least));
    let items = value.as_array().is_none_or(|items| {
        rule["minItems"].as_u64().is_none_or(|least| items.len() as u64 >= least)
            && (rule["items"].is_null() || items.iter().all(|item| fits(item, &rule["items"], whole)))
    });
    let members = value.as_object().is_none_or(|members| {
        let required = rule["required"].as_array().into_iter().flatten().all(|name| members.contains_key(name.as_str().expect("a name")));
        required
            && members.iter().all(|(name, member)| match (&rule["properties"][name], &rule["additionalProperties"]) {
                (Value::Null, Value::Bool(allowed)) => *allowed,
                (Value::Null, Value::Null) => true,
                (Value::Null, rest) => fits(member, rest, whole),
                (property, _) => fits(member, property, whole),
            })
    });
    typed && number && text && items && members
}

/// Every change of one place in a document: a member taken away, an unknown one added, a number or a text that is another thing.
fn spoilt(document: &Value) -> Vec<(String, Value)> {
    let mut paths = Vec::new();
    collect(document, String::new(), &mut paths);
    let mut all = Vec::new();
    for path in paths {
        let change = |how: &dyn Fn(&mut Value)| {
            let mut changed = document.clone();
            how(changed.pointer_mut(&path).expect("there"));
            changed
        };
        match document.pointer(&path).expect("there") {
            Value::Object(members) => {
                // Any variable may be in an environment.
                if !path.ends_with("/environment") {
                    all.push((format!("{path} and colour"), change(&|value| value["colour"] = json!("red"))));
                }
                for name in members.keys() {
                    let without = change(&|value| _ = value.as_object_mut().expect("an object").remove(name));
                    all.push((format!("{path} without {name}"), without));
                }
            }
            Value::Number(_) => {
                all.push((format!("{path} as text"), change(&|value| *value = json!("many"))));
                all.push((format!("{path} below zero"), change(&|value| *value = json!(-1))));
            }
            Value::String(_) => all.push((format!("{path} as a list"), change(&|value| *value = json!([1])))),
            _ => all.push((format!("{path} as a number"), change(&|value| *value = json!(7)))),
        }
    }
    all
}

fn collect(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| collect(member, format!("{path}/{name}"), paths)),
        Value::Array(items) => items.iter().enumerate().for_each(|(number, item)| collect(item, format!("{path}/{number}"), paths)),
        _ => {}
    }
    if !path.is_empty() {
        paths.push(path);
    }
}

#[test]
fn the_schema_takes_what_the_parser_takes() {
    let schema = schema();
    for document in documents() {
        assert!(fits(&document, &schema, &schema), "{}", document["slug"]);
    }
}

#[test]
fn what_the_schema_refuses_the_parser_refuses_and_the_other_way_round_where_it_is_about_shape() {
    let schema = schema();
    let mut refused = 0;
    for document in documents() {
        for (what, changed) in spoilt(&document) {
            let by_schema = fits(&changed, &schema, &schema);
            match from_json(changed) {
                Ok(_) => assert!(by_schema, "{}: {what}: only the schema refuses it", document["slug"]),
                // What depends on two places at once a schema cannot say: such a problem names a value out of its range or its list.
                Err(Error::Invalid(problems)) => {
                    let shape = |each: &FieldError| matches!(each.problem, Problem::Missing | Problem::UnknownField | Problem::NotANumber);
                    assert!(!by_schema || !problems.iter().any(shape), "{}: {what}: only the parser refuses it: {problems:?}", document["slug"]);
                    refused += 1;
                }
                Err(other) => panic!("{what}: {other:?}"),
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn every_list_of_words_is_the_same_in_the_schema() {
    let schema = schema();
    let words = |pointer: &str| -> Vec<String> {
        let list = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).as_array().expect("a list");
        list.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(words("/properties/icon/enum"), owned(&domain::offerings::ICONS));
    let mut kinds = words("/properties/workload/enum");
    kinds.sort();
    let mut known = domain::catalogue::Workload::ALL.map(|workload| workload.as_str().to_owned()).to_vec();
    known.sort();
    assert_eq!(kinds, known);
    assert_eq!(words("/$defs/spec/properties/workload/enum").len(), known.len());
    assert_eq!(words("/$defs/spec/properties/card/enum"), Card::all().map(|card| card.id().to_owned()).collect::<Vec<_>>());
    let mut targets = words("/$defs/parameter/properties/target/oneOf/0/enum");
    targets.push("environment".into());
    targets.sort();
    let mut known = owned(&domain::catalogue::Target::WORDS);
    known.sort();
    assert_eq!(targets, known);
    assert_eq!(words("/$defs/parameter/properties/kind/oneOf/1/properties/integer/properties/unit/enum"), owned(&domain::offerings::UNITS));
    assert_eq!(words("/properties/audience/properties/roles/items/enum"), domain::access::Role::ALL.map(|role| role.as_str().to_owned()).to_vec());
}

#[test]
fn a_written_file_reads_back_as_the_same_offering() {
    for text in BUILT_IN {
        let offering = parse(text).expect("good");
        let read = parse(&write(&offering)).expect("good");
        assert_eq!(Offering { id: offering.id, version: offering.version, ..read }, offering);
    }
}

#[test]
fn a_file_reads_from_the_name_down_and_leaves_out_what_lectern_gives() {
    let text = write(&parse(BUILT_IN[2]).expect("good"));
    let heads: Vec<_> = text.lines().filter(|line| !line.starts_with([' ', '-'])).filter_map(|line| line.split(':').next()).collect();
    assert_eq!(heads, ["slug", "name", "summary", "icon", "workload", "base", "duration", "parameters"]);
}

#[test]
fn a_mistake_is_named_by_its_place() {
    let named = |text: &str| match parse(text) {
        Err(Error::Invalid(problems)) => problems.into_iter().map(|each| (each.field, each.problem)).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let with = |from: &str, to: &str| named(&BUILT_IN[2].replacen(from, to, 1));
    assert_eq!(with("duration: {", "duration: {{")[0].0, "line 25");
    assert_eq!(with("icon: code", "colour: red"), [("colour".to_owned(), Problem::UnknownField)]);
    assert_eq!(with("icon: code\n", ""), [("icon".to_owned(), Problem::Missing)]);
    assert_eq!(with("min: 2,", ""), [("parameters.2.min".to_owned(), Problem::Missing)]);
    assert_eq!(with("max: 16", "max: lots"), [("parameters.2.max".to_owned(), Problem::NotANumber)]);
    assert_eq!(named("just words")[0].0, "line 1");
    assert_eq!(named("slug: [[[[\n")[0].0, "line 1");
    for empty in ["", " \n\n", "---\n# mine\n"] {
        assert_eq!(named(empty), [("yaml".to_owned(), Problem::Missing)], "{empty}");
    }
}

#[tokio::test]
async fn a_mistake_in_a_text_that_is_shown_names_its_line() {
    let text = BUILT_IN[2].replacen("port: 8080", "port: many", 1);
    let line = text.lines().position(|line| line.contains("port: many")).expect("the port") + 1;
    let cause = Box::new(Problem::NotANumber);
    let expected = Problem::InRow { row: u32::try_from(line).expect("a small number"), cause };
    assert_eq!(parse_shown_apart(text).await, Err(Error::field("base.port", expected)));
}
