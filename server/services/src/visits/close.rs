//! Ends of visits: a line of the connection log that is complete, and its one audit record.

use domain::{
    Result,
    audit::{Via, Who},
    ids::{CourseId, LabId, TenantId, VisitId},
    time::Timestamp,
    visits::{VisitEnd, VisitRole},
};
use serde_json::json;
use storage::{Write, visits::Abandoned};

use super::visiting::UNUSED_SECONDS;
use crate::{
    Origin, Services,
    audit::{self, Entry as Record},
    error::OrDomain,
};

/// Seconds beyond [`UNUSED_SECONDS`] after which a visit that lasts belongs to no process: its own would have ended it.
const ABANDONED_SECONDS: i64 = UNUSED_SECONDS + 60;
/// Visits without a process that are ended in one transaction.
const ABANDONED_BATCH: u32 = 64;

/// A visit that is over, for its record.
pub(super) struct Ended {
    pub id: VisitId,
    pub tenant: TenantId,
    pub lab: LabId,
    pub lab_name: String,
    pub course: CourseId,
    pub who: Who,
    pub role: VisitRole,
    pub reason: Option<String>,
    pub address: Option<String>,
    pub via: Via,
    pub from: Timestamp,
    pub bytes_in: i64,
    pub bytes_out: i64,
}

/// Ends the visit, and records it if anything went to or from the lab: once, whatever the number of requests.
pub(super) async fn close(services: &Services, write: &mut Write, ended: Ended, at: Timestamp, by: VisitEnd) -> Result<()> {
    let Ended { id, tenant, lab, lab_name, course, who, role, reason, address, via, from, bytes_in, bytes_out } = ended;
    if !storage::visits::close(write, id, at, by).await.or_domain()? || (bytes_in, bytes_out) == (0, 0) {
        return Ok(());
    }
    let mut after = json!({
        "role": role.as_str(),
        "from": from.to_rfc3339(),
        "until": at.to_rfc3339(),
        "ended_by": by.as_str(),
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
    });
    if let Some(reason) = reason {
        after["reason"] = json!(reason);
    }
    let origin = Origin { via, address, request_id: None, device: None };
    let record = Record::new("lab.visit", "lab", lab, lab_name).course(course).after(after);
    audit::by_person(services, write, who, &origin, tenant, record).await
}

/// The way of a visit: programs such as `lectern ssh` come by a token, browsers by a session.
pub(super) const fn via(by_token: bool) -> Via {
    if by_token { Via::Api } else { Via::Web }
}

/// Ends the visits of processes that were killed, at their last known use.
pub(super) async fn end_abandoned(services: &Services) -> Result<()> {
    let before = services.clock.now().plus_seconds(-ABANDONED_SECONDS);
    let abandoned = {
        let mut read = services.db.read().await.or_domain()?;
        storage::visits::abandoned(&mut read, before, ABANDONED_BATCH).await.or_domain()?
    };
    if abandoned.is_empty() {
        return Ok(());
    }
    let mut write = services.db.begin_write_behind().await.or_domain()?;
    for Abandoned { visit, tenant, lab, lab_name, course, by_token } in abandoned {
        let ended = Ended {
            id: visit.id,
            tenant,
            lab,
            lab_name,
            course,
            who: Who::Person { id: visit.person.id, login: visit.person.login, name: visit.person.name },
            role: visit.role,
            reason: visit.reason,
            address: visit.address,
            via: via(by_token),
            from: visit.from,
            bytes_in: visit.bytes_in,
            bytes_out: visit.bytes_out,
        };
        close(services, &mut write, ended, visit.last_used_at, VisitEnd::Left).await?;
    }
    write.commit().await.or_domain()
}
