//! Columns of storage, quotas, policies and configuration.

use serde_json::Value;

use super::{Column, age, joined, or};
use crate::{selector::LabelSelector, value};

fn size(object: &Value, pointer: &str) -> Value {
    object.pointer(pointer).and_then(Value::as_object).map_or(0, serde_json::Map::len).to_string().into()
}

fn modes(object: &Value) -> Value {
    let short = |mode: &Value| match mode.as_str().unwrap_or_default() {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    joined(value::items(object, "/spec/accessModes").iter().map(short)).into()
}

pub fn claims() -> Vec<Column> {
    vec![
        Column::plain("Status", |claim| if value::is_terminating(claim) { "Terminating".into() } else { or(claim, "/status/phase", "") }),
        Column::plain("Volume", |claim| or(claim, "/spec/volumeName", "")),
        Column::plain("Capacity", |claim| or(claim, "/status/capacity/storage", "")),
        Column::plain("Access Modes", |claim| if value::text(claim, "/spec/volumeName").is_empty() { "".into() } else { modes(claim) }),
        Column::plain("StorageClass", |claim| or(claim, "/spec/storageClassName", "")),
        Column::plain("VolumeAttributesClass", |_| "<unset>".into()),
        Column::plain("Age", age),
        Column::wide("VolumeMode", |claim| or(claim, "/spec/volumeMode", "<unset>")),
    ]
}

pub fn volumes() -> Vec<Column> {
    vec![
        Column::plain("Capacity", |volume| or(volume, "/spec/capacity/storage", "")),
        Column::plain("Access Modes", modes),
        Column::plain("Reclaim Policy", |volume| or(volume, "/spec/persistentVolumeReclaimPolicy", "")),
        Column::plain("Status", |volume| or(volume, "/status/phase", "")),
        Column::plain("Claim", |volume| match value::text(volume, "/spec/claimRef/name") {
            "" => "".into(),
            name => format!("{}/{name}", value::text(volume, "/spec/claimRef/namespace")).into(),
        }),
        Column::plain("StorageClass", |volume| or(volume, "/spec/storageClassName", "")),
        Column::plain("VolumeAttributesClass", |_| "<unset>".into()),
        Column::plain("Reason", |volume| or(volume, "/status/reason", "")),
        Column::plain("Age", age),
        Column::wide("VolumeMode", |volume| or(volume, "/spec/volumeMode", "<unset>")),
    ]
}

pub fn storage_classes() -> Vec<Column> {
    vec![
        Column::plain("Provisioner", |class| or(class, "/provisioner", "")),
        Column::plain("ReclaimPolicy", |class| or(class, "/reclaimPolicy", "")),
        Column::plain("VolumeBindingMode", |class| or(class, "/volumeBindingMode", "")),
        Column::plain("AllowVolumeExpansion", |class| value::flag(class, "/allowVolumeExpansion").to_string().into()),
        Column::plain("Age", age),
    ]
}

pub fn quotas() -> Vec<Column> {
    fn side(quota: &Value, limits: bool) -> Value {
        let each = value::entries(quota, "/status/hard").filter(|(name, _)| name.starts_with("limits.") == limits).map(|(name, hard)| {
            let used = quota.pointer("/status/used").and_then(|used| used.get(name)).and_then(Value::as_str).unwrap_or("0");
            format!("{name}: {used}/{}", hard.as_str().unwrap_or_default())
        });
        each.collect::<Vec<_>>().join(", ").into()
    }
    vec![Column::plain("Request", |quota| side(quota, false)), Column::plain("Limit", |quota| side(quota, true)), Column::plain("Age", age)]
}

pub fn role_bindings() -> Vec<Column> {
    fn subjects(binding: &Value, kind: &str) -> Value {
        let each = value::items(binding, "/subjects").iter().filter(|one| one["kind"] == kind).map(|one| match value::text(one, "/namespace") {
            "" => value::text(one, "/name").to_owned(),
            namespace => format!("{namespace}/{}", value::text(one, "/name")),
        });
        each.collect::<Vec<_>>().join(", ").into()
    }
    vec![
        Column::plain("Role", |binding| format!("{}/{}", value::text(binding, "/roleRef/kind"), value::text(binding, "/roleRef/name")).into()),
        Column::plain("Age", age),
        Column::wide("Users", |binding| subjects(binding, "User")),
        Column::wide("Groups", |binding| subjects(binding, "Group")),
        Column::wide("ServiceAccounts", |binding| subjects(binding, "ServiceAccount")),
    ]
}

pub fn network_policies() -> Vec<Column> {
    vec![
        Column::plain("Pod-Selector", |policy| {
            let text = policy.pointer("/spec/podSelector").and_then(LabelSelector::of).map(|selector| selector.to_string()).unwrap_or_default();
            if text.is_empty() { "<none>".into() } else { text.into() }
        }),
        Column::plain("Age", age),
    ]
}

pub fn leases() -> Vec<Column> {
    vec![Column::plain("Holder", |lease| or(lease, "/spec/holderIdentity", "")), Column::plain("Age", age)]
}

pub fn endpoint_slices() -> Vec<Column> {
    fn unset(text: String) -> Value {
        if text.is_empty() { "<unset>".into() } else { text.into() }
    }
    vec![
        Column::plain("AddressType", |slice| or(slice, "/addressType", "")),
        Column::plain("Ports", |slice| {
            unset(value::items(slice, "/ports").iter().map(|port| port["port"].to_string()).collect::<Vec<_>>().join(","))
        }),
        Column::plain("Endpoints", |slice| unset(joined(value::items(slice, "/endpoints").iter().map(|one| value::text(one, "/addresses/0"))))),
        Column::plain("Age", age),
    ]
}

pub fn secrets() -> Vec<Column> {
    vec![Column::plain("Type", |secret| or(secret, "/type", "")), Column::plain("Data", |secret| size(secret, "/data")), Column::plain("Age", age)]
}

pub fn config_maps() -> Vec<Column> {
    fn both(map: &Value) -> Value {
        let count = |part: &str| map.get(part).and_then(Value::as_object).map_or(0, serde_json::Map::len);
        (count("data") + count("binaryData")).to_string().into()
    }
    vec![Column::plain("Data", both), Column::plain("Age", age)]
}

pub fn service_accounts() -> Vec<Column> {
    vec![Column::plain("Secrets", |account| value::items(account, "/secrets").len().to_string().into()), Column::plain("Age", age)]
}
