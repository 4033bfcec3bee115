//! A lab that comes up or runs: its state follows what the cluster reports.

use domain::{
    labs::{Failure, Lab, LabEvent, LabState, Observation, ObservedPhase},
    notifications::Notice,
    orders::OrderEvent,
};

use super::{JOB, LOOK_AGAIN, Next, Trouble, keep_observation, keys, promote, volume};
use crate::{
    Services,
    error::OrDomain,
    hub::News,
    jobs::{lease, with_own_secret, with_secrets},
    labs::{
        ended, kept_logs, notices, starts,
        transition::{self, By},
    },
    notifications::{Told, notify},
    ports::{ClusterError, LabOrder},
};

/// Kubernetes' reason for a Job that it ended at its deadline.
const DEADLINE: &str = "DeadlineExceeded";

/// Characters of the cluster's message that are kept; some list every node.
const LONGEST_MESSAGE: usize = 2_000;

pub(super) async fn lab(services: &Services, order: &LabOrder) -> Result<Next, Trouble> {
    let lab = &order.lab;
    let seen = services.cluster.observe(order).await?;
    if let Some(lost) = volume::lost(services, order, &seen).await? {
        return volume::fail(services, lab, &lost, seen).await;
    }
    if let Some(next) = over(services, lab, &seen).await? {
        return Ok(next);
    }
    keep_end(services, order).await?;
    keep_secret(services, order).await?;
    if seen.outdated > 0 {
        return match lab.state {
            // A start of an earlier generation that came late.
            LabState::Running => turn(services, lab, LabEvent::Lost, &seen).await,
            _ => replace(services, order, &seen).await,
        };
    }
    match (lab.state, seen.phase) {
        (LabState::Starting, ObservedPhase::Ready) => turn(services, lab, LabEvent::Ready, &seen).await,
        (LabState::Running, ObservedPhase::Ready) => {
            keep_observation(services, lab, &seen).await?;
            // The observation may be older than the start that grew the volume, so the cluster is asked again.
            if volume::grow(services, order, &seen).await? {
                return Ok(Next::Soon(2));
            }
            volume::follow_size(services, lab, &seen).await?;
            if is_without_workload(lab, &seen) {
                return make_workload(services, order).await;
            }
            repair(services, order, &seen).await?;
            Ok(Next::Done)
        }
        (LabState::Running, ObservedPhase::Progressing | ObservedPhase::Idle | ObservedPhase::Absent) => {
            turn(services, lab, LabEvent::Lost, &seen).await
        }
        (_, ObservedPhase::Finished) => turn(services, lab, LabEvent::Finished, &seen).await,
        // Pods of a template that another client changed: its restored template makes new ones.
        (_, ObservedPhase::Failed) if is_workload_changed(lab, &seen) => {
            keep_observation(services, lab, &seen).await?;
            repair(services, order, &seen).await?;
            Ok(Next::Soon(2))
        }
        (_, ObservedPhase::Failed) => {
            let (reason, message) = seen.failure.clone().unwrap_or_else(|| ("Unknown".into(), String::new()));
            fail(services, lab, &reason, &message, Some(&seen)).await
        }
        // The pods are not there: either they are still to come, or somebody took the objects away. Applying again heals that.
        (_, ObservedPhase::Absent | ObservedPhase::Idle) => {
            keep_observation(services, lab, &seen).await?;
            give_back(services, lab).await?;
            match services.cluster.start(&with_secrets(services, order).await?).await {
                Ok(()) => Ok(Next::Soon(2)),
                Err(ClusterError::Refused { reason, message }) => fail(services, lab, &reason, &message, Some(&seen)).await,
                Err(other) => Err(other.into()),
            }
        }
        (_, ObservedPhase::Progressing) => {
            keep_observation(services, lab, &seen).await?;
            if is_without_workload(lab, &seen) {
                return make_workload(services, order).await;
            }
            // Pods may be missing because another client changed something; a lab that has all pods is checked again when it is ready.
            if seen.pods < lab.spec.nodes || is_workload_changed(lab, &seen) {
                repair(services, order, &seen).await?;
            }
            Ok(Next::Soon(LOOK_AGAIN))
        }
        // Not called for other states.
        (_, ObservedPhase::Ready) => Ok(Next::Done),
    }
}

/// Stops the lab if its time is over, or if the cluster ended it because its time was over; the stop is dated to that time. A lab that
/// failed or finished before its end is not handled here.
async fn over(services: &Services, lab: &Lab, seen: &Observation) -> Result<Option<Next>, Trouble> {
    let now = services.clock.now();
    let by_deadline = seen.failure.as_ref().is_some_and(|(reason, _)| reason == DEADLINE) && lab.stops_at().is_some();
    let told_otherwise = match seen.phase {
        ObservedPhase::Finished => true,
        ObservedPhase::Failed => !by_deadline,
        _ => false,
    };
    if told_otherwise || !(by_deadline || lab.is_overdue(now)) {
        return Ok(None);
    }
    let mut lab = lab.clone();
    let mut write = lease::begin_write(services).await?;
    ended::over(services, &mut write, &mut lab, JOB, Some(seen)).await?;
    storage::observations::put(&mut write, lab.id, seen, now).await.or_domain()?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(Some(Next::Again))
}

/// Makes the cluster end the lab's pods at their time. If the cluster refuses, the portal still stops the lab as long as it is running.
async fn keep_end(services: &Services, order: &LabOrder) -> Result<(), Trouble> {
    if order.lab.stops_at().is_none() {
        return Ok(());
    }
    match services.cluster.keep_end(order).await {
        Err(ClusterError::Refused { reason, message }) => {
            tracing::warn!(lab.name = %order.lab.name, %reason, %message, "the cluster does not keep the end of the lab's time by itself");
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Keeps the lab's own secret in the cluster as it is to be: a container that is started again reads it anew. Where it cannot be written the
/// lab runs on.
async fn keep_secret(services: &Services, order: &LabOrder) -> Result<(), Trouble> {
    if order.lab.spec.app_access.is_none() {
        return Ok(());
    }
    match services.cluster.keep_secret(&with_own_secret(services, order).await?).await {
        Ok(()) => Ok(()),
        Err(away @ ClusterError::Away(_)) => Err(away.into()),
        Err(error) => {
            tracing::warn!(lab.name = %order.lab.name, %error, "the lab's own secret cannot be written again");
            Ok(())
        }
    }
}

/// Restores objects that another client changed while the lab is up.
async fn repair(services: &Services, order: &LabOrder, seen: &Observation) -> Result<(), Trouble> {
    if seen.drift.is_empty() {
        return Ok(());
    }
    services.cluster.repair(order).await?;
    Ok(())
}

/// Whether another client deleted the object that makes the lab's pods, or its labels, and left the pods. Nothing would replace them.
fn is_without_workload(lab: &Lab, seen: &Observation) -> bool {
    let is_workload = |kind: &str| matches!(kind, "StatefulSet" | "Deployment" | "Job");
    seen.pods > 0 && !seen.objects.iter().any(|object| is_workload(&object.kind) && object.name == lab.name)
}

/// Whether another client changed the lab's workload: its pod template, or its number of pods.
fn is_workload_changed(lab: &Lab, seen: &Observation) -> bool {
    let is_workload =
        |object: &str| object.split_once('/').is_some_and(|(kind, name)| matches!(kind, "StatefulSet" | "Deployment") && name == lab.name);
    seen.drift.iter().any(|object| is_workload(object))
}

/// Applies the lab again. Its workload adopts the pods; a Job cannot, so the cluster deletes them first. A ready pod is billed until then.
async fn make_workload(services: &Services, order: &LabOrder) -> Result<Next, Trouble> {
    services.cluster.remake(&with_secrets(services, order).await?).await?;
    Ok(Next::Soon(2))
}

/// Takes pods of an earlier generation away. When none is left the next steps make new ones, of the lab's size then.
async fn replace(services: &Services, order: &LabOrder, seen: &Observation) -> Result<Next, Trouble> {
    kept_logs::keep(services, order).await?;
    keep_observation(services, &order.lab, seen).await?;
    services.cluster.stop(order).await?;
    Ok(if services.cluster.observe(order).await?.pods == 0 { Next::Again } else { Next::Soon(1) })
}

/// Cards that a smaller size no longer needs: its old pods are gone.
async fn give_back(services: &Services, lab: &Lab) -> Result<(), Trouble> {
    let mut write = lease::begin_write(services).await?;
    let shrunk = storage::reservations::shrink(&mut write, lab.id, lab.spec.cards()).await.or_domain()?;
    if shrunk {
        write.commit().await.or_domain()?;
        promote(services).await;
    }
    Ok(())
}

/// The lab's next state, with the report that brought it and what it means for the order, in one transaction.
async fn turn(services: &Services, lab: &Lab, event: LabEvent, seen: &Observation) -> Result<Next, Trouble> {
    let mut lab = lab.clone();
    let mut write = lease::begin_write(services).await?;
    let order = match event {
        // A short job may end before anybody sees it run: it ran all the same.
        LabEvent::Ready | LabEvent::Finished => transition::order(services, &mut write, &lab, OrderEvent::Fulfil, None, By::Job(JOB)).await?,
        _ => None,
    };
    transition::take_with(services, &mut write, &mut lab, event, By::Job(JOB), Some(seen), None).await?;
    storage::observations::put(&mut write, lab.id, seen, services.clock.now()).await.or_domain()?;
    let told = match event {
        LabEvent::Ready => {
            starts::store(&mut write, &lab, seen).await?;
            keys::want_in_new_pods(services, &mut write, &lab).await?;
            notices::ready(services, &mut write, &lab).await?
        }
        LabEvent::Finished => notices::finished(services, &mut write, &lab).await?,
        _ => Told::default(),
    };
    write.commit().await.or_domain()?;
    told.tell(services);
    services.hub.tell(News::lab(&lab));
    if let Some(news) = order {
        services.hub.tell(news);
    }
    // Once the lab runs its end is known; the next step passes it to the cluster.
    Ok(Next::Again)
}

/// The lab failed: said why, and its order with it if it never ran. The next step takes its pods away and frees its cards.
pub(super) async fn fail(services: &Services, lab: &Lab, reason: &str, message: &str, seen: Option<&Observation>) -> Result<Next, Trouble> {
    fail_telling(services, lab, (reason, message), seen, None).await
}

/// As [`fail`]; the owner gets `notice` instead of the plain failure notice.
pub(super) async fn fail_telling(
    services: &Services,
    lab: &Lab,
    (reason, message): (&str, &str),
    seen: Option<&Observation>,
    notice: Option<&Notice>,
) -> Result<Next, Trouble> {
    let mut lab = lab.clone();
    let now = services.clock.now();
    let mut write = lease::begin_write(services).await?;
    let told = format!("{reason}: {message}");
    let order = transition::order(services, &mut write, &lab, OrderEvent::Fail, Some(&told), By::Job(JOB)).await?;
    let failure = Failure { reason: reason.to_owned(), message: message.chars().take(LONGEST_MESSAGE).collect(), at: now };
    transition::take_with(services, &mut write, &mut lab, LabEvent::Fail, By::Job(JOB), seen, Some(failure)).await?;
    if let Some(failure) = &lab.failure {
        storage::labs::add_failure(&mut write, lab.id, failure, seen).await.or_domain()?;
    }
    if let Some(seen) = seen {
        storage::observations::put(&mut write, lab.id, seen, now).await.or_domain()?;
    }
    let told_owner = match notice {
        Some(notice) => notify(services, &mut write, &[lab.owner].into(), notice).await?,
        None => notices::failed(services, &mut write, &lab, now).await?,
    };
    write.commit().await.or_domain()?;
    told_owner.tell(services);
    services.hub.tell(News::lab(&lab));
    if let Some(news) = order {
        services.hub.tell(news);
    }
    Ok(Next::Again)
}
