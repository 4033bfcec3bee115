//! The approval policy of a tenant: a draft that is edited step by step, tried on the past, and then put in force (C1).

use domain::{
    Error, Result,
    access::{Action, Resource},
    approvals::{Policy, Rule},
    catalogue::Localized,
    policies::{DRY_RUN_DAYS, DRY_RUN_ORDERS, DryRun, Edit, PolicyView, StoredPolicy, dry_run as try_on},
    policy_form::{RuleForm, filled, parse},
};
use serde_json::json;
use storage::{AnyConnection, Write};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    catalogue::shelf,
    error::OrDomain,
};

/// How many versions are shown.
const VERSIONS: u32 = 20;

/// What is in force, the draft, and what the draft would have done. Four statements. Errors: `Forbidden`.
pub async fn get(services: &Services, caller: &Caller) -> Result<PolicyView> {
    let tenant = caller.actor.tenant;
    caller.actor.can(Action::PolicyRead, &Resource::tenant(tenant))?;
    let mut connection = services.db.read().await.or_domain()?;
    let stored = load(&mut connection, caller).await?;
    let versions = storage::policies::versions(&mut connection, tenant, VERSIONS).await.or_domain()?;
    let dry_run = run(services, &mut connection, &stored.policy, stored.edited(), caller).await?;
    let currency = shelf(services, &mut connection).await?.book(tenant).currency;
    let may_write = caller.actor.can(Action::PolicyWrite, &Resource::tenant(tenant)).is_ok();
    Ok(PolicyView { stored, currency, versions, dry_run, may_write })
}

/// What a policy would have done to the orders of the last 90 days, beside what is in force. Changes nothing.
///
/// Errors: `Forbidden`, `Invalid` for a policy that cannot be.
pub async fn dry_run(services: &Services, caller: &Caller, policy: &Policy) -> Result<DryRun> {
    caller.actor.can(Action::PolicyRead, &Resource::tenant(caller.actor.tenant))?;
    policy.check()?;
    let mut connection = services.db.read().await.or_domain()?;
    let stored = load(&mut connection, caller).await?;
    run(services, &mut connection, &stored.policy, policy, caller).await
}

async fn run(services: &Services, connection: &mut AnyConnection, in_force: &Policy, edited: &Policy, caller: &Caller) -> Result<DryRun> {
    let since = services.clock.now().plus_seconds(-DRY_RUN_DAYS * 86_400);
    let past = storage::orders::past(connection, caller.actor.tenant, since, DRY_RUN_ORDERS).await.or_domain()?;
    Ok(try_on(in_force, edited, past))
}

/// One step of the editor, in the draft. `revision`: what the editor looked at; another one is `Stale`.
///
/// Errors: `Forbidden`, `Stale`, `NotFound` for a rule that is not there, `Invalid`.
pub async fn edit(services: &Services, caller: &Caller, revision: i64, edit: &Edit) -> Result<StoredPolicy> {
    changing(services, caller, "policy.edit", async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let stored = at(&mut write, caller, revision).await?;
        let draft = stored.edited().edited(edit)?;
        if !storage::policies::save_draft(&mut write, stored.tenant, revision, Some(&draft)).await.or_domain()? {
            return Err(Error::Stale);
        }
        let entry = entry("policy.edit", &stored).before(json!(stored.edited())).after(json!(draft));
        finish(services, write, caller, entry).await
    })
    .await
}

/// A rule as typed: a new one, or in the place of `number`, whose condition stays when the form could not show it.
///
/// Errors: as [`edit`]; fields are `rule.name_zh`, …
pub async fn edit_rule(services: &Services, caller: &Caller, revision: i64, number: Option<u32>, form: &RuleForm) -> Result<StoredPolicy> {
    caller.actor.can(Action::PolicyRead, &Resource::tenant(caller.actor.tenant))?;
    let kept = match number {
        Some(number) => {
            let mut connection = services.db.read().await.or_domain()?;
            let stored = load(&mut connection, caller).await?;
            let rule: Rule = stored.edited().rules.get(number as usize).cloned().ok_or(Error::NotFound)?;
            (!filled(&rule).1).then_some(rule.when)
        }
        None => None,
    };
    let rule = parse(form, kept)?;
    let step = number.map_or_else(|| Edit::Add(rule.clone()), |number| Edit::Replace(number, rule.clone()));
    edit(services, caller, revision, &step).await
}

/// Puts the draft in force. Errors: `Forbidden`, `Stale`, `InvalidTransition` when there is no draft.
pub async fn publish(services: &Services, caller: &Caller, revision: i64) -> Result<StoredPolicy> {
    changing(services, caller, "policy.publish", async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let stored = at(&mut write, caller, revision).await?;
        let no_draft = || Error::InvalidTransition { state: "published".into(), event: "publish".into() };
        let draft = stored.draft.clone().ok_or_else(no_draft)?;
        put_in_force(services, write, caller, &stored, &draft).await
    })
    .await
}

/// Puts another policy in force at once, for programs. `version`: of what was in force; another one is `Stale`.
///
/// Errors: `Forbidden`, `Stale`, `Invalid` with fields such as `rules[2].name_zh`.
pub async fn replace(services: &Services, caller: &Caller, policy: &Policy, version: i64) -> Result<StoredPolicy> {
    changing(services, caller, "policy.publish", async {
        policy.check()?;
        let mut write = services.db.begin_write().await.or_domain()?;
        let stored = load(&mut write, caller).await?;
        if stored.policy == *policy && stored.draft.is_none() {
            return Ok(stored);
        }
        if stored.version != version {
            return Err(Error::Stale);
        }
        put_in_force(services, write, caller, &stored, policy).await
    })
    .await
}

/// Drops the draft. Errors: `Forbidden`, `Stale`.
pub async fn discard(services: &Services, caller: &Caller, revision: i64) -> Result<StoredPolicy> {
    changing(services, caller, "policy.discard", async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let stored = at(&mut write, caller, revision).await?;
        if stored.draft.is_none() {
            return Ok(stored);
        }
        if !storage::policies::save_draft(&mut write, stored.tenant, revision, None).await.or_domain()? {
            return Err(Error::Stale);
        }
        let entry = entry("policy.discard", &stored).before(json!(stored.draft));
        finish(services, write, caller, entry).await
    })
    .await
}

async fn put_in_force(services: &Services, mut write: Write, caller: &Caller, stored: &StoredPolicy, policy: &Policy) -> Result<StoredPolicy> {
    if !storage::policies::publish(&mut write, stored, policy, services.clock.now(), caller.actor.user).await.or_domain()? {
        return Err(Error::Stale);
    }
    storage::offerings::raise_version(&mut write).await.or_domain()?;
    let before = json!({ "version": stored.version, "policy": stored.policy });
    let after = json!({ "version": stored.version + 1, "policy": policy });
    finish(services, write, caller, entry("policy.publish", stored).before(before).after(after)).await
}

/// Authorises, and records whoever is refused.
async fn changing<T>(services: &Services, caller: &Caller, action: &str, use_case: impl Future<Output = Result<T>>) -> Result<T> {
    let tenant = caller.actor.tenant;
    let what = || Entry::new(action, "policy", tenant, "");
    audit::recording(services, caller, what, async {
        caller.actor.can(Action::PolicyWrite, &Resource::tenant(tenant))?;
        use_case.await
    })
    .await
}

async fn finish(services: &Services, mut write: Write, caller: &Caller, entry: Entry) -> Result<StoredPolicy> {
    audit::success(services, &mut write, caller, entry).await?;
    let stored = load(&mut write, caller).await?;
    write.commit().await.or_domain()?;
    Ok(stored)
}

fn entry(action: &str, stored: &StoredPolicy) -> Entry {
    Entry::new(action, "policy", stored.tenant, format!("v{}", stored.version))
}

async fn load(connection: &mut AnyConnection, caller: &Caller) -> Result<StoredPolicy> {
    storage::policies::find(connection, caller.actor.tenant).await.or_domain()?.ok_or(Error::NotFound)
}

async fn at(write: &mut Write, caller: &Caller, revision: i64) -> Result<StoredPolicy> {
    let stored = load(write, caller).await?;
    if stored.revision == revision { Ok(stored) } else { Err(Error::Stale) }
}

/// A rule that was made for another place, as a new one begins.
pub fn blank() -> RuleForm {
    let name = Localized { zh: String::new(), en: String::new() };
    let stages = domain::approvals::Outcome::Stages(vec![domain::access::Role::Manager]);
    filled(&Rule::new(name, domain::approvals::Condition::Always, stages)).0
}

#[cfg(test)]
mod tests;
