//! Who is looking at the page, as the layout needs to know it. Rights are decided on the server; this only decides what
//! is worth showing.

pub use domain::people::Viewer;
use leptos::prelude::*;

use crate::{error::AppError, session::api::viewer};

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

/// Somebody with these roles, for tests of what is shown to whom.
#[cfg(test)]
pub fn viewer_with(
    roles: std::collections::BTreeSet<domain::access::Role>,
    department_roles: std::collections::BTreeSet<domain::access::Role>,
) -> Viewer {
    Viewer {
        user_id: "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e".parse().expect("an id"),
        login: String::new(),
        name: String::new(),
        roles,
        department_roles,
        tenant_name: String::new(),
        simulated_cluster: false,
        labs_are_processes: false,
        portal_url: None,
        ssh_user: String::new(),
        cluster_away_since: None,
        pending_approvals: 0,
        stands_in: false,
        banners: Vec::new(),
    }
}
