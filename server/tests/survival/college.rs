//! A college in a database that no server has opened yet: courses, teachers with a token each, a manager.

use std::sync::Arc;

use domain::access::Scope;
use server::outside::SystemClock;
use services::{Caller, Services, ports::Clock as _, testing::TestWorld};
use storage::{Database, testing::TestDatabase};

/// Teachers that share a course; its quota is enough for a lab each.
const PER_COURSE: usize = 30;

pub struct College {
    pub teachers: Vec<Member>,
    pub manager: Member,
    /// Keeps the database.
    pub world: TestWorld,
}

#[derive(Clone)]
pub struct Member {
    pub caller: Caller,
    /// A token with every scope.
    pub token: String,
    /// Code of the course that they teach.
    pub course: String,
}

impl College {
    pub async fn with_teachers(database: TestDatabase, count: usize) -> Self {
        let world = TestWorld::college_on(database).await;
        // The server has a key of its own, so the root of the labs' secrets is its own too.
        storage::testing::execute(&world.services.db, "DELETE FROM secrets").await.unwrap();
        // The server goes by the real clock.
        world.clock.set(SystemClock.now());
        let mut teachers = Vec::with_capacity(count);
        for course in 0..count.div_ceil(PER_COURSE) {
            let course = world.course(&format!("AI{}", 2_301 + course)).budget(10_000_000).starts_per_day(10_000).add().await;
            for _ in 0..PER_COURSE.min(count - teachers.len()) {
                let caller = world.teacher(&format!("teacher-{}", teachers.len()), &[&course]).await;
                teachers.push(member(&world, caller, &course.code).await);
            }
        }
        let manager = world.manager("manager").await;
        let manager = member(&world, manager, "").await;
        Self { teachers, manager, world }
    }

    /// The use cases as the test itself calls them, by the real clock, on another connection to the college's database.
    pub fn services_on(&self, database: Database) -> Services {
        let parts = &self.world.services;
        let cluster = Arc::clone(&self.world.cluster) as _;
        Services::new(database, Arc::new(SystemClock), Arc::clone(&parts.entropy), cluster, parts.settings.clone())
    }
}

async fn member(world: &TestWorld, caller: Caller, course: &str) -> Member {
    let scopes = Scope::ALL.into_iter().collect();
    let token = services::tokens::create_for(&world.services, &TestWorld::origin(), &caller.actor.login, "test", scopes, 365).await.unwrap();
    Member { caller, token, course: course.to_owned() }
}
