//! What the portal keeps in a session, as far as passes need it. Only the portal writes it.

use domain::time::Timestamp;
use serde_json::Value;

use crate::accounts::sessions::BEGAN;

/// Key of the number that counts the changes of credentials; the portal writes it at sign-in.
const CREDENTIALS: &str = "credentials_version";

/// What a session says of itself, where it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SessionData {
    pub credentials_version: Option<i64>,
    pub began: Option<Timestamp>,
}

impl SessionData {
    pub(super) fn read(data: &str) -> Self {
        let data: Value = serde_json::from_str(data).unwrap_or_default();
        Self {
            credentials_version: data.get(CREDENTIALS).and_then(Value::as_i64),
            began: data.get(BEGAN).and_then(Value::as_i64).map(Timestamp::from_micros),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_is_read_as_the_portal_writes_it() {
        let began = Timestamp::from_seconds(1_800_000_000);
        let data = json!({"user": "x", "credentials_version": 3, "began": began}).to_string();
        assert_eq!(SessionData::read(&data), SessionData { credentials_version: Some(3), began: Some(began) });
        for other in ["", "[]", "{}", r#"{"credentials_version": "3", "began": {}}"#, "{\"began\":"] {
            assert_eq!(SessionData::read(other), SessionData::default(), "{other:?}");
        }
    }
}
