//! Demo content: one college, courses and six people with random passwords, so that a newcomer can try the product.
//! The server refuses it on an address that others can reach.

use std::collections::BTreeSet;

use domain::{
    Result,
    access::Role,
    audit::Outcome,
    courses::{Course, Tenant, namespace},
    ids::{CourseId, TenantId, UserId},
    money::{Currency, Money},
    quotas::QuotaSettings,
};
use serde_json::json;
use storage::{
    Write,
    accounts::{members, roles, users},
};

use crate::{
    Services,
    audit::{self, Entry},
    catalogue::install_defaults,
    error::OrDomain,
    password,
};

const SLUG: &str = "xxgc";
const COLLEGE: &str = "信息工程学院";

/// Code, name, budget in whole yuan.
const COURSES: [(&str, &str, i64); 2] = [("AI2301", "深度学习基础", 4_000), ("CV2402", "计算机视觉", 6_000)];

/// Login, name, role. Teachers teach every course.
const PEOPLE: [(&str, &str, Role); 6] = [
    ("teacher", "示范教师甲", Role::Teacher),
    ("teacher2", "示范教师乙", Role::Teacher),
    ("manager", "示范系主任", Role::Manager),
    ("auditor", "示范审计员", Role::Auditor),
    ("operator", "示范运维员", Role::Operator),
    ("administrator", "示范管理员", Role::Administrator),
];

/// Login and password of each account that was made now; empty when the installation is not empty.
pub async fn seed(services: &Services) -> Result<Vec<(String, String)>> {
    {
        let mut connection = services.db.read().await.or_domain()?;
        if !empty(&mut connection).await? {
            return Ok(Vec::new());
        }
    }
    // Hashing takes long on purpose: not inside the transaction.
    let mut accounts = Vec::new();
    for (login, name, role) in PEOPLE {
        let password = password::random(services);
        let hash = password::hash(services, &password).await?;
        accounts.push((login, name, role, password, hash));
    }
    let mut write = services.db.begin_write().await.or_domain()?;
    if !empty(&mut write).await? {
        return Ok(Vec::new());
    }
    let tenant = Tenant { id: TenantId::from_uuid(services.entropy.uuid()), slug: SLUG.into(), name: COLLEGE.into() };
    storage::courses::insert_tenant(&mut write, &tenant, services.clock.now()).await.or_domain()?;
    install_defaults(services, &mut write, tenant.id).await?;
    let courses = add_courses(services, &mut write, &tenant).await?;
    let mut made = Vec::new();
    for (login, name, role, password, hash) in accounts {
        let taught = if role == Role::Teacher { courses.clone() } else { BTreeSet::new() };
        add_person(services, &mut write, tenant.id, (login, name, hash), role, &taught).await?;
        made.push((login.to_owned(), password));
    }
    let entry = Entry::new("demo.seed", "tenant", tenant.id, SLUG).after(json!({
        "college": COLLEGE,
        "courses": COURSES.map(|(code, ..)| code),
        "people": PEOPLE.map(|(login, ..)| login),
    }));
    audit::by_job(services, &mut write, "demo", tenant.id, entry, Outcome::Success).await?;
    write.commit().await.or_domain()?;
    Ok(made)
}

async fn empty(connection: &mut storage::AnyConnection) -> Result<bool> {
    Ok(!users::any(connection).await.or_domain()? && storage::courses::tenants(connection).await.or_domain()?.is_empty())
}

async fn add_courses(services: &Services, write: &mut Write, tenant: &Tenant) -> Result<BTreeSet<CourseId>> {
    let mut ids = BTreeSet::new();
    for (code, name, yuan) in COURSES {
        let course = Course {
            id: CourseId::from_uuid(services.entropy.uuid()),
            tenant: tenant.id,
            code: code.into(),
            name: name.into(),
            namespace: namespace(&tenant.slug, code),
            settings: QuotaSettings::reference(Money::units(yuan, Currency::Cny)),
        };
        storage::courses::insert(write, &course, services.clock.now()).await.or_domain()?;
        ids.insert(course.id);
    }
    Ok(ids)
}

async fn add_person(
    services: &Services,
    write: &mut Write,
    tenant: TenantId,
    (login, name, password_hash): (&str, &str, String),
    role: Role,
    courses: &BTreeSet<CourseId>,
) -> Result<()> {
    let user = users::User {
        id: UserId::from_uuid(services.entropy.uuid()),
        tenant,
        login: login.into(),
        name: name.into(),
        password_hash,
        credentials_version: 1,
        disabled_at: None,
        created_at: services.clock.now(),
        last_sign_in_at: None,
    };
    users::insert(write, &user).await.or_domain()?;
    roles::set(write, user.id, &[role].into()).await.or_domain()?;
    members::set(write, user.id, courses).await.or_domain()
}

#[cfg(test)]
mod tests {
    use domain::{audit::Filter, page::PageRequest};

    use super::*;
    use crate::testing::TestWorld;

    #[tokio::test]
    async fn an_empty_installation_is_filled_once_and_everybody_can_sign_in() {
        let world = TestWorld::empty().await;
        let made = seed(&world.services).await.expect("seeded");
        let logins: Vec<_> = made.iter().map(|(login, _)| login.as_str()).collect();
        assert_eq!(logins, ["teacher", "teacher2", "manager", "auditor", "operator", "administrator"]);
        assert_eq!(seed(&world.services).await.expect("seen"), [], "what is there is left alone");

        let passwords: BTreeSet<_> = made.iter().map(|(_, password)| password).collect();
        assert_eq!(passwords.len(), made.len(), "everybody has a password of their own");
        for (login, password) in &made {
            let signed_in = crate::accounts::sign_in(&world.services, &TestWorld::origin(), login, password).await.expect("signed in");
            let caller = crate::Caller { actor: signed_in.actor, origin: TestWorld::origin() };
            assert_eq!(crate::catalogue::list(&world.services, &caller).await.expect("a catalogue").len(), 3);
            match login.as_str() {
                "teacher" | "teacher2" => {
                    let quotas = crate::quotas::list(&world.services, &caller).await.expect("quotas");
                    let codes: Vec<_> = quotas.iter().map(|(course, _)| course.code.as_str()).collect();
                    assert_eq!(codes, ["AI2301", "CV2402"]);
                }
                "auditor" => {
                    let filter = Filter { action: Some("demo.seed".into()), ..Filter::default() };
                    let found = crate::audit::search(&world.services, &caller, &filter, &PageRequest::default()).await.expect("found");
                    assert_eq!(found.items.len(), 1);
                }
                _ => {}
            }
        }
    }
}
