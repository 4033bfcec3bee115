//! Who may do what: the whole policy in one file. Services call [`Actor::can`] first and name exactly the action.
//! To add a use case: an `Action`, its row in `rule`, its scope, and the snapshot of the table.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    ids::{CourseId, TenantId, UserId},
};

/// A role in a tenant (D1, L1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Teacher,
    Manager,
    Auditor,
    Operator,
    Administrator,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Teacher, Self::Manager, Self::Auditor, Self::Operator, Self::Administrator];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Teacher => "teacher",
            Self::Manager => "manager",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// One entry per use case; the audit record carries its `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    CatalogueRead,
    OrderPreview,
    OrderSubmit,
    OrderRead,
    OrderCancel,
    /// Approve or reject.
    OrderDecide,
    LabRead,
    LabStart,
    LabStop,
    LabDestroy,
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
    PriceRead,
    /// Prices and discounts.
    PriceWrite,
    /// Adjust bills and close months.
    BillWrite,
}

impl Action {
    pub const ALL: [Self; 23] = [
        Self::CatalogueRead,
        Self::OrderPreview,
        Self::OrderSubmit,
        Self::OrderRead,
        Self::OrderCancel,
        Self::OrderDecide,
        Self::LabRead,
        Self::LabStart,
        Self::LabStop,
        Self::LabDestroy,
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
        Self::PriceRead,
        Self::PriceWrite,
        Self::BillWrite,
    ];

    /// `order.submit`: the stable name in audit records.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CatalogueRead => "catalogue.read",
            Self::OrderPreview => "order.preview",
            Self::OrderSubmit => "order.submit",
            Self::OrderRead => "order.read",
            Self::OrderCancel => "order.cancel",
            Self::OrderDecide => "order.decide",
            Self::LabRead => "lab.read",
            Self::LabStart => "lab.start",
            Self::LabStop => "lab.stop",
            Self::LabDestroy => "lab.destroy",
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
            Self::PriceRead => "price.read",
            Self::PriceWrite => "price.write",
            Self::BillWrite => "bill.write",
        }
    }

    /// The token scope that allows it over the API.
    pub const fn scope(self) -> Scope {
        match self {
            Self::CatalogueRead => Scope::OfferingsRead,
            Self::OrderRead | Self::OrderPreview => Scope::OrdersRead,
            Self::OrderSubmit | Self::OrderCancel => Scope::OrdersWrite,
            Self::OrderDecide => Scope::OrdersDecide,
            Self::LabRead => Scope::LabsRead,
            Self::LabStart | Self::LabStop | Self::LabDestroy => Scope::LabsWrite,
            Self::UsageRead => Scope::UsageRead,
            Self::BillRead | Self::PriceRead => Scope::BillsRead,
            Self::QuotaRead | Self::CourseRead => Scope::QuotasRead,
            Self::AuditRead => Scope::AuditRead,
            Self::QuotaWrite | Self::ClusterRead | Self::PeopleRead | Self::PeopleWrite | Self::CourseWrite => Scope::Admin,
            Self::PriceWrite | Self::BillWrite => Scope::Admin,
        }
    }
}

/// What a personal access token may be used for (L1). A token never allows more than its owner's roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    #[serde(rename = "offerings:read")]
    OfferingsRead,
    #[serde(rename = "orders:read")]
    OrdersRead,
    #[serde(rename = "orders:write")]
    OrdersWrite,
    #[serde(rename = "orders:decide")]
    OrdersDecide,
    #[serde(rename = "labs:read")]
    LabsRead,
    #[serde(rename = "labs:write")]
    LabsWrite,
    #[serde(rename = "usage:read")]
    UsageRead,
    #[serde(rename = "bills:read")]
    BillsRead,
    #[serde(rename = "quotas:read")]
    QuotasRead,
    #[serde(rename = "audit:read")]
    AuditRead,
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    pub const ALL: [Self; 11] = [
        Self::OfferingsRead,
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::OrdersDecide,
        Self::LabsRead,
        Self::LabsWrite,
        Self::UsageRead,
        Self::BillsRead,
        Self::QuotasRead,
        Self::AuditRead,
        Self::Admin,
    ];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OfferingsRead => "offerings:read",
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::OrdersDecide => "orders:decide",
            Self::LabsRead => "labs:read",
            Self::LabsWrite => "labs:write",
            Self::UsageRead => "usage:read",
            Self::BillsRead => "bills:read",
            Self::QuotasRead => "quotas:read",
            Self::AuditRead => "audit:read",
            Self::Admin => "admin",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// Somebody who asks: a person with the roles they have in their tenant and the courses they teach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub user: UserId,
    pub login: String,
    pub name: String,
    pub tenant: TenantId,
    pub roles: BTreeSet<Role>,
    pub courses: BTreeSet<CourseId>,
    /// `None` for a session; the scopes of the token otherwise.
    pub scopes: Option<BTreeSet<Scope>>,
}

/// What the action is done to, as far as the policy needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    pub tenant: TenantId,
    /// `None` for what belongs to the tenant as a whole.
    pub course: Option<CourseId>,
    /// `None` for what nobody owns.
    pub owner: Option<UserId>,
}

impl Resource {
    pub const fn tenant(tenant: TenantId) -> Self {
        Self { tenant, course: None, owner: None }
    }
    pub const fn course(tenant: TenantId, course: CourseId) -> Self {
        Self { tenant, course: Some(course), owner: None }
    }
    pub const fn owned(tenant: TenantId, course: CourseId, owner: UserId) -> Self {
        Self { tenant, course: Some(course), owner: Some(owner) }
    }
}

/// How far a role reaches for one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    Nothing,
    /// What the actor owns.
    Own,
    /// What belongs to the actor's courses.
    Course,
    /// Everything in the tenant.
    Tenant,
}

/// The policy: how far `role` reaches for `action`.
pub const fn rule(role: Role, action: Action) -> Reach {
    use Action as A;
    use Reach::{Course, Nothing, Own, Tenant};
    match (role, action) {
        // Everybody in the tenant sees the catalogue.
        (_, A::CatalogueRead) => Tenant,
        (Role::Teacher, A::OrderPreview | A::OrderSubmit | A::UsageRead | A::BillRead | A::QuotaRead | A::CourseRead) => Course,
        (Role::Teacher, A::OrderRead | A::OrderCancel | A::LabRead | A::LabStart | A::LabStop | A::LabDestroy) => Own,
        (
            Role::Manager,
            A::OrderPreview
            | A::OrderSubmit
            | A::OrderRead
            | A::OrderCancel
            | A::OrderDecide
            | A::LabRead
            | A::LabStop
            | A::UsageRead
            | A::BillRead
            | A::QuotaRead
            | A::CourseRead
            | A::PeopleRead,
        ) => Tenant,
        (Role::Manager, A::LabStart | A::LabDestroy) => Own,
        // Auditors read and change nothing; only they read the audit record (F3).
        (Role::Auditor, A::AuditRead | A::OrderRead | A::LabRead | A::UsageRead | A::BillRead | A::QuotaRead | A::CourseRead | A::PeopleRead) => {
            Tenant
        }
        (
            Role::Operator,
            A::LabRead
            | A::LabStart
            | A::LabStop
            | A::LabDestroy
            | A::OrderRead
            | A::ClusterRead
            | A::UsageRead
            | A::QuotaRead
            | A::QuotaWrite
            | A::CourseRead,
        ) => Tenant,
        (Role::Administrator, A::PeopleRead | A::PeopleWrite | A::CourseRead | A::CourseWrite | A::QuotaRead | A::QuotaWrite | A::ClusterRead) => {
            Tenant
        }
        // Who sets prices also closes the books; managers and auditors look at both.
        (Role::Administrator, A::UsageRead | A::BillRead | A::PriceRead | A::PriceWrite | A::BillWrite) => Tenant,
        (Role::Manager | Role::Auditor, A::PriceRead) => Tenant,
        _ => Nothing,
    }
}

impl Actor {
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The furthest reach that any of the actor's roles gives.
    pub fn reach(&self, action: Action) -> Reach {
        self.roles.iter().map(|role| rule(*role, action)).max().unwrap_or(Reach::Nothing)
    }

    /// Whether the actor may do this to that. Deciding one's own order is refused whatever the role (C5).
    ///
    /// Errors: [`Error::ScopeMissing`] for a token without the scope; [`Error::NotFound`] where the actor may not even
    /// know that the thing exists; [`Error::Forbidden`] where they may; [`Error::OwnOrder`].
    pub fn can(&self, action: Action, on: &Resource) -> Result<(), Error> {
        if let Some(scopes) = &self.scopes
            && !scopes.contains(&action.scope())
        {
            return Err(Error::ScopeMissing { scope: action.scope().as_str().to_owned() });
        }
        if !self.covers(action, on) {
            let may_know = reading(action).is_some_and(|read| self.covers(read, on));
            return Err(if may_know || on.course.is_none() && on.tenant == self.tenant { Error::Forbidden } else { Error::NotFound });
        }
        if action == Action::OrderDecide && on.owner == Some(self.user) {
            return Err(Error::OwnOrder);
        }
        Ok(())
    }

    fn covers(&self, action: Action, on: &Resource) -> bool {
        if on.tenant != self.tenant {
            return false;
        }
        match self.reach(action) {
            Reach::Nothing => false,
            Reach::Own => on.owner == Some(self.user),
            Reach::Course => on.owner == Some(self.user) || on.course.is_some_and(|course| self.courses.contains(&course)),
            Reach::Tenant => true,
        }
    }
}

/// The reading action whose permission reveals that the thing exists.
const fn reading(action: Action) -> Option<Action> {
    match action {
        Action::OrderCancel | Action::OrderDecide => Some(Action::OrderRead),
        Action::LabStart | Action::LabStop | Action::LabDestroy => Some(Action::LabRead),
        Action::QuotaWrite => Some(Action::QuotaRead),
        Action::CourseWrite | Action::OrderSubmit | Action::OrderPreview => Some(Action::CourseRead),
        Action::PeopleWrite => Some(Action::PeopleRead),
        Action::PriceWrite => Some(Action::PriceRead),
        Action::BillWrite => Some(Action::BillRead),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use uuid::Uuid;

    use super::*;

    fn actor(role: Role) -> Actor {
        Actor {
            user: UserId::from_uuid(Uuid::from_u128(1)),
            login: "li".into(),
            name: "Li".into(),
            tenant: TenantId::from_uuid(Uuid::from_u128(10)),
            roles: [role].into(),
            courses: [CourseId::from_uuid(Uuid::from_u128(20))].into(),
            scopes: None,
        }
    }

    #[test]
    fn the_whole_policy_as_a_table() {
        let mut table = String::new();
        for action in Action::ALL {
            write!(table, "{:<16}", action.code()).expect("a string takes it");
            for role in Role::ALL {
                write!(table, " {:<14}", format!("{:?}", rule(role, action))).expect("a string takes it");
            }
            table.push('\n');
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn nobody_decides_their_own_order() {
        let manager = actor(Role::Manager);
        let course = CourseId::from_uuid(Uuid::from_u128(20));
        let own = Resource::owned(manager.tenant, course, manager.user);
        assert_eq!(manager.can(Action::OrderDecide, &own), Err(Error::OwnOrder));
        let other = Resource::owned(manager.tenant, course, UserId::from_uuid(Uuid::from_u128(2)));
        assert_eq!(manager.can(Action::OrderDecide, &other), Ok(()));
    }

    #[test]
    fn what_one_may_not_read_does_not_exist() {
        let teacher = actor(Role::Teacher);
        let course = CourseId::from_uuid(Uuid::from_u128(20));
        let colleagues = Resource::owned(teacher.tenant, course, UserId::from_uuid(Uuid::from_u128(2)));
        assert_eq!(teacher.can(Action::LabStop, &colleagues), Err(Error::NotFound));
        let own = Resource::owned(teacher.tenant, course, teacher.user);
        assert_eq!(teacher.can(Action::OrderDecide, &own), Err(Error::Forbidden));
        let elsewhere = Resource { tenant: TenantId::from_uuid(Uuid::from_u128(11)), ..own };
        assert_eq!(teacher.can(Action::LabRead, &elsewhere), Err(Error::NotFound));
    }

    #[test]
    fn a_token_does_not_exceed_its_scopes() {
        let mut teacher = actor(Role::Teacher);
        teacher.scopes = Some([Scope::LabsRead].into());
        let own = Resource::owned(teacher.tenant, CourseId::from_uuid(Uuid::from_u128(20)), teacher.user);
        assert_eq!(teacher.can(Action::LabRead, &own), Ok(()));
        assert_eq!(teacher.can(Action::LabStop, &own), Err(Error::ScopeMissing { scope: "labs:write".into() }));
    }
}
