//! The provider's answer to a code. The library's own struct refuses the whole answer for a member that is not used here, such as
//! `expires_in` as a text; this one has only the members that are used.

use std::time::Duration;

use http::HeaderValue;
use openidconnect::{
    AccessToken, EmptyAdditionalClaims, IdToken, OAuth2TokenResponse, RefreshToken, Scope, TokenResponse,
    core::{CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreTokenType},
};
use serde::{Deserialize, Serialize};

use super::{
    claims::Claims,
    failure::Failure,
    signed::{self, Expected},
};

#[derive(Debug, Serialize, Deserialize)]
pub struct Tokens {
    access_token: AccessToken,
    /// Unparsed: [`signed::id_token`] reads it.
    #[serde(default)]
    id_token: Option<String>,
}

impl Tokens {
    /// Subject and claims of the ID token. Errors: as [`signed::id_token`].
    pub fn identity(&self, expected: &Expected<'_>) -> Result<(String, Claims), Failure> {
        let token = self.id_token.as_deref().ok_or_else(|| Failure::Unusable("it gave no ID token".to_owned()))?;
        signed::id_token(token, Some(&self.access_token), expected)
    }

    /// The access token as the value of an `Authorization` header.
    pub fn bearer(&self) -> Result<HeaderValue, Failure> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.access_token.secret()))
            .map_err(|_| Failure::Unusable("the `access_token` is not plain text".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl OAuth2TokenResponse for Tokens {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }
    /// The portal always sends it as a bearer token, so the provider's value is ignored.
    fn token_type(&self) -> &CoreTokenType {
        &CoreTokenType::Bearer
    }
    fn expires_in(&self) -> Option<Duration> {
        None
    }
    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }
    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl TokenResponse<EmptyAdditionalClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm> for Tokens {
    /// The library's own parsing is not used: see [`Self::identity`].
    fn id_token(&self) -> Option<&IdToken<EmptyAdditionalClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_nobody_reads_may_be_of_any_type() {
        let odd = json!({"access_token": "a", "id_token": "h.c.s", "token_type": 5, "expires_in": "3600", "scope": ["openid"], "refresh_token": {}});
        let tokens: Tokens = serde_json::from_value(odd).unwrap();
        assert_eq!((tokens.access_token.secret().as_str(), tokens.id_token.as_deref()), ("a", Some("h.c.s")));
        assert_eq!(tokens.bearer().unwrap(), "Bearer a");
        serde_json::from_value::<Tokens>(json!({"id_token": "h.c.s"})).unwrap_err();
    }
}
