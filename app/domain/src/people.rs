//! People: accounts, their roles and what others see of them (D1, L4).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use crate::logins::{check_login, fold_login};
use crate::{
    access::{Action, Reach, Role, reach_of},
    announcements::Banner,
    catalogue::Localized,
    courses::{CourseRef, DepartmentRef},
    error::{Error, FieldErrors, Problem},
    ids::{LinkId, UserId},
    names,
    time::Timestamp,
};

/// A person, briefly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRef {
    pub id: UserId,
    pub login: String,
    pub name: String,
}

/// Whether somebody can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonState {
    Active,
    /// Has no password yet and signs in through no identity provider: waits for its owner to open the link.
    Invited,
    Disabled,
}

impl PersonState {
    pub const ALL: [Self; 3] = [Self::Active, Self::Invited, Self::Disabled];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::Disabled => "disabled",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Roles at a department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    pub department: DepartmentRef,
    pub roles: BTreeSet<Role>,
}

/// A person as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub person: PersonRef,
    /// At the college.
    pub roles: BTreeSet<Role>,
    /// At departments, by their names.
    pub posts: Vec<Post>,
    pub courses: Vec<CourseRef>,
    pub state: PersonState,
    pub last_sign_in_at: Option<Timestamp>,
}

/// Which people are wanted; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonFilter {
    /// Part of the account or the name.
    pub text: Option<String>,
    /// Given anywhere.
    pub role: Option<Role>,
    pub state: Option<PersonState>,
}

/// What a one-time link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// The first password of somebody new.
    Invite,
    /// A new password for somebody who lost theirs.
    Reset,
}

impl LinkKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Reset => "reset",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Invite, Self::Reset].into_iter().find(|kind| kind.as_str() == text)
    }
    pub const fn hours(self) -> i64 {
        match self {
            Self::Invite => 7 * 24,
            Self::Reset => 24,
        }
    }
}

/// A link that still opens, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLink {
    pub id: LinkId,
    pub kind: LinkKind,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Whom a link is for, as the page shows that it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joining {
    pub kind: LinkKind,
    pub login: String,
    pub name: String,
    pub college: String,
    pub expires_at: Timestamp,
}

/// A session as its owner and administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Names the session and opens none.
    pub id: String,
    /// What the browser calls itself.
    pub agent: String,
    pub address: Option<String>,
    pub began_at: Option<Timestamp>,
    pub seen_at: Option<Timestamp>,
    /// The one that asks.
    pub current: bool,
}

/// Browser and system out of what a browser calls itself: `Firefox`, `Windows`. Empty where it is none that people know.
pub fn device(agent: &str) -> (&'static str, &'static str) {
    // The order matters: every browser also claims to be an older one.
    const BROWSERS: [(&str, &str); 7] = [
        ("MicroMessenger/", "WeChat"),
        ("Edg/", "Edge"),
        ("QQBrowser/", "QQ Browser"),
        ("Firefox/", "Firefox"),
        ("OPR/", "Opera"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("HarmonyOS", "HarmonyOS"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| agent.contains(mark)).map_or("", |(_, name)| *name);
    (find(&BROWSERS), find(&SYSTEMS))
}

/// That an account is joined to somebody at the identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedIdentity {
    /// What people call the provider.
    pub provider: Localized,
    pub since: Timestamp,
    pub last_used_at: Timestamp,
    /// Who has no other way to sign in keeps this one.
    pub has_password: bool,
}

/// A person with all that their page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonDetail {
    pub person: Person,
    pub created_at: Timestamp,
    /// What the identity provider is called that they sign in through, if they do.
    pub provider: Option<Localized>,
    /// The link that waits for them, if one does.
    pub link: Option<OpenLink>,
    pub sessions: Vec<SessionView>,
    /// Tokens that still work.
    pub tokens: u32,
    /// What the reader may do: change, disable, invite, reset.
    pub may_write: bool,
    /// The reader's own account.
    pub own: bool,
}

/// Who is signed in, for the page's frame. Rights are decided on the server; this only says what is worth showing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    pub user_id: UserId,
    pub login: String,
    pub name: String,
    /// At the college.
    pub roles: BTreeSet<Role>,
    /// At departments.
    pub department_roles: BTreeSet<Role>,
    pub tenant_name: String,
    pub simulated_cluster: bool,
    /// Labs are processes of the server's machine, without isolation.
    pub labs_are_processes: bool,
    /// The portal's public address; `None` where only the reader's browser knows it.
    pub portal_url: Option<String>,
    /// The user by whom labs with an SSH server are entered.
    pub ssh_user: String,
    /// `None` while the cluster answers.
    pub cluster_away_since: Option<Timestamp>,
    /// Orders that wait for this person's decision, capped at 100.
    pub pending_approvals: u32,
    /// Somebody is away and has named this person: they decide in that person's name.
    pub stands_in: bool,
    /// What is announced to this person now and was not put away.
    pub banners: Vec<Banner>,
}

impl Viewer {
    /// Whether the role was given at the college.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own.as_str() == role)
    }

    /// How far the person's roles reach for an action, by the policy that the server enforces.
    pub fn reach(&self, action: Action) -> Reach {
        reach_of(&self.roles, self.department_roles.iter(), action)
    }

    /// Whether the action is worth offering at all.
    pub fn may(&self, action: Action) -> bool {
        self.reach(action) != Reach::Nothing
    }

    /// Whether the action is worth offering for the college as a whole.
    pub fn may_all(&self, action: Action) -> bool {
        self.reach(action) == Reach::Tenant
    }
}

pub const PASSWORD_MIN: u32 = 10;
/// Longer input is refused before it is hashed.
pub const PASSWORD_MAX: u32 = 200;

/// Whether a new password is long enough. Length is the only rule; composition rules make passwords worse.
pub fn check_password(password: &str) -> Result<(), Problem> {
    let length = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
    match length {
        0 => Err(Problem::Missing),
        _ if length < PASSWORD_MIN => Err(Problem::TooShort { min: PASSWORD_MIN }),
        _ if length > PASSWORD_MAX => Err(Problem::TooLong { max: PASSWORD_MAX }),
        _ => Ok(()),
    }
}

/// The first administrator, or a new person, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPerson {
    pub login: String,
    pub name: String,
    pub password: String,
}

/// Somebody to invite, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub login: String,
    pub name: String,
}

impl Invitation {
    /// Login and name in their stored forms. Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self) -> Result<(String, String), Error> {
        let mut errors = FieldErrors::default();
        let login = check_login(&self.login).unwrap_or_else(|problem| {
            errors.push("login", problem);
            String::new()
        });
        let name = check_name(&self.name).unwrap_or_else(|problem| {
            errors.push("name", problem);
            String::new()
        });
        errors.finish()?;
        Ok((login, name))
    }
}

/// A person's name: 1 to 100 characters, by the common rule for names.
pub fn check_name(name: &str) -> Result<String, Problem> {
    names::check(name, 100)
}

impl NewPerson {
    /// Login and name in their stored forms. Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self) -> Result<(String, String), Error> {
        let mut errors = FieldErrors::default();
        let invitation = errors.take(Invitation { login: self.login.clone(), name: self.name.clone() }.check())?;
        if let Err(problem) = check_password(&self.password) {
            errors.push("password", problem);
        }
        errors.finish()?;
        invitation.ok_or(Error::Invalid(Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_what_only_it_says() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0";
        assert_eq!(device(edge), ("Edge", "Windows"));
        let phone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
        assert_eq!(device(phone), ("Safari", "iPhone"));
        assert_eq!(device("curl/8"), ("", ""));
    }

    #[test]
    fn a_name_has_no_invisible_characters() {
        assert_eq!(check_name(" 李华 "), Ok("李华".into()));
        assert_eq!(check_name("a\nb"), Err(Problem::Invisible { character: "U+000A".into() }));
        assert_eq!(check_name(" "), Err(Problem::Missing));
    }
}
