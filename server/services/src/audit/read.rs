//! Searching the record. Only auditors read it, and reading it is recorded (F3).

use domain::{
    Error, Problem, Result,
    access::Action,
    audit::{Chain, Filter, Inspected, Listed},
    ids::{AuditEventId, TenantId},
    page::{Page, PageRequest, Window},
    time::Timestamp,
};
use serde_json::{Map, Value};
use storage::{
    AnyConnection,
    audit::read::{Cursor, Side},
};

use super::{Entry, action, recording, success};
use crate::{Caller, Services, error::OrDomain};

/// Searches the records of the caller's tenant and of the system, newest first. The caller's own readings are left out unless the filter
/// asks for them: [`Filter::for_reader`].
///
/// Errors: `Forbidden`; `Invalid` on `limit` or `after`. Reading is recorded once in ten minutes for each caller and filter.
pub async fn search(services: &Services, caller: &Caller, filter: &Filter, page: &PageRequest) -> Result<Page<Listed>> {
    let filter = filter.tidy();
    let entry = || Entry::new(action(Action::AuditRead), "audit", "", "").after(described(&filter));
    recording(services, caller, entry, async {
        caller.actor.extent(Action::AuditRead)?;
        // One more than asked tells whether there is a next page.
        let rows = page.rows()?;
        let from = page.cursor(Cursor::parse)?.map_or(Side::Newest, Side::Older);
        record_reading(services, caller, entry()).await?;
        Ok(page.page(read(services, caller, &filter, from, rows).await?, place))
    })
    .await
}

/// The same for a page that can go back: `before` is the `newer` of the page that one comes from. Where the way back ends, the newest page
/// is given whole.
///
/// Errors: as [`search`]; `Invalid` also on `before`.
pub async fn browse(services: &Services, caller: &Caller, filter: &Filter, page: &PageRequest, before: Option<&str>) -> Result<Window<Listed>> {
    let Some(before) = before else {
        let Page { items, next } = search(services, caller, filter, page).await?;
        let newer = items.first().filter(|_| page.after.is_some()).map(place);
        return Ok(Window { items, newer, older: next });
    };
    let filter = filter.tidy();
    let entry = || Entry::new(action(Action::AuditRead), "audit", "", "").after(described(&filter));
    recording(services, caller, entry, async {
        caller.actor.extent(Action::AuditRead)?;
        let rows = page.rows()?;
        let from = Cursor::parse(before).ok_or_else(|| Error::field("before", Problem::NoSuch))?;
        record_reading(services, caller, entry()).await?;
        let mut items = read(services, caller, &filter, Side::Newer(from), rows).await?;
        if items.len() < rows as usize {
            let Page { items, next } = page.page(read(services, caller, &filter, Side::Newest, rows).await?, place);
            return Ok(Window { items, newer: None, older: next });
        }
        items.truncate(page.limit as usize);
        items.reverse();
        let (newer, older) = (items.first().map(place), items.last().map(place));
        Ok(Window { items, newer, older })
    })
    .await
}

fn place(listed: &Listed) -> String {
    Cursor { at: listed.event.at, id: listed.event.id }.to_string()
}

/// What the caller may see of it. The permission was asked for, and the reading is on record.
async fn read(services: &Services, caller: &Caller, filter: &Filter, side: Side, rows: u32) -> Result<Vec<Listed>> {
    let courses = caller.actor.extent(Action::AuditRead)?.courses();
    // The system's records are the college's business.
    let chains = [Chain::Tenant(caller.actor.tenant), Chain::System];
    let filter = filter.at(services.clock.now()).for_reader(caller.actor.user, &caller.actor.login);
    let chains = if courses.is_some() { &chains[..1] } else { &chains[..] };
    let mut connection = services.db.read().await.or_domain()?;
    storage::audit::read::search(&mut connection, services.db.engine(), chains, courses.as_ref(), &filter, side, rows).await.or_domain()
}

/// One record with its neighbours in the chain and the bytes that were hashed. Errors: `Forbidden`; `NotFound` also for another tenant's.
pub async fn get(services: &Services, caller: &Caller, id: AuditEventId) -> Result<Inspected> {
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
        let (before, after) = match &listed.seal {
            Some((seq, ..)) => {
                let mut connection = services.db.read().await.or_domain()?;
                storage::audit::chain::neighbours(&mut connection, listed.event.chain, *seq).await.or_domain()?
            }
            None => (None, None),
        };
        let intact = listed.seal.as_ref().map(|(seq, prev, hash)| listed.event.hash(*seq, prev) == *hash);
        let canonical = String::from_utf8_lossy(&listed.event.canonical()).into_owned();
        Ok(Inspected { listed, before, after, canonical, intact })
    })
    .await
}

/// What people with power over others did: accounts, rights, tokens, limits, entering labs by break-glass, reading
/// logs of labs that are none of theirs, and reading the record away.
const PRIVILEGED: [&str; 10] =
    ["people.", "token.", "password.reset", "course.", "quota.", "policy.", "setup.", "lab.break_glass", "lab.logs", "audit.export"];

/// The newest of it in a tenant since `from`, for whoever may read the record. One statement; the caller checks the permission.
pub(crate) async fn latest_privileged(connection: &mut AnyConnection, tenant: TenantId, from: Timestamp, limit: u32) -> Result<Vec<Listed>> {
    storage::audit::read::latest_of(connection, Chain::Tenant(tenant), &PRIVILEGED, from, limit).await.or_domain()
}

/// The newest records that hold all words of `text`; recorded as a search for them. Errors: `Forbidden`, `ScopeMissing`.
pub(crate) async fn search_words(services: &Services, caller: &Caller, text: &str, limit: u32) -> Result<Vec<Listed>> {
    let filter = Filter { text: Some(text.to_owned()), ..Filter::default() };
    Ok(search(services, caller, &filter, &PageRequest { limit, after: None }).await?.items)
}

/// The filter as a document, without what was not asked for.
pub(super) fn described(filter: &Filter) -> Value {
    let Ok(Value::Object(all)) = serde_json::to_value(filter) else { return Value::Null };
    Value::Object(all.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
}

/// Before anything is shown. The same question within ten minutes (another page, a reload) is one reading.
pub(crate) async fn record_reading(services: &Services, caller: &Caller, entry: Entry) -> Result<()> {
    let what = entry.after.as_ref().map(domain::audit::canonical_json).unwrap_or_default();
    let key = (caller.actor.user, format!("{} {} {what}", entry.action, entry.object.id));
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
