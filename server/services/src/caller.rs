//! The caller of a use case, and the origin of the request.

use domain::{
    access::{Actor, Resource},
    audit::{Via, Who},
};

/// From where a request came; goes into the audit record.
#[derive(Debug, Clone)]
pub struct Origin {
    pub via: Via,
    /// IP address of the client.
    pub address: Option<String>,
    pub request_id: Option<String>,
    /// SHA-256 of the secret in the browser's cookie, by which it is known after a sign-in; see [`crate::accounts::devices`].
    pub device: Option<String>,
}

impl Origin {
    pub const fn job() -> Self {
        Self { via: Via::Job, address: None, request_id: None, device: None }
    }
    pub const fn cli() -> Self {
        Self { via: Via::Cli, address: None, request_id: None, device: None }
    }

    /// The address as limits and counts use it.
    pub fn source(&self) -> Option<String> {
        self.address.as_deref().map(domain::network::source_text)
    }
}

#[derive(Debug, Clone)]
pub struct Caller {
    pub actor: Actor,
    pub origin: Origin,
}

impl Caller {
    pub fn who(&self) -> Who {
        Who::Person { id: self.actor.user, login: self.actor.login.clone(), name: self.actor.name.clone() }
    }

    /// Something of the caller's own: whether they may do a thing at all, wherever. Lists ask this before they ask for each row.
    pub const fn own(&self) -> Resource {
        Resource { tenant: self.actor.tenant, course: None, owner: Some(self.actor.user) }
    }
}
