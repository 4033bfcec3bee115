//! Refused attempts of nobody in particular that are counted in the transaction that refuses them: wrong passwords and wrong set-up codes.
//! The first of a source in a minute has a record of its own at once, so that a single wrong password is seen with all it had; the others
//! of that minute are counted and become one record when the minute is over. Other refusals: [`super::refusal_counts`].

use domain::{
    Result,
    audit::{Chain, Event, Object, Outcome, Who},
    ids::AuditEventId,
    time::Timestamp,
};
use serde_json::json;
use storage::{Write, audit::floods};

use crate::{Origin, Services, error::OrDomain};

/// Records or counts one refused attempt in the transaction that refuses it. `login`: what was typed, if anything.
pub(crate) async fn count_refusal(
    services: &Services,
    write: &mut Write,
    origin: &Origin,
    action: &str,
    login: Option<&str>,
    code: &str,
) -> Result<()> {
    let now = services.clock.now();
    services.cache.recorded.note(origin.request_id.as_deref());
    let mut flood = floods::Flood {
        action: action.to_owned(),
        via: origin.via,
        address: origin.source().unwrap_or_default(),
        minute: minute(now),
        login: login.unwrap_or_default().to_owned(),
        code: code.to_owned(),
        attempts: 0,
    };
    // 0 makes the row, which marks that the minute has its first record.
    if !floods::begin(write, &flood).await.or_domain()? {
        flood.attempts = 1;
        return floods::count(write, &flood).await.or_domain();
    }
    let event = Event { address: origin.address.clone(), request_id: origin.request_id.clone(), ..event(services, &flood, 1) };
    storage::audit::insert(write, &event).await.or_domain()
}

/// Writes the records of minutes that are over; returns how many.
pub(super) async fn flush(services: &Services) -> Result<u32> {
    const BATCH: i64 = 200;
    let minute = minute(services.clock.now());
    let waiting = {
        let mut connection = services.db.read().await.or_domain()?;
        floods::any_before(&mut connection, minute).await.or_domain()?
    };
    if !waiting {
        return Ok(0);
    }
    let mut written = 0;
    loop {
        let mut write = services.db.begin_write().await.or_domain()?;
        let taken = floods::take_before(&mut write, minute, BATCH).await.or_domain()?;
        if taken.is_empty() {
            return Ok(written);
        }
        for flood in taken.iter().filter(|flood| flood.attempts > 0) {
            let count = u32::try_from(flood.attempts).unwrap_or(u32::MAX);
            storage::audit::insert(&mut write, &event(services, flood, count)).await.or_domain()?;
            written += 1;
        }
        write.commit().await.or_domain()?;
    }
}

const fn minute(at: Timestamp) -> i64 {
    at.seconds().div_euclid(60)
}

fn event(services: &Services, flood: &floods::Flood, count: u32) -> Event {
    let kind = flood.action.split('.').next().unwrap_or_default();
    let login = (!flood.login.is_empty()).then(|| flood.login.clone());
    Event {
        id: AuditEventId::from_uuid(services.entropy.uuid()),
        chain: Chain::System,
        at: services.clock.now(),
        who: Who::Anonymous { login },
        via: flood.via,
        address: (!flood.address.is_empty()).then(|| flood.address.clone()),
        request_id: None,
        action: flood.action.clone(),
        object: Object { kind: kind.to_owned(), id: String::new(), label: flood.login.clone() },
        course: None,
        outcome: Outcome::Refused,
        code: Some(flood.code.clone()),
        before: None,
        after: (count > 1).then(|| json!({"minute": Timestamp::from_seconds(flood.minute * 60).to_rfc3339()})),
        count,
    }
}
