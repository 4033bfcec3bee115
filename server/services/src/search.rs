//! One search over everything that the caller may see: labs, orders, offerings, courses, people and, for auditors, the record.
//! A kind that the caller may not read is left out, which is no refusal.

use domain::{
    Result,
    access::{Action, Actor, Reach, Resource},
    search::{Hit, MOST, cut, words},
    text::fold,
};
use storage::search::{Visible, patterns};

use crate::{Caller, Services, audit, catalogue, error::OrDomain};

/// How much is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// While somebody types: without the audit record, since each letter would be a reading of it that must be recorded.
    Typing,
    Everything,
}

/// At most five of each kind, the newest first. Seven statements at most; none for a question without words.
pub async fn search(services: &Services, caller: &Caller, text: &str, depth: Depth) -> Result<Vec<Hit>> {
    let words = words(text);
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let actor = &caller.actor;
    let tenant = actor.tenant;
    let like = patterns(&words);
    let mut hits = Vec::new();
    {
        let mut connection = services.db.read().await.or_domain()?;
        if let Some(visible) = visible(caller, Action::LabRead) {
            hits.extend(storage::search::labs(&mut connection, tenant, visible, &like).await.or_domain()?);
        }
        if let Some(visible) = visible(caller, Action::OrderRead) {
            hits.extend(storage::search::orders(&mut connection, tenant, visible, &like, services.clock.now()).await.or_domain()?);
        }
        if may(actor, Action::CatalogueRead) {
            let shelf = catalogue::shelf(services, &mut connection).await?;
            hits.extend(offerings(&shelf, &words));
        }
        if actor.can(Action::CourseRead, &caller.own()).is_ok() {
            let member = (actor.reach(Action::CourseRead) != Reach::Tenant).then_some(actor.user);
            hits.extend(storage::search::courses(&mut connection, tenant, member, &like).await.or_domain()?);
        }
        if may(actor, Action::PeopleRead) {
            hits.extend(storage::search::people(&mut connection, tenant, &like).await.or_domain()?);
        }
    }
    if depth == Depth::Everything && may(actor, Action::AuditRead) {
        let found = audit::search_words(services, caller, &cut(text), MOST).await?;
        hits.extend(found.into_iter().map(|listed| {
            let event = listed.event;
            Hit::Audit { id: event.id, action: event.action, object: event.object.label, who: event.who.label().to_owned(), at: event.at }
        }));
    }
    Ok(hits)
}

fn may(actor: &Actor, action: Action) -> bool {
    actor.can(action, &Resource::tenant(actor.tenant)).is_ok()
}

fn visible(caller: &Caller, action: Action) -> Option<Visible> {
    let actor = &caller.actor;
    actor.can(action, &caller.own()).ok()?;
    match actor.reach(action) {
        Reach::Nothing => None,
        Reach::OwnInCourse | Reach::Own => Some(Visible::Own(actor.user)),
        Reach::Course => Some(Visible::Courses(actor.user)),
        Reach::Tenant => Some(Visible::All),
    }
}

/// In memory: the shelf is short and cached.
fn offerings(shelf: &catalogue::Shelf, words: &[String]) -> Vec<Hit> {
    let fits = |hay: &str| {
        let hay = fold(hay);
        words.iter().all(|word| hay.contains(word.as_str()))
    };
    shelf
        .offerings
        .iter()
        .filter(|each| fits(&[each.slug.as_str(), &each.name.zh, &each.name.en, &each.summary.zh, &each.summary.en].join(" ")))
        .take(MOST as usize)
        .map(|each| Hit::Offering { slug: each.slug.clone(), name: each.name.clone(), summary: each.summary.clone() })
        .collect()
}

#[cfg(test)]
mod tests;
