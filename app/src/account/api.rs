//! One's own name, password, sessions and tokens.

use std::collections::BTreeSet;

use domain::{
    access::Scope,
    ids::TokenId,
    people::{JoinedIdentity, Post, SessionView},
    time::Timestamp,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// A token as its owner sees it; the secret was shown once and is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: TokenId,
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
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
pub async fn tokens() -> Result<Vec<Token>, AppError> {
    use crate::caller::{caller, services};
    let tokens = services::tokens::list(&services()?, &caller()?).await?;
    Ok(tokens
        .into_iter()
        .map(|token| Token {
            id: token.id,
            name: token.name,
            scopes: token.scopes,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
        })
        .collect())
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
