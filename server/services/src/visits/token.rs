//! Entering by an access token, for programs like `lectern ssh`: without a session of the portal, a ticket or a cookie. The pass is bound to
//! the token and the client's address, and further connections from there are made by the same one.

use std::sync::Arc;

use domain::{
    Error, Result,
    access::{Action, Resource},
    audit::Via,
    ids::{PassId, TokenId},
    labs::{Lab, LabState},
    visits::VisitRole,
};
use serde_json::json;
use storage::visits::TokenPass;

use super::{
    admit::{Doubts, lab_of, remember},
    entry::Entry,
    open::attempt,
    record,
};
use crate::{
    Caller, Origin, Services,
    audit::{self, Entry as Record},
    digest::hex_sha256,
    error::OrDomain,
    secret, tokens,
};

/// The token's right to the lab with this label, for one connection. `token`: the secret; `address`: of the client.
///
/// Errors: `Unauthenticated`; `NotFound`, `Forbidden`, `ScopeMissing` (`labs:write`); `InvalidTransition` for a lab that is destroyed.
pub async fn enter_by_token(services: &Services, label: &str, token: &str, address: Option<&str>) -> Result<Arc<Entry>> {
    let origin = Origin { via: Via::Api, address: address.map(ToOwned::to_owned), request_id: None, device: None };
    let (actor, token) = match tokens::identify(services, token).await {
        Ok(identified) => identified,
        Err(error) => {
            if error == Error::Unauthenticated {
                audit::unauthenticated(services, &origin, "token.authenticate", None, error.code());
            }
            return Err(error);
        }
    };
    let caller = Caller { actor, origin };
    let seen = match lab_of(services, label).await? {
        Some(id) => {
            let mut read = services.db.read().await.or_domain()?;
            storage::labs::get(&mut read, id).await.or_domain()?
        }
        None => None,
    };
    let what = || seen.as_ref().map_or_else(|| Record::new("lab.open", "lab", "", ""), |lab| attempt(&caller, lab.id, Some(lab), false));
    audit::recording(services, &caller, what, async {
        let lab = seen.as_ref().ok_or(Error::NotFound)?;
        caller.actor.can(Action::LabEnter, &Resource::owned(lab.tenant, lab.course, lab.owner))?;
        if matches!(lab.state, LabState::Destroying | LabState::Destroyed) {
            return Err(Error::InvalidTransition { state: lab.state.as_str().into(), event: "open".into() });
        }
        entry(services, &caller, token, lab).await
    })
    .await
}

/// The pass that there is, or a new one.
async fn entry(services: &Services, caller: &Caller, token: TokenId, lab: &Lab) -> Result<Arc<Entry>> {
    let address = caller.origin.address.as_deref();
    if let Some(entry) = services.visits.of_token(token, lab.id, address) {
        entry.admitted(services.clock.now());
        return Ok(entry);
    }
    let known = {
        let mut read = services.db.read().await.or_domain()?;
        storage::visits::by_token(&mut read, token, lab.id, address).await.or_domain()?
    };
    let facts = if let Some(facts) = known {
        facts
    } else {
        let pass = make(services, caller, token, lab).await?;
        let mut read = services.db.read().await.or_domain()?;
        storage::visits::of_passes(&mut read, &[pass]).await.or_domain()?.pop().ok_or(Error::NotFound)?
    };
    // No cookie has this key: cookies are known by their hashes, which are hexadecimal.
    let key = format!("token {}", facts.pass);
    // It is over if the token was revoked in this moment.
    remember(services, &facts, &key, Doubts::AreFollowed).await?.ok_or(Error::Unauthenticated)
}

/// The pass and its record in one transaction.
async fn make(services: &Services, caller: &Caller, token: TokenId, lab: &Lab) -> Result<PassId> {
    let role = VisitRole::of(&caller.actor, lab.course, lab.owner);
    let pass = TokenPass {
        id: PassId::from_uuid(services.entropy.uuid()),
        tenant: lab.tenant,
        lab: lab.id,
        user: caller.actor.user,
        token,
        role,
        address: caller.origin.address.clone(),
        at: services.clock.now(),
    };
    let ticket_of_nobody = hex_sha256(secret::random(&*services.entropy, ""));
    let mut write = services.db.begin_write().await.or_domain()?;
    storage::visits::insert_of_token(&mut write, &pass, &ticket_of_nobody).await.or_domain()?;
    let after = json!({"role": role.as_str(), "token": token.to_string()});
    audit::success(services, &mut write, caller, record("lab.open", lab).after(after)).await?;
    write.commit().await.or_domain()?;
    Ok(pass.id)
}
