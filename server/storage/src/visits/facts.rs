//! All that decides whether a pass still holds, for many passes in few statements: each takes [`BATCH`] ids, the last one repeated to fill
//! up, so that its text is always the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use domain::{
    access::{Actor, Role, Scope},
    catalogue::{AppAccess, Workload},
    ids::{CourseId, LabId, PassId, ShareId, TenantId, TokenId, UserId},
    labs::{LabState, Observation},
    time::Timestamp,
    visits::{PassEnd, VisitRole},
};
use serde::Deserialize;
use sqlx::{
    Any, AnyConnection,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use crate::{error::Result, row::Row};

/// Most ids of one statement.
pub const BATCH: usize = 32;

macro_rules! batch {
    () => {
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, \
         $29, $30, $31, $32)"
    };
}

macro_rules! facts {
    ($($where:tt)*) => {
        concat!(
            "SELECT p.id, p.tenant_id, p.user_id, p.session_id, p.token_id, p.role, p.reason, p.address, p.ended_at, p.ended_by, p.port, p.created_at, \
             CASE WHEN p.role = 'break_glass' AND EXISTS (SELECT 1 FROM lab_changes c WHERE c.lab_id = p.lab_id AND c.at >= p.created_at \
             AND c.from_state IN ('running', 'stopping', 'stopped', 'failed')) THEN 1 ELSE 0 END AS lab_went_down, \
             t.scopes AS token_scopes, t.expires_at AS token_expires_at, t.revoked_at AS token_revoked_at, \
             p.share_id, h.view_only AS share_view_only, h.ends_at AS share_ends_at, h.withdrawn_at AS share_withdrawn_at, \
             w.disabled_at AS owner_disabled_at, s.data AS session_data, s.expires_at AS session_expires_at, u.disabled_at, u.credentials_version, \
             l.id AS lab_id, l.name AS lab_name, l.namespace, l.course_id, l.owner_id, l.spec, l.state, o.observed_at \
             FROM lab_passes p JOIN users u ON u.id = p.user_id JOIN labs l ON l.id = p.lab_id JOIN users w ON w.id = l.owner_id \
             LEFT JOIN lab_shares h ON h.id = p.share_id \
             LEFT JOIN sessions s ON s.id = p.session_id AND s.user_id = p.user_id LEFT JOIN tokens t ON t.id = p.token_id \
             LEFT JOIN lab_observations o ON o.lab_id = l.id WHERE ",
            $($where)*
        )
    };
}

/// A lab as the door sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabNow {
    pub id: LabId,
    pub name: String,
    pub namespace: String,
    pub course: CourseId,
    pub owner: UserId,
    pub owner_disabled: bool,
    pub workload: Workload,
    /// Port that it answers on.
    pub port: u16,
    /// The way in which its application takes the lab's own secret.
    pub app_access: Option<AppAccess>,
    pub state: LabState,
    /// When the cluster last reported on it.
    pub observed_at: Option<Timestamp>,
}

/// The access token that a pass was made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenNow {
    pub id: TokenId,
    pub scopes: BTreeSet<Scope>,
    pub expires_at: Option<Timestamp>,
    pub revoked: bool,
}

/// The link that a pass was made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareNow {
    pub id: ShareId,
    pub view_only: bool,
    pub ends_at: Timestamp,
    pub withdrawn_at: Option<Timestamp>,
}

/// An entered pass with all that decides whether it holds, but for the person's roles: see [`actors`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub pass: PassId,
    pub tenant: TenantId,
    pub user: UserId,
    /// Empty for a pass of a token.
    pub session: String,
    /// `None` for a pass of a portal session.
    pub token: Option<TokenNow>,
    pub role: VisitRole,
    pub created_at: Timestamp,
    /// Only of a break-glass pass: the lab stopped, failed or was restarted since it was made.
    pub lab_went_down: bool,
    pub reason: Option<String>,
    pub address: Option<String>,
    /// Only with the role of a share.
    pub share: Option<ShareNow>,
    /// The port of the pod that it is for; 0 for the lab's own.
    pub port: u16,
    /// `None` while the pass lasts.
    pub ended: Option<PassEnd>,
    /// JSON data and end of the portal's session; `None` if it is gone.
    pub session_now: Option<(String, Timestamp)>,
    pub disabled: bool,
    pub credentials_version: i64,
    pub lab: LabNow,
}

/// The part of a lab's specification that is needed here.
#[derive(Deserialize)]
struct Spec {
    workload: Workload,
    port: u16,
    #[serde(default)]
    app_access: Option<AppAccess>,
}

fn facts(row: &AnyRow) -> Result<Facts> {
    let row = Row::of("lab_passes", row);
    let ended = match row.optional_text("ended_by")? {
        Some(_) => Some(row.state("ended_by", PassEnd::parse)?),
        None => None,
    };
    let session_now = match row.optional_text("session_data")? {
        Some(data) => Some((data, row.timestamp("session_expires_at")?)),
        None => None,
    };
    let token = match row.optional_parse("token_id")? {
        Some(id) => Some(TokenNow {
            id,
            scopes: row.json("token_scopes")?,
            expires_at: row.optional_timestamp("token_expires_at")?,
            revoked: row.optional_timestamp("token_revoked_at")?.is_some(),
        }),
        None => None,
    };
    let share = match row.optional_parse("share_id")? {
        Some(id) => Some(ShareNow {
            id,
            view_only: row.flag("share_view_only")?,
            ends_at: row.timestamp("share_ends_at")?,
            withdrawn_at: row.optional_timestamp("share_withdrawn_at")?,
        }),
        None => None,
    };
    let spec = row.json::<Spec>("spec")?;
    Ok(Facts {
        pass: row.parse("id")?,
        tenant: row.parse("tenant_id")?,
        user: row.parse("user_id")?,
        session: row.text("session_id")?,
        token,
        role: row.state("role", VisitRole::parse)?,
        created_at: row.timestamp("created_at")?,
        lab_went_down: row.integer("lab_went_down")? == 1,
        reason: row.optional_text("reason")?,
        address: row.optional_text("address")?,
        share,
        port: row.count("port")?,
        ended,
        session_now,
        disabled: row.optional_timestamp("disabled_at")?.is_some(),
        credentials_version: row.integer("credentials_version")?,
        lab: LabNow {
            id: row.parse("lab_id")?,
            name: row.text("lab_name")?,
            namespace: row.text("namespace")?,
            course: row.parse("course_id")?,
            owner: row.parse("owner_id")?,
            owner_disabled: row.optional_timestamp("owner_disabled_at")?.is_some(),
            workload: spec.workload,
            port: spec.port,
            app_access: spec.app_access,
            state: row.state("state", LabState::parse)?,
            observed_at: row.optional_timestamp("observed_at")?,
        },
    })
}

/// The pass with this cookie, whatever became of it. `cookie_hash`: hexadecimal SHA-256.
pub async fn by_cookie(connection: &mut AnyConnection, cookie_hash: &str) -> Result<Option<Facts>> {
    let row = sqlx::query(facts!("p.cookie_hash = $1")).bind(cookie_hash.to_owned()).fetch_optional(connection).await?;
    row.as_ref().map(facts).transpose()
}

/// The pass that lasts of this token to this lab from this address. Newest first, should two requests have made one each.
pub async fn by_token(connection: &mut AnyConnection, token: TokenId, lab: LabId, address: Option<&str>) -> Result<Option<Facts>> {
    let sql = facts!("p.token_id = $1 AND p.lab_id = $2 AND COALESCE(p.address, '') = $3 AND p.ended_at IS NULL ORDER BY p.id DESC LIMIT 1");
    let query = sqlx::query(sql).bind(token.to_string()).bind(lab.to_string()).bind(address.unwrap_or_default().to_owned());
    let row = query.fetch_optional(connection).await?;
    row.as_ref().map(facts).transpose()
}

fn fill<'q, I: Display>(query: Query<'q, Any, AnyArguments>, ids: &[I]) -> Query<'q, Any, AnyArguments> {
    debug_assert!(!ids.is_empty() && ids.len() <= BATCH, "{} ids in a batch", ids.len());
    (0..BATCH).fold(query, |query, at| query.bind(ids.get(at).or(ids.last()).map(ToString::to_string)))
}

/// Those of at most [`BATCH`] passes that are there.
pub async fn of_passes(connection: &mut AnyConnection, ids: &[PassId]) -> Result<Vec<Facts>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    fill(sqlx::query(facts!("p.id IN ", batch!())), ids).fetch_all(connection).await?.iter().map(facts).collect()
}

/// The last observations of at most [`BATCH`] labs.
pub async fn observations(connection: &mut AnyConnection, labs: &[LabId]) -> Result<Vec<(LabId, Observation, Timestamp)>> {
    if labs.is_empty() {
        return Ok(Vec::new());
    }
    let query = sqlx::query(concat!("SELECT lab_id, document, observed_at FROM lab_observations WHERE lab_id IN ", batch!()));
    let rows = fill(query, labs).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("lab_observations", row);
            Ok((row.parse("lab_id")?, row.json("document")?, row.timestamp("observed_at")?))
        })
        .collect()
}

/// At most [`BATCH`] people with all roles and courses that decide what they may do, disabled ones too. One statement.
pub async fn actors(connection: &mut AnyConnection, users: &[UserId]) -> Result<BTreeMap<UserId, Actor>> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = sqlx::query(concat!(
        "SELECT 1 AS part, u.id AS person, u.tenant_id AS place, u.login AS one, u.name AS other FROM users u WHERE u.id IN ",
        batch!(),
        " UNION ALL SELECT 2, r.user_id, r.tenant_id, r.role, NULL FROM user_roles r \
         JOIN users u ON u.id = r.user_id AND u.tenant_id = r.tenant_id WHERE r.user_id IN ",
        batch!(),
        " UNION ALL SELECT 3, r.user_id, r.tenant_id, r.role, c.id FROM user_roles r \
         JOIN tenants d ON d.id = r.tenant_id AND d.parent_id IS NOT NULL LEFT JOIN courses c ON c.department_id = d.id WHERE r.user_id IN ",
        batch!(),
        " UNION ALL SELECT 4, m.user_id, c.department_id, m.course_id, NULL FROM course_members m JOIN courses c ON c.id = m.course_id \
         WHERE m.user_id IN ",
        batch!(),
        " ORDER BY part"
    ));
    let rows = fill(query, users).fetch_all(connection).await?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let row = Row::of("users", row);
        let user: UserId = row.parse("person")?;
        // The person's own row comes first.
        let actor = found.entry(user).or_insert_with(|| nobody(user));
        match row.integer("part")? {
            1 => {
                actor.tenant = row.parse("place")?;
                (actor.login, actor.name) = (row.text("one")?, row.text("other")?);
            }
            2 => _ = actor.roles.insert(row.state("one", Role::parse)?),
            3 => {
                actor.departments.insert(row.parse("place")?);
                // A department without courses still gives the role.
                actor.department_roles.entry(row.state("one", Role::parse)?).or_default().extend(row.optional_parse::<CourseId>("other")?);
            }
            _ => {
                actor.departments.extend(row.optional_parse::<TenantId>("place")?);
                actor.courses.insert(row.parse("one")?);
            }
        }
    }
    Ok(found)
}

/// Somebody of whom nothing is known yet.
fn nobody(user: UserId) -> Actor {
    Actor {
        user,
        login: String::new(),
        name: String::new(),
        tenant: TenantId::from_uuid(user.uuid()),
        roles: BTreeSet::new(),
        department_roles: BTreeMap::new(),
        departments: BTreeSet::new(),
        courses: BTreeSet::new(),
        scopes: None,
    }
}
