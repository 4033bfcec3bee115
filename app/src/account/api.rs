//! One's own name, password, sessions and tokens.

use domain::{
    ids::TokenId,
    people::{JoinedIdentity, Post, SessionView},
    time::Timestamp,
    tokens::TokenView,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// The caller's tokens, and what a form for another one needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub tokens: Vec<TokenView>,
    /// Of the token that the form makes: sent twice, it makes one.
    pub next: TokenId,
    pub now: Timestamp,
}

/// Every other session ends; this one goes on under a new id.
#[server(ChangePassword, endpoint = "account/password")]
pub async fn change_password(#[server(default)] current: String, #[server(default)] new: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        let version = services::accounts::change_password(&services()?, &caller()?, &current, &new).await?;
        renew_session(version).await
    }
    .await;
    let done = || routes::with_query(routes::ACCOUNT, &[("done", "password")]);
    answer("password", routes::ACCOUNT, typed([]), result, |()| done()).await
}

#[server(ListTokens, endpoint = "account/tokens", input = GetUrl)]
pub async fn tokens() -> Result<Tokens, AppError> {
    use crate::caller::{caller, services};
    let (services, caller) = (services()?, caller()?);
    let tokens = services::tokens::list(&services, &caller).await?;
    Ok(Tokens { tokens, next: TokenId::from_uuid(services.entropy.uuid()), now: services.clock.now() })
}

#[server(CreateToken, endpoint = "account/create-token")]
pub async fn create_token(
    id: String,
    #[server(default)] token_name: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] days: String,
) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let mut typed = typed([("token_name", &token_name), ("days", &days)]);
    typed.extend(scopes.iter().map(|scope| (format!("scopes.{scope}"), "on".to_owned())));
    let form = domain::tokens::TokenForm { name: token_name, scopes, days };
    let result = async {
        let made = services::tokens::create(&services()?, &caller()?, id_of(&id)?, &form).await;
        // The page has another name on it.
        Ok(made.map_err(|error| error.at("name", "token_name"))?)
    }
    .await;
    answer("token", routes::ACCOUNT, typed, result, |()| routes::with_query(routes::ACCOUNT, &[("token", &id)])).await
}

/// The secret of a token that was made a moment ago, for its maker; the second look finds nothing. Posted, so that it stands in no address.
#[server(TakeToken, endpoint = "account/take-token")]
#[cfg_attr(feature = "ssr", allow(clippy::unused_async, reason = "the macro writes it twice, and only one of the two never waits"))]
pub async fn take_token(id: String) -> Result<Option<String>, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::tokens::take(&services()?, &caller()?, id_of(&id)?))
}

#[server(RevokeToken, endpoint = "account/revoke-token")]
pub async fn revoke_token(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::tokens::revoke(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("token", routes::ACCOUNT, typed([]), result, |()| routes::ACCOUNT.to_owned()).await
}

#[server(Rename, endpoint = "account/rename")]
pub async fn rename(#[server(default)] name: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("name", &name)]);
    let result = async { Ok(services::accounts::rename(&services()?, &caller()?, &name).await?) }.await;
    answer("rename", routes::ACCOUNT, typed, result, |()| routes::ACCOUNT.to_owned()).await
}

/// One's roles at departments.
#[server(ListPosts, endpoint = "account/posts", input = GetUrl)]
pub async fn posts() -> Result<Vec<Post>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::accounts::posts(&services()?, &caller()?).await?)
}

/// That one's account is joined to the identity provider, if it is.
#[server(GetIdentity, endpoint = "account/identity", input = GetUrl)]
pub async fn identity() -> Result<Option<JoinedIdentity>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::accounts::external::joined(&services()?, &caller()?).await?)
}

#[server(RemoveIdentity, endpoint = "account/remove-identity")]
pub async fn remove_identity() -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::accounts::external::remove(&services()?, &caller()?).await?) }.await;
    answer("identity", routes::ACCOUNT, typed([]), result, |()| routes::ACCOUNT.to_owned()).await
}

#[server(ListSessions, endpoint = "account/sessions", input = GetUrl)]
pub async fn sessions() -> Result<Vec<SessionView>, AppError> {
    use crate::caller::{caller, services, session_id};
    Ok(services::accounts::list_sessions(&services()?, &caller()?, &session_id()?).await?)
}

#[server(EndSession, endpoint = "account/end-session")]
pub async fn end_session(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::accounts::end_session(&services()?, &caller()?, &id).await?) }.await;
    answer("session", routes::ACCOUNT, typed([]), result, |()| routes::ACCOUNT.to_owned()).await
}

#[server(EndOtherSessions, endpoint = "account/end-other-sessions")]
pub async fn end_other_sessions() -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        services::accounts::end_other_sessions(&services()?, &caller()?, &session_id()?).await?;
        Ok(())
    }
    .await;
    answer("session", routes::ACCOUNT, typed([]), result, |()| routes::ACCOUNT.to_owned()).await
}
