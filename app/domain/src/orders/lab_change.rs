//! More time or another size for a lab that exists, where the policy asks somebody: an order like any other until it is approved. Its
//! price is held of the budget meanwhile; once it is approved the lab is changed and the lab's own order holds the money. If others changed
//! the lab meanwhile, the approval gives only what the request still adds.

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::ParameterInput,
    ids::LabId,
    labs::{Lab, LabState},
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabChange {
    pub lab: LabId,
    /// `lab-2047`
    pub name: String,
    pub to: ChangeTo,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangeTo {
    /// So many minutes more; `until`: the end that was asked for, if one was. `seen`: the lab's minutes when it was filed; orders from
    /// before that was stored have none.
    Extend {
        minutes: u32,
        until: Option<Timestamp>,
        #[serde(default)]
        seen: Option<u32>,
    },
    /// The parameters that were typed. `seen`: the lab's size when it was filed.
    Resize {
        parameters: ParameterInput,
        #[serde(default)]
        seen: ParameterInput,
    },
}

/// When a running lab ends, and when it would with the time that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaterEnd {
    pub before: Timestamp,
    pub after: Timestamp,
}

impl ChangeTo {
    /// `None` for another size, and for a lab that does not run.
    pub fn later_end(&self, lab: &Lab, now: Timestamp) -> Option<LaterEnd> {
        let Self::Extend { minutes, until, seen } = self else { return None };
        let before = lab.ends_at.filter(|_| lab.state == LabState::Running)?;
        // Time that others gave it meanwhile is not given again.
        let given = seen.map_or(0, |seen| lab.minutes.saturating_sub(seen));
        let counted = before.max(now).plus_minutes(minutes.saturating_sub(given).into());
        Some(LaterEnd { before, after: until.unwrap_or(counted).max(before) })
    }
}
