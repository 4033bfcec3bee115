//! The life of an offering: its versions, who sees it, and what an operator may write into it.
//! Published versions never change; an edit makes the next one. What is checked stands in `check`, the editor's fields in `form`.

mod check;
mod diff;
mod form;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub(crate) use self::check::is_variable;
pub use self::{
    check::{ICONS, MAX_PARAMETERS, MAX_SECRETS, UNITS},
    diff::{FieldChange, changes},
    form::{Fields, at_rows, fields_of, must_be_typed_again, offering_of, rows, secret_rows, typed_again, without_secrets},
};
use crate::{access::Role, catalogue::Offering, error::Error, error::FieldError, money::Money, pricing::Estimate, time::Timestamp};

/// Who sees an offering. Empty sets mean everybody (B1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// Slugs of tenants.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tenants: BTreeSet<String>,
    /// One of these is enough.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
}

impl Audience {
    pub fn is_everyone(&self) -> bool {
        self.tenants.is_empty() && self.roles.is_empty()
    }
    /// `tenant` is the slug of the reader's tenant; an unknown one is in no list.
    pub fn admits(&self, tenant: Option<&str>, roles: &BTreeSet<Role>) -> bool {
        let by_tenant = self.tenants.is_empty() || tenant.is_some_and(|slug| self.tenants.contains(slug));
        by_tenant && (self.roles.is_empty() || !self.roles.is_disjoint(roles))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// Being written: nobody can order it.
    Draft,
    /// On sale. At most one version of an offering is.
    Published,
    /// No longer on sale; orders and labs made from it stay as they are.
    Retired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionEvent {
    /// A change of its content.
    Edit,
    Publish,
    Retire,
    /// Puts a retired version on sale again.
    Restore,
}

impl VersionState {
    pub const ALL: [Self; 3] = [Self::Draft, Self::Published, Self::Retired];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Retired => "retired",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The state after `event`. Errors: [`Error::InvalidTransition`].
    pub fn after(self, event: VersionEvent) -> Result<Self, Error> {
        use VersionEvent as E;
        match (self, event) {
            (Self::Draft, E::Edit) => Ok(Self::Draft),
            (Self::Draft, E::Publish) | (Self::Retired, E::Restore) => Ok(Self::Published),
            (Self::Published, E::Retire) => Ok(Self::Retired),
            _ => Err(Error::InvalidTransition { state: self.as_str().into(), event: event.as_str().into() }),
        }
    }
}

impl VersionEvent {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Publish => "publish",
            Self::Retire => "retire",
            Self::Restore => "restore",
        }
    }
}

/// One version, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferingVersion {
    pub offering: Offering,
    pub state: VersionState,
    /// Counts changes of a draft, for `Stale`.
    pub revision: i64,
    pub changed_at: Timestamp,
    /// Name of who changed it last; `None` for what came with the product.
    pub changed_by: Option<String>,
    pub published_at: Option<Timestamp>,
    pub retired_at: Option<Timestamp>,
}

/// An offering in the operators' list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedOffering {
    /// What is on sale, else the newest version.
    pub current: OfferingVersion,
    /// Number of a version that is being written beside it.
    pub draft: Option<u32>,
    /// Labs that exist and were made from any version of it.
    pub labs: u32,
    /// Of the current version with its defaults.
    pub per_hour: Option<Money>,
}

/// All versions of an offering, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferingHistory {
    pub versions: Vec<OfferingVersion>,
    /// Labs that exist, by version.
    pub labs: BTreeMap<u32, u32>,
}

impl OfferingHistory {
    pub fn published(&self) -> Option<&OfferingVersion> {
        self.versions.iter().find(|version| version.state == VersionState::Published)
    }
    pub fn draft(&self) -> Option<&OfferingVersion> {
        self.versions.iter().find(|version| version.state == VersionState::Draft)
    }
    /// What an editor starts from: the draft, else what is on sale, else the newest.
    pub fn latest(&self) -> Option<&OfferingVersion> {
        self.draft().or_else(|| self.published()).or_else(|| self.versions.first())
    }
    /// What `restore` would put on sale: the newest retired version, when nothing is.
    pub fn restorable(&self) -> Option<&OfferingVersion> {
        if self.published().is_some() {
            return None;
        }
        self.versions.iter().find(|version| version.state == VersionState::Retired)
    }
    pub fn labs(&self) -> u32 {
        self.labs.values().sum()
    }
}

/// What a version would cost and make, with its default parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferingPreview {
    /// What is wrong with it; the rest is empty while something is.
    pub problems: Vec<FieldError>,
    /// For its default duration; `None` when the price book lacks a price.
    pub estimate: Option<Estimate>,
    /// The meter that has no price.
    pub price_missing: Option<String>,
    /// Kubernetes objects as YAML documents, by kind, in the order of application.
    pub objects: Vec<(String, String)>,
}

#[cfg(test)]
mod tests;
