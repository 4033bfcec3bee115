//! People who left a course (removed from it, disabled, or without the role) cannot spend there any more: their waiting orders are
//! cancelled, labs that they started and that wait for cards stop, and meanwhile their orders cannot be approved. Labs that run stop at
//! their end.
//!
//! A job checks the current state, so it covers every way of leaving a course.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, Result,
    access::Role,
    audit::Outcome,
    ids::{ClassId, CourseId, UserId},
    labs::LabEvent,
    notifications::Notice,
    orders::{Order, OrderEvent, REQUESTER_LEFT},
};
use storage::{
    Write,
    accounts::{roles, standing, users},
};

use super::{audited, decide::save, stages, tell};
use crate::{
    Services, audit,
    error::OrDomain,
    hub::News,
    jobs::lease,
    labs::transition::{self, By},
    notifications::{Told, notify},
};

/// Most pairs of person and course that are read at once.
const PAIRS: u32 = 20;
/// Most orders in one transaction.
const BATCH: u32 = 50;
const JOB: &str = "leavers";

/// Errors: `RequesterLeft` if the order's requester may not order for its course any more.
pub(super) async fn check(write: &mut Write, order: &Order) -> Result<()> {
    if standing::has_left(write, order.owner, order.course).await.or_domain()? { Err(Error::RequesterLeft) } else { Ok(()) }
}

/// Cancels the waiting orders and labs of people who left; returns how many. A pair of person and course that fails is logged and tried
/// again in the next round. Errors: `Unavailable`, which ends the round.
pub async fn cancel_of_leavers(services: &Services) -> Result<u32> {
    let (mut done, mut after) = (0, None);
    loop {
        let pairs = {
            let mut connection = services.db.read().await.or_domain()?;
            standing::leavers(&mut connection, after, PAIRS).await.or_domain()?
        };
        after = pairs.last().copied();
        for (owner, course) in &pairs {
            match cancel_all_of(services, *owner, *course, &mut done).await {
                Err(error @ Error::Unavailable { .. }) => return Err(error),
                Err(error) => tracing::error!(user.id = %owner, course.id = %course, "a leaver's orders cannot be cancelled, will retry: {error}"),
                Ok(()) => {}
            }
        }
        if pairs.len() < PAIRS as usize {
            return Ok(done);
        }
    }
}

async fn cancel_all_of(services: &Services, owner: UserId, course: CourseId, done: &mut u32) -> Result<()> {
    while cancel_of(services, owner, course, done).await? {}
    Ok(())
}

/// One transaction; returns whether there may be more.
async fn cancel_of(services: &Services, owner: UserId, course: CourseId, done: &mut u32) -> Result<bool> {
    let mut write = lease::begin_write(services).await?;
    storage::quotas::lock(&mut write, course).await.or_domain()?;
    // The person has rejoined the course since the round began.
    if !standing::has_left(&mut write, owner, course).await.or_domain()? {
        return Ok(false);
    }
    let orders = storage::orders::waiting_of(&mut write, owner, course, BATCH).await.or_domain()?;
    let mut news = Vec::new();
    for before in &orders {
        let mut after = before.clone();
        after.state = before.state.after(OrderEvent::Cancel)?;
        after.reason = Some(REQUESTER_LEFT.to_owned());
        after.proposal = None;
        // The lock prevents concurrent decisions.
        let after = save(&mut write, after).await?;
        stages::cancelled(services, &mut write, before, None).await?;
        let entry = audited::entry("order.cancel", &after).before(audited::transition(before)).after(audited::transition(&after));
        audit::by_job(services, &mut write, JOB, after.tenant, entry, Outcome::Success).await?;
        news.push(News::order(&after));
    }
    for mut lab in storage::labs::waiting_of(&mut write, owner, course).await.or_domain()? {
        transition::take(services, &mut write, &mut lab, LabEvent::Stop, By::Job(JOB)).await?;
        storage::labs::set_queued_at(&mut write, lab.id, None).await.or_domain()?;
        news.push(News::lab(&lab));
    }
    let told = tell_all(services, &mut write, &orders).await?;
    write.commit().await.or_domain()?;
    *done += u32::try_from(news.len()).unwrap_or(u32::MAX);
    for each in news {
        services.hub.tell(each);
    }
    told.tell(services);
    Ok(orders.len() == BATCH as usize)
}

/// Settles the approvers' notices, and notifies the requester and the course's managers, once for orders that were made together.
async fn tell_all(services: &Services, write: &mut Write, before: &[Order]) -> Result<Told> {
    let Some(first) = before.first() else { return Ok(Told::default()) };
    let owner = users::by_id(write, first.owner).await.or_domain()?.map(|user| user.name).unwrap_or_default();
    let code = storage::courses::by_id(write, first.course).await.or_domain()?.map(|course| course.code).unwrap_or_default();
    let mut readers = roles::holders_for_course(write, first.course, Role::Manager).await.or_domain()?;
    readers.insert(first.owner);
    let mut told = Told::default();
    let mut classes = BTreeMap::<ClassId, BTreeSet<Option<Role>>>::new();
    for order in before {
        // One notice for each stage that orders of the class waited in.
        if order.class.is_none_or(|class| classes.entry(class.id).or_default().insert(order.awaits())) {
            told = told.and(tell::settled(services, write, order).await?);
            let (id, number) = tell::standing_for(write, order).await?;
            let orders = order.class.map_or(1, domain::orders::ClassRef::orders);
            let notice = Notice::RequesterLeft { order: id, number, orders, owner: owner.clone(), code: code.clone() };
            told = told.and(notify(services, write, &readers, &notice).await?);
        }
    }
    Ok(told)
}
