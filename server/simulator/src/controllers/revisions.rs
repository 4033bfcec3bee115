//! The history of a StatefulSet's template, which `kubectl rollout undo` goes back by.

use serde_json::{Value, json};

use super::pod_template::{controlled, reference};
use crate::{
    ops::{
        Writer, create,
        update::{self, Part},
    },
    registry::Resource,
    store::{Key, Object, Txn},
    value,
};

/// Makes the revision of the set's template where it is missing; one that is there and not the newest becomes it. Older ones than the
/// set wants are forgotten.
pub fn keep(txn: &mut Txn<'_>, set: &Object, name: &str, writer: &Writer) {
    let number = |revision: &Value| value::int(revision, "/revision").unwrap_or_default();
    let mut all = controlled(txn, Resource::ControllerRevisions, set);
    all.sort_by_key(|revision| number(revision));
    let newest = all.last().map_or(0, |revision| number(revision));
    match all.iter().find(|revision| value::name(revision) == name) {
        Some(same) if number(same) == newest => return,
        Some(same) => {
            update::modify(txn, &Key::of(Resource::ControllerRevisions, same), Part::Main, writer, |revision| {
                value::set(revision, &["revision"], newest.saturating_add(1));
            });
        }
        None => {
            let mut template = set["spec"]["template"].clone();
            value::set(&mut template, &["$patch"], "replace");
            let mut labels = set["spec"]["template"]["metadata"]["labels"].clone();
            labels["controller.kubernetes.io/hash"] = name.rsplit('-').next().unwrap_or_default().into();
            let body = json!({
                "metadata": {"name": name, "labels": labels, "ownerReferences": [reference(set)]},
                "data": {"spec": {"template": template}}, "revision": newest.saturating_add(1),
            });
            if let Err(error) = create::create(txn, Resource::ControllerRevisions.kind(), value::namespace(set), body, writer) {
                tracing::debug!(error = %error, "a revision cannot be kept");
            }
        }
    }
    let limit = value::int(set, "/spec/revisionHistoryLimit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10);
    for old in all.iter().take(all.len().saturating_sub(limit)).filter(|revision| value::name(revision) != name) {
        txn.remove(&Key::of(Resource::ControllerRevisions, old));
    }
}
