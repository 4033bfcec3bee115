//! Files of the audit record that somebody brings back: every line is read, or said to be unreadable.

use domain::audit::{Sealed, export::FileVerifier};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::texts::{config, nasty, near};

const HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn head(seq: i64) -> Value {
    json!({"format": "lectern-audit-export-1", "canonical": "lectern-audit-1", "exported_at": 0, "exported_by": "li.hua", "filter": {},
        "heads": [{"chain": "system", "seq": seq, "hash": HASH}]})
}

fn record(seq: i64, at: i64, label: &str) -> Value {
    json!({"record": {"seq": seq, "prev": HASH, "hash": HASH, "event": {
        "id": "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e", "chain": "system", "at": at, "who": {"kind": "system", "job": label}, "via": "job",
        "address": null, "request_id": null, "action": label, "object": {"kind": "lab", "id": label, "label": label}, "course": null,
        "outcome": "success", "code": null, "before": null, "after": {label: label}, "count": 1}}})
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_line_of_nonsense_is_named_by_its_number(lines in vec(near(&["{\"end\":{\"records\":0}}", "{\"record\":{}}", "{}"]), 0..8)) {
        let mut verifier = FileVerifier::begin(&head(3).to_string()).expect("a head");
        for line in &lines {
            if verifier.take(line).is_err() {
                return Ok(());
            }
        }
        let _ = verifier.finish();
    }

    #[test]
    fn no_file_begins_with_nonsense(first in near(&["{\"format\":\"lectern-audit-export-1\"}"])) {
        prop_assert!(FileVerifier::begin(&first).is_err());
    }

    #[test]
    fn a_record_of_any_size_is_read_and_found_out(seq in any::<i64>(), last in any::<i64>(), at in any::<i64>(), label in nasty()) {
        let mut verifier = FileVerifier::begin(&head(last).to_string()).expect("a head");
        prop_assert!(verifier.take(&record(seq, at, &label).to_string()).is_err(), "its hash is not its own");
        // With a hash of its own it is good, whatever it says; then the end must fit.
        let mut document = record(seq, at, &label)["record"].take();
        let mut sealed: Sealed = serde_json::from_value(document.take()).expect("a record");
        sealed.hash = sealed.event.hash(sealed.seq, &sealed.prev);
        let mut head = head(last);
        head["heads"][0]["hash"] = json!(sealed.hash.to_string());
        let mut verifier = FileVerifier::begin(&head.to_string()).expect("a head");
        let line = json!({"record": sealed}).to_string();
        if verifier.take(&line).is_ok() {
            prop_assert!(seq >= 1 && seq <= last);
            prop_assert!(verifier.take(&line).is_err(), "a place is taken once");
        }
    }
}
