use super::{delete, get, set};
use crate::testing::for_each_engine;

#[tokio::test]
async fn a_setting_grows_a_version_with_every_change() {
    for_each_engine("a_setting_grows_a_version_with_every_change", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        assert_eq!(get::<String>(&mut write, "motto").await.expect("read"), None);
        assert_eq!(set(&mut write, "motto", &"学而时习之".to_owned()).await.expect("set"), 1);
        assert_eq!(set(&mut write, "motto", &"x".to_owned()).await.expect("set"), 2);
        assert_eq!(get::<String>(&mut write, "motto").await.expect("read"), Some(("x".into(), 2)));
        let error = get::<i64>(&mut write, "motto").await.expect_err("not a number");
        assert!(error.to_string().contains("settings.value"), "{error}");
        delete(&mut write, "motto").await.expect("deleted");
        assert_eq!(get::<String>(&mut write, "motto").await.expect("read"), None);
    })
    .await;
}
