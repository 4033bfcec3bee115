//! What courses use and hold, summed by the database in one statement, so that the sums belong to one moment.

use std::{collections::BTreeMap, sync::LazyLock};

use domain::{
    courses::CourseRef,
    gpu::CardShare,
    ids::{CourseId, TenantId},
    money::{Currency, Money},
    orders::class::Span,
    quotas::{Amounts, Booking, BudgetStatus, BudgetTerms, Ending, QuotaStatus},
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{Write, dialect, error::Result, row::Row};

/// A course with what is taken of its quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseQuota {
    pub course: CourseRef,
    /// Kubernetes namespace of the course.
    pub namespace: String,
    /// Takes no more orders.
    pub archived: bool,
    /// How many students its roster has.
    pub students: u32,
    pub status: QuotaStatus,
}

/// Makes every other transaction that takes of this course's quota or budget wait until this one ends. Comes before any lock on cards.
pub async fn lock(write: &mut Write, course: CourseId) -> Result<()> {
    lock_all(write, [course]).await
}

/// The same for several, in the order in which they stand: who locks the same ones must do so in the same order. One statement.
pub async fn lock_all(write: &mut Write, courses: impl IntoIterator<Item = CourseId>) -> Result<()> {
    let names: Vec<_> = courses.into_iter().map(|course| format!("course:{course}")).collect();
    dialect::lock_all(write, &names).await
}

// Used: labs that hold cards count with all they take, stopped ones (and those being taken down) with their volume.
// Held: orders that wait for a decision or for cards; an approved order has a lab, which counts instead.
// Budget held: what waiting orders and live labs were estimated at, less what they have cost. A stopped lab holds the rest
// until its ordered time is over, since it may be started again until then.
// Spent: what labs have cost; with a term, what was used from its beginning on; with credits and charges, as on the bill.
// Started: labs made since midnight on campus (restarts make none), and orders in the queue, which start as soon as cards are free.
// Booked: orders with a time that wait, by that time, as text, since both engines join texts alike; what of them is held now, and what
// starts today, is added where the row is read. Only their money is in the sums.
// Ends: labs by the end that is planned; left out where nothing of a time to come is decided.
macro_rules! status_sql {
    ($labs:literal, $orders:literal, $courses:literal, $($ends:tt)+) => {
        concat!(
            "SELECT c.id, c.code, c.name, c.namespace, c.cards_limit, c.cpu_cores_limit, c.memory_gib_limit, c.storage_gib_limit, \
             c.running_labs_limit, c.budget_micros, c.currency, c.cards_per_order, c.starts_per_day, \
             c.budget_from, c.budget_to, c.budget_thresholds, CASE WHEN c.archived_at IS NULL THEN 0 ELSE 1 END AS archived, \
             COALESCE(u.cards, 0) AS used_cards, COALESCE(u.cpu, 0) AS used_cpu, COALESCE(u.memory, 0) AS used_memory, \
             COALESCE(u.storage, 0) AS used_storage, COALESCE(u.labs, 0) AS used_labs, \
             COALESCE(h.cards, 0) AS held_cards, COALESCE(h.cpu, 0) AS held_cpu, COALESCE(h.memory, 0) AS held_memory, \
             COALESCE(h.storage, 0) AS held_storage, COALESCE(h.labs, 0) AS held_labs, \
             ", budget_spent!("u.spent"), " AS spent, COALESCE(u.rest, 0) + COALESCE(h.money, 0) AS held_money, \
             COALESCE(u.started, 0) + COALESCE(h.starting, 0) AS started, b.booked, \
             (SELECT COUNT(*) FROM course_students s WHERE s.course_id = c.id) AS students, ",
            $($ends)+,
            " AS ends FROM courses c \
             LEFT JOIN (SELECT l.course_id, \
               CAST(SUM(CASE WHEN l.state IN ('pending', 'starting', 'running', 'stopping', 'failed') THEN l.card_parts ELSE 0 END) AS BIGINT) AS cards, \
               CAST(SUM(CASE WHEN l.state IN ('pending', 'starting', 'running', 'stopping', 'failed') THEN l.cpu_cores ELSE 0 END) AS BIGINT) AS cpu, \
               CAST(SUM(CASE WHEN l.state IN ('pending', 'starting', 'running', 'stopping', 'failed') THEN l.memory_gib ELSE 0 END) AS BIGINT) AS memory, \
               CAST(SUM(CASE WHEN l.state <> 'destroyed' THEN l.storage_gib ELSE 0 END) AS BIGINT) AS storage, \
               CAST(SUM(CASE WHEN l.state IN ('pending', 'starting', 'running', 'stopping', 'failed') THEN 1 ELSE 0 END) AS BIGINT) AS labs, \
               ",
            micros_sum!("l.cost_micros"),
            " AS spent, \
               ",
            micros_sum!(
                "CASE WHEN o.held_micros > l.cost_micros \
                   AND (l.state IN ('pending', 'starting', 'running', 'stopping', 'failed') \
                     OR l.state = 'stopped' AND (l.ends_at IS NULL OR l.ends_at > $2)) \
                 THEN o.held_micros - l.cost_micros ELSE 0 END"
            ),
            " AS rest, \
               CAST(SUM(CASE WHEN l.created_at >= $3 THEN l.card_parts ELSE 0 END) AS BIGINT) AS started \
               FROM labs l JOIN orders o ON o.id = l.order_id WHERE ",
            $labs,
            " GROUP BY l.course_id) u ON u.course_id = c.id \
             LEFT JOIN (SELECT o.course_id, \
               CAST(SUM(CASE WHEN o.starts_at IS NULL THEN o.card_parts ELSE 0 END) AS BIGINT) AS cards, \
               CAST(SUM(CASE WHEN o.starts_at IS NULL THEN o.cpu_cores ELSE 0 END) AS BIGINT) AS cpu, \
               CAST(SUM(CASE WHEN o.starts_at IS NULL THEN o.memory_gib ELSE 0 END) AS BIGINT) AS memory, \
               CAST(SUM(CASE WHEN o.starts_at IS NULL THEN o.storage_gib ELSE 0 END) AS BIGINT) AS storage, \
               CAST(SUM(CASE WHEN o.starts_at IS NULL AND o.changes_lab IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS labs, ",
            micros_sum!("o.held_micros"),
            " AS money, \
               CAST(SUM(CASE WHEN o.starts_at IS NULL AND o.state = 'queued' THEN o.card_parts ELSE 0 END) AS BIGINT) AS starting \
               FROM orders o WHERE ",
            $orders,
            " AND o.state IN ('pending_approval', 'awaiting_requester', 'queued') GROUP BY o.course_id) h ON h.course_id = c.id \
             LEFT JOIN (SELECT t.course_id, STRING_AGG(CAST(t.starts_at AS TEXT) || ',' || CAST(t.minutes AS TEXT) || ',' || \
               CAST(t.cards AS TEXT) || ',' || CAST(t.cpu AS TEXT) || ',' || CAST(t.memory AS TEXT) || ',' || CAST(t.storage AS TEXT) || ',' || \
               CAST(t.labs AS TEXT) || ',' || CAST(t.starting AS TEXT), ';') AS booked \
               FROM (SELECT o.course_id, o.starts_at, o.minutes, CAST(SUM(o.card_parts) AS BIGINT) AS cards, CAST(SUM(o.cpu_cores) AS BIGINT) AS cpu, \
                 CAST(SUM(o.memory_gib) AS BIGINT) AS memory, CAST(SUM(o.storage_gib) AS BIGINT) AS storage, COUNT(*) AS labs, \
                 CAST(SUM(CASE WHEN o.state = 'queued' THEN o.card_parts ELSE 0 END) AS BIGINT) AS starting \
                 FROM orders o WHERE ",
            $orders,
            " AND o.starts_at IS NOT NULL AND o.state IN ('pending_approval', 'awaiting_requester', 'queued') \
                 GROUP BY o.course_id, o.starts_at, o.minutes ORDER BY o.starts_at, o.minutes) t GROUP BY t.course_id) b ON b.course_id = c.id WHERE ",
            $courses,
            " ORDER BY c.code, c.id"
        )
    };
}

/// What the labs of `c` give back at the end that is planned.
macro_rules! ends_sql {
    () => {
        "(SELECT STRING_AGG(CAST(e.ends_at AS TEXT) || ',' || CAST(e.cards AS TEXT) || ',' || CAST(e.cpu AS TEXT) || ',' || \
           CAST(e.memory AS TEXT) || ',' || CAST(e.storage AS TEXT) || ',' || CAST(e.labs AS TEXT), ';') \
           FROM (SELECT l.ends_at, CAST(SUM(l.card_parts) AS BIGINT) AS cards, CAST(SUM(l.cpu_cores) AS BIGINT) AS cpu, \
             CAST(SUM(l.memory_gib) AS BIGINT) AS memory, CAST(SUM(l.storage_gib) AS BIGINT) AS storage, COUNT(*) AS labs \
             FROM labs l WHERE l.course_id = c.id AND l.ends_at IS NOT NULL AND l.state IN ('pending', 'starting', 'running', 'stopping') \
             GROUP BY l.ends_at) e)"
    };
}

/// Every course of a tenant, in order of its code. One statement.
pub async fn of_tenant(connection: &mut AnyConnection, tenant: TenantId, now: Timestamp) -> Result<Vec<CourseQuota>> {
    all(connection, status_sql!("l.tenant_id = $1", "o.tenant_id = $1", "c.tenant_id = $1", "NULL"), tenant, now).await
}

/// The same with the planned ends of labs, for what is to run later. One statement.
pub async fn of_tenant_ahead(connection: &mut AnyConnection, tenant: TenantId, now: Timestamp) -> Result<Vec<CourseQuota>> {
    all(connection, status_sql!("l.tenant_id = $1", "o.tenant_id = $1", "c.tenant_id = $1", ends_sql!()), tenant, now).await
}

async fn all(connection: &mut AnyConnection, sql: &'static str, tenant: TenantId, now: Timestamp) -> Result<Vec<CourseQuota>> {
    let rows = sqlx::query(sql).bind(tenant.to_string()).bind(now.micros()).bind(now.start_of_campus_day().micros()).fetch_all(connection).await?;
    rows.iter().map(|row| read(&Row::of("courses", row), now)).collect()
}

/// One course. For a decision call it under [`lock`] in the deciding transaction.
pub async fn of_course(connection: &mut AnyConnection, course: CourseId, now: Timestamp) -> Result<Option<CourseQuota>> {
    one(connection, status_sql!("l.course_id = $1", "o.course_id = $1", "c.id = $1", "NULL"), course, now).await
}

/// The same with the planned ends of labs, for what is to run later. One statement.
pub async fn of_course_ahead(connection: &mut AnyConnection, course: CourseId, now: Timestamp) -> Result<Option<CourseQuota>> {
    one(connection, status_sql!("l.course_id = $1", "o.course_id = $1", "c.id = $1", ends_sql!()), course, now).await
}

/// How many courses one statement of [`of_courses`] reads.
const TOGETHER: usize = 32;

/// Several courses under their ids; what is none is left out. One statement for each 32: it is planned for longer than it runs.
pub async fn of_courses(connection: &mut AnyConnection, courses: &[CourseId], now: Timestamp) -> Result<BTreeMap<CourseId, CourseQuota>> {
    // One text however many there are, so that it is prepared once: what is left of the list repeats the last course.
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let rest: Vec<_> = (4..3 + TOGETHER).map(|number| format!("${number}")).collect();
        let list = format!("IN ($1, {})", rest.join(", "));
        status_sql!("l.course_id IN ($1)", "o.course_id IN ($1)", "c.id IN ($1)", "NULL").replace("IN ($1)", &list)
    });
    let mut found = BTreeMap::new();
    for part in courses.chunks(TOGETHER) {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
        let query = sqlx::query(SQL.as_str()).bind(first.to_string()).bind(now.micros()).bind(now.start_of_campus_day().micros());
        let query = (1..TOGETHER).fold(query, |query, at| query.bind(part.get(at).unwrap_or(last).to_string()));
        for row in &query.fetch_all(&mut *connection).await? {
            let quota = read(&Row::of("courses", row), now)?;
            found.insert(quota.course.id, quota);
        }
    }
    Ok(found)
}

async fn one(connection: &mut AnyConnection, sql: &'static str, course: CourseId, now: Timestamp) -> Result<Option<CourseQuota>> {
    let row =
        sqlx::query(sql).bind(course.to_string()).bind(now.micros()).bind(now.start_of_campus_day().micros()).fetch_optional(connection).await?;
    row.as_ref().map(|row| read(&Row::of("courses", row), now)).transpose()
}

/// The numbers of each group in a column of [`status_sql`].
fn groups<const N: usize>(row: &Row<'_>, column: &'static str) -> Result<Vec<[i64; N]>> {
    let Some(text) = row.optional_text(column)? else { return Ok(Vec::new()) };
    let group = |group: &str| -> Option<[i64; N]> {
        let numbers: Option<Vec<i64>> = group.split(',').map(|number| number.parse().ok()).collect();
        numbers?.try_into().ok()
    };
    text.split(';').map(|each| group(each).ok_or_else(|| row.fail(column, "not the numbers of a group"))).collect()
}

fn booked(row: &Row<'_>) -> Result<Vec<Booking>> {
    let booking = |[starts_at, minutes, cards, cpu_cores, memory_gib, storage_gib, running_labs, starting]: [i64; 8]| {
        let from = Timestamp::from_micros(starts_at);
        Booking {
            span: Span { from, to: from.plus_minutes(minutes) },
            amounts: Amounts { cards: CardShare::from_parts(cards), cpu_cores, memory_gib, storage_gib, running_labs },
            starting: CardShare::from_parts(starting),
        }
    };
    let mut booked: Vec<Booking> = groups(row, "booked")?.into_iter().map(booking).collect();
    booked.sort_by_key(|booking| (booking.span.from, booking.span.to));
    Ok(booked)
}

fn ends(row: &Row<'_>) -> Result<Vec<Ending>> {
    let ending = |[at, cards, cpu_cores, memory_gib, storage_gib, running_labs]: [i64; 6]| Ending {
        at: Timestamp::from_micros(at),
        amounts: Amounts { cards: CardShare::from_parts(cards), cpu_cores, memory_gib, storage_gib, running_labs },
    };
    let mut ends: Vec<Ending> = groups(row, "ends")?.into_iter().map(ending).collect();
    ends.sort_by_key(|ending| ending.at);
    Ok(ends)
}

fn read(row: &Row<'_>, now: Timestamp) -> Result<CourseQuota> {
    let id = row.parse("id")?;
    let currency: Currency = row.parse("currency")?;
    let money = |column| Ok::<_, crate::Error>(Money::new(row.integer(column)?, currency));
    let share = |column| row.integer(column).map(CardShare::from_parts);
    Ok(CourseQuota {
        course: CourseRef { id, code: row.text("code")?, name: row.text("name")? },
        namespace: row.text("namespace")?,
        archived: row.flag("archived")?,
        students: row.count("students")?,
        status: QuotaStatus {
            course: id,
            limits: Amounts {
                cards: share("cards_limit")?,
                cpu_cores: row.integer("cpu_cores_limit")?,
                memory_gib: row.integer("memory_gib_limit")?,
                storage_gib: row.integer("storage_gib_limit")?,
                running_labs: row.integer("running_labs_limit")?,
            },
            used: Amounts {
                cards: share("used_cards")?,
                cpu_cores: row.integer("used_cpu")?,
                memory_gib: row.integer("used_memory")?,
                storage_gib: row.integer("used_storage")?,
                running_labs: row.integer("used_labs")?,
            },
            held: Amounts {
                cards: share("held_cards")?,
                cpu_cores: row.integer("held_cpu")?,
                memory_gib: row.integer("held_memory")?,
                storage_gib: row.integer("held_storage")?,
                running_labs: row.integer("held_labs")?,
            },
            budget: BudgetStatus {
                limit: money("budget_micros")?,
                terms: BudgetTerms {
                    from: row.optional_timestamp("budget_from")?,
                    to: row.optional_timestamp("budget_to")?,
                    thresholds: row.json("budget_thresholds")?,
                },
                spent: money("spent")?,
                held: money("held_money")?,
            },
            started_today: share("started")?,
            starts_per_day: share("starts_per_day")?,
            cards_per_order: share("cards_per_order")?,
            booked: Vec::new(),
            ends: ends(row)?,
        }
        .with_bookings(booked(row)?, now),
    })
}
