use domain::time::Timestamp;

use super::{create, delete, delete_of_user, delete_others, delete_own, load, of_user, save, sweep};
use crate::testing::{for_each_engine, user};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[tokio::test]
async fn a_session_is_there_until_it_is_over_or_deleted() {
    for_each_engine("a_session_is_there_until_it_is_over_or_deleted", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let until = NOW.plus_seconds(10);
        assert!(create(&mut write, "a", None, "{}", until).await.expect("made"));
        assert!(!create(&mut write, "a", None, "{\"stolen\":1}", until).await.expect("asked"), "an id is taken once");
        assert_eq!(load(&mut write, "a", NOW).await.expect("read"), Some(("{}".into(), until)));
        save(&mut write, "a", None, "{\"b\":1}", until.plus_seconds(1)).await.expect("saved");
        assert_eq!(load(&mut write, "a", until).await.expect("read"), Some(("{\"b\":1}".into(), until.plus_seconds(1))));
        assert_eq!(load(&mut write, "a", until.plus_seconds(1)).await.expect("read"), None, "over");
        assert_eq!(load(&mut write, "b", NOW).await.expect("read"), None);
        save(&mut write, "b", None, "{}", NOW.plus_seconds(100)).await.expect("saved");
        assert_eq!(sweep(&mut write, NOW.plus_seconds(50)).await.expect("swept"), 1);
        assert!(load(&mut write, "b", NOW).await.expect("read").is_some());
        assert_eq!(delete(&mut write, "b").await.expect("deleted"), None, "nobody's");
        assert_eq!(load(&mut write, "b", NOW).await.expect("read"), None);
    })
    .await;
}

#[tokio::test]
async fn all_sessions_of_a_person_end_and_nobody_elses() {
    for_each_engine("all_sessions_of_a_person_end_and_nobody_elses", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let (li, wang) = (user(&mut write, "li.hua").await, user(&mut write, "wang").await);
        for (id, user) in [("a", li), ("b", li), ("c", wang)] {
            save(&mut write, id, Some(user), "{}", NOW).await.expect("saved");
        }
        save(&mut write, "d", Some(li), "{}", NOW).await.expect("saved");
        save(&mut write, "e", Some(wang), "{}", NOW).await.expect("saved");
        assert_eq!(delete(&mut write, "e").await.expect("deleted"), Some(wang));
        assert_eq!(delete(&mut write, "e").await.expect("gone"), None);
        let before = NOW.plus_seconds(-1);
        assert_eq!(of_user(&mut write, li, before).await.expect("read").len(), 3);
        assert_eq!(of_user(&mut write, li, NOW).await.expect("read").len(), 0, "over");
        assert!(!delete_own(&mut write, li, "c").await.expect("asked"), "somebody else's");
        assert!(delete_own(&mut write, li, "d").await.expect("deleted"));
        assert_eq!(delete_others(&mut write, li, "a").await.expect("deleted"), 1);
        assert_eq!(of_user(&mut write, li, before).await.expect("read")[0].0, "a");
        assert_eq!(delete_of_user(&mut write, li).await.expect("deleted"), 1);
        assert!(load(&mut write, "c", NOW.plus_seconds(-1)).await.expect("read").is_some());
    })
    .await;
}
