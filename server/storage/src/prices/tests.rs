use domain::{
    ids::{DiscountId, PriceBookId},
    money::Currency,
    pricing::{BasisPoints, Discount, Meter, Price, Quoted},
};

use super::*;
use crate::{
    orders::tests::ground::{ground, now, tenant, uuid},
    testing::for_each_engine,
};

#[tokio::test]
async fn a_tenant_gets_a_book_of_its_own_with_everybodys_history() {
    for_each_engine("a_tenant_gets_a_book_of_its_own_with_everybodys_history", |database| async move {
        let mut write = ground(&database).await;
        let (everybody, own) = (PriceBookId::from_uuid(uuid(5)), PriceBookId::from_uuid(uuid(6)));
        insert_book(&mut write, everybody, None, Currency::Cny).await.expect("a book");
        let first = Price::new(Meter::CpuCoreHour, 7, now());
        let later = Price { quoted: Quoted::Minute, ..Price::new(Meter::CpuCoreHour, 60, now().plus_seconds(60)) };
        for price in [&first, &later] {
            insert_price(&mut write, everybody, price).await.expect("a price");
        }
        assert_eq!(own_book(&mut write, tenant()).await.expect("read"), None);
        insert_book(&mut write, own, Some(tenant()), Currency::Cny).await.expect("a book");
        copy_default(&mut write, own).await.expect("copied");
        assert_eq!(own_book(&mut write, tenant()).await.expect("read"), Some((own, Currency::Cny)));
        // Replaced, then taken back, in the copy alone.
        let replaced = Price { unit_micros: 90, quoted: Quoted::Unit, ..later.clone() };
        insert_price(&mut write, own, &replaced).await.expect("a price");
        let prices = |books: Vec<(Option<TenantId>, PriceBook)>, id| books.into_iter().find(|(_, book)| book.id == id).map(|(_, book)| book.prices);
        let all = books(&mut write).await.expect("read");
        assert_eq!(prices(all.clone(), everybody), Some(vec![first.clone(), later.clone()]));
        assert_eq!(prices(all, own), Some(vec![first.clone(), replaced]));
        assert!(delete_price(&mut write, own, Meter::CpuCoreHour, later.from).await.expect("deleted"));
        assert!(!delete_price(&mut write, own, Meter::CpuCoreHour, later.from).await.expect("asked"));
        assert_eq!(prices(books(&mut write).await.expect("read"), own), Some(vec![first]));
        assert!(has_default(&mut write).await.expect("read"));
    })
    .await;
}

#[tokio::test]
async fn discounts_read_back_and_end() {
    for_each_engine("discounts_read_back_and_end", |database| async move {
        let mut write = ground(&database).await;
        let id = DiscountId::from_uuid(uuid(7));
        let mut discount = Discount { id, off: BasisPoints::new(1_250).expect("a share"), from: now(), to: None, reason: "试点".into() };
        insert_discount(&mut write, tenant(), &discount).await.expect("a discount");
        assert_eq!(discounts(&mut write).await.expect("read"), [(tenant(), discount.clone())]);
        end_discount(&mut write, id, now()).await.expect("ended");
        discount.to = Some(now());
        assert_eq!(discounts(&mut write).await.expect("read"), [(tenant(), discount)]);
        assert!(end_discount(&mut write, id, now().plus_seconds(-1)).await.is_err(), "no discount ends before it begins");
    })
    .await;
}
