//! Identifiers: UUIDs (version 7, made by the server) behind one type per thing, so that a lab's id cannot stand for an order's.
//! Add one by naming it in the list below.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Text that is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: {0:?}")]
pub struct NotAnId(pub String);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                // Hyphenated only: one spelling per identifier, so that a URL is canonical.
                if text.len() != 36 {
                    return Err(NotAnId(text.chars().take(64).collect()));
                }
                Uuid::try_parse(text).map(Self).map_err(|_| NotAnId(text.chars().take(64).collect()))
            }
        }
    )+};
}

ids! {
    /// A college, department, project or outside customer (D1).
    TenantId,
    /// A course inside a tenant: what quotas, budgets and bills belong to.
    CourseId,
    /// A person with an account.
    UserId,
    /// A catalogue offering, the same over all its versions.
    OfferingId,
    OrderId,
    LabId,
    /// One card (or set of cards) set aside for a lab.
    ReservationId,
    /// A step in the deciding of an order.
    DecisionId,
    /// Orders that were made together for a class or a timetable.
    ClassId,
    /// That somebody stands in for somebody who is away.
    DelegationId,
    /// Id of a value that is stored encrypted.
    SecretId,
    /// A personal access token (not its secret).
    TokenId,
    UsageRecordId,
    AuditEventId,
    /// A search of the audit record that somebody keeps under a name.
    AuditSearchId,
    /// A verification of the audit chains.
    AuditRunId,
    NotificationId,
    PriceBookId,
    /// A share off a tenant's prices for a time.
    DiscountId,
    /// A credit, charge or correction on a bill.
    AdjustmentId,
    /// A piece of background work waiting in the outbox.
    OutboxId,
    /// A one-time link (not its secret).
    LinkId,
    AnnouncementId,
    /// A list that is taken over.
    ImportId,
    /// A person's right to enter one lab's site from one browser (not its secret).
    PassId,
    /// A span of time in which somebody was in a lab.
    VisitId,
    /// Somebody's public key for SSH.
    SshKeyId,
    /// A link by which a lab is shared (not its secret).
    ShareId,
}
