//! Who is signed in.

use leptos::prelude::*;

use crate::{caller_view::Viewer, error::AppError};

/// The signed-in person; `None` when nobody is.
#[server(endpoint = "session/viewer")]
pub async fn viewer() -> Result<Option<Viewer>, AppError> {
    crate::caller::viewer().await
}
