//! Lists of orders: what one may read, what waits for a decision.

use std::collections::BTreeSet;

use domain::{
    ids::{CourseId, OrderId, TenantId, UserId},
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
    pub course: Option<CourseId>,
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
    if let Some(course) = query.course {
        conditions.and("o.course_id = ", &course);
    }
    if let Some(after) = query.after {
        conditions.and("o.id < ", &after);
    }
    conditions.fetch("o.id DESC", query.limit, connection).await
}

/// What waits for a decision by somebody other than `decider`, oldest first; of these courses only, when given.
pub async fn inbox(
    connection: &mut AnyConnection,
    tenant: TenantId,
    decider: UserId,
    courses: Option<&BTreeSet<CourseId>>,
    after: Option<OrderId>,
    limit: u32,
) -> Result<Vec<Listed>> {
    let mut conditions = Conditions::default();
    conditions.and("o.tenant_id = ", &tenant);
    conditions.and("o.state = ", &OrderState::PendingApproval.as_str());
    conditions.and("o.owner_id <> ", &decider);
    if let Some(courses) = courses {
        let condition = format!("{} LIKE '%' || o.course_id || '%'", conditions.one("", &list_of(courses)));
        conditions.all.push(condition);
    }
    if let Some(after) = after {
        conditions.and("o.id > ", &after);
    }
    conditions.fetch("o.id", limit, connection).await
}

/// How many wait for a decision by somebody other than `decider`; counts no further than `most`.
pub async fn pending_count(
    connection: &mut AnyConnection,
    tenant: TenantId,
    decider: UserId,
    courses: Option<&BTreeSet<CourseId>>,
    most: u32,
) -> Result<u32> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS pending FROM \
         (SELECT id FROM orders WHERE tenant_id = $1 AND state = 'pending_approval' AND owner_id <> $2 \
         AND ($4 IS NULL OR $4 LIKE '%' || course_id || '%') LIMIT $3) AS first",
    )
    .bind(tenant.to_string())
    .bind(decider.to_string())
    .bind(i64::from(most))
    .bind(courses.map(list_of))
    .fetch_one(connection)
    .await?;
    Row::of("orders", &row).count("pending")
}

/// A statement put together from fixed pieces; what was typed only ever goes into placeholders.
#[derive(Default)]
struct Conditions {
    all: Vec<String>,
    values: Vec<String>,
}

impl Conditions {
    /// A condition whose placeholder follows `left`.
    fn one(&mut self, left: &'static str, value: &dyn ToString) -> String {
        self.values.push(value.to_string());
        format!("{left}${}", self.values.len())
    }

    fn and(&mut self, left: &'static str, value: &dyn ToString) {
        let condition = self.one(left, value);
        self.all.push(condition);
    }

    async fn fetch(self, order_by: &'static str, limit: u32, connection: &mut AnyConnection) -> Result<Vec<Listed>> {
        let sql = format!("{LISTED} WHERE {} ORDER BY {order_by} LIMIT ${}", self.all.join(" AND "), self.values.len() + 1);
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for value in self.values {
            query = query.bind(value);
        }
        let rows = query.bind(i64::from(limit)).fetch_all(connection).await?;
        rows.iter().map(|row| listed(&Row::of("orders", row))).collect()
    }
}
