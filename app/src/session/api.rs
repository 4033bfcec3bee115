//! Who is signed in, and signing in. The form is the browser's own: after it the whole page is another's.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{caller_view::Viewer, error::AppError};

/// The signed-in person; `None` when nobody is.
#[server(GetViewer, endpoint = "session/viewer", input = GetUrl)]
pub async fn viewer() -> Result<Option<Viewer>, AppError> {
    crate::caller::viewer().await
}

/// `back` is where the reader wanted to go.
#[server(SignIn, endpoint = "session/sign-in")]
pub async fn sign_in(#[server(default)] login: String, #[server(default)] password: String, #[server(default)] back: String) -> Result<(), AppError> {
    use crate::{caller::*, preferences::safe_back, routes};
    let result = async {
        let signed_in = services::accounts::sign_in(&services()?, &origin()?, &login, &password).await?;
        begin_session(&signed_in).await
    }
    .await;
    answer("sign-in", routes::SIGN_IN, typed([("login", &login)]), result, |()| safe_back(&back).to_owned()).await
}
