//! The route table and the typed links to it: the only place that knows what a URL looks like.

use std::fmt::Display;

use leptos::prelude::*;
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route},
    path,
};

use crate::{
    account::page::AccountPage,
    admin::page::{ClusterPage, CoursesPage, PeoplePage},
    approvals::page::{ApprovalPage, ApprovalsPage},
    audit::page::{AuditEventPage, AuditPage},
    billing::page::BillingPage,
    catalogue::page::{CataloguePage, OrderFormPage},
    home::page::HomePage,
    labs::page::{LabPage, LabsPage},
    layout::NotFound,
    orders::page::{OrderPage, OrdersPage},
    session::page::SignInPage,
    setup::page::SetupPage,
};

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
            <Route path=path!("/setup") view=SetupPage ssr=SsrMode::Async/>
            <Route path=path!("/catalogue") view=CataloguePage ssr=SsrMode::Async/>
            <Route path=path!("/catalogue/:slug/order") view=OrderFormPage ssr=SsrMode::Async/>
            <Route path=path!("/orders") view=OrdersPage ssr=SsrMode::Async/>
            <Route path=path!("/orders/:id") view=OrderPage ssr=SsrMode::Async/>
            <Route path=path!("/approvals") view=ApprovalsPage ssr=SsrMode::Async/>
            <Route path=path!("/approvals/:id") view=ApprovalPage ssr=SsrMode::Async/>
            <Route path=path!("/labs") view=LabsPage ssr=SsrMode::Async/>
            <Route path=path!("/labs/:id") view=LabPage ssr=SsrMode::Async/>
            <Route path=path!("/billing") view=BillingPage ssr=SsrMode::Async/>
            <Route path=path!("/audit") view=AuditPage ssr=SsrMode::Async/>
            <Route path=path!("/audit/:id") view=AuditEventPage ssr=SsrMode::Async/>
            <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async/>
            <Route path=path!("/people") view=PeoplePage ssr=SsrMode::Async/>
            <Route path=path!("/courses") view=CoursesPage ssr=SsrMode::Async/>
            <Route path=path!("/cluster") view=ClusterPage ssr=SsrMode::Async/>
        </FlatRoutes>
    }
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
