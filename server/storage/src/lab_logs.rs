//! The ends of logs of jobs whose pods are deleted. A body is text that the services compress.

use domain::{
    ids::LabId,
    labs::{KeptLog, LogProblem},
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, row::Row};

const COLUMNS: &str = "pod_name, pod_uid, container, place, generation, attempt, exit_code, ended_at, kept_at, bytes, cut, problem";

fn read(row: &AnyRow) -> Result<KeptLog> {
    let row = Row::of("lab_logs", row);
    let exit_code = row.optional_integer("exit_code")?;
    Ok(KeptLog {
        pod: row.text("pod_name")?,
        pod_uid: row.text("pod_uid")?,
        container: row.text("container")?,
        place: row.count("place")?,
        generation: row.count("generation")?,
        attempt: row.count("attempt")?,
        exit_code: exit_code.map(|code| i32::try_from(code).map_err(|_| row.fail("exit_code", "out of range"))).transpose()?,
        ended_at: row.optional_timestamp("ended_at")?,
        kept_at: row.timestamp("kept_at")?,
        bytes: row.count("bytes")?,
        cut: row.flag("cut")?,
        problem: row
            .optional_text("problem")?
            .map(|text| LogProblem::named(&text).ok_or_else(|| row.fail("problem", "unknown value")))
            .transpose()?,
    })
}

/// Keeps a log. One that is kept with its text stays as it is; one with a problem is replaced by a text only.
pub async fn put(connection: &mut AnyConnection, lab: LabId, log: &KeptLog, body: Option<&str>) -> Result<()> {
    let KeptLog { pod, pod_uid, container, place, generation, attempt, exit_code, ended_at, kept_at, bytes, cut, problem } = log;
    let stored = i64::try_from(body.map_or(0, str::len)).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO lab_logs (lab_id, pod_uid, container, pod_name, generation, attempt, exit_code, ended_at, kept_at, bytes, cut, body, \
         stored_bytes, problem, place) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT (lab_id, pod_uid, container) DO UPDATE SET attempt = excluded.attempt, exit_code = excluded.exit_code, \
         ended_at = excluded.ended_at, kept_at = excluded.kept_at, bytes = excluded.bytes, cut = excluded.cut, body = excluded.body, \
         stored_bytes = excluded.stored_bytes, problem = excluded.problem WHERE lab_logs.body IS NULL AND excluded.body IS NOT NULL",
    )
    .bind(lab.to_string())
    .bind(pod_uid.clone())
    .bind(container.clone())
    .bind(pod.clone())
    .bind(i64::from(*generation))
    .bind(i64::from(*attempt))
    .bind(exit_code.map(i64::from))
    .bind(ended_at.map(Timestamp::micros))
    .bind(kept_at.micros())
    .bind(i64::try_from(*bytes).unwrap_or(i64::MAX))
    .bind(i64::from(*cut))
    .bind(body.map(str::to_owned))
    .bind(stored)
    .bind(problem.map(LogProblem::as_str))
    .bind(i64::from(*place))
    .execute(connection)
    .await?;
    Ok(())
}

/// The kept logs of the lab without their texts, in order of its tries.
pub async fn of_lab(connection: &mut AnyConnection, lab: LabId) -> Result<Vec<KeptLog>> {
    let sql = format!("SELECT {COLUMNS} FROM lab_logs WHERE lab_id = $1 ORDER BY generation, attempt, pod_name, pod_uid, place");
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(lab.to_string()).fetch_all(connection).await?.iter().map(read).collect()
}

/// The body of one; `None` if it is not kept, or if there is no text.
pub async fn body(connection: &mut AnyConnection, lab: LabId, pod_uid: &str, container: &str) -> Result<Option<String>> {
    let row = sqlx::query("SELECT body FROM lab_logs WHERE lab_id = $1 AND pod_uid = $2 AND container = $3")
        .bind(lab.to_string())
        .bind(pod_uid.to_owned())
        .bind(container.to_owned())
        .fetch_optional(connection)
        .await?;
    row.map_or(Ok(None), |row| Row::of("lab_logs", &row).optional_text("body"))
}

/// Deletes the logs of all but the newest tries of the lab.
pub async fn keep_newest(connection: &mut AnyConnection, lab: LabId, tries: u32) -> Result<()> {
    let newest =
        sqlx::query("SELECT DISTINCT generation, attempt FROM lab_logs WHERE lab_id = $1 ORDER BY generation DESC, attempt DESC LIMIT 1 OFFSET $2")
            .bind(lab.to_string())
            .bind(i64::from(tries))
            .fetch_optional(&mut *connection)
            .await?;
    let Some(row) = newest else { return Ok(()) };
    let row = Row::of("lab_logs", &row);
    let (generation, attempt) = (row.integer("generation")?, row.integer("attempt")?);
    sqlx::query("DELETE FROM lab_logs WHERE lab_id = $1 AND (generation < $2 OR (generation = $2 AND attempt <= $3))")
        .bind(lab.to_string())
        .bind(generation)
        .bind(attempt)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes all of a lab's.
pub async fn delete_of(connection: &mut AnyConnection, lab: LabId) -> Result<()> {
    sqlx::query("DELETE FROM lab_logs WHERE lab_id = $1").bind(lab.to_string()).execute(connection).await?;
    Ok(())
}

/// Deletes logs that were kept before an instant, and the oldest beyond so many stored bytes in total. Returns their number.
pub async fn sweep(connection: &mut AnyConnection, before: Timestamp, most_bytes: i64) -> Result<u64> {
    let old = sqlx::query("DELETE FROM lab_logs WHERE kept_at < $1").bind(before.micros()).execute(&mut *connection).await?.rows_affected();
    // The instant at which the newest ones fill the room.
    let full = sqlx::query(
        "SELECT MAX(kept_at) AS full_at FROM (SELECT kept_at, CAST(SUM(stored_bytes) OVER (ORDER BY kept_at DESC, lab_id, pod_uid, container) AS BIGINT) AS total \
         FROM lab_logs) AS sums WHERE total > $1",
    )
    .bind(most_bytes)
    .fetch_one(&mut *connection)
    .await?;
    let Some(at) = Row::of("lab_logs", &full).optional_integer("full_at")? else { return Ok(old) };
    let more = sqlx::query("DELETE FROM lab_logs WHERE kept_at <= $1").bind(at).execute(connection).await?.rows_affected();
    Ok(old + more)
}

#[cfg(test)]
mod tests {
    use domain::{money::Currency, orders::OrderState};

    use super::*;
    use crate::{
        labs,
        orders::{
            self,
            tests::ground::{ground, lab, order},
        },
        testing::for_each_engine,
    };

    fn log(uid: &str, generation: u32, attempt: u32, at: i64) -> KeptLog {
        KeptLog {
            pod: format!("lab-1-{uid}"),
            pod_uid: uid.into(),
            container: "lab".into(),
            place: 0,
            generation,
            attempt,
            exit_code: Some(-1),
            ended_at: None,
            kept_at: Timestamp::from_seconds(at),
            bytes: 4,
            cut: true,
            problem: None,
        }
    }

    async fn uids(connection: &mut AnyConnection, lab: LabId) -> Vec<String> {
        of_lab(connection, lab).await.expect("read").into_iter().map(|log| log.pod_uid).collect()
    }

    #[tokio::test]
    async fn a_kept_log_stays_as_it_is_until_newer_ones_need_its_room() {
        for_each_engine("a_kept_log_stays_as_it_is_until_newer_ones_need_its_room", async |test| {
            let mut write = ground(&test).await;
            let order = order(1, OrderState::Approved);
            orders::insert(&mut write, &order).await.expect("an order");
            let lab = lab(&order, domain::labs::LabState::Running);
            labs::insert(&mut write, &lab, Currency::Cny).await.expect("a lab");
            let lab = lab.id;
            let unread = KeptLog { problem: Some(LogProblem::Late), ..log("a", 0, 1, 1) };
            put(&mut write, lab, &unread, None).await.expect("kept");
            put(&mut write, lab, &unread, None).await.expect("again");
            assert_eq!(of_lab(&mut write, lab).await.expect("read"), std::slice::from_ref(&unread));
            put(&mut write, lab, &log("a", 0, 1, 2), Some("text")).await.expect("with its text");
            put(&mut write, lab, &unread, None).await.expect("it stays");
            put(&mut write, lab, &log("a", 0, 1, 9), Some("other")).await.expect("it stays");
            assert_eq!(of_lab(&mut write, lab).await.expect("read"), [log("a", 0, 1, 2)]);
            assert_eq!(body(&mut write, lab, "a", "lab").await.expect("read").as_deref(), Some("text"));
            assert_eq!(body(&mut write, lab, "a", "other").await.expect("read"), None);

            for (uid, generation, attempt) in [("b", 0, 2), ("c", 1, 1), ("d", 1, 2)] {
                let at = i64::from(generation * 10 + attempt) + 10;
                put(&mut write, lab, &log(uid, generation, attempt, at), Some("text")).await.expect("kept");
            }
            keep_newest(&mut write, lab, 4).await.expect("all of them");
            assert_eq!(uids(&mut write, lab).await, ["a", "b", "c", "d"]);
            keep_newest(&mut write, lab, 3).await.expect("three");
            assert_eq!(uids(&mut write, lab).await, ["b", "c", "d"]);
            assert_eq!(sweep(&mut write, Timestamp::from_seconds(0), 12).await.expect("swept"), 0, "they fit");
            assert_eq!(sweep(&mut write, Timestamp::from_seconds(0), 8).await.expect("swept"), 1, "the oldest goes");
            assert_eq!(uids(&mut write, lab).await, ["c", "d"]);
            assert_eq!(sweep(&mut write, Timestamp::from_seconds(22), 100).await.expect("swept"), 1);
            delete_of(&mut write, lab).await.expect("deleted");
            assert!(uids(&mut write, lab).await.is_empty());
        })
        .await;
    }
}
