//! Who takes a course: read, and replaced as a whole.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    bearer::Bearer,
    body::{Fields, Raw},
    orders::id,
    problem::Problem,
};
use crate::state::AppState;

/// The students of a course, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Roster {
    pub students: Vec<Student>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Student {
    #[schema(example = "2024010117")]
    pub number: String,
    /// Empty where only the number is known.
    #[schema(example = "李华")]
    pub name: String,
}

impl From<Vec<domain::roster::Student>> for Roster {
    fn from(students: Vec<domain::roster::Student>) -> Self {
        Self { students: students.into_iter().map(|domain::roster::Student { number, name }| Student { number, name }).collect() }
    }
}

/// Body of a new roster. In place of `roster` it may have `students`, as the roster is shown.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewRoster {
    /// One student a line, number and name, up to 200; empty for nobody.
    #[schema(example = "2024010117 李华\n2024010118")]
    roster: String,
}

/// Who takes a course.
#[utoipa::path(get, path = "/api/v1/courses/{id}/roster", tag = "courses", params(("id" = String, Path)), responses((status = 200, body = Roster)))]
pub async fn show(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<Json<Roster>, Problem> {
    Ok(Json(services::courses::roster(&state.services, &caller, id(&text)?).await?.into()))
}

/// Replaces who takes a course. Orders that were made keep their seats.
#[utoipa::path(put, path = "/api/v1/courses/{id}/roster", tag = "courses", params(("id" = String, Path)), request_body = NewRoster,
    responses((status = 200, body = Roster)))]
pub async fn set(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>, raw: Raw) -> Result<Json<Roster>, Problem> {
    let mut body = Fields::parse(&raw)?;
    let roster = if body.has("roster") { body.text("roster") } else { listed(&mut body).unwrap_or_else(|| body.text("roster")) };
    body.finish()?;
    Ok(Json(services::courses::set_roster(&state.services, &caller, id(&text)?, &roster).await?.into()))
}

/// Students as the API shows them, as text. A number or a name that would read otherwise as text is refused here.
fn listed(body: &mut Fields) -> Option<String> {
    const EXAMPLE: &str = r#"[{"number": "2024010117", "name": "李华"}]"#;
    if !body.has("students") {
        return None;
    }
    let rows = body.rows("students", ["number", "name"], EXAMPLE).unwrap_or_default();
    let students: Vec<_> = rows.into_iter().map(|[number, name]| domain::roster::Student { number, name }).collect();
    let is_plain = |number: &str| !number.is_empty() && number.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if students.iter().any(|student| !is_plain(&student.number) || student.name.contains(char::is_control)) {
        body.refuse("students", EXAMPLE);
    }
    Some(domain::roster::text(&students))
}
