//! Submitting: quota and budget are held in one transaction, and the policy decides (C1, C4). Orders for a class and for lessons are made
//! together, all of them or none (B3).

use domain::{
    Error, Problem, Result,
    access::Action,
    approvals::Outcome,
    courses::Course,
    ids::{LabId, OrderId},
    orders::{self, Decision, Order, OrderForm, OrderState, OrderView, Preview},
    people::PersonRef,
    time::Timestamp,
};
use serde_json::json;
use storage::{
    AnyConnection, Write,
    orders::{Listed, Remembered},
    quotas::CourseQuota,
    script::Script,
};

use super::{
    audited,
    basis::{self, Named},
    class, grant, read, tell,
};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    catalogue::{Shelf, shelf},
    digest::hex_sha256,
    error::OrDomain,
    hub::News,
};

/// 1 to 100 visible ASCII characters; a retry with the same key gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        match text.len() {
            0 => Err(Error::field("idempotency_key", Problem::Missing)),
            1..=100 if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Self(text.to_owned())),
            1..=100 => Err(Error::field("idempotency_key", Problem::BadFormat { example: "8e03978e-40d5-43e8-bc93-6894a57f9324".into() })),
            _ => Err(Error::field("idempotency_key", Problem::TooLong { max: 100 })),
        }
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Errors: `Invalid` per field (an unknown offering, course or parameter too), `OverQuota`, `OverBudget`, `IdempotencyKeyReused`, `Forbidden`.
pub async fn submit(services: &Services, caller: &Caller, form: &OrderForm, key: &IdempotencyKey) -> Result<OrderView> {
    // On the heap: it holds the order several times over.
    audit::recording(services, caller, || attempt(form), Box::pin(submit_unrecorded(services, caller, form, key))).await
}

async fn submit_unrecorded(services: &Services, caller: &Caller, form: &OrderForm, key: &IdempotencyKey) -> Result<OrderView> {
    let hash = request_hash(form);
    let (course, shelf) = match check(services, caller, form, key, &hash).await? {
        Checked::Before(view) => return Ok(*view),
        Checked::Good(course, shelf) => (course, shelf),
    };

    let mut write = services.db.begin_write().await.or_domain()?;
    storage::quotas::lock(&mut write, course.id).await.or_domain()?;
    let now = services.clock.now();
    let quota = quota(&mut write, form, &course, now).await?;
    let preview = decide(&shelf, caller, form, Some(&quota), now)?;
    if let Some(refusal) = preview.refusal {
        // It may be this very request that took what is missing, a moment ago.
        return before(services, &mut write, caller, key, &hash).await?.ok_or(refusal);
    }
    let (plan, runs) = (preview.plan, preview.runs);
    let offering = basis::offering(&shelf, caller, form)?;
    let order = Order {
        id: OrderId::from_uuid(services.entropy.uuid()),
        number: storage::orders::next_numbers(&mut write, plan.orders()).await.or_domain()?,
        tenant: course.tenant,
        course: course.id,
        owner: caller.actor.user,
        offering: offering.id,
        offering_version: offering.version,
        offering_name: offering.name.clone(),
        parameters: form.parameters.clone(),
        spec: preview.spec,
        minutes: preview.estimate.minutes,
        purpose: form.purpose.trim().to_owned(),
        state: OrderState::PendingApproval,
        ruling: preview.ruling,
        estimate: preview.estimate,
        submitted_at: now,
        expires_at: now.plus_minutes(services.settings.hold_days * 24 * 60),
        decided_at: None,
        decided_by: None,
        reason: None,
        queued_at: None,
        stage: 0,
        barred: std::collections::BTreeSet::new(),
        proposal: None,
        starts_at: None,
        seat: None,
        class: None,
        version: 1,
    };
    let mut orders = class::orders(services, &mut write, order, &plan, &runs).await?;
    let (mut labs, mut script) = (Vec::new(), Script::default());
    for order in &mut orders {
        // Where cards are free is asked after those before have theirs.
        if !std::mem::take(&mut script).run(&mut write).await.or_domain()? {
            return Err(gone());
        }
        labs.push(place(services, &mut write, &mut script, caller, &course, order).await?);
        script.extend(audit::success_record(services, caller, audited::entry("order.submit", order).after(audited::tracked(order))));
    }
    // The first stands for all of them.
    let (Some(order), Some(lab)) = (orders.first(), labs.first().copied()) else { return Err(Error::Invalid(Vec::new())) };
    let view = if order.state == OrderState::Queued {
        // Its place in the queue must be asked for.
        if !std::mem::take(&mut script).run(&mut write).await.or_domain()? {
            return Err(gone());
        }
        view(services, &mut write, caller, order.id).await?
    } else {
        made_now(services, caller, &course, order, lab)
    };
    let made = Remembered { request_hash: hash, order: order.id, answer: Some(storage::row::json(&view)) };
    script.add(storage::orders::remember(caller.actor.user, key.as_str(), &made, now));
    if !script.run(&mut write).await.or_domain()? {
        // The same request was quicker on another connection, or the cards are gone: what this one has written goes back.
        write.rollback().await.or_domain()?;
        let mut connection = services.db.read().await.or_domain()?;
        return before(services, &mut connection, caller, key, &made.request_hash).await?.ok_or_else(gone);
    }
    let told = tell::waits(services, &mut write, order).await?;
    write.commit().await.or_domain()?;

    services.hub.tell(News::order(order));
    told.tell(services);
    for (order, lab) in orders.iter().zip(&labs) {
        if let Some(lab) = lab {
            services.hub.tell(News::lab_of(order, *lab));
        }
    }
    let (number, state) = (order.number, order.state.as_str());
    tracing::info!(order.id = %order.id, order.number = number, order.state = state, order.count = orders.len(), "an order was submitted");
    Ok(view)
}

/// The order in the state that the policy gives it, with its lab when cards are free. All of it is written by the script.
async fn place(
    services: &Services,
    write: &mut Write,
    script: &mut Script,
    caller: &Caller,
    course: &Course,
    order: &mut Order,
) -> Result<Option<LabId>> {
    if order.ruling.outcome != Outcome::Automatic {
        script.add(storage::orders::new(order));
        return Ok(None);
    }
    order.decided_at = Some(order.submitted_at);
    let now = order.submitted_at;
    // What is for a lesson to come waits for its time, and for no cards before.
    let places = if order.is_ahead(now) { None } else { grant::places(write, order, now).await? };
    let Some(places) = places else {
        order.state = order.state.after(orders::OrderEvent::Queue)?;
        order.queued_at = Some(order.starts_at.map_or(now, |at| at.max(now)));
        script.add(storage::orders::new(order));
        return Ok(None);
    };
    order.state = order.state.after(orders::OrderEvent::Approve)?;
    script.add(storage::orders::new(order));
    Ok(Some(grant::new_lab(services, script, order, course.namespace.clone(), &places, Some(caller.actor.user))))
}

/// Somebody was quicker, or the cluster has lost the node that was planned with. Nothing is written; the next try finds what is so now.
const fn gone() -> Error {
    Error::Unavailable { retry_after_seconds: 1 }
}

enum Checked {
    /// What the same request was answered before.
    Before(Box<OrderView>),
    Good(Course, std::sync::Arc<Shelf>),
}

/// All that can be refused without holding up other writers. Over quota is left to the transaction: a retry must find its order first.
async fn check(services: &Services, caller: &Caller, form: &OrderForm, key: &IdempotencyKey, hash: &str) -> Result<Checked> {
    let mut connection = services.db.read().await.or_domain()?;
    let named = basis::course(&mut connection, caller, Action::OrderSubmit, form).await?;
    if let Some(view) = before(services, &mut connection, caller, key, hash).await? {
        return Ok(Checked::Before(Box::new(view)));
    }
    let shelf = shelf(services, &mut connection).await?;
    basis::offering(&shelf, caller, form)?;
    let now = services.clock.now();
    let course = match named {
        Named::Course(course) => course,
        Named::Nothing => return Err(no_course(&shelf, caller, form, now)),
        Named::Hidden(course) => {
            // The connection goes back before the record asks for one: many such attempts at once must not wait for each other.
            drop(connection);
            audit::refused(services, caller, attempt(form).course(course.id), Error::NotFound).await;
            return Err(no_course(&shelf, caller, form, now));
        }
    };
    let quota = quota(&mut connection, form, &course, now).await?;
    decide(&shelf, caller, form, Some(&quota), now)?;
    Ok(Checked::Good(course, shelf))
}

/// Every problem of a form whose course is one of them.
fn no_course(shelf: &Shelf, caller: &Caller, form: &OrderForm, now: Timestamp) -> Error {
    decide(shelf, caller, form, None, now).err().unwrap_or(Error::NotFound)
}

/// The course's quota; for lessons with the planned ends of its labs. One statement.
async fn quota(connection: &mut AnyConnection, form: &OrderForm, course: &Course, now: Timestamp) -> Result<CourseQuota> {
    let quota = if form.class.is_plain() {
        storage::quotas::of_course(connection, course.id, now).await
    } else {
        storage::quotas::of_course_ahead(connection, course.id, now).await
    };
    quota.or_domain()?.ok_or(Error::NotFound)
}

fn decide(shelf: &Shelf, caller: &Caller, form: &OrderForm, quota: Option<&CourseQuota>, now: Timestamp) -> Result<Preview> {
    let tenant = caller.actor.tenant;
    let on = Decision {
        offering: basis::offering(shelf, caller, form)?,
        quota: quota.map(|quota| &quota.status),
        students: quota.map_or(0, |quota| quota.students),
        book: shelf.book(tenant),
        policy: shelf.policy(tenant),
        // Free cards are shown, they decide nothing here: what is not free is waited for.
        pools: &[],
        requester: &quota.map_or_else(|| caller.actor.roles.clone(), |quota| caller.actor.roles_in(quota.course.id)),
        now,
    };
    orders::preview(&on, form)
}

/// What was answered when this key made its order, whatever became of that since. Errors: `IdempotencyKeyReused` when the request was
/// another one.
async fn before(services: &Services, connection: &mut AnyConnection, caller: &Caller, key: &IdempotencyKey, hash: &str) -> Result<Option<OrderView>> {
    let Some(made) = storage::orders::remembered(connection, caller.actor.user, key.as_str()).await.or_domain()? else { return Ok(None) };
    if made.request_hash != hash {
        return Err(Error::IdempotencyKeyReused { order: Some(made.order) });
    }
    // An answer that an older version kept in another form is given anew.
    match made.answer.and_then(|text| serde_json::from_str(&text).ok()) {
        Some(view) => Ok(Some(view)),
        None => view(services, connection, caller, made.order).await.map(Some),
    }
}

/// As it has just been made.
fn made_now(services: &Services, caller: &Caller, course: &Course, order: &Order, lab: Option<LabId>) -> OrderView {
    let actor = &caller.actor;
    let owner = PersonRef { id: actor.user, login: actor.login.clone(), name: actor.name.clone() };
    let labs = lab.into_iter().collect();
    let listed = Listed { order: order.clone(), owner, course: course.brief(), decided_by: None, labs, queue_position: None };
    read::view(services, actor, listed)
}

async fn view(services: &Services, connection: &mut AnyConnection, caller: &Caller, id: OrderId) -> Result<OrderView> {
    let listed = storage::orders::get(connection, id).await.or_domain()?.ok_or(Error::NotFound)?;
    Ok(read::view(services, &caller.actor, listed))
}

/// Hexadecimal SHA-256 of the form. Its maps are sorted, so the same form always gives the same bytes.
fn request_hash(form: &OrderForm) -> String {
    hex_sha256(storage::row::json(form))
}

/// The attempt as the record of a refusal describes it; what was typed is cut, since nothing has checked it.
fn attempt(form: &OrderForm) -> Entry {
    let cut = |text: &str| text.chars().take(64).collect::<String>();
    Entry::new(audit::action(Action::OrderSubmit), "offering", "", cut(&form.offering)).after(json!({
        "offering": cut(&form.offering),
        "course": cut(&form.course),
        "duration_minutes": cut(&form.duration_minutes),
        "seats": cut(&form.class.seats),
        "first_day": cut(&form.class.first_day),
        "weeks": cut(&form.class.weeks),
        "parameters": form.parameters.iter().take(32).map(|(key, value)| (cut(key), cut(value))).collect::<std::collections::BTreeMap<_, _>>(),
    }))
}
