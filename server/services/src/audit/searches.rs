//! Searches that auditors keep under a name (F4). Everybody's own, or every auditor's of the tenant; keeping and dropping is recorded.

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    audit::{Filter, SavedSearch, search},
    ids::AuditSearchId,
    people::PersonRef,
};
use serde_json::json;
use storage::audit::searches;

use super::{Entry, recording, success};
use crate::{Caller, Services, error::OrDomain};

/// How many one person may keep; a list that is longer helps nobody.
const MOST: u32 = 50;
/// How many are shown, shared ones included.
const SHOWN: u32 = 200;

/// One's own and what others share, in order of name. One statement. Errors: `Forbidden`, `ScopeMissing`.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<SavedSearch>> {
    caller.actor.can(Action::AuditRead, &Resource::tenant(caller.actor.tenant))?;
    let mut connection = services.db.read().await.or_domain()?;
    searches::visible(&mut connection, caller.actor.tenant, caller.actor.user, SHOWN).await.or_domain()
}

/// Keeps a search. Errors: `Forbidden`; `Invalid` on `name` (`Taken` by another of one's own), or on `searches` when there are too many.
pub async fn save(services: &Services, caller: &Caller, name: &str, filter: &Filter, shared: bool) -> Result<SavedSearch> {
    let label = || name.trim().chars().take(search::NAME_MAX as usize).collect::<String>();
    recording(services, caller, || Entry::new("audit.search_save", "audit_search", "", label()), async {
        let actor = &caller.actor;
        actor.can(Action::AuditRead, &Resource::tenant(actor.tenant))?;
        let saved = SavedSearch {
            id: AuditSearchId::from_uuid(services.entropy.uuid()),
            owner: PersonRef { id: actor.user, login: actor.login.clone(), name: actor.name.clone() },
            name: search::check_name(name)?,
            shared,
            filter: filter.tidy(),
            created_at: services.clock.now(),
        };
        let mut write = services.db.begin_write().await.or_domain()?;
        if searches::count(&mut write, actor.user).await.or_domain()? >= MOST {
            return Err(Error::field("searches", Problem::OutOfRange { min: 0, max: MOST.into() }));
        }
        searches::insert(&mut write, actor.tenant, &saved).await.map_err(|error| {
            let taken = error.is_not_unique("audit_searches", "owner_id");
            if taken { Error::field("name", Problem::Taken) } else { crate::error::from_storage(error) }
        })?;
        let entry = Entry::new("audit.search_save", "audit_search", saved.id, saved.name.as_str());
        success(services, &mut write, caller, entry.after(tracked(&saved))).await?;
        write.commit().await.or_domain()?;
        Ok(saved)
    })
    .await
}

/// Drops one of one's own. Doing it twice is no error. Errors: `NotFound` for a colleague's that is not shared; `Forbidden` for one that is.
pub async fn delete(services: &Services, caller: &Caller, id: AuditSearchId) -> Result<()> {
    recording(services, caller, || Entry::new("audit.search_delete", "audit_search", id, ""), async {
        let actor = &caller.actor;
        actor.can(Action::AuditRead, &Resource::tenant(actor.tenant))?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let Some(saved) = searches::find(&mut write, actor.tenant, id).await.or_domain()? else { return Ok(()) };
        if saved.owner.id != actor.user {
            return Err(if saved.shared { Error::Forbidden } else { Error::NotFound });
        }
        searches::delete(&mut write, id).await.or_domain()?;
        let entry = Entry::new("audit.search_delete", "audit_search", id, saved.name.as_str());
        success(services, &mut write, caller, entry.before(tracked(&saved))).await?;
        write.commit().await.or_domain()
    })
    .await
}

/// What the record keeps of it. Without `..`: a new field must be classed before this compiles.
fn tracked(search: &SavedSearch) -> serde_json::Value {
    let SavedSearch { id: _, owner: _, name, shared, filter, created_at: _ } = search;
    json!({"name": name, "shared": shared, "filter": super::read::described(filter)})
}
