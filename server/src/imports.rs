//! Files of lists: uploading one, samples, each row's result, and the links of the people that a list made. Server functions neither
//! take nor give files. Errors go back to the page where the form is, as those of server functions do.

use app::{flash::Flash, imports::words, language, preferences::Preferences, routes};
use axum::{
    Extension,
    extract::{Multipart, Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use domain::{
    Error, Problem,
    error::FieldError,
    ids::ImportId,
    imports::{ImportKind, csv},
};
use http::{HeaderMap, HeaderValue, header};
use services::Caller;
use tower_sessions::Session;

use crate::{error_page, state::AppState};

/// What the form holds.
#[derive(Default)]
struct Form {
    kind: String,
    file_name: String,
    file: Vec<u8>,
    list: String,
}

impl Form {
    async fn read(mut parts: Multipart) -> Result<Self, Error> {
        let unreadable = |_| Error::Malformed { reason: "the form cannot be read".into() };
        let mut form = Self::default();
        while let Some(field) = parts.next_field().await.map_err(unreadable)? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().unwrap_or_default().to_owned();
            let bytes = field.bytes().await.map_err(unreadable)?;
            // A file may be UTF-16, so its content is checked when it is decoded.
            if name.contains('\0') || file_name.contains('\0') || (name != "file" && bytes.contains(&0)) {
                return Err(Error::Malformed { reason: "a text holds the character NUL, which no text may hold".into() });
            }
            match name.as_str() {
                "kind" => form.kind = String::from_utf8_lossy(&bytes).into_owned(),
                "list" => form.list = String::from_utf8_lossy(&bytes).into_owned(),
                "file" => (form.file_name, form.file) = (file_name, bytes.to_vec()),
                _ => {}
            }
        }
        Ok(form)
    }

    /// Whether the list is the file. An empty file is one too, unless something was pasted.
    fn is_file(&self) -> bool {
        !self.file.is_empty() || !self.file_name.is_empty() && self.list.trim().is_empty()
    }
}

/// Puts the problems of a list at the field that it came from.
fn at_file(error: Error) -> Error {
    match error {
        Error::Invalid(problems) => {
            let moved = |each: FieldError| if each.field == "list" { FieldError { field: "file".into(), ..each } } else { each };
            Error::Invalid(problems.into_iter().map(moved).collect())
        }
        other => other,
    }
}

/// `POST /imports/upload`: the file, or what was pasted where there is none.
pub async fn upload(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    session: Session,
    headers: HeaderMap,
    parts: Multipart,
) -> Response {
    let form = match Form::read(parts).await {
        Ok(form) => form,
        Err(error) => return error_page::answer(&headers, &error),
    };
    let looked_at = async {
        let kinds = || ImportKind::ALL.map(|kind| kind.as_str().to_owned()).to_vec();
        let kind = ImportKind::parse(&form.kind).ok_or_else(|| Error::field("kind", Problem::NotOneOf { choices: kinds() }))?;
        services::imports::allowed(&state.services, &caller, kind).await?;
        let text = if form.is_file() { services::imports::decode(&form.file)? } else { form.list.clone() };
        services::imports::preview(&state.services, &caller, kind, &form.file_name, &text).await
    };
    match looked_at.await.map_err(|error| if form.is_file() { at_file(error) } else { error }) {
        Ok(import) => Redirect::to(&routes::import(import.id)).into_response(),
        Err(error) => {
            let values = [("kind".to_owned(), form.kind)].into();
            match app::caller::leave_flash(&session, "upload", Flash { values, error: Some(error) }).await {
                Ok(()) => Redirect::to(routes::IMPORTS).into_response(),
                Err(error) => error_page::answer(&headers, &error),
            }
        }
    }
}

/// `GET /imports/sample/people.csv`
pub async fn sample(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match name.strip_suffix(".csv").and_then(ImportKind::parse) {
        Some(kind) => file(&name, csv::sample(kind, chinese(&headers))),
        None => error_page::answer(&headers, &Error::NotFound),
    }
}

/// `GET /imports/{id}/result.csv`
pub async fn result(State(state): State<AppState>, Extension(caller): Extension<Caller>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let language = reader(&headers).language;
    let text = async {
        let id = id.parse::<ImportId>().map_err(|_| Error::NotFound)?;
        // The kind names the columns of the problems; the list itself checks who asks.
        let (import, _) = services::imports::get(&state.services, &caller, id, None, &domain::page::PageRequest::default()).await?;
        let word = |row: &domain::imports::ImportRow| [words::row_text(language, row).to_owned(), words::problems_text(language, import.kind, row)];
        services::imports::result_list(&state.services, &caller, id, chinese(&headers), word).await
    };
    match text.await {
        Ok(text) => file("result.csv", text),
        Err(error) => error_page::answer(&headers, &error),
    }
}

/// `POST /imports/{id}/links.csv`: once.
pub async fn links(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    // What is no id names nothing, and no page to go back to either.
    let Ok(id) = id.parse::<ImportId>() else { return error_page::answer(&headers, &Error::NotFound) };
    match services::imports::link_list(&state.services, &caller, id, chinese(&headers), &app::caller::site_of(&state.services, &headers)).await {
        Ok(text) => file("links.csv", text),
        Err(error) => match app::caller::leave_flash(&session, "import", Flash { error: Some(error), ..Flash::default() }).await {
            Ok(()) => Redirect::to(&routes::import(id)).into_response(),
            Err(error) => error_page::answer(&headers, &error),
        },
    }
}

fn reader(headers: &HeaderMap) -> Preferences {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    Preferences::from_headers(text(header::COOKIE), text(header::ACCEPT_LANGUAGE))
}

fn chinese(headers: &HeaderMap) -> bool {
    reader(headers).language == language::Language::zh_CN
}

fn file(name: &str, text: String) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition),
        // Links must not stay in a cache.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, text).into_response()
}
