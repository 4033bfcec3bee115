//! The queue: orders (and restarted labs) that wait for cards, first come first served per kind of card.

use domain::{
    Error, Result,
    audit::Outcome,
    gpu::Card,
    ids::{LabId, OrderId},
    labs::LabState,
    orders::OrderEvent,
};
use serde_json::json;
use storage::{Write, placement::Rooms, reservations::Waiter, script::Script};

use super::{audited, grant, leavers};
use crate::{
    Services,
    audit::{self, Entry},
    capacity::{self, Places},
    error::OrDomain,
    hub::News,
    jobs::lease,
    labs::transition,
};

/// How many one transaction lets through, so that other writers get their turn; the next transaction goes on.
const BATCH: usize = 25;
const JOB: &str = "queue";

/// Reserves cards for as many waiting orders and labs as fit; returns how many. A big one at the head is not overtaken, except when it
/// asks for more cards than the cluster (or, for one pod, any node of it) has at all: then waiting does not help it, and the others go on.
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
    let mut rooms = storage::placement::rooms(&mut write, card).await.or_domain()?;
    let waiting = capacity::waiting(&mut write, card, &rooms, services.clock.now(), BATCH).await?;
    let full_batch = waiting.len() == BATCH;
    let mut news = Vec::new();
    let mut stopped = false;
    for next in waiting {
        let told = match next.waiter {
            Waiter::Order(id) => promote_order(services, &mut write, &rooms, id).await?,
            Waiter::Lab(id) => promote_lab(services, &mut write, &rooms, id).await?,
        };
        match told {
            Turn::Taken(told) => {
                news.push(told);
                rooms = storage::placement::rooms(&mut write, card).await.or_domain()?;
            }
            Turn::Gone => {}
            Turn::NoRoom => {
                stopped = true;
                break;
            }
        }
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
    Ok((done, full_batch && !stopped))
}

/// What came of somebody's turn.
enum Turn {
    Taken(Vec<News>),
    /// Cancelled or stopped in this moment: the next one's turn.
    Gone,
    /// Not enough cards: those behind wait too.
    NoRoom,
}

async fn promote_order(services: &Services, write: &mut Write, rooms: &Rooms, id: OrderId) -> Result<Turn> {
    let Some(before) = storage::orders::find(write, id).await.or_domain()? else { return Ok(Turn::Gone) };
    let Ok(state) = before.state.after(OrderEvent::Promote) else { return Ok(Turn::Gone) };
    if before.is_past(services.clock.now()) {
        // Its lesson is over: the job that cancels it comes by.
        return Ok(Turn::Gone);
    }
    if leavers::check(write, &before).await.is_err() {
        // The job that cancels what leavers left comes by.
        return Ok(Turn::Gone);
    }
    let Some(places) = Places::plan(rooms, &before.spec) else { return Ok(Turn::NoRoom) };
    let mut after = before.clone();
    after.state = state;
    if !storage::orders::save(write, &after).await.or_domain()? {
        return Ok(Turn::Gone);
    }
    after.version += 1;
    let namespace = grant::namespace(write, &after).await?;
    let mut script = Script::default();
    let lab = grant::new_lab(services, &mut script, &after, namespace, &places, None);
    grant::write_all(write, script).await?;
    let entry = audited::entry("order.promote", &after).before(audited::transition(&before)).after(audited::transition(&after));
    audit::by_job(services, write, JOB, after.tenant, entry, Outcome::Success).await?;
    Ok(Turn::Taken(vec![News::order(&after), News::lab_of(&after, lab)]))
}

async fn promote_lab(services: &Services, write: &mut Write, rooms: &Rooms, id: LabId) -> Result<Turn> {
    let Some(lab) = storage::labs::get(write, id).await.or_domain()?.filter(|lab| lab.state == LabState::Pending) else {
        return Ok(Turn::Gone);
    };
    if storage::labs::waits_for_leaver(write, id).await.or_domain()? {
        return Ok(Turn::Gone);
    }
    let Some(places) = Places::plan(rooms, &lab.spec) else { return Ok(Turn::NoRoom) };
    // Counts the version up: a lab that is being stopped must not be left with cards that nobody gives back.
    if !storage::labs::save(write, &lab).await.or_domain()? {
        return Ok(Turn::Gone);
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
    Ok(Turn::Taken(vec![News::lab(&lab)]))
}
