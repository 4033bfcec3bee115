//! Lists of orders: what one may read, what waits for a decision.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::Role,
    courses::CourseKey,
    ids::{ClassId, CourseId, OrderId, TenantId, UserId},
    orders::OrderState,
};
use sqlx::AnyConnection;

use super::read::{LISTED, Listed, listed};
use crate::{error::Result, ids_list::list as list_of, row::Row};

/// Which orders of a tenant somebody may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visible {
    All,
    /// The person's own.
    Own(UserId),
    /// The person's own and those of these courses.
    Courses(UserId, Vec<CourseId>),
}

/// What is looked for; all that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub tenant: TenantId,
    pub visible: Visible,
    pub owner: Option<UserId>,
    pub state: Option<OrderState>,
    pub course: Option<CourseKey>,
    /// Made together.
    pub class: Option<ClassId>,
    /// Begin after this order.
    pub after: Option<OrderId>,
    pub limit: u32,
}

/// One order with its names. `None` when there is none of that id.
pub async fn get(connection: &mut AnyConnection, id: OrderId) -> Result<Option<Listed>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{LISTED} WHERE o.id = $1"))).bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(|row| listed(&Row::of("orders", row))).transpose()
}

/// Newest first.
pub async fn list(connection: &mut AnyConnection, query: &Query) -> Result<Vec<Listed>> {
    let mut conditions = Conditions::default();
    conditions.and("o.tenant_id = ", &query.tenant);
    match &query.visible {
        Visible::All => {}
        Visible::Own(user) => conditions.and("o.owner_id = ", user),
        Visible::Courses(user, courses) => {
            let mut either = vec![conditions.one("o.owner_id = ", user)];
            either.extend(courses.iter().map(|course| conditions.one("o.course_id = ", course)));
            conditions.all.push(format!("({})", either.join(" OR ")));
        }
    }
    if let Some(owner) = query.owner {
        conditions.and("o.owner_id = ", &owner);
    }
    if let Some(state) = query.state {
        conditions.and("o.state = ", &state.as_str());
    }
    match &query.course {
        Some(CourseKey::Id(course)) => conditions.and("o.course_id = ", course),
        Some(CourseKey::Code(code)) => conditions.and("c.code = ", code),
        None => {}
    }
    if let Some(class) = query.class {
        conditions.and("o.class_id = ", &class);
    }
    if let Some(after) = query.after {
        conditions.and("o.id < ", &after);
    }
    conditions.fetch("o.id DESC", query.limit, connection).await
}

/// Whose inbox: somebody with the roles they may decide in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    pub tenant: TenantId,
    pub user: UserId,
    /// Of the college.
    pub roles: BTreeSet<Role>,
    /// Of departments, each with the courses that it covers.
    pub department_roles: BTreeMap<Role, BTreeSet<CourseId>>,
    /// Those for whom the person stands in.
    pub away: Vec<Powers>,
}

/// What somebody who is away may decide by their own roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Powers {
    pub user: UserId,
    pub roles: BTreeSet<Role>,
    pub department_roles: BTreeMap<Role, BTreeSet<CourseId>>,
}

impl Decider {
    /// Waits for one of the roles, is not one's own, and needs another person than those who passed a stage before. The same for those
    /// who are away: neither their own orders nor stages after one of theirs.
    pub(super) fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        conditions.and("o.tenant_id = ", &self.tenant);
        conditions.and("o.owner_id <> ", &self.user);
        conditions.and("o.barred NOT LIKE ", &format!("%{}%", self.user));
        let mut any = conditions.awaited(&self.roles, &self.department_roles);
        for Powers { user, roles, department_roles } in &self.away {
            let awaited = conditions.awaited(roles, department_roles);
            if !awaited.is_empty() {
                let theirs = conditions.one("o.owner_id <> ", user);
                let barred = conditions.one("o.barred NOT LIKE ", &format!("%{user}%"));
                any.push(format!("(({}) AND {theirs} AND {barred})", awaited.join(" OR ")));
            }
        }
        conditions.all.push(if any.is_empty() { "1 = 0".into() } else { format!("({})", any.join(" OR ")) });
        conditions
    }

    /// Of orders that were made together the first one that waits for the same stage and this person may decide stands for all.
    fn together(&self) -> Conditions {
        let mut conditions = self.conditions();
        let barred = conditions.one("e.barred NOT LIKE ", &format!("%{}%", self.user));
        conditions.all.push(format!(
            "(o.class_id IS NULL OR NOT EXISTS (SELECT 1 FROM orders e WHERE e.class_id = o.class_id AND e.awaits = o.awaits AND e.id < o.id AND {barred}))"
        ));
        conditions
    }
}

/// What waits for this person's decision, oldest first; one of those that were made together.
pub async fn inbox(connection: &mut AnyConnection, decider: &Decider, after: Option<OrderId>, limit: u32) -> Result<Vec<Listed>> {
    let mut conditions = decider.together();
    if let Some(after) = after {
        conditions.and("o.id > ", &after);
    }
    conditions.fetch("o.id", limit, connection).await
}

/// How many wait for this person's decision, those that were made together as one; counts no further than `most`.
pub async fn pending_count(connection: &mut AnyConnection, decider: &Decider, most: u32) -> Result<u32> {
    let Conditions { all, values } = decider.together();
    let sql = format!("SELECT COUNT(*) AS pending FROM (SELECT o.id FROM orders o WHERE {} LIMIT ${}) AS first", all.join(" AND "), values.len() + 1);
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for value in values {
        query = query.bind(value);
    }
    let row = query.bind(i64::from(most)).fetch_one(connection).await?;
    Row::of("orders", &row).count("pending")
}

/// A statement put together from fixed pieces; what was typed only ever goes into placeholders.
#[derive(Default)]
pub(super) struct Conditions {
    all: Vec<String>,
    values: Vec<String>,
}

impl Conditions {
    /// A condition whose placeholder follows `left`.
    pub(super) fn one(&mut self, left: &'static str, value: &dyn ToString) -> String {
        self.values.push(value.to_string());
        format!("{left}${}", self.values.len())
    }

    /// That it waits for one of these roles: a condition for each.
    fn awaited(&mut self, roles: &BTreeSet<Role>, department_roles: &BTreeMap<Role, BTreeSet<CourseId>>) -> Vec<String> {
        let mut any: Vec<_> = roles.iter().map(|role| self.one("o.awaits = ", &role.as_str())).collect();
        for (role, courses) in department_roles {
            let waits = self.one("o.awaits = ", &role.as_str());
            let covered = self.one("", &list_of(courses));
            any.push(format!("({waits} AND {covered} LIKE '%' || o.course_id || '%')"));
        }
        any
    }

    pub(super) fn and(&mut self, left: &'static str, value: &dyn ToString) {
        let condition = self.one(left, value);
        self.all.push(condition);
    }

    pub(super) async fn fetch(self, order_by: &'static str, limit: u32, connection: &mut AnyConnection) -> Result<Vec<Listed>> {
        let sql = format!("{LISTED} WHERE {} ORDER BY {order_by} LIMIT ${}", self.all.join(" AND "), self.values.len() + 1);
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for value in self.values {
            query = query.bind(value);
        }
        let rows = query.bind(i64::from(limit)).fetch_all(connection).await?;
        rows.iter().map(|row| listed(&Row::of("orders", row))).collect()
    }
}
