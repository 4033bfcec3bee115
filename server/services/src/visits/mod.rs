//! Entering labs. The portal opens a pass (`open`), the lab's site takes its ticket (`enter`), every request there is admitted by its cookie
//! (`admit`), and `keep` looks at all of it again every two seconds: it ends passes and writes the connection log (`log`).
//! Programs enter by an access token instead (`token`). Real use of labs (`uses`) is noted by the door and written with the log. What a
//! process knows of passes is in `live`, one `entry` each; the rows are in `storage::visits`.

mod admit;
mod check;
mod close;
mod ended_link;
mod enter;
mod entry;
mod inside;
mod keep;
mod live;
mod log;
mod open;
mod session_data;
mod shared;
mod token;
mod uses;
mod visiting;
mod waiting;
mod write;

pub use admit::{admit, lab_of};
pub use check::check;
pub use ended_link::ended_link;
pub use enter::{EnterError, Entered, enter};
pub use entry::Entry;
pub use inside::enter_from_portal;
pub use keep::{keep, round};
pub use live::Live;
pub(crate) use log::catch_up;
pub use log::{list, present};
pub use open::{Opened, Opening, Way, open};
pub use shared::open_shared;
pub use token::enter_by_token;
pub use waiting::{Look, Waiting, waiting};
pub use write::flush;

use domain::{ids::LabId, labs::Lab};
use storage::lab_use::Use;

use crate::{Services, audit::Entry as Record};

/// Path on a lab's site to which the browser posts a ticket.
pub const ENTER_PATH: &str = "/.lectern/enter";
/// Characters of a ticket and of a cookie.
const SECRET_LENGTH: usize = 43;

/// Origin of the lab's site: `http://lab-7-1f0c9a33be.localhost:3001`. `None` where labs have no site.
pub fn site(services: &Services, label: &str) -> Option<String> {
    Some(services.settings.labs_url.as_deref()?.trim_end_matches('/').replace("{lab}", label))
}

/// The last real use of the lab that this process saw in the last minutes: it may not be written yet.
pub(crate) fn last_use(services: &Services, lab: LabId) -> Option<Use> {
    services.visits.uses.last(lab)
}

/// Whether the text may be a ticket or a cookie: others need no look into the database.
fn is_secret(text: &str) -> bool {
    text.len() == SECRET_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A record about the lab.
fn record(action: &str, lab: &Lab) -> Record {
    Record::new(action, "lab", lab.id, lab.name.clone()).course(lab.course)
}

#[cfg(test)]
mod tests;
