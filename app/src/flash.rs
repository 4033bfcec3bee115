//! What a form without scripts left behind when it failed: the typed values and the error, shown once. Server functions
//! leave it by `caller::answer`; a page picks it up by [`flash`] and fills its fields from it.

use std::collections::BTreeMap;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// By field name; never passwords.
    pub values: BTreeMap<String, String>,
    pub error: Option<domain::Error>,
}

impl Flash {
    /// What was typed into a field; empty when nothing was.
    pub fn value(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    /// The error, unless it is about fields: those stand at their fields, anything else stands above them.
    pub fn other(&self) -> Option<domain::Error> {
        self.error.clone().filter(|error| !matches!(error, domain::Error::Invalid(_)))
    }

    /// What is wrong with a field.
    pub fn problem(&self, field: &str) -> Option<&domain::Problem> {
        match &self.error {
            Some(domain::Error::Invalid(problems)) => problems.iter().find(|each| each.field == field).map(|each| &each.problem),
            _ => None,
        }
    }
}

/// The form's last try, if it failed; empty otherwise. In the browser it is only what the server sent with the page.
pub fn flash(form: &'static str) -> Resource<Flash> {
    Resource::new(|| (), move |()| load(form))
}

#[cfg(feature = "ssr")]
async fn load(form: &str) -> Flash {
    crate::caller::take_flash(form).await.unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
#[expect(clippy::unused_async, reason = "the server's half waits for the session")]
async fn load(_form: &str) -> Flash {
    Flash::default()
}
