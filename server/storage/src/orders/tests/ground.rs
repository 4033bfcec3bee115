//! What the tests' rows hang on: a tenant, a course, a teacher, an offering; and orders and labs in any state.

use domain::{
    access::Role,
    approvals::{Outcome, Ruling},
    catalogue::{LabSpec, Localized, ParameterInput, Workload},
    courses::{Course, Tenant},
    gpu::Card,
    ids::{CourseId, LabId, OfferingId, OrderId, PriceBookId, TenantId, UserId},
    labs::{Lab, LabState, Lifecycle},
    money::{Currency, Money},
    orders::{Order, OrderState},
    pricing::PriceBook,
    quotas::QuotaSettings,
    time::Timestamp,
};
use uuid::Uuid;

use crate::{
    Write,
    accounts::users,
    courses, offerings,
    orders::{Query, Visible},
    testing::TestDatabase,
};

pub(crate) const fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T10:00:00+08:00").expect("a time")
}

pub(crate) fn card() -> Card {
    "a100-80g".parse().expect("a card")
}

pub(crate) fn tenant() -> TenantId {
    TenantId::from_uuid(uuid(1))
}
pub(crate) fn course() -> CourseId {
    CourseId::from_uuid(uuid(2))
}
pub(crate) fn teacher() -> UserId {
    UserId::from_uuid(uuid(3))
}

/// A tenant, a course, a teacher and an offering to hang rows on.
pub(crate) async fn ground(database: &TestDatabase) -> Write {
    let mut write = database.database.begin_write().await.expect("a transaction");
    courses::insert_tenant(&mut write, &Tenant { id: tenant(), slug: "ai".into(), name: "AI".into() }, now()).await.expect("tenant");
    let settings = QuotaSettings::reference(Money::units(100, Currency::Cny));
    let row = Course { id: course(), tenant: tenant(), code: "CV1".into(), name: "Vision".into(), namespace: "lectern-ai-cv1".into(), settings };
    courses::insert(&mut write, &row, now()).await.expect("course");
    let user = users::User::new(teacher(), tenant(), "li".into(), "李".into(), now());
    users::insert(&mut write, &user).await.expect("user");
    offerings::publish(&mut write, &offering(1), 1, now()).await.expect("offering");
    write
}

pub(crate) fn text(text: &str) -> Localized {
    Localized { zh: text.into(), en: text.into() }
}

pub(crate) fn spec() -> LabSpec {
    LabSpec {
        workload: Workload::Notebook,
        image: "jupyter/base".into(),
        command: vec![],
        port: 8888,
        card: card(),
        cards_per_node: 1,
        nodes: 1,
        cpu_cores: 8,
        memory_gib: 32,
        storage_gib: 20,
        git_url: None,
        environment: [].into(),
        secrets: [].into(),
        retries: 0,
        health_path: None,
        app_access: None,
    }
}

pub(crate) fn offering(version: u32) -> domain::catalogue::Offering {
    domain::catalogue::Offering {
        id: OfferingId::from_uuid(uuid(4)),
        slug: "jupyterlab".into(),
        version,
        name: text(&format!("JupyterLab {version}")),
        summary: text("A notebook"),
        icon: "book".into(),
        workload: Workload::Notebook,
        audience: domain::offerings::Audience::default(),
        base: spec(),
        duration: domain::catalogue::DurationLimits { default: 60, min: 30, max: 90 },
        parameters: vec![],
    }
}

/// An order for one card at ¥6, made in the second of its number.
pub(crate) fn order(number: i64, state: OrderState) -> Order {
    let at = now().plus_seconds(number);
    let book = PriceBook {
        id: PriceBookId::from_uuid(uuid(5)),
        currency: Currency::Cny,
        prices: domain::pricing::running_meters(&spec())
            .into_iter()
            .chain(domain::pricing::kept_meters(&spec()))
            .map(|(meter, _)| domain::pricing::Price::new(meter, 0, Timestamp::from_seconds(0)))
            .collect(),
        discounts: Vec::new(),
    };
    let mut estimate = book.estimate(&spec(), 60, at).expect("prices");
    estimate.total = Money::units(6, Currency::Cny);
    Order {
        id: OrderId::from_uuid(uuid(0x100 + u128::from(number.unsigned_abs()))),
        number,
        tenant: tenant(),
        course: course(),
        owner: teacher(),
        offering: OfferingId::from_uuid(uuid(4)),
        offering_version: 1,
        offering_name: text("JupyterLab"),
        parameters: ParameterInput::new(),
        spec: spec(),
        minutes: 60,
        purpose: "实验一".into(),
        state,
        ruling: Ruling { outcome: Outcome::Stages(vec![Role::Manager]), rule: Some(text("big")), same_person_twice: false, facts: None },
        estimate,
        submitted_at: at,
        expires_at: at.plus_seconds(100),
        decided_at: None,
        decided_by: None,
        reason: None,
        queued_at: (state == OrderState::Queued).then_some(at),
        stage: 0,
        barred: [].into(),
        proposal: None,
        starts_at: None,
        seat: None,
        class: None,
        change: None,
        version: 1,
    }
}

pub(crate) fn lab(order: &Order, state: LabState) -> Lab {
    Lab {
        id: LabId::from_uuid(uuid(0x1000 + u128::from(order.number.unsigned_abs()))),
        order: order.id,
        tenant: order.tenant,
        course: order.course,
        owner: order.owner,
        name: format!("lab-{}", order.number),
        namespace: "lectern-ai-cv1".into(),
        offering_name: order.offering_name.clone(),
        spec: order.spec.clone(),
        minutes: order.minutes,
        state,
        reserved: false,
        failure: None,
        created_at: order.submitted_at,
        first_running_at: None,
        ends_at: None,
        lifecycle: Lifecycle::default(),
        version: 1,
    }
}

/// Every order of the tenant.
pub(crate) fn everything() -> Query {
    Query { tenant: tenant(), visible: Visible::All, owner: None, state: None, course: None, class: None, after: None, limit: 10 }
}
