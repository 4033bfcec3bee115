//! Opening a one-time link: whoever has it sets the password and is signed in. A link that is unknown, used, taken back or too old
//! gets one and the same answer.

use domain::{
    Error, Result,
    error::FieldErrors,
    people::{Joining, LinkKind, check_name, check_password},
};
use serde_json::json;
use storage::{accounts::users, links};

use super::links::digest;
use crate::{
    Caller, Origin, Services,
    accounts::{SignedIn, devices, end_access, load_actor},
    audit::{self, Entry},
    error::OrDomain,
    password,
};

const ACTION: &str = "people.join";

/// Whom a link is for. Errors: `LinkOver`.
pub async fn joining(services: &Services, secret: &str) -> Result<Joining> {
    let hash = digest(secret).ok_or(Error::LinkOver)?;
    let mut connection = services.db.read().await.or_domain()?;
    let link = links::open(&mut connection, &hash, services.clock.now()).await.or_domain()?.ok_or(Error::LinkOver)?;
    let user = users::by_id(&mut connection, link.user).await.or_domain()?;
    let user = user.filter(|user| user.disabled_at.is_none()).ok_or(Error::LinkOver)?;
    let college = storage::courses::tenant(&mut connection, user.tenant).await.or_domain()?.ok_or(Error::LinkOver)?.name;
    Ok(Joining { kind: link.open.kind, login: user.login, name: user.name, college, expires_at: link.open.expires_at })
}

/// Uses up the link: sets password and name, ends all earlier sessions and tokens, and signs in.
///
/// Errors: `LinkOver`; `Invalid` on `name`, `password`.
pub async fn join(services: &Services, origin: &Origin, secret: &str, name: &str, password: &str) -> Result<SignedIn> {
    let joining = match joining(services, secret).await {
        Err(Error::LinkOver) => return Err(over(services, origin)),
        other => other?,
    };
    let mut errors = FieldErrors::default();
    // Who resets keeps the name unless it is typed.
    let typed = if joining.kind == LinkKind::Reset && name.trim().is_empty() { &joining.name } else { name };
    let name = check_name(typed).unwrap_or_else(|problem| {
        errors.push("name", problem);
        String::new()
    });
    if let Err(problem) = check_password(password) {
        errors.push("password", problem);
    }
    errors.finish()?;
    // Hashing takes long on purpose: not inside the transaction.
    let hash = password::hash_chosen(services, password, &[&joining.login, &name]).await?;

    let now = services.clock.now();
    let mut write = services.db.begin_write().await.or_domain()?;
    let link = match digest(secret) {
        Some(hash) => links::open(&mut write, &hash, now).await.or_domain()?,
        None => None,
    };
    let user = match &link {
        // Of two who open it at once, one does.
        Some(link) if links::used(&mut write, link.open.id, now).await.or_domain()? => users::by_id(&mut write, link.user).await.or_domain()?,
        _ => None,
    };
    let Some(mut user) = user.filter(|user| user.disabled_at.is_none()) else {
        drop(write);
        return Err(over(services, origin));
    };
    let credentials_version = users::set_password(&mut write, user.id, &hash).await.or_domain()?;
    users::set_name(&mut write, user.id, &name).await.or_domain()?;
    users::set_signed_in(&mut write, user.id, now).await.or_domain()?;
    let revoked = end_access(services, &mut write, user.id).await?;
    let device = devices::remember(services, &mut write, origin, &user).await?;
    let before = std::mem::replace(&mut user.name, name);
    let actor = load_actor(&mut write, &user).await?;
    let caller = Caller { actor, origin: origin.clone() };
    let entry = Entry::new(ACTION, "user", user.id, user.login.as_str())
        .before(json!({"name": before}))
        .after(json!({"name": user.name, "password": "***", "link": joining.kind, "tokens_revoked": revoked}));
    audit::success(services, &mut write, &caller, entry).await?;
    write.commit().await.or_domain()?;
    services.access_changed(user.id);
    Ok(SignedIn { actor: caller.actor, credentials_version, device })
}

fn over(services: &Services, origin: &Origin) -> Error {
    audit::unauthenticated(services, origin, ACTION, None, Error::LinkOver.code());
    Error::LinkOver
}
