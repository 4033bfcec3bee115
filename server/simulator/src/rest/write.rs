//! Requests that change something. Each answers only after the journal has the change.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{
    Api, Call, json as respond,
    path::{Target, What},
    query, shown,
};
use crate::{
    admission::usage::has_ended,
    controllers::{events, pod_template::set_condition},
    error::{ApiError, Result},
    ops::{
        DryRun, create,
        delete::{self, Deleted},
        patch::{self, Force, Patch},
        update::{self, Part},
    },
    registry::{Kind, Resource},
    store::{Key, Object, Store},
    value,
};

/// Runs a change under the lock and waits until it is safe from a kill.
async fn change<T>(store: &Store, work: impl FnOnce(&mut crate::store::Txn<'_>) -> Result<T>) -> Result<T> {
    let (result, version) = {
        let mut txn = store.write();
        let result = work(&mut txn);
        (result, txn.version())
    };
    store.flushed(version).await;
    result
}

pub async fn create(api: &Arc<Api>, target: &Target, call: &Call) -> Result<Response> {
    let kind = target.kind;
    if kind.namespaced && target.namespace.is_empty() {
        return Err(ApiError::method_not_allowed());
    }
    let mut body = call.document()?;
    if body.is_null() {
        return Err(ApiError::bad_request("EOF"));
    }
    if target.is_new_event {
        body = events::to_core(&body);
    }
    let writer = call.writer()?;
    let made = change(&api.store, |txn| create::create(txn, kind, &target.namespace, body, &writer)).await?;
    if target.is_new_event {
        return Ok(respond(StatusCode::CREATED, &events::to_new(&made)));
    }
    Ok(shown(StatusCode::CREATED, kind, &made, call))
}

pub async fn update(api: &Arc<Api>, target: &Target, key: &Key, call: &Call) -> Result<Response> {
    let kind = target.kind;
    let body = call.document()?;
    let writer = call.writer()?;
    let part = if target.what == What::Status { Part::Status } else { Part::Main };
    let mut body = if target.is_new_event { events::to_core(&body) } else { body };
    let made = change(&api.store, |txn| {
        if txn.get(key).is_none() && kind.resource == Resource::Leases {
            // Leases may be made by a PUT.
            value::take(&mut body, &["metadata", "resourceVersion"]);
            return create::create(txn, kind, &key.namespace, body, &writer);
        }
        update::update(txn, kind, key, body, part, &writer)
    })
    .await?;
    if target.is_new_event {
        return Ok(respond(StatusCode::OK, &events::to_new(&made)));
    }
    Ok(shown(StatusCode::OK, kind, &made, call))
}

pub async fn patch(api: &Arc<Api>, target: &Target, key: &Key, call: &Call) -> Result<Response> {
    let kind = target.kind;
    let document = || call.document();
    let mut writer = call.writer()?;
    let patch = match query::media_type(&call.headers) {
        "application/apply-patch+yaml" => {
            call.query.get("fieldManager").unwrap_or_default().clone_into(&mut writer.manager);
            let force = if call.query.flag("force") && call.query.get("force").is_some() { Force::Yes } else { Force::No };
            Patch::Apply { config: document()?, force }
        }
        "application/merge-patch+json" => Patch::Merge(document()?),
        "application/strategic-merge-patch+json" => Patch::Strategic(document()?),
        "application/json-patch+json" => Patch::Json(document()?),
        _ => {
            return Err(query::unsupported(&[
                "application/json-patch+json",
                "application/merge-patch+json",
                "application/strategic-merge-patch+json",
                "application/apply-patch+yaml",
            ]));
        }
    };
    let patch = match patch {
        Patch::Merge(body) if target.is_new_event => Patch::Merge(events::to_core_patch(&body)),
        Patch::Strategic(body) if target.is_new_event => Patch::Merge(events::to_core_patch(&body)),
        other => other,
    };
    let part = if target.what == What::Status { Part::Status } else { Part::Main };
    let made = change(&api.store, |txn| patch::patch(txn, kind, key, patch, part, &writer)).await?;
    let status = if made.is_new { StatusCode::CREATED } else { StatusCode::OK };
    if target.is_new_event {
        return Ok(respond(status, &events::to_new(&made.object)));
    }
    Ok(shown(status, kind, &made.object, call))
}

fn delete_options(call: &Call) -> Result<delete::Options> {
    let body = if call.body.is_empty() { Value::Null } else { call.document()? };
    delete::Options::read(&body, |name| call.query.get(name).map(str::to_owned))
}

fn deletion_dry_run(call: &Call, writer: &mut crate::ops::Writer) -> Result<()> {
    if !call.body.is_empty() && call.document()?["dryRun"][0] == "All" {
        writer.dry_run = crate::ops::DryRun::All;
    }
    Ok(())
}

pub async fn delete(api: &Arc<Api>, kind: &'static Kind, key: &Key, call: &Call) -> Result<Response> {
    let options = delete_options(call)?;
    let mut writer = call.writer()?;
    deletion_dry_run(call, &mut writer)?;
    let deleted = change(&api.store, |txn| delete::delete(txn, kind, key, &options, &writer)).await?;
    Ok(match deleted {
        Deleted::Gone(object) if !returns_object(kind) => respond(StatusCode::OK, &success(kind, &object)),
        Deleted::Gone(object) | Deleted::Waiting(object) => shown(StatusCode::OK, kind, &object, call),
    })
}

/// Kinds whose deletion answers with their last form.
fn returns_object(kind: &Kind) -> bool {
    matches!(
        kind.resource,
        Resource::Pods
            | Resource::Services
            | Resource::ServiceAccounts
            | Resource::PersistentVolumeClaims
            | Resource::PersistentVolumes
            | Resource::ResourceQuotas
            | Resource::PodTemplates
    )
}

fn success(kind: &Kind, object: &Object) -> Value {
    let mut details = json!({"name": value::name(object), "kind": kind.plural, "uid": value::uid(object)});
    if !kind.group.is_empty() {
        details["group"] = kind.group.into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

pub async fn delete_collection(api: &Arc<Api>, target: &Target, call: &Call) -> Result<Response> {
    let kind = target.kind;
    let (labels, fields) = call.query.selectors(kind)?;
    let options = delete_options(call)?;
    let mut writer = call.writer()?;
    deletion_dry_run(call, &mut writer)?;
    let gone = change(&api.store, |txn| {
        let found: Vec<Object> =
            txn.iter(kind.resource, &target.namespace).filter(|object| labels.matches(object) && fields.matches(object)).cloned().collect();
        for object in &found {
            delete::delete(txn, kind, &Key::of(kind.resource, object), &options, &writer)?;
        }
        Ok((found, txn.version()))
    })
    .await?;
    let items: Vec<Value> = gone.0.iter().map(|object| (**object).clone()).collect();
    let list = json!({"kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(), "metadata": {"resourceVersion": gone.1.to_string()}, "items": items});
    Ok(respond(StatusCode::OK, &list))
}

/// Eviction is a deletion that says so in the pod's conditions. Disruption budgets are stored, not enforced.
pub async fn evict(api: &Arc<Api>, kind: &'static Kind, key: &Key, call: &Call) -> Result<Response> {
    let body = call.document()?;
    let options = delete::Options::read(&body["deleteOptions"], |_| None)?;
    let writer = call.writer()?;
    change(&api.store, |txn| {
        if writer.dry_run == DryRun::No && txn.get(key).is_some_and(|pod| !has_ended(&pod)) {
            update::modify(txn, key, Part::Status, &writer, |pod| {
                set_condition(pod, "DisruptionTarget", "True", "EvictionByEvictionAPI", "Eviction API: evicting");
            });
        }
        delete::delete(txn, kind, key, &options, &writer)
    })
    .await?;
    Ok(respond(StatusCode::CREATED, &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})))
}

pub async fn bind(api: &Arc<Api>, kind: &'static Kind, key: &Key, call: &Call) -> Result<Response> {
    let body = call.document()?;
    let node = value::text(&body, "/target/name").to_owned();
    change(&api.store, |txn| {
        let pod = txn.get(key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
        let bound = value::text(&pod, "/spec/nodeName");
        if !bound.is_empty() {
            return Err(ApiError::conflict(kind, &key.name, &format!("pod {} is already assigned to node {bound:?}", key.name)));
        }
        crate::controllers::scheduler::bind(txn, &pod, &node);
        Ok(())
    })
    .await?;
    Ok(respond(StatusCode::CREATED, &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})))
}
