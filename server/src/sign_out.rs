//! `POST /sign-out`: ends the session here and in the database; the next page is sign-in.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use http::HeaderMap;
use services::Caller;
use tower_sessions::Session;

use crate::{error_page, state::AppState};

pub async fn sign_out(State(state): State<AppState>, Extension(caller): Extension<Caller>, session: Session, headers: HeaderMap) -> Response {
    let ended = async {
        services::accounts::sign_out(&state.services, &caller).await?;
        app::caller::drop_session(&session).await
    };
    match ended.await {
        Ok(()) => Redirect::to(app::routes::SIGN_IN).into_response(),
        Err(error) => error_page::answer(&headers, &error),
    }
}
