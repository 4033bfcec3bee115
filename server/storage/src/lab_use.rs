//! The last real use of labs, one row each. Which labs are unused is in `labs::unused`.

use domain::{
    ids::{LabId, UserId},
    time::Timestamp,
    visits::UseKind,
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// A use, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    pub at: Timestamp,
    pub kind: UseKind,
    /// `None` for what no person did.
    pub user: Option<UserId>,
}

/// Stores the use, unless a later one is stored.
pub async fn put(connection: &mut AnyConnection, lab: LabId, last: Use) -> Result<()> {
    sqlx::query(
        "INSERT INTO lab_use (lab_id, last_used_at, kind, user_id) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (lab_id) DO UPDATE SET last_used_at = excluded.last_used_at, kind = excluded.kind, user_id = excluded.user_id \
         WHERE lab_use.last_used_at < excluded.last_used_at",
    )
    .bind(lab.to_string())
    .bind(last.at.micros())
    .bind(last.kind.as_str())
    .bind(last.user.map(|user| user.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

/// `None` for a lab that was never used.
pub async fn last(connection: &mut AnyConnection, lab: LabId) -> Result<Option<Use>> {
    let row =
        sqlx::query("SELECT last_used_at, kind, user_id FROM lab_use WHERE lab_id = $1").bind(lab.to_string()).fetch_optional(connection).await?;
    row.map(|row| {
        let row = Row::of("lab_use", &row);
        Ok(Use { at: row.timestamp("last_used_at")?, kind: row.state("kind", UseKind::parse)?, user: row.optional_parse("user_id")? })
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use domain::{labs::LabState, money::Currency, orders::OrderState};

    use super::*;
    use crate::{
        labs,
        orders::{
            self,
            tests::ground::{ground, lab, now, order, teacher},
        },
        testing::for_each_engine,
    };

    #[tokio::test]
    async fn an_earlier_use_does_not_replace_a_later_one() {
        for_each_engine("storage::lab_use", |test| async move {
            let mut write = ground(&test).await;
            let order = order(1, OrderState::Approved);
            orders::insert(&mut write, &order).await.expect("an order");
            let lab = lab(&order, LabState::Running);
            labs::insert(&mut write, &lab, Currency::Cny).await.expect("a lab");
            assert_eq!(last(&mut write, lab.id).await.expect("read"), None);
            let cell = Use { at: now().plus_seconds(10), kind: UseKind::Cell, user: Some(teacher()) };
            let kernel = Use { at: now().plus_seconds(20), kind: UseKind::Kernel, user: None };
            for (stored, expected) in [(cell, cell), (Use { at: now(), ..kernel }, cell), (kernel, kernel), (kernel, kernel)] {
                put(&mut write, lab.id, stored).await.expect("stored");
                assert_eq!(last(&mut write, lab.id).await.expect("read"), Some(expected));
            }
            // It is used since it became ready at the earliest.
            let later = now().plus_minutes(60);
            labs::change(lab.id, Some(LabState::Starting), LabState::Running, now().plus_seconds(15), "ready", None)
                .run(&mut write)
                .await
                .expect("a change");
            assert!(labs::unused(&mut write, now().plus_seconds(19), None, 10).await.expect("read").is_empty());
            assert!(labs::warn(&mut write, lab.id, labs::IDLE_WARNING, later, now()).await.expect("a warning"));
            let found = labs::unused(&mut write, now().plus_seconds(20), None, 10).await.expect("read");
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].lab.id, found[0].since, found[0].warned), (lab.id, kernel.at, Some(later)));
            assert!(labs::unused(&mut write, later, Some(lab.id), 10).await.expect("read").is_empty());
        })
        .await;
    }
}
