//! Sums of money that cannot overflow, even with damaged rows.

/// The sum of an expression in micro-units, as SQL; `NULL` over no rows. Beyond a million million units it is capped, so that a page shows
/// a wrong figure instead of an error. Units and millionths are summed separately: SQLite refuses a sum beyond 64 bits, and PostgreSQL the
/// cast of one.
macro_rules! micros_sum {
    ($micros:literal) => {
        concat!(
            "CAST(CASE WHEN SUM((",
            $micros,
            ") / 1000000) > 1000000000000 THEN 1000000000000000000 WHEN SUM((",
            $micros,
            ") / 1000000) < -1000000000000 THEN -1000000000000000000 ELSE SUM((",
            $micros,
            ") / 1000000) * 1000000 + SUM((",
            $micros,
            ") % 1000000) END AS BIGINT)"
        )
    };
}

/// What counts in the budget of the course `c`, as SQL: what its labs have cost (`$labs`, by their own sums), or with a term of its own
/// what was used from its beginning on, and credits and charges. Corrections of closed months are in the labs' own cost, but in no usage of
/// a term. Quotas, orders and bills read this one sum.
macro_rules! budget_spent {
    ($labs:literal) => {
        concat!(
            "CASE WHEN c.budget_from IS NULL THEN COALESCE(",
            $labs,
            ", 0) ELSE COALESCE((SELECT ",
            micros_sum!("bu.amount_micros"),
            " FROM usage_records bu WHERE bu.course_id = c.id AND bu.from_at >= c.budget_from), 0) END + COALESCE((SELECT ",
            micros_sum!("ba.amount_micros"),
            " FROM adjustments ba WHERE ba.course_id = c.id AND (c.budget_from IS NULL AND ba.kind <> 'correction' \
               OR ba.created_at >= c.budget_from)), 0)"
        )
    };
}

#[cfg(test)]
mod tests {
    use crate::{row::Row, testing::for_each_engine};

    #[tokio::test]
    async fn a_sum_is_exact_and_stands_still_where_it_would_overflow() {
        for_each_engine("a_sum_is_exact_and_stands_still_where_it_would_overflow", |test| async move {
            let mut read = test.database.read().await.expect("a connection");
            for (one, two, sum) in [
                (1_500_000, 2_600_001, 4_100_001),
                (-1_500_000, 600_001, -899_999),
                (i64::MAX, i64::MAX, 1_000_000_000_000_000_000),
                (i64::MIN, i64::MIN, -1_000_000_000_000_000_000),
                (i64::MAX, -i64::MAX, 0),
            ] {
                let sql = concat!(
                    "SELECT ",
                    micros_sum!("x.micros"),
                    " AS amount FROM (SELECT CAST($1 AS BIGINT) AS micros UNION ALL SELECT CAST($2 AS BIGINT) AS micros) x"
                );
                let row = sqlx::query(sql).bind(one).bind(two).fetch_one(&mut *read).await.expect("a sum");
                assert_eq!(Row::of("x", &row).integer("amount").expect("an integer"), sum, "{one} {two}");
            }
        })
        .await;
    }
}
