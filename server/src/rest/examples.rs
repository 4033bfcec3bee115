//! Example bodies, put together from the examples of their fields, so that they cannot fall behind the fields.

use serde_json::{Map, Value};

/// Gives the operation's JSON body its example, unless the handler has one.
pub fn give_body(operation: &mut Value, schemas: &Map<String, Value>) {
    let Some(content) = operation.pointer_mut("/requestBody/content/application~1json") else { return };
    if content.get("example").is_none() {
        content["example"] = of_schema(&content["schema"], schemas);
    }
}

/// `null` for what has no example.
fn of_schema(schema: &Value, schemas: &Map<String, Value>) -> Value {
    if let Some(given) = schema.get("example").or_else(|| schema["examples"].get(0)).or_else(|| schema.get("default")) {
        return given.clone();
    }
    if let Some(named) = schema["$ref"].as_str().and_then(|reference| schemas.get(reference.rsplit('/').next()?)) {
        return of_schema(named, schemas);
    }
    if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["allOf"].as_array()) {
        return choices.iter().map(|choice| of_schema(choice, schemas)).find(|example| !example.is_null()).unwrap_or_default();
    }
    if let Some(properties) = schema["properties"].as_object() {
        let members = properties.iter().map(|(name, member)| (name.clone(), of_schema(member, schemas)));
        return Value::Object(members.filter(|(_, example)| !example.is_null()).collect());
    }
    if let Some(items) = schema.get("items") {
        let example = of_schema(items, schemas);
        return if example.is_null() { example } else { Value::Array(vec![example]) };
    }
    Value::Null
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_made_of_the_examples_of_its_fields() {
        let schemas = json!({
            "Money": {"type": "object", "properties": {"micros": {"type": "integer", "example": 5}}},
            "New": {"type": "object", "properties": {
                "name": {"type": "string", "example": "a"},
                "unsaid": {"type": "string"},
                "price": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Money"}]},
                "tags": {"type": "array", "items": {"type": "string", "examples": ["t"]}},
            }},
        });
        let Value::Object(schemas) = schemas else { panic!("an object") };
        let mut operation = json!({"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}}});
        give_body(&mut operation, &schemas);
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        assert_eq!(*example, json!({"name": "a", "price": {"micros": 5}, "tags": ["t"]}));
    }
}
