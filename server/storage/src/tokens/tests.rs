use domain::{access::Scope, ids::TokenId, time::Timestamp, tokens::TokenView};
use uuid::Uuid;

use super::{Token, by_id, by_secret_hash, insert, of_user, revoke, revoke_all, used};
use crate::testing::{for_each_engine, user};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[tokio::test]
async fn a_token_lives_from_making_to_revoking() {
    for_each_engine("a_token_lives_from_making_to_revoking", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let li = user(&mut write, "li.hua").await;
        let token = |number: u128| {
            let view = TokenView {
                id: TokenId::from_uuid(Uuid::from_u128(number)),
                name: "脚本".into(),
                scopes: [Scope::OrdersRead, Scope::Admin].into(),
                created_at: NOW,
                expires_at: (number == 2).then_some(NOW),
                last_used_at: None,
                revoked_at: None,
            };
            Token { user: li, view }
        };
        let (one, two, three) = (token(1), token(2), token(3));
        for (token, hash) in [(&one, "hash1"), (&two, "hash2"), (&three, "hash3")] {
            insert(&mut write, token, hash).await.expect("made");
        }
        assert_eq!(by_secret_hash(&mut write, "hash2").await.expect("read"), Some(two.clone()));
        assert_eq!(by_secret_hash(&mut write, "hash").await.expect("read"), None);
        assert_eq!(of_user(&mut write, li).await.expect("read"), [three.clone(), two, one.clone()]);

        let last_used = async |write: &mut crate::Write| by_id(write, one.view.id).await.expect("read").expect("there").view.last_used_at;
        used(&mut write, one.view.id, NOW, NOW.plus_seconds(-60)).await.expect("noted");
        assert_eq!(last_used(&mut write).await, Some(NOW));
        used(&mut write, one.view.id, NOW.plus_seconds(30), NOW.plus_seconds(-30)).await.expect("asked");
        assert_eq!(last_used(&mut write).await, Some(NOW), "noted a moment ago");
        used(&mut write, one.view.id, NOW.plus_seconds(60), NOW).await.expect("noted");
        assert_eq!(last_used(&mut write).await, Some(NOW.plus_seconds(60)));

        assert!(revoke(&mut write, one.view.id, NOW).await.expect("revoked"));
        assert!(!revoke(&mut write, one.view.id, NOW.plus_seconds(9)).await.expect("asked"));
        assert_eq!(by_id(&mut write, one.view.id).await.expect("read").expect("there").view.revoked_at, Some(NOW));
        assert_eq!(revoke_all(&mut write, li, NOW).await.expect("revoked"), 2);
        assert_eq!(by_id(&mut write, three.view.id).await.expect("read").expect("there").view.revoked_at, Some(NOW));
    })
    .await;
}
