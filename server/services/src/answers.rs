//! Answers to repeated orders: the first answer word for word, kept for a week. After that the order itself answers, as it then is;
//! the key goes on naming its order for ever.

use domain::Result;

use crate::{Services, error::OrDomain, jobs::lease};

/// Nobody repeats a request for longer, and an answer holds the whole order: kept for ever they would outgrow the orders themselves.
const KEPT_DAYS: i64 = 7;
/// A sweep's transaction stays short.
const SWEPT: u32 = 500;

/// Forgets the answers that are older: how many.
pub(crate) async fn sweep(services: &Services) -> Result<u64> {
    let before = services.clock.now().plus_seconds(-KEPT_DAYS * 86_400);
    let mut swept = 0;
    loop {
        let mut write = lease::begin_write(services).await?;
        let batch = storage::orders::forget_answers(&mut write, before, SWEPT).await.or_domain()?;
        write.commit().await.or_domain()?;
        swept += batch;
        if batch < u64::from(SWEPT) {
            return Ok(swept);
        }
    }
}
