//! The connection log of a lab, for those who may read the lab. Two statements each.

use domain::{
    Error, Result,
    access::{Action, Resource},
    ids::LabId,
    page::{Page, PageRequest, read_cursor, write_cursor},
    visits::{Visit, VisitRole},
};

use super::{
    record,
    write::{Counters, write},
};
use crate::{
    Caller, Services,
    audit::{self, Entry as Record},
    error::OrDomain,
};

/// Most people who are shown as present.
const PRESENT_MAX: u32 = 200;

/// Visits, newest first. Errors: `Invalid` on `limit` or `after`; `NotFound`, `Forbidden`.
pub async fn list(services: &Services, caller: &Caller, lab: LabId, page: &PageRequest) -> Result<Page<Visit>> {
    let before = page.cursor(|text| read_cursor("visits", text))?;
    let rows = page.rows()?;
    authorise(services, caller, lab).await?;
    if before.is_none() {
        catch_up(services, lab).await;
    }
    let mut read = services.db.read().await.or_domain()?;
    let visits = storage::visits::of_lab(&mut read, lab, before, rows).await.or_domain()?;
    Ok(page.page(visits, |last| write_cursor("visits", &last.id)))
}

/// The people who are in the lab, each once in each role since the first of their visits that last, others than the owner first. Errors:
/// `NotFound`, `Forbidden`.
pub async fn present(services: &Services, caller: &Caller, lab: LabId) -> Result<Vec<Visit>> {
    authorise(services, caller, lab).await?;
    catch_up(services, lab).await;
    let visits = {
        let mut read = services.db.read().await.or_domain()?;
        storage::visits::present(&mut read, lab, PRESENT_MAX).await.or_domain()?
    };
    let mut here: Vec<Visit> = Vec::new();
    for visit in visits {
        match here.iter_mut().find(|known| known.person.id == visit.person.id && known.role == visit.role) {
            Some(known) => known.from = known.from.min(visit.from),
            None => here.push(visit),
        }
    }
    here.sort_by_key(|visit| visit.role == VisitRole::Owner);
    Ok(here)
}

/// Writes visits to the lab that began a moment ago, so that a reader sees them. A visit that cannot be written now comes with the next round.
pub(crate) async fn catch_up(services: &Services, lab: LabId) {
    if services.visits.has_new_visit(lab)
        && let Err(error) = Box::pin(write(services, Counters::Changed)).await
    {
        tracing::debug!(%error, "a visit is not written yet");
    }
}

/// Whether the caller may read the lab; a refusal is recorded.
async fn authorise(services: &Services, caller: &Caller, id: LabId) -> Result<()> {
    let seen = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::get(&mut read, id).await.or_domain()?
    };
    let attempt = || match &seen {
        Some(lab) if lab.tenant == caller.actor.tenant => record(Action::LabRead.code(), lab),
        _ => Record::new(Action::LabRead.code(), "lab", id, ""),
    };
    audit::recording(services, caller, attempt, async {
        let lab = seen.as_ref().ok_or(Error::NotFound)?;
        caller.actor.can(Action::LabRead, &Resource::owned(lab.tenant, lab.course, lab.owner))
    })
    .await
}
