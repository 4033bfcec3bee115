//! Writing drafts, publishing, retiring. Each may be repeated: what is done already is done.

use domain::{
    Error, Problem, Result,
    catalogue::Offering,
    error::FieldErrors,
    ids::OfferingId,
    offerings::{OfferingHistory, OfferingVersion, VersionEvent, VersionState, changes},
};
use storage::{Write, offerings as stored};

use super::{audited, authorise, own, read};
use crate::{
    Caller, Services,
    audit::{self, Entry},
    catalogue::shelf,
    error::{OrDomain, from_storage},
    secrets,
};

/// Keeps `offering` as a draft: of a new offering when `slug` is `None`, else as the next version of that one, or in place of the draft
/// that it has. `revision` is the draft's that was read, 0 for none; without it whatever is there is replaced. The id and the version
/// of `offering` do not count. Saving what is there already changes nothing.
///
/// Errors: `Invalid` per field, `Taken` on `slug`; `Stale`; `NotFound`; `Forbidden`.
pub async fn save(services: &Services, caller: &Caller, slug: Option<&str>, offering: Offering, revision: Option<i64>) -> Result<OfferingVersion> {
    let label = slug.unwrap_or(&offering.slug).chars().take(40).collect::<String>();
    audit::recording(services, caller, || Entry::new("offering.save", "offering", "", label.clone()), async {
        authorise(caller)?;
        let mut offering = offering;
        offering.base.separate_secrets();
        offering.check()?;
        let mut write = services.db.begin_write().await.or_domain()?;
        check_tenants(&mut write, &offering).await?;
        let history = match slug {
            Some(slug) => {
                let id = own(&mut write, caller, slug).await?;
                read(&mut write, id).await?
            }
            None => match stored::versions::id_of(&mut write, &offering.slug).await.or_domain()? {
                Some(id) => {
                    let history = read(&mut write, id).await?;
                    let is_own = stored::versions::owner(&mut write, id).await.or_domain()? == Some(caller.actor.tenant);
                    secrets::compare(services, &mut write, &history, &mut offering).await?;
                    // The same request again, or a slug that is in use.
                    return match history.versions.as_slice() {
                        [only] if is_own && changes(&only.offering, &offering.normalised()).is_empty() => Ok(only.clone()),
                        _ => Err(Error::field("slug", Problem::Taken)),
                    };
                }
                None => OfferingHistory { versions: Vec::new(), labs: std::collections::BTreeMap::new() },
            },
        };
        let saved = keep(services, &mut write, caller, &history, offering.normalised(), revision).await?;
        write.commit().await.or_domain()?;
        Ok(saved)
    })
    .await
}

async fn keep(
    services: &Services,
    write: &mut Write,
    caller: &Caller,
    history: &OfferingHistory,
    mut offering: Offering,
    revision: Option<i64>,
) -> Result<OfferingVersion> {
    let (by, now) = (caller.actor.user, services.clock.now());
    let latest = history.latest();
    secrets::compare(services, write, history, &mut offering).await?;
    if let Some(latest) = latest {
        if offering.slug != latest.offering.slug {
            return Err(Error::field("slug", Problem::NotOneOf { choices: vec![latest.offering.slug.clone()] }));
        }
        offering.id = latest.offering.id;
        if changes(&latest.offering, &offering).is_empty() {
            return Ok(latest.clone());
        }
    }
    if latest.is_none() {
        offering.id = OfferingId::from_uuid(services.entropy.uuid());
    }
    secrets::keep_new(services, write, &mut offering).await?;
    if let Some(draft) = history.draft() {
        offering.version = draft.offering.version;
        if revision.is_some_and(|read| read != draft.revision)
            || !stored::versions::update_draft(write, &offering, draft.revision, by, now).await.or_domain()?
        {
            return Err(Error::Stale);
        }
        secrets::forget_unused(write, history, &offering).await?;
    } else {
        // The draft that was read has been published meanwhile.
        if revision.is_some_and(|read| read > 0) {
            return Err(Error::Stale);
        }
        if latest.is_none() {
            stored::versions::insert_offering(write, offering.id, &offering.slug, caller.actor.tenant).await.map_err(taken)?;
        }
        offering.version = history.versions.first().map_or(1, |newest| newest.offering.version + 1);
        // Somebody began the same version at the same moment.
        stored::versions::insert_draft(write, &offering, by, now).await.map_err(|error| match error {
            storage::Error::NotUnique { .. } => Error::Stale,
            other => from_storage(other),
        })?;
    }
    audit::success(services, write, caller, audited::saved(latest, &offering)).await?;
    let revision = history.draft().map_or(1, |draft| draft.revision + 1);
    let changed_by = Some(caller.actor.name.clone());
    Ok(OfferingVersion { offering, state: VersionState::Draft, revision, changed_at: now, changed_by, published_at: None, retired_at: None })
}

fn taken(error: storage::Error) -> Error {
    if error.is_not_unique("offerings", "slug") { Error::field("slug", Problem::Taken) } else { from_storage(error) }
}

async fn check_tenants(write: &mut Write, offering: &Offering) -> Result<()> {
    if offering.audience.tenants.is_empty() {
        return Ok(());
    }
    let known = storage::courses::tenants(write).await.or_domain()?;
    let mut errors = FieldErrors::default();
    for slug in offering.audience.tenants.iter().filter(|slug| known.iter().all(|tenant| tenant.slug != **slug)) {
        errors.push(format!("audience.tenants.{slug}"), Problem::NoSuch);
    }
    errors.finish()
}

/// Puts the draft on sale and takes the version before it off. Orders and labs keep the version that they were made from.
///
/// Errors: `InvalidTransition` without a draft; `Stale` when the draft is not the `revision` that was looked at; `PriceMissing`;
/// `NotFound`; `Forbidden`.
pub async fn publish(services: &Services, caller: &Caller, slug: &str, revision: Option<i64>) -> Result<OfferingVersion> {
    turn(services, caller, slug, VersionEvent::Publish, revision).await
}

/// Takes the offering off sale. What runs goes on. Errors: `InvalidTransition` when it was never on sale; `NotFound`; `Forbidden`.
pub async fn retire(services: &Services, caller: &Caller, slug: &str) -> Result<OfferingVersion> {
    turn(services, caller, slug, VersionEvent::Retire, None).await
}

/// Puts the version that was retired last on sale again. Errors: `InvalidTransition`; `PriceMissing`; `NotFound`; `Forbidden`.
pub async fn restore(services: &Services, caller: &Caller, slug: &str) -> Result<OfferingVersion> {
    turn(services, caller, slug, VersionEvent::Restore, None).await
}

async fn turn(services: &Services, caller: &Caller, slug: &str, event: VersionEvent, revision: Option<i64>) -> Result<OfferingVersion> {
    let action = format!("offering.{}", event.as_str());
    let label = slug.chars().take(40).collect::<String>();
    audit::recording(services, caller, || Entry::new(action.clone(), "offering", "", label.clone()), async {
        authorise(caller)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let id = own(&mut write, caller, slug).await?;
        let history = read(&mut write, id).await?;
        let Some(version) = subject(&history, event)? else {
            // Done before: a second press, or a retry.
            return history.published().or_else(|| history.versions.first()).cloned().ok_or(Error::NotFound);
        };
        let to = version.state.after(event)?;
        if event == VersionEvent::Publish && revision.is_some_and(|read| read != version.revision) {
            return Err(Error::Stale);
        }
        let now = services.clock.now();
        if to == VersionState::Published {
            // What has no price cannot be ordered.
            let shelf = shelf(services, &mut write).await?;
            shelf.book(caller.actor.tenant).estimate(&version.offering.defaults(), version.offering.duration.default, now)?;
        }
        if !stored::versions::turn(&mut write, id, version.offering.version, (version.state, to), caller.actor.user, now).await.or_domain()? {
            return Err(Error::Stale);
        }
        if to == VersionState::Published {
            stored::retire_older(&mut write, id, version.offering.version, now).await.or_domain()?;
        }
        stored::raise_version(&mut write).await.or_domain()?;
        let on_sale = history.published().map(|version| version.offering.version);
        audit::success(services, &mut write, caller, audited::turned(&action, version, to, on_sale)).await?;
        let turned = read(&mut write, id).await?.versions.into_iter().find(|each| each.offering.version == version.offering.version);
        write.commit().await.or_domain()?;
        turned.ok_or(Error::NotFound)
    })
    .await
}

/// The version that the event is about; `None` when what it wants is so already.
fn subject(history: &OfferingHistory, event: VersionEvent) -> Result<Option<&OfferingVersion>> {
    let impossible = || {
        let state = history.latest().map_or(VersionState::Draft, |version| version.state);
        Error::InvalidTransition { state: state.as_str().into(), event: event.as_str().into() }
    };
    match event {
        VersionEvent::Edit => Err(impossible()),
        VersionEvent::Publish => match history.draft() {
            Some(draft) => Ok(Some(draft)),
            None if history.published().is_some() => Ok(None),
            None => Err(impossible()),
        },
        VersionEvent::Retire => match history.published() {
            Some(version) => Ok(Some(version)),
            None if history.restorable().is_some() => Ok(None),
            None => Err(impossible()),
        },
        VersionEvent::Restore => match history.restorable() {
            Some(version) => Ok(Some(version)),
            None if history.published().is_some() => Ok(None),
            None => Err(impossible()),
        },
    }
}
