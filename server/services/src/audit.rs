//! The audit record of use cases: written in the transaction of the change; refusals in one of their own.
//! Here is how it is written; searching, counting floods, sealing and verifying have files of their own.

mod around;
mod begun;
mod export;
mod floods;
mod read;
mod refusal_counts;
pub mod refusals;
pub mod runs;
mod seal;
pub mod searches;
mod verify;

pub use around::verify_around;
pub use export::{Format, export};
pub(crate) use floods::count_refusal;
pub use read::{browse, get, search};
pub(crate) use read::{latest_privileged, record_reading, search_words};
pub use refusals::unauthenticated;
pub use seal::seal;
pub use verify::{ChainReport, verify};

use domain::{
    Error, Result,
    access::Action,
    audit::{Chain, Event, Object, Outcome, Who},
    ids::{AuditEventId, CourseId, TenantId},
};
use serde_json::Value;
use storage::{Write, script::Insert};

use crate::{Caller, Origin, Services, error::OrDomain};

/// What happened, before it has an id and a time.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `order.submit`
    pub action: String,
    pub object: Object,
    pub course: Option<CourseId>,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl Entry {
    #[expect(clippy::needless_pass_by_value, reason = "ids are small, and texts and ids read alike at the call")]
    pub fn new(action: impl Into<String>, kind: &str, id: impl ToString, label: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            object: Object { kind: kind.into(), id: id.to_string(), label: label.into() },
            course: None,
            before: None,
            after: None,
        }
    }
    #[must_use]
    pub fn course(mut self, course: CourseId) -> Self {
        self.course = Some(course);
        self
    }
    #[must_use]
    pub fn before(mut self, value: Value) -> Self {
        self.before = Some(value);
        self
    }
    #[must_use]
    pub fn after(mut self, value: Value) -> Self {
        self.after = Some(value);
        self
    }
}

fn event(services: &Services, who: Who, origin: &Origin, chain: Chain, entry: Entry, outcome: Outcome, code: Option<&str>) -> Event {
    let Entry { action, object, course, before, after } = entry;
    Event {
        id: AuditEventId::from_uuid(services.entropy.uuid()),
        chain,
        at: services.clock.now(),
        who,
        via: origin.via,
        address: origin.address.clone(),
        request_id: origin.request_id.clone(),
        action,
        object,
        course,
        outcome,
        code: code.map(ToOwned::to_owned),
        before,
        after,
        count: 1,
    }
}

/// Records a success of a person in the transaction that made it.
pub async fn success(services: &Services, write: &mut Write, caller: &Caller, entry: Entry) -> Result<()> {
    storage::audit::insert(write, &succeeded(services, caller, entry)).await.or_domain()
}

/// The same as statements, for those who write all at once.
pub(crate) fn success_record(services: &Services, caller: &Caller, entry: Entry) -> [Insert; 2] {
    storage::audit::new(&succeeded(services, caller, entry))
}

fn succeeded(services: &Services, caller: &Caller, entry: Entry) -> Event {
    event(services, caller.who(), &caller.origin, Chain::Tenant(caller.actor.tenant), entry, Outcome::Success, None)
}

/// Records a success of a person that no request brings: the end of something that they began.
pub(crate) async fn by_person(services: &Services, write: &mut Write, who: Who, origin: &Origin, tenant: TenantId, entry: Entry) -> Result<()> {
    let event = event(services, who, origin, Chain::Tenant(tenant), entry, Outcome::Success, None);
    storage::audit::insert(write, &event).await.or_domain()
}

/// Records what a background job did.
pub async fn by_job(services: &Services, write: &mut Write, job: &str, tenant: TenantId, entry: Entry, outcome: Outcome) -> Result<()> {
    let event = event(services, Who::System { job: job.into() }, &Origin::job(), Chain::Tenant(tenant), entry, outcome, None);
    storage::audit::insert(write, &event).await.or_domain()
}

/// Records a person's deed that concerns no tenant, or makes one: set-up.
pub(crate) async fn on_system_chain(services: &Services, write: &mut Write, caller: &Caller, entry: Entry) -> Result<()> {
    let event = event(services, caller.who(), &caller.origin, Chain::System, entry, Outcome::Success, None);
    storage::audit::insert(write, &event).await.or_domain()
}

/// Records an action of a process that concerns no tenant.
pub(crate) async fn by_system(services: &Services, write: &mut Write, job: &str, entry: Entry) -> Result<()> {
    let event = event(services, Who::System { job: job.into() }, &Origin::job(), Chain::System, entry, Outcome::Success, None);
    storage::audit::insert(write, &event).await.or_domain()
}

/// Records what an operator did on the command line.
pub(crate) async fn by_operator(services: &Services, write: &mut Write, origin: &Origin, tenant: TenantId, entry: Entry) -> Result<()> {
    let event = event(services, Who::System { job: "lectern".into() }, origin, Chain::Tenant(tenant), entry, Outcome::Success, None);
    storage::audit::insert(write, &event).await.or_domain()
}

/// Records a refusal that the caller sees as a mistake in a form: a wrong current password.
pub(crate) async fn refused_with_code(services: &Services, caller: &Caller, entry: Entry, code: &str) {
    let event = event(services, caller.who(), &caller.origin, Chain::Tenant(caller.actor.tenant), entry, Outcome::Refused, Some(code));
    write_alone(services, &event).await;
}

/// Records in a transaction of its own that somebody was refused (or that it failed), and gives the error back. The same again within a
/// minute is counted: see [`refusal_counts`].
/// Form mistakes ([`Error::Invalid`]) and an away database are not refusals and leave no record.
pub async fn refused(services: &Services, caller: &Caller, entry: Entry, error: Error) -> Error {
    let outcome = match &error {
        Error::Invalid(_) | Error::Unavailable { .. } | Error::Malformed { .. } => return error,
        Error::Internal { .. } => Outcome::Failed,
        _ => Outcome::Refused,
    };
    let event = event(services, caller.who(), &caller.origin, Chain::Tenant(caller.actor.tenant), entry, outcome, Some(error.code()));
    if let Some(first) = refusal_counts::first_of_use_case(services, caller.actor.user, event) {
        write_alone(services, &first).await;
    }
    error
}

/// Records an event of nobody in particular (sign-in, set-up) on the system chain, in a transaction of its own.
pub async fn anonymous(services: &Services, origin: &Origin, who: Who, entry: Entry, outcome: Outcome, code: Option<&str>) {
    let event = event(services, who, origin, Chain::System, entry, outcome, code);
    write_alone(services, &event).await;
}

async fn write_alone(services: &Services, event: &Event) {
    services.cache.recorded.note(event.request_id.as_deref());
    let written = async {
        let mut write = services.db.begin_write().await?;
        storage::audit::insert(&mut write, event).await?;
        write.commit().await
    };
    if let Err(error) = written.await {
        tracing::error!(audit.action = %event.action, %error, "an audit record could not be written");
    }
}

/// Runs a use case and records its refusal, whatever step refused.
///
/// `what` describes the attempt; the success is recorded by the use case itself, in its transaction.
pub async fn recording<T>(
    services: &Services,
    caller: &Caller,
    what: impl FnOnce() -> Entry,
    use_case: impl Future<Output = Result<T>>,
) -> Result<T> {
    match use_case.await {
        Ok(value) => Ok(value),
        Err(error) => Err(refused(services, caller, what(), error).await),
    }
}

/// The action's code as an entry's action.
pub fn action(action: Action) -> String {
    action.code().to_owned()
}

#[cfg(test)]
mod tests;
