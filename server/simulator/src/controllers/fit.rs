//! Whether a pod fits a node, and how well.

use serde_json::{Value, json};

use crate::{admission::usage::Amounts, quantity::Quantity, selector::LabelSelector, value};

/// Why a node is out of the question, whatever runs on it.
pub fn mismatch(pod: &Value, node: &Value) -> Option<String> {
    if value::flag(node, "/spec/unschedulable") && !tolerates(pod, &json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})) {
        return Some("node(s) were unschedulable".to_owned());
    }
    for taint in value::items(node, "/spec/taints") {
        if ["NoSchedule", "NoExecute"].contains(&value::text(taint, "/effect")) && !tolerates(pod, taint) {
            return Some(format!("node(s) had untolerated taint {{{}: {}}}", value::text(taint, "/key"), value::text(taint, "/value")));
        }
    }
    let fits = |selector: Option<LabelSelector>| selector.is_none_or(|selector| selector.matches(node));
    if !fits(pod.pointer("/spec/nodeSelector").and_then(LabelSelector::of_map)) || !affinity_fits(pod, node) {
        return Some("node(s) didn't match Pod's node affinity/selector".to_owned());
    }
    None
}

fn affinity_fits(pod: &Value, node: &Value) -> bool {
    let terms = value::items(pod, "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
    terms.is_empty()
        || terms.iter().any(|term| {
            let by_label = LabelSelector::of(&json!({"matchExpressions": term["matchExpressions"]})).is_none_or(|selector| selector.matches(node));
            let by_field = value::items(term, "/matchFields").iter().all(|field| {
                let is_listed = value::items(field, "/values").iter().any(|name| name == value::name(node));
                is_listed == (value::text(field, "/operator") == "In")
            });
            by_label && by_field
        })
}

/// How much the pod wishes to go to this node: the weights of its preferred terms that fit.
pub fn wish(pod: &Value, node: &Value) -> i64 {
    let terms = value::items(pod, "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution");
    let fits = |term: &&Value| {
        LabelSelector::of(&json!({"matchExpressions": term["preference"]["matchExpressions"]})).is_none_or(|selector| selector.matches(node))
    };
    terms.iter().filter(fits).map(|term| value::int(term, "/weight").unwrap_or_default()).fold(0, i64::saturating_add)
}

fn tolerates(pod: &Value, taint: &Value) -> bool {
    value::items(pod, "/spec/tolerations").iter().any(|toleration| {
        let (key, effect) = (value::text(toleration, "/key"), value::text(toleration, "/effect"));
        let is_any = value::text(toleration, "/operator") == "Exists";
        (effect.is_empty() || effect == value::text(taint, "/effect"))
            && ((key.is_empty() && is_any)
                || (key == value::text(taint, "/key") && (is_any || value::text(toleration, "/value") == value::text(taint, "/value"))))
    })
}

pub fn shortages(asked: &Amounts, allocatable: &Amounts, taken: &Amounts, count: i64) -> Vec<String> {
    let mut short = Vec::new();
    if allocatable.get("pods").is_some_and(|most| Quantity::whole(count + 1) > *most) {
        short.push("Too many pods".to_owned());
    }
    for (name, amount) in asked {
        let whole = allocatable.get(name).copied().unwrap_or(Quantity::ZERO);
        let busy = taken.get(name).copied().unwrap_or(Quantity::ZERO);
        if !amount.is_zero() && busy + *amount > whole {
            short.push(format!("Insufficient {name}"));
        }
    }
    short
}

/// The emptier a node in what the pod asks for (and in cpu and memory), the better.
pub fn free_share(asked: &Amounts, allocatable: &Amounts, taken: &Amounts) -> f64 {
    let names = asked.keys().map(String::as_str).chain(["cpu", "memory"]);
    let mut sum = 0.0;
    for name in names {
        let whole = allocatable.get(name).copied().unwrap_or(Quantity::ZERO);
        let busy = taken.get(name).copied().unwrap_or(Quantity::ZERO);
        sum += 1.0 - busy.share_of(whole);
    }
    // Pods that ask for no cards leave nodes with cards to others.
    let asks_for_cards = asked.keys().any(|name| name.contains('/'));
    let has_cards = allocatable.keys().any(|name| name.contains('/'));
    if has_cards && !asks_for_cards { sum - 1.0 } else { sum }
}
