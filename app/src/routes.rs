//! The route table and the typed links to it: the only place that knows what a URL looks like.

use std::fmt::Display;

use leptos::{prelude::*, tachys::view::iterators::StaticVec};
use leptos_router::{
    Lazy, SsrMode,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::{FlatRoutes, Route},
    path,
};

use crate::{home::page::HomePage, layout::NotFound, lazy, session::page::SignInPage};

pub const HOME: &str = "/";
pub const SIGN_IN: &str = "/sign-in";
/// A form posts here; the server ends the session.
pub const SIGN_OUT: &str = "/sign-out";
pub const SETUP: &str = "/setup";
pub const CATALOGUE: &str = "/catalogue";
pub const ORDERS: &str = "/orders";
pub const APPROVALS: &str = "/approvals";
pub const LABS: &str = "/labs";
pub const BILLING: &str = "/billing";
pub const AUDIT: &str = "/audit";
pub const ACCOUNT: &str = "/account";
pub const PEOPLE: &str = "/people";
pub const COURSES: &str = "/courses";
pub const CLUSTER: &str = "/cluster";
pub const API_DOCS: &str = "/api-docs";
/// Only with the feature `design`.
pub const DESIGN: &str = "/design";

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
pub fn lab(id: impl Display) -> String {
    format!("{LABS}/{id}")
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
            <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
            <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async/>
            <Route path=path!("/setup") view={Lazy::<lazy::Setup>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/catalogue") view={Lazy::<lazy::Catalogue>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/catalogue/:slug/order") view={Lazy::<lazy::OrderForm>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/orders") view={Lazy::<lazy::Orders>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/orders/:id") view={Lazy::<lazy::Order>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/approvals") view={Lazy::<lazy::Approvals>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/approvals/:id") view={Lazy::<lazy::Approval>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/labs") view={Lazy::<lazy::Labs>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/labs/:id") view={Lazy::<lazy::Lab>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/billing") view={Lazy::<lazy::Billing>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/audit") view={Lazy::<lazy::Audit>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/audit/:id") view={Lazy::<lazy::AuditEvent>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/account") view={Lazy::<lazy::Account>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/people") view={Lazy::<lazy::People>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/courses") view={Lazy::<lazy::Courses>::new()} ssr=SsrMode::Async/>
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
    }

    #[test]
    fn a_query_is_encoded_and_leaves_out_what_is_empty() {
        assert_eq!(with_query(ORDERS, &[("state", ""), ("text", "深 a&b")]), "/orders?text=%E6%B7%B1%20a%26b");
        assert_eq!(with_query(ORDERS, &[]), "/orders");
        assert_eq!(sign_in_then("/orders?a=1"), "/sign-in?back=/orders%3Fa%3D1");
    }
}
