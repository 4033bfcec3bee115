//! Endpoints and EndpointSlices of Services with a selector.

use serde_json::{Value, json};

use super::{
    Context, Work,
    pod_template::{is_ready, reference},
};
use crate::{
    admission::usage::has_ended,
    ops::{
        Writer, create,
        delete::{self, Options},
        update::{self, Part},
    },
    registry::Resource,
    selector::LabelSelector,
    store::{Change, Key, Object, Txn},
    value,
};

pub fn observe(context: &mut Context, change: &Change) {
    match change.key.resource {
        Resource::Services => context.queue.push(Work::Endpoints(change.key.clone())),
        Resource::Pods => {
            let of =
                |pod: Option<&Object>| pod.map(|pod| (pod["status"]["podIP"].clone(), is_ready(pod), has_ended(pod), value::is_terminating(pod)));
            if of(change.old.as_ref()) == of(change.new.as_ref()) {
                return;
            }
            let txn = context.store.write();
            let Some(pod) = change.new.as_ref().or(change.old.as_ref()) else { return };
            let selects = |service: &&Object| LabelSelector::of_map(&service["spec"]["selector"]).is_some_and(|selector| selector.matches(pod));
            let services: Vec<Key> =
                txn.iter(Resource::Services, &change.key.namespace).filter(selects).map(|service| Key::of(Resource::Services, service)).collect();
            drop(txn);
            for key in services {
                context.queue.push(Work::Endpoints(key));
            }
        }
        _ => {}
    }
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    let writer = Writer::controller("kube-controller-manager");
    let plain = Key::new(Resource::Endpoints, &*key.namespace, &*key.name);
    let Some(service) = txn.get(key) else {
        // Slices go by their owner reference; Endpoints have the Service's name alone.
        let _ = delete::delete(&mut txn, Resource::Endpoints.kind(), &plain, &Options::background(), &writer);
        return;
    };
    let Some(selector) = LabelSelector::of_map(&service["spec"]["selector"]) else { return };
    let publish_all = value::flag(&service, "/spec/publishNotReadyAddresses");
    let pods: Vec<Object> = txn
        .iter(Resource::Pods, &key.namespace)
        .filter(|pod| selector.matches(pod) && !has_ended(pod) && !value::text(pod, "/status/podIP").is_empty())
        .cloned()
        .collect();
    let target = |pod: &Object| json!({"kind": "Pod", "name": value::name(pod), "namespace": key.namespace, "uid": value::uid(pod)});
    let ports: Vec<Value> = value::items(&service, "/spec/ports")
        .iter()
        .map(|port| {
            let number = port["targetPort"].as_i64().or(port["port"].as_i64()).unwrap_or_default();
            let mut made = json!({"port": number, "protocol": port["protocol"]});
            if let Some(name) = port.get("name") {
                made["name"] = name.clone();
            }
            made
        })
        .collect();
    let address = |pod: &Object| json!({"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "hostname": pod["spec"]["hostname"], "targetRef": target(pod)});
    let (ready, unready): (Vec<&Object>, Vec<&Object>) = pods.iter().partition(|pod| publish_all || (is_ready(pod) && !value::is_terminating(pod)));
    let mut subset = json!({"ports": ports});
    for (name, list) in [("addresses", ready), ("notReadyAddresses", unready)] {
        if !list.is_empty() {
            subset[name] = list.into_iter().map(address).collect();
        }
    }
    let subsets = if pods.is_empty() { json!(null) } else { json!([subset]) };
    let labels = service["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
    put(&mut txn, &plain, &writer, json!({"metadata": {"name": key.name, "labels": labels}, "subsets": subsets}));

    let endpoints: Vec<Value> = pods
        .iter()
        .map(|pod| {
            let is_up = is_ready(pod) && !value::is_terminating(pod);
            json!({"addresses": [pod["status"]["podIP"]], "conditions": {"ready": is_up || publish_all, "serving": is_ready(pod), "terminating": value::is_terminating(pod)},
                "nodeName": pod["spec"]["nodeName"], "hostname": pod["spec"]["hostname"], "targetRef": target(pod)})
        })
        .collect();
    let suffix: String = value::uid(&service).chars().filter(char::is_ascii_alphanumeric).take(5).collect();
    let name = format!("{}-{suffix}", key.name);
    let mut labels = labels;
    labels["kubernetes.io/service-name"] = key.name.as_str().into();
    labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io".into();
    let slice = json!({"metadata": {"name": name, "labels": labels, "ownerReferences": [reference(&service)]}, "addressType": "IPv4", "endpoints": endpoints, "ports": ports});
    put(&mut txn, &Key::new(Resource::EndpointSlices, &*key.namespace, name), &writer, slice);
}

fn put(txn: &mut Txn<'_>, key: &Key, writer: &Writer, mut wanted: Value) {
    value::drop_nulls(&mut wanted);
    if txn.get(key).is_none() {
        let _ = create::create(txn, key.resource.kind(), &key.namespace, wanted, writer);
        return;
    }
    update::modify(txn, key, Part::Main, writer, |object| {
        for field in ["subsets", "endpoints", "ports"] {
            match wanted.get(field) {
                Some(part) => value::set(object, &[field], part.clone()),
                None => {
                    value::take(object, &[field]);
                }
            }
        }
        value::set(object, &["metadata", "labels"], wanted["metadata"]["labels"].clone());
    });
}
