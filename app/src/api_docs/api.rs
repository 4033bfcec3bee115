//! The description of the API, for those who are signed in.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::model::Reference;
use crate::error::AppError;

/// The OpenAPI document; the server puts it into the context of its pages.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, Copy)]
pub struct Document(pub &'static serde_json::Value);

#[server(ReadReference, endpoint = "api-docs/reference", input = GetUrl)]
pub async fn reference() -> Result<Reference, AppError> {
    async {
        crate::caller::caller()?;
        let Document(document) = use_context::<Document>().ok_or(AppError(domain::Error::NotFound))?;
        Ok(super::read::reference(document))
    }
    .await
}
