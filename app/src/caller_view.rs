//! Who is looking at the page, as the layout needs to know it. Rights are decided on the server; this only decides what
//! is worth showing.

use domain::access::{Action, Reach, Role, rule};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{error::AppError, session::api::viewer};

/// The signed-in person. Nobody signed in is `None`, never an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Viewer {
    pub user_id: String,
    pub login: String,
    /// Display name.
    pub name: String,
    /// Names of roles as in `domain::access` (`teacher`, `manager`, ...), in the tenant that is shown.
    pub roles: Vec<String>,
    pub tenant_name: String,
    /// The cluster is the built-in simulator.
    pub simulated_cluster: bool,
    /// Microseconds UTC since when the cluster does not answer; `None` while it does.
    pub cluster_away_since: Option<i64>,
    /// Orders that wait for this person's decision.
    pub pending_approvals: u32,
}

impl Viewer {
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }

    /// How far the person's roles reach for an action, by the policy that the server enforces.
    pub fn reach(&self, action: Action) -> Reach {
        self.roles.iter().filter_map(|role| Role::parse(role)).map(|role| rule(role, action)).max().unwrap_or(Reach::Nothing)
    }

    /// Whether the action is worth offering at all.
    pub fn may(&self, action: Action) -> bool {
        self.reach(action) != Reach::Nothing
    }
}

/// The viewer of this page, loaded once and again after sign-in or a decision (`refetch`).
/// Read it under a `<Suspense>` or `<Transition>`.
#[derive(Clone, Copy)]
pub struct ViewerContext(Resource<Result<Option<Viewer>, AppError>>);

impl ViewerContext {
    /// Starts loading and offers itself to all that is inside.
    pub fn provide() -> Self {
        let context = Self(Resource::new(|| (), |()| viewer()));
        provide_context(context);
        context
    }

    /// `None` while it loads.
    pub fn get(self) -> Option<Result<Option<Viewer>, AppError>> {
        self.0.get()
    }

    /// The person, if it is known that somebody is signed in.
    pub fn person(self) -> Option<Viewer> {
        self.0.get()?.ok()?
    }

    /// The same for another resource that depends on it: waits until it is known.
    pub async fn loaded(self) -> Option<Viewer> {
        self.0.await.ok().flatten()
    }

    /// After sign-in, sign-out and whatever changes a count in the navigation.
    pub fn refetch(self) {
        self.0.refetch();
    }
}

/// The viewer of this page. Panics outside `App`.
pub fn use_viewer() -> ViewerContext {
    expect_context::<ViewerContext>()
}
