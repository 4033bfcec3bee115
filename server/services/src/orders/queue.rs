//! The queue: orders (and restarted labs) that wait for cards, per kind of card. Those that waited longest come first; who finds no place
//! may be passed for a while (`domain::capacity::Hand`).

use domain::{
    Error, Result,
    audit::Outcome,
    gpu::Card,
    ids::{LabId, OrderId},
    labs::LabState,
    orders::OrderEvent,
};
use serde_json::json;
use storage::{Write, reservations::Waiter, script::Script};

use super::{audited, grant, leavers};
use crate::{
    Services,
    audit::{self, Entry},
    capacity::{self, Counter},
    error::OrDomain,
    hub::News,
    jobs::lease,
    labs::transition,
};

/// How many one transaction lets through, so that other writers get their turn; the next transaction goes on.
const BATCH: usize = 25;
const JOB: &str = "queue";

/// Reserves cards for as many waiting orders and labs as fit; returns how many. One that finds no place is passed by smaller ones for
/// [`domain::capacity::PASSED_MINUTES`]; then nodes are kept for it. One that asks for more cards than the cluster (or, for one pod, any
/// node of it) has at all is passed for ever: waiting does not help it.
pub async fn promote(services: &Services) -> Result<u32> {
    let cards = {
        let mut connection = services.db.read().await.or_domain()?;
        storage::reservations::waited_for(&mut connection, services.clock.now()).await.or_domain()?
    };
    let mut promoted = 0;
    for card in cards {
        loop {
            let (done, more) = promote_card(services, card).await?;
            promoted += done;
            if !more {
                break;
            }
        }
    }
    Ok(promoted)
}

/// One transaction: how many it let through, and whether there may be more.
async fn promote_card(services: &Services, card: Card) -> Result<(u32, bool)> {
    let mut write = lease::begin_write(services).await?;
    storage::pools::lock(&mut write, card).await.or_domain()?;
    let now = services.clock.now();
    let rooms = storage::placement::rooms(&mut write, card).await.or_domain()?;
    let (waiting, _) = capacity::waiting(&mut write, card, &rooms, now).await?;
    let mut counter = Counter::for_line(rooms);
    let (mut news, mut more) = (Vec::new(), false);
    for next in waiting {
        if news.len() == BATCH {
            more = true;
            break;
        }
        if !counter.calls(&next, now) {
            continue;
        }
        let told = match next.waiter {
            Waiter::Order(id) => promote_order(services, &mut write, &mut counter, id).await?,
            Waiter::Lab(id) => promote_lab(services, &mut write, &mut counter, id).await?,
        };
        news.extend(told);
    }
    if news.is_empty() {
        return Ok((0, false));
    }
    write.commit().await.or_domain()?;
    // A batch is far below the range of u32.
    let done = u32::try_from(news.len()).unwrap_or(u32::MAX);
    for told in news.into_iter().flatten() {
        services.hub.tell(told);
    }
    Ok((done, more))
}

/// What there is to tell of an order whose turn it is; `None` where it was cancelled in this moment and the next one's turn comes.
async fn promote_order(services: &Services, write: &mut Write, counter: &mut Counter, id: OrderId) -> Result<Option<Vec<News>>> {
    let Some(before) = storage::orders::find(write, id).await.or_domain()? else { return Ok(None) };
    let Ok(state) = before.state.after(OrderEvent::Promote) else { return Ok(None) };
    if before.is_past(services.clock.now()) {
        // Its lesson is over: the job that cancels it comes by.
        return Ok(None);
    }
    if leavers::check(write, &before).await.is_err() {
        // The job that cancels what leavers left comes by.
        return Ok(None);
    }
    let Some(places) = counter.take(&before.spec) else { return Ok(None) };
    let mut after = before.clone();
    after.state = state;
    if !storage::orders::save(write, &after).await.or_domain()? {
        return Ok(None);
    }
    after.version += 1;
    let namespace = grant::namespace(write, &after).await?;
    let mut script = Script::default();
    let lab = grant::new_lab(services, &mut script, &after, namespace, &places, None);
    grant::write_all(write, script).await?;
    let entry = audited::entry("order.promote", &after).before(audited::transition(&before)).after(audited::transition(&after));
    audit::by_job(services, write, JOB, after.tenant, entry, Outcome::Success).await?;
    Ok(Some(vec![News::order(&after), News::lab_of(&after, lab)]))
}

/// The same of a lab that was started again.
async fn promote_lab(services: &Services, write: &mut Write, counter: &mut Counter, id: LabId) -> Result<Option<Vec<News>>> {
    let Some(lab) = storage::labs::get(write, id).await.or_domain()?.filter(|lab| lab.state == LabState::Pending) else {
        return Ok(None);
    };
    if storage::labs::waits_for_leaver(write, id).await.or_domain()? {
        return Ok(None);
    }
    let Some(places) = counter.take(&lab.spec) else { return Ok(None) };
    // Counts the version up: a lab that is being stopped must not be left with cards that nobody gives back.
    if !storage::labs::save(write, &lab).await.or_domain()? {
        return Ok(None);
    }
    let cards = lab.spec.cards();
    if !capacity::reserve(write, id, &lab.spec, &places, services.clock.now()).await? {
        // The cluster lost a node in this moment. Nothing is written; the next round finds the smaller pool.
        return Err(Error::Unavailable { retry_after_seconds: 1 });
    }
    storage::labs::set_queued_at(write, id, None).await.or_domain()?;
    transition::want(services, write, id).await?;
    let entry = Entry::new("lab.promote", "lab", id, lab.name.clone()).course(lab.course).after(json!({ "cards": cards }));
    audit::by_job(services, write, JOB, lab.tenant, entry, Outcome::Success).await?;
    Ok(Some(vec![News::lab(&lab)]))
}
