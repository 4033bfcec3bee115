//! Which courses' shared objects were applied a moment ago: a class that starts at once would apply the same ones hundreds of times.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::manifests::Manifest;

/// After that they are applied again, which mends what somebody changed.
const TRUSTED_FOR: Duration = Duration::from_mins(1);

/// By namespace, what was applied and when.
#[derive(Default)]
pub struct Courses(Mutex<HashMap<String, (Vec<Manifest>, Instant)>>);

impl Courses {
    pub fn has(&self, namespace: &str, manifests: &[Manifest]) -> bool {
        self.lock().get(namespace).is_some_and(|(applied, at)| applied == manifests && at.elapsed() < TRUSTED_FOR)
    }

    pub fn applied(&self, namespace: &str, manifests: Vec<Manifest>) {
        let mut known = self.lock();
        known.retain(|_, (_, at)| at.elapsed() < TRUSTED_FOR);
        known.insert(namespace.to_owned(), (manifests, Instant::now()));
    }

    /// Something about the namespace is not as we thought.
    pub fn forget(&self, namespace: &str) {
        self.lock().remove(namespace);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Vec<Manifest>, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::Kind;

    #[tokio::test(start_paused = true)]
    async fn what_was_applied_is_trusted_for_a_minute_and_while_it_is_the_same() {
        let manifest = |cards: u32| vec![Manifest { kind: Kind::ResourceQuota, name: "q".into(), body: json!({ "cards": cards }) }];
        let courses = Courses::default();
        assert!(!courses.has("x", &manifest(1)));
        courses.applied("x", manifest(1));
        assert!(courses.has("x", &manifest(1)) && !courses.has("x", &manifest(2)) && !courses.has("y", &manifest(1)));
        courses.forget("x");
        assert!(!courses.has("x", &manifest(1)));
        courses.applied("x", manifest(1));
        tokio::time::advance(TRUSTED_FOR).await;
        assert!(!courses.has("x", &manifest(1)));
    }
}
