//! What a one-time link is for, and using it up. Both are posted: the secret stands in no query.

use domain::people::Joining;
use leptos::prelude::*;

use crate::error::AppError;

#[server(GetJoining, endpoint = "join/show")]
pub async fn joining(#[server(default)] token: String) -> Result<Joining, AppError> {
    use crate::caller::services;
    Ok(services::people::joining(&services()?, &token).await?)
}

#[server(Join, endpoint = "join/complete")]
pub async fn join(#[server(default)] token: String, #[server(default)] name: String, #[server(default)] password: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        let signed_in = services::people::join(&services()?, &origin()?, &token, &name, &password).await?;
        begin_session(&signed_in).await
    }
    .await;
    answer("join", routes::SIGN_IN, typed([("name", &name)]), result, |()| routes::HOME.to_owned()).await
}
