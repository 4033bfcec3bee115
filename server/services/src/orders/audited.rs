//! An order in the audit record.

use domain::{ids::OrderId, orders::Order, people::PersonRef};
use serde_json::{Value, json};

use crate::audit::Entry;

/// An entry about this order.
pub(super) fn entry(action: &str, order: &Order) -> Entry {
    Entry::new(action, "order", order.id, format!("#{}", order.number)).course(order.course)
}

/// An entry about what was asked of an order, which may not be there.
pub(super) fn attempt(action: &str, id: OrderId, order: Option<&Order>) -> Entry {
    order.map_or_else(|| Entry::new(action, "order", id, ""), |order| entry(action, order))
}

/// The tracked fields. Without `..`: a new field does not compile before it is classed here.
pub(super) fn tracked(order: &Order) -> Value {
    let Order {
        // Carried by the record itself.
        id: _,
        number: _,
        tenant: _,
        course: _,
        owner,
        offering: _,
        offering_version,
        offering_name,
        parameters,
        // Follows from offering and parameters; the cards are what a change is about.
        spec,
        minutes,
        purpose,
        state,
        ruling,
        estimate,
        submitted_at: _,
        expires_at,
        decided_at: _,
        decided_by,
        reason,
        queued_at,
        stage,
        barred,
        proposal,
        starts_at,
        seat,
        class,
        change,
        version,
    } = order;
    json!({
        "owner": owner,
        "offering": offering_name.en,
        "offering_version": offering_version,
        "parameters": parameters,
        "minutes": minutes,
        "purpose": purpose,
        "starts_at": starts_at.map(domain::time::Timestamp::to_rfc3339),
        "seat": seat,
        "class": class,
        "change": change,
        "state": state,
        "card": spec.card,
        "cards": spec.cards(),
        "ruling": ruling.outcome,
        "rule": ruling.rule.as_ref().map(|name| &name.en),
        "estimate": estimate.total.to_string(),
        "expires_at": expires_at.to_rfc3339(),
        "decided_by": decided_by,
        "reason": reason,
        "queued_at": queued_at.map(domain::time::Timestamp::to_rfc3339),
        "stage": stage,
        "barred": barred,
        "proposal": proposal.as_ref().map(|proposal| json!({
            "parameters": proposal.to.parameters,
            "minutes": proposal.to.minutes,
            "estimate": proposal.to.estimate.total.to_string(),
            "by": proposal.by,
            "on_behalf_of": proposal.on_behalf_of,
            "text": proposal.text,
        })),
        "version": version,
    })
}

/// The same with whose name it was done in, where it was not the caller's own.
pub(super) fn signed(mut value: Value, on_behalf_of: Option<&PersonRef>) -> Value {
    if let (Some(fields), Some(PersonRef { id, login, name })) = (value.as_object_mut(), on_behalf_of) {
        fields.insert("on_behalf_of".into(), json!({ "id": id, "login": login, "name": name }));
    }
    value
}

/// The fields that a transition changes, before or after it.
pub(super) fn transition(order: &Order) -> Value {
    json!({ "state": order.state, "stage": order.stage, "reason": order.reason, "version": order.version })
}
