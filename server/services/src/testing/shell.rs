//! The order of a lab that is entered by SSH.

use domain::{courses::Course, orders::OrderForm};

/// A machine with an SSH server, this key and a slice, for two hours. The default policy approves it.
pub fn shell_order(course: &Course, public_key: &str) -> OrderForm {
    let parameters =
        [("public_key", public_key), ("card", "a100-80g-1g.10gb"), ("cards", "1"), ("cpu_cores", "1"), ("memory_gib", "4"), ("storage_gib", "10")];
    OrderForm {
        offering: "linux-ssh".into(),
        course: course.code.clone(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        duration_minutes: "120".into(),
        ..OrderForm::default()
    }
}
