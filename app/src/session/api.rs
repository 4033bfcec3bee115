//! Who is signed in.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{caller_view::Viewer, error::AppError};

/// The signed-in person; `None` when nobody is.
#[server(GetViewer, endpoint = "session/viewer", input = GetUrl)]
pub async fn viewer() -> Result<Option<Viewer>, AppError> {
    crate::caller::viewer().await
}
