//! Reading orders and the inbox.

use std::collections::BTreeMap;

use domain::{
    Error, Result,
    access::{Action, Actor, Extent, Resource},
    capacity::{Supply, WaitReason},
    decisions::Decision,
    delegations::{Absent, in_whose_name, lets_read},
    gpu::Card,
    ids::{CourseId, OrderId},
    orders::{ApprovalView, ChangeTo, ClassRef, LabChange, LaterEnd, Order, OrderEvent, OrderFilter, OrderState, OrderView, SizeChange, WhatIf},
    page::{Page, PageRequest, read_cursor, write_cursor},
    quotas::QuotaStatus,
    time::Timestamp,
};
use storage::{
    AnyConnection,
    orders::{Decider, Listed, Powers, Query, Visible},
};

use super::{aid, reply::may_reply};
use crate::{
    Caller, Services,
    capacity::{growth, more_cards, wait_reason},
    catalogue::shelf,
    delegations,
    error::OrDomain,
};

/// Two statements, three for an order that waits for cards. Errors: `NotFound` for what the caller may not see, too.
pub async fn get(services: &Services, caller: &Caller, id: OrderId) -> Result<OrderView> {
    let away = delegations::away(services, &caller.actor).await?;
    let mut connection = services.db.read().await.or_domain()?;
    let listed = readable(&mut connection, caller, &away, id).await?;
    let wait = if listed.order.state == OrderState::Queued {
        match listed.order.starts_at {
            Some(at) if at > services.clock.now() => Some(WaitReason::Scheduled { at }),
            _ => Some(wait_reason(&mut connection, &listed.order.spec).await?),
        }
    } else {
        None
    };
    let steps = storage::decisions::of_order(&mut connection, id).await.or_domain()?;
    Ok(OrderView { wait, steps, ..view_for(services, &caller.actor, &away, listed) })
}

/// Decisions, questions and answers, the oldest first. Errors: as [`get`].
pub async fn decisions(services: &Services, caller: &Caller, id: OrderId) -> Result<Vec<Decision>> {
    let away = delegations::away(services, &caller.actor).await?;
    let mut connection = services.db.read().await.or_domain()?;
    readable(&mut connection, caller, &away, id).await?;
    storage::decisions::of_order(&mut connection, id).await.or_domain()
}

/// The orders that the caller may read, newest first. One statement.
pub async fn list(services: &Services, caller: &Caller, filter: &OrderFilter, page: &PageRequest) -> Result<Page<OrderView>> {
    let actor = &caller.actor;
    actor.can(Action::OrderRead, &caller.own())?;
    let rows = page.rows()?;
    let query = Query {
        tenant: actor.tenant,
        visible: match actor.extent(Action::OrderRead)? {
            Extent::Everything => Visible::All,
            Extent::Courses(courses) => Visible::Courses(actor.user, courses.into_iter().collect()),
            Extent::Own | Extent::Nothing => Visible::Own(actor.user),
        },
        owner: filter.mine.then_some(actor.user),
        state: filter.state,
        course: filter.course.clone(),
        class: filter.class,
        after: page.cursor(|text| read_cursor("orders", text))?,
        limit: rows,
    };
    let mut connection = services.db.read().await.or_domain()?;
    let read = storage::orders::list(&mut connection, &query).await.or_domain()?;
    Ok(page.page(read, |row| write_cursor("orders", &row.order.id)).map(|listed| view(services, actor, listed)))
}

/// The orders that wait for the caller's decision, oldest first. Four statements, whatever the number of orders. Errors: `Forbidden`.
pub async fn inbox(services: &Services, caller: &Caller, page: &PageRequest) -> Result<Page<ApprovalView>> {
    let actor = &caller.actor;
    let away = delegations::away(services, actor).await?;
    delegations::may_decide_some(actor, &away)?;
    let rows = page.rows()?;
    let after = page.cursor(|text| read_cursor("approvals", text))?;
    let mut connection = services.db.read().await.or_domain()?;
    let read = storage::orders::inbox(&mut connection, &decider(actor, &away), after, rows).await.or_domain()?;
    let facts = Facts::load(services, &mut connection, caller).await?;
    let page = page.page(read, |row| write_cursor("approvals", &row.order.id));
    let next = page.next;
    let items = page.items.into_iter().map(|listed| facts.beside(services, actor, &away, listed)).collect::<Result<_>>()?;
    Ok(Page { items, next })
}

/// The same without the facts beside each, for a list. One statement.
pub async fn waiting(services: &Services, caller: &Caller, page: &PageRequest) -> Result<Page<OrderView>> {
    let actor = &caller.actor;
    let away = delegations::away(services, actor).await?;
    delegations::may_decide_some(actor, &away)?;
    let rows = page.rows()?;
    let after = page.cursor(|text| read_cursor("approvals", text))?;
    let mut connection = services.db.read().await.or_domain()?;
    let read = storage::orders::inbox(&mut connection, &decider(actor, &away), after, rows).await.or_domain()?;
    Ok(page.page(read, |row| write_cursor("approvals", &row.order.id)).map(|listed| view_for(services, actor, &away, listed)))
}

/// One order with all that helps to decide it, also after the decision. Ten statements at most, and four more for another size of a lab.
pub async fn approval(services: &Services, caller: &Caller, id: OrderId) -> Result<ApprovalView> {
    let away = delegations::away(services, &caller.actor).await?;
    let mut connection = services.db.read().await.or_domain()?;
    let listed = readable(&mut connection, caller, &away, id).await?;
    let order = &listed.order;
    // Courses are never deleted.
    let now = services.clock.now();
    let quota = storage::quotas::of_course_ahead(&mut connection, order.course, now).await.or_domain()?.ok_or(Error::NotFound)?;
    let supplies = storage::supplies::all(&mut connection, now).await.or_domain()?;
    let aid = aid::load(services, &mut connection, order, &supplies).await?;
    let supply = supplies.iter().find(|supply| supply.card == order.spec.card);
    let what_if = WhatIf {
        quota: quota.status.during(order.span(now), now),
        cards_free: supply.map(|supply| supply.free),
        outlook: supply
            .filter(|_| order.state != OrderState::Queued && order.change.is_none())
            .and_then(|supply| supply.outlook(&order.spec, together(order), now)),
        waiting_for_same_card: u32::try_from(aid.waiters.len()).unwrap_or(u32::MAX),
        later_end: later_end(&mut connection, order, now).await?,
        size_change: size_change(services, &mut connection, order, now).await?,
    };
    let steps = storage::decisions::of_order(&mut connection, id).await.or_domain()?;
    let class = match (order.class, order.awaits()) {
        (Some(class), Some(role)) => storage::orders::class_waiting(&mut connection, class.id, role).await.or_domain()?,
        _ => None,
    };
    let view = OrderView { steps, ..view_for(services, &caller.actor, &away, listed) };
    Ok(ApprovalView { view, what_if, class, aid: Some(Box::new(aid)) })
}

/// Until when its lab would run that is to get more time.
async fn later_end(connection: &mut AnyConnection, order: &Order, now: Timestamp) -> Result<Option<LaterEnd>> {
    let Some(LabChange { lab, to: to @ ChangeTo::Extend { .. }, .. }) = order.change.as_ref().filter(|_| order.awaits().is_some()) else {
        return Ok(None);
    };
    let lab = storage::labs::get(connection, *lab).await.or_domain()?;
    Ok(lab.and_then(|lab| to.later_end(&lab, now)))
}

/// The lab that is to get another size, as it is, and whether its cards are there. Up to five statements.
async fn size_change(services: &Services, connection: &mut AnyConnection, order: &Order, now: Timestamp) -> Result<Option<SizeChange>> {
    let Some(LabChange { lab, to: ChangeTo::Resize { .. }, .. }) = order.change.as_ref().filter(|_| order.awaits().is_some()) else {
        return Ok(None);
    };
    let Some(lab) = storage::labs::get(connection, *lab).await.or_domain()? else { return Ok(None) };
    let asked = if lab.reserved { more_cards(&lab.spec, &order.spec) } else { 0 };
    let (free, no_room) = if asked > 0 { growth(connection, lab.id, &lab.spec, &order.spec, now).await? } else { (0, None) };
    let shelf = shelf(services, connection).await?;
    let per_hour_before = shelf.book(order.tenant).estimate(&lab.spec, 60, now).ok().map(|estimate| estimate.per_hour);
    let mut before = lab.spec;
    // They stay with the lab.
    before.secrets.clear();
    Ok(Some(SizeChange { before, per_hour_before, asked, free, no_room }))
}

/// How many labs are wanted at the same time: the seats of a class.
fn together(order: &Order) -> u32 {
    order.class.map_or(1, |ClassRef { seats, .. }| seats)
}

/// Whose inbox it is: the stages that wait for one of the caller's roles, at the college or at a department, or of those for whom they
/// stand in.
pub(crate) fn decider(actor: &Actor, away: &[Absent]) -> Decider {
    let Actor { tenant, user, roles, department_roles, .. } = actor.clone();
    let lent =
        |Absent { actor, .. }: &Absent| Powers { user: actor.user, roles: actor.roles.clone(), department_roles: actor.department_roles.clone() };
    Decider { tenant, user, roles, department_roles, away: away.iter().map(lent).collect() }
}

/// The order with what this reader may do now by their own roles.
pub(super) fn view(services: &Services, actor: &Actor, listed: Listed) -> OrderView {
    view_for(services, actor, &[], listed)
}

/// The same for who stands in for somebody.
pub(super) fn view_for(services: &Services, actor: &Actor, away: &[Absent], listed: Listed) -> OrderView {
    let Listed { mut order, owner, course, decided_by, labs, queue_position, owner_left } = listed;
    // The facts that the policy read are for dry runs: readers of one order need not know how a course's budget stood.
    order.ruling.facts = None;
    let resource = Resource::owned(order.tenant, order.course, order.owner);
    // Before its time it is in no line.
    let queue_position = queue_position.filter(|_| !order.is_ahead(services.clock.now()));
    OrderView {
        may_cancel: order.state.after(OrderEvent::Cancel).is_ok() && actor.can(Action::OrderCancel, &resource).is_ok(),
        may_decide: order.awaits().is_some() && in_whose_name(actor, away, &order).is_ok(),
        may_withdraw: order.proposal.is_some() && in_whose_name(actor, away, &order).is_ok(),
        may_reply: (order.awaits().is_some() || order.proposal.is_some()) && may_reply(actor, &order).is_ok(),
        steps: Vec::new(),
        order,
        owner,
        course,
        decided_by,
        labs,
        queue_position,
        owner_left,
        wait: None,
    }
}

/// `away`: for whom the caller stands in, whose orders they read too.
pub(super) async fn readable(connection: &mut AnyConnection, caller: &Caller, away: &[Absent], id: OrderId) -> Result<Listed> {
    let listed = storage::orders::get(connection, id).await.or_domain()?.ok_or(Error::NotFound)?;
    let order = &listed.order;
    let resource = Resource::owned(order.tenant, order.course, order.owner);
    match caller.actor.can(Action::OrderRead, &resource) {
        Ok(()) => Ok(listed),
        Err(Error::NotFound | Error::Forbidden) if lets_read(away, &resource) => Ok(listed),
        Err(Error::ScopeMissing { scope }) => Err(Error::ScopeMissing { scope }),
        Err(_) => Err(Error::NotFound),
    }
}

/// What stands beside the decisions of a page.
struct Facts {
    quotas: BTreeMap<CourseId, QuotaStatus>,
    supplies: Vec<Supply>,
    waiting: BTreeMap<Card, u32>,
    now: Timestamp,
}

impl Facts {
    async fn load(services: &Services, connection: &mut AnyConnection, caller: &Caller) -> Result<Self> {
        let now = services.clock.now();
        let quotas = storage::quotas::of_tenant_ahead(connection, caller.actor.tenant, now).await.or_domain()?;
        Ok(Self {
            quotas: quotas.into_iter().map(|quota| (quota.course.id, quota.status)).collect(),
            supplies: storage::supplies::all(connection, now).await.or_domain()?,
            waiting: storage::reservations::waiting_counts(connection, now).await.or_domain()?.into_iter().collect(),
            now,
        })
    }

    fn beside(&self, services: &Services, actor: &Actor, away: &[Absent], listed: Listed) -> Result<ApprovalView> {
        let card = listed.order.spec.card;
        let supply = self.supplies.iter().find(|supply| supply.card == card);
        let what_if = WhatIf {
            // Courses are never deleted.
            quota: self.quotas.get(&listed.order.course).ok_or(Error::NotFound)?.during(listed.order.span(self.now), self.now),
            cards_free: supply.map(|supply| supply.free),
            outlook: supply
                .filter(|_| listed.order.change.is_none())
                .and_then(|supply| supply.outlook(&listed.order.spec, together(&listed.order), self.now)),
            waiting_for_same_card: self.waiting.get(&card).copied().unwrap_or_default(),
            later_end: None,
            size_change: None,
        };
        Ok(ApprovalView { view: view_for(services, actor, away, listed), what_if, class: None, aid: None })
    }
}
