//! Known browsers: a sign-in sets a cookie with a random secret, which grants no rights and reveals nothing. Failed tries from a known
//! browser of an account are counted separately, and one place for hashing passwords is reserved for such browsers, so that an attack on
//! the account, or from the same address, neither locks the owner out nor delays them.

use std::fmt;

use domain::{Result, time::Timestamp};
use storage::{
    AnyConnection, Write,
    accounts::{devices, users::User},
};

use crate::{Origin, Services, digest::hex_sha256, error::OrDomain, secret};

/// Days after which a browser is forgotten unless somebody signed in with it.
pub const DAYS: i64 = 180;
const MARK: &str = secret::DEVICE;

/// The secret of a browser that was not known before.
#[derive(Clone, PartialEq, Eq)]
pub struct NewDevice(String);

impl fmt::Debug for NewDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl NewDevice {
    /// The cookie that the browser keeps.
    pub fn cookie(&self, https: bool) -> String {
        let secure = if https { "; Secure" } else { "" };
        format!("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", cookie_name(https), self.0, DAYS * 24 * 3_600)
    }
}

/// With https the prefix `__Host-` guarantees that no other host of the domain set the cookie.
pub const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-lectern-device" } else { "lectern-device" }
}

/// SHA-256 of a cookie's value; `None` if the value cannot be such a secret.
pub fn digest(value: &str) -> Option<String> {
    (value.starts_with(MARK) && value.len() == MARK.len() + 43).then(|| hex_sha256(value))
}

fn not_before(now: Timestamp) -> Timestamp {
    now.plus_minutes(-DAYS * 24 * 60)
}

/// Whether this account signed in with the browser before. One statement; none for a browser without a cookie.
pub(super) async fn is_known(connection: &mut AnyConnection, origin: &Origin, user: Option<&User>, now: Timestamp) -> Result<bool> {
    let Some(device) = &origin.device else { return Ok(false) };
    let users = devices::users(connection, device, not_before(now)).await.or_domain()?;
    Ok(user.is_some_and(|user| users.contains(&user.id)))
}

/// Notes that the person signed in with this browser; returns the secret for its cookie, unless it has one.
pub(crate) async fn remember(services: &Services, write: &mut Write, origin: &Origin, user: &User) -> Result<Option<NewDevice>> {
    let now = services.clock.now();
    // Several people may share a browser. A cookie with which nobody has signed in is not accepted: an attacker may have planted it.
    let known = match &origin.device {
        Some(device) if !devices::users(write, device, not_before(now)).await.or_domain()?.is_empty() => Some(device.clone()),
        _ => None,
    };
    let (device, new) = if let Some(device) = known {
        (device, None)
    } else {
        let secret = secret::random(&*services.entropy, MARK);
        (hex_sha256(&secret), Some(NewDevice(secret)))
    };
    devices::used(write, &device, user.id, now).await.or_domain()?;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_the_hosts_own_where_that_can_be() {
        let device = NewDevice(format!("{MARK}{}", "a".repeat(43)));
        let plain = device.cookie(false);
        assert!(plain.starts_with("lectern-device=dev_aaa") && plain.contains("; HttpOnly; SameSite=Lax;") && !plain.contains("Secure"), "{plain}");
        let secure = device.cookie(true);
        assert!(secure.starts_with("__Host-lectern-device=") && secure.ends_with("; Secure") && secure.contains("; Path=/;"), "{secure}");
        assert!(!format!("{device:?}").contains("aaa"));
    }

    #[test]
    fn only_what_can_be_a_secret_is_looked_for() {
        assert!(digest(&format!("{MARK}{}", "a".repeat(43))).is_some());
        for other in ["", "dev_", &"a".repeat(47), &format!("{MARK}{}", "a".repeat(44))] {
            assert_eq!(digest(other), None, "{other}");
        }
    }
}
