//! The only way into the API: `Authorization: Bearer lct_…`. A handler that takes a [`Bearer`] runs only for a good token.

use axum::extract::FromRequestParts;
use domain::{
    Error,
    access::{Action, Actor},
    audit::Via,
    ids::TokenId,
};
use http::{header, request::Parts};
use services::{Caller, Origin, audit::refusals::Progress};

use super::problem::Problem;
use crate::state::AppState;

/// The token of a request that was let in, for answers that go on for long. A handler takes it after [`Bearer`].
#[derive(Debug, Clone, Copy)]
pub struct OfToken(pub TokenId);

/// The person behind the token, narrowed to its scopes.
#[derive(Debug)]
pub struct Bearer(pub Caller);

impl FromRequestParts<AppState> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let origin = parts.extensions.get::<Origin>().cloned().unwrap_or(Origin { via: Via::Api, address: None, request_id: None, device: None });
        match authenticate(parts, state).await {
            Ok((actor, token)) => {
                parts.extensions.insert(OfToken(token));
                let caller = Caller { actor, origin };
                if let Some(progress) = parts.extensions.get::<Progress>() {
                    progress.is_of(&caller);
                }
                Ok(Self(caller))
            }
            Err(error) => {
                if error == Error::Unauthenticated {
                    services::audit::unauthenticated(&state.services, &origin, "token.authenticate", None, error.code());
                }
                Err(error.into())
            }
        }
    }
}

/// For a change that answers with what this action reads: a token without its scope changes nothing. Roles are looked at by the use case.
pub fn may_show(caller: &Caller, action: Action) -> Result<(), Error> {
    match caller.actor.extent(action) {
        Err(missing @ Error::ScopeMissing { .. }) => Err(missing),
        _ => Ok(()),
    }
}

async fn authenticate(parts: &Parts, state: &AppState) -> Result<(Actor, TokenId), Error> {
    let secret = parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim())
        .ok_or(Error::Unauthenticated)?;
    services::tokens::identify(&state.services, secret).await
}
