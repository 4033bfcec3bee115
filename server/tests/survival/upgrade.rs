//! A data folder from an earlier version can be opened and used. `schema_0028` was made at schema step 28 by the version of that time: five
//! orders of a teacher (one waits for approval), four labs that were running when the server stopped, an offering with a password in its
//! environment, a roster that spells a student's number twice, an invitation for a login in full-width digits.

use std::{fs, path::Path};

use reqwest::Client;
use serde_json::Value;
use storage::{Database, testing::texts};

use crate::process::Place;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/survival/schema_0028");

/// Columns with copies of an offering's environment. The sealed audit record has one too, but cannot be changed.
const DOCUMENTS: [(&str, &str); 5] =
    [("offering_versions", "document"), ("orders", "spec"), ("labs", "spec"), ("lab_sizes", "spec"), ("idempotency_keys", "answer")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_of_schema_28_opens_and_its_work_goes_on() {
    let place = Place::in_its_folder(|data| copy(Path::new(FOLDER), data));
    // Twice: the first start upgrades the folder, the second one finds it upgraded.
    for _ in 0..2 {
        let running = place.start().await;
        let teacher = token(&place, "teacher", &["orders:read", "orders:write", "labs:read", "offerings:read", "quotas:read", "usage:read"]);
        let administrator = token(&place, "administrator", &["admin", "quotas:read"]);

        let orders = get(&place, &teacher, "/orders").await;
        let mut numbers: Vec<_> = items(&orders).iter().map(|order| order["number"].as_i64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1001, 1002, 1003, 1004, 1005]);
        let people = get(&place, &administrator, "/people").await;
        assert!(items(&people).len() >= 7, "{people}");
        let course = items(&get(&place, &administrator, "/courses").await).iter().find(|course| course["code"] == "AI2301").unwrap()["id"].clone();
        let roster = get(&place, &teacher, &format!("/courses/{}/roster", course.as_str().unwrap())).await;
        assert!(roster["students"].as_array().unwrap().iter().any(|student| student["name"] == "Österberg"), "{roster}");

        // The time of all four labs, ninety minutes, was over long ago: they are stopped.
        until_no_lab_runs(&place, &teacher).await;

        // The password of an offering was stored unencrypted: it is encrypted now, and the log says which one to replace.
        let mut seen = place.log();
        assert!(seen.contains("DATABASE_PASSWORD of the offering"), "{seen}");
        for path in ["/labs", "/orders", "/offerings"] {
            seen.push_str(&get(&place, &teacher, path).await.to_string());
        }
        let db = Database::open(&format!("sqlite:{}", place.data().join("lectern.db").display())).await.unwrap();
        for (table, column) in DOCUMENTS {
            seen.push_str(&texts(&db, &format!("SELECT COALESCE({column}, '') FROM {table}")).await.concat());
        }
        db.close().await;
        assert!(seen.contains("DATABASE_PASSWORD") && !seen.contains("kept-in-clear-until-now"), "shown or stored in clear");

        let verified = place.run(&["audit", "verify"]);
        assert!(verified.status.success(), "{}{}", String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
        running.stop(&place);
    }
}

async fn until_no_lab_runs(place: &Place, token: &str) {
    let mut seen = Value::Null;
    for _ in 0..300 {
        seen = get(place, token, "/labs").await;
        if items(&seen).iter().all(|lab| matches!(lab["state"].as_str(), Some("stopped" | "destroyed"))) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("labs whose time is over still run: {seen}");
}

async fn get(place: &Place, token: &str, path: &str) -> Value {
    let answer = Client::new().get(place.url(&format!("/api/v1{path}"))).bearer_auth(token).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

fn items(list: &Value) -> &Vec<Value> {
    list["items"].as_array().unwrap()
}

fn token(place: &Place, login: &str, scopes: &[&str]) -> String {
    let mut words = vec!["token", "create", "--user", login];
    for scope in scopes {
        words.extend(["--scope", scope]);
    }
    let made = place.run(&words);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
