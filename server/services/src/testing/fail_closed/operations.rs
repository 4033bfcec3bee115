//! The operations: every kind of change that people and jobs make, in a college as small as it can be.

use std::collections::BTreeSet;

use domain::{
    Error, Result,
    access::Role,
    announcements::AnnouncementForm,
    audit::Filter,
    billing::AdjustmentForm,
    courses::{Course, CourseForm},
    decisions::ChangeForm,
    ids::{LabId, OrderId, TokenId, UserId},
    labs::{Autostop, Extension},
    orders::OrderForm,
    people::Invitation,
    pricing::{DiscountForm, PriceForm},
    quotas::QuotaForm,
    tokens::TokenForm,
};
use storage::testing::{TestDatabase, texts};

use crate::{
    Caller, accounts, announcements, audit, billing, cluster_status, courses,
    demo::chance::Chance,
    departments,
    jobs::{reconcile, watch},
    labs, offerings, orders, people, policies, prices,
    testing::TestWorld,
    tokens,
};

/// Who is there, and what they do.
pub(super) struct Play {
    pub(super) world: TestWorld,
    chance: Chance,
    /// Counts the operations; names are made of it.
    number: u32,
    courses: [Course; 2],
    teachers: [Caller; 3],
    manager: Caller,
    administrator: Caller,
    operator: Caller,
    auditor: Caller,
}

impl Play {
    pub(super) async fn begin(database: TestDatabase, seed: u64) -> Self {
        let world = TestWorld::college_on(database).await;
        let courses = [
            world.course("AI2301").budget(1_000_000_000).starts_per_day(1_000_000).add().await,
            world.course("CV2402").budget(1_000_000_000).starts_per_day(1_000_000).add().await,
        ];
        let teachers = [
            world.teacher("li", &[&courses[0]]).await,
            world.teacher("wang", &[&courses[1]]).await,
            world.teacher("zhao", &[&courses[0], &courses[1]]).await,
        ];
        let manager = world.manager("manager").await;
        let administrator = world.administrator("administrator").await;
        let operator = world.operator("operator").await;
        let auditor = world.auditor("auditor").await;
        cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
        Self { world, chance: Chance::new(seed), number: 0, courses, teachers, manager, administrator, operator, auditor }
    }

    /// One operation, whichever chance brings: its name and how it ended. Refusals by the rules are part of the play.
    pub(super) async fn operation(&mut self) -> (&'static str, Result<()>) {
        self.number += 1;
        self.world.clock.advance(i64::from(self.chance.below(90)));
        macro_rules! operations {
            ($($weight:literal $name:literal $operation:expr;)*) => {{
                let all = [$($weight),*];
                let mut left = self.chance.below(all.iter().sum());
                $(
                    if left < $weight {
                        return ($name, $operation.await);
                    }
                    left -= $weight;
                )*
                unreachable!("{left} is beyond the last one")
            }};
        }
        operations! {
            20 "orders::submit" self.submit();
            14 "orders::approve" self.approve();
            3 "orders::reject" self.reject();
            4 "orders::cancel" self.cancel();
            2 "orders::approve_with" self.propose();
            3 "orders::accept" self.accept();
            1 "orders::decline" self.decline();
            6 "orders::ask" self.ask();
            3 "orders::answer" self.answer();
            1 "orders::expire" self.expire();
            4 "orders::promote" self.promote();
            20 "reconcile" self.reconcile();
            6 "labs::stop" self.stop();
            5 "labs::start" self.start();
            10 "labs::destroy" self.destroy();
            2 "labs::restart" self.restart();
            3 "labs::extend" self.extend();
            2 "labs::set_autostop" self.autostop();
            1 "labs::stop_ended" self.stop_ended();
            1 "the cluster fails a lab" self.fail_lab();
            1 "courses::set_quota" self.quota();
            1 "courses::rename" self.rename_course();
            1 "courses::create" self.create_course();
            2 "courses::add_member and remove_member" self.member();
            2 "people::invite" self.invite();
            2 "people::set_access" self.access();
            1 "people::disable and enable" self.disable();
            1 "accounts::rename" self.rename();
            1 "accounts::sign_in" self.sign_in();
            1 "departments::create" self.department();
            2 "tokens::create" self.token();
            1 "tokens::revoke" self.revoke();
            1 "announcements::create" self.announce();
            1 "announcements::end" self.end_announcement();
            1 "prices::set_price" self.price();
            1 "prices::grant_discount and end_discount" self.discount();
            1 "billing::adjust" self.adjust();
            1 "offerings::retire and restore" self.offering();
            1 "policies::publish" self.policy();
            1 "audit::searches" self.search();
            1 "somebody who may not" self.not_allowed();
        }
    }

    /// Everything that waits is done.
    pub(super) async fn settle(&self) {
        for _ in 0..200 {
            watch::resync(&self.world.services).await.expect("looked at");
            let done = reconcile::due(&self.world.services).await.expect("done") + orders::promote(&self.world.services).await.expect("done");
            if done == 0 {
                return;
            }
            self.world.clock.advance(31);
        }
        // Labs that run are looked at for ever.
    }

    /// An id that the statement selects.
    async fn some<T: std::str::FromStr>(&mut self, sql: &str) -> Result<T> {
        let found = texts(&self.world.services.db, sql).await;
        (!found.is_empty()).then(|| self.chance.of(&found)).and_then(|text| text.parse().ok()).ok_or(Error::NotFound)
    }

    async fn order_in(&mut self, states: &str) -> Result<OrderId> {
        self.some(&format!("SELECT id FROM orders WHERE state IN ({states}) ORDER BY id DESC LIMIT 8")).await
    }

    async fn lab_in(&mut self, states: &str) -> Result<LabId> {
        self.some(&format!("SELECT id FROM labs WHERE state IN ({states}) ORDER BY id DESC LIMIT 12")).await
    }

    async fn owner(&self, table: &str, id: String) -> Caller {
        let owner = texts(&self.world.services.db, &format!("SELECT owner_id FROM {table} WHERE id = '{id}'")).await;
        let of = |caller: &&Caller| owner.iter().any(|id| *id == caller.actor.user.to_string());
        self.teachers.iter().find(of).expect("a teacher").clone()
    }

    fn key(&self) -> orders::IdempotencyKey {
        orders::IdempotencyKey::parse(&format!("order-{}", self.number)).expect("a key")
    }

    /// Small ones are approved by the policy, two cards wait for a manager.
    pub(super) async fn submit(&mut self) -> Result<()> {
        self.number += 1;
        let teacher = self.chance.of(&self.teachers).clone();
        let course = &self.courses[usize::from(teacher.actor.courses.contains(&self.courses[1].id))];
        let mut form = OrderForm { course: course.code.clone(), duration_minutes: "90".into(), ..OrderForm::default() };
        if self.chance.percent(50) {
            form.offering = "jupyterlab-slice".into();
        } else {
            form.offering = "jupyterlab-2xa100-1tb".into();
            let parameters = [("cards", "2"), ("cpu_cores", "8"), ("memory_gib", "64"), ("storage_gib", "128")];
            form.parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        }
        orders::submit(&self.world.services, &teacher, &form, &self.key()).await.map(drop)
    }

    async fn approve(&mut self) -> Result<()> {
        let id = self.order_in("'pending_approval'").await?;
        orders::approve(&self.world.services, &self.manager, id, None).await.map(drop)
    }
    async fn reject(&mut self) -> Result<()> {
        let id = self.order_in("'pending_approval'").await?;
        orders::reject(&self.world.services, &self.manager, id, "Not this week", None).await.map(drop)
    }
    async fn cancel(&mut self) -> Result<()> {
        let id = self.order_in("'pending_approval', 'queued', 'approved'").await?;
        let owner = self.owner("orders", id.to_string()).await;
        orders::cancel(&self.world.services, &owner, id).await.map(drop)
    }
    async fn propose(&mut self) -> Result<()> {
        let id = self.order_in("'pending_approval'").await?;
        let cards = if self.chance.percent(70) { "3" } else { "1" };
        let form = ChangeForm { parameters: [("cards".to_owned(), cards.to_owned())].into(), ..ChangeForm::default() };
        orders::approve_with(&self.world.services, &self.manager, id, &form, "Another size", None).await.map(drop)
    }
    async fn accept(&mut self) -> Result<()> {
        let id = self.order_in("'awaiting_requester'").await?;
        let owner = self.owner("orders", id.to_string()).await;
        orders::accept(&self.world.services, &owner, id, None).await.map(drop)
    }
    async fn decline(&mut self) -> Result<()> {
        let id = self.order_in("'awaiting_requester'").await?;
        let owner = self.owner("orders", id.to_string()).await;
        orders::decline(&self.world.services, &owner, id, "Too dear", None).await.map(drop)
    }
    async fn ask(&mut self) -> Result<()> {
        let id = self.order_in("'pending_approval'").await?;
        orders::ask(&self.world.services, &self.manager, id, &format!("Why {}?", self.number)).await.map(drop)
    }
    async fn answer(&mut self) -> Result<()> {
        let asked = "SELECT order_id FROM order_decisions d JOIN orders o ON o.id = d.order_id WHERE d.step = 'ask' AND o.state = 'pending_approval'";
        let id: OrderId = self.some(asked).await?;
        let owner = self.owner("orders", id.to_string()).await;
        orders::answer(&self.world.services, &owner, id, &format!("Since {}", self.number)).await.map(drop)
    }
    async fn expire(&mut self) -> Result<()> {
        self.world.clock.advance(i64::from(self.chance.below(3)) * 86_400);
        orders::expire(&self.world.services).await.map(drop)
    }
    async fn promote(&mut self) -> Result<()> {
        orders::promote(&self.world.services).await.map(drop)
    }

    async fn reconcile(&mut self) -> Result<()> {
        if self.chance.percent(5) {
            watch::resync(&self.world.services).await?;
        }
        reconcile::due(&self.world.services).await.map(drop)
    }
    async fn lab(&mut self, states: &str) -> Result<(LabId, Caller)> {
        let id = self.lab_in(states).await?;
        Ok((id, self.owner("labs", id.to_string()).await))
    }
    async fn stop(&mut self) -> Result<()> {
        let (id, owner) = self.lab("'pending', 'starting', 'running'").await?;
        labs::stop(&self.world.services, &owner, id).await.map(drop)
    }
    async fn start(&mut self) -> Result<()> {
        let (id, owner) = self.lab("'stopping', 'stopped', 'failed'").await?;
        labs::start(&self.world.services, &owner, id).await.map(drop)
    }
    async fn destroy(&mut self) -> Result<()> {
        // The oldest first, so that the cluster does not fill up.
        let id: LabId = self.some("SELECT id FROM labs WHERE state NOT IN ('destroying', 'destroyed') ORDER BY id LIMIT 3").await?;
        let owner = self.owner("labs", id.to_string()).await;
        labs::destroy(&self.world.services, &owner, id).await.map(drop)
    }
    async fn restart(&mut self) -> Result<()> {
        let (id, owner) = self.lab("'running'").await?;
        labs::restart(&self.world.services, &owner, id, None).await.map(drop)
    }
    async fn extend(&mut self) -> Result<()> {
        let (id, owner) = self.lab("'running', 'stopped'").await?;
        labs::extend(&self.world.services, &owner, id, Extension::Minutes(30), None).await.map(drop)
    }
    async fn autostop(&mut self) -> Result<()> {
        let (id, owner) = self.lab("'running', 'stopped'").await?;
        let wanted = Autostop { idle_minutes: Some(10 + self.chance.below(600)), daily: None };
        labs::set_autostop(&self.world.services, &owner, id, wanted).await.map(drop)
    }
    async fn stop_ended(&mut self) -> Result<()> {
        self.world.clock.advance(i64::from(self.chance.below(2)) * 5_400);
        labs::stop_ended(&self.world.services).await.map(drop)
    }
    async fn fail_lab(&mut self) -> Result<()> {
        let id = self.lab_in("'starting', 'running'").await?;
        if self.world.cluster.holds(id) {
            self.world.cluster.fail(id, "ImagePullBackOff", "no such image");
        }
        self.reconcile().await
    }

    fn some_course(&mut self) -> Course {
        self.chance.of(&self.courses).clone()
    }
    async fn quota(&mut self) -> Result<()> {
        let course = self.some_course();
        let more = |least: u32, chance: &mut Chance| (least + chance.below(100)).to_string();
        let form = QuotaForm {
            cards: more(64, &mut self.chance),
            cpu_cores: more(2_000, &mut self.chance),
            memory_gib: more(20_000, &mut self.chance),
            storage_gib: more(200_000, &mut self.chance),
            running_labs: more(300, &mut self.chance),
            cards_per_order: "4".into(),
            starts_per_day: "10000".into(),
        };
        courses::set_quota(&self.world.services, &self.operator, course.id, &form, courses::Below::Accept).await
    }
    async fn rename_course(&mut self) -> Result<()> {
        let course = self.some_course();
        courses::rename(&self.world.services, &self.administrator, course.id, &format!("Course {}", self.number)).await
    }
    async fn create_course(&mut self) -> Result<()> {
        let form = CourseForm {
            code: format!("X{}", self.number),
            name: "Another".into(),
            budget: "100".into(),
            cards: "1".into(),
            ..CourseForm::default()
        };
        courses::create(&self.world.services, &self.administrator, &form).await.map(drop)
    }
    async fn member(&mut self) -> Result<()> {
        let course: domain::ids::CourseId = self.some("SELECT id FROM courses WHERE code LIKE 'X%' ORDER BY id DESC LIMIT 3").await?;
        if self.chance.percent(60) {
            return courses::add_member(&self.world.services, &self.administrator, course, "zhao").await.map(drop);
        }
        courses::remove_member(&self.world.services, &self.administrator, course, self.teachers[2].actor.user).await
    }

    async fn invite(&mut self) -> Result<()> {
        let invitation = Invitation { login: format!("guest-{}", self.number), name: "Guest".into() };
        let access = people::links::Access { department: None, roles: [Role::Teacher].into(), courses: BTreeSet::new() };
        people::links::invite(&self.world.services, &self.administrator, &invitation, &access).await.map(drop)
    }
    async fn guest(&mut self) -> Result<UserId> {
        self.some("SELECT id FROM users WHERE login LIKE 'guest-%' ORDER BY id DESC LIMIT 5").await
    }
    async fn access(&mut self) -> Result<()> {
        let user = self.guest().await?;
        let role = *self.chance.of(&[Role::Teacher, Role::Manager, Role::Auditor]);
        people::set_access(&self.world.services, &self.administrator, user, [role].into(), BTreeSet::new()).await.map(drop)
    }
    async fn disable(&mut self) -> Result<()> {
        let user = self.guest().await?;
        if self.chance.percent(50) {
            return people::disable(&self.world.services, &self.administrator, user).await;
        }
        people::enable(&self.world.services, &self.administrator, user).await
    }
    async fn rename(&mut self) -> Result<()> {
        let who = self.chance.of(&self.teachers).clone();
        accounts::rename(&self.world.services, &who, &format!("Teacher {}", self.number)).await
    }
    async fn sign_in(&mut self) -> Result<()> {
        let password = if self.chance.percent(70) { TestWorld::PASSWORD } else { "wrong" };
        let who = self.chance.of(&self.teachers).actor.login.clone();
        accounts::sign_in(&self.world.services, &TestWorld::origin(), &who, password).await.map(drop)
    }

    async fn department(&mut self) -> Result<()> {
        departments::create(&self.world.services, &self.administrator, &format!("Department {}", self.number), "department").await.map(drop)
    }
    async fn token(&mut self) -> Result<()> {
        let who = self.chance.of(&self.teachers).clone();
        let id = TokenId::from_uuid(self.world.services.entropy.uuid());
        let form = TokenForm { name: format!("Program {}", self.number), scopes: vec!["orders:read".into()], days: "30".into() };
        tokens::create(&self.world.services, &who, id, &form).await
    }
    async fn revoke(&mut self) -> Result<()> {
        let id: TokenId = self.some("SELECT id FROM tokens WHERE revoked_at IS NULL ORDER BY id LIMIT 5").await?;
        let owner = texts(&self.world.services.db, &format!("SELECT user_id FROM tokens WHERE id = '{id}'")).await;
        let who = self.teachers.iter().find(|caller| owner.contains(&caller.actor.user.to_string())).expect("a teacher").clone();
        tokens::revoke(&self.world.services, &who, id).await
    }
    async fn announce(&mut self) -> Result<()> {
        let (zh, en) = (format!("周六停机维护 {}", self.number), format!("Maintenance {}", self.number));
        let form = AnnouncementForm { zh, en, level: "info".into(), to: "2050-01-01T08:00".into(), ..AnnouncementForm::default() };
        announcements::create(&self.world.services, &self.operator, &form).await.map(drop)
    }
    async fn end_announcement(&mut self) -> Result<()> {
        let id = self.some("SELECT id FROM announcements WHERE ended_at IS NULL").await?;
        announcements::end(&self.world.services, &self.operator, id).await
    }
    async fn price(&mut self) -> Result<()> {
        let form = PriceForm { meter: "cpu-core-hour".into(), price: format!("0.{:03}", 1 + self.chance.below(900)), ..PriceForm::default() };
        prices::set_price(&self.world.services, &self.administrator, &form).await.map(drop)
    }
    async fn discount(&mut self) -> Result<()> {
        let now = crate::ports::Clock::now(&*self.world.clock).micros();
        if let Ok(id) = self.some(&format!("SELECT id FROM discounts WHERE to_at IS NULL OR to_at > {now}")).await {
            return prices::end_discount(&self.world.services, &self.administrator, id).await.map(drop);
        }
        let form = DiscountForm { percent: (1 + self.chance.below(30)).to_string(), reason: "Pilot term".into(), ..DiscountForm::default() };
        prices::grant_discount(&self.world.services, &self.administrator, &form).await.map(drop)
    }
    async fn adjust(&mut self) -> Result<()> {
        let course = self.some_course().code;
        let form = AdjustmentForm { course, kind: "credit".into(), amount: "1.25".into(), reason: "The cards were away".into() };
        billing::adjust(&self.world.services, &self.administrator, &form, None).await.map(drop)
    }
    async fn offering(&mut self) -> Result<()> {
        if self.chance.percent(50) {
            return offerings::retire(&self.world.services, &self.operator, "vscode").await.map(drop);
        }
        offerings::restore(&self.world.services, &self.operator, "vscode").await.map(drop)
    }
    async fn policy(&mut self) -> Result<()> {
        let stored = {
            let mut read = self.world.services.db.read().await.expect("a connection");
            storage::policies::find(&mut read, self.world.tenant).await.expect("read").expect("a policy")
        };
        let mut policy = stored.policy.clone();
        policy.rules[0].name.en = format!("Rule {}", self.number);
        policies::replace(&self.world.services, &self.administrator, &policy, stored.version).await.map(drop)
    }
    async fn search(&mut self) -> Result<()> {
        let saved = audit::searches::list(&self.world.services, &self.auditor).await?;
        if let Some(oldest) = saved.first().filter(|_| saved.len() > 5) {
            return audit::searches::delete(&self.world.services, &self.auditor, oldest.id).await;
        }
        let name = format!("Search {}", self.number);
        audit::searches::save(&self.world.services, &self.auditor, &name, &Filter::default(), false).await.map(drop)
    }

    /// Ends well when it is refused.
    async fn not_allowed(&mut self) -> Result<()> {
        let teacher = self.chance.of(&self.teachers).clone();
        let course = self.some_course();
        let results = [
            courses::rename(&self.world.services, &teacher, course.id, "Mine").await,
            people::disable(&self.world.services, &teacher, self.manager.actor.user).await,
            departments::create(&self.world.services, &teacher, "Mine", "department").await.map(drop),
        ];
        assert!(results.iter().all(|result| matches!(result, Err(Error::Forbidden | Error::NotFound))), "{results:?}");
        Ok(())
    }
}
