//! Pages whose code the browser fetches when it first needs it, in a few parts by kind of work. The frame is
//! always there. A new page is a line in the table below; its route is `lazy::Name`. Parts are few because
//! what any two of them share becomes a file of its own: nine parts made a hundred files, four make ten.
//!
//! The server does not split anything. A first visit waits for the page's file before it takes the page over, so that the
//! browser's half is made exactly as the server's was. When a file cannot be fetched (a new version was installed, the
//! network is away) the browser loads the page as a document instead.

use leptos::prelude::*;
use leptos_router::LazyRoute;

/// `part ["first", "segments of its paths"] { Name = load_name, fetch_name: path::of::Component; }`; attributes before a
/// page, such as `#[cfg(..)]`, are those of all that is made for it.
macro_rules! pages {
    ($($part:ident [$($segment:literal),+] { $($(#[$meta:meta])* $name:ident = $load:ident, $fetch:ident: $($view:ident)::+;)+ })+) => {
        $($(
            $(#[$meta])*
            #[derive(Debug)]
            pub struct $name;

            $(#[$meta])*
            impl LazyRoute for $name {
                fn data() -> Self {
                    Self
                }
                async fn view(_: Self) -> AnyView {
                    match $load().await {
                        Ok(view) => view,
                        Err(Missing) => as_document(),
                    }
                }
                async fn preload() {
                    #[cfg(feature = "hydrate")]
                    let _ = $fetch().await;
                }
            }

            $(#[$meta])*
            #[cfg(feature = "hydrate")]
            #[leptos::wasm_split::wasm_split($part, wasm_split_path = ::leptos::wasm_split, fallible, preload($fetch))]
            fn $load() -> Result<AnyView, Missing> {
                Ok($($view)::+().into_any())
            }

            $(#[$meta])*
            #[cfg(not(feature = "hydrate"))]
            async fn $load() -> Result<AnyView, Missing> {
                Ok($($view)::+().into_any())
            }
        )+)+

        /// The part that holds the page at `path`; `None` for a page that is always there.
        pub fn part_of(path: &str) -> Option<&'static str> {
            // The one page whose first segment is shared with another part.
            if crate::routes::is_lab_terminal(path) {
                return Some("terminal");
            }
            match path.split('/').nth(1)? {
                $($($segment)|+ => Some(stringify!($part)),)+
                _ => None,
            }
        }

        /// Fetches what the page at `path` needs. `false` when a file could not be had.
        #[cfg(feature = "hydrate")]
        pub async fn fetch(path: &str) -> bool {
            match part_of(path) {
                // Every page of the part: each remembers by itself that the file is there.
                $(Some(name) if name == stringify!($part) => {
                    $($(#[$meta])* { if $fetch().await.is_err() { return false } })+
                    true
                })+
                _ => true,
            }
        }
    };
}

pages! {
    today ["", "sign-in"] {
        Home = load_home, fetch_home: crate::home::page::HomePage;
        SignIn = load_sign_in, fetch_sign_in: crate::session::page::SignInPage;
    }
    ordering ["catalogue", "orders"] {
        Catalogue = load_catalogue, fetch_catalogue: crate::catalogue::page::CataloguePage;
        Offering = load_offering, fetch_offering: crate::catalogue::detail::OfferingPage;
        OrderForm = load_order_form, fetch_order_form: crate::catalogue::page::OrderFormPage;
        Orders = load_orders, fetch_orders: crate::orders::page::OrdersPage;
        Order = load_order, fetch_order: crate::orders::page::OrderPage;
        Again = load_again, fetch_again: crate::orders::again::AgainPage;
    }
    labs ["labs"] {
        Labs = load_labs, fetch_labs: crate::labs::page::LabsPage;
        Lab = load_lab, fetch_lab: crate::labs::page::LabPage;
        Resize = load_resize, fetch_resize: crate::labs::resize::ResizePage;
    }
    terminal ["terminal"] {
        Terminal = load_terminal, fetch_terminal: crate::labs::terminal::page::TerminalPage;
    }
    deciding ["approvals", "policies"] {
        Approvals = load_approvals, fetch_approvals: crate::approvals::page::ApprovalsPage;
        Bulk = load_bulk, fetch_bulk: crate::approvals::bulk::BulkPage;
        Policies = load_policies, fetch_policies: crate::policies::page::PoliciesPage;
        Rule = load_rule, fetch_rule: crate::policies::rule_form::RulePage;
        Approval = load_approval, fetch_approval: crate::approvals::page::ApprovalPage;
    }
    accounting ["audit", "billing", "prices"] {
        Audit = load_audit, fetch_audit: crate::audit::page::AuditPage;
        AuditEvent = load_audit_event, fetch_audit_event: crate::audit::page::AuditEventPage;
        Billing = load_billing, fetch_billing: crate::billing::page::BillingPage;
        Months = load_months, fetch_months: crate::billing::months::MonthsPage;
        Adjustments = load_adjustments, fetch_adjustments: crate::billing::adjustments::AdjustmentsPage;
        Intervals = load_intervals, fetch_intervals: crate::billing::intervals::IntervalsPage;
        Prices = load_prices, fetch_prices: crate::prices::page::PricesPage;
    }
    managing ["account", "api-docs", "notifications", "search", "people", "courses", "announcements", "imports", "join", "cluster", "offerings", "setup"] {
        Notifications = load_notifications, fetch_notifications: crate::notifications::page::NotificationsPage;
        Search = load_search, fetch_search: crate::search::page::SearchPage;
        ApiDocs = load_api_docs, fetch_api_docs: crate::api_docs::page::ApiDocsPage;
        Account = load_account, fetch_account: crate::account::page::AccountPage;
        People = load_people, fetch_people: crate::people::page::PeoplePage;
        Person = load_person, fetch_person: crate::people::page::PersonPage;
        Courses = load_courses, fetch_courses: crate::courses::page::CoursesPage;
        Course = load_course, fetch_course: crate::courses::page::CoursePage;
        Announcements = load_announcements, fetch_announcements: crate::announcements::page::AnnouncementsPage;
        Imports = load_imports, fetch_imports: crate::imports::page::ImportsPage;
        Import = load_import, fetch_import: crate::imports::page::ImportPage;
        Join = load_join, fetch_join: crate::join::page::JoinPage;
        Cluster = load_cluster, fetch_cluster: crate::nodes::page::ClusterPage;
        Offerings = load_offerings, fetch_offerings: crate::offerings::page::OfferingsPage;
        OfferingEditor = load_offering_editor, fetch_offering_editor: crate::offerings::page::OfferingEditorPage;
        Setup = load_setup, fetch_setup: crate::setup::page::SetupPage;
    }
    design ["design"] {
        #[cfg(feature = "design")]
        Design = load_design, fetch_design: crate::design::page::DesignPage;
    }
}

/// The file of a page could not be fetched.
#[derive(Debug)]
struct Missing;

#[cfg(feature = "hydrate")]
impl From<leptos::wasm_split::SplitLoaderError> for Missing {
    fn from(_: leptos::wasm_split::SplitLoaderError) -> Self {
        Self
    }
}

/// Has the browser load the page anew, with the files of the version that is installed now.
fn as_document() -> AnyView {
    #[cfg(feature = "hydrate")]
    {
        let url = leptos_router::hooks::use_url().get_untracked();
        let search = if url.search().is_empty() { String::new() } else { format!("?{}", url.search()) };
        // It only fails for a URL that is none.
        let _ = window().location().assign(&format!("{}{search}", url.path()));
    }
    ().into_any()
}

#[cfg(test)]
mod tests {
    use super::part_of;

    #[test]
    fn a_path_leads_to_its_part() {
        assert_eq!(part_of("/billing"), Some("accounting"));
        assert_eq!(part_of("/catalogue/jupyter/order"), Some("ordering"));
        assert_eq!(part_of("/labs/0199/terminal"), Some("terminal"));
        assert_eq!(part_of("/labs/0199"), Some("labs"));
        assert_eq!(part_of("/people"), Some("managing"));
        assert_eq!(part_of("/"), Some("today"));
        assert_eq!(part_of("/sign-in"), Some("today"));
    }
}
