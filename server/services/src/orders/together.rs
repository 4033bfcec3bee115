//! Deciding on orders that come at the same moment, in one transaction: quota and budget are held and the policy decides, for one after
//! the other (C1, C4). Orders for a class and for lessons are made all or none (B3).

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, Result,
    approvals::Outcome,
    courses::Course,
    gpu::Card,
    ids::{CourseId, LabId, OrderId, UserId},
    orders::{self, Decision, Order, OrderForm, OrderState, OrderView, Preview},
    people::PersonRef,
    time::Timestamp,
};
use storage::{
    AnyConnection, Write,
    orders::{Listed, Remembered},
    quotas::CourseQuota,
    script::Script,
};

use super::{
    audited, basis, class,
    grant::{self, gone, write_all},
    line::Request,
    read, tell,
    undecided::Undecided,
};
use crate::{Caller, Services, audit, capacity::Counter, catalogue::Shelf, error::OrDomain, hub::News, notifications::Told};

/// The answer to a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub view: Box<OrderView>,
    /// How many orders it has made; 0 when it was made before.
    pub orders: usize,
}

/// The transaction in which some are answered.
pub(super) async fn begin(services: &Services) -> Result<Write> {
    services.db.begin_write_in_line().await.or_domain()
}

/// An answer for each request. What fails for all of them together is tried for each by itself, so that nobody is refused for another's sake.
pub(super) async fn answer(services: &Services, begun: Result<Write>, requests: &[Request]) -> Vec<Result<Answer>> {
    let error = match begun {
        Ok(write) => match Box::pin(all(services, write, requests)).await {
            Ok(answers) => return answers,
            Err(error) => error,
        },
        Err(error) => error,
    };
    let away = matches!(error, Error::Unavailable { .. }) && error != gone();
    if let ([request], false) = (requests, away) {
        return vec![alone(services, request, error).await];
    }
    let mut answers = Vec::new();
    for request in requests {
        answers.push(if away { Err(error.clone()) } else { one(services, request).await });
    }
    answers
}

async fn one(services: &Services, request: &Request) -> Result<Answer> {
    match Box::pin(all(services, begin(services).await?, std::slice::from_ref(request))).await {
        Ok(mut answers) => answers.pop().unwrap_or_else(|| Err(gone())),
        Err(error) => alone(services, request, error).await,
    }
}

/// The answer to a request that failed by itself: where the same request was quicker on another server, what that was answered.
async fn alone(services: &Services, request: &Request, error: Error) -> Result<Answer> {
    if error != gone() {
        return Err(error);
    }
    let mut connection = services.db.read().await.or_domain()?;
    let (user, key) = request.id();
    match storage::orders::remembered(&mut connection, user, key).await.or_domain()? {
        Some(made) => Ok(Answer { view: kept(services, &mut connection, &request.caller, &request.hash, made).await?, orders: 0 }),
        None => Err(error),
    }
}

/// Everything that a request has made.
struct Made {
    orders: Vec<Order>,
    labs: Vec<Option<LabId>>,
    view: Box<OrderView>,
    told: Told,
}

/// Errors: what stops all of them; nothing is written then.
async fn all(services: &Services, mut write: Write, requests: &[Request]) -> Result<Vec<Result<Answer>>> {
    let ids: BTreeSet<CourseId> = requests.iter().map(|request| request.course.id).collect();
    // In the order of their ids: two servers that lock the same ones wait for each other and do not stand crosswise.
    storage::quotas::lock_all(&mut write, ids.iter().copied()).await.or_domain()?;
    let now = services.clock.now();
    let keys: Vec<_> = requests.iter().map(Request::id).collect();
    let mut made_before = storage::orders::remembered_of(&mut write, &keys).await.or_domain()?;
    let new: Vec<&Request> = requests.iter().filter(|request| !made_before.contains_key(&owned(request.id()))).collect();
    let mut courses = quotas(&mut write, &new, now).await?;

    let mut outcomes = Vec::new();
    for request in requests {
        if let Some(made) = made_before.remove(&owned(request.id())) {
            let view = kept(services, &mut write, &request.caller, &request.hash, made).await;
            outcomes.push(Err(view.map(|view| Answer { view, orders: 0 })));
            continue;
        }
        outcomes.push(decided(request, courses.get_mut(&request.course.id), now).map_err(Err));
    }
    let plans = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok());
    let count = plans.map(|preview| preview.plan.orders()).sum();
    let mut made = Vec::new();
    if count > 0 {
        let first = storage::orders::next_numbers(&mut write, count).await.or_domain()?;
        let accepted = requests.iter().zip(&outcomes).filter_map(|(request, outcome)| Some((request, outcome.as_ref().ok()?)));
        made = self::make(services, &mut write, accepted, first, now).await?;
        #[cfg(test)]
        counted_right(&mut write, &courses, now).await;
        write.commit().await.or_domain()?;
    }
    for Made { orders, labs, told, .. } in &mut made {
        // The first stands for all of them.
        if let Some(first) = orders.first() {
            services.hub.tell(News::order(first));
        }
        for (order, lab) in orders.iter().zip(labs.iter()) {
            if let Some(lab) = lab {
                services.hub.tell(News::lab_of(order, *lab));
            }
        }
        std::mem::take(told).tell(services);
    }
    let mut made = made.into_iter();
    let answer = |outcome| match outcome {
        // One was made for each that was accepted.
        Ok(_) => made.next().map(|made| Answer { view: made.view, orders: made.orders.len() }).ok_or_else(gone),
        Err(answer) => answer,
    };
    Ok(outcomes.into_iter().map(answer).collect())
}

/// Whether the order is accepted; then its course's quota counts it from here on.
fn decided(request: &Request, course: Option<&mut CourseQuota>, now: Timestamp) -> Result<Preview> {
    let course = course.ok_or(Error::NotFound)?;
    let preview = decide(&request.shelf, &request.caller, &request.form, Some(course), now)?;
    if let Some(refusal) = preview.refusal {
        return Err(refusal);
    }
    course.status.hold(preview.asked, preview.total, preview.ruling.outcome == Outcome::Automatic);
    Ok(preview)
}

/// Writes the orders of all that were accepted. Errors: `gone` when some of it could not be written; then nothing may be committed.
async fn make(
    services: &Services,
    write: &mut Write,
    accepted: impl Iterator<Item = (&Request, &Preview)>,
    first: i64,
    now: Timestamp,
) -> Result<Vec<Made>> {
    let mut all = Vec::new();
    let mut number = first;
    for (request, preview) in accepted {
        let order = order(services, request, preview, number, now)?;
        let orders = class::orders(services, write, order, &preview.plan, &preview.runs).await?;
        number += i64::from(preview.plan.orders());
        all.push((request, orders));
    }
    let mut counters = BTreeMap::<Card, Counter>::new();
    let cards: BTreeSet<_> = all.iter().flat_map(|(_, orders)| orders).filter(|order| wants_cards(order, now)).map(|order| order.spec.card).collect();
    for card in cards {
        counters.insert(card, Counter::open(write, card, now).await?);
    }
    let mut made = Vec::new();
    for (request, mut orders) in all {
        let (mut labs, mut script) = (Vec::new(), Script::default());
        for order in &mut orders {
            write_all(write, std::mem::take(&mut script)).await?;
            labs.push(place(services, &mut script, &mut counters, request, order)?);
            let entry = audited::entry("order.submit", order).after(audited::tracked(order));
            script.extend(audit::success_record(services, &request.caller, entry));
        }
        // The first stands for all of them.
        let (Some(order), Some(lab)) = (orders.first(), labs.first().copied()) else { return Err(Error::Invalid(Vec::new())) };
        let view = if order.state == OrderState::Queued {
            // Its place in the queue must be asked for.
            write_all(write, std::mem::take(&mut script)).await?;
            Box::new(view(services, write, &request.caller, order.id).await?)
        } else {
            Box::new(made_now(services, &request.caller, &request.course, order, lab))
        };
        let remembered = Remembered { request_hash: request.hash.clone(), order: order.id, answer: Some(storage::row::json(&view)) };
        let (user, key) = request.id();
        script.add(storage::orders::remember(user, key, &remembered, now));
        write_all(write, script).await?;
        let told = tell::waits(services, write, order).await?;
        made.push(Made { orders, labs, view, told });
    }
    Ok(made)
}

/// The order as the policy has decided, the first where it makes several.
fn order(services: &Services, request: &Request, preview: &Preview, number: i64, now: Timestamp) -> Result<Order> {
    let Request { caller, form, course, shelf, .. } = request;
    let undecided = Undecided {
        tenant: course.tenant,
        course: course.id,
        owner: caller.actor.user,
        offering: basis::offering(shelf, caller, form)?,
        spec: preview.spec.clone(),
        estimate: preview.estimate.clone(),
        ruling: preview.ruling.clone(),
    };
    Ok(Order { parameters: form.parameters.clone(), purpose: form.purpose.trim().to_owned(), ..undecided.order(services, number, now) })
}

/// Whether it gets its cards now, if there are any. What is for a lesson to come waits for its time, and for no cards before.
fn wants_cards(order: &Order, now: Timestamp) -> bool {
    order.ruling.outcome == Outcome::Automatic && !order.is_ahead(now)
}

/// The order in the state that the policy gives it, with its lab when cards are free. All of it is written by the script.
fn place(
    services: &Services,
    script: &mut Script,
    counters: &mut BTreeMap<Card, Counter>,
    request: &Request,
    order: &mut Order,
) -> Result<Option<LabId>> {
    let now = order.submitted_at;
    let counter = if wants_cards(order, now) { counters.get_mut(&order.spec.card) } else { None };
    let places = counter.and_then(|counter| counter.take(&order.spec));
    if order.ruling.outcome == Outcome::Automatic {
        order.decided_at = Some(now);
        let event = if places.is_some() { orders::OrderEvent::Approve } else { orders::OrderEvent::Queue };
        order.state = order.state.after(event)?;
        order.queued_at = places.is_none().then(|| order.starts_at.map_or(now, |at| at.max(now)));
    }
    script.add(storage::orders::new(order));
    let namespace = || request.course.namespace.clone();
    Ok(places.map(|places| grant::new_lab(services, script, order, namespace(), &places, Some(request.caller.actor.user))))
}

fn owned((user, key): (UserId, &str)) -> (UserId, String) {
    (user, key.to_owned())
}

/// The quotas of all their courses. One statement for each 32 courses.
async fn quotas(connection: &mut AnyConnection, requests: &[&Request], now: Timestamp) -> Result<BTreeMap<CourseId, CourseQuota>> {
    // A request for a class or for lessons is processed alone.
    if let [Request { form, course, .. }] = requests {
        return Ok(BTreeMap::from([(course.id, quota(connection, form, course.id, now).await?)]));
    }
    let courses: BTreeSet<_> = requests.iter().map(|request| request.course.id).collect();
    storage::quotas::of_courses(connection, &Vec::from_iter(courses), now).await.or_domain()
}

/// The course's quota; for lessons with the planned ends of its labs. One statement.
pub(super) async fn quota(connection: &mut AnyConnection, form: &OrderForm, course: CourseId, now: Timestamp) -> Result<CourseQuota> {
    let quota = if form.class.is_plain() {
        storage::quotas::of_course(connection, course, now).await
    } else {
        storage::quotas::of_course_ahead(connection, course, now).await
    };
    quota.or_domain()?.ok_or(Error::NotFound)
}

/// The result of submitting. `quota` is `None` if the caller may not order for the course.
pub(super) fn decide(shelf: &Shelf, caller: &Caller, form: &OrderForm, quota: Option<&CourseQuota>, now: Timestamp) -> Result<Preview> {
    let tenant = caller.actor.tenant;
    let on = Decision {
        offering: basis::offering(shelf, caller, form)?,
        quota: quota.map(|quota| &quota.status),
        students: quota.map_or(0, |quota| quota.students),
        book: shelf.book(tenant),
        policy: shelf.policy(tenant),
        // Free cards are shown, they decide nothing here: what is not free is waited for.
        supplies: &[],
        requester: &quota.map_or_else(|| caller.actor.roles.clone(), |quota| caller.actor.roles_in(quota.course.id)),
        now,
    };
    orders::preview(&on, form)
}

/// The answer that was stored when the key made its order, even if that has changed. Errors: `IdempotencyKeyReused` when the request was another
/// one.
pub(super) async fn kept(
    services: &Services,
    connection: &mut AnyConnection,
    caller: &Caller,
    hash: &str,
    made: Remembered,
) -> Result<Box<OrderView>> {
    if made.request_hash != hash {
        return Err(Error::IdempotencyKeyReused { order: Some(made.order) });
    }
    // An answer that an older version kept in another form is given anew.
    match made.answer.and_then(|text| serde_json::from_str(&text).ok()) {
        Some(view) => Ok(view),
        None => view(services, connection, caller, made.order).await.map(Box::new),
    }
}

/// As it has just been made.
fn made_now(services: &Services, caller: &Caller, course: &Course, order: &Order, lab: Option<LabId>) -> OrderView {
    let actor = &caller.actor;
    let owner = PersonRef { id: actor.user, login: actor.login.clone(), name: actor.name.clone() };
    let labs = lab.into_iter().collect();
    let listed = Listed { order: order.clone(), owner, course: course.brief(), decided_by: None, labs, queue_position: None, owner_left: false };
    read::view(services, actor, listed)
}

async fn view(services: &Services, connection: &mut AnyConnection, caller: &Caller, id: OrderId) -> Result<OrderView> {
    let listed = storage::orders::get(connection, id).await.or_domain()?.ok_or(Error::NotFound)?;
    Ok(read::view(services, &caller.actor, listed))
}

/// What was counted while the orders were decided is what the database sums up; on PostgreSQL less where others gave back meanwhile.
#[cfg(test)]
async fn counted_right(write: &mut Write, courses: &BTreeMap<CourseId, CourseQuota>, now: Timestamp) {
    for (course, CourseQuota { status: counted, .. }) in courses {
        let summed = storage::quotas::of_course(write, *course, now).await.expect("a sum").expect("a course").status;
        if counted.booked.is_empty() && summed.booked.is_empty() {
            let counts = |status: &domain::quotas::QuotaStatus| {
                let mut counts = domain::quotas::Item::ALL.map(|item| status.in_use().get(item)).to_vec();
                counts.extend([status.started_today.parts(), status.budget.held.plus(status.budget.spent).micros]);
                counts
            };
            let (counted, summed) = (counts(counted), counts(&summed));
            let right = |(counted, summed): (&i64, &i64)| counted == summed || (write.engine() == storage::Engine::Postgres && counted > summed);
            assert!(counted.iter().zip(&summed).all(right), "{counted:?} and {summed:?}");
        }
    }
}
