//! Who may do what: the whole policy in one file. Services call [`Actor::can`] first and name exactly the action.
//! To add a use case: an `Action` (access/actions.rs), its row in `rule`, its scope, and the snapshot of the table.

mod actions;
mod scopes;

use std::collections::{BTreeMap, BTreeSet};

pub use actions::Action;
pub use scopes::Scope;
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

/// Somebody who asks: a person with the roles they have in their college and its departments, and the courses they teach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub user: UserId,
    pub login: String,
    pub name: String,
    /// The college.
    pub tenant: TenantId,
    /// Given at the college: they cover all of it.
    pub roles: BTreeSet<Role>,
    /// Given at departments: each with the courses of those departments, which is all that it covers.
    pub department_roles: BTreeMap<Role, BTreeSet<CourseId>>,
    /// Departments that the person has a role at or teaches in.
    pub departments: BTreeSet<TenantId>,
    pub courses: BTreeSet<CourseId>,
    /// `None` for a session; the scopes of the token otherwise.
    pub scopes: Option<BTreeSet<Scope>>,
}

/// The object of an action, with the facts that the policy reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Resources that the actor owns, in the courses that the role covers now. A person who left a course cannot spend there any more.
    OwnInCourse,
    /// What the actor owns.
    Own,
    /// What belongs to the actor's courses.
    Course,
    /// Everything in the tenant.
    Tenant,
}

/// The extent of a list: the rows that its reader may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    Nothing,
    /// What the actor owns.
    Own,
    /// What the actor owns, and what belongs to these courses.
    Courses(BTreeSet<CourseId>),
    /// The whole college.
    Everything,
}

impl Extent {
    /// The courses that a list of courses' things is limited to; `None` when it is not.
    pub fn courses(self) -> Option<BTreeSet<CourseId>> {
        match self {
            Self::Everything => None,
            Self::Courses(courses) => Some(courses),
            Self::Own | Self::Nothing => Some(BTreeSet::new()),
        }
    }
}

/// How far a role that was given at a department reaches: as at the college, but never beyond courses. The catalogue has no
/// departments.
pub const fn department_rule(role: Role, action: Action) -> Reach {
    match (rule(role, action), action) {
        (_, Action::CatalogueRead) => Reach::Tenant,
        // About the college or its cluster as a whole.
        (
            _,
            Action::PeopleWrite
            | Action::ClusterRead
            | Action::AnnouncementWrite
            | Action::OfferingWrite
            | Action::PolicyWrite
            | Action::PriceWrite
            | Action::BillWrite,
        ) => Reach::Nothing,
        (Reach::Tenant, _) => Reach::Course,
        (Reach::Own, action) if action.spends() => Reach::OwnInCourse,
        (reach, _) => reach,
    }
}

/// The policy: how far `role` reaches for `action`.
pub const fn rule(role: Role, action: Action) -> Reach {
    use Action as A;
    use Reach::{Course, Nothing, Own, OwnInCourse, Tenant};
    match (role, action) {
        (Role::Operator | Role::Administrator, A::OfferingWrite) => Tenant,
        // Everybody in the tenant sees the catalogue.
        (_, A::CatalogueRead) => Tenant,
        (Role::Teacher, A::OrderPreview | A::OrderSubmit | A::UsageRead | A::BillRead | A::QuotaRead | A::CourseRead | A::RosterWrite) => Course,
        // Those who teach a course together help each other: they see and visit each other's labs there.
        (Role::Teacher, A::LabRead | A::LabEnter) => Course,
        // Also after the teacher left the course: they may still look, and end what costs money.
        (Role::Teacher, A::OrderRead | A::OrderCancel | A::LabStop | A::LabDestroy) => Own,
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
            | A::PeopleRead
            | A::PolicyRead,
        ) => Tenant,
        // Owners change their own labs. Managers may extend, resize and keep any lab; operators may restart and keep any lab.
        (Role::Teacher, A::OrderReply | A::LabStart | A::LabRestart | A::LabExtend | A::LabResize | A::LabKeep | A::LabAutostop) => OwnInCourse,
        // Only owners give out links to a lab.
        (Role::Teacher, A::LabShare) => OwnInCourse,
        (Role::Manager, A::LabExtend | A::LabResize | A::LabKeep) => Tenant,
        // Managers visit labs; operators enter one only with a reason.
        (Role::Manager, A::LabEnter) | (Role::Operator, A::LabBreakGlass) => Tenant,
        (Role::Manager, A::LabRestart | A::LabAutostop | A::LabShare) => Own,
        (Role::Operator, A::LabRestart | A::LabKeep) => Tenant,
        (Role::Manager, A::LabStart | A::LabDestroy | A::OrderReply) => Own,
        // Auditors read and change nothing; only they read the audit record (F3).
        (
            Role::Auditor,
            A::AuditRead | A::OrderRead | A::LabRead | A::UsageRead | A::BillRead | A::QuotaRead | A::CourseRead | A::PeopleRead | A::PolicyRead,
        ) => Tenant,
        (
            Role::Operator,
            A::LabRead
            | A::LabStart
            | A::LabStop
            | A::LabDestroy
            | A::OrderRead
            | A::OrderDecide
            | A::PolicyRead
            | A::ClusterRead
            | A::UsageRead
            | A::QuotaRead
            | A::QuotaWrite
            | A::CourseRead
            | A::AnnouncementWrite,
        ) => Tenant,
        (
            Role::Administrator,
            A::PeopleRead | A::PeopleWrite | A::CourseRead | A::CourseWrite | A::QuotaRead | A::QuotaWrite | A::ClusterRead | A::AnnouncementWrite,
        ) => Tenant,
        // Administrators write courses, and so their rosters.
        (Role::Administrator, A::RosterWrite) => Tenant,
        // Administrators decide as the budget owner of a stage and write the rules; they order nothing themselves. Quotas and budgets of
        // courses they set as operators do (`QuotaWrite`, D3).
        (Role::Administrator, A::OrderRead | A::OrderDecide | A::PolicyRead | A::PolicyWrite) => Tenant,
        // Administrators set prices and close months; managers and auditors read both.
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
        reach_of(&self.roles, self.department_roles.keys(), action)
    }

    /// What a list of such things is limited to. Errors: [`Error::ScopeMissing`]; [`Error::Forbidden`] for who reaches nothing.
    pub fn extent(&self, action: Action) -> Result<Extent, Error> {
        self.has_scope(action)?;
        match self.reach(action) {
            Reach::Nothing => Err(Error::Forbidden),
            Reach::OwnInCourse | Reach::Own => Ok(Extent::Own),
            Reach::Tenant => Ok(Extent::Everything),
            Reach::Course => {
                let mut courses = BTreeSet::new();
                let teaches = self.roles.iter().any(|role| rule(*role, action) == Reach::Course);
                if teaches || self.department_roles.keys().any(|role| rule(*role, action) == Reach::Course) {
                    courses.extend(&self.courses);
                }
                for (role, covered) in &self.department_roles {
                    if rule(*role, action) == Reach::Tenant && department_rule(*role, action) == Reach::Course {
                        courses.extend(covered);
                    }
                }
                Ok(Extent::Courses(courses))
            }
        }
    }

    /// All roles that count for a course: those at the college and at its department.
    pub fn roles_in(&self, course: CourseId) -> BTreeSet<Role> {
        let there = self.department_roles.iter().filter(|(_, covered)| covered.contains(&course)).map(|(role, _)| *role);
        self.roles.iter().copied().chain(there).collect()
    }

    fn has_scope(&self, action: Action) -> Result<(), Error> {
        match &self.scopes {
            Some(_) if action.needs_session() => Err(Error::Forbidden),
            Some(scopes) if !scopes.contains(&action.scope()) => Err(Error::ScopeMissing { scope: action.scope().as_str().to_owned() }),
            _ => Ok(()),
        }
    }

    /// Whether the actor may do this to that. Deciding one's own order is refused whatever the role (C5).
    ///
    /// Errors: [`Error::ScopeMissing`] for a token without the scope; [`Error::NotFound`] where the actor may not even
    /// know that the thing exists; [`Error::Forbidden`] where they may; [`Error::OwnOrder`].
    pub fn can(&self, action: Action, on: &Resource) -> Result<(), Error> {
        self.has_scope(action)?;
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
        let own = on.owner == Some(self.user);
        let reached = |reach: Reach, courses: &BTreeSet<CourseId>| match reach {
            Reach::Nothing => false,
            Reach::Own => own,
            // When no course is given, the question is whether the actor may do this in any course.
            Reach::OwnInCourse => own && on.course.is_none_or(|course| courses.contains(&course)),
            // After a person left a course, owning a resource there does not let them spend on it.
            Reach::Course => own && (on.course.is_none() || !action.spends()) || on.course.is_some_and(|course| courses.contains(&course)),
            Reach::Tenant => true,
        };
        self.roles.iter().any(|role| reached(rule(*role, action), &self.courses))
            || self.department_roles.iter().any(|(role, covered)| {
                // A teacher's courses are those that they teach, wherever the role was given.
                let courses = if *role == Role::Teacher { &self.courses } else { covered };
                reached(department_rule(*role, action), courses)
            })
    }
}

/// The furthest reach of roles at the college and at departments.
pub fn reach_of<'r>(college: &BTreeSet<Role>, departments: impl Iterator<Item = &'r Role>, action: Action) -> Reach {
    let college = college.iter().map(|role| rule(*role, action));
    college.chain(departments.map(|role| department_rule(*role, action))).max().unwrap_or(Reach::Nothing)
}

/// The reading action whose permission reveals that the thing exists.
const fn reading(action: Action) -> Option<Action> {
    match action {
        Action::OrderCancel | Action::OrderDecide | Action::OrderReply => Some(Action::OrderRead),
        Action::LabStart | Action::LabStop | Action::LabDestroy => Some(Action::LabRead),
        Action::LabRestart | Action::LabExtend | Action::LabResize | Action::LabKeep | Action::LabAutostop => Some(Action::LabRead),
        Action::LabEnter | Action::LabBreakGlass | Action::LabShare => Some(Action::LabRead),
        Action::QuotaWrite => Some(Action::QuotaRead),
        Action::CourseWrite | Action::RosterWrite | Action::OrderSubmit | Action::OrderPreview => Some(Action::CourseRead),
        Action::PeopleWrite => Some(Action::PeopleRead),
        Action::OfferingWrite => Some(Action::CatalogueRead),
        Action::PolicyWrite => Some(Action::PolicyRead),
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
            department_roles: BTreeMap::new(),
            departments: BTreeSet::new(),
            courses: [CourseId::from_uuid(Uuid::from_u128(20))].into(),
            scopes: None,
        }
    }

    /// The role at a department whose one course is number 30; they teach number 20.
    fn department_actor(role: Role) -> Actor {
        let covered = CourseId::from_uuid(Uuid::from_u128(30));
        Actor { roles: BTreeSet::new(), department_roles: [(role, [covered].into())].into(), ..actor(role) }
    }

    #[test]
    fn the_whole_policy_of_departments_as_a_table() {
        // For each role at a department: the college as a whole, the department's course, a course that one teaches, any other.
        let mut table = String::new();
        for action in Action::ALL {
            write!(table, "{:<19}", action.code()).expect("a string takes it");
            for role in Role::ALL {
                let actor = department_actor(role);
                let somebody = UserId::from_uuid(Uuid::from_u128(2));
                let mut cell = String::from(if actor.can(action, &Resource::tenant(actor.tenant)).is_ok() { "college " } else { "" });
                for (number, name) in [(30, "its"), (20, "taught"), (40, "other")] {
                    let course = CourseId::from_uuid(Uuid::from_u128(number));
                    if actor.can(action, &Resource::owned(actor.tenant, course, somebody)).is_ok() {
                        cell.push_str(name);
                        cell.push(' ');
                    }
                }
                write!(table, " {:<27}", if cell.is_empty() { "-" } else { cell.trim_end() }).expect("a string takes it");
            }
            table.truncate(table.trim_end().len());
            table.push('\n');
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn lists_cover_what_single_things_do() {
        let manager = department_actor(Role::Manager);
        let courses = |numbers: &[u128]| numbers.iter().map(|number| CourseId::from_uuid(Uuid::from_u128(*number))).collect::<BTreeSet<_>>();
        assert_eq!(manager.extent(Action::OrderRead), Ok(Extent::Courses(courses(&[30]))));
        assert_eq!(manager.extent(Action::LabStart), Ok(Extent::Own), "what they own in the department's courses");
        assert_eq!(manager.extent(Action::AuditRead), Err(Error::Forbidden));
        let mut both = manager.clone();
        both.roles.insert(Role::Teacher);
        assert_eq!(both.extent(Action::BillRead), Ok(Extent::Courses(courses(&[20, 30]))), "taught and led");
        assert_eq!(both.extent(Action::OrderRead), Ok(Extent::Courses(courses(&[30]))), "a colleague's order in a taught course stays theirs");
        both.roles.insert(Role::Auditor);
        assert_eq!(both.extent(Action::OrderRead), Ok(Extent::Everything));
        assert_eq!(both.roles_in(CourseId::from_uuid(Uuid::from_u128(30))), [Role::Teacher, Role::Manager, Role::Auditor].into());
        assert_eq!(both.roles_in(CourseId::from_uuid(Uuid::from_u128(20))), [Role::Teacher, Role::Auditor].into());
    }

    #[test]
    fn the_whole_policy_as_a_table() {
        let mut table = String::new();
        for action in Action::ALL {
            write!(table, "{:<19}", action.code()).expect("a string takes it");
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
        assert_eq!(teacher.can(Action::OrderCancel, &colleagues), Err(Error::NotFound));
        assert_eq!(teacher.can(Action::LabStop, &colleagues), Err(Error::Forbidden), "they teach the course together");
        assert_eq!((teacher.can(Action::LabRead, &colleagues), teacher.can(Action::LabEnter, &colleagues)), (Ok(()), Ok(())));
        let own = Resource::owned(teacher.tenant, course, teacher.user);
        assert_eq!(teacher.can(Action::OrderDecide, &own), Err(Error::Forbidden));
        let elsewhere = Resource { tenant: TenantId::from_uuid(Uuid::from_u128(11)), ..own };
        assert_eq!(teacher.can(Action::LabRead, &elsewhere), Err(Error::NotFound));
    }

    #[test]
    fn who_left_a_course_spends_nothing_there_and_may_still_end_what_runs() {
        let teacher = actor(Role::Teacher);
        let [taught, left] = [20, 21].map(|number| CourseId::from_uuid(Uuid::from_u128(number)));
        for action in Action::ALL {
            let own = |course| teacher.can(action, &Resource::owned(teacher.tenant, course, teacher.user));
            if action.spends() {
                assert_eq!((own(taught), own(left).is_ok()), (Ok(()), false), "{}", action.code());
            }
        }
        for action in [Action::LabRead, Action::LabStop, Action::LabDestroy, Action::OrderRead, Action::OrderCancel] {
            assert_eq!(teacher.can(action, &Resource::owned(teacher.tenant, left, teacher.user)), Ok(()), "{}", action.code());
        }
        // A role at another department does not restore access to the course.
        let mut manager = department_actor(Role::Manager);
        manager.roles.insert(Role::Teacher);
        for action in Action::ALL.into_iter().filter(|action| action.spends()) {
            let on = |course| manager.can(action, &Resource::owned(manager.tenant, CourseId::from_uuid(Uuid::from_u128(course)), manager.user));
            assert_eq!((on(20), on(30), on(40).is_ok()), (Ok(()), Ok(()), false), "{}", action.code());
        }
    }

    #[test]
    fn a_token_does_not_exceed_its_scopes() {
        let mut teacher = actor(Role::Teacher);
        teacher.scopes = Some([Scope::LabsRead].into());
        let own = Resource::owned(teacher.tenant, CourseId::from_uuid(Uuid::from_u128(20)), teacher.user);
        assert_eq!(teacher.can(Action::LabRead, &own), Ok(()));
        assert_eq!(teacher.can(Action::LabStop, &own), Err(Error::ScopeMissing { scope: "labs:write".into() }));
        let mut operator = actor(Role::Operator);
        assert_eq!(operator.can(Action::LabBreakGlass, &own), Ok(()));
        operator.scopes = Some(Scope::ALL.into());
        assert_eq!(operator.can(Action::LabBreakGlass, &own), Err(Error::Forbidden), "no token breaks the glass");
    }
}
