//! The first start of an empty installation: a one-time code in the log guards making the first administrator.
//! Built-in offerings, the reference price book and the default policy are laid down with the tenant.

use domain::{Result, people::NewPerson};

use crate::{Origin, Services, accounts::SignedIn};

/// Whether nobody has an account yet.
pub async fn needed(_services: &Services) -> Result<bool> {
    todo!()
}

/// A new code, shown in the log once; the one before is void. Only its hash is stored.
pub async fn issue_code(_services: &Services) -> Result<String> {
    todo!()
}

/// Makes the tenant (college) and its first administrator, who is signed in. Errors: `SetupRefused`, `Invalid`, `RateLimited`.
pub async fn complete(_services: &Services, _origin: &Origin, _code: &str, _college: &str, _person: &NewPerson) -> Result<SignedIn> {
    todo!()
}
