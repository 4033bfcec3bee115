//! Who is asking, and the services: the only reader of Leptos context on the server.

use crate::{caller_view::Viewer, error::AppError};

/// The signed-in person as the layout shows them.
#[expect(clippy::unused_async, reason = "asks the session store once it is wired")]
pub async fn viewer() -> Result<Option<Viewer>, AppError> {
    Ok(leptos::prelude::use_context())
}
