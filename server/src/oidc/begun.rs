//! Sign-ins that have begun and wait for the browser to come back from the identity provider, in its session. A few, since people
//! open several tabs; each is good once and for ten minutes.

use app::caller::away;
use domain::{Error, time::Timestamp};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

const SECONDS: i64 = 600;
const MOST: usize = 6;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    pub state: String,
    pub nonce: String,
    /// Of PKCE.
    pub verifier: String,
    /// Where the reader wanted to go.
    pub back: String,
    pub at: Timestamp,
}

/// Those of a session, oldest first.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct All(Vec<Begun>);

impl All {
    pub async fn of(session: &Session) -> Result<Self, Error> {
        Ok(session.get(app::caller::BEGUN).await.map_err(away)?.unwrap_or_default())
    }

    /// Keeps them in the session; nothing where there are none.
    pub async fn keep(&self, session: &Session) -> Result<(), Error> {
        if self.0.is_empty() {
            session.remove_value(app::caller::BEGUN).await.map_err(away)?;
        } else {
            session.insert(app::caller::BEGUN, self).await.map_err(away)?;
        }
        Ok(())
    }

    /// The oldest gives way.
    pub fn add(&mut self, begun: Begun) {
        self.0.retain(|other| is_good(other, begun.at));
        while self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(begun);
    }

    /// The one with this state, which is then gone.
    pub fn take(&mut self, state: &str, now: Timestamp) -> Option<Begun> {
        let at = self.0.iter().position(|begun| begun.state == state)?;
        Some(self.0.remove(at)).filter(|begun| is_good(begun, now))
    }
}

const fn is_good(begun: &Begun, now: Timestamp) -> bool {
    now.seconds_since(begun.at) < SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn begun(state: &str, at: Timestamp) -> Begun {
        let text = String::from;
        Begun { state: text(state), nonce: text("n"), verifier: text("v"), back: text("/"), at }
    }

    #[test]
    fn each_tab_has_its_own_and_it_is_good_once() {
        let mut all = All::default();
        all.add(begun("a", NOW));
        all.add(begun("b", NOW));
        assert!(all.take("x", NOW).is_none());
        assert!(all.take("a", NOW.plus_seconds(599)).is_some());
        assert!(all.take("a", NOW).is_none(), "replayed");
        assert!(all.take("b", NOW.plus_seconds(600)).is_none(), "too late");
    }

    #[test]
    fn a_session_does_not_grow() {
        let mut all = All::default();
        for number in 0..20 {
            all.add(begun(&number.to_string(), NOW));
        }
        assert_eq!(all.0.len(), MOST);
        assert!(all.take("0", NOW).is_none() && all.take("19", NOW).is_some());
        all.add(begun("later", NOW.plus_seconds(700)));
        assert_eq!(all.0.len(), 1, "those that are over are gone");
    }
}
