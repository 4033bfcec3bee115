//! Announcements of administrators and operators, and those that a person sees now (L4).

use domain::{
    Error, Result,
    access::{Action, Actor, Resource},
    announcements::{Announcement, AnnouncementForm, Banner, Level},
    courses::department_choice,
    ids::{AnnouncementId, TenantId},
    page::{Page, PageRequest, read_cursor, write_cursor},
    people::PersonRef,
};
use serde_json::{Value, json};
use storage::announcements as table;

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    people::department_of,
};

/// The current announcements for this person that they have not dismissed. One statement when there is something to put away, none otherwise.
pub async fn banners(services: &Services, actor: &Actor) -> Result<Vec<Banner>> {
    let now = services.clock.now();
    let mut banners: Vec<_> = open(services)
        .await?
        .iter()
        .filter(|(tenant, each)| *tenant == actor.tenant && each.holds_at(now))
        .filter(|(_, each)| each.department.as_ref().is_none_or(|department| actor.departments.contains(&department.id)))
        .map(|(_, each)| banner(each))
        .collect();
    if banners.iter().any(|banner| banner.level == Level::Info) {
        let mut connection = services.db.read().await.or_domain()?;
        let dismissed = table::dismissed(&mut connection, actor.user, now).await.or_domain()?;
        banners.retain(|banner| !dismissed.contains(&banner.id));
    }
    Ok(banners)
}

/// What holds now for everybody: for the sign-in page.
pub async fn public(services: &Services) -> Result<Vec<Banner>> {
    let now = services.clock.now();
    Ok(open(services).await?.iter().filter(|(_, each)| each.holds_at(now) && each.department.is_none()).map(|(_, each)| banner(each)).collect())
}

async fn open(services: &Services) -> Result<std::sync::Arc<Vec<(TenantId, Announcement)>>> {
    let now = services.clock.now();
    let load = async {
        let mut connection = services.db.read().await.or_domain()?;
        table::open(&mut connection, now).await.or_domain()
    };
    services.cache.announcements.get_or_load(now, load).await
}

fn banner(announcement: &Announcement) -> Banner {
    Banner { id: announcement.id, level: announcement.level, text: announcement.text.clone(), to: announcement.to }
}

/// All of the college, over or not, latest first. Errors: `Forbidden`; `Invalid` on `limit`, `after`.
pub async fn list(services: &Services, caller: &Caller, page: &PageRequest) -> Result<Page<Announcement>> {
    let entry = || Entry::new(audit::action(Action::AnnouncementWrite), "announcement", "", "");
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let rows = page.rows()?;
        let after = page.cursor(|text| read_cursor("announcements", text))?;
        let mut connection = services.db.read().await.or_domain()?;
        let read = table::list(&mut connection, caller.actor.tenant, after, rows).await.or_domain()?;
        Ok(page.page(read, |last| write_cursor("announcements", &last.id)))
    })
    .await
}

/// Errors: `Forbidden`; `Invalid` per field.
pub async fn create(services: &Services, caller: &Caller, form: &AnnouncementForm) -> Result<Announcement> {
    let entry = || Entry::new("announcement.create", "announcement", "", "");
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let now = services.clock.now();
        let (level, text, from, to) = form.check(now)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let department = match department_choice(&form.department).map_err(|problem| Error::field("department", problem))? {
            None => None,
            Some(id) => Some(department_of(&mut write, caller, id).await?.brief()),
        };
        let by = PersonRef { id: caller.actor.user, login: caller.actor.login.clone(), name: caller.actor.name.clone() };
        let id = AnnouncementId::from_uuid(services.entropy.uuid());
        let announcement = Announcement { id, level, text, from, to, department, by, created_at: now, ended_at: None };
        table::insert(&mut write, caller.actor.tenant, &announcement).await.or_domain()?;
        audit::success(services, &mut write, caller, about(&announcement, "announcement.create").after(tracked(&announcement))).await?;
        write.commit().await.or_domain()?;
        services.cache.announcements.forget();
        Ok(announcement)
    })
    .await
}

/// Ends it now; what is over stays so. Errors: `Forbidden`; `NotFound`.
pub async fn end(services: &Services, caller: &Caller, id: AnnouncementId) -> Result<()> {
    let entry = || Entry::new("announcement.end", "announcement", id, "");
    audit::recording(services, caller, entry, async {
        may_write(caller)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let found = table::by_id(&mut write, id).await.or_domain()?;
        let (_, announcement) = found.filter(|(tenant, _)| *tenant == caller.actor.tenant).ok_or(Error::NotFound)?;
        if table::end(&mut write, id, services.clock.now()).await.or_domain()? {
            audit::success(services, &mut write, caller, about(&announcement, "announcement.end")).await?;
        }
        write.commit().await.or_domain()
    })
    .await?;
    services.cache.announcements.forget();
    Ok(())
}

/// Puts it away for the caller alone. Errors: `NotFound`; `Forbidden` for what stays.
pub async fn dismiss(services: &Services, caller: &Caller, id: AnnouncementId) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let found = table::by_id(&mut write, id).await.or_domain()?;
    let (_, announcement) = found.filter(|(tenant, _)| *tenant == caller.actor.tenant).ok_or(Error::NotFound)?;
    if announcement.level == Level::Maintenance {
        return Err(Error::Forbidden);
    }
    table::dismiss(&mut write, caller.actor.user, id).await.or_domain()?;
    write.commit().await.or_domain()
}

fn may_write(caller: &Caller) -> Result<()> {
    caller.actor.can(Action::AnnouncementWrite, &Resource::tenant(caller.actor.tenant))
}

fn about(announcement: &Announcement, action: &str) -> Entry {
    Entry::new(action, "announcement", announcement.id, announcement.text.zh.chars().take(60).collect::<String>())
}

/// Without `..`: a new field must be classed before this compiles.
fn tracked(announcement: &Announcement) -> Value {
    let Announcement { id: _, level, text, from, to, department, by: _, created_at: _, ended_at: _ } = announcement;
    let department = department.as_ref().map(|department| &department.name);
    json!({"level": level, "text": text, "from": from.to_rfc3339(), "to": to.to_rfc3339(), "department": department})
}

#[cfg(test)]
mod tests;
