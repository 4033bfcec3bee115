//! What the navigation shows to whom. This only decides what is worth showing; rights are decided on the server.

use domain::access::{Action, Reach};

use crate::{caller_view::Viewer, components::Glyph, i18n::td_string, language::Language, routes};

/// One entry of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub href: &'static str,
    pub text: &'static str,
    pub glyph: Glyph,
    /// Things that wait for this person; nothing is shown for zero.
    pub count: u32,
}

impl Entry {
    /// Whether `path` is this page or one below it.
    pub fn holds(&self, path: &str) -> bool {
        if self.href == routes::HOME {
            return path == routes::HOME;
        }
        path.strip_prefix(self.href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// On a phone this many entries are tabs; the rest is behind "More".
pub const TABS: usize = 4;

/// The entries for a person, the most used first: what the policy lets them read, and little of that which is not
/// their work.
pub fn entries(viewer: &Viewer, language: Language) -> Vec<Entry> {
    let may = |action| viewer.may(action);
    let entry = |href, text, glyph| Entry { href, text, glyph, count: 0 };
    let mut list = vec![entry(routes::HOME, td_string!(language, layout.home), Glyph::Today)];
    if may(Action::OrderDecide) || viewer.stands_in {
        let approvals = entry(routes::APPROVALS, td_string!(language, layout.approvals), Glyph::Stamp);
        list.push(Entry { count: viewer.pending_approvals, ..approvals });
    }
    if may(Action::AuditRead) {
        list.push(entry(routes::AUDIT, td_string!(language, layout.audit), Glyph::Shield));
    }
    if may(Action::OrderSubmit) || may(Action::LabStart) {
        list.push(entry(routes::CATALOGUE, td_string!(language, layout.catalogue), Glyph::Shelf));
    }
    if may(Action::LabRead) {
        // Teachers see those of their courses too, but theirs are what they come for.
        let own = viewer.reach(Action::LabStop) == Reach::Own;
        let labs = if own { td_string!(language, layout.labs) } else { td_string!(language, layout.all_labs) };
        list.push(entry(routes::LABS, labs, Glyph::Lab));
    }
    if may(Action::OrderRead) {
        list.push(entry(routes::ORDERS, td_string!(language, layout.orders), Glyph::List));
    }
    if may(Action::BillRead) {
        let own = viewer.reach(Action::BillRead) == Reach::Course;
        let bills = if own { td_string!(language, layout.billing) } else { td_string!(language, layout.all_billing) };
        list.push(entry(routes::BILLING, bills, Glyph::Bill));
    }
    if may(Action::QuotaWrite) || may(Action::OrderDecide) {
        list.push(entry(routes::COURSES, td_string!(language, layout.courses), Glyph::Book));
    }
    if may(Action::OfferingWrite) {
        list.push(entry(routes::OFFERINGS, td_string!(language, layout.offerings), Glyph::Table));
    }
    if may(Action::PolicyWrite) {
        list.push(entry(routes::POLICIES, td_string!(language, layout.policies), Glyph::Shield));
    }
    if may(Action::PeopleWrite) {
        list.push(entry(routes::PEOPLE, td_string!(language, layout.people), Glyph::People));
    }
    if may(Action::AnnouncementWrite) {
        list.push(entry(routes::ANNOUNCEMENTS, td_string!(language, announcements.title), Glyph::Bell));
    }
    if may(Action::ClusterRead) {
        list.push(entry(routes::CLUSTER, td_string!(language, layout.cluster), Glyph::Node));
    }
    list
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::access::Role;

    use super::*;
    use crate::caller_view::viewer_with;

    fn paths(roles: &[&str]) -> Vec<&'static str> {
        let viewer = viewer_with(roles.iter().filter_map(|role| Role::parse(role)).collect(), BTreeSet::new());
        entries(&viewer, Language::en).into_iter().map(|entry| entry.href).collect()
    }

    #[test]
    fn each_role_sees_its_own_entries() {
        assert_eq!(paths(&["teacher"]), ["/", "/catalogue", "/labs", "/orders", "/billing"]);
        assert_eq!(paths(&["auditor"]), ["/", "/audit", "/labs", "/orders", "/billing"]);
        assert_eq!(paths(&["manager"]), ["/", "/approvals", "/catalogue", "/labs", "/orders", "/billing", "/courses"]);
        assert_eq!(
            paths(&["operator"]),
            ["/", "/approvals", "/catalogue", "/labs", "/orders", "/courses", "/offerings", "/announcements", "/cluster"]
        );
        assert_eq!(
            paths(&["administrator"]),
            ["/", "/approvals", "/orders", "/billing", "/courses", "/offerings", "/policies", "/people", "/announcements", "/cluster"]
        );
        assert_eq!(paths(&["teacher", "auditor"])[..3], ["/", "/audit", "/catalogue"]);
        assert_eq!(paths(&[]), ["/"]);
        let mut stand_in = viewer_with([Role::Teacher].into(), BTreeSet::new());
        stand_in.stands_in = true;
        assert!(entries(&stand_in, Language::en).iter().any(|entry| entry.href == routes::APPROVALS), "while somebody is away");
        let head = viewer_with(BTreeSet::new(), [Role::Manager].into());
        let head: Vec<_> = entries(&head, Language::en).into_iter().map(|entry| entry.href).collect();
        assert_eq!(head, paths(&["manager"]), "the same work, fewer courses");
    }

    #[test]
    fn an_entry_is_current_on_the_pages_below_it() {
        let entry = Entry { href: "/labs", text: "", glyph: Glyph::Lab, count: 0 };
        assert!(entry.holds("/labs") && entry.holds("/labs/1"));
        assert!(!entry.holds("/labsalot") && !entry.holds("/"));
        let home = Entry { href: "/", ..entry };
        assert!(home.holds("/") && !home.holds("/labs"));
    }
}
