//! The description of the API as the page shows it: flat lists instead of nested schemas.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reference {
    pub groups: Vec<Group>,
    /// What bodies and answers are made of; operations share them by index.
    pub shapes: Vec<Shape>,
}

/// Operations of one tag, in the document's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub tag: String,
    pub operations: Vec<Operation>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Unique; the anchor on the page.
    pub id: String,
    /// `GET`, `POST`, ...
    pub method: String,
    /// With the prefix: `/api/v1/orders/{id}`.
    pub path: String,
    pub summary: String,
    /// Further sentences.
    pub about: String,
    /// Needs a token.
    pub guarded: bool,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub answers: Vec<Answer>,
}

impl Operation {
    /// Whether it changes something.
    pub fn changes(&self) -> bool {
        self.method != "GET"
    }

    /// Whether it has every word of `query` somewhere.
    pub fn matches(&self, query: &str) -> bool {
        let all = format!("{} {} {} {}", self.method, self.path, self.summary, self.id).to_lowercase();
        query.to_lowercase().split_whitespace().all(|word| all.contains(word))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Path,
    Query,
    Header,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub place: Place,
    pub kind: String,
    pub meaning: String,
    pub required: bool,
    /// Empty when the document has none.
    pub example: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    pub required: bool,
    pub shape: u32,
    /// JSON, indented.
    pub example: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `201`, or `default`.
    pub status: String,
    pub meaning: String,
    pub media: String,
    /// Left out for problem documents, which are all alike.
    pub shape: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    pub name: String,
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// 0 for a member of the whole.
    pub depth: u8,
    pub name: String,
    pub kind: String,
    pub meaning: String,
    pub required: bool,
}

#[cfg(test)]
mod tests {
    use super::Operation;

    #[test]
    fn every_word_of_a_search_must_be_there() {
        let operation = Operation {
            id: "post_orders".into(),
            method: "POST".into(),
            path: "/api/v1/orders".into(),
            summary: "Orders a lab.".into(),
            about: String::new(),
            guarded: true,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
        };
        assert!(operation.matches("") && operation.matches("post LAB") && operation.changes());
        assert!(!operation.matches("post bill"));
    }
}
