//! The lab's own secret, as its application takes it: Lectern makes a value anew for each start, gives it to the program in a variable, and
//! shows it with each request that passes the door. So nothing reaches the application without a visit.

use serde::{Deserialize, Serialize};

use super::LabSpec;
use crate::{
    error::{FieldErrors, Problem},
    offerings::is_variable,
    secret::has_secret,
};

/// Stands for the value in [`AppAccess::header`].
const PLACEHOLDER: &str = "{secret}";
pub const VARIABLE_EXAMPLE: &str = "JUPYTER_TOKEN";
pub const HEADER_EXAMPLE: &str = "Authorization: token {secret}";

const HEADER_MAX: u32 = 200;

/// Headers that the door sets or reads itself, or that say how a message is sent.
const TAKEN: [&str; 20] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-real-ip",
];
/// The same for all headers that begin so.
const TAKEN_PREFIXES: [&str; 4] = ["x-forwarded-", "sec-", "access-control-", "x-http-method"];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppAccess {
    /// The environment variable of the program: `JUPYTER_TOKEN`.
    pub variable: String,
    /// The header of each request, with `{secret}` for the value: `Authorization: token {secret}`.
    pub header: String,
}

impl AppAccess {
    /// Name of the header in lower case, and the text before and after the secret. `None` if the header is not written so.
    pub fn parts(&self) -> Option<(String, &str, &str)> {
        let (name, value) = self.header.split_once(':')?;
        let (before, after) = value.trim().split_once(PLACEHOLDER)?;
        let is_plain = |text: &str| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        let good = is_token(name) && is_plain(before) && is_plain(after) && !after.contains(PLACEHOLDER);
        good.then(|| (name.to_ascii_lowercase(), before, after))
    }

    /// Problems are put at `base.app_access.variable` and `base.app_access.header`. `open`: variables that parameters set.
    pub(crate) fn check<'a>(&self, spec: &LabSpec, open: impl IntoIterator<Item = &'a str>, errors: &mut FieldErrors) {
        const VARIABLE: &str = "base.app_access.variable";
        const HEADER: &str = "base.app_access.header";
        let is_set = spec.environment.contains_key(&self.variable) || spec.secrets.contains_key(&self.variable);
        if self.variable.is_empty() {
            errors.push(VARIABLE, Problem::Missing);
        } else if !is_variable(&self.variable) {
            errors.push(VARIABLE, Problem::BadFormat { example: VARIABLE_EXAMPLE.into() });
        } else if is_set || open.into_iter().any(|name| name == self.variable) {
            errors.push(VARIABLE, Problem::Taken);
        }
        if self.header.trim().is_empty() {
            errors.push(HEADER, Problem::Missing);
        } else if self.header.chars().count() > HEADER_MAX as usize {
            errors.push(HEADER, Problem::TooLong { max: HEADER_MAX });
        } else if has_secret(&self.header.replace(PLACEHOLDER, "")) {
            errors.push(HEADER, Problem::SecretInClear);
        } else if self.parts().is_none_or(|(name, ..)| is_taken(&name)) {
            errors.push(HEADER, Problem::BadFormat { example: HEADER_EXAMPLE.into() });
        }
    }
}

fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name) || TAKEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether it can be the name of a header: RFC 9110, without the signs that some servers read as others.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::tests::lab;

    fn own(variable: &str, header: &str) -> AppAccess {
        AppAccess { variable: variable.into(), header: header.into() }
    }

    fn problems(own: &AppAccess, spec: &LabSpec) -> Vec<(String, Problem)> {
        let mut errors = FieldErrors::default();
        own.check(spec, ["SEED"], &mut errors);
        match errors.finish() {
            Err(crate::Error::Invalid(all)) => all.into_iter().map(|each| (each.field, each.problem)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_header_has_a_name_and_one_place_for_the_secret() {
        assert_eq!(own("A", "Authorization: token {secret}").parts(), Some(("authorization".into(), "token ", "")));
        assert_eq!(own("A", "X-Rstudio-Key:{secret}").parts(), Some(("x-rstudio-key".into(), "", "")));
        assert_eq!(own("A", "X-Key: a={secret}; b=1").parts(), Some(("x-key".into(), "a=", "; b=1")));
        for bad in
            ["", "{secret}", "token {secret}", "A: b", "A b: {secret}", "A: {secret}{secret}", "A: {secret}\r\nB: c", ": {secret}", "A_B: {secret}"]
        {
            assert_eq!(own("A", bad).parts(), None, "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        let mut spec = lab().spec;
        assert!(problems(&own(VARIABLE_EXAMPLE, HEADER_EXAMPLE), &spec).is_empty());
        spec.environment.insert("LESSON".into(), "one".into());
        let variable = |name: &str| problems(&own(name, HEADER_EXAMPLE), &spec);
        let at = |problem: Problem| vec![("base.app_access.variable".to_owned(), problem)];
        assert_eq!(variable(""), at(Problem::Missing));
        for bad in ["jupyter token", "1A", "PATH", "LECTERN_LAB"] {
            assert_eq!(variable(bad), at(Problem::BadFormat { example: VARIABLE_EXAMPLE.into() }), "{bad}");
        }
        for taken in ["LESSON", "SEED"] {
            assert_eq!(variable(taken), at(Problem::Taken), "{taken}");
        }
        let header = |text: &str| {
            problems(&own(VARIABLE_EXAMPLE, text), &spec).into_iter().map(|(field, problem)| {
                assert_eq!(field, "base.app_access.header");
                problem
            })
        };
        let wrong = Problem::BadFormat { example: HEADER_EXAMPLE.into() };
        for bad in
            ["Authorization: token", "Cookie: a={secret}", "Host: {secret}", "X-Forwarded-User: {secret}", "Sec-Fetch-Site: {secret}", "a: é{secret}"]
        {
            assert_eq!(header(bad).collect::<Vec<_>>(), std::slice::from_ref(&wrong), "{bad}");
        }
        assert_eq!(header(" ").collect::<Vec<_>>(), [Problem::Missing]);
        assert_eq!(header(&format!("X-Key: {}{{secret}}", "a".repeat(200))).collect::<Vec<_>>(), [Problem::TooLong { max: 200 }]);
        assert_eq!(header("X-Key: password=hush-1 {secret}").collect::<Vec<_>>(), [Problem::SecretInClear]);
    }
}
