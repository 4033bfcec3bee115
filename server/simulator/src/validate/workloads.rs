//! StatefulSets, Deployments and Jobs.

use serde_json::Value;

use super::{Complaints, names, pods};
use crate::{error::FieldError, selector::LabelSelector, value};

pub fn stateful_set(object: &Value, complaints: &mut Complaints) {
    counts(object, &["replicas"], complaints);
    template(object, complaints);
}

pub fn deployment(object: &Value, complaints: &mut Complaints) {
    counts(object, &["replicas", "minReadySeconds", "revisionHistoryLimit"], complaints);
    template(object, complaints);
}

pub fn job(object: &Value, complaints: &mut Complaints) {
    counts(object, &["parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished", "activeDeadlineSeconds"], complaints);
    let mode = value::text(object, "/spec/completionMode");
    if !["Indexed", "NonIndexed"].contains(&mode) {
        complaints.push(FieldError::unsupported("spec.completionMode", &mode.into(), &["Indexed", "NonIndexed"]));
    }
    if mode == "Indexed" && value::int(object, "/spec/completions").is_none() {
        complaints.push(FieldError::required("spec.completions", "when completion mode is Indexed"));
    }
    names::labels_at(object, "spec.template.metadata.labels", complaints);
    pods::spec(&object["spec"]["template"]["spec"], "spec.template.spec", complaints);
    let policy = value::text(object, "/spec/template/spec/restartPolicy");
    if policy == "Always" {
        complaints.push(FieldError::required("spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\""));
    }
}

fn counts(object: &Value, fields: &[&str], complaints: &mut Complaints) {
    for field in fields {
        if let Some(count) = value::int(object, &format!("/spec/{field}"))
            && count < 0
        {
            complaints.push(FieldError::invalid(format!("spec.{field}"), &count.into(), "must be greater than or equal to 0"));
        }
    }
}

fn template(object: &Value, complaints: &mut Complaints) {
    let labels = object.pointer("/spec/template/metadata/labels").unwrap_or(&Value::Null);
    match object.pointer("/spec/selector").and_then(LabelSelector::of) {
        None => complaints.push(FieldError::required("spec.selector", "")),
        Some(selector) if selector.is_empty() => {
            complaints.push(FieldError::invalid("spec.selector", &object["spec"]["selector"], "empty selector is invalid for statefulset"));
        }
        Some(selector) if !selector.matches_labels(labels) => {
            let shown: Vec<_> = labels.as_object().into_iter().flatten().map(|(key, text)| format!("{key:?}:{text}")).collect();
            let shown = if labels.is_object() { format!("map[string]string{{{}}}", shown.join(", ")) } else { "map[string]string(nil)".to_owned() };
            complaints.push(FieldError {
                reason: "FieldValueInvalid",
                field: "spec.template.metadata.labels".to_owned(),
                message: format!("Invalid value: {shown}: `selector` does not match template `labels`"),
            });
        }
        Some(_) => {}
    }
    names::labels_at(object, "spec.template.metadata.labels", complaints);
    let mut spec = object["spec"]["template"]["spec"].clone();
    // Volumes made from claim templates can be mounted too.
    let mut volumes = value::items(&spec, "/volumes").to_vec();
    volumes.extend(value::items(object, "/spec/volumeClaimTemplates").iter().map(|claim| serde_json::json!({"name": value::name(claim)})));
    if !volumes.is_empty() {
        value::set(&mut spec, &["volumes"], volumes);
    }
    pods::spec(&spec, "spec.template.spec", complaints);
    let policy = &object["spec"]["template"]["spec"]["restartPolicy"];
    if policy.as_str().is_some_and(|policy| ["OnFailure", "Never"].contains(&policy)) {
        complaints.push(FieldError::unsupported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
}
