//! Searching names and numbers by parts of words, blind to case. Chinese needs no cutting: two characters are a part like any other.
//! The newest come first, so that a search with hits ends early on its index.

use domain::{
    ids::{TenantId, UserId},
    people::PersonRef,
    search::{Hit, MOST, WORDS},
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

// `$1` the tenant, `$2` the owner, `$3` whose courses count too, `$4` to `$6` the words, `$7` how many.
macro_rules! with_conditions {
    ($select:literal, $hay:literal, $alias:literal) => {
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
            ".course_id IN (SELECT m.course_id FROM course_members m WHERE m.user_id = $3)) AND lower(",
            $hay,
            ") LIKE $4 ESCAPE '!' AND lower(",
            $hay,
            ") LIKE $5 ESCAPE '!' AND lower(",
            $hay,
            ") LIKE $6 ESCAPE '!' ORDER BY ",
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
        "l.name || ' ' || l.offering_name || ' ' || c.code || ' ' || c.name || ' ' || u.login || ' ' || u.name",
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
pub async fn orders(connection: &mut AnyConnection, tenant: TenantId, visible: Visible, patterns: &[String; WORDS]) -> Result<Vec<Hit>> {
    let query = sqlx::query(with_conditions!(
        "SELECT o.id, o.number, o.offering_name, o.state, c.code FROM orders o JOIN courses c ON c.id = o.course_id \
         JOIN users u ON u.id = o.owner_id",
        "'#' || CAST(o.number AS TEXT) || ' ' || o.offering_name || ' ' || o.purpose || ' ' || c.code || ' ' || c.name || ' ' || u.login || ' ' || u.name",
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
            })
        })
        .collect()
}

/// Courses by code or name; `member`: only those that this person teaches.
pub async fn courses(connection: &mut AnyConnection, tenant: TenantId, member: Option<UserId>, patterns: &[String; WORDS]) -> Result<Vec<Hit>> {
    let query = sqlx::query(
        "SELECT c.code, c.name FROM courses c WHERE c.tenant_id = $1 \
         AND ($2 IS NULL OR c.id IN (SELECT m.course_id FROM course_members m WHERE m.user_id = $2)) \
         AND lower(c.code || ' ' || c.name) LIKE $3 ESCAPE '!' AND lower(c.code || ' ' || c.name) LIKE $4 ESCAPE '!' \
         AND lower(c.code || ' ' || c.name) LIKE $5 ESCAPE '!' ORDER BY c.code LIMIT $6",
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
        "SELECT u.id, u.login, u.name FROM users u WHERE u.tenant_id = $1 AND lower(u.login || ' ' || u.name) LIKE $2 ESCAPE '!' \
         AND lower(u.login || ' ' || u.name) LIKE $3 ESCAPE '!' AND lower(u.login || ' ' || u.name) LIKE $4 ESCAPE '!' ORDER BY u.login LIMIT $5",
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
    use super::*;
    use crate::testing::{for_each_engine, user};

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
                assert_eq!(orders(&mut write, tenant, visible, &find).await.expect("read"), []);
            }
            assert_eq!(courses(&mut write, tenant, Some(li), &find).await.expect("read"), []);
            assert_eq!(people(&mut write, tenant, &find).await.expect("read").len(), 1);
            assert_eq!(people(&mut write, tenant, &patterns(&["%".into()])).await.expect("read"), []);
        })
        .await;
    }
}
