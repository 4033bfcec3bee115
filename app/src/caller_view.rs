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
