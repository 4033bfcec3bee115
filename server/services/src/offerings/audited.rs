//! A change of an offering in the audit record: the fields that differ, before and after.

use domain::{
    catalogue::Offering,
    offerings::{FieldChange, OfferingVersion, VersionState, changes},
};
use serde_json::{Map, Value, json};

use crate::audit::Entry;

pub(super) fn entry(action: &str, offering: &Offering) -> Entry {
    Entry::new(action, "offering", offering.id, offering.slug.as_str())
}

/// A save: every field that is not as it was in the version that it follows.
pub(super) fn saved(before: Option<&OfferingVersion>, after: &Offering) -> Entry {
    let Some(before) = before else {
        return entry("offering.save", after).after(json!({ "version": after.version, "state": VersionState::Draft, "offering": after }));
    };
    let differences = changes(&before.offering, after);
    let side = |value: fn(&FieldChange) -> Option<&String>| {
        let fields = differences.iter().filter_map(|change| Some((change.field.clone(), Value::from(value(change)?.clone()))));
        Value::Object(fields.collect::<Map<_, _>>())
    };
    let old = json!({ "version": before.offering.version, "state": before.state, "fields": side(|change| change.before.as_ref()) });
    let new = json!({ "version": after.version, "state": VersionState::Draft, "fields": side(|change| change.after.as_ref()) });
    entry("offering.save", after).before(old).after(new)
}

/// A change of state.
pub(super) fn turned(action: &str, version: &OfferingVersion, to: VersionState, on_sale: Option<u32>) -> Entry {
    let number = version.offering.version;
    let after = if to == VersionState::Published { Some(number) } else { None };
    entry(action, &version.offering)
        .before(json!({ "version": number, "state": version.state, "on_sale": on_sale }))
        .after(json!({ "version": number, "state": to, "on_sale": after }))
}
