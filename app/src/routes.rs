//! The route table and the typed links to it: the only place that knows what a URL looks like.

use std::fmt::Display;

use leptos::{prelude::*, tachys::view::iterators::StaticVec};
use leptos_router::{
    Lazy, SsrMode,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::{FlatRoutes, Route},
    path,
};

use crate::{layout::NotFound, lazy};

pub const HOME: &str = "/";
pub const SIGN_IN: &str = "/sign-in";
/// Sends the browser to the identity provider; the server's own route.
pub const SIGN_IN_OIDC: &str = "/sign-in/oidc";
/// Where the provider sends it back to.
pub const SIGN_IN_OIDC_CALLBACK: &str = "/sign-in/oidc/callback";
/// A form posts here; the server ends the session.
pub const SIGN_OUT: &str = "/sign-out";
pub const SETUP: &str = "/setup";
pub const CATALOGUE: &str = "/catalogue";
pub const ORDERS: &str = "/orders";
pub const APPROVALS: &str = "/approvals";
/// Many decisions at once.
pub const APPROVALS_BULK: &str = "/approvals/bulk";
pub const LABS: &str = "/labs";
/// After the path of a lab.
const OPEN: &str = "/open";
const TERMINAL: &str = "/terminal";
/// Before the secret of a link to a lab; the server's own route.
pub const SHARED_PREFIX: &str = "/labs/shared/";
pub const BILLING: &str = "/billing";
pub const BILLING_MONTHS: &str = "/billing/months";
pub const BILLING_ADJUSTMENTS: &str = "/billing/adjustments";
/// A download; the server's own route.
pub const BILLING_EXPORT: &str = "/billing/export";
pub const PRICES: &str = "/prices";
pub const AUDIT: &str = "/audit";
/// A file of what a search finds; the server answers it, not a page.
pub const AUDIT_EXPORT: &str = "/audit/export";
pub const NOTIFICATIONS: &str = "/notifications";
pub const SEARCH: &str = "/search";
pub const ACCOUNT: &str = "/account";
pub const POLICIES: &str = "/policies";
pub const PEOPLE: &str = "/people";
pub const COURSES: &str = "/courses";
pub const OFFERINGS: &str = "/offerings";
pub const CLUSTER: &str = "/cluster";
pub const ANNOUNCEMENTS: &str = "/announcements";
/// Lists of people and courses that are taken over.
pub const IMPORTS: &str = "/imports";
/// A form posts a file here.
pub const IMPORTS_UPLOAD: &str = "/imports/upload";
/// Before the secret of a one-time link.
pub const JOIN_PREFIX: &str = "/join/";
pub const API_DOCS: &str = "/api-docs";
/// Only with the feature `design`.
pub const DESIGN: &str = "/design";

/// One offering as those see it who may order it.
pub fn offering(slug: impl Display) -> String {
    format!("{CATALOGUE}/{slug}")
}
/// One offering as operators edit it; `new` makes one.
pub fn offering_editor(slug: impl Display) -> String {
    format!("{OFFERINGS}/{slug}")
}
/// The order form of one offering.
pub fn order_form(slug: impl Display) -> String {
    format!("{CATALOGUE}/{slug}/order")
}
pub fn order(id: impl Display) -> String {
    format!("{ORDERS}/{id}")
}
/// An order as its approver sees it.
pub fn approval(order_id: impl Display) -> String {
    format!("{APPROVALS}/{order_id}")
}
/// The editor of one rule by its number, or of a new one (`new`).
pub fn policy_rule(number: impl Display) -> String {
    format!("{POLICIES}/{number}")
}
pub fn lab(id: impl Display) -> String {
    format!("{LABS}/{id}")
}
/// The way into a lab; the server's own route. A form that is posted here is answered by the page that leads on to the lab's site.
pub fn lab_open(id: impl Display) -> String {
    format!("{LABS}/{id}{OPEN}")
}
/// Whether a path is one of [`lab_open`].
pub fn is_lab_open(path: &str) -> bool {
    is_of_lab(path, OPEN)
}
/// Whether a path is that of a lab with this end.
fn is_of_lab(path: &str, end: &str) -> bool {
    let id = path.strip_prefix(LABS).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| rest.strip_suffix(end));
    id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
}
/// The page of a link to a lab.
pub fn shared_lab(secret: impl Display) -> String {
    format!("{SHARED_PREFIX}{secret}")
}
/// Log of a lab's containers, as text; the server's own route.
pub fn lab_log(id: impl Display) -> String {
    format!("{LABS}/{id}/logs")
}
/// The same on the lab's page.
pub fn lab_log_card(id: impl Display) -> String {
    format!("{LABS}/{id}#log")
}
/// A shell in the lab.
pub fn lab_terminal(id: impl Display) -> String {
    format!("{LABS}/{id}{TERMINAL}")
}
/// Whether a path is one of [`lab_terminal`].
pub fn is_lab_terminal(path: &str) -> bool {
    is_of_lab(path, TERMINAL)
}
/// The WebSocket of that shell; the server's own route.
pub fn lab_terminal_socket(id: impl Display) -> String {
    format!("{LABS}/{id}{TERMINAL}/socket")
}
/// Another size for a lab.
pub fn lab_resize(id: impl Display) -> String {
    format!("{LABS}/{id}/resize")
}
/// The order form filled as this order was.
pub fn order_again(id: impl Display) -> String {
    format!("{ORDERS}/{id}/again")
}
pub fn person(id: impl Display) -> String {
    format!("{PEOPLE}/{id}")
}
pub fn course(id: impl Display) -> String {
    format!("{COURSES}/{id}")
}
pub fn import(id: impl Display) -> String {
    format!("{IMPORTS}/{id}")
}
/// What a lab was billed for in a month.
pub fn lab_intervals(lab: impl Display, month: impl Display) -> String {
    with_query(&format!("{BILLING}/labs/{lab}"), &[("month", &month.to_string())])
}
pub fn audit_event(id: impl Display) -> String {
    format!("{AUDIT}/{id}")
}
/// `path` with a query; empty values are left out, the rest is percent-encoded.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut url = path.to_owned();
    let mut separator = '?';
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        url.push(separator);
        url.push_str(name);
        url.push('=');
        push_encoded(&mut url, value);
        separator = '&';
    }
    url
}
/// Sign-in that leads back to `path` afterwards.
pub fn sign_in_then(path: &str) -> String {
    with_query(SIGN_IN, &[("back", path)])
}

/// Text for the inside of a URL.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    push_encoded(&mut out, text);
    out
}

fn push_encoded(url: &mut String, value: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/:".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(char::from(HEX[usize::from(byte >> 4)]));
            url.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Every page. `SsrMode::Async` throughout: the server sends a page once it is whole, so that it reads without scripts
/// and has its true status code.
#[component]
pub fn Pages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=NotFound>
            <Route path=path!("/") view={Lazy::<lazy::Home>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/sign-in") view={Lazy::<lazy::SignIn>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/join/:token") view={Lazy::<lazy::Join>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/setup") view={Lazy::<lazy::Setup>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/search") view={Lazy::<lazy::Search>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/notifications") view={Lazy::<lazy::Notifications>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/catalogue") view={Lazy::<lazy::Catalogue>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/catalogue/:slug") view={Lazy::<lazy::Offering>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/catalogue/:slug/order") view={Lazy::<lazy::OrderForm>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/orders") view={Lazy::<lazy::Orders>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/orders/:id") view={Lazy::<lazy::Order>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/orders/:id/again") view={Lazy::<lazy::Again>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/approvals") view={Lazy::<lazy::Approvals>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/approvals/bulk") view={Lazy::<lazy::Bulk>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/approvals/:id") view={Lazy::<lazy::Approval>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/policies") view={Lazy::<lazy::Policies>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/policies/:number") view={Lazy::<lazy::Rule>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/labs") view={Lazy::<lazy::Labs>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/labs/:id") view={Lazy::<lazy::Lab>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/labs/:id/resize") view={Lazy::<lazy::Resize>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/labs/:id/terminal") view={Lazy::<lazy::Terminal>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/billing") view={Lazy::<lazy::Billing>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/billing/months") view={Lazy::<lazy::Months>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/billing/adjustments") view={Lazy::<lazy::Adjustments>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/billing/labs/:id") view={Lazy::<lazy::Intervals>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/prices") view={Lazy::<lazy::Prices>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/audit") view={Lazy::<lazy::Audit>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/audit/:id") view={Lazy::<lazy::AuditEvent>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/account") view={Lazy::<lazy::Account>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/people") view={Lazy::<lazy::People>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/people/:id") view={Lazy::<lazy::Person>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/courses") view={Lazy::<lazy::Courses>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/courses/:id") view={Lazy::<lazy::Course>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/imports") view={Lazy::<lazy::Imports>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/imports/:id") view={Lazy::<lazy::Import>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/announcements") view={Lazy::<lazy::Announcements>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/offerings") view={Lazy::<lazy::Offerings>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/offerings/:slug") view={Lazy::<lazy::OfferingEditor>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/cluster") view={Lazy::<lazy::Cluster>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/api-docs") view={Lazy::<lazy::ApiDocs>::new()} ssr=SsrMode::Async/>
            <ForBuilders/>
        </FlatRoutes>
    }
}

/// Pages that are not shipped: none without the feature `design`.
#[component(transparent)]
fn ForBuilders() -> AnyNestedRoute {
    #[cfg(feature = "design")]
    let pages = vec![view! { <Route path=path!("/design") view={Lazy::<lazy::Design>::new()} ssr=SsrMode::Async/> }.into_inner()];
    #[cfg(not(feature = "design"))]
    let pages = Vec::<AnyNestedRoute>::new();
    StaticVec::from(pages).into_any_nested_route()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_their_routes() {
        assert_eq!(lab("0199"), "/labs/0199");
        assert_eq!(order_form("jupyter-slice"), "/catalogue/jupyter-slice/order");
        assert!(is_lab_open(&lab_open("0199")));
        assert!(is_lab_terminal(&lab_terminal("0199")) && !is_lab_terminal(&lab_terminal_socket("0199")) && !is_lab_terminal(&lab("0199")));
        assert_eq!(shared_lab("shr_a"), "/labs/shared/shr_a");
        assert!(!is_lab_open("/labs/open") && !is_lab_open("/labs//open") && !is_lab_open("/labs/a/b/open"));
    }

    #[test]
    fn a_query_is_encoded_and_leaves_out_what_is_empty() {
        assert_eq!(with_query(ORDERS, &[("state", ""), ("text", "深 a&b")]), "/orders?text=%E6%B7%B1%20a%26b");
        assert_eq!(with_query(ORDERS, &[]), "/orders");
        assert_eq!(sign_in_then("/orders?a=1"), "/sign-in?back=/orders%3Fa%3D1");
    }
}
