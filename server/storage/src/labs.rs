//! Labs and their state changes. A lab is saved by compare-and-set on its version; each save may be followed by a change row.

mod failures;
mod lifecycle;
mod read;
mod starts;
mod unused;

pub use failures::{add_failure, failures};
pub use lifecycle::{
    Due, add_earlier_size, add_free_storage, class_warned, daily_stops, destroy_due, ended, ending, expiring, free_storage_of_unmetered, held,
    is_for_lesson, is_resized, set_held, set_size, sizes_of_unmetered, warn, warned,
};
pub(crate) use read::started_by;
pub use read::{Listed, Query, get, history, list, listed, live, moving, others_of_course, owner_login, unmetered, waiting_of, waits_for_leaver};
pub use starts::{LATE_WARNING, StartFacts, add_start, earlier_starts, late_starts, order_times, slow, start_facts};
pub use unused::{IDLE_WARNING, Unused, unused};

use domain::{
    ids::{LabId, UserId},
    labs::{Lab, LabState, Moment},
    money::Currency,
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    folded,
    row::{Row, json},
    script::Insert,
};

/// Adds a lab as it is: for tests, which write one at a time.
#[cfg(any(test, feature = "testing"))]
pub async fn insert(connection: &mut AnyConnection, lab: &Lab, currency: Currency) -> Result<()> {
    new(lab, currency).run(connection).await.map(drop)
}

/// A new lab as it is. Its first state change is the caller's to add, and its reservation too: `lab.reserved` is not stored here.
pub fn new(lab: &Lab, currency: Currency) -> Insert {
    let Lab {
        id,
        order,
        tenant,
        course,
        owner,
        name,
        namespace,
        offering_name,
        spec,
        minutes,
        state,
        reserved: _,
        failure,
        created_at,
        first_running_at,
        ends_at,
        lifecycle,
        version,
    } = lab;
    Insert::new(
        "INSERT INTO labs (id, order_id, tenant_id, course_id, owner_id, name, namespace, offering_name, spec, card, cards, card_parts, \
         cpu_cores, memory_gib, storage_gib, minutes, state, failure, created_at, first_running_at, ends_at, currency, version, generation, autostop, daily_stop_at, \
         kept_until, grace_from, folded, pods) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)",
    )
    .bind(id.to_string())
    .bind(order.to_string())
    .bind(tenant.to_string())
    .bind(course.to_string())
    .bind(owner.to_string())
    .bind(name.clone())
    .bind(namespace.clone())
    .bind(json(offering_name))
    .bind(json(spec))
    .bind(spec.card.id())
    .bind(i64::from(spec.cards()))
    .bind(spec.card_share().parts())
    .bind(i64::from(spec.total_cpu_cores()))
    .bind(i64::from(spec.total_memory_gib()))
    .bind(i64::from(spec.storage_gib))
    .bind(i64::from(*minutes))
    .bind(state.as_str())
    .bind(failure.as_ref().map(json))
    .bind(created_at.micros())
    .bind(first_running_at.map(Timestamp::micros))
    .bind(ends_at.map(Timestamp::micros))
    .bind(currency.code())
    .bind(*version)
    .bind(i64::from(lifecycle.generation))
    .bind(json(&lifecycle.autostop))
    .bind(lifecycle.daily_stop_at.map(Timestamp::micros))
    .bind(lifecycle.kept_until.map(Timestamp::micros))
    .bind(lifecycle.grace_from.map(Timestamp::micros))
    .bind(folded::lab(name, offering_name))
    .bind(i64::from(spec.nodes))
}

/// Writes what can change, if nobody changed the lab since it was read: whether it was written. The stored version is then `lab.version + 1`.
/// The lab is metered again, whatever it was before.
pub async fn save(connection: &mut AnyConnection, lab: &Lab) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE labs SET state = $3, failure = $4, first_running_at = $5, ends_at = $6, minutes = $7, generation = $8, autostop = $9, \
         daily_stop_at = $10, kept_until = $11, grace_from = $12, metered_to = NULL, usage_frontier = NULL, version = version + 1 \
         WHERE id = $1 AND version = $2",
    )
    .bind(lab.id.to_string())
    .bind(lab.version)
    .bind(lab.state.as_str())
    .bind(lab.failure.as_ref().map(json))
    .bind(lab.first_running_at.map(Timestamp::micros))
    .bind(lab.ends_at.map(Timestamp::micros))
    .bind(i64::from(lab.minutes))
    .bind(i64::from(lab.lifecycle.generation))
    .bind(json(&lab.lifecycle.autostop))
    .bind(lab.lifecycle.daily_stop_at.map(Timestamp::micros))
    .bind(lab.lifecycle.kept_until.map(Timestamp::micros))
    .bind(lab.lifecycle.grace_from.map(Timestamp::micros))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Since when a started lab waits for cards; `None` when it has them or does not want them.
pub async fn set_queued_at(connection: &mut AnyConnection, lab: LabId, queued_at: Option<Timestamp>) -> Result<()> {
    sqlx::query("UPDATE labs SET queued_at = $2 WHERE id = $1")
        .bind(lab.to_string())
        .bind(queued_at.map(Timestamp::micros))
        .execute(connection)
        .await?;
    Ok(())
}

/// The next step of the lab's life. `cause` is the event's name.
pub fn change(lab: LabId, from: Option<LabState>, to: LabState, moment: impl Into<Moment>, cause: &str, by: Option<UserId>) -> Insert {
    let Moment { at, noticed_at, ran_until } = moment.into();
    Insert::new(
        "INSERT INTO lab_changes (lab_id, seq, from_state, to_state, at, cause, by_user, noticed_at, ran_until) \
         SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5, $6, $7, $8 FROM lab_changes WHERE lab_id = $1",
    )
    .bind(lab.to_string())
    .bind(from.map(LabState::as_str))
    .bind(to.as_str())
    .bind(at.micros())
    .bind(cause)
    .bind(by.map(|id| id.to_string()))
    .bind(noticed_at.map(Timestamp::micros))
    .bind(ran_until.map(Timestamp::micros))
}

/// When the lab's last state change took place.
pub async fn last_change(connection: &mut AnyConnection, lab: LabId) -> Result<Option<Timestamp>> {
    let row = sqlx::query("SELECT MAX(at) AS at FROM lab_changes WHERE lab_id = $1").bind(lab.to_string()).fetch_one(connection).await?;
    Row::of("lab_changes", &row).optional_timestamp("at")
}

/// Writes what the lab has cost so far, if it did not change since it was read; `metered_to` when nothing of it counts any more.
/// Usage that ends up to `frontier` is written for good.
pub async fn save_cost(
    connection: &mut AnyConnection,
    lab: LabId,
    version: i64,
    cost_micros: i64,
    frontier: Timestamp,
    metered_to: Option<Timestamp>,
) -> Result<bool> {
    let done = sqlx::query("UPDATE labs SET cost_micros = $3, usage_frontier = $4, metered_to = $5 WHERE id = $1 AND version = $2")
        .bind(lab.to_string())
        .bind(version)
        .bind(cost_micros)
        .bind(frontier.micros())
        .bind(metered_to.map(Timestamp::micros))
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
