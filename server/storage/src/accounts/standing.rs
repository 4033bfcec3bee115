//! People who left a course: a former member may not order for it any more. The only SQL for this rule is here; a test in `services`
//! compares it with `Actor::can(OrderSubmit)` for every role, place and membership.

use domain::ids::{CourseId, UserId};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// 1 if the owner of a row (columns `owner_id`, `course_id`) may not order for its course any more: disabled, not a member, or without the
/// role. Managers of the college or of the course's department order for it without being members.
macro_rules! owner_left {
    ($row:literal) => {
        concat!(
            "CASE WHEN EXISTS (SELECT 1 FROM users lu JOIN user_roles lr ON lr.user_id = lu.id JOIN courses lc ON lc.id = ",
            $row,
            ".course_id WHERE lu.id = ",
            $row,
            ".owner_id AND lu.disabled_at IS NULL \
             AND (lr.role = 'manager' AND (lr.tenant_id = lc.tenant_id OR lr.tenant_id = lc.department_id) \
               OR lr.role = 'teacher' AND EXISTS (SELECT 1 FROM course_members lm WHERE lm.user_id = lu.id AND lm.course_id = lc.id))) \
             THEN 0 ELSE 1 END"
        )
    };
}
pub(crate) use owner_left;

/// Whether this person may not order for the course any more. One statement.
pub async fn has_left(connection: &mut AnyConnection, person: UserId, course: CourseId) -> Result<bool> {
    let sql = concat!("SELECT ", owner_left!("o"), " AS owner_left FROM (SELECT CAST($1 AS TEXT) AS owner_id, CAST($2 AS TEXT) AS course_id) o");
    let row = sqlx::query(sql).bind(person.to_string()).bind(course.to_string()).fetch_one(connection).await?;
    Row::of("users", &row).flag("owner_left")
}

/// People who left a course in which something of theirs still waits: orders that are not decided, or wait for cards or their lesson, and
/// labs that they started and that wait for cards. Pairs of person and course after `after`, in order, at most `limit`.
pub async fn leavers(connection: &mut AnyConnection, after: Option<(UserId, CourseId)>, limit: u32) -> Result<Vec<(UserId, CourseId)>> {
    let sql = concat!(
        "SELECT w.owner_id, w.course_id FROM ( \
           SELECT owner_id, course_id FROM orders WHERE state IN ('pending_approval', 'awaiting_requester', 'queued') \
           UNION SELECT l.owner_id, l.course_id FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id \
             WHERE l.state = 'pending' AND r.lab_id IS NULL AND l.owner_id = ",
        crate::labs::started_by!(),
        ") w WHERE 1 = ",
        owner_left!("w"),
        " AND ($2 IS NULL OR w.owner_id > $2 OR w.owner_id = $2 AND w.course_id > $3) ORDER BY w.owner_id, w.course_id LIMIT $1"
    );
    let rows = sqlx::query(sql)
        .bind(i64::from(limit))
        .bind(after.map(|(owner, _)| owner.to_string()))
        .bind(after.map(|(_, course)| course.to_string()))
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("orders", row);
            Ok((row.parse("owner_id")?, row.parse("course_id")?))
        })
        .collect()
}
