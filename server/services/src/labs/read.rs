//! Reading labs. A list is two statements whatever its length, and one more for every 32 courses of labs that the reader may give time;
//! a lab's own page is six, one more for whoever may give it time, one more while a change of it waits, one more with an
//! SSH server, one more for a job, and while it starts one more a minute.

use std::collections::BTreeSet;

use domain::{
    Error, Result,
    access::{Action, Extent},
    catalogue::Workload,
    ids::LabId,
    labs::{
        Job, LabDetail, LabEvent, LabFilter, LabOptions, LabState, LabUse, LabView, host::host_label, idle::FLAG_MINUTES, job::is_between_tries,
        resize::size_parameters,
    },
    orders::ChangeTo,
    page::{Page, PageRequest, read_cursor, write_cursor},
    ssh_keys::VARIABLE,
};
use storage::labs::{Listed, Query};

use super::{basis, extend, load, starts, transition};
use crate::{
    Caller, Services, audit,
    capacity::wait_reason,
    catalogue::{Shelf, shelf},
    error::OrDomain,
    jobs::lab_order,
    visits,
};

/// Characters of a search that are looked for.
const LONGEST_TEXT: usize = 100;

/// States in which a lab is offered to be opened: its own site shows how far its start is.
const ENTERED: [LabState; 3] = [LabState::Pending, LabState::Starting, LabState::Running];

fn shown(services: &Services, caller: &Caller, shelf: &Shelf, listed: Listed) -> LabView {
    let options = options(services, caller, shelf, &listed);
    let Listed { lab, owner, owner_left, seat, course, cost, running_since, queue_position, pending_change, last_use, idle_warned, finished, .. } =
        listed;
    let may = |action, event| lab.state.allows(event) && load::authorise(caller, action, &lab).is_ok();
    let now = services.clock.now();
    let over = lab.is_over(now);
    let college = services.settings.idle_minutes;
    let used = LabUse::of(&lab, running_since, last_use, idle_warned, college, now);
    let is_open = services.settings.labs_url.is_some() && ENTERED.contains(&lab.state);
    let may_enter = load::authorise(caller, Action::LabEnter, &lab).is_ok();
    let is_there = !matches!(lab.state, LabState::Destroying | LabState::Destroyed);
    LabView {
        may_start: !over && may(Action::LabStart, LabEvent::Start),
        may_stop: may(Action::LabStop, LabEvent::Stop),
        may_destroy: may(Action::LabDestroy, LabEvent::Destroy),
        may_enter: is_open && may_enter,
        may_share: services.settings.labs_url.is_some()
            && !over
            && is_there
            && lab.spec.has_pages()
            && !lab.spec.workload.ends()
            && load::authorise(caller, Action::LabShare, &lab).is_ok(),
        may_break_glass: is_open && !may_enter && load::authorise(caller, Action::LabBreakGlass, &lab).is_ok(),
        site: visits::site(services, &host_label(&lab.name, lab.id)).filter(|_| is_there && !lab.spec.workload.ends()),
        job: Job::of(&lab, finished),
        lab,
        owner,
        owner_left,
        seat,
        course,
        cost,
        running_since,
        queue_position,
        pending_change,
        more_time_waits: false,
        more_time_asks: Vec::new(),
        change_filed: false,
        wait: None,
        options,
        used,
        college_idle_minutes: college,
    }
}

/// Further actions that are possible now. The offering and the budget are checked when the action is requested.
fn options(services: &Services, caller: &Caller, shelf: &Shelf, listed: &Listed) -> LabOptions {
    let lab = &listed.lab;
    let now = services.clock.now();
    let over = lab.is_over(now);
    let may = |action, states: &[LabState]| states.contains(&lab.state) && load::authorise(caller, action, lab).is_ok();
    let down = [LabState::Stopped, LabState::Failed];
    let up = [LabState::Pending, LabState::Starting, LabState::Running];
    let alive = [down.as_slice(), &up, &[LabState::Stopping]].concat();
    let offering = shelf.on_sale(listed.offering);
    let more_minutes = offering.map(|offering| offering.duration.max.saturating_sub(lab.minutes));
    LabOptions {
        may_restart: !over && may(Action::LabRestart, &[LabState::Running]),
        may_extend: more_minutes.is_some_and(|more| more > 0) && may(Action::LabExtend, &alive),
        may_resize: offering.is_some_and(|offering| size_parameters(offering).next().is_some())
            && may(Action::LabResize, &[LabState::Running, LabState::Stopped, LabState::Failed]),
        may_retry: !over && may(Action::LabStart, &[LabState::Failed]),
        may_keep: lab.lifecycle.kept_until.is_some() && may(Action::LabKeep, &down),
        may_autostop: may(Action::LabAutostop, &alive),
        per_hour: shelf.book(lab.tenant).estimate(&lab.spec, 60, now).ok().map(|estimate| estimate.per_hour),
        more_minutes,
    }
}

/// After a change, for whoever made it. Who may change a lab may read it.
pub(super) async fn view(services: &Services, caller: &Caller, id: LabId) -> Result<LabView> {
    let mut read = services.db.read().await.or_domain()?;
    let listed = storage::labs::listed(&mut read, id).await.or_domain()?.ok_or(Error::NotFound)?;
    let shelf = shelf(services, &mut read).await?;
    Ok(shown(services, caller, &shelf, listed))
}

pub async fn get(services: &Services, caller: &Caller, id: LabId) -> Result<LabDetail> {
    let mut read = services.db.read().await.or_domain()?;
    let listed = storage::labs::listed(&mut read, id).await.or_domain()?;
    let allowed = listed.as_ref().ok_or(Error::NotFound).and_then(|listed| load::authorise(caller, Action::LabRead, &listed.lab));
    if let Err(error) = allowed {
        drop(read);
        let entry = transition::attempt(caller, Action::LabRead, id, listed.as_ref().map(|listed| &listed.lab));
        return Err(audit::refused(services, caller, entry, error).await);
    }
    let listed = listed.ok_or(Error::NotFound)?;
    let history = storage::labs::history(&mut read, id).await.or_domain()?;
    let observed = storage::observations::get(&mut read, id).await.or_domain()?;
    let usage = storage::usage::of_lab(&mut read, id).await.or_domain()?;
    let failures = storage::labs::failures(&mut read, id).await.or_domain()?;
    let shelf = shelf(services, &mut read).await?;
    let (observation, observed_at) = observed.map_or_else(Default::default, |(observation, at)| (observation, Some(at)));
    let wait =
        if listed.lab.state == LabState::Pending && !listed.lab.reserved { Some(wait_reason(&mut read, &listed.lab.spec).await?) } else { None };
    let more_time_waits = listed.pending_change.is_some()
        && basis::decides(caller, &listed.lab).is_empty()
        && storage::orders::change_waiting(&mut read, id)
            .await
            .or_domain()?
            .and_then(|order| order.change)
            .is_some_and(|change| matches!(change.to, ChangeTo::Extend { .. }));
    let more_time_asks = if load::authorise(caller, Action::LabExtend, &listed.lab).is_ok() {
        let now = services.clock.now();
        let quota = storage::quotas::of_course(&mut read, listed.lab.course, now).await.or_domain()?.ok_or(Error::NotFound)?.status;
        extend::asks_somebody(&shelf, caller, &listed, &quota, now)
    } else {
        Vec::new()
    };
    let start = if is_between_tries(listed.lab.spec.workload, &history) {
        Vec::new()
    } else {
        starts::steps(services, &mut read, &listed, &history, &observation).await?
    };
    let has_keys = listed.lab.state == LabState::Running && listed.lab.spec.environment.contains_key(VARIABLE);
    let keys_problem = if has_keys { storage::ssh_keys::problem(&mut read, id).await.or_domain()? } else { None };
    let ssh_user = (listed.lab.spec.workload == Workload::Shell).then(|| services.settings.ssh_user.clone());
    let view = LabView { wait, more_time_waits, more_time_asks, ..shown(services, caller, &shelf, listed) };
    let kept_logs = if view.job.is_some() { storage::lab_logs::of_lab(&mut read, id).await.or_domain()? } else { Vec::new() };
    Ok(LabDetail { view, history, observation, observed_at, usage, failures, start, keys_problem, ssh_user, kept_logs })
}

/// The labs that the caller may read, newest first. Errors: `Invalid` on `limit` or `after`; `Forbidden` for those who read no lab at all.
pub async fn list(services: &Services, caller: &Caller, filter: &LabFilter, page: &PageRequest) -> Result<Page<LabView>> {
    let actor = &caller.actor;
    actor.can(Action::LabRead, &caller.own())?;
    let before = page.cursor(|text| read_cursor("labs", text))?;
    let rows = page.rows()?;
    let extent = actor.extent(Action::LabRead)?;
    let query = Query {
        tenant: actor.tenant,
        owner: (filter.mine || extent == Extent::Own).then_some(actor.user),
        visible_to: extent.courses().map(|courses| (actor.user, courses)),
        state: filter.state,
        course: filter.course.clone(),
        live: filter.live,
        owner_left: filter.owner_left,
        unused_since: filter.unused.then(|| services.clock.now().plus_minutes(-FLAG_MINUTES)),
        text: (!filter.text.trim().is_empty()).then(|| filter.text.trim().chars().take(LONGEST_TEXT).collect()),
        before,
        limit: rows,
    };
    let mut read = services.db.read().await.or_domain()?;
    let listed = storage::labs::list(&mut read, &query).await.or_domain()?;
    let shelf = shelf(services, &mut read).await?;
    let now = services.clock.now();
    let courses: BTreeSet<_> = listed.iter().filter(|listed| offers_time(caller, listed)).map(|listed| listed.lab.course).collect();
    let quotas = storage::quotas::of_courses(&mut read, &Vec::from_iter(courses), now).await.or_domain()?;
    Ok(page.page(listed, |listed| write_cursor("labs", &listed.lab.id)).map(|listed| {
        let quota = quotas.get(&listed.lab.course).filter(|_| offers_time(caller, &listed));
        let more_time_asks = quota.map(|quota| extend::asks_somebody(&shelf, caller, &listed, &quota.status, now)).unwrap_or_default();
        LabView { more_time_asks, ..shown(services, caller, &shelf, listed) }
    }))
}

/// Whether a list offers this reader to give the lab more time.
fn offers_time(caller: &Caller, listed: &Listed) -> bool {
    listed.lab.state == LabState::Running && listed.pending_change.is_none() && load::authorise(caller, Action::LabExtend, &listed.lab).is_ok()
}

/// The YAML that the cluster is given for the lab.
pub async fn manifests(services: &Services, caller: &Caller, id: LabId) -> Result<String> {
    let seen = load::seen(services, id).await?;
    audit::recording(services, caller, || transition::attempt(caller, Action::LabRead, id, seen.as_ref()), async {
        load::authorise(caller, Action::LabRead, seen.as_ref().ok_or(Error::NotFound)?)?;
        let order = lab_order(services, id).await?.ok_or(Error::NotFound)?;
        Ok(services.cluster.manifests(&order))
    })
    .await
}
