//! Orders for more time or another size of a lab that exists, where the policy asks somebody: filed here, decided like every order. Their
//! price depends on the lab: a change of the lab renews the order that waits, and so does its approval.

use std::collections::BTreeSet;

use domain::{
    Error, Result,
    access::Role,
    approvals::{Outcome, Ruling},
    catalogue::{LabSpec, Offering},
    ids::LabId,
    orders::{ChangeTo, LabChange, Order},
    pricing::Estimate,
};
use storage::{Write, labs::Listed, script::Script};

use super::{audited, decide::save, grant::write_all, tell, undecided::Undecided};
use crate::{
    Caller, Services, audit,
    error::OrDomain,
    hub::News,
    labs::{self, Worth},
    notifications::Told,
};

/// A requested change: the lab as it would be, its additional cost, and the approvers that it needs.
#[derive(Debug)]
pub(crate) struct Wanted<'o> {
    pub offering: &'o Offering,
    pub to: ChangeTo,
    pub spec: LabSpec,
    /// Its total is held of the budget, and its minutes are those of the order.
    pub estimate: Estimate,
    pub ruling: Ruling,
    /// For its approvers; may be empty.
    pub purpose: String,
}

/// An order that was filed. Tell of it once the transaction is committed.
#[must_use = "approvers hear of it by `filed.tell(services)` after the commit"]
#[derive(Debug)]
pub(crate) struct Filed {
    news: News,
    told: Told,
}

impl Filed {
    pub(crate) fn tell(self, services: &Services) {
        services.hub.tell(self.news);
        self.told.tell(services);
    }
}

/// Files the order in the caller's name. The budget was checked in this transaction, under the course's lock.
pub(crate) async fn file_change(services: &Services, write: &mut Write, caller: &Caller, listed: &Listed, wanted: Wanted<'_>) -> Result<Filed> {
    let Wanted { offering, to, mut spec, estimate, ruling, purpose } = wanted;
    // They stay with the lab and its own order.
    spec.secrets.clear();
    let (now, lab) = (services.clock.now(), &listed.lab);
    let number = storage::orders::next_numbers(write, 1).await.or_domain()?;
    let undecided = Undecided { tenant: lab.tenant, course: lab.course, owner: caller.actor.user, offering, spec, estimate, ruling };
    let order = Order {
        offering_name: lab.offering_name.clone(),
        seat: listed.seat.clone(),
        change: Some(LabChange { lab: lab.id, name: lab.name.clone(), to }),
        purpose,
        ..undecided.order(services, number, now)
    };
    let mut script = Script::default();
    script.add(storage::orders::new(&order));
    let entry = audited::entry("order.submit", &order).after(audited::tracked(&order));
    script.extend(audit::success_record(services, caller, entry));
    write_all(write, script).await?;
    let told = tell::waits(services, write, &order).await?;
    Ok(Filed { news: News::order(&order), told })
}

/// What an approver finds of an order that they looked at.
#[derive(Debug)]
pub(super) enum Found {
    /// It costs no more than it says: the order as it is now.
    AsSeen(Box<Order>),
    /// It costs more, or the policy is asked of something larger. The order now says so, and every stage of it waits again.
    More(Told),
}

/// Looks at a waiting change again before a stage of it is passed; an order that makes a lab is as it is. Comes after the course's lock.
///
/// Errors: `RefusedByPolicy`, `OverBudget`, those of [`labs::worth`].
pub(super) async fn look_again(services: &Services, write: &mut Write, caller: &Caller, before: &Order) -> Result<Found> {
    let Some(change) = &before.change else { return Ok(Found::AsSeen(Box::new(before.clone()))) };
    let worth = labs::worth(services, write, before, change).await?;
    let more = is_more(before, &worth);
    if let Some(Ruling { outcome: Outcome::Refuse(reason), rule, .. }) = worth.ruling.as_ref().filter(|_| more) {
        return Err(Error::RefusedByPolicy { rule: rule.clone(), reason: reason.clone() });
    }
    if more {
        return renew(services, write, caller, before, worth).await.map(|(_, told)| Found::More(told));
    }
    worth.borne.clone()?;
    Ok(Found::AsSeen(Box::new(renewed(before, worth))))
}

/// The change that waits for this lab, if one does, now says what it is worth after the caller's own change of the lab.
pub(crate) async fn renew_change(services: &Services, write: &mut Write, caller: &Caller, lab: LabId) -> Result<Option<Filed>> {
    let Some(before) = storage::orders::change_waiting(write, lab).await.or_domain()? else { return Ok(None) };
    let Some(change) = &before.change else { return Ok(None) };
    let worth = match labs::worth(services, write, &before, change).await {
        Ok(worth) => worth,
        // It cannot be approved any more, which its approver is told.
        Err(Error::Invalid(_) | Error::InvalidTransition { .. } | Error::PriceMissing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (after, told) = renew(services, write, caller, &before, worth).await?;
    Ok(Some(Filed { news: News::order(&after), told }))
}

async fn renew(services: &Services, write: &mut Write, caller: &Caller, before: &Order, worth: Worth) -> Result<(Order, Told)> {
    let more = is_more(before, &worth);
    let after = save(write, renewed(before, worth)).await?;
    let entry = audited::entry("order.renew", &after).before(audited::tracked(before)).after(audited::tracked(&after));
    audit::success(services, write, caller, entry).await?;
    // People who were told that it waits are not told again: it waits in their inbox with the new figures.
    let told = if more { tell::waits(services, write, &after).await? } else { Told::default() };
    Ok((after, told))
}

/// Whether it costs more than the order says, or the policy would read more of the whole lab than it did.
fn is_more(order: &Order, worth: &Worth) -> bool {
    let Some(asked) = &worth.ruling else { return false };
    let facts = order.ruling.facts.as_ref().zip(asked.facts.as_ref());
    let larger = facts.is_some_and(|(then, now)| now.cost.micros > then.cost.micros || now.minutes > then.minutes);
    larger || worth.estimate.total.micros > order.estimate.total.micros
}

/// The order with what it is worth. Where that is more, the stages that the policy now asks for are added to its own, so that nobody enlarges
/// a change past somebody's stage, and those who passed it pass it again.
fn renewed(order: &Order, worth: Worth) -> Order {
    let more = is_more(order, &worth);
    let Worth { spec, estimate, ruling, borne: _ } = worth;
    let mut after = Order { spec, minutes: estimate.minutes, estimate, ..order.clone() };
    // What the policy refuses keeps the facts of before, so that its approval asks again and is refused.
    if let Some(ruling) = ruling.filter(|ruling| more && !matches!(ruling.outcome, Outcome::Refuse(_))) {
        let mut stages: Vec<Role> = order.ruling.outcome.stages().to_vec();
        stages.extend(ruling.outcome.stages().iter().filter(|role| !order.ruling.outcome.stages().contains(role)));
        after.ruling = Ruling { outcome: Outcome::Stages(stages), facts: ruling.facts, ..order.ruling.clone() };
        after.stage = 0;
        after.barred = BTreeSet::new();
    }
    after
}
