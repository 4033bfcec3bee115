//! A month of bills as a file: CSV or FOCUS as a stream of every interval, a workbook with breakdowns and lines, or a PDF. The pages' route and
//! the API's give the same; whoever takes one is on record.

mod csv;
mod focus;
mod pdf;
mod xlsx;

use app::{billing::file_words::FileWords, language, language::Language, preferences::Preferences};
use axum::{
    body::Body,
    extract::{Extension, Query, State},
    response::{IntoResponse as _, Response},
};
use domain::{Error, Problem, Result, time::Month};
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use services::{Caller, billing::Format};
use tower_sessions::Session;

use crate::{error_page, reading::Reader, state::AppState};

/// What is asked for, as in the URL.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    pub month: String,
    pub course: String,
    pub format: String,
}

impl Wanted {
    fn format(&self) -> Result<Format> {
        let all = || Problem::NotOneOf { choices: Format::ALL.iter().map(|format| format.as_str().to_owned()).collect() };
        Format::parse(&self.format).ok_or_else(|| Error::field("format", all()))
    }
}

/// `GET /billing/export`: a link on the month's page.
pub async fn download(
    State(state): State<AppState>,
    caller: Option<Extension<Caller>>,
    session: Session,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let language = Preferences::from_headers(text(header::COOKIE), text(header::ACCEPT_LANGUAGE)).language;
    let made = async {
        let Extension(caller) = caller.ok_or(Error::Unauthenticated)?;
        let reader = Reader::of_session(&state.services, &caller, &session).await?;
        file(&state, &caller, reader, &wanted, language).await
    };
    match made.await {
        Ok(response) => response,
        Err(error) => error_page::answer(&headers, &error),
    }
}

/// A stream breaks off when the reader may not read on. Errors: `Forbidden`; `NotFound` for a course; `Invalid` for the month, the format, or a workbook of too many lines.
pub async fn file(state: &AppState, caller: &Caller, reader: Reader, wanted: &Wanted, language: Language) -> Result<Response> {
    let services = &state.services;
    let format = wanted.format()?;
    let month = match wanted.month.as_str() {
        "" => services.clock.now().campus_month(),
        text => text.parse::<Month>().map_err(|_| Error::field("month", Problem::BadFormat { example: "2026-11".into() }))?,
    };
    let course = (!wanted.course.is_empty()).then_some(wanted.course.as_str());
    let export = services::billing::begin_export(services, caller, month, course, format).await?;
    let mut name = format!("lectern-{month}");
    if let Some(course) = &export.course {
        name.push('-');
        name.push_str(&course.code);
    }
    let words = FileWords::of(language);
    let (body, media, extension) = match format {
        Format::Csv => (Body::from_stream(reader.reads(csv::stream(services.clone(), export, &words))), "text/csv; charset=utf-8", "csv"),
        Format::Focus => {
            name.push_str("-focus");
            (Body::from_stream(reader.reads(focus::stream(services.clone(), export, &words))), "text/csv; charset=utf-8", "csv")
        }
        Format::Pdf => {
            let (groups, lines) = services::billing::export_courses(services, &export).await?;
            let now = services.clock.now();
            let made = tokio::task::spawn_blocking(move || pdf::bill(&words, &export, &groups, &lines, now)).await;
            (Body::from(made.map_err(|error| services::error::internal(&error))?), "application/pdf", "pdf")
        }
        Format::Xlsx => {
            let (groups, lines) = services::billing::export_lines(services, &export).await?;
            // Making and packing a workbook of fifty thousand lines takes a second: not on a thread that answers others.
            let made = tokio::task::spawn_blocking(move || xlsx::workbook(&words, &export, &groups, &lines)).await;
            let bytes = made.map_err(|error| services::error::internal(&error))?.map_err(|error| services::error::internal(&error))?;
            (Body::from(bytes), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx")
        }
    };
    // Course codes are ASCII, so the name needs no encoding.
    let disposition = format!("attachment; filename=\"{name}.{extension}\"");
    let disposition = HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(language::tag(language))),
    ];
    Ok((headers, body).into_response())
}

/// Micro-units as a plain decimal number, exactly: `-12.5`, `0.000001`.
fn decimal(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (whole, fraction) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{}", format!("{fraction:06}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_numbers() {
        assert_eq!([decimal(0), decimal(5_400_000), decimal(1), decimal(-12_500_000)], ["0", "5.4", "0.000001", "-12.5"]);
    }
}
