//! Which scope a token needs for an operation, for its description. What decides is `domain::access`; a test holds both together.

use domain::access::Scope;

/// `None` where any good token will do, or none at all. `path` is below [`super::PREFIX`].
pub fn of(method: &str, path: &str) -> Option<Scope> {
    let reading = method.eq_ignore_ascii_case("get");
    let mut parts = path.trim_start_matches('/').split('/');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
    Some(match first {
        "openapi.json" | "search" | "notifications" => return None,
        "offerings" if reading && last != "versions" => Scope::OfferingsRead,
        // The form of an earlier order; ordering itself is another request.
        "orders" if reading || last == "again" => Scope::OrdersRead,
        "orders" if matches!(last, "approve" | "reject" | "ask" | "withdraw-changes") => Scope::OrdersDecide,
        "class-orders" if last != "cancel" => Scope::OrdersDecide,
        "orders" | "class-orders" => Scope::OrdersWrite,
        "approvals" | "delegations" => Scope::OrdersDecide,
        // Only those who may share a lab see its links.
        "labs" if reading && last == "shares" => Scope::LabsWrite,
        "labs" | "ssh-keys" if reading => Scope::LabsRead,
        "labs" | "ssh-keys" => Scope::LabsWrite,
        "usage" | "cost-estimate" => Scope::UsageRead,
        "bills" | "prices" | "discounts" | "adjustments" if reading => Scope::BillsRead,
        // With it whoever orders says for whom.
        "courses" if last == "roster" && !reading => Scope::OrdersWrite,
        "quotas" | "courses" | "tenants" if reading => Scope::QuotasRead,
        "audit" => Scope::AuditRead,
        _ => Scope::Admin,
    })
}

/// The scope to read what the operation answers with, where that is another one: without it nothing is changed.
pub fn of_answer(method: &str, path: &str) -> Option<Scope> {
    let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
    if method.eq_ignore_ascii_case("get") || matches!(parts.as_slice(), ["courses", .., "roster"]) {
        return None;
    }
    match parts.as_slice() {
        ["courses", ..] => Some(Scope::QuotasRead),
        ["prices"] | ["bills", "close"] => Some(Scope::BillsRead),
        _ => None,
    }
}
