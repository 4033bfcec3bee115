use domain::{
    Problem,
    error::FieldError,
    ids::ImportId,
    imports::{Cells, Counts, Import, ImportKind, ImportRow, ImportState, RowResult, Verdict},
    people::PersonRef,
    time::Timestamp,
};
use uuid::Uuid;

use super::{by_id, finish_row, insert, insert_rows, list, rows, running, set_row, set_state, start, take_links, unlinked, waiting};
use crate::{
    accounts::users,
    testing::{for_each_engine, user},
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn row(number: u32, verdict: Verdict) -> ImportRow {
    ImportRow { number, cells: Cells::from([("login".into(), format!("p{number}"))]), verdict, problems: vec![], result: None, changes: vec![] }
}

#[tokio::test]
async fn a_list_and_its_rows_come_back_and_are_counted() {
    for_each_engine("a_list_and_its_rows_come_back_and_are_counted", async |test| {
        let mut write = test.database.begin_write().await.expect("a transaction");
        let li = user(&mut write, "li").await;
        let tenant = users::by_id(&mut write, li).await.expect("read").expect("there").tenant;
        let id = ImportId::from_uuid(Uuid::from_u128(1));
        let import = Import {
            id,
            kind: ImportKind::People,
            file_name: "名单.csv".into(),
            state: ImportState::Preview,
            by: PersonRef { id: li, login: "li".into(), name: "li".into() },
            created_at: NOW,
            finished_at: None,
            links_at: None,
            counts: Counts::default(),
        };
        insert(&mut write, tenant, &import).await.expect("a list");
        let mut all: Vec<_> = (1..=203).map(|number| row(number, Verdict::New)).collect();
        all[1].verdict = Verdict::Error;
        all[1].problems = vec![FieldError { field: "name".into(), problem: Problem::Missing }];
        all[2].verdict = Verdict::Unchanged;
        insert_rows(&mut write, id, &all).await.expect("rows");
        let stored = by_id(&mut write, id).await.expect("read").expect("there");
        let counts = Counts { new: 201, change: 0, unchanged: 1, error: 1, done: 0, failed: 0 };
        assert_eq!((stored.tenant, stored.import, stored.started_by), (tenant, Import { counts, ..import.clone() }, None));
        assert_eq!(rows(&mut write, id, None, 0, 2).await.expect("read"), all[..2]);
        assert_eq!(rows(&mut write, id, Some(Verdict::Error), 0, 9).await.expect("read"), all[1..2]);
        assert_eq!(rows(&mut write, id, None, 202, 9).await.expect("read"), all[202..]);

        assert_eq!(running(&mut write).await.expect("read"), None);
        let zhou = user(&mut write, "zhou").await;
        start(&mut write, id, zhou).await.expect("started");
        let runs = running(&mut write).await.expect("read").expect("it runs");
        assert_eq!((runs.import.id, runs.import.by.id, runs.started_by), (id, li, Some(zhou)));
        let mut first = waiting(&mut write, id, 1).await.expect("read").remove(0).row;
        first.result = Some(RowResult::Done);
        finish_row(&mut write, id, &first, Some(&li.to_string()), NOW).await.expect("done");
        assert_eq!(waiting(&mut write, id, 1).await.expect("read")[0].row.number, 4, "neither the wrong row nor the unchanged one");
        assert_eq!(unlinked(&mut write, id).await.expect("read"), [(li, "li".into(), "li".into())]);
        let mut mended = row(2, Verdict::Change);
        mended.cells.insert("name".into(), "李".into());
        set_row(&mut write, id, &mended, zhou).await.expect("mended");
        assert_eq!(rows(&mut write, id, None, 1, 1).await.expect("read"), [mended.clone()]);
        let next = waiting(&mut write, id, 2).await.expect("read");
        assert_eq!((&next[0].row, next[0].mended_by, next[1].mended_by), (&mended, Some(zhou), None), "as typed by somebody, and as uploaded");
        set_state(&mut write, id, ImportState::Done, Some(NOW)).await.expect("set");
        assert_eq!(running(&mut write).await.expect("read"), None);
        let [listed] = list(&mut write, tenant, None, 9).await.expect("read").try_into().expect("one");
        assert_eq!((listed.counts.done, listed.counts.change, listed.counts.waiting()), (1, 1, 201));
        assert!(take_links(&mut write, id, NOW).await.expect("taken"));
        assert!(!take_links(&mut write, id, NOW).await.expect("taken before"));
    })
    .await;
}
