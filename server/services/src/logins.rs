//! The rule for logins. They are stored and compared in Unicode's form NFKC and in lower case, so that logins that look the same, such as
//! `２０２４０１` and `202401`, are one account. Every function that takes a login from outside calls [`check`], [`invitation`] or [`find`].

pub use domain::people::fold_login as fold;
use domain::{
    Error, Problem, Result,
    people::{Invitation, NewPerson, check_login},
};
use storage::{
    AnyConnection,
    accounts::users::{self, User},
};

use crate::error::OrDomain;

/// Longest login, in characters.
const LONGEST: usize = 64;

/// The login as typed, in lower case, without control characters, cut to the longest length. For records, and for [`find`].
pub fn typed(login: &str) -> String {
    login.trim().to_lowercase().chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// The stored form of a login that somebody chose.
pub fn check(login: &str) -> Result<String, Problem> {
    check_login(login)
}

/// Login and name in their stored forms. Errors: [`Error::Invalid`] with every problem.
pub fn invitation(invitation: &Invitation) -> Result<(String, String), Error> {
    invitation.check()
}

/// The same for a person with a password.
pub fn new_person(person: &NewPerson) -> Result<(String, String), Error> {
    person.check()
}

/// The account with this login. An account from before this rule is found by its login as stored, and takes precedence over an account with
/// the folded form.
pub async fn find(connection: &mut AnyConnection, login: &str) -> Result<Option<User>> {
    let typed = typed(login);
    let folded = fold(&typed);
    match users::by_login(connection, &typed).await.or_domain()? {
        None if folded != typed => users::by_login(connection, &folded).await.or_domain(),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        for (typed, stored) in [
            ("２０２４０１", "202401"),
            (" Ｌｉ．Ｈｕａ ", "li.hua"),
            ("ﬁnance", "finance"),
            ("e\u{301}va", "éva"),
            ("ｶﾅ", "カナ"),
            ("①②", "12"),
            ("李华", "李华"),
            ("ÖSTERBERG", "österberg"),
        ] {
            assert_eq!(check(typed).as_deref(), Ok(stored), "{typed}");
            assert_eq!(check(stored).as_deref(), Ok(stored), "the stored form is its own");
        }
        for bad in ["li\u{3164}hua", "li\u{200b}hua", "li\u{202e}hua", "li hua", "⑴⑵", "li\u{2800}"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    /// Other code that reads logins would apply a different rule.
    #[test]
    fn nobody_else_reads_a_login() {
        fn visit(folder: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("readable").path();
                let name = path.to_string_lossy().replace('\\', "/");
                if path.is_dir() {
                    visit(&path, found);
                } else if !["/logins.rs", "tests.rs"].iter().any(|end| name.ends_with(end))
                    && !["/tests/", "/testing/", "/demo/"].iter().any(|part| name.contains(part))
                {
                    let source = std::fs::read_to_string(&path).expect("text");
                    found.extend(["by_login(", "check_login("].iter().filter(|mark| source.contains(**mark)).map(|mark| format!("{name}: {mark}")));
                }
            }
        }
        let mut found = Vec::new();
        visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.is_empty(), "use crate::logins: {found:?}");
    }
}
