//! A look at a lab that nobody uses over the door: a kernel that executes and a busy processor are use too. What cannot be known stops
//! nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    catalogue::LabSpec,
    ids::LabId,
    labs::{Lab, LabPod},
    time::Timestamp,
    visits::UseKind,
};

use super::kernels::{self, Kernels};
use crate::{
    Services,
    ports::{ClusterError, PodTarget},
    secrets::own,
};

/// Thousandths of a core, on average over two looks, above which a pod works.
const WORKING_MILLICORES: u64 = 200;
/// Pods of a lab that are asked.
const PODS_MOST: usize = 16;
/// Seconds between two looks at a lab that is only flagged.
const AGAIN_SECONDS: i64 = 300;
/// Seconds for which an earlier look counts.
const RECENT_SECONDS: i64 = 900;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Used(UseKind),
    /// It does nothing.
    Quiet,
    /// It could not be asked.
    Unknown,
    /// The cluster does not answer.
    Away,
}

impl Look {
    pub(super) const fn used(self) -> Option<UseKind> {
        if let Self::Used(kind) = self { Some(kind) } else { None }
    }
}

pub(super) async fn look(services: &Services, lab: &Lab, members: &[LabPod], now: Timestamp) -> Look {
    let (seen, millicores) = match ask(services, lab, members).await {
        Ok(asked) => asked,
        Err(ClusterError::Away(_)) => return Look::Away,
        Err(error) => {
            tracing::debug!(%error, lab.id = %lab.id, "an unused lab could not be asked");
            (Look::Unknown, None)
        }
    };
    let before = services.looks.note(lab.id, now, millicores);
    let works = millicores.is_some_and(|used| before.map_or(used, |before| u64::midpoint(before, used)) > WORKING_MILLICORES);
    if works && seen == Look::Quiet { Look::Used(UseKind::Processor) } else { seen }
}

/// What its kernels say, and how busy its busiest pod is, where that is measured.
async fn ask(services: &Services, lab: &Lab, members: &[LabPod]) -> Result<(Look, Option<u64>), ClusterError> {
    let target = |pod: &LabPod| PodTarget { namespace: lab.namespace.clone(), name: pod.name.clone(), uid: pod.uid.clone() };
    let ready = || members.iter().filter(|pod| pod.ready);
    let Some(first) = ready().next() else { return Ok((Look::Unknown, None)) };
    let pods: Vec<_> = ready().take(PODS_MOST).map(target).collect();
    let mut is_closed = false;
    if is_jupyter(&lab.spec) {
        let shown = own::shown(services, lab.id, lab.spec.app_access.as_ref()).await.map_err(|error| ClusterError::Busy(error.to_string()))?;
        let own = shown.and_then(|shown| shown.to(first));
        match kernels::ask(services, &target(first), lab.spec.port, own.as_ref()).await? {
            Kernels::Busy => return Ok((Look::Used(UseKind::Kernel), None)),
            Kernels::Closed => is_closed = true,
            Kernels::Idle | Kernels::Absent => {}
        }
    }
    let mut busiest = None;
    for pod in &pods {
        let load = services.cluster.load(pod).await?.map(|load| load.cpu_millicores);
        busiest = busiest.max(load);
    }
    let seen = match busiest {
        Some(_) => Look::Quiet,
        // Its kernels may execute.
        None if is_closed => Look::Unknown,
        // It is there to work without anybody.
        None if lab.spec.workload.ends() => Look::Used(UseKind::Job),
        // Nothing measures it: the bytes that passed decide.
        None => Look::Quiet,
    };
    Ok((seen, busiest))
}

fn is_jupyter(spec: &LabSpec) -> bool {
    !spec.workload.ends() && (spec.port == 8_888 || spec.image.contains("jupyter"))
}

/// The last looks of this process.
#[derive(Debug, Default)]
pub(crate) struct Looks(Mutex<HashMap<LabId, (Timestamp, Option<u64>)>>);

impl Looks {
    fn looks(&self) -> MutexGuard<'_, HashMap<LabId, (Timestamp, Option<u64>)>> {
        // A panic under the lock leaves at worst a look too few.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the last look was some minutes ago.
    pub(super) fn is_due(&self, lab: LabId, now: Timestamp) -> bool {
        self.looks().get(&lab).is_none_or(|(at, _)| now.seconds_since(*at) >= AGAIN_SECONDS)
    }

    /// Notes a look, and gives the load of the one before, if that was not long ago.
    fn note(&self, lab: LabId, now: Timestamp, millicores: Option<u64>) -> Option<u64> {
        let before = self.looks().insert(lab, (now, millicores));
        before.and_then(|(at, millicores)| millicores.filter(|_| now.seconds_since(at) <= RECENT_SECONDS))
    }

    pub(super) fn tidy(&self, now: Timestamp) {
        self.looks().retain(|_, (at, _)| now.seconds_since(*at) <= RECENT_SECONDS);
    }
}
