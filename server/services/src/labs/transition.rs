//! The one way in which a lab changes: its next state, the step in its life, the audit record and the work, in one transaction.

use domain::{
    Error, Result,
    access::Action,
    audit::Outcome,
    ids::{LabId, OutboxId},
    labs::{Failure, Lab, LabEvent, Lifecycle, Moment, Observation, idle},
    orders::OrderEvent,
    time::Timestamp,
};
use serde_json::{Value, json};
use storage::{Write, outbox, script::Insert};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    hub::News,
    orders,
};

/// Seconds by which the portal may be late before the time to keep a volume counts from when the lab went down.
const LATE_SECONDS: i64 = 3_600;

/// Who brings a change about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By<'a> {
    Person(&'a Caller),
    Job(&'static str),
}

/// Takes the lab to its next state and writes all that belongs to it. `lab` then is as stored, its reservation aside.
///
/// Errors: `InvalidTransition`; `Stale` when somebody changed the lab since it was read.
pub(crate) async fn take(services: &Services, write: &mut Write, lab: &mut Lab, event: LabEvent, by: By<'_>) -> Result<()> {
    take_with(services, write, lab, event, by, None, None).await
}

/// As [`take`], with the cluster's observation, which says when the change took place, and for [`LabEvent::Fail`] with the failure.
pub(crate) async fn take_with(
    services: &Services,
    write: &mut Write,
    lab: &mut Lab,
    event: LabEvent,
    by: By<'_>,
    seen: Option<&Observation>,
    failure: Option<Failure>,
) -> Result<()> {
    step(services, write, lab, event, Brought { by, seen, unused: None }, failure, |_| {}).await
}

/// Stops a lab that nobody uses. `unused`: what its record says of that. Its life and its record call it [`idle::CAUSE`].
pub(crate) async fn stop_unused(services: &Services, write: &mut Write, lab: &mut Lab, job: &'static str, unused: &Value) -> Result<()> {
    let brought = Brought { by: By::Job(job), seen: None, unused: Some(unused) };
    step(services, write, lab, LabEvent::Stop, brought, None, |_| {}).await
}

/// As [`take`], with a change of the lab that goes with the event.
pub(crate) async fn take_changed(
    services: &Services,
    write: &mut Write,
    lab: &mut Lab,
    event: LabEvent,
    by: By<'_>,
    change: impl FnOnce(&mut Lab),
) -> Result<()> {
    step(services, write, lab, event, Brought { by, seen: None, unused: None }, None, change).await
}

/// What brings a change about.
struct Brought<'a> {
    by: By<'a>,
    seen: Option<&'a Observation>,
    /// Of a lab that is stopped since nobody uses it.
    unused: Option<&'a Value>,
}

async fn step(
    services: &Services,
    write: &mut Write,
    lab: &mut Lab,
    event: LabEvent,
    Brought { by, seen, unused }: Brought<'_>,
    failure: Option<Failure>,
    change: impl FnOnce(&mut Lab),
) -> Result<()> {
    let before = tracked(lab);
    let from = lab.state;
    let now = services.clock.now();
    let next = from.after(event)?;
    let moment = moment(write, lab, event, seen, now).await?;
    let was_free = lab.lifecycle.grace_from;
    lab.state = next;
    mark(lab, event, failure, (moment.at, now), services.settings.keep_stopped_days);
    if matches!(event, LabEvent::PodsGone | LabEvent::Fail) {
        lab.lifecycle.grace_from = grace_from(services, write, lab, event, moment).await?;
    }
    change(lab);
    if !storage::labs::save(write, lab).await.or_domain()? {
        return Err(Error::Stale);
    }
    if let Some(from) = was_free.filter(|from| *from < now && lab.lifecycle.grace_from.is_none() && event != LabEvent::Destroy) {
        storage::labs::add_free_storage(write, lab.id, from, now).await.or_domain()?;
    }
    lab.version += 1;
    let (outcome, person) = match by {
        By::Person(caller) => (Outcome::Success, Some(caller.actor.user)),
        By::Job(_) if event == LabEvent::Fail => (Outcome::Failed, None),
        By::Job(_) => (Outcome::Success, None),
    };
    let cause = if unused.is_some() { idle::CAUSE } else { event.as_str() };
    storage::labs::change(lab.id, Some(from), lab.state, moment, cause, person).run(write).await.or_domain()?;
    let mut after = tracked(lab);
    if moment.noticed_at.is_some() {
        // The time of the record itself is when the change was noticed.
        after["took_place_at"] = json!(moment.at.to_rfc3339());
    }
    if let Some(until) = moment.ran_until {
        after["ran_until"] = json!(until.to_rfc3339());
    }
    if let Some(unused) = unused {
        after["unused"] = unused.clone();
    }
    let entry = entry(format!("lab.{cause}"), lab).before(before).after(after);
    match by {
        By::Person(caller) => audit::success(services, write, caller, entry).await?,
        By::Job(job) => audit::by_job(services, write, job, lab.tenant, entry, outcome).await?,
    }
    if matches!(event, LabEvent::Start | LabEvent::Stop | LabEvent::Destroy | LabEvent::Restart | LabEvent::Resize) {
        want(services, write, lab.id).await?;
    }
    Ok(())
}

/// When the change took place, but not before the previous change.
async fn moment(write: &mut Write, lab: &Lab, event: LabEvent, seen: Option<&Observation>, now: Timestamp) -> Result<Moment> {
    let moment = lab.moment(event, seen, now);
    if moment.at == now {
        return Ok(moment);
    }
    let before = storage::labs::last_change(write, lab.id).await.or_domain()?;
    Ok(before.map_or(moment, |before| moment.not_before(before.min(now))))
}

/// From when on the volume of a lab that went down is kept without charge: after a lesson, since that is nobody's order; else when the time
/// to keep it is over that began as it went down, where the portal noticed late and begins that time anew.
async fn grace_from(services: &Services, write: &mut Write, lab: &Lab, event: LabEvent, moment: Moment) -> Result<Option<Timestamp>> {
    if storage::labs::is_for_lesson(write, lab.order).await.or_domain()? {
        return Ok(lab.ends_at);
    }
    // Pods take a moment to go: the previous change ended the running.
    let before = if event == LabEvent::PodsGone { storage::labs::last_change(write, lab.id).await.or_domain()? } else { None };
    let down = before.unwrap_or(moment.at);
    let promised = down.plus_minutes(services.settings.keep_stopped_days * 24 * 60);
    Ok(lab.lifecycle.kept_until.filter(|kept| kept.seconds_since(promised) > LATE_SECONDS).map(|_| promised))
}

/// Changes something of the lab that is not its state, and writes all that belongs to it. `action`: what the record calls it.
///
/// Errors: `Stale` when somebody changed the lab since it was read.
pub(crate) async fn alter(
    services: &Services,
    write: &mut Write,
    lab: &mut Lab,
    action: &'static str,
    by: By<'_>,
    change: impl FnOnce(&mut Lab),
) -> Result<()> {
    let before = tracked(lab);
    change(lab);
    if !storage::labs::save(write, lab).await.or_domain()? {
        return Err(Error::Stale);
    }
    lab.version += 1;
    let entry = entry(action.into(), lab).before(before).after(tracked(lab));
    match by {
        By::Person(caller) => audit::success(services, write, caller, entry).await,
        By::Job(job) => audit::by_job(services, write, job, lab.tenant, entry, Outcome::Success).await,
    }
}

/// What an event leaves behind besides the state.
fn mark(lab: &mut Lab, event: LabEvent, failure: Option<Failure>, (at, now): (Timestamp, Timestamp), keep_days: i64) {
    let kept_to = lab.kept_to();
    let life = &mut lab.lifecycle;
    // Down it is kept for a while; up it stops at its owner's time of day.
    match event {
        LabEvent::PodsGone | LabEvent::Fail => life.kept_until = Some(now.plus_minutes(keep_days * 24 * 60)),
        LabEvent::Start | LabEvent::Ready => (life.kept_until, life.grace_from) = (None, None),
        LabEvent::Destroy => (life.kept_until, life.grace_from) = (None, kept_to.filter(|end| *end < now)),
        _ => {}
    }
    match event {
        LabEvent::Start => life.daily_stop_at = life.autostop.daily.map(|time| time.next_after(now)),
        LabEvent::Stop | LabEvent::Finished | LabEvent::Fail | LabEvent::Destroy => life.daily_stop_at = None,
        _ => {}
    }
    if matches!(event, LabEvent::Start | LabEvent::Restart | LabEvent::Resize) {
        // Pods that are on their way out are not those that it starts with, and each start has an own secret of its own.
        life.generation = life.generation.saturating_add(1);
    }
    match event {
        LabEvent::Ready => {
            lab.first_running_at.get_or_insert(at);
            lab.ends_at.get_or_insert(at.plus_minutes(lab.minutes.into()));
            lab.failure = None;
        }
        LabEvent::Start => lab.failure = None,
        LabEvent::Fail => lab.failure = failure,
        _ => {}
    }
}

/// Asks the reconciler to look at the lab as soon as can be.
pub(crate) async fn want(services: &Services, write: &mut Write, lab: LabId) -> Result<()> {
    wish(services, lab).run(write).await.or_domain().map(drop)
}

/// The same as a statement.
pub(crate) fn wish(services: &Services, lab: LabId) -> Insert {
    let id = OutboxId::from_uuid(services.entropy.uuid());
    outbox::want(id, outbox::RECONCILE_LAB, &lab.to_string(), services.clock.now())
}

/// Takes the lab's order along, where its state allows the event: an order that is fulfilled stays so whatever its lab does later.
/// Gives the news for after the commit.
///
/// Errors: `Stale` when somebody changed the order at the same time.
pub(crate) async fn order(
    services: &Services,
    write: &mut Write,
    lab: &Lab,
    event: OrderEvent,
    reason: Option<&str>,
    by: By<'_>,
) -> Result<Option<News>> {
    let Some(mut order) = storage::orders::find(write, lab.order).await.or_domain()? else { return Ok(None) };
    let before = order.state;
    let Ok(next) = before.after(event) else { return Ok(None) };
    order.state = next;
    if let Some(reason) = reason {
        order.reason = Some(reason.chars().take(500).collect());
    }
    if !storage::orders::save(write, &order).await.or_domain()? {
        return Err(Error::Stale);
    }
    if event == OrderEvent::Cancel {
        let person = match by {
            By::Person(caller) => Some(caller),
            By::Job(_) => None,
        };
        orders::cancelled(services, write, &order, person).await?;
    }
    let entry = Entry::new(format!("order.{}", event.as_str()), "order", order.id, format!("#{}", order.number))
        .course(order.course)
        .before(json!({ "state": before }))
        .after(json!({ "state": next, "reason": order.reason }));
    match by {
        By::Person(caller) => audit::success(services, write, caller, entry).await?,
        By::Job(job) => {
            let outcome = if event == OrderEvent::Fail { Outcome::Failed } else { Outcome::Success };
            audit::by_job(services, write, job, order.tenant, entry, outcome).await?;
        }
    }
    Ok(Some(News::order(&order)))
}

/// Gives the lab's cards back; the state stays. Somebody else's change in between is `Stale`.
pub(crate) async fn release(services: &Services, write: &mut Write, lab: &mut Lab, job: &'static str) -> Result<()> {
    let before = tracked(lab);
    if !storage::labs::save(write, lab).await.or_domain()? {
        return Err(Error::Stale);
    }
    lab.version += 1;
    storage::reservations::release(write, lab.id).await.or_domain()?;
    lab.reserved = false;
    let entry = entry("lab.release".into(), lab).before(before).after(tracked(lab));
    audit::by_job(services, write, job, lab.tenant, entry, Outcome::Success).await
}

fn entry(action: String, lab: &Lab) -> Entry {
    Entry::new(action, "lab", lab.id, lab.name.clone()).course(lab.course)
}

/// What is recorded of an attempt that was refused. `seen`: the lab, if there is one and it is of the caller's tenant.
pub(super) fn attempt(caller: &Caller, action: Action, id: LabId, seen: Option<&Lab>) -> Entry {
    match seen {
        Some(lab) if lab.tenant == caller.actor.tenant => entry(audit::action(action), lab),
        _ => Entry::new(audit::action(action), "lab", id, ""),
    }
}

/// What the audit record tells of a lab: all that can change. A new field does not compile until it is put on one side.
fn tracked(lab: &Lab) -> Value {
    let Lab {
        state,
        reserved,
        failure,
        first_running_at,
        ends_at,
        minutes,
        spec,
        lifecycle: Lifecycle { generation, autostop, daily_stop_at, kept_until, grace_from },
        // Fixed when the lab is made; the order's record has them.
        id: _,
        order: _,
        tenant: _,
        course: _,
        owner: _,
        name: _,
        namespace: _,
        offering_name: _,
        created_at: _,
        // Counts the changes themselves.
        version: _,
    } = lab;
    json!({
        "state": state,
        "reserved": reserved,
        "failure": failure.as_ref().map(|failure| json!({ "reason": failure.reason, "message": failure.message })),
        "first_running_at": first_running_at.map(Timestamp::to_rfc3339),
        "ends_at": ends_at.map(Timestamp::to_rfc3339),
        "minutes": minutes,
        "size": {
            "card": spec.card.id(),
            "cards_per_node": spec.cards_per_node,
            "cpu_cores": spec.cpu_cores,
            "memory_gib": spec.memory_gib,
            "storage_gib": spec.storage_gib,
        },
        "generation": generation,
        "autostop": autostop,
        "daily_stop_at": daily_stop_at.map(Timestamp::to_rfc3339),
        "kept_until": kept_until.map(Timestamp::to_rfc3339),
        "grace_from": grace_from.map(Timestamp::to_rfc3339),
    })
}
