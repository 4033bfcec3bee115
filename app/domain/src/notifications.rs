//! What Lectern tells one person about. A notice carries data, never sentences: the page words it in the reader's language.
//! A new kind is a variant of [`Notice`], its [`Target`], and its words in `app/src/notifications/words.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    ids::{AuditRunId, ClassId, CourseId, DecisionId, DelegationId, LabId, NotificationId, OrderId, UserId},
    labs::start::StartStep,
    money::Money,
    orders::LabChange,
    people::PersonRef,
    time::Timestamp,
    visits::VisitRole,
};

/// One message. Two equal notices to the same person are one: whatever tells them apart must be in the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// An order waits for the reader's decision.
    OrderWaits { order: OrderId, number: i64, owner: String },
    /// Orders that were made together wait for the reader's decision in this role; `order` is the first of them.
    ClassWaits { class: ClassId, order: OrderId, number: i64, orders: u32, owner: String, role: Role },
    /// The reader's orders that were made together are all decided.
    ClassDecided { class: ClassId, order: OrderId, number: i64, orders: u32, rejected: u32 },
    /// Nobody decided yet on orders that were made together, and some expire at `expires_at`.
    ClassExpiresSoon { class: ClassId, order: OrderId, number: i64, expires_at: Timestamp },
    /// Nobody decided in time on some of the reader's orders that were made together.
    ClassExpired { class: ClassId, order: OrderId, number: i64 },
    /// The reader's order was decided. `change`: what it asked of a lab that exists.
    OrderDecided {
        order: OrderId,
        number: i64,
        verdict: Verdict,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<LabChange>,
    },
    /// Nobody decided the order yet, and it expires at `expires_at`.
    OrderExpiresSoon { order: OrderId, number: i64, expires_at: Timestamp },
    /// The reader's order was approved with changes that cost no more.
    OrderChanged { order: OrderId, number: i64, version: i64 },
    /// The changes cost more: the reader must agree.
    OrderProposed { order: OrderId, number: i64, version: i64, cost: Money },
    /// The requester did or did not agree to the changes.
    ProposalAnswered { order: OrderId, number: i64, version: i64, agreed: bool },
    /// The approver asks the reader about their order.
    OrderAsked { order: OrderId, number: i64, decision: DecisionId },
    /// The requester answered the reader.
    OrderAnswered { order: OrderId, number: i64, decision: DecisionId },
    /// Nobody decided the reader's order in time.
    OrderExpired { order: OrderId, number: i64 },
    /// Waiting orders of `owner` for the course `code` were cancelled because the owner left the course; `order` is the first of `orders`.
    RequesterLeft { order: OrderId, number: i64, orders: u32, owner: String, code: String },
    /// The reader's lab stops at `ends_at`, which is `minutes` away.
    LabEndsSoon { lab: LabId, name: String, ends_at: Timestamp, minutes: u32 },
    /// The reader's lab has not been used since `since`, and is stopped at `stops_at` if it stays so.
    LabIdle { lab: LabId, name: String, since: Timestamp, stops_at: Timestamp },
    /// The reader's lab was stopped at `at`, after it had not been used for so many `minutes`.
    LabIdleStopped { lab: LabId, name: String, minutes: u32, at: Timestamp },
    /// An operator opened the reader's lab at `at` in an emergency, for this reason.
    LabBreakGlass { lab: LabId, name: String, by: PersonRef, reason: String, at: Timestamp },
    /// Somebody else came into the reader's lab on the campus day that begins at `day`.
    LabVisited { lab: LabId, name: String, by: PersonRef, role: VisitRole, day: Timestamp },
    /// The reader's labs of one lesson, from orders that were made together, stop at `ends_at`; given so many `minutes` before.
    ClassEndsSoon { class: ClassId, number: i64, ends_at: Timestamp, minutes: u32 },
    /// A step of the start of the reader's lab that began at `began` takes much longer than its usual time.
    LabLate { lab: LabId, name: String, began: Timestamp, step: StartStep, usual_seconds: u32 },
    /// The same of one or more of the reader's labs that were ordered together; `step` of the first of them.
    ClassLate { class: ClassId, number: i64, began: Timestamp, step: StartStep, usual_seconds: u32 },
    /// The reader's lab is down and is destroyed with its files at `kept_until`.
    LabGoesSoon { lab: LabId, name: String, kept_until: Timestamp },
    /// The reader's lab did not start or broke.
    LabFailed { lab: LabId, name: String, at: Timestamp },
    /// The reader's job ended well.
    JobFinished { lab: LabId, name: String, generation: u32 },
    /// The reader's job ran, and failed. `exit_code`: of its last try, where it is known.
    JobFailed { lab: LabId, name: String, exit_code: Option<i32>, at: Timestamp },
    /// The volume of the reader's lab was deleted in the cluster, with its files. `volume`: its UID.
    LabFilesLost { lab: LabId, name: String, volume: String },
    /// The cluster refused to grow the volume of the reader's lab to `asked_gib`: it stays at `gib`.
    VolumeNotGrown { lab: LabId, name: String, asked_gib: u32, gib: u32, at: Timestamp },
    /// The reader's lab is ready. A start or a restart raises the generation, so it is reported again.
    /// `resized`: it was restarted with another size.
    LabReady {
        lab: LabId,
        name: String,
        generation: u32,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resized: bool,
    },
    /// All of the reader's labs of one lesson that can start are ready. They were ordered together.
    ClassReady { class: ClassId, number: i64, lesson: u32 },
    /// Labs of one lesson that were ordered together did not start or broke on the campus day that begins at `day`.
    ClassFailed { class: ClassId, number: i64, lesson: u32, day: Timestamp },
    /// Labs that were ordered together are down; they and their files are destroyed on the campus day that begins at `day`.
    ClassGoesSoon { class: ClassId, number: i64, day: Timestamp },
    /// A course that the reader teaches or manages has spent or held so much of its budget (D4).
    BudgetReached { course: CourseId, code: String, percent: u32, amount: Money, term_from: Option<Timestamp> },
    /// A verification found an audit chain broken; for auditors.
    AuditBroken { run: AuditRunId, at: Timestamp },
    /// `by` opened a way to the audit record for `person`; for the other readers of the record and the other administrators.
    AuditReader { person: PersonRef, change: ReaderChange, by: PersonRef, at: Timestamp },
    /// The approver took back the changes that the reader was to agree to.
    ProposalWithdrawn { order: OrderId, number: i64, version: i64 },
    /// The reader decides for `absent` from the first instant of `from` until `until`.
    StandInNamed { delegation: DelegationId, absent: String, from: Timestamp, until: Timestamp },
    /// The reader does not decide for `absent` any more.
    StandInEnded { delegation: DelegationId, absent: String },
    /// The reader's stand-in gave it back.
    StandInGone { delegation: DelegationId, stand_in: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approved,
    /// Approved, and it waits for cards.
    Queued,
    /// Approved, and its lab comes up for its lesson.
    Scheduled,
    Rejected,
}

/// A way to the audit record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReaderChange {
    /// A role that reads the record.
    RoleGiven,
    /// An invitation with such a role.
    Invited,
    /// A one-time link that opens the account of a person with such a role; for that person as well.
    LinkMade,
}

/// Where a notice leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Order(OrderId),
    /// The order as its approver sees it.
    Approval(OrderId),
    Lab(LabId),
    /// The orders that were made together.
    Class(ClassId),
    Course(CourseId),
    /// The audit browser.
    Audit,
    Person(UserId),
    /// The reader's own account, where delegations are.
    Account,
}

impl Notice {
    pub const fn target(&self) -> Target {
        match self {
            Self::OrderWaits { order, .. }
            | Self::ClassWaits { order, .. }
            | Self::ClassExpiresSoon { order, .. }
            | Self::OrderExpiresSoon { order, .. }
            | Self::ProposalAnswered { order, .. }
            | Self::OrderAnswered { order, .. } => Target::Approval(*order),
            Self::OrderDecided { order, .. }
            | Self::ClassDecided { order, .. }
            | Self::ClassExpired { order, .. }
            | Self::OrderChanged { order, .. }
            | Self::OrderProposed { order, .. }
            | Self::OrderAsked { order, .. }
            | Self::OrderExpired { order, .. }
            | Self::RequesterLeft { order, .. }
            | Self::ProposalWithdrawn { order, .. } => Target::Order(*order),
            Self::LabEndsSoon { lab, .. }
            | Self::LabIdle { lab, .. }
            | Self::LabIdleStopped { lab, .. }
            | Self::LabBreakGlass { lab, .. }
            | Self::LabVisited { lab, .. }
            | Self::LabLate { lab, .. }
            | Self::LabGoesSoon { lab, .. }
            | Self::LabFailed { lab, .. }
            | Self::JobFinished { lab, .. }
            | Self::JobFailed { lab, .. }
            | Self::LabFilesLost { lab, .. }
            | Self::VolumeNotGrown { lab, .. }
            | Self::LabReady { lab, .. } => Target::Lab(*lab),
            Self::ClassEndsSoon { class, .. }
            | Self::ClassLate { class, .. }
            | Self::ClassReady { class, .. }
            | Self::ClassFailed { class, .. }
            | Self::ClassGoesSoon { class, .. } => Target::Class(*class),
            Self::BudgetReached { course, .. } => Target::Course(*course),
            Self::AuditBroken { .. } => Target::Audit,
            Self::AuditReader { person, .. } => Target::Person(person.id),
            Self::StandInNamed { .. } | Self::StandInEnded { .. } | Self::StandInGone { .. } => Target::Account,
        }
    }
}

/// A notice as it was given to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub id: NotificationId,
    pub notice: Notice,
    pub created_at: Timestamp,
    pub read_at: Option<Timestamp>,
}

/// Unread ones are counted no further than this.
pub const UNREAD_MOST: u32 = 100;

/// What the bell shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    /// At most [`UNREAD_MOST`].
    pub unread: u32,
    /// The newest, read or not.
    pub latest: Vec<Notification>,
}
