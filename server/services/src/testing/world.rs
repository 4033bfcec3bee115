//! The world itself, and the builders of what is in it.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    access::{Role, Scope},
    audit::Via,
    courses::{Course, Department, DepartmentKind, Tenant},
    gpu::CardShare,
    ids::{CourseId, TenantId, UserId},
    money::{Currency, Money},
    quotas::QuotaSettings,
};
use storage::{
    accounts::{members, roles, users},
    testing::TestDatabase,
};

use super::{FakeCluster, HandClock, HandEntropy};
use crate::{
    Caller, Origin, Services, Settings,
    encryption::Keyring,
    ports::{Clock as _, Entropy as _},
};

pub struct TestWorld {
    pub services: Services,
    pub clock: Arc<HandClock>,
    pub cluster: Arc<FakeCluster>,
    /// The college of [`TestWorld::college`]; of no meaning in an empty world.
    pub tenant: TenantId,
    database: TestDatabase,
}

impl TestWorld {
    /// Password of everybody whom the builders make.
    pub const PASSWORD: &'static str = "correct horse battery";

    /// A migrated SQLite database and nothing in it.
    pub async fn empty() -> Self {
        Self::on(TestDatabase::sqlite().await)
    }

    /// A college with the built-in offerings, prices and policy; no course and nobody yet.
    pub async fn college() -> Self {
        Self::college_on(TestDatabase::sqlite().await).await
    }

    pub fn on(database: TestDatabase) -> Self {
        Self::with_settings(database, Settings { simulated_cluster: true, ..Settings::default() })
    }

    pub fn with_settings(database: TestDatabase, mut settings: Settings) -> Self {
        if settings.keyring.is_empty() {
            settings.keyring = Keyring::for_testing(1);
        }
        let clock = Arc::new(HandClock::default());
        let entropy = Arc::new(HandEntropy::new(Arc::clone(&clock)));
        let cluster = Arc::new(FakeCluster::default());
        let tenant = TenantId::from_uuid(entropy.uuid());
        let services = Services::new(database.database.clone(), Arc::clone(&clock) as _, entropy, Arc::clone(&cluster) as _, settings);
        Self { services, clock, cluster, tenant, database }
    }

    pub async fn college_on(database: TestDatabase) -> Self {
        Self::college_with(database, Settings { simulated_cluster: true, ..Settings::default() }).await
    }

    pub async fn college_with(database: TestDatabase, settings: Settings) -> Self {
        let world = Self::with_settings(database, settings);
        world.add_tenant(world.tenant, "ai", "School of Artificial Intelligence").await;
        world
    }

    /// Another tenant with its built-in content, beside the college.
    pub async fn other_tenant(&self, slug: &str) -> TenantId {
        let id = TenantId::from_uuid(self.services.entropy.uuid());
        self.add_tenant(id, slug, slug).await;
        id
    }

    async fn add_tenant(&self, id: TenantId, slug: &str, name: &str) {
        let mut write = self.services.db.begin_write().await.expect("a transaction");
        let tenant = Tenant { id, slug: slug.into(), name: name.into() };
        storage::courses::insert_tenant(&mut write, &tenant, self.clock.now()).await.expect("a new tenant");
        crate::catalogue::install_defaults(&self.services, &mut write, id).await.expect("built-in content");
        write.commit().await.expect("committed");
    }

    /// The database's URL, to open it a second time.
    pub fn url(&self) -> &str {
        &self.database.url
    }

    /// Other services over the same database, clock and cluster: a second replica with a cache of its own.
    pub fn replica(&self) -> Services {
        let entropy = Arc::clone(&self.services.entropy);
        Services::new(self.services.db.clone(), Arc::clone(&self.clock) as _, entropy, Arc::clone(&self.cluster) as _, self.services.settings.clone())
    }

    /// A course with the reference quota, enough cores for the job of eight ranks, and ¥100,000; `.add()` makes it.
    pub fn course(&self, code: &str) -> CourseBuilder<'_> {
        let mut settings = QuotaSettings::reference(Money::units(100_000, Currency::Cny));
        settings.limits.cpu_cores = 512;
        CourseBuilder { world: self, tenant: self.tenant, department: None, code: code.into(), name: format!("Course {code}"), settings }
    }

    /// Somebody without roles; `.add()` makes them.
    pub fn person(&self, login: &str) -> PersonBuilder<'_> {
        PersonBuilder {
            world: self,
            tenant: self.tenant,
            login: login.into(),
            name: login.into(),
            roles: BTreeSet::new(),
            posts: Vec::new(),
            courses: BTreeSet::new(),
        }
    }

    /// A department of the college.
    pub async fn department(&self, name: &str) -> TenantId {
        let id = TenantId::from_uuid(self.services.entropy.uuid());
        let department = Department { id, tenant: self.tenant, kind: DepartmentKind::Department, name: name.into() };
        let mut write = self.services.db.begin_write().await.expect("a transaction");
        storage::departments::insert(&mut write, &department, self.clock.now()).await.expect("a department");
        write.commit().await.expect("committed");
        id
    }

    pub async fn teacher(&self, login: &str, courses: &[&Course]) -> Caller {
        courses.iter().fold(self.person(login).role(Role::Teacher), |person, course| person.teaches(course)).add().await
    }
    pub async fn manager(&self, login: &str) -> Caller {
        self.person(login).role(Role::Manager).add().await
    }
    pub async fn auditor(&self, login: &str) -> Caller {
        self.person(login).role(Role::Auditor).add().await
    }
    pub async fn operator(&self, login: &str) -> Caller {
        self.person(login).role(Role::Operator).add().await
    }
    pub async fn administrator(&self, login: &str) -> Caller {
        self.person(login).role(Role::Administrator).add().await
    }

    /// A browser on campus.
    pub fn origin() -> Origin {
        Origin { via: Via::Web, address: Some("10.1.1.1".into()), request_id: Some("test".into()), device: None }
    }

    /// The same browser elsewhere.
    pub fn origin_at(address: &str) -> Origin {
        Origin { address: Some(address.into()), ..Self::origin() }
    }
}

/// The caller with a token of these scopes instead of a session.
#[must_use]
pub fn with_scopes(caller: &Caller, scopes: &[Scope]) -> Caller {
    let mut caller = caller.clone();
    caller.actor.scopes = Some(scopes.iter().copied().collect());
    caller.origin.via = Via::Api;
    caller
}

#[must_use]
pub struct CourseBuilder<'w> {
    world: &'w TestWorld,
    tenant: TenantId,
    department: Option<TenantId>,
    code: String,
    name: String,
    settings: QuotaSettings,
}

impl CourseBuilder<'_> {
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }
    pub const fn in_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }
    pub const fn in_department(mut self, department: TenantId) -> Self {
        self.department = Some(department);
        self
    }
    /// Quota of whole cards.
    pub const fn cards(mut self, cards: i64) -> Self {
        self.settings.limits.cards = CardShare::whole(cards);
        self
    }
    /// Whole yuan.
    pub const fn budget(mut self, yuan: i64) -> Self {
        self.settings.budget = Money::units(yuan, Currency::Cny);
        self
    }
    pub const fn running_labs(mut self, count: i64) -> Self {
        self.settings.limits.running_labs = count;
        self
    }
    /// Whole cards that one order may have without approval.
    pub const fn cards_per_order(mut self, cards: i64) -> Self {
        self.settings.cards_per_order = CardShare::whole(cards);
        self
    }
    pub const fn starts_per_day(mut self, cards: i64) -> Self {
        self.settings.starts_per_day = CardShare::whole(cards);
        self
    }
    pub async fn add(self) -> Course {
        let Self { world, tenant, department, code, name, settings } = self;
        let id = CourseId::from_uuid(world.services.entropy.uuid());
        let mut write = world.services.db.begin_write().await.expect("a transaction");
        let slug = storage::courses::tenant(&mut write, tenant).await.expect("read").expect("the tenant is there").slug;
        let course = Course { id, tenant, namespace: domain::courses::namespace(&slug, &code), code, name, settings };
        storage::courses::insert(&mut write, &course, world.clock.now()).await.expect("a new course");
        let place = storage::courses::Place { department, archived_at: None };
        storage::courses::set_place(&mut write, id, place).await.expect("its place");
        write.commit().await.expect("committed");
        course
    }
}

#[must_use]
pub struct PersonBuilder<'w> {
    world: &'w TestWorld,
    tenant: TenantId,
    login: String,
    name: String,
    roles: BTreeSet<Role>,
    posts: Vec<(TenantId, Role)>,
    courses: BTreeSet<CourseId>,
}

impl PersonBuilder<'_> {
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }
    pub const fn in_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }
    pub fn role(mut self, role: Role) -> Self {
        self.roles.insert(role);
        self
    }
    /// A role at a department.
    pub fn role_at(mut self, department: TenantId, role: Role) -> Self {
        self.posts.push((department, role));
        self
    }
    pub fn teaches(mut self, course: &Course) -> Self {
        self.courses.insert(course.id);
        self
    }
    /// Makes the account and gives its owner as they call from a browser.
    pub async fn add(self) -> Caller {
        let Self { world, tenant, login, name, roles, posts, courses } = self;
        let id = UserId::from_uuid(world.services.entropy.uuid());
        let user = users::User {
            password_hash: crate::password::cheap_hash_for_tests(TestWorld::PASSWORD),
            ..users::User::new(id, tenant, login, name, world.clock.now())
        };
        let mut write = world.services.db.begin_write().await.expect("a transaction");
        users::insert(&mut write, &user).await.expect("a new person");
        roles::set(&mut write, id, &roles).await.expect("roles");
        for (department, role) in posts {
            roles::set_at(&mut write, id, department, &[role].into()).await.expect("a role at a department");
        }
        members::set(&mut write, id, &courses).await.expect("courses");
        let actor = crate::accounts::load_actor(&mut write, &user).await.expect("an actor");
        write.commit().await.expect("committed");
        Caller { actor, origin: TestWorld::origin() }
    }
}
