//! A pass in memory: whose it is, how its lab is, and what was counted.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    access::{Actor, Resource},
    audit::Who,
    ids::{CourseId, LabId, PassId, TenantId, TokenId, UserId, VisitId},
    labs::{
        LabPod, LabState,
        host::{host_label, port_label},
    },
    secret::Secret,
    shares::ViewOnly,
    time::Timestamp,
    visits::{PassEnd, UseKind, VisitRole},
};
use storage::{lab_use::Use, visits::Facts};
use tokio_util::sync::CancellationToken;

use super::{check::Standing, ended_link::is_end, session_data::SessionData, uses::Uses, visiting::Visiting};
use crate::{
    Services,
    cache::LIFE_SECONDS,
    ports::{Clock, Entropy, PodTarget},
    secrets::own::Shown,
};

/// Seconds without a request after which an entry that nobody holds is forgotten.
const DISUSED_SECONDS: i64 = 600;

/// The right of one browser, or of the programs with one token, to one lab.
pub struct Entry {
    pub pass: PassId,
    pub person: UserId,
    pub role: VisitRole,
    pub lab: LabId,
    pub lab_name: String,
    pub tenant: TenantId,
    /// What the person is limited to, if they may only look.
    pub view_only: Option<ViewOnly>,
    /// The port of the pod that the pass is for; 0 for the lab's own.
    pub port: u16,
    /// Whether that port may be asked for pages.
    has_pages: bool,
    pub(super) about: About,
    /// The way in which the application takes the lab's own secret; `None` if it takes none, or if the pass is for another port.
    shown: Option<Shown>,
    ended: CancellationToken,
    now: Mutex<Now>,
    visiting: Mutex<Visiting>,
    uses: Arc<Uses>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// Facts that do not change.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub label: String,
    pub course: CourseId,
    pub owner: UserId,
    pub namespace: String,
    pub login: String,
    pub name: String,
    /// Stored id of the portal's session.
    pub session: String,
    /// The token in its place.
    pub token: Option<TokenId>,
    pub reason: Option<String>,
    pub address: Option<String>,
}

/// Facts of the last look.
#[derive(Debug)]
struct Now {
    checked_at: Timestamp,
    admitted_at: Timestamp,
    state: LabState,
    port: u16,
    members: Vec<LabPod>,
    observed_at: Option<Timestamp>,
    /// The pod that `pod_gone` is about, by its uid.
    pod: Option<String>,
    pod_gone: CancellationToken,
    session_until: Timestamp,
    session_began: Option<Timestamp>,
    doubted_since: Option<Timestamp>,
    end: Option<PassEnd>,
    /// The end of the pass is in the database.
    written_off: bool,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("pass", &self.pass).field("lab", &self.lab_name).field("role", &self.role).finish_non_exhaustive()
    }
}

impl Entry {
    /// `shown`: the way in which the application takes the lab's own secret.
    pub(super) fn new(
        services: &Services,
        facts: &Facts,
        actor: &Actor,
        shown: Option<Shown>,
        seen: Option<(Vec<LabPod>, Timestamp)>,
        now: Timestamp,
    ) -> Self {
        let Facts { pass, tenant, user, session, token, role, reason, address, share, port, lab, .. } = facts;
        let about = About {
            label: port_label(&host_label(&lab.name, lab.id), *port),
            course: lab.course,
            owner: lab.owner,
            namespace: lab.namespace.clone(),
            login: actor.login.clone(),
            name: actor.name.clone(),
            session: session.clone(),
            token: token.as_ref().map(|token| token.id),
            reason: reason.clone(),
            address: address.clone(),
        };
        let first = Now {
            checked_at: now,
            admitted_at: now,
            state: lab.state,
            port: lab.port,
            members: Vec::new(),
            observed_at: None,
            pod: None,
            pod_gone: CancellationToken::new(),
            session_until: now,
            session_began: None,
            doubted_since: None,
            end: None,
            written_off: false,
        };
        let entry = Self {
            pass: *pass,
            person: *user,
            role: *role,
            lab: lab.id,
            lab_name: lab.name.clone(),
            tenant: *tenant,
            view_only: share.filter(|share| share.view_only).map(|_| ViewOnly::of(lab.workload)),
            port: *port,
            has_pages: *port != 0 || lab.workload.has_pages_on(lab.port),
            about,
            shown: shown.filter(|_| *port == 0),
            ended: CancellationToken::new(),
            now: Mutex::new(first),
            visiting: Mutex::default(),
            uses: Arc::clone(&services.visits.uses),
            clock: Arc::clone(&services.clock),
            entropy: Arc::clone(&services.entropy),
        };
        entry.renew(facts, seen, Standing::Good, now);
        entry
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // No step below leaves it half changed.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn visiting(&self) -> MutexGuard<'_, Visiting> {
        self.visiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn lab_state(&self) -> LabState {
        self.now().state
    }

    /// Whether the port that the pass is for may be asked for pages.
    pub const fn has_pages(&self) -> bool {
        self.has_pages
    }

    /// The first ready pod of a running lab and the port that the pass is for. `None` while there is none.
    pub fn target(&self) -> Option<(PodTarget, u16)> {
        let now = self.now();
        let pod = ready(&now)?;
        let port = if self.port == 0 { now.port } else { self.port };
        Some((PodTarget { namespace: self.about.namespace.clone(), name: pod.name.clone(), uid: pod.uid.clone() }, port))
    }

    /// The header by which the application in the pod with this uid takes the lab's own secret: its name in lower case and its value. `None` if
    /// it takes none, and for any other pod.
    pub fn secret_header(&self, uid: &str) -> Option<(String, Secret)> {
        let shown = self.shown.as_ref()?;
        let now = self.now();
        now.members.iter().find(|pod| pod.uid == uid).and_then(|pod| shown.to(pod))
    }

    /// Cancelled when the pass is over: close everything.
    pub const fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Cancelled when the lab stopped or its pod was replaced: close the sockets to it. The next pod has another token.
    pub fn pod_gone(&self) -> CancellationToken {
        self.now().pod_gone.clone()
    }

    /// Counts bytes to and from the lab. The first ones begin a visit.
    pub fn count(&self, bytes_in: u64, bytes_out: u64) {
        if (bytes_in, bytes_out) == (0, 0) {
            return;
        }
        let is_over = self.ended.is_cancelled() || !is_up(self.now().state);
        let mut visiting = self.visiting();
        // Sockets that are being closed carry a last few bytes, which begin nothing.
        if is_over && visiting.now().is_none() {
            return;
        }
        visiting.count(bytes_in, bytes_out, self.clock.now(), || self.visit_id());
    }

    /// Notes real use of the lab: see [`domain::visits::real_use`]. An unused lab is stopped.
    pub fn used(&self, kind: UseKind) {
        if !self.ended.is_cancelled() && is_up(self.now().state) {
            self.uses.note(self.lab, self.resource(), Use { at: self.clock.now(), kind, user: Some(self.person) });
        }
    }

    pub(super) fn visit_id(&self) -> VisitId {
        VisitId::from_uuid(self.entropy.uuid())
    }

    /// Whether the label of a request's host is this lab's.
    pub(super) fn is_of(&self, label: &str) -> bool {
        self.about.label.eq_ignore_ascii_case(label)
    }

    /// Whether this is the pass of this token to this lab from this address, and still good.
    pub(super) fn is_by(&self, token: TokenId, lab: LabId, address: Option<&str>) -> bool {
        let same = self.about.token == Some(token) && self.lab == lab && self.about.address.as_deref() == address;
        same && !self.ended.is_cancelled()
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        (0..LIFE_SECONDS).contains(&now.seconds_since(self.now().checked_at))
    }
    pub(super) fn checked(&self, at: Timestamp) {
        self.now().checked_at = at;
    }
    pub(super) fn admitted(&self, at: Timestamp) {
        self.now().admitted_at = at;
    }
    pub(super) fn is_disused(&self, now: Timestamp) -> bool {
        now.seconds_since(self.now().admitted_at) >= DISUSED_SECONDS && self.visiting().now().is_none()
    }
    /// When the cluster last reported on the lab.
    pub fn observed_at(&self) -> Option<Timestamp> {
        self.now().observed_at
    }
    pub(super) fn session_until(&self) -> Timestamp {
        self.now().session_until
    }
    /// When the portal's session ends and when it began; `None` if the pass is over or the session does not say.
    pub(super) fn session(&self) -> Option<(Timestamp, Timestamp)> {
        let now = self.now();
        now.session_began.filter(|_| now.end.is_none()).map(|began| (now.session_until, began))
    }
    pub(super) fn touched(&self, until: Timestamp) {
        self.now().session_until = until;
    }
    pub(super) fn is_lab_up(&self) -> bool {
        is_up(self.now().state)
    }

    /// The lab's owner, if this was a pass by a link to the lab with this label and ended with the link.
    pub(super) fn owner_of_ended_link(&self, label: &str) -> Option<UserId> {
        (self.is_of(label) && is_end(self.role, self.now().end)).then_some(self.about.owner)
    }

    /// Why the pass ended, if it did and the database does not know it yet.
    pub(super) fn unwritten_end(&self) -> Option<PassEnd> {
        let now = self.now();
        now.end.filter(|_| !now.written_off)
    }
    pub(super) fn write_off(&self) {
        self.now().written_off = true;
    }
    pub(super) fn is_written_off(&self) -> bool {
        self.now().written_off
    }

    pub(super) fn who(&self) -> Who {
        Who::Person { id: self.person, login: self.about.login.clone(), name: self.about.name.clone() }
    }
    pub(super) fn resource(&self) -> Resource {
        Resource::owned(self.tenant, self.about.course, self.about.owner)
    }

    pub(super) fn end(&self, by: PassEnd) {
        self.now().end.get_or_insert(by);
        self.ended.cancel();
    }

    /// Takes the facts of a look. `seen`: the lab's pods where they were reported on since the last look.
    pub(super) fn renew(&self, facts: &Facts, seen: Option<(Vec<LabPod>, Timestamp)>, standing: Standing, at: Timestamp) {
        let over = {
            let mut now = self.now();
            now.checked_at = at;
            if let Some((data, until)) = &facts.session_now {
                now.session_until = *until;
                now.session_began = SessionData::read(data).began;
            }
            now.state = facts.lab.state;
            now.port = facts.lab.port;
            if let Some((members, observed_at)) = seen {
                now.members = members;
                now.observed_at = Some(observed_at);
            }
            follow_pod(&mut now);
            judge(&mut now, standing, at)
        };
        if let Some(end) = over {
            self.end(end);
        }
    }
}

const fn is_up(state: LabState) -> bool {
    matches!(state, LabState::Starting | LabState::Running)
}

fn ready(now: &Now) -> Option<&LabPod> {
    now.members.iter().find(|pod| pod.ready && now.state == LabState::Running)
}

/// Tells those with sockets to the pod when it is gone, and takes up the next one.
fn follow_pod(now: &mut Now) {
    let next = ready(now).map(|pod| pod.uid.clone());
    let is_gone = now.pod.as_ref().is_some_and(|pod| {
        let replaced = next.as_ref().is_some_and(|next| next != pod);
        !is_up(now.state) || replaced || !now.members.iter().any(|member| member.uid == *pod)
    });
    if is_gone {
        std::mem::take(&mut now.pod_gone).cancel();
        now.pod = None;
    }
    if next.is_some() {
        now.pod = next;
    }
}

/// Why the pass is over, if it is. Changed credentials end it at the second look: the session in which they were changed follows in a moment.
fn judge(now: &mut Now, standing: Standing, at: Timestamp) -> Option<PassEnd> {
    match standing {
        Standing::Over(end) => return Some(end),
        Standing::Good => now.doubted_since = None,
        Standing::Doubtful => {
            let since = *now.doubted_since.get_or_insert(at);
            if at.seconds_since(since) >= 1 {
                return Some(PassEnd::AccessLost);
            }
        }
    }
    None
}
