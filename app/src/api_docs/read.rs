//! Reads an OpenAPI 3.1 document. What it does not understand it leaves out: the whole document is one link away.

use serde_json::Value;

use super::model::{Answer, Body, Field, Group, Operation, Parameter, Place, Reference, Shape};

/// Deeper members are named by their type alone.
const DEEPEST: u8 = 4;
const PROBLEM: &str = "application/problem+json";

pub fn reference(document: &Value) -> Reference {
    let mut reader = Reader { document, shapes: Vec::new() };
    let mut groups: Vec<Group> = Vec::new();
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item) {
            let read = reader.operation(path, method, operation);
            let tag = operation["tags"][0].as_str().unwrap_or("other");
            match groups.iter_mut().find(|group| group.tag == tag) {
                Some(group) => group.operations.push(read),
                None => groups.push(Group { tag: tag.to_owned(), operations: vec![read] }),
            }
        }
    }
    groups.sort_by(|a, b| a.tag.cmp(&b.tag));
    Reference { groups, shapes: reader.shapes }
}

struct Reader<'a> {
    document: &'a Value,
    shapes: Vec<Shape>,
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A value as it would be typed.
fn typed(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl<'a> Reader<'a> {
    fn operation(&mut self, path: &str, method: &str, operation: &'a Value) -> Operation {
        Operation {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            about: text(&operation["description"]),
            // `security: [{}]` or `[]` is for everybody.
            guarded: operation["security"].as_array().is_none_or(|all| all.iter().any(|each| each.as_object().is_some_and(|each| !each.is_empty()))),
            parameters: operation["parameters"].as_array().into_iter().flatten().filter_map(|each| self.parameter(each)).collect(),
            body: self.body(&operation["requestBody"]),
            answers: members(&operation["responses"]).map(|(status, answer)| self.answer(status, answer)).collect(),
        }
    }

    fn parameter(&self, parameter: &'a Value) -> Option<Parameter> {
        let place = match parameter["in"].as_str()? {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            _ => return None,
        };
        let (kind, schema, _) = self.kind(&parameter["schema"]);
        let example = typed(&parameter["example"]).or_else(|| example_in(schema)).unwrap_or_default();
        Some(Parameter {
            name: text(&parameter["name"]),
            place,
            kind: kind.trim_end_matches(" or null").to_owned(),
            meaning: text(&parameter["description"]),
            required: parameter["required"].as_bool().unwrap_or(false),
            example,
        })
    }

    fn body(&mut self, body: &'a Value) -> Option<Body> {
        let content = &body["content"]["application/json"];
        let schema = content.get("schema")?;
        let example = serde_json::to_string_pretty(&content["example"]).unwrap_or_default();
        Some(Body { required: body["required"].as_bool().unwrap_or(false), shape: self.shape(schema), example })
    }

    fn answer(&mut self, status: &str, answer: &'a Value) -> Answer {
        let (media, schema) = members(&answer["content"]).next().map_or(("", None), |(media, content)| (media.as_str(), content.get("schema")));
        Answer {
            status: status.to_owned(),
            meaning: text(&answer["description"]),
            media: media.to_owned(),
            shape: schema.filter(|_| media != PROBLEM).map(|schema| self.shape(schema)),
        }
    }

    /// The index of the shape; the same name is the same shape.
    fn shape(&mut self, schema: &'a Value) -> u32 {
        let (name, inner, _) = self.kind(schema);
        let found = self.shapes.iter().position(|shape| shape.name == name && !matches!(name.as_str(), "object" | "list of object"));
        let index = found.unwrap_or_else(|| {
            let mut fields = Vec::new();
            self.fields(inner, 0, &mut fields);
            self.shapes.push(Shape { name, fields });
            self.shapes.len() - 1
        });
        u32::try_from(index).unwrap_or_default()
    }

    /// Appends the members of an object, each followed by its own.
    fn fields(&self, schema: &'a Value, depth: u8, out: &mut Vec<Field>) {
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.fields(self.resolved(part).0, depth, out);
        }
        let required = schema["required"].as_array();
        for (name, member) in members(&schema["properties"]) {
            let (kind, inner, note) = self.kind(member);
            let own = text(&member["description"]);
            out.push(Field {
                depth,
                name: name.clone(),
                kind,
                meaning: if own.is_empty() { note } else { own },
                required: required.is_some_and(|all| all.iter().any(|each| each.as_str() == Some(name))),
            });
            if depth < DEEPEST {
                self.fields(inner, depth + 1, out);
            }
        }
    }

    /// What a reference leads to, and its name.
    fn resolved(&self, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
        let Some(reference) = schema["$ref"].as_str() else { return (schema, None) };
        let found = self.document.pointer(reference.trim_start_matches('#')).unwrap_or(schema);
        (found, reference.rsplit('/').next())
    }

    /// The type in words, the schema that has its members, and what it says of itself.
    fn kind(&self, schema: &'a Value) -> (String, &'a Value, String) {
        let (inner, name) = self.resolved(schema);
        let note = text(&inner["description"]);
        if let Some(choices) = inner["oneOf"].as_array().or_else(|| inner["anyOf"].as_array()) {
            let real: Vec<_> = choices.iter().filter(|choice| choice["type"] != "null").collect();
            let or_null = if real.len() < choices.len() { " or null" } else { "" };
            if let [only] = real[..] {
                let (kind, inner, note) = self.kind(only);
                return (format!("{kind}{or_null}"), inner, note);
            }
            return (name.map_or_else(|| "any of several".to_owned(), str::to_owned), inner, note);
        }
        let (of, or_null) = match &inner["type"] {
            Value::Array(types) => {
                let real = types.iter().filter_map(Value::as_str).find(|each| *each != "null").unwrap_or("any");
                (real, if types.iter().any(|each| each == "null") { " or null" } else { "" })
            }
            one => (one.as_str().unwrap_or("any"), ""),
        };
        match of {
            "array" => {
                let (kind, items, _) = self.kind(&inner["items"]);
                (format!("list of {kind}{or_null}"), items, note)
            }
            "object" if inner["additionalProperties"].is_object() => {
                let (kind, values, _) = self.kind(&inner["additionalProperties"]);
                (format!("map of {kind}{or_null}"), values, note)
            }
            of => {
                let word = name.filter(|_| of == "object" || of == "any").unwrap_or(of);
                (format!("{}{or_null}", word.replace("List_", "page of ")), inner, note)
            }
        }
    }
}

fn example_in(schema: &Value) -> Option<String> {
    typed(&schema["example"]).or_else(|| typed(&schema["examples"][0]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "paths": {"/api/v1/orders/{id}": {"post": {
                "operationId": "post_orders_id", "tags": ["orders"], "summary": "Does it.",
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}, "example": "7", "description": "Which"},
                    {"name": "limit", "in": "query", "schema": {"type": ["integer", "null"], "examples": [50]}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Order"}]}, "example": {"n": 1}}}},
                "responses": {
                    "200": {"description": "Done", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/List_Order"}}}},
                    "default": {"description": "Else", "content": {"application/problem+json": {"schema": {"type": "object"}}}},
                },
            }}},
            "components": {"schemas": {
                "List_Order": {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}}}},
                "Order": {"type": "object", "required": ["n"], "properties": {
                    "n": {"type": "integer", "description": "How many"},
                    "price": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Money"}], "description": "When known"},
                    "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                }},
                "Money": {"type": "object", "properties": {"micros": {"type": "integer"}}},
            }},
        })
    }

    #[test]
    fn an_operation_is_read_with_its_fields_in_order() {
        let reference = reference(&document());
        let operation = &reference.groups[0].operations[0];
        assert_eq!((operation.method.as_str(), operation.guarded), ("POST", true));
        assert_eq!(operation.parameters[0].example, "7");
        assert_eq!((operation.parameters[1].kind.as_str(), operation.parameters[1].example.as_str()), ("integer", "50"));
        assert_eq!(operation.body.as_ref().map(|body| body.example.as_str()), Some("{\n  \"n\": 1\n}"));
        let shape = |answer: &Answer| answer.shape.map(|index| reference.shapes[index as usize].clone());
        let list = shape(&operation.answers[0]).expect("a shape");
        assert_eq!(list.name, "page of Order");
        let lines: Vec<_> = list.fields.iter().map(|field| format!("{} {} {}", field.depth, field.name, field.kind)).collect();
        assert_eq!(lines, ["0 items list of Order", "1 n integer", "1 price Money or null", "2 micros integer", "1 tags map of string"]);
        assert!(list.fields[1].required && list.fields[2].meaning == "When known");
        assert_eq!(shape(&operation.answers[1]), None, "problems are all alike");
    }

    #[test]
    fn a_shape_that_holds_itself_ends() {
        let document = json!({
            "paths": {"/x": {"get": {"security": [{}], "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}}}}},
            "components": {"schemas": {"Tree": {"type": "object", "properties": {"branch": {"$ref": "#/components/schemas/Tree"}}}}},
        });
        let reference = reference(&document);
        assert_eq!(reference.shapes[0].fields.len(), usize::from(DEEPEST) + 1);
        assert!(!reference.groups[0].operations[0].guarded);
    }
}
