//! A college to measure with: courses and teachers come by lists over the API, as an administrator brings them. Only the sessions are
//! written into the database directly, since signing in is slow on purpose and limited by address.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, ensure};
use domain::{ids::UserId, time::Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use storage::Database;

use crate::portal::{Api, text};

/// A teacher who is signed in.
#[derive(Debug, Clone)]
pub struct Teacher {
    pub login: String,
    /// Code of the one course.
    pub course: String,
    /// `lectern=…`
    pub cookie: String,
}

/// Makes `number` teachers in courses of at most `in_course`, each with quota and budget enough for a slice for everybody.
pub async fn teachers(api: &Api, database: &str, number: usize, in_course: usize) -> Result<Vec<Teacher>> {
    let course = |teacher: usize| format!("BENCH{:03}", teacher / in_course);
    let mut courses = String::from("course code,name,budget,cards\n");
    for at in 0..number.div_ceil(in_course) {
        let _ = writeln!(courses, "{},Bench {at},1000000,12", course(at * in_course));
    }
    import(api, "courses", &courses).await?;
    let mut people = String::from("account,name,roles,courses\n");
    for at in 0..number {
        let _ = writeln!(people, "bench{at:04},Bench teacher {at},teacher,{}", course(at));
    }
    import(api, "people", &people).await?;

    let database = Database::open(database).await?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let until = Timestamp::from_seconds(i64::try_from(now.as_secs())?).plus_minutes(11 * 60);
    let mut made = Vec::new();
    for person in api.all("/people").await? {
        let login = text(&person, "login")?;
        let Some(at) = login.strip_prefix("bench").and_then(|at| at.parse().ok()) else { continue };
        let user: UserId = text(&person, "id")?.parse().ok().context("an id")?;
        made.push(Teacher { login: login.to_owned(), course: course(at), cookie: session(&database, user, until).await? });
    }
    database.close().await;
    ensure!(made.len() == number, "{} of {number} teachers are there", made.len());
    Ok(made)
}

/// The cookie of a new session: 128 bits as tower-sessions writes them. The table has their SHA-256.
async fn session(database: &Database, user: UserId, until: Timestamp) -> Result<String> {
    let id = base64(uuid::Uuid::new_v4().as_bytes());
    let hash = Sha256::digest(&id).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let data = json!({"user": user.to_string(), "credentials_version": 1}).to_string();
    let mut write = database.begin_write().await?;
    ensure!(storage::sessions::create(&mut write, &hash, Some(user), &data, until).await?, "the session is new");
    write.commit().await?;
    Ok(format!("lectern={id}"))
}

/// For URLs, without padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        text.extend((0..=chunk.len()).map(|at| char::from(ALPHABET[(group >> (18 - 6 * at)) as usize & 63])));
    }
    text
}

/// Rows of one import; more than a thousand are refused.
const ROWS: usize = 500;

/// Has a list with a header taken over, in parts.
async fn import(api: &Api, kind: &str, list: &str) -> Result<()> {
    let (header, rows) = list.split_once('\n').unwrap_or((list, ""));
    let rows: Vec<&str> = rows.lines().collect();
    for part in rows.chunks(ROWS) {
        import_part(api, kind, &format!("{header}\n{}\n", part.join("\n"))).await?;
    }
    Ok(())
}

/// Has it taken over and waits for its end.
async fn import_part(api: &Api, kind: &str, list: &str) -> Result<()> {
    let looked_at = api.post("/imports", &json!({"kind": kind, "list": list, "file_name": "bench.csv"})).await?;
    ensure!(looked_at["rows"]["error"] == 0, "the list of {kind} has errors: {looked_at}");
    let path = format!("/imports/{}", text(&looked_at, "id")?);
    api.post(&format!("{path}/start"), &json!({})).await?;
    for _ in 0..1_200 {
        let import = api.get(&path).await?;
        if import["state"] == "done" {
            ensure!(import["rows"]["done"] == import["rows"]["new"], "not all rows were taken: {import}");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the list of {kind} is not taken over after a minute")
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_for_urls_has_no_padding() {
        assert_eq!([&b"a"[..], b"ab", b"abc", &[0xfb, 0xff]].map(super::base64), ["YQ", "YWI", "YWJj", "-_8"]);
    }
}
