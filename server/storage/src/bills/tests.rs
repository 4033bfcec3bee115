use domain::{
    ids::AdjustmentId,
    labs::LabState,
    money::{Currency, Money},
    orders::OrderState,
    quotas::BudgetTerms,
};

use super::*;
use crate::{
    labs, orders,
    orders::tests::ground::{course, ground, lab, now, order, teacher, tenant, uuid},
    quotas,
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

#[tokio::test]
async fn credits_and_charges_count_in_the_budget_that_blocks_orders_as_on_the_bill() {
    for_each_engine("credits_and_charges_count_in_the_budget_that_blocks_orders_as_on_the_bill", |database| async move {
        let mut write = ground(&database).await;
        let month = now().campus_month();
        let row = lab(&order(1, OrderState::Approved), LabState::Running);
        orders::insert(&mut write, &order(1, OrderState::Approved)).await.expect("an order");
        labs::insert(&mut write, &row, Currency::Cny).await.expect("a lab");
        let before = now().plus_seconds(-86_400);
        for (from, micros) in [(before, 1_000), (now(), 500)] {
            usage::put(&mut write, &row, &crate::usage::tests::line(from, 60, micros)).await.expect("usage");
        }
        // What the lab has cost holds the correction of a closed month already.
        labs::save_cost(&mut write, row.id, 1, 1_530, now(), None).await.expect("cost");
        let adjusted = [
            (AdjustmentKind::Credit, -200, None, before),
            (AdjustmentKind::Charge, 4_000, None, now()),
            (AdjustmentKind::Credit, -7, None, now()),
            (AdjustmentKind::Correction, 30, Some(month.previous()), now()),
        ];
        for (number, (kind, micros, of_month, at)) in (1..).zip(adjusted) {
            let (amount, reason) = (Money::new(micros, Currency::Cny), "停机补偿".to_owned());
            let new = NewRow { tenant: tenant(), course: course(), month, kind, amount, reason, lab: None, of_month, by: Some(teacher()) };
            insert_adjustment(&mut write, AdjustmentId::from_uuid(uuid(number)), &new, at).await.expect("adjusted");
        }
        let limit = Money::new(10_000, Currency::Cny);
        for (from, spent) in [(None, 1_530 - 200 + 4_000 - 7), (Some(now()), 500 + 4_000 - 7 + 30)] {
            let terms = BudgetTerms { from, ..BudgetTerms::default() };
            crate::courses::set_budget(&mut write, course(), limit, &terms).await.expect("limited");
            let status = quotas::of_course(&mut write, course(), now()).await.expect("read").expect("a course").status;
            assert_eq!(status.budget.spent.micros, spent, "from {from:?}");
            let several = quotas::of_courses(&mut write, &[course()], now()).await.expect("read");
            assert_eq!(several[&course()].status.budget.spent.micros, spent);
            assert_eq!(quotas::of_tenant(&mut write, tenant(), now()).await.expect("read")[0].status.budget.spent.micros, spent);
            let bill = usage::courses(&mut write, tenant(), None, month).await.expect("read");
            assert_eq!(bill[0].spent_ever.micros, spent, "one sum");
        }
    })
    .await;
}
