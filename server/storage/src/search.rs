//! Searches names and numbers by parts of words, ignoring case and width (`folded.rs`). Chinese needs no word segmentation: two characters
//! are a part like any other. The newest come first, so that a search with hits ends early on its index.

use domain::{
    ids::{TenantId, UserId},
    people::PersonRef,
    search::{Hit, MOST, WORDS},
    time::Timestamp,
};
use sqlx::{
    Any, AnyConnection,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use crate::{error::Result, pattern::contains, row::Row};

/// Whose labs and orders are looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    All,
    /// The person's own.
    Own(UserId),
    /// The person's own and those of their courses.
    Courses(UserId),
}

/// The words as patterns for LIKE, filled up with one that everything fits.
pub fn patterns(words: &[String]) -> [String; WORDS] {
    std::array::from_fn(|index| words.get(index).map_or_else(|| "%".to_owned(), |word| contains(word)))
}

// The texts of a lab or order together with those of its course and owner, which the statement joins.
macro_rules! hay {
    ($alias:literal) => {
        concat!("(", $alias, ".folded || ' ' || c.folded || ' ' || u.folded)")
    };
}

// `$1` the tenant, `$2` the owner, `$3` whose courses count too, `$4` to `$6` the words, `$7` how many.
macro_rules! with_conditions {
    ($select:literal, $alias:literal) => {
        concat!(
            $select,
            " WHERE ",
            $alias,
            ".tenant_id = $1 AND ($2 IS NULL OR ",
            $alias,
            ".owner_id = $2) AND ($3 IS NULL OR ",
            $alias,
            ".owner_id = $3 OR ",
            $alias,
            ".course_id IN (SELECT m.course_id FROM course_members m WHERE m.user_id = $3)) AND ",
            hay!($alias),
            " LIKE $4 ESCAPE '!' AND ",
            hay!($alias),
            " LIKE $5 ESCAPE '!' AND ",
            hay!($alias),
            " LIKE $6 ESCAPE '!' ORDER BY ",
            $alias,
            ".id DESC LIMIT $7"
        )
    };
}

fn bound<'q>(query: Query<'q, Any, AnyArguments>, tenant: TenantId, visible: Visible, patterns: &[String; WORDS]) -> Query<'q, Any, AnyArguments> {
    let (owner, courses) = match visible {
        Visible::All => (None, None),
        Visible::Own(user) => (Some(user.to_string()), None),
        Visible::Courses(user) => (None, Some(user.to_string())),
    };
    let query = query.bind(tenant.to_string()).bind(owner).bind(courses);
    patterns.iter().fold(query, |query, pattern| query.bind(pattern.clone())).bind(i64::from(MOST))
}

/// Labs that are not destroyed, by name, offering, course or owner.
pub async fn labs(connection: &mut AnyConnection, tenant: TenantId, visible: Visible, patterns: &[String; WORDS]) -> Result<Vec<Hit>> {
    let query = sqlx::query(with_conditions!(
        "SELECT l.id, l.name, l.offering_name, l.state, c.code FROM labs l JOIN courses c ON c.id = l.course_id \
         JOIN users u ON u.id = l.owner_id AND l.state <> 'destroyed'",
        "l"
    ));
    let rows = bound(query, tenant, visible, patterns).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("labs", row);
            Ok(Hit::Lab {
                id: row.parse("id")?,
                name: row.text("name")?,
                offering: row.json("offering_name")?,
                course: row.text("code")?,
                state: row.state("state", domain::labs::LabState::parse)?,
            })
        })
        .collect()
}

/// Orders by number (`#2047` or `2047`), offering, purpose, course or owner.
pub async fn orders(
    connection: &mut AnyConnection,
    tenant: TenantId,
    visible: Visible,
    patterns: &[String; WORDS],
    now: Timestamp,
) -> Result<Vec<Hit>> {
    let query = sqlx::query(with_conditions!(
        "SELECT o.id, o.number, o.offering_name, o.state, o.starts_at, c.code FROM orders o JOIN courses c ON c.id = o.course_id \
         JOIN users u ON u.id = o.owner_id",
        "o"
    ));
    let rows = bound(query, tenant, visible, patterns).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("orders", row);
            Ok(Hit::Order {
                id: row.parse("id")?,
                number: row.integer("number")?,
                offering: row.json("offering_name")?,
                course: row.text("code")?,
                state: row.state("state", domain::orders::OrderState::parse)?,
                ahead: row.optional_timestamp("starts_at")?.is_some_and(|at| at > now),
            })
        })
        .collect()
}

/// Courses by code or name; `member`: only those that this person teaches.
pub async fn courses(connection: &mut AnyConnection, tenant: TenantId, member: Option<UserId>, patterns: &[String; WORDS]) -> Result<Vec<Hit>> {
    let query = sqlx::query(
        "SELECT c.code, c.name FROM courses c WHERE c.tenant_id = $1 \
         AND ($2 IS NULL OR c.id IN (SELECT m.course_id FROM course_members m WHERE m.user_id = $2)) \
         AND c.folded LIKE $3 ESCAPE '!' AND c.folded LIKE $4 ESCAPE '!' AND c.folded LIKE $5 ESCAPE '!' ORDER BY c.code LIMIT $6",
    )
    .bind(tenant.to_string())
    .bind(member.map(|id| id.to_string()));
    let query = patterns.iter().fold(query, |query, pattern| query.bind(pattern.clone())).bind(i64::from(MOST));
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| course(&Row::of("courses", row))).collect()
}

fn course(row: &Row<'_>) -> Result<Hit> {
    Ok(Hit::Course { code: row.text("code")?, name: row.text("name")? })
}

/// People of a tenant by login or name, disabled ones too.
pub async fn people(connection: &mut AnyConnection, tenant: TenantId, patterns: &[String; WORDS]) -> Result<Vec<Hit>> {
    let query = sqlx::query(
        "SELECT u.id, u.login, u.name FROM users u WHERE u.tenant_id = $1 AND u.folded LIKE $2 ESCAPE '!' \
         AND u.folded LIKE $3 ESCAPE '!' AND u.folded LIKE $4 ESCAPE '!' ORDER BY u.login LIMIT $5",
    )
    .bind(tenant.to_string());
    let query = patterns.iter().fold(query, |query, pattern| query.bind(pattern.clone())).bind(i64::from(MOST));
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(person).collect()
}

fn person(row: &AnyRow) -> Result<Hit> {
    let row = Row::of("users", row);
    Ok(Hit::Person { person: PersonRef { id: row.parse("id")?, login: row.text("login")?, name: row.text("name")? } })
}

#[cfg(test)]
mod tests {
    use domain::{catalogue::Localized, labs::LabState, money::Currency, orders::OrderState};

    use super::*;
    use crate::{
        orders::tests::ground::{course, ground, lab, now, order, teacher, tenant},
        testing::{execute, for_each_engine, number, user},
    };

    #[test]
    fn a_word_is_never_a_pattern() {
        assert_eq!(patterns(&["50%_a!".into()]), ["%50!%!_a!!%", "%", "%"]);
    }

    #[tokio::test]
    async fn nothing_is_found_where_there_is_nothing_and_people_by_their_login() {
        for_each_engine("storage::search", |test| async move {
            let mut write = test.database.begin_write().await.expect("a transaction");
            let li = user(&mut write, "Li.Hua").await;
            let tenant = TenantId::from_uuid(li.uuid());
            let find = patterns(&["li.".into()]);
            for visible in [Visible::All, Visible::Own(li), Visible::Courses(li)] {
                assert_eq!(labs(&mut write, tenant, visible, &find).await.expect("read"), []);
                assert_eq!(orders(&mut write, tenant, visible, &find, now()).await.expect("read"), []);
            }
            assert_eq!(courses(&mut write, tenant, Some(li), &find).await.expect("read"), []);
            assert_eq!(people(&mut write, tenant, &find).await.expect("read").len(), 1);
            assert_eq!(people(&mut write, tenant, &patterns(&["%".into()])).await.expect("read"), []);
        })
        .await;
    }

    /// How many people, courses, labs and orders are found by this word.
    async fn found(connection: &mut AnyConnection, word: &str) -> [usize; 4] {
        let find = patterns(&domain::search::words(word));
        [
            people(connection, tenant(), &find).await.expect("read").len(),
            courses(connection, tenant(), None, &find).await.expect("read").len(),
            labs(connection, tenant(), Visible::All, &find).await.expect("read").len(),
            orders(connection, tenant(), Visible::All, &find, now()).await.expect("read").len(),
        ]
    }

    /// A teacher, a course, a lab and its order, with names that databases do not fold.
    async fn names(test: &crate::testing::TestDatabase) {
        let mut write = ground(test).await;
        crate::accounts::users::set_name(&mut write, teacher(), "Анна Österberg").await.expect("renamed");
        crate::courses::set_name(&mut write, course(), "ＡＩ 视觉").await.expect("renamed");
        let mut row = order(1_001, OrderState::Fulfilled);
        row.offering_name = Localized { zh: "深度学习".into(), en: "Ｄeep Learning".into() };
        row.purpose = "Övning".into();
        crate::orders::insert(&mut write, &row).await.expect("an order");
        crate::labs::insert(&mut write, &lab(&row, LabState::Running), Currency::Cny).await.expect("a lab");
        write.commit().await.expect("committed");
    }

    #[tokio::test]
    async fn a_name_is_found_as_it_is_stored_and_in_any_case_and_width() {
        for_each_engine("a_name_is_found_as_it_is_stored", |test| async move {
            names(&test).await;
            let mut connection = test.database.read().await.expect("a connection");
            for word in ["Österberg", "ÖSTERBERG", "österberg", "O\u{308}sterberg", "Анна", "АННА", "ａнна", "Ann"] {
                let everywhere = !["ａнна", "Ann"].contains(&word);
                assert_eq!(found(&mut connection, word).await, if everywhere { [1, 0, 1, 1] } else { [0; 4] }, "{word}");
            }
            for word in ["ＡＩ", "AI", "ai", "视觉"] {
                assert_eq!(found(&mut connection, word).await, [0, 1, 1, 1], "{word}");
            }
            for word in ["Deep", "ｄＥＥＰ", "学习"] {
                assert_eq!(found(&mut connection, word).await, [0, 0, 1, 1], "{word}");
            }
            for (word, hits) in [("övning", [0, 0, 0, 1]), ("ÖVNING", [0, 0, 0, 1]), ("＃１００１", [0, 0, 0, 1]), ("1001", [0, 0, 1, 1])] {
                assert_eq!(found(&mut connection, word).await, hits, "{word}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn an_order_for_a_lesson_to_come_is_told_from_one_that_waits_for_cards() {
        for_each_engine("an_order_for_a_lesson_to_come_is_told_from_one_that_waits_for_cards", |test| async move {
            let mut write = ground(&test).await;
            for (number, starts_at) in [(1_001, None), (1_002, Some(now().plus_minutes(60))), (1_003, Some(now().plus_minutes(-5)))] {
                let mut row = order(number, OrderState::Queued);
                row.starts_at = starts_at;
                crate::orders::insert(&mut write, &row).await.expect("an order");
            }
            write.commit().await.expect("committed");
            let mut connection = test.database.read().await.expect("a connection");
            let hits = orders(&mut connection, tenant(), Visible::All, &patterns(&["100".into()]), now()).await.expect("read");
            let mut ahead: Vec<_> =
                hits.into_iter().filter_map(|hit| if let Hit::Order { number, ahead, .. } = hit { Some((number, ahead)) } else { None }).collect();
            ahead.sort_unstable();
            assert_eq!(ahead, [(1_001, false), (1_002, true), (1_003, false)]);
        })
        .await;
    }

    #[tokio::test]
    async fn how_a_name_is_stored_is_no_part_of_it() {
        for_each_engine("how_a_name_is_stored_is_no_part_of_it", |test| async move {
            names(&test).await;
            let mut connection = test.database.read().await.expect("a connection");
            for word in ["zh", "en\"", "{", "}", ":", "\"", "\\", "%", "_", "!"] {
                assert_eq!(found(&mut connection, word).await, [0; 4], "{word}");
            }
            // No name contains it, until one does.
            assert_eq!(found(&mut connection, "en").await, [0; 4]);
            let mut write = test.database.begin_write().await.expect("a transaction");
            crate::courses::set_name(&mut write, course(), "Enzymes: {zh}").await.expect("renamed");
            write.commit().await.expect("committed");
            for word in ["en", "zh", "{", "}", ":"] {
                assert_eq!(found(&mut connection, word).await, [0, 1, 1, 1], "{word}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn what_an_earlier_version_wrote_is_found_after_a_start() {
        for_each_engine("what_an_earlier_version_wrote_is_found_after_a_start", |test| async move {
            names(&test).await;
            for table in ["users", "courses", "labs", "orders"] {
                execute(&test.database, &format!("UPDATE {table} SET folded = NULL")).await.expect("as before the column was there");
            }
            let mut connection = test.database.read().await.expect("a connection");
            assert_eq!(found(&mut connection, "österberg").await, [0; 4]);
            // What a start does; the second time there is nothing to do.
            for _ in 0..2 {
                test.database.migrate().await.expect("the schema applies");
                assert_eq!(found(&mut connection, "österberg").await, [1, 0, 1, 1]);
                assert_eq!(found(&mut connection, "ai").await, [0, 1, 1, 1]);
                assert_eq!(found(&mut connection, "deep").await, [0, 0, 1, 1]);
            }
            for table in ["users", "courses", "labs", "orders"] {
                assert_eq!(number(&test.database, &format!("SELECT COUNT(*) FROM {table} WHERE folded IS NULL")).await, 0, "{table}");
            }
        })
        .await;
    }
}
