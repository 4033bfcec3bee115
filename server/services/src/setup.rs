//! The first start of an empty installation: a one-time code in the log guards making the first administrator.
//! Built-in offerings, the reference price book and the default policy are laid down with the tenant.

use std::sync::atomic::Ordering;

use domain::{
    Error, Result,
    access::{Actor, Role},
    courses::{Tenant, check_college},
    error::FieldErrors,
    ids::{TenantId, UserId},
    people::NewPerson,
};
use serde_json::json;
use storage::{
    accounts::{roles, users},
    dialect, settings,
};

use crate::{
    Caller, Origin, Services,
    accounts::{Bucket, SignedIn, count_try, devices, wait},
    audit::{self, Entry, count_refusal},
    error::OrDomain,
    logins, password, tokens,
};

const ACTION: &str = "setup.complete";
/// SHA-256 of the code.
const CODE: &str = "setup_code";

/// Whether nobody has an account yet. No statement at all once somebody has.
pub async fn needed(services: &Services) -> Result<bool> {
    if services.cache.set_up.load(Ordering::Relaxed) {
        return Ok(false);
    }
    let mut connection = services.db.read().await.or_domain()?;
    let any = users::any(&mut connection).await.or_domain()?;
    if any {
        services.cache.set_up.store(true, Ordering::Relaxed);
    }
    Ok(!any)
}

/// A new code, shown in the log once; the one before is void. Only its hash is stored.
pub async fn issue_code(services: &Services) -> Result<String> {
    // Without letters and digits that look alike: people type it from a terminal. 16 characters of 5 bits.
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = [0; 16];
    services.entropy.fill(&mut bytes);
    let characters: Vec<char> = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    let code = characters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-");
    let mut write = services.db.begin_write().await.or_domain()?;
    settings::set(&mut write, CODE, &tokens::hash(&tidy(&code))).await.or_domain()?;
    write.commit().await.or_domain()?;
    Ok(code)
}

/// As it is compared: capitals, without spaces and hyphens.
fn tidy(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().to_ascii_uppercase()
}

/// Makes the tenant (college) and its first administrator, who is signed in.
///
/// Errors: `SetupRefused` for a wrong code and when set-up is over; `RateLimited`; `Invalid` on `college`, `login`, `name`, `password`.
pub async fn complete(services: &Services, origin: &Origin, code: &str, college: &str, person: &NewPerson) -> Result<SignedIn> {
    // The code first: without it nothing is said about the rest.
    let code = tokens::hash(&tidy(code));
    check_code(services, origin, &code).await?;
    let (college, login, name) = check(college, person)?;
    let password_hash = password::hash_chosen(services, &person.password, &[&login, &name, &college]).await?;

    let now = services.clock.now();
    let tenant = Tenant { id: TenantId::from_uuid(services.entropy.uuid()), slug: slug(&college), name: college };
    let user = users::User {
        password_hash,
        last_sign_in_at: Some(now),
        ..users::User::new(UserId::from_uuid(services.entropy.uuid()), tenant.id, login, name, now)
    };
    let roles = [Role::Administrator].into();
    let actor = Actor {
        user: user.id,
        login: user.login.clone(),
        name: user.name.clone(),
        tenant: tenant.id,
        roles,
        department_roles: std::collections::BTreeMap::new(),
        departments: std::collections::BTreeSet::new(),
        courses: std::collections::BTreeSet::new(),
        scopes: None,
    };
    let caller = Caller { actor, origin: origin.clone() };

    let mut write = services.db.begin_write().await.or_domain()?;
    // Of two at once the second finds an account and no code.
    dialect::lock(&mut write, "setup").await.or_domain()?;
    let stored: Option<(String, i64)> = settings::get(&mut write, CODE).await.or_domain()?;
    if stored.is_none_or(|(stored, _)| stored != code) || users::any(&mut write).await.or_domain()? {
        return Err(Error::SetupRefused);
    }
    storage::courses::insert_tenant(&mut write, &tenant, now).await.or_domain()?;
    users::insert(&mut write, &user).await.or_domain()?;
    let device = devices::remember(services, &mut write, origin, &user).await?;
    roles::set(&mut write, user.id, &caller.actor.roles).await.or_domain()?;
    crate::catalogue::install_defaults(services, &mut write, tenant.id).await?;
    settings::delete(&mut write, CODE).await.or_domain()?;
    let entry = Entry::new(ACTION, "tenant", tenant.id, tenant.name.as_str())
        .after(json!({"college": tenant.name, "login": user.login, "name": user.name, "roles": caller.actor.roles, "password": "***"}));
    audit::on_system_chain(services, &mut write, &caller, entry).await?;
    write.commit().await.or_domain()?;
    services.cache.set_up.store(true, Ordering::Relaxed);
    Ok(SignedIn { actor: caller.actor, credentials_version: user.credentials_version, device })
}

/// Counts and records a wrong code. Errors: `SetupRefused`, `RateLimited`.
async fn check_code(services: &Services, origin: &Origin, code: &str) -> Result<()> {
    let now = services.clock.now();
    let buckets = [Bucket::SetUp];
    let (limited, right) = {
        let mut connection = services.db.read().await.or_domain()?;
        let stored: Option<(String, i64)> = settings::get(&mut connection, CODE).await.or_domain()?;
        // Hashes are compared: how far they agree tells nothing about the code.
        let right = stored.is_some_and(|(stored, _)| stored == code) && !users::any(&mut connection).await.or_domain()?;
        (wait(&mut connection, &buckets, now).await?, right)
    };
    if let Some(error) = limited {
        audit::unauthenticated(services, origin, ACTION, None, error.code());
        return Err(error);
    }
    if right {
        return Ok(());
    }
    let mut write = services.db.begin_write().await.or_domain()?;
    let error = match count_try(&mut write, &buckets, now).await {
        Ok(()) => Error::SetupRefused,
        Err(error @ Error::RateLimited { .. }) => error,
        Err(other) => return Err(other),
    };
    count_refusal(services, &mut write, origin, ACTION, None, error.code()).await?;
    write.commit().await.or_domain()?;
    Err(error)
}

/// College, login and name in their stored forms.
fn check(college: &str, person: &NewPerson) -> Result<(String, String, String)> {
    let mut errors = FieldErrors::default();
    let college = check_college(college).unwrap_or_else(|problem| {
        errors.push("college", problem);
        String::new()
    });
    let person = errors.take(logins::new_person(person))?;
    errors.finish()?;
    // If there were no problems, there is a person.
    let (login, name) = person.ok_or(Error::SetupRefused)?;
    Ok((college, login, name))
}

/// Short and fit for a namespace's name: `School of AI` is `school-of-ai`; a name without such letters is `college`.
fn slug(name: &str) -> String {
    let words: Vec<String> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
    let short: String = words.join("-").chars().take(16).collect();
    let short = short.trim_end_matches('-');
    if short.is_empty() { "college".to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests;
