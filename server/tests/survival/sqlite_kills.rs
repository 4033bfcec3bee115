//! SQLite, and a process that is killed at random moments while teachers work: the file stays whole, nothing that was acknowledged is
//! missing, nothing is there twice, and in the end nothing is left in the cluster. 20 kills take a minute; `LECTERN_KILLS=200` for more.

use std::{fs, path::Path, time::Duration};

use storage::{
    Database,
    testing::{TestDatabase, execute, number, texts},
};
use tokio_util::sync::CancellationToken;

use crate::{
    aftermath,
    chance::{Chance, seed},
    college::College,
    process::Place,
    teacher::{Teacher, all_at_work},
};

const TEACHERS: usize = 6;
/// Longest life of a process in milliseconds. Background work begins after about one second.
const LIFE: u64 = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_sqlite_that_is_killed_at_random_loses_and_doubles_nothing() {
    let kills = std::env::var("LECTERN_KILLS").map_or(20, |text| text.parse().expect("LECTERN_KILLS is a number"));
    let seed = seed("sqlite_kills");
    let college = College::with_teachers(TestDatabase::sqlite().await, TEACHERS).await;
    let url = college.world.url().to_owned();
    let place = Place::on(&url);
    let mut teachers = Teacher::all(&place, &college, seed);
    // Nobody else has the file open: the server that comes next has to mend what the dead one left.
    college.world.services.db.close().await;
    let mut chance = Chance::of(seed, 1_000);

    for kill in 1..=kills {
        // One in ten dies before it serves.
        if chance.percent(10) {
            let running = place.spawn();
            tokio::time::sleep(Duration::from_millis(chance.below(800))).await;
            running.kill();
        } else {
            let running = place.start().await;
            free_lease(&url).await;
            let working = all_at_work(teachers, &CancellationToken::new());
            tokio::time::sleep(Duration::from_millis(chance.below(LIFE))).await;
            running.kill();
            teachers = working.ended().await;
        }
        check(&url, &teachers, &format!("after kill {kill}")).await;
    }

    let running = place.start().await;
    let database = Database::open(&url).await.unwrap();
    aftermath::clear_up(&place, &database, &mut teachers).await;
    running.stop(&place);
    aftermath::check(&database, &teachers, "in the end").await;
    let told = aftermath::audit(&place, &college, database, &teachers).await;
    eprintln!("sqlite_kills: {kills} kills, {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "acknowledged and lost")]
async fn a_file_that_forgot_the_last_changes_is_noticed() {
    let college = College::with_teachers(TestDatabase::sqlite().await, 1).await;
    let url = college.world.url().to_owned();
    let place = Place::on(&url);
    let teachers = Teacher::all(&place, &college, 1);
    college.world.services.db.close().await;
    let before = fs::read(url.strip_prefix("sqlite:").unwrap()).unwrap();
    let running = place.start().await;
    let enough = CancellationToken::new();
    let working = all_at_work(teachers, &enough);
    tokio::time::sleep(Duration::from_secs(2)).await;
    enough.cancel();
    let teachers = working.ended().await;
    running.kill();
    fs::remove_file(format!("{}-wal", url.strip_prefix("sqlite:").unwrap())).unwrap();
    fs::write(url.strip_prefix("sqlite:").unwrap(), before).unwrap();
    check(&url, &teachers, "after the file went back in time").await;
}

/// The dead server's lease ends now. Waiting for its end would be six seconds for each kill without any background work.
async fn free_lease(url: &str) {
    let database = Database::open(url).await.unwrap();
    execute(&database, "UPDATE leases SET expires_at = 0").await.unwrap();
    database.close().await;
}

/// Looks at a copy, so that the file itself stays as the dead process left it.
async fn check(url: &str, teachers: &[Teacher], when: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (from, copy) = (url.strip_prefix("sqlite:").unwrap(), folder.path().join("copy.db"));
    for suffix in ["", "-wal"] {
        let (from, to) = (format!("{from}{suffix}"), format!("{}{suffix}", copy.display()));
        if Path::new(&from).exists() {
            fs::copy(from, to).unwrap();
        }
    }
    let database = Database::open(&format!("sqlite:{}", copy.display())).await.unwrap();
    assert_eq!(texts(&database, "SELECT CAST(integrity_check AS TEXT) FROM pragma_integrity_check").await, ["ok"], "{when}");
    assert_eq!(number(&database, "SELECT COUNT(*) FROM pragma_foreign_key_check").await, 0, "{when}");
    aftermath::check(&database, teachers, when).await;
    database.close().await;
}
