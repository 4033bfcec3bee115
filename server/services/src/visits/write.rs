//! Writing what was counted: the connection log, the last real use of labs, the ends of passes, and the use of portal sessions.

use std::sync::Arc;

use domain::{
    Result,
    notifications::Notice,
    people::PersonRef,
    time::Timestamp,
    visits::{PassEnd, VisitEnd, VisitRole},
};
use storage::{Write, visits::LiveVisit};

use super::{
    close::{Ended, close, via},
    entry::{About, Entry},
    visiting::{Counted, UNUSED_SECONDS},
};
use crate::{
    Services,
    accounts::sessions::last_moment,
    error::OrDomain,
    hub::News,
    notifications::{Told, notify},
};

/// Seconds by which a session must be moved for the move to be worth a statement.
const WORTH_SECONDS: i64 = 600;

/// Which counters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counters {
    /// Of visits that begin or end.
    Changed,
    All,
}

/// What is to be written of an entry.
struct Due {
    entry: Arc<Entry>,
    visit: Option<(Counted, bool)>,
    close: Option<(Timestamp, VisitEnd)>,
    end: Option<PassEnd>,
    session_until: Option<Timestamp>,
}

/// Writes all counters: the process ends. Visits go on in the next one or are ended there as abandoned.
pub async fn flush(services: &Services) -> Result<()> {
    write(services, Counters::All).await
}

/// One transaction, or none if there is nothing to write.
pub(super) async fn write(services: &Services, counters: Counters) -> Result<()> {
    let now = services.clock.now();
    let due: Vec<_> = services.visits.all().into_iter().filter_map(|entry| due(services, entry, counters, now)).collect();
    let uses = if counters == Counters::All { services.visits.uses.unwritten() } else { Vec::new() };
    if due.is_empty() && uses.is_empty() {
        return Ok(());
    }
    let mut write = services.db.begin_write_behind().await.or_domain()?;
    let (mut over, mut told) = (Vec::with_capacity(due.len()), Told::default());
    for each in &due {
        over.push(put(services, &mut write, each, now).await?);
        told = told.and(tell_owner(services, &mut write, each).await?);
    }
    for each in &uses {
        storage::lab_use::put(&mut write, each.lab, each.last).await.or_domain()?;
    }
    write.commit().await.or_domain()?;
    told.tell(services);
    services.visits.uses.wrote(&uses);
    for each in uses.iter().filter(|each| each.is_news) {
        services.hub.tell(News::Lab(each.resource, each.lab));
    }
    for (each, over) in due.iter().zip(over) {
        each.written(over);
        each.tell(services);
    }
    Ok(())
}

fn due(services: &Services, entry: Arc<Entry>, counters: Counters, now: Timestamp) -> Option<Due> {
    let end = entry.unwritten_end();
    let (visit, is_new, is_unwritten) = {
        let visiting = entry.visiting();
        (visiting.now(), visiting.is_new(), visiting.is_unwritten())
    };
    let close = visit.and_then(|visit| {
        if entry.ended().is_cancelled() {
            Some((now, VisitEnd::PassEnded))
        } else if !entry.is_lab_up() {
            Some((now, VisitEnd::LabStopped))
        } else if now.seconds_since(visit.last_used_at) >= UNUSED_SECONDS {
            Some((visit.last_used_at, VisitEnd::Left))
        } else {
            None
        }
    });
    let is_all = counters == Counters::All;
    let visit = visit.filter(|_| close.is_some() || is_new || is_all && is_unwritten).map(|visit| (visit, is_new));
    // A portal that is used through its labs only is used.
    let session_until = if is_all && visit.is_some() { moved(services, &entry, now) } else { None };
    (visit.is_some() || end.is_some()).then_some(Due { entry, visit, close, end, session_until })
}

/// Until when the portal's session is to last, if that is much longer than it does.
fn moved(services: &Services, entry: &Entry, now: Timestamp) -> Option<Timestamp> {
    let (until, began) = entry.session()?;
    let wanted = now.plus_seconds(services.settings.session_hours * 3_600).min(last_moment(services, began));
    (wanted.seconds_since(until) >= WORTH_SECONDS).then_some(wanted)
}

/// The visit as it is in the database if it had ended there before: by another process, or by an earlier write whose answer was lost.
async fn put(services: &Services, write: &mut Write, due: &Due, now: Timestamp) -> Result<Option<Counted>> {
    let entry = &due.entry;
    let mut over = None;
    if let Some((counted, _)) = due.visit {
        if !storage::visits::put(write, &row(entry, counted)).await.or_domain()? {
            let (bytes_in, bytes_out) = storage::visits::totals(write, counted.id).await.or_domain()?;
            over = Some(Counted { bytes_in, bytes_out, ..counted });
        }
        if let Some((at, by)) = due.close.filter(|_| over.is_none()) {
            let ended = Ended {
                id: counted.id,
                tenant: entry.tenant,
                lab: entry.lab,
                lab_name: entry.lab_name.clone(),
                course: entry.about.course,
                who: entry.who(),
                role: entry.role,
                reason: entry.about.reason.clone(),
                address: entry.about.address.clone(),
                via: via(entry.about.token.is_some()),
                from: counted.started_at,
                bytes_in: counted.bytes_in,
                bytes_out: counted.bytes_out,
            };
            close(services, write, ended, at, by).await?;
        }
    }
    if let Some(end) = due.end {
        storage::visits::end(write, entry.pass, now, end).await.or_domain()?;
    }
    if let Some(until) = due.session_until {
        storage::visits::touch_session(write, &entry.about.session, entry.person, now, until).await.or_domain()?;
    }
    Ok(over)
}

/// The owner hears of others who come, once a day of each; of an operator they heard when the lab was opened.
async fn tell_owner(services: &Services, write: &mut Write, due: &Due) -> Result<Told> {
    let entry = &due.entry;
    let Some((counted, true)) = due.visit else { return Ok(Told::default()) };
    if matches!(entry.role, VisitRole::Owner | VisitRole::BreakGlass) || entry.person == entry.about.owner {
        return Ok(Told::default());
    }
    let About { login, name, owner, .. } = &entry.about;
    let notice = Notice::LabVisited {
        lab: entry.lab,
        name: entry.lab_name.clone(),
        by: PersonRef { id: entry.person, login: login.clone(), name: name.clone() },
        role: entry.role,
        day: counted.started_at.start_of_campus_day(),
    };
    notify(services, write, &[*owner].into(), &notice).await
}

fn row(entry: &Entry, counted: Counted) -> LiveVisit {
    let Counted { id, started_at, last_used_at, bytes_in, bytes_out } = counted;
    LiveVisit {
        id,
        pass: entry.pass,
        tenant: entry.tenant,
        lab: entry.lab,
        user: entry.person,
        role: entry.role,
        reason: entry.about.reason.clone(),
        address: entry.about.address.clone(),
        started_at,
        bytes_in,
        bytes_out,
        last_used_at,
    }
}

impl Due {
    /// After the commit. `over`: the visit, if it had ended before.
    fn written(&self, over: Option<Counted>) {
        if let Some((counted, _)) = self.visit {
            let mut visiting = self.entry.visiting();
            match over.or(self.close.map(|_| counted)) {
                Some(ended) => visiting.ended(ended, || self.entry.visit_id()),
                None => visiting.wrote(counted),
            }
        }
        if self.end.is_some() {
            self.entry.write_off();
        }
        if let Some(until) = self.session_until {
            self.entry.touched(until);
        }
    }

    /// The owner's pages show visitors while they are there.
    fn tell(&self, services: &Services) {
        let begins = self.visit.is_some_and(|(_, is_new)| is_new);
        if self.entry.role != VisitRole::Owner && (begins || self.close.is_some()) {
            services.hub.tell(News::Lab(self.entry.resource(), self.entry.lab));
        }
    }
}
