//! Submitting: what is wrong with a form is said at once, and whoever passes stands in the [`line`](super::line) (C1, C4).

use std::sync::Arc;

use domain::{
    Error, Problem, Result,
    access::Action,
    courses::Course,
    orders::{self, OrderForm, OrderView},
    time::Timestamp,
};
use serde_json::json;
use storage::AnyConnection;

use super::{
    basis::{self, Named},
    line::Request,
    together::{decide, kept, quota},
};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    catalogue::{Shelf, shelf},
    digest::hex_sha256,
    error::OrDomain,
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
    let request = Request { caller: caller.clone(), form: form.clone(), key: key.clone(), hash, course, shelf };
    let answer = services.line.stand(services, request).await?;
    if answer.orders > 0 {
        let (order, count) = (&answer.view.order, answer.orders);
        tracing::info!(order.id = %order.id, order.number = order.number, order.state = order.state.as_str(), order.count = count, "an order was submitted");
    }
    Ok(*answer.view)
}

enum Checked {
    /// What the same request was answered before.
    Before(Box<OrderView>),
    Good(Course, Arc<Shelf>),
}

/// What is wrong with the form is refused without holding up other writers. The rest is left to the transaction: it reads the quota anyway,
/// and asks for the key.
async fn check(services: &Services, caller: &Caller, form: &OrderForm, key: &IdempotencyKey, hash: &str) -> Result<Checked> {
    let mut connection = services.db.read().await.or_domain()?;
    let named = basis::course(&mut connection, caller, Action::OrderSubmit, form).await?;
    let error = match checked(services, caller, form, &mut connection, &named).await {
        Ok((course, shelf)) => return Ok(Checked::Good(course, shelf)),
        Err(error) => error,
    };
    // What is refused now may have been fine when the same request made its order.
    if let Some(made) = storage::orders::remembered(&mut connection, caller.actor.user, key.as_str()).await.or_domain()? {
        return kept(services, &mut connection, caller, hash, made).await.map(Checked::Before);
    }
    // The connection goes back before the record asks for one: many such attempts at once must not wait for each other.
    drop(connection);
    if let (Named::Hidden(course), Error::Invalid(_) | Error::NotFound) = (named, &error) {
        audit::refused(services, caller, attempt(form).course(course.id), Error::NotFound).await;
    }
    Err(error)
}

async fn checked(
    services: &Services,
    caller: &Caller,
    form: &OrderForm,
    connection: &mut AnyConnection,
    named: &Named,
) -> Result<(Course, Arc<Shelf>)> {
    let shelf = shelf(services, connection).await?;
    let offering = basis::offering(&shelf, caller, form)?;
    let now = services.clock.now();
    let Named::Course(course) = named else { return Err(no_course(&shelf, caller, form, now)) };
    let students = if form.class.is_plain() { 0 } else { quota(connection, form, course.id, now).await?.students };
    orders::check_form(offering, form, students, now)?;
    Ok((course.clone(), shelf))
}

/// Every problem of a form whose course is one of them.
fn no_course(shelf: &Shelf, caller: &Caller, form: &OrderForm, now: Timestamp) -> Error {
    decide(shelf, caller, form, None, now).err().unwrap_or(Error::NotFound)
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
