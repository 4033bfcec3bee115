//! All actions: one entry per use case, with its name in audit records and the token scope that allows it.

use serde::{Deserialize, Serialize};

use super::Scope;

/// One entry per use case; the audit record carries its `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    CatalogueRead,
    OrderPreview,
    OrderSubmit,
    OrderRead,
    OrderCancel,
    /// Approve, change, reject or ask; the policy says which role decides which stage.
    OrderDecide,
    /// The requester's own word: answer a question, accept or decline changes.
    OrderReply,
    LabRead,
    LabStart,
    LabStop,
    LabDestroy,
    LabRestart,
    LabExtend,
    LabResize,
    /// Keep a lab that is down longer than it would be.
    LabKeep,
    LabAutostop,
    /// Enter one's own lab, and labs that one may visit.
    LabEnter,
    /// Enter any lab, with a reason.
    LabBreakGlass,
    /// Give out links to one's own lab, and withdraw them.
    LabShare,
    UsageRead,
    BillRead,
    QuotaRead,
    QuotaWrite,
    AuditRead,
    ClusterRead,
    PeopleRead,
    PeopleWrite,
    CourseRead,
    CourseWrite,
    /// Who takes a course.
    RosterWrite,
    AnnouncementWrite,
    /// Write, publish and retire offerings.
    OfferingWrite,
    PolicyRead,
    PolicyWrite,
    PriceRead,
    /// Prices and discounts.
    PriceWrite,
    /// Adjust bills and close months.
    BillWrite,
}

impl Action {
    pub const ALL: [Self; 37] = [
        Self::CatalogueRead,
        Self::OrderPreview,
        Self::OrderSubmit,
        Self::OrderRead,
        Self::OrderCancel,
        Self::OrderDecide,
        Self::OrderReply,
        Self::LabRead,
        Self::LabStart,
        Self::LabStop,
        Self::LabDestroy,
        Self::LabRestart,
        Self::LabExtend,
        Self::LabResize,
        Self::LabKeep,
        Self::LabAutostop,
        Self::LabEnter,
        Self::LabBreakGlass,
        Self::LabShare,
        Self::UsageRead,
        Self::BillRead,
        Self::QuotaRead,
        Self::QuotaWrite,
        Self::AuditRead,
        Self::ClusterRead,
        Self::PeopleRead,
        Self::PeopleWrite,
        Self::CourseRead,
        Self::CourseWrite,
        Self::RosterWrite,
        Self::AnnouncementWrite,
        Self::OfferingWrite,
        Self::PolicyRead,
        Self::PolicyWrite,
        Self::PriceRead,
        Self::PriceWrite,
        Self::BillWrite,
    ];

    /// Whether the action can make a course pay more than without it. A person who left the course may not do it, even on resources that
    /// they own. A lab that is in use is not stopped for being idle, so entering and sharing count too.
    pub const fn spends(self) -> bool {
        matches!(
            self,
            Self::OrderSubmit
                | Self::OrderReply
                | Self::LabStart
                | Self::LabRestart
                | Self::LabExtend
                | Self::LabResize
                | Self::LabKeep
                | Self::LabAutostop
                | Self::LabEnter
                | Self::LabShare
        )
    }

    /// Whether no token allows it, whatever its scopes.
    pub const fn needs_session(self) -> bool {
        matches!(self, Self::LabBreakGlass)
    }

    /// `order.submit`: the stable name in audit records.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CatalogueRead => "catalogue.read",
            Self::OrderPreview => "order.preview",
            Self::OrderSubmit => "order.submit",
            Self::OrderRead => "order.read",
            Self::OrderCancel => "order.cancel",
            Self::OrderDecide => "order.decide",
            Self::OrderReply => "order.reply",
            Self::LabRead => "lab.read",
            Self::LabStart => "lab.start",
            Self::LabStop => "lab.stop",
            Self::LabDestroy => "lab.destroy",
            Self::LabRestart => "lab.restart",
            Self::LabExtend => "lab.extend",
            Self::LabResize => "lab.resize",
            Self::LabKeep => "lab.keep",
            Self::LabAutostop => "lab.autostop",
            Self::LabEnter => "lab.enter",
            Self::LabBreakGlass => "lab.break_glass",
            Self::LabShare => "lab.share",
            Self::UsageRead => "usage.read",
            Self::BillRead => "bill.read",
            Self::QuotaRead => "quota.read",
            Self::QuotaWrite => "quota.write",
            Self::AuditRead => "audit.read",
            Self::ClusterRead => "cluster.read",
            Self::PeopleRead => "people.read",
            Self::PeopleWrite => "people.write",
            Self::CourseRead => "course.read",
            Self::CourseWrite => "course.write",
            Self::RosterWrite => "course.roster",
            Self::AnnouncementWrite => "announcement.write",
            Self::OfferingWrite => "offering.write",
            Self::PolicyRead => "policy.read",
            Self::PolicyWrite => "policy.write",
            Self::PriceRead => "price.read",
            Self::PriceWrite => "price.write",
            Self::BillWrite => "bill.write",
        }
    }

    /// The token scope that allows it over the API; see [`Self::needs_session`].
    pub const fn scope(self) -> Scope {
        match self {
            Self::CatalogueRead => Scope::OfferingsRead,
            Self::OrderRead | Self::OrderPreview => Scope::OrdersRead,
            Self::OrderSubmit | Self::OrderCancel | Self::OrderReply | Self::RosterWrite => Scope::OrdersWrite,
            Self::OrderDecide => Scope::OrdersDecide,
            Self::LabRead => Scope::LabsRead,
            Self::LabStart | Self::LabStop | Self::LabDestroy => Scope::LabsWrite,
            Self::LabRestart | Self::LabExtend | Self::LabResize | Self::LabKeep | Self::LabAutostop => Scope::LabsWrite,
            Self::LabEnter | Self::LabBreakGlass | Self::LabShare => Scope::LabsWrite,
            Self::UsageRead => Scope::UsageRead,
            Self::BillRead | Self::PriceRead => Scope::BillsRead,
            Self::QuotaRead | Self::CourseRead => Scope::QuotasRead,
            Self::AuditRead => Scope::AuditRead,
            Self::QuotaWrite
            | Self::ClusterRead
            | Self::PeopleRead
            | Self::PeopleWrite
            | Self::CourseWrite
            | Self::AnnouncementWrite
            | Self::OfferingWrite
            | Self::PolicyRead
            | Self::PolicyWrite
            | Self::PriceWrite
            | Self::BillWrite => Scope::Admin,
        }
    }
}
