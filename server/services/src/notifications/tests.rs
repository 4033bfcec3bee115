use domain::{ids::LabId, notifications::Notice, time::Timestamp};
use storage::testing::for_each_engine;
use uuid::Uuid;

use super::notify;
use crate::{hub::News, testing::TestWorld};

#[tokio::test]
async fn a_person_is_told_the_same_once_and_open_pages_hear_of_it() {
    for_each_engine("a_person_is_told_the_same_once_and_open_pages_hear_of_it", async |database| {
        let world = TestWorld::college_on(database).await;
        let li = world.person("li.hua").add().await.actor.user;
        let notice = Notice::LabFailed { lab: LabId::from_uuid(Uuid::from_u128(1)), name: "lab-1".into(), at: Timestamp::from_seconds(1) };
        let mut listening = world.services.hub.listen();
        for times in 0..2 {
            let mut write = world.services.db.begin_write().await.expect("a transaction");
            let told = notify(&world.services, &mut write, &[li].into(), &notice).await.expect("told");
            write.commit().await.expect("committed");
            told.tell(&world.services);
            let heard = listening.try_recv().ok();
            assert_eq!(heard, (times == 0).then_some(News::Notice(li)), "time {times}");
        }
        let mut connection = world.services.db.read().await.expect("a connection");
        assert_eq!(storage::notifications::latest(&mut connection, li, 10).await.expect("read").len(), 1);
    })
    .await;
}
