//! Reading labs. The columns of a [`Lab`] are in one place; `l` is the lab and `r` its reservation in every query.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    courses::{CourseKey, CourseRef},
    ids::{CourseId, LabId, OfferingId, OrderId, TenantId, UserId},
    labs::{Lab, LabState, LastUse, Lifecycle, StateChange, start::OrderTimes},
    money::Money,
    people::PersonRef,
    time::Timestamp,
    visits::UseKind,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{accounts::standing::owner_left, error::Result, ids_list::list as list_of, pattern::contains, row::Row};

macro_rules! lab_columns {
    () => {
        "l.id, l.order_id, l.tenant_id, l.course_id, l.owner_id, l.name, l.namespace, l.offering_name, l.spec, l.minutes, l.state, \
         CASE WHEN r.lab_id IS NULL THEN 0 ELSE 1 END AS reserved, l.failure, l.created_at, l.first_running_at, l.ends_at, l.version, \
         l.generation, l.autostop, l.daily_stop_at, l.kept_until, l.grace_from"
    };
}
pub(super) use lab_columns;
macro_rules! from_labs {
    () => {
        " FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id "
    };
}
// Whoever waits for the same kind of card and began to wait earlier: queued orders and restarted labs are one queue.
macro_rules! listed_columns {
    () => {
        concat!(
            lab_columns!(),
            ", u.login AS owner_login, u.name AS owner_name, c.code AS course_code, c.name AS course_name, l.cost_micros, l.currency, \
             g.offering_id, g.held_micros, g.seat, g.submitted_at, g.decided_at, ",
            owner_left!("l"),
            " AS owner_left, (SELECT MIN(q.id) FROM orders q WHERE q.changes_lab = l.id AND q.state = 'pending_approval') AS pending_change, \
             CASE WHEN l.state = 'running' THEN (SELECT MAX(h.at) FROM lab_changes h WHERE h.lab_id = l.id AND h.to_state = 'running') END \
             AS running_since, \
             CASE WHEN l.state IN ('stopping', 'stopped') AND 'finished' = (SELECT e.cause FROM lab_changes e WHERE e.lab_id = l.id \
             AND e.cause IN ('start', 'finished', 'stop') ORDER BY e.seq DESC LIMIT 1) THEN 1 ELSE 0 END AS finished, \
             y.last_used_at, y.kind AS used_kind, y.user_id AS used_by, yu.login AS used_login, yu.name AS used_name, \
             (SELECT MAX(i.about_at) FROM lab_warnings i WHERE i.lab_id = l.id AND i.kind = 'idle') AS idle_warned, \
             CASE WHEN l.state = 'pending' AND r.lab_id IS NULL THEN 1 \
             + (SELECT COUNT(*) FROM orders o WHERE o.state = 'queued' AND o.card = l.card AND o.queued_at <= COALESCE(l.queued_at, l.created_at)) \
             + (SELECT COUNT(*) FROM labs w LEFT JOIN reservations x ON x.lab_id = w.id WHERE w.state = 'pending' AND x.lab_id IS NULL \
             AND w.card = l.card AND (w.queued_at < l.queued_at OR (w.queued_at = l.queued_at AND w.id < l.id))) END AS queue_position \
             FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id JOIN users u ON u.id = l.owner_id JOIN courses c ON c.id = l.course_id \
             JOIN orders g ON g.id = l.order_id LEFT JOIN lab_use y ON y.lab_id = l.id LEFT JOIN users yu ON yu.id = y.user_id "
        )
    };
}

/// A lab with what lists show beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub lab: Lab,
    pub owner: PersonRef,
    pub course: CourseRef,
    pub cost: Money,
    pub running_since: Option<Timestamp>,
    /// It is down since its job ended well.
    pub finished: bool,
    pub queue_position: Option<u32>,
    /// What its order was for.
    pub offering: OfferingId,
    pub order: OrderTimes,
    /// Whose it is in a class.
    pub seat: Option<String>,
    /// The owner may not order for the course any more.
    pub owner_left: bool,
    /// The order that waits to change it.
    pub pending_change: Option<OrderId>,
    /// Micro-units that its order holds of the budget, what was spent of it included.
    pub held_micros: i64,
    /// `None` if it was never used.
    pub last_use: Option<LastUse>,
    /// The latest stop for want of use that was announced to its owner.
    pub idle_warned: Option<Timestamp>,
}

/// Which labs are wanted; all conditions hold together.
#[derive(Debug, Clone)]
pub struct Query {
    pub tenant: TenantId,
    pub owner: Option<UserId>,
    /// What this person owns and what belongs to these courses.
    pub visible_to: Option<(UserId, BTreeSet<CourseId>)>,
    pub state: Option<LabState>,
    pub course: Option<CourseKey>,
    /// Without those that are destroyed.
    pub live: bool,
    /// Only labs whose owner left the course.
    pub owner_left: bool,
    /// Only running labs with cards that have not been used since then.
    pub unused_since: Option<Timestamp>,
    /// Part of the name of the lab, its offering, its owner or its course.
    pub text: Option<String>,
    /// Older than this one.
    pub before: Option<LabId>,
    pub limit: u32,
}

pub(super) fn lab(row: &AnyRow) -> Result<Lab> {
    let row = Row::of("labs", row);
    Ok(Lab {
        id: row.parse("id")?,
        order: row.parse("order_id")?,
        tenant: row.parse("tenant_id")?,
        course: row.parse("course_id")?,
        owner: row.parse("owner_id")?,
        name: row.text("name")?,
        namespace: row.text("namespace")?,
        offering_name: row.json("offering_name")?,
        spec: row.json("spec")?,
        minutes: row.count("minutes")?,
        state: row.state("state", LabState::parse)?,
        reserved: row.flag("reserved")?,
        failure: row.optional_json("failure")?,
        created_at: row.timestamp("created_at")?,
        first_running_at: row.optional_timestamp("first_running_at")?,
        ends_at: row.optional_timestamp("ends_at")?,
        lifecycle: Lifecycle {
            generation: row.count("generation")?,
            autostop: row.json("autostop")?,
            daily_stop_at: row.optional_timestamp("daily_stop_at")?,
            kept_until: row.optional_timestamp("kept_until")?,
            grace_from: row.optional_timestamp("grace_from")?,
        },
        version: row.integer("version")?,
    })
}

fn with_surroundings(any: &AnyRow) -> Result<Listed> {
    let row = Row::of("labs", any);
    let lab = lab(any)?;
    Ok(Listed {
        owner: PersonRef { id: lab.owner, login: row.text("owner_login")?, name: row.text("owner_name")? },
        course: CourseRef { id: lab.course, code: row.text("course_code")?, name: row.text("course_name")? },
        cost: row.money("cost_micros", "currency")?,
        running_since: row.optional_timestamp("running_since")?,
        finished: row.flag("finished")?,
        queue_position: row
            .optional_integer("queue_position")?
            .map(|position| u32::try_from(position).map_err(|_| row.fail("queue_position", "out of range")))
            .transpose()?,
        offering: row.parse("offering_id")?,
        order: OrderTimes { submitted_at: row.timestamp("submitted_at")?, decided_at: row.optional_timestamp("decided_at")? },
        seat: row.optional_text("seat")?,
        owner_left: row.flag("owner_left")?,
        pending_change: row.optional_parse("pending_change")?,
        held_micros: row.integer("held_micros")?,
        last_use: last_use(row)?,
        idle_warned: row.optional_timestamp("idle_warned")?,
        lab,
    })
}

fn last_use(row: Row<'_>) -> Result<Option<LastUse>> {
    let Some(at) = row.optional_timestamp("last_used_at")? else { return Ok(None) };
    let person = match row.optional_parse("used_by")? {
        Some(id) => Some(PersonRef { id, login: row.text("used_login")?, name: row.text("used_name")? }),
        None => None,
    };
    Ok(Some(LastUse { at, kind: row.state("used_kind", UseKind::parse)?, person }))
}

/// One lab; `None` when there is none.
pub async fn get(connection: &mut AnyConnection, id: LabId) -> Result<Option<Lab>> {
    sqlx::query(concat!("SELECT ", lab_columns!(), from_labs!(), "WHERE l.id = $1"))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?
        .as_ref()
        .map(lab)
        .transpose()
}

// The person whose action put the lab `l` into its current state.
macro_rules! started_by {
    () => {
        "(SELECT h.by_user FROM lab_changes h WHERE h.lab_id = l.id ORDER BY h.seq DESC LIMIT 1)"
    };
}
pub(crate) use started_by;

/// Labs that this person started for the course and that wait for cards.
pub async fn waiting_of(connection: &mut AnyConnection, owner: UserId, course: CourseId) -> Result<Vec<Lab>> {
    let sql = concat!(
        "SELECT ",
        lab_columns!(),
        from_labs!(),
        "WHERE l.state = 'pending' AND r.lab_id IS NULL AND l.owner_id = $1 AND l.course_id = $2 AND l.owner_id = ",
        started_by!(),
        " ORDER BY l.id"
    );
    sqlx::query(sql).bind(owner.to_string()).bind(course.to_string()).fetch_all(connection).await?.iter().map(lab).collect()
}

/// Whether the lab was started by its owner, who may not order for the course any more.
pub async fn waits_for_leaver(connection: &mut AnyConnection, id: LabId) -> Result<bool> {
    let sql =
        concat!("SELECT CASE WHEN l.owner_id = ", started_by!(), " THEN ", owner_left!("l"), " ELSE 0 END AS leaver FROM labs l WHERE l.id = $1");
    let row = sqlx::query(sql).bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map_or(Ok(false), |row| Row::of("labs", row).flag("leaver"))
}

/// One lab with what surrounds it.
pub async fn listed(connection: &mut AnyConnection, id: LabId) -> Result<Option<Listed>> {
    sqlx::query(concat!("SELECT ", listed_columns!(), "WHERE l.id = $1"))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?
        .as_ref()
        .map(with_surroundings)
        .transpose()
}

/// Newest first.
pub async fn list(connection: &mut AnyConnection, query: &Query) -> Result<Vec<Listed>> {
    sqlx::query(concat!(
        "SELECT ",
        listed_columns!(),
        "WHERE l.tenant_id = $1 AND ($2 IS NULL OR l.owner_id = $2) \
         AND ($3 IS NULL OR l.owner_id = $3 OR $9 LIKE '%' || l.course_id || '%') \
         AND ($4 IS NULL OR l.state = $4) AND ($5 IS NULL OR l.course_id = $5) AND ($6 = 0 OR l.state <> 'destroyed') \
         AND ($7 IS NULL OR l.id < $7) \
         AND ($10 IS NULL OR l.folded LIKE $10 ESCAPE '!' OR u.folded LIKE $10 ESCAPE '!' OR c.folded LIKE $10 ESCAPE '!') \
         AND ($11 IS NULL OR c.code = $11) AND ($12 = 0 OR 1 = ",
        owner_left!("l"),
        ") AND ($13 = 0 OR (l.state = 'running' AND l.cards > 0 AND (y.last_used_at IS NULL OR y.last_used_at <= $13) \
         AND (SELECT MAX(b.at) FROM lab_changes b WHERE b.lab_id = l.id AND b.to_state = 'running') <= $13)) ORDER BY l.id DESC LIMIT $8"
    ))
    .bind(query.tenant.to_string())
    .bind(query.owner.map(|id| id.to_string()))
    .bind(query.visible_to.as_ref().map(|(id, _)| id.to_string()))
    .bind(query.state.map(LabState::as_str))
    .bind(query.course.as_ref().and_then(CourseKey::id).map(|id| id.to_string()))
    .bind(i64::from(query.live))
    .bind(query.before.map(|id| id.to_string()))
    .bind(i64::from(query.limit))
    .bind(query.visible_to.as_ref().map(|(_, courses)| list_of(courses)))
    .bind(query.text.as_deref().map(contains))
    .bind(query.course.as_ref().and_then(CourseKey::code).map(ToOwned::to_owned))
    .bind(i64::from(query.owner_left))
    .bind(query.unused_since.map_or(0, Timestamp::micros))
    .fetch_all(connection)
    .await?
    .iter()
    .map(with_surroundings)
    .collect()
}

fn change(row: &AnyRow) -> Result<StateChange> {
    let row = Row::of("lab_changes", row);
    Ok(StateChange {
        seq: row.integer("seq")?,
        from: row.optional_text("from_state")?.map(|_| row.state("from_state", LabState::parse)).transpose()?,
        to: row.state("to_state", LabState::parse)?,
        at: row.timestamp("at")?,
        noticed_at: row.optional_timestamp("noticed_at")?,
        ran_until: row.optional_timestamp("ran_until")?,
        cause: row.text("cause")?,
        by: match row.optional_parse("by_user")? {
            Some(id) => Some(PersonRef { id, login: row.text("login")?, name: row.text("name")? }),
            None => None,
        },
    })
}

/// The lab's life, first step first.
pub async fn history(connection: &mut AnyConnection, id: LabId) -> Result<Vec<StateChange>> {
    sqlx::query(
        "SELECT c.seq, c.from_state, c.to_state, c.at, c.noticed_at, c.ran_until, c.cause, c.by_user, u.login, u.name \
         FROM lab_changes c LEFT JOIN users u ON u.id = c.by_user WHERE c.lab_id = $1 ORDER BY c.seq",
    )
    .bind(id.to_string())
    .fetch_all(connection)
    .await?
    .iter()
    .map(change)
    .collect()
}

/// Labs that may have something to meter, by id after `after`, each with its life. Three tables, two statements.
pub async fn unmetered(connection: &mut AnyConnection, after: Option<LabId>, limit: u32) -> Result<Vec<(Lab, Vec<StateChange>)>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let labs = sqlx::query(concat!("SELECT ", lab_columns!(), from_labs!(), "WHERE l.metered_to IS NULL AND l.id > $1 ORDER BY l.id LIMIT $2"))
        .bind(after.clone())
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?
        .iter()
        .map(lab)
        .collect::<Result<Vec<_>>>()?;
    let Some(last) = labs.last() else { return Ok(Vec::new()) };
    let rows = sqlx::query(
        "SELECT c.lab_id, c.seq, c.from_state, c.to_state, c.at, c.noticed_at, c.ran_until, c.cause, NULL AS by_user FROM lab_changes c JOIN labs l ON l.id = c.lab_id \
         WHERE l.metered_to IS NULL AND l.id > $1 AND l.id <= $2 ORDER BY c.lab_id, c.seq",
    )
    .bind(after)
    .bind(last.id.to_string())
    .fetch_all(connection)
    .await?;
    let mut lives = BTreeMap::<LabId, Vec<StateChange>>::new();
    for row in &rows {
        lives.entry(Row::of("lab_changes", row).parse("lab_id")?).or_default().push(change(row)?);
    }
    Ok(labs.into_iter().map(|lab| (lives.remove(&lab.id).unwrap_or_default(), lab)).map(|(life, lab)| (lab, life)).collect())
}

/// How many other labs of the course keep its namespace: all that are neither destroyed nor on their way there.
pub async fn others_of_course(connection: &mut AnyConnection, course: CourseId, except: LabId) -> Result<u32> {
    let row = sqlx::query("SELECT COUNT(*) AS others FROM labs WHERE course_id = $1 AND id <> $2 AND state NOT IN ('destroyed', 'destroying')")
        .bind(course.to_string())
        .bind(except.to_string())
        .fetch_one(connection)
        .await?;
    Row::of("labs", &row).count("others")
}

/// For the labels of the lab's objects.
pub async fn owner_login(connection: &mut AnyConnection, lab: LabId) -> Result<Option<String>> {
    let row = sqlx::query("SELECT u.login FROM labs l JOIN users u ON u.id = l.owner_id WHERE l.id = $1")
        .bind(lab.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(|row| Row::of("users", row).text("login")).transpose()
}

fn ids(rows: &[AnyRow]) -> Result<Vec<LabId>> {
    rows.iter().map(|row| Row::of("labs", row).parse("id")).collect()
}

/// Labs that the cluster has or may have something of.
pub async fn live(connection: &mut AnyConnection) -> Result<Vec<LabId>> {
    let rows = sqlx::query(
        "SELECT l.id FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id \
         WHERE l.state <> 'destroyed' AND NOT (l.state = 'pending' AND r.lab_id IS NULL) ORDER BY l.id",
    )
    .fetch_all(connection)
    .await?;
    ids(&rows)
}

/// Labs that run or are on their way somewhere.
pub async fn moving(connection: &mut AnyConnection) -> Result<Vec<LabId>> {
    let rows = sqlx::query(
        "SELECT l.id FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id \
         WHERE l.state IN ('starting', 'running', 'stopping', 'destroying') OR (l.state IN ('pending', 'failed') AND r.lab_id IS NOT NULL) \
         ORDER BY l.id",
    )
    .fetch_all(connection)
    .await?;
    ids(&rows)
}
