//! ResourceQuota: what each object counts for, refusal with the real words, and the `used` figures.

use serde_json::{Value, json};

use super::usage::{self, Amounts, Side};
use crate::{
    error::{ApiError, Result},
    quantity::Quantity,
    registry::{Kind, Resource},
    store::{Key, Txn},
    value,
};

/// New `used` figures, to be stored together with the object that causes them.
#[derive(Debug, Default)]
pub struct Charge(Vec<(Key, Value)>);

impl Charge {
    pub fn book(self, txn: &mut Txn<'_>) {
        for (key, used) in self.0 {
            if let Some(quota) = txn.get(&key) {
                let mut quota = (*quota).clone();
                value::set(&mut quota, &["status", "used"], used);
                txn.put(Resource::ResourceQuotas, quota);
            }
        }
    }
}

/// Checks a new or changed object against the quotas of its namespace.
pub fn check(txn: &Txn<'_>, kind: &Kind, old: Option<&Value>, new: &Value) -> Result<Charge> {
    if !kind.namespaced || matches!(kind.resource, Resource::Events | Resource::ResourceQuotas) {
        return Ok(Charge::default());
    }
    let after = evaluate(kind, new);
    let before = old.map(|old| evaluate(kind, old)).unwrap_or_default();
    let grows: Amounts = after
        .iter()
        .map(|(name, amount)| (name.clone(), *amount - before.get(name).copied().unwrap_or(Quantity::ZERO)))
        .filter(|(_, more)| *more > Quantity::ZERO)
        .collect();
    if grows.is_empty() && old.is_some() {
        return Ok(Charge::default());
    }
    let mut charge = Charge::default();
    for quota in txn.iter(Resource::ResourceQuotas, value::namespace(new)) {
        let hard = usage::amounts(quota.pointer("/spec/hard"));
        if hard.is_empty() || !in_scope(quota, kind, new) {
            continue;
        }
        if kind.resource == Resource::Pods && old.is_none() {
            check_constraints(kind, quota, &hard, new)?;
        }
        let asked: Amounts = grows.iter().filter(|(name, _)| hard.contains_key(*name)).map(|(name, more)| (name.clone(), *more)).collect();
        if asked.is_empty() {
            continue;
        }
        let mut used = used(txn, quota);
        let over: Vec<&String> = asked.iter().filter(|(name, more)| used[*name] + **more > hard[*name]).map(|(name, _)| name).collect();
        if !over.is_empty() {
            let list = |of: &dyn Fn(&String) -> Quantity| over.iter().map(|name| format!("{name}={}", of(name))).collect::<Vec<_>>().join(",");
            let why = format!(
                "exceeded quota: {}, requested: {}, used: {}, limited: {}",
                value::name(quota),
                list(&|name| asked[name]),
                list(&|name| used[name]),
                list(&|name| hard[name])
            );
            return Err(ApiError::forbidden(kind, value::name(new), &why));
        }
        usage::add(&mut used, &asked);
        charge.0.push((Key::of(Resource::ResourceQuotas, quota), shown(&used)));
    }
    Ok(charge)
}

/// A quota on cpu or memory wants every container to say how much.
fn check_constraints(kind: &Kind, quota: &Value, hard: &Amounts, pod: &Value) -> Result<()> {
    let mut missing: Vec<(String, Vec<String>)> = Vec::new();
    for name in hard.keys() {
        let (side, resource) = match name.as_str() {
            "cpu" | "memory" => ("requests", name.as_str()),
            "requests.cpu" | "requests.memory" | "limits.cpu" | "limits.memory" => name.split_once('.').unwrap_or_default(),
            _ => continue,
        };
        let lacking: Vec<String> = value::items(pod, "/spec/initContainers")
            .iter()
            .chain(value::items(pod, "/spec/containers"))
            .filter(|container| container.pointer(&format!("/resources/{side}/{resource}")).is_none())
            .map(|container| value::text(container, "/name").to_owned())
            .collect();
        if !lacking.is_empty() {
            missing.push((name.clone(), lacking));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = missing.iter().map(|(name, containers)| format!("{name} for: {}", containers.join(","))).collect();
    let why = format!("failed quota: {}: must specify {}", value::name(quota), list.join("; "));
    Err(ApiError::forbidden(kind, value::name(pod), &why))
}

fn in_scope(quota: &Value, kind: &Kind, object: &Value) -> bool {
    value::items(quota, "/spec/scopes").iter().all(|scope| {
        if kind.resource != Resource::Pods {
            return false;
        }
        let has_deadline = value::int(object, "/spec/activeDeadlineSeconds").is_some();
        let is_best_effort = value::text(object, "/status/qosClass") == "BestEffort";
        match scope.as_str() {
            Some("Terminating") => has_deadline,
            Some("NotTerminating") => !has_deadline,
            Some("BestEffort") => is_best_effort,
            Some("NotBestEffort") => !is_best_effort,
            _ => true,
        }
    })
}

/// What an object counts for, under every name a quota may use.
pub fn evaluate(kind: &Kind, object: &Value) -> Amounts {
    let one = Quantity::whole(1);
    let mut sum = Amounts::new();
    let suffix = if kind.group.is_empty() { kind.plural.to_owned() } else { kind.qualified() };
    sum.insert(format!("count/{suffix}"), one);
    match kind.resource {
        Resource::Pods => {
            if usage::has_ended(object) {
                return sum;
            }
            sum.insert("pods".to_owned(), one);
            for (name, amount) in usage::pod(object, Side::Requests) {
                if ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str()) {
                    sum.insert(name.clone(), amount);
                }
                sum.insert(format!("requests.{name}"), amount);
            }
            for (name, amount) in usage::pod(object, Side::Limits) {
                if ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str()) {
                    sum.insert(format!("limits.{name}"), amount);
                }
            }
        }
        Resource::PersistentVolumeClaims => {
            sum.insert("persistentvolumeclaims".to_owned(), one);
            let class = value::text(object, "/spec/storageClassName");
            if let Some(size) = object.pointer("/spec/resources/requests/storage").and_then(Quantity::of) {
                sum.insert("requests.storage".to_owned(), size);
                if !class.is_empty() {
                    sum.insert(format!("{class}.storageclass.storage.k8s.io/requests.storage"), size);
                }
            }
            if !class.is_empty() {
                sum.insert(format!("{class}.storageclass.storage.k8s.io/persistentvolumeclaims"), one);
            }
        }
        Resource::Services => {
            sum.insert("services".to_owned(), one);
            let ports = Quantity::whole(i64::try_from(value::items(object, "/spec/ports").len()).unwrap_or_default());
            match value::text(object, "/spec/type") {
                "NodePort" => drop(sum.insert("services.nodeports".to_owned(), ports)),
                "LoadBalancer" => drop(sum.insert("services.loadbalancers".to_owned(), one)),
                _ => {}
            }
        }
        Resource::ConfigMaps | Resource::Secrets | Resource::ReplicationControllers => {
            sum.insert(kind.plural.to_owned(), one);
        }
        _ => {}
    }
    sum
}

/// What the namespace uses of each resource that the quota limits.
pub fn used(txn: &Txn<'_>, quota: &Value) -> Amounts {
    let hard = usage::amounts(quota.pointer("/spec/hard"));
    let mut sum: Amounts = hard.keys().filter(|name| is_counted(name)).map(|name| (name.clone(), Quantity::ZERO)).collect();
    for kind in crate::registry::kinds().iter().filter(|kind| kind.namespaced && kind.resource != Resource::Events) {
        if !counts(kind, &hard) {
            continue;
        }
        for object in txn.iter(kind.resource, value::namespace(quota)).filter(|object| in_scope(quota, kind, object)) {
            for (name, amount) in evaluate(kind, object) {
                if let Some(slot) = sum.get_mut(&name) {
                    *slot = *slot + amount;
                }
            }
        }
    }
    sum
}

/// Whether anything can count towards this name: of extended resources, only requests do.
fn is_counted(name: &str) -> bool {
    !name.contains('/') || name.starts_with("requests.") || name.starts_with("count/") || name.contains(".storageclass.storage.k8s.io/")
}

fn counts(kind: &Kind, hard: &Amounts) -> bool {
    let names_it = |name: &String| name.strip_prefix("count/").is_some_and(|counted| counted == kind.qualified());
    let has_more =
        matches!(kind.resource, Resource::Pods | Resource::PersistentVolumeClaims | Resource::Services | Resource::ConfigMaps | Resource::Secrets);
    has_more || hard.keys().any(names_it)
}

/// The amounts as a JSON map.
pub fn shown(amounts: &Amounts) -> Value {
    let mut map = json!({});
    for (name, amount) in amounts {
        map[name] = amount.to_string().into();
    }
    map
}
