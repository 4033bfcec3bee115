//! One's own sessions: where one is signed in, and ending that elsewhere.

use domain::{Error, Result, ids::UserId, people::SessionView, time::Timestamp};
use serde_json::{Value, json};
use storage::{AnyConnection, sessions};

use super::about;
use crate::{Caller, Services, audit, error::OrDomain};

/// Keys of a session's data that are for its owner to see; whoever begins or touches a session writes them.
pub const AGENT: &str = "agent";
pub const ADDRESS: &str = "address";
pub const BEGAN: &str = "began";
pub const TOUCHED: &str = "touched";

/// When a session that began then ends, even if it is in use.
pub fn last_moment(services: &Services, began: Timestamp) -> Timestamp {
    began.plus_seconds(services.settings.longest_session_hours * 3_600)
}

/// Those that are not over, last seen first. `current`: the stored id of the one that asks.
pub async fn list_sessions(services: &Services, caller: &Caller, current: &str) -> Result<Vec<SessionView>> {
    let mut connection = services.db.read().await.or_domain()?;
    of_user(&mut connection, caller.actor.user, current, services.clock.now()).await
}

pub(crate) async fn of_user(connection: &mut AnyConnection, user: UserId, current: &str, now: Timestamp) -> Result<Vec<SessionView>> {
    let rows = sessions::of_user(connection, user, now).await.or_domain()?;
    let mut views: Vec<_> = rows.into_iter().map(|(id, data)| view(id, &data, current)).collect();
    views.sort_by_key(|view| std::cmp::Reverse((view.current, view.seen_at, view.id.clone())));
    Ok(views)
}

fn view(id: String, data: &str, current: &str) -> SessionView {
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    let text = |key: &str| data.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let time = |key: &str| data.get(key).and_then(|value| serde_json::from_value::<Timestamp>(value.clone()).ok());
    SessionView {
        current: id == current,
        agent: text(AGENT).unwrap_or_default(),
        address: text(ADDRESS),
        began_at: time(BEGAN),
        seen_at: time(TOUCHED),
        id,
    }
}

/// Errors: `NotFound`, also for somebody else's.
pub async fn end_session(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    if !sessions::delete_own(&mut write, caller.actor.user, id).await.or_domain()? {
        return Err(Error::NotFound);
    }
    audit::success(services, &mut write, caller, about(caller, "session.end").after(json!({"sessions": 1}))).await?;
    write.commit().await.or_domain()?;
    services.access_changed(caller.actor.user);
    Ok(())
}

/// All but `current`; returns how many.
pub async fn end_other_sessions(services: &Services, caller: &Caller, current: &str) -> Result<u64> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let ended = sessions::delete_others(&mut write, caller.actor.user, current).await.or_domain()?;
    if ended > 0 {
        audit::success(services, &mut write, caller, about(caller, "session.end").after(json!({"sessions": ended}))).await?;
    }
    write.commit().await.or_domain()?;
    services.access_changed(caller.actor.user);
    Ok(ended)
}
