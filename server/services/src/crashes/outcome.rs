//! How a story ended, without what may differ between two tellings: ids, numbers, times.

use super::run::Run;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// States, in the order in which they were ordered.
    orders: Vec<String>,
    /// What was decided, asked and answered.
    decisions: Vec<String>,
    /// Every state of every lab with what brought it.
    labs: Vec<String>,
    /// Actions on record that worked.
    records: Vec<String>,
    /// What people were told.
    notices: Vec<String>,
    /// What is left: objects, cards, holds, work. Nothing, when all is destroyed.
    left: Vec<String>,
}

impl Outcome {
    pub async fn of(run: &Run<'_>) -> Self {
        let db = &run.world.services.db;
        let course = run.course.id;
        let people = format!("('{}', '{}')", run.teacher.actor.user, run.manager.actor.user);
        let rows = async |sql: String| storage::testing::texts(db, &sql).await;
        let labs = rows(format!("SELECT id FROM labs WHERE course_id = '{course}'")).await;
        let mut left = rows(format!("SELECT 'a lab that is ' || state FROM labs WHERE course_id = '{course}' AND state <> 'destroyed'")).await;
        left.extend(rows("SELECT 'cards of ' || lab_id FROM reservations".into()).await);
        left.extend(rows("SELECT 'work: ' || kind || ' ' || subject FROM outbox".into()).await);
        for id in labs {
            let id = id.parse().expect("an id");
            if run.world.cluster.holds(id) {
                left.push(format!("objects of lab {id}"));
            }
        }
        let mut read = db.read().await.expect("a connection");
        let quota = storage::quotas::of_course(&mut read, course, run.world.services.clock.now()).await.expect("read").expect("the course").status;
        drop(read);
        if quota.used != domain::quotas::Amounts::default() || quota.held != domain::quotas::Amounts::default() || quota.budget.held.micros != 0 {
            left.push(format!("quota: {quota:?}"));
        }
        if let Some(given) = run.world.cluster.quota_of(&run.course.namespace) {
            left.push(format!("a namespace with the quota {given:?}"));
        }
        let mut records =
            rows(format!("SELECT action || ' by ' || who_kind FROM audit_events WHERE course_id = '{course}' AND outcome = 'success'")).await;
        records.sort();
        let mut notices: Vec<_> = rows(format!("SELECT notice FROM notifications WHERE user_id IN {people}"))
            .await
            .into_iter()
            .map(|json| serde_json::from_str::<serde_json::Value>(&json).expect("JSON")["kind"].to_string())
            .collect();
        notices.sort();
        Self {
            orders: rows(format!("SELECT state || COALESCE(': ' || reason, '') FROM orders WHERE course_id = '{course}' ORDER BY number")).await,
            decisions: rows(format!(
                "SELECT d.step || ' ' || d.text FROM order_decisions d JOIN orders o ON o.id = d.order_id WHERE o.course_id = '{course}' \
                 ORDER BY o.number, d.id"
            ))
            .await,
            labs: rows(format!(
                "SELECT c.to_state || ' by ' || c.cause FROM lab_changes c JOIN labs l ON l.id = c.lab_id JOIN orders o ON o.id = l.order_id \
                 WHERE l.course_id = '{course}' ORDER BY o.number, c.seq"
            ))
            .await,
            records,
            notices,
            left,
        }
    }
}
