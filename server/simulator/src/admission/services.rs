//! Addresses of Services: each gets a free one of 10.96.0.0/16, headless ones none.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::{
    error::{ApiError, FieldError, Result},
    registry::{Kind, Resource},
    store::Txn,
    value,
};

/// Gives a new Service its address and node ports.
pub fn allocate(txn: &Txn<'_>, kind: &Kind, service: &mut Value) -> Result<()> {
    if kind.resource != Resource::Services || value::text(service, "/spec/type") == "ExternalName" {
        return Ok(());
    }
    let taken: HashSet<String> = txn.iter(Resource::Services, "").map(|other| value::text(other, "/spec/clusterIP").to_owned()).collect();
    let wanted = value::text(service, "/spec/clusterIP").to_owned();
    let address = match wanted.as_str() {
        "" => (0_u32..65_000).map(|at| format!("10.96.{}.{}", at / 250, at % 250 + 2)).find(|free| !taken.contains(free)),
        "None" => Some(wanted),
        _ if taken.contains(&wanted) => {
            let detail = "failed to allocate IP ".to_owned() + &wanted + ": provided IP is already allocated";
            let error = FieldError::invalid("spec.clusterIPs", &json!([wanted]), &detail);
            return Err(ApiError::invalid(kind, value::name(service), &[error]));
        }
        _ => Some(wanted),
    };
    if let Some(address) = address {
        value::set(service, &["spec", "clusterIP"], address.as_str());
        value::set(service, &["spec", "clusterIPs"], json!([address]));
    }
    if ["NodePort", "LoadBalancer"].contains(&value::text(service, "/spec/type")) {
        let used: HashSet<i64> = txn
            .iter(Resource::Services, "")
            .flat_map(|other| value::items(other, "/spec/ports").iter().filter_map(|port| value::int(port, "/nodePort")))
            .collect();
        let mut free = (30_000_i64..32_768).filter(|port| !used.contains(port));
        for port in service.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(free) = free.next() {
                value::set_default(port, &["nodePort"], free);
            }
        }
    }
    Ok(())
}

/// Keeps a Service's address over a change that leaves it out; another address is refused.
pub fn keep(kind: &Kind, old: &Value, new: &mut Value) -> Result<()> {
    if kind.resource != Resource::Services {
        return Ok(());
    }
    for field in ["clusterIP", "clusterIPs"] {
        if let Some(kept) = old["spec"].get(field) {
            value::set_default(new, &["spec", field], kept.clone());
        }
    }
    if value::text(old, "/spec/clusterIP") != value::text(new, "/spec/clusterIP") && value::text(new, "/spec/type") != "ExternalName" {
        let shown = new["spec"]["clusterIP"].to_string();
        let error = FieldError {
            reason: "FieldValueInvalid",
            field: "spec.clusterIPs[0]".to_owned(),
            message: format!("Invalid value: []string{{{shown}}}: may not change once set"),
        };
        return Err(ApiError::invalid(kind, value::name(new), &[error]));
    }
    Ok(())
}
