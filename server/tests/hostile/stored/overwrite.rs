//! Writes hostile text directly into the database, without any check: text that no form accepts today may come from an older version or
//! from the cluster. A new text column needs a line in one of the lists, or the test fails.

use serde_json::{Map, Value, json};
use storage::{
    Database,
    testing::{execute, texts},
};

/// Ends every element that holds plain text, ends every attribute, and then makes elements, with and without scripts.
pub const HOSTILE: &str = "\"'></title></textarea></script></style></noscript></template></select><lectern-probe><meta http-equiv=refresh \
content=0;url=//127.0.0.1:9><form action=/api/people/set-access method=post><button style=position:fixed;inset:0>x</button></form>\
<img src=x onerror=alert(1)>\" lectern-probe=\"1\" x='";

/// Columns of plain text that people, other systems or the cluster write.
const PLAIN: [&str; 42] = [
    "adjustments.reason",
    "announcements.text_en",
    "announcements.text_zh",
    "audit_events.object_label",
    "audit_events.who_label",
    "audit_events.who_name",
    "audit_floods.login",
    "audit_searches.name",
    "course_students.name",
    "course_students.number",
    "courses.code",
    "courses.folded",
    "courses.name",
    "delegations.note",
    "discounts.reason",
    "idempotency_keys.key",
    "identities.issuer",
    "identities.subject",
    "imports.file_name",
    "lab_failures.message",
    "lab_failures.reason",
    "lab_passes.next",
    "lab_passes.reason",
    "lab_places.node",
    "lab_visits.reason",
    "labs.folded",
    "labs.name",
    "node_cards.node",
    "order_decisions.text",
    "orders.folded",
    "orders.purpose",
    "orders.reason",
    "orders.seat",
    "outbox.last_error",
    "reservations.preferred_node",
    "sign_in_attempts.bucket",
    "ssh_keys.name",
    "tenants.name",
    "tokens.name",
    "users.folded",
    "users.login",
    "users.name",
];
/// Columns that hold JSON with such text inside.
const DOCUMENTS: [&str; 22] = [
    "approval_policies.document",
    "approval_policies.draft",
    "approval_policy_versions.document",
    "audit_events.after_json",
    "audit_events.before_json",
    "cluster_status.document",
    "idempotency_keys.answer",
    "import_rows.cells",
    "lab_failures.evidence",
    "lab_observations.document",
    "lab_sizes.spec",
    "labs.failure",
    "labs.offering_name",
    "labs.spec",
    "notifications.notice",
    "offering_versions.document",
    "order_decisions.changes",
    "orders.lab_change",
    "orders.offering_name",
    "orders.parameters",
    "orders.proposal",
    "orders.spec",
];
/// Documents that hold ids and words of Lectern's too, beside typed text.
const MIXED: [&str; 1] = ["orders.ruling"];
/// Names of columns that hold ids, words from a fixed list, hashes, numbers and days: no free text can get in.
const CLOSED: [&str; 45] = [
    "action",
    "address",
    "asked_by",
    "autostop",
    "awaits",
    "barred",
    "by_user",
    "card",
    "cause",
    "chain",
    "chains",
    "changed_by",
    "closed_by",
    "code",
    "created_by",
    "currency",
    "decided_by",
    "digest",
    "ended_by",
    "estimate",
    "from_state",
    "hash",
    "holder",
    "id",
    "kind",
    "level",
    "mended_by",
    "meter",
    "month",
    "namespace",
    "of_month",
    "on_behalf_of",
    "outcome",
    "prev",
    "published_by",
    "quoted",
    "role",
    "scopes",
    "slug",
    "started_by",
    "state",
    "step",
    "to_state",
    "verdict",
    "via",
];
/// The same for single columns. A session holds only its own person's text, a search only names of filters. A kept log is compressed, and
/// is shown as it is; its names are those of Kubernetes.
const CLOSED_HERE: [&str; 26] = [
    "audit_searches.filter",
    "cluster_status.name",
    "courses.budget_thresholds",
    "import_rows.problems",
    "import_rows.result",
    "known_devices.device",
    "lab_logs.body",
    "lab_logs.container",
    "lab_logs.pod_name",
    "lab_logs.pod_uid",
    "lab_logs.problem",
    "lab_passes.origin",
    "lab_ssh_keys.problem",
    "lab_starts.steps",
    "leases.name",
    "order_numbers.name",
    "orders.changes_lab",
    "outbox.subject",
    "secrets.name",
    "secrets.sealed",
    "sessions.data",
    "settings.key",
    "settings.value",
    "ssh_keys.fingerprint",
    "ssh_keys.public_key",
    "ssh_keys_removed.public_key",
];
/// Members of documents that hold typed text. In the audit record and in rows of lists all members do.
const WORDS: [&str; 20] = [
    "absent", "after", "before", "code", "default", "en", "git_url", "image", "login", "message", "name", "object", "owner", "purpose", "reason",
    "stand_in", "text", "unit", "value", "zh",
];

fn replace(value: &mut Value, everything: bool) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(text) if everything || WORDS.contains(&name.as_str()) => *text = format!("{HOSTILE}{text}"),
                    other => replace(other, everything),
                }
            }
            enrich(members);
        }
        Value::Array(items) if everything && items.iter().all(Value::is_string) => items.iter_mut().for_each(|item| *item = json!(HOSTILE)),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, everything)),
        _ => {}
    }
}

/// Adds members that the test data has none of.
fn enrich(members: &mut Map<String, Value>) {
    if let Some(Value::Object(environment)) = members.get_mut("environment") {
        environment.insert("NOTE".into(), json!(HOSTILE));
    }
    if members.contains_key("objects") && members.contains_key("conditions") {
        let event = json!({"at": 1, "warning": true, "reason": HOSTILE, "message": HOSTILE, "object": HOSTILE, "count": 1});
        let condition = json!({"kind": HOSTILE, "status": "unknown", "reason": HOSTILE, "message": HOSTILE, "since": 1});
        members.insert("events".into(), json!([event]));
        members.insert("conditions".into(), json!([condition]));
        members.insert("failure".into(), json!([HOSTILE, HOSTILE]));
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Columns of text, as `table.column`.
async fn columns(db: &Database) -> Vec<String> {
    texts(
        db,
        "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'TEXT' \
         AND m.name NOT LIKE 'audit_words%' AND m.name NOT LIKE '_sqlx%' ORDER BY 1",
    )
    .await
}

/// Overwrites every text column. Only on SQLite: what pages show does not depend on the engine.
pub async fn overwrite(db: &Database) {
    let known = |column: &str, list: &[&str]| list.contains(&column);
    let mut unknown = Vec::new();
    for trigger in ["audit_events_stay", "audit_events_fixed"] {
        execute(db, &format!("DROP TRIGGER {trigger}")).await.expect("the record can be changed");
    }
    for column in columns(db).await {
        let (table, name) = column.split_once('.').expect("a table and a column");
        if known(&column, &PLAIN) {
            let sql = format!("UPDATE {table} SET {name} = {} || rowid WHERE {name} IS NOT NULL", quoted(HOSTILE));
            execute(db, &sql).await.unwrap_or_else(|error| panic!("{column}: {error}"));
        } else if known(&column, &DOCUMENTS) || known(&column, &MIXED) {
            documents(db, table, name).await;
        } else if !is_closed(&column, name) {
            unknown.push(column);
        }
    }
    assert!(unknown.is_empty(), "may these hold text that somebody typed? Add them to a list: {unknown:?}");
    let mut without = Vec::new();
    for column in PLAIN.iter().chain(&DOCUMENTS).chain(&MIXED) {
        let (table, name) = column.split_once('.').expect("a table and a column");
        let with = texts(db, &format!("SELECT {name} FROM {table} WHERE {name} LIKE '%lectern-probe%' LIMIT 1")).await;
        if with.is_empty() && !EMPTY.contains(column) {
            without.push(*column);
        }
    }
    assert!(without.is_empty(), "nothing hostile in {without:?}: the world needs a row there");
}

fn is_closed(column: &str, name: &str) -> bool {
    CLOSED.contains(&name) || CLOSED_HERE.contains(&column) || ["_id", "_hash", "_kind"].iter().any(|end| name.ends_with(end))
}

/// Columns that have no row in the test data, and that no page shows.
const EMPTY: [&str; 5] = ["lab_failures.evidence", "lab_sizes.spec", "outbox.last_error", "sign_in_attempts.bucket", "orders.parameters"];

async fn documents(db: &Database, table: &str, name: &str) {
    let rows = texts(db, &format!("SELECT rowid || ' ' || {name} FROM {table} WHERE {name} IS NOT NULL")).await;
    for row in rows {
        let (number, text) = row.split_once(' ').expect("a number and a document");
        let mut document: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{table}.{name}: {error}"));
        replace(&mut document, matches!(table, "audit_events" | "import_rows"));
        let sql = format!("UPDATE {table} SET {name} = {} WHERE rowid = {number}", quoted(&document.to_string()));
        execute(db, &sql).await.unwrap_or_else(|error| panic!("{table}.{name}: {error}"));
    }
}
