//! The lab's own secret on its way to the application: a header of each request to the pod that it was made for. The browser never has it; an
//! application that writes it into a page writes what opens nothing without a visit.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use services::ports::PodTarget;

use crate::ports::Pass;

/// The header for one pod.
pub struct AppSecret {
    name: HeaderName,
    value: HeaderValue,
}

impl AppSecret {
    pub fn of(pass: &dyn Pass, pod: &PodTarget) -> Option<Self> {
        let (name, value) = pass.secret_header(pod)?;
        let (name, mut value) = (HeaderName::try_from(name).ok()?, HeaderValue::try_from(value.expose()).ok()?);
        // Nothing that prints headers prints this one.
        value.set_sensitive(true);
        Some(Self { name, value })
    }

    /// Puts the header into a request. A page of the application may authorise a request by itself; that stays. Any other header of the name
    /// is replaced.
    pub fn show(&self, headers: &mut HeaderMap) {
        if self.name != header::AUTHORIZATION || !headers.contains_key(header::AUTHORIZATION) {
            headers.insert(self.name.clone(), self.value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &'static str, before: &[(&'static str, &'static str)]) -> HeaderMap {
        let secret = AppSecret { name: HeaderName::from_static(name), value: HeaderValue::from_static("token 5e") };
        let mut headers = HeaderMap::new();
        for &(name, value) in before {
            headers.append(name, HeaderValue::from_static(value));
        }
        secret.show(&mut headers);
        headers
    }

    #[test]
    fn a_page_of_the_application_may_authorise_by_itself_and_nothing_else_stands_in_the_way() {
        assert_eq!(shown("authorization", &[])["authorization"], "token 5e");
        assert_eq!(shown("authorization", &[("authorization", "Bearer own")])["authorization"], "Bearer own");
        let other = shown("x-key", &[("x-key", "forged"), ("x-key", "twice"), ("authorization", "Bearer own")]);
        assert_eq!(other.get_all("x-key").iter().collect::<Vec<_>>(), ["token 5e"]);
        assert_eq!(other["authorization"], "Bearer own");
    }
}
