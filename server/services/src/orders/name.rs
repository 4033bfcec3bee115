//! In whose name the caller decides: their own, or that of somebody who is away (C2).

use domain::{
    Result,
    delegations::{Absent, in_whose_name, lendable, may_decide},
    orders::Order,
    people::PersonRef,
};
use storage::AnyConnection;

use crate::{Caller, Services, delegations, error::OrDomain};

/// `None` in the caller's own. No statement for who may decide by their own roles, one otherwise. Errors: as [`in_whose_name`].
pub(super) async fn of(services: &Services, connection: &mut AnyConnection, caller: &Caller, order: &Order) -> Result<Option<PersonRef>> {
    match may_decide(&caller.actor, order) {
        Err(refusal) if lendable(&refusal) => {}
        own => return own.map(|()| None),
    }
    let away = delegations::away_exactly(services, connection, &caller.actor).await?;
    Ok(in_whose_name(&caller.actor, &away, order)?.map(Absent::person))
}

/// The same outside a transaction.
pub(super) async fn before(services: &Services, caller: &Caller, order: &Order) -> Result<Option<PersonRef>> {
    match may_decide(&caller.actor, order) {
        Err(refusal) if lendable(&refusal) => {}
        own => return own.map(|()| None),
    }
    let mut connection = services.db.read().await.or_domain()?;
    of(services, &mut connection, caller, order).await
}
