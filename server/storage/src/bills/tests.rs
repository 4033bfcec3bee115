use domain::{
    ids::AdjustmentId,
    labs::LabState,
    money::{Currency, Money},
    orders::OrderState,
};

use super::*;
use crate::{
    labs, orders,
    orders::tests::ground::{course, ground, lab, now, order, teacher, tenant, uuid},
    testing::for_each_engine,
    usage,
};

#[tokio::test]
async fn a_closed_month_keeps_what_each_course_had_to_pay() {
    for_each_engine("a_closed_month_keeps_what_each_course_had_to_pay", |database| async move {
        let mut write = ground(&database).await;
        lock(&mut write).await.expect("locked");
        let month = now().campus_month();
        let row = lab(&order(1, OrderState::Approved), LabState::Running);
        orders::insert(&mut write, &order(1, OrderState::Approved)).await.expect("an order");
        labs::insert(&mut write, &row, Currency::Cny).await.expect("a lab");
        usage::put(&mut write, &row, &crate::usage::tests::line(now(), 3_600, 500)).await.expect("usage");
        let new = |kind, micros, of_month| NewRow {
            tenant: tenant(),
            course: course(),
            month,
            kind,
            amount: Money::new(micros, Currency::Cny),
            reason: "停机补偿".into(),
            lab: Some(row.id),
            of_month,
            by: Some(teacher()),
        };
        let ids = [1, 2].map(|number| AdjustmentId::from_uuid(uuid(number)));
        insert_adjustment(&mut write, ids[0], &new(AdjustmentKind::Credit, -200, None), now()).await.expect("a credit");
        insert_adjustment(&mut write, ids[1], &new(AdjustmentKind::Correction, 30, Some(month.previous())), now()).await.expect("a correction");
        let query = Query { tenant: tenant(), courses: None, course: Some(course()), month: Some(month), after: None, limit: 10 };
        let found = adjustments(&mut write, &query).await.expect("read");
        assert_eq!(
            found.iter().map(|each| (each.id, each.amount.micros, each.of_month)).collect::<Vec<_>>(),
            [(ids[1], 30, Some(month.previous())), (ids[0], -200, None)]
        );
        assert_eq!(
            (found[1].reason.as_str(), found[1].by.as_deref(), found[1].lab.clone()),
            ("停机补偿", Some("李"), Some((row.id, row.name.clone())))
        );
        let next = Query { after: Some(ids[1]), ..query };
        assert_eq!(adjustments(&mut write, &next).await.expect("read").len(), 1);
        assert_eq!(corrected(&mut write, row.id).await.expect("read"), [(month.previous(), 30)].into());

        assert_eq!(closings(&mut write, tenant()).await.expect("read"), []);
        close(&mut write, tenant(), month, teacher(), now()).await.expect("closed");
        assert_eq!(closings(&mut write, tenant()).await.expect("read"), [Closing { month, at: now(), by: Some("李".into()) }]);
        assert_eq!(all_closed(&mut write).await.expect("read"), [(tenant(), month)].into());
        let months = usage::months(&mut write, tenant(), None).await.expect("read");
        assert_eq!(months, [(month, Money::new(500, Currency::Cny), Money::new(-170, Currency::Cny))]);
        let bill = &usage::summaries(&mut write, tenant(), None, month).await.expect("read")[0];
        assert_eq!((bill.total.micros, bill.adjustments.micros, bill.labs, bill.closed), (330, -170, 1, true));
        let again = close(&mut write, tenant(), month, teacher(), now()).await.expect_err("is closed");
        assert!(again.is_not_unique("bill_closings", "tenant_id"), "{again:?}");
    })
    .await;
}
