//! What the API shows: shapes of its own, so that a change inside does not change the API. Each is made from its domain type without
//! `..` where a new field should be thought about. Instants are RFC 3339 UTC; money is integer micro-units.

use std::collections::BTreeMap;

use domain::{courses::CourseRef, gpu::CardShare, page::Page, people::PersonRef, time::Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Give it as `after` to get what follows; `null` on the last page.
    pub next: Option<String>,
}

impl<T> List<T> {
    pub fn of<U>(page: Page<U>, show: impl FnMut(U) -> T) -> Self {
        let Page { items, next } = page.map(show);
        Self { items, next }
    }
}

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
pub struct Money {
    /// Millionths of the currency's unit: `1000000` is CNY 1.
    #[schema(example = 1_044_120_000)]
    pub micros: i64,
    /// ISO 4217.
    #[schema(example = "CNY")]
    pub currency: &'static str,
}

impl From<domain::money::Money> for Money {
    fn from(money: domain::money::Money) -> Self {
        Self { micros: money.micros, currency: money.currency.code() }
    }
}

/// The same text in both languages.
#[derive(Debug, Serialize, ToSchema)]
pub struct Localized {
    pub zh: String,
    pub en: String,
}

impl From<domain::catalogue::Localized> for Localized {
    fn from(domain::catalogue::Localized { zh, en }: domain::catalogue::Localized) -> Self {
        Self { zh, en }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Course {
    pub id: String,
    #[schema(example = "CV2402")]
    pub code: String,
    pub name: String,
}

impl From<CourseRef> for Course {
    fn from(CourseRef { id, code, name }: CourseRef) -> Self {
        Self { id: id.to_string(), code, name }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    pub id: String,
    pub login: String,
    pub name: String,
}

impl From<PersonRef> for Person {
    fn from(PersonRef { id, login, name }: PersonRef) -> Self {
        Self { id: id.to_string(), login, name }
    }
}

/// What a lab is made of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Spec {
    /// `notebook` or `distributed_job`.
    #[schema(value_type = String)]
    pub workload: domain::catalogue::Workload,
    pub image: String,
    /// Kind of card.
    #[schema(example = "a100-80g")]
    pub card: &'static str,
    /// For each node, as are cores and memory.
    pub cards_per_node: u32,
    pub nodes: u32,
    pub cpu_cores: u32,
    pub memory_gib: u32,
    /// Of the lab's volume.
    pub storage_gib: u32,
    pub git_url: Option<String>,
    pub environment: BTreeMap<String, String>,
}

impl From<domain::catalogue::LabSpec> for Spec {
    fn from(spec: domain::catalogue::LabSpec) -> Self {
        let domain::catalogue::LabSpec {
            workload,
            image,
            command: _,
            port: _,
            card,
            cards_per_node,
            nodes,
            cpu_cores,
            memory_gib,
            storage_gib,
            git_url,
            environment,
            secrets: _,
            retries: _,
            health_path: _,
            app_access: _,
        } = spec;
        Self { workload, image, card: card.id(), cards_per_node, nodes, cpu_cores, memory_gib, storage_gib, git_url, environment }
    }
}

/// RFC 3339, UTC.
pub fn moment(at: Timestamp) -> String {
    at.to_rfc3339()
}

/// Whole-card equivalents: a slice counts its fraction.
#[expect(clippy::cast_precision_loss, reason = "card counts are far below 2^52")]
pub fn cards(share: CardShare) -> f64 {
    share.parts() as f64 / CardShare::WHOLE.parts() as f64
}
