//! Searching the record. Only auditors read it, and reading it is recorded (F3).

use domain::{
    Error, Problem, Result,
    access::Action,
    audit::{Chain, Filter, Listed},
    ids::AuditEventId,
    page::{MAX_LIMIT, Page, PageRequest},
};
use serde_json::{Map, Value};
use storage::audit::read::Cursor;

use super::{Entry, action, recording, success};
use crate::{Caller, Services, error::OrDomain};

/// Searches the records of the caller's tenant and of the system, newest first.
///
/// Errors: `Forbidden`; `Invalid` on `limit` or `after`. Reading is recorded once a minute for each caller and filter.
pub async fn search(services: &Services, caller: &Caller, filter: &Filter, page: &PageRequest) -> Result<Page<Listed>> {
    let filter = tidy(filter);
    let entry = || Entry::new(action(Action::AuditRead), "audit", "", "").after(described(&filter));
    recording(services, caller, entry, async {
        let courses = caller.actor.extent(Action::AuditRead)?.courses();
        if !(1..=MAX_LIMIT).contains(&page.limit) {
            return Err(Error::field("limit", Problem::OutOfRange { min: 1, max: MAX_LIMIT.into() }));
        }
        let after = match &page.after {
            Some(text) => Some(Cursor::parse(text).ok_or_else(|| Error::field("after", Problem::NoSuch))?),
            None => None,
        };
        record_reading(services, caller, entry()).await?;
        // The system's records are the college's business.
        let chains = [Chain::Tenant(caller.actor.tenant), Chain::System];
        let chains = if courses.is_some() { &chains[..1] } else { &chains[..] };
        let mut connection = services.db.read().await.or_domain()?;
        // One more than asked tells whether there is a next page.
        let mut items = storage::audit::read::search(&mut connection, services.db.engine(), chains, courses.as_ref(), &filter, after, page.limit + 1)
            .await
            .or_domain()?;
        let more = items.len() > page.limit as usize;
        items.truncate(page.limit as usize);
        let next = items.last().filter(|_| more).map(|last| Cursor { at: last.event.at, id: last.event.id }.to_string());
        Ok(Page { items, next })
    })
    .await
}

/// One record. Errors: `Forbidden`; `NotFound` also for another tenant's.
pub async fn get(services: &Services, caller: &Caller, id: AuditEventId) -> Result<Listed> {
    let entry = || Entry::new(action(Action::AuditRead), "audit", id, "");
    recording(services, caller, entry, async {
        let courses = caller.actor.extent(Action::AuditRead)?.courses();
        let found = {
            let mut connection = services.db.read().await.or_domain()?;
            storage::audit::read::by_id(&mut connection, id).await.or_domain()?
        };
        let mine = |listed: &Listed| matches!(listed.event.chain, Chain::System) || listed.event.chain == Chain::Tenant(caller.actor.tenant);
        let covered = |listed: &Listed| courses.as_ref().is_none_or(|courses| listed.event.course.is_some_and(|course| courses.contains(&course)));
        let listed = found.filter(mine).filter(covered).ok_or(Error::NotFound)?;
        let label = listed.event.object.label.clone();
        record_reading(services, caller, Entry::new(action(Action::AuditRead), "audit", id, label)).await?;
        Ok(listed)
    })
    .await
}

/// As it is compared: trimmed, logins in lower case, nothing for empty.
fn tidy(filter: &Filter) -> Filter {
    let Filter { person, action, object, outcome, text, from, to } = filter;
    let trimmed = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    Filter {
        person: trimmed(person).map(|login| login.to_lowercase()),
        action: trimmed(action),
        object: trimmed(object),
        outcome: *outcome,
        text: trimmed(text),
        from: *from,
        to: *to,
    }
}

/// The filter as a document, without what was not asked for.
fn described(filter: &Filter) -> Value {
    let Ok(Value::Object(all)) = serde_json::to_value(filter) else { return Value::Null };
    Value::Object(all.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
}

/// Before anything is shown. The same question within a minute (another page, a reload) is one reading.
async fn record_reading(services: &Services, caller: &Caller, entry: Entry) -> Result<()> {
    let what = entry.after.as_ref().map(domain::audit::canonical_json).unwrap_or_default();
    let key = (caller.actor.user, format!("{} {what}", entry.object.id));
    services
        .cache
        .readings
        .get_or_load(key, services.clock.now(), async {
            let mut write = services.db.begin_write().await.or_domain()?;
            success(services, &mut write, caller, entry).await?;
            write.commit().await.or_domain()
        })
        .await?;
    Ok(())
}
