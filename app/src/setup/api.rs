//! Making the first administrator of an empty installation.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// Whether nobody has an account yet.
#[server(SetupNeeded, endpoint = "setup/needed", input = GetUrl)]
pub async fn needed() -> Result<bool, AppError> {
    use crate::caller::services;
    Ok(services::setup::needed(&services()?).await?)
}

#[server(CompleteSetup, endpoint = "setup/complete")]
pub async fn complete(
    #[server(default)] code: String,
    #[server(default)] college: String,
    #[server(default)] login: String,
    #[server(default)] name: String,
    #[server(default)] password: String,
) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    // The code is a secret: it is typed again.
    let typed = typed([("college", &college), ("login", &login), ("name", &name)]);
    let person = domain::people::NewPerson { login, name, password };
    let result = async {
        let signed_in = services::setup::complete(&services()?, &origin()?, &code, &college, &person).await?;
        begin_session(&signed_in).await
    }
    .await;
    answer("setup", routes::SETUP, typed, result, |()| routes::HOME.to_owned()).await
}
