//! Labels by which Lectern finds its objects again. Only ids and cleaned names: a label value has at most 63 of `A-Za-z0-9-_.`.

use std::collections::BTreeMap;

use domain::{courses::Course, ids::LabId};
use kube::core::ObjectMeta;
use serde_json::{Value, json};
use services::ports::LabOrder;

/// Field manager of everything that is applied, and value of [`MANAGED_BY`].
pub const MANAGER: &str = "lectern";
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The lab's name, which the names of its objects are or begin with.
const INSTANCE: &str = "app.kubernetes.io/instance";
pub const LAB: &str = "lectern.dev/lab";
pub const ORDER: &str = "lectern.dev/order";
pub const COURSE: &str = "lectern.dev/course";
pub const TENANT: &str = "lectern.dev/tenant";
/// Annotation of a pod: which making of the lab's pods it belongs to; none for the first.
pub const GENERATION: &str = "lectern.dev/generation";
/// Annotation of a Job with a deadline: the time by the portal's clock from which the deadline counts.
pub const COUNTS_FROM: &str = "lectern.dev/counts-from";
pub const OWNER: &str = "lectern.dev/owner";
/// Annotation of a workload: the hash of the pod template that was applied.
pub const TEMPLATE: &str = "lectern.dev/template";
/// Annotation of a workload: the hash of its pod template as the server returned it after Lectern wrote it.
pub const TEMPLATE_THERE: &str = "lectern.dev/template-there";
/// Field manager of these two. Not [`MANAGER`], whose last change of a workload is when its pods were asked for.
pub const NOTES: &str = "lectern-notes";
/// Annotation of the namespaces that Lectern makes.
pub const COURSE_CODE: &str = "lectern.dev/course-code";
/// On the portal's own namespace, so that its proxy may reach labs; set by the Helm chart.
pub const PORTAL: &str = "lectern.dev/portal";

/// For what a course's labs share.
pub fn of_course(course: &Course) -> Value {
    json!({
        MANAGED_BY: MANAGER,
        TENANT: course.tenant.to_string(),
        COURSE: course.id.to_string(),
    })
}

/// For what belongs to one lab.
pub fn of_lab(order: &LabOrder) -> Value {
    let lab = &order.lab;
    json!({
        "app.kubernetes.io/name": "lab",
        INSTANCE: cleaned(&lab.name),
        MANAGED_BY: MANAGER,
        TENANT: lab.tenant.to_string(),
        COURSE: lab.course.to_string(),
        ORDER: lab.order.to_string(),
        LAB: lab.id.to_string(),
        OWNER: cleaned(&order.owner_login),
    })
}

/// Finds all objects of one lab.
pub fn selector_of(lab: LabId) -> String {
    format!("{LAB}={lab}")
}

/// Finds the objects of every lab.
pub fn selector_of_all() -> String {
    format!("{MANAGED_BY}={MANAGER},{LAB}")
}

/// The lab that an object belongs to.
pub fn lab_of(labels: Option<&BTreeMap<String, String>>) -> Option<LabId> {
    labels?.get(LAB)?.parse().ok()
}

/// Whether Lectern made the object.
pub fn is_ours(labels: Option<&BTreeMap<String, String>>) -> bool {
    labels.and_then(|labels| labels.get(MANAGED_BY)).is_some_and(|manager| manager == MANAGER)
}

/// Whether Lectern made the namespace, even if another client removed its labels: its annotation or its managed fields say so as well.
/// Nothing is ever applied to a namespace that somebody else made.
pub fn is_own_namespace(metadata: &ObjectMeta) -> bool {
    let is_annotated = metadata.annotations.as_ref().is_some_and(|all| all.contains_key(COURSE_CODE));
    let is_applied = metadata.managed_fields.iter().flatten().any(|entry| entry.manager.as_deref() == Some(MANAGER));
    is_ours(metadata.labels.as_ref()) || is_annotated || is_applied
}

/// The name of the lab that an object belongs to.
pub fn instance_of(labels: Option<&BTreeMap<String, String>>) -> String {
    labels.and_then(|labels| labels.get(INSTANCE)).cloned().unwrap_or_default()
}

/// Text as a label value: what does not fit becomes `-`, and the ends are letters or digits.
fn cleaned(text: &str) -> String {
    let kept: String = text.chars().take(63).map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
    kept.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_login_becomes_a_valid_label() {
        assert_eq!(cleaned("wang.li@example.edu"), "wang.li-example.edu");
        assert_eq!(cleaned("王丽"), "");
        assert_eq!(cleaned(&"x".repeat(80)).len(), 63);
        assert_eq!(cleaned("_a_"), "a");
    }
}
