//! Readers of the audit record. Administrators make accounts and links, so an administrator can always make, or open, an account that reads it.
//! No rule prevents that; it must not happen unseen. Everybody else who reads the record and every other administrator get a notice in the
//! transaction of the act. A new way to give such a role, or to open such an account, calls one of these functions.

use std::collections::BTreeSet;

use domain::{
    Result,
    access::{Action, Reach, Role, rule},
    notifications::{Notice, ReaderChange},
    people::{PersonRef, Post},
};
use storage::{Write, accounts::roles};

use crate::{
    Caller, Services,
    error::OrDomain,
    notifications::{Told, notify},
};

/// Whether the role reads the audit record.
pub(crate) fn reads(role: Role) -> bool {
    rule(role, Action::AuditRead) != Reach::Nothing
}

/// After a person's roles at one place changed from `before` to `after`.
pub(crate) async fn role_given(
    services: &Services,
    write: &mut Write,
    caller: &Caller,
    person: &PersonRef,
    before: &BTreeSet<Role>,
    after: &BTreeSet<Role>,
) -> Result<Told> {
    if after.difference(before).any(|role| reads(*role)) {
        tell(services, write, caller, person, ReaderChange::RoleGiven).await
    } else {
        Ok(Told::default())
    }
}

/// After somebody was invited with these roles.
pub(crate) async fn invited(services: &Services, write: &mut Write, caller: &Caller, person: &PersonRef, roles: &BTreeSet<Role>) -> Result<Told> {
    if roles.iter().any(|role| reads(*role)) { tell(services, write, caller, person, ReaderChange::Invited).await } else { Ok(Told::default()) }
}

/// After a one-time link was made for a person with these roles at the college and at departments. The person gets the notice as well.
pub(crate) async fn link_made(
    services: &Services,
    write: &mut Write,
    caller: &Caller,
    person: &PersonRef,
    college: &BTreeSet<Role>,
    posts: &[Post],
) -> Result<Told> {
    if college.iter().chain(posts.iter().flat_map(|post| &post.roles)).any(|role| reads(*role)) {
        tell(services, write, caller, person, ReaderChange::LinkMade).await
    } else {
        Ok(Told::default())
    }
}

/// Two statements, and one for each reader and administrator: they are few.
async fn tell(services: &Services, write: &mut Write, caller: &Caller, person: &PersonRef, change: ReaderChange) -> Result<Told> {
    let mut told = BTreeSet::new();
    for role in Role::ALL.into_iter().filter(|role| *role == Role::Administrator || reads(*role)) {
        told.extend(roles::holders_anywhere(write, caller.actor.tenant, role).await.or_domain()?);
    }
    match change {
        ReaderChange::LinkMade => told.insert(person.id),
        ReaderChange::RoleGiven | ReaderChange::Invited => told.remove(&person.id),
    };
    told.remove(&caller.actor.user);
    let by = PersonRef { id: caller.actor.user, login: caller.actor.login.clone(), name: caller.actor.name.clone() };
    let notice = Notice::AuditReader { person: person.clone(), change, by, at: services.clock.now() };
    notify(services, write, &told, &notice).await
}
