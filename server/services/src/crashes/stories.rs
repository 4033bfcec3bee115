//! What people and jobs do, from an order to nothing left. Together the stories pass every place where the main job commits.

use domain::{
    Error,
    cluster::Obstacle,
    decisions::ChangeForm,
    ids::LabId,
    labs::{Autostop, Extension},
    orders::{ClassForm, OrderFilter, OrderForm, OrderState},
    page::PageRequest,
    ssh_keys::SshKeyForm,
};

use super::run::Run;
use crate::{
    audit, cluster_status,
    error::OrDomain,
    jobs::{lease, metering, reconcile, renew_keys, watch},
    labs, orders,
    ports::{Change, Clock as _},
    ssh_keys,
    testing::{FakeJupyter, Kernel, shell_order},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    Life,
    Decided,
    Asking,
    Nothing,
    Waiting,
    Lessons,
    Leaving,
    Failing,
    Ending,
    Away,
    Vanishing,
    Unused,
    Keys,
    Late,
    Job,
}

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

impl Story {
    pub async fn tell(self, run: &mut Run<'_>) {
        match self {
            Self::Life => Box::pin(life(run)).await,
            Self::Decided => Box::pin(decided(run)).await,
            Self::Asking => Box::pin(asking(run)).await,
            Self::Nothing => Box::pin(nothing(run)).await,
            Self::Waiting => Box::pin(waiting(run)).await,
            Self::Lessons => Box::pin(lessons(run)).await,
            Self::Leaving => Box::pin(leaving(run)).await,
            Self::Failing => Box::pin(failing(run)).await,
            Self::Ending => Box::pin(ending(run)).await,
            Self::Away => Box::pin(away(run)).await,
            Self::Vanishing => Box::pin(vanishing(run)).await,
            Self::Unused => Box::pin(unused(run)).await,
            Self::Keys => Box::pin(keys(run)).await,
            Self::Late => Box::pin(late(run)).await,
            Self::Job => Box::pin(job(run)).await,
        }
    }
}

/// Ordered, stopped, started again, restarted, destroyed; metered and sealed on the way, by a replica that holds the lease.
async fn life(run: &mut Run<'_>) {
    let (teacher, lab) = (run.teacher.clone(), run.running().await);
    run.world.clock.advance(10 * MINUTE);
    run.act(metering::run).await;
    run.act(async |services| labs::stop(services, &teacher, lab).await).await;
    run.settle().await;
    run.world.clock.advance(120 * MINUTE);
    run.act(async |services| labs::keep(services, &teacher, lab).await).await;
    run.act(async |services| labs::start(services, &teacher, lab).await).await;
    run.settle().await;
    run.act(audit::seal).await;
    run.world.clock.advance(10 * MINUTE);
    run.act(async |services| labs::restart(services, &teacher, lab, Some(1)).await).await;
    let token = run.act(async |services| lease::take(services, "a replica").await).await.flatten().expect("nobody else has it");
    run.act(async |services| lease::under(token, reconcile::due(services)).await).await;
    run.act(async |services| lease::release(services, token).await).await;
    run.settle().await;
    run.world.clock.advance(10 * MINUTE);
    run.destroy(lab).await;
}

/// Asked and answered, changed, taken back, changed, declined, changed again and agreed to; then extended and made smaller.
async fn decided(run: &mut Run<'_>) {
    let (teacher, manager, form) = (run.teacher.clone(), run.manager.clone(), run.whole(2));
    let id = run.order(form).await.order.id;
    run.refused(async |services| orders::approve(services, &teacher, id, None).await).await;
    run.act(async |services| orders::ask(services, &manager, id, "Which lesson?").await).await;
    run.act(async |services| orders::answer(services, &teacher, id, "The third").await).await;
    let longer = ChangeForm { duration_minutes: "240".into(), ..ChangeForm::default() };
    let seen = Some(run.stored(id).await.version);
    run.act(async |services| orders::approve_with(services, &manager, id, &longer, "Longer", seen).await).await;
    let seen = Some(run.stored(id).await.version);
    run.act(async |services| orders::withdraw(services, &manager, id, "As it was", seen).await).await;
    for agrees in [false, true] {
        let seen = Some(run.stored(id).await.version);
        run.act(async |services| orders::approve_with(services, &manager, id, &longer, "Longer", seen).await).await;
        let seen = Some(run.stored(id).await.version);
        if agrees {
            run.act(async |services| orders::accept(services, &teacher, id, seen).await).await;
        } else {
            run.act(async |services| orders::decline(services, &teacher, id, "Too dear", seen).await).await;
        }
    }
    run.settle().await;
    let lab = run.lab_of(id).await;
    let seen = Some(run.lab(lab).await.minutes);
    // More of what a manager had to approve, a manager approves.
    run.act(async |services| labs::extend(services, &manager, lab, Extension::Minutes(30), seen).await).await;
    run.act(async |services| labs::set_autostop(services, &teacher, lab, Autostop { idle_minutes: Some(30), daily: None }).await).await;
    run.world.clock.advance(10 * MINUTE);
    let smaller = [("cards".to_owned(), "1".to_owned())].into();
    run.act(async |services| labs::resize(services, &teacher, lab, &smaller, "").await).await;
    run.settle().await;
    run.act(metering::run).await;
    run.destroy(lab).await;
}

/// More time is asked for and approved, then asked for a lab that goes before anybody decides.
async fn asking(run: &mut Run<'_>) {
    let (teacher, manager, form) = (run.teacher.clone(), run.manager.clone(), run.whole(2));
    let id = run.order(form).await.order.id;
    run.act(async |services| orders::approve(services, &manager, id, None).await).await;
    run.settle().await;
    let lab = run.lab_of(id).await;
    for approved in [true, false] {
        let seen = Some(run.lab(lab).await.minutes);
        let view = run.act(async |services| labs::extend(services, &teacher, lab, Extension::Minutes(30), seen).await).await;
        let asked = view.and_then(|view| view.pending_change).expect("an order waits");
        if approved {
            run.act(async |services| orders::approve(services, &manager, asked, None).await).await;
        }
    }
    run.destroy(lab).await;
    run.act(orders::expire).await;
}

/// Rejected, cancelled, and left alone until it expires.
async fn nothing(run: &mut Run<'_>) {
    let (teacher, manager, form) = (run.teacher.clone(), run.manager.clone(), run.whole(2));
    let id = run.order(form.clone()).await.order.id;
    run.act(async |services| orders::reject(services, &manager, id, "Not this week", None).await).await;
    let id = run.order(form.clone()).await.order.id;
    run.act(async |services| orders::cancel(services, &teacher, id).await).await;
    let lab = run.order(run.slice()).await;
    run.act(async |services| orders::cancel(services, &teacher, lab.order.id).await).await;
    run.settle().await;
    run.order(form).await;
    run.world.clock.advance(6 * DAY + 12 * 60 * MINUTE);
    run.act(orders::remind).await;
    run.world.clock.advance(DAY);
    run.act(orders::expire).await;
}

/// Approved while others have the cards; they go, and it comes up by itself.
async fn waiting(run: &mut Run<'_>) {
    let (manager, form) = (run.manager.clone(), run.whole(2));
    run.world.cluster.set_nodes(&[("gpu-1", "a100-80g", 2)]);
    run.act(cluster_status::refresh).await;
    let first = run.order(form.clone()).await.order.id;
    run.act(async |services| orders::approve(services, &manager, first, None).await).await;
    run.settle().await;
    let second = run.order(form).await.order.id;
    run.act(async |services| orders::approve(services, &manager, second, None).await).await;
    let lab = run.lab_of(first).await;
    run.destroy(lab).await;
    let lab = run.lab_of(second).await;
    run.world.clock.advance(MINUTE);
    run.destroy(lab).await;
}

/// A class of two for two lessons: approved at once, the first lesson comes up and ends by itself, the second is cancelled.
async fn lessons(run: &mut Run<'_>) {
    let (teacher, manager) = (run.teacher.clone(), run.manager.clone());
    let day = run.world.clock.now().end_of_campus_day().on_campus().date();
    let class = ClassForm { seats: "2".into(), first_day: day, bell: "08:20".into(), weeks: "2".into(), ..ClassForm::default() };
    let form = OrderForm { class, ..run.whole(1) };
    let first = run.order(form).await.order;
    let id = first.class.expect("one of many").id;
    run.act(async |services| orders::approve_class(services, &manager, id).await).await;
    run.world.clock.set(first.starts_at.expect("a lesson"));
    run.act(orders::promote).await;
    run.settle().await;
    run.world.clock.set(first.ends_at().expect("a lesson"));
    run.act(labs::stop_ended).await;
    run.settle().await;
    run.act(async |services| orders::cancel_class(services, &teacher, id).await).await;
    run.world.clock.advance(MINUTE);
    let filter = OrderFilter { class: Some(id), ..OrderFilter::default() };
    let made = orders::list(&run.world.services, &teacher, &filter, &PageRequest::default()).await.expect("read").items;
    for lab in made.into_iter().flat_map(|view| view.labs) {
        run.destroy(lab).await;
    }
}

/// The teacher is removed from the course while one order waits for a decision and another for its lesson.
async fn leaving(run: &mut Run<'_>) {
    let (undecided, slice) = (run.whole(2), run.slice());
    run.order(undecided).await;
    let day = run.world.clock.now().end_of_campus_day().on_campus().date();
    let class = ClassForm { first_day: day, bell: "08:20".into(), ..ClassForm::default() };
    run.order(OrderForm { class, ..slice }).await;
    let sql = format!("DELETE FROM course_members WHERE user_id = '{}'", run.teacher.actor.user);
    run.act(async |services| storage::testing::execute(&services.db, &sql).await.or_domain()).await;
    run.act(orders::cancel_of_leavers).await;
}

/// Its pods fail, it is cleared and tried again, loses a pod, gets it back.
async fn failing(run: &mut Run<'_>) {
    let teacher = run.teacher.clone();
    run.world.cluster.hold_pods();
    let lab = run.running().await;
    run.world.cluster.fail(lab, "ImagePullBackOff", "no such image");
    run.act(async |services| watch::take(services, &[Change::Lab(lab)]).await).await;
    run.settle().await;
    run.act(async |services| labs::retry(services, &teacher, lab).await).await;
    run.settle().await;
    run.world.cluster.make_ready(lab);
    run.act(async |services| watch::take(services, &[Change::Lab(lab)]).await).await;
    run.settle().await;
    run.world.clock.advance(MINUTE);
    run.world.cluster.lose_pod(lab);
    run.act(watch::resync).await;
    run.settle().await;
    run.world.cluster.make_ready(lab);
    run.act(watch::resync).await;
    run.settle().await;
    run.destroy(lab).await;
}

/// Its time is over: warned, stopped, kept for some days, warned again, destroyed.
async fn ending(run: &mut Run<'_>) {
    let lab = run.running().await;
    let ends = run.lab(lab).await.ends_at.expect("it runs");
    run.world.clock.set(ends.plus_minutes(-10));
    run.act(labs::warn_ending).await;
    run.world.clock.set(ends);
    run.act(labs::stop_ended).await;
    run.settle().await;
    run.act(metering::run).await;
    let kept = run.lab(lab).await.lifecycle.kept_until.expect("it is down");
    run.world.clock.set(kept.plus_minutes(-60));
    run.act(labs::warn_kept).await;
    let kept = run.lab(lab).await.lifecycle.kept_until.expect("it is down");
    run.world.clock.set(kept.plus_minutes(1));
    run.act(labs::destroy_kept).await;
    run.settle().await;
    assert!(run.world.clock.now() > ends);
}

/// A stop is blocked; another client enlarges the volume and later deletes the namespace. The owner is notified, and decides.
async fn vanishing(run: &mut Run<'_>) {
    let (teacher, form) = (run.teacher.clone(), run.whole(1));
    let lab = run.order(form).await.labs[0];
    run.settle().await;
    run.act(async |services| labs::stop(services, &teacher, lab).await).await;
    run.world.cluster.block(Some(Obstacle::Credentials));
    run.act(reconcile::due).await;
    run.world.cluster.block(None);
    run.settle().await;
    run.world.cluster.set_volume(lab, 256, 256);
    run.act(async |services| watch::take(services, &[Change::Lab(lab)]).await).await;
    run.settle().await;
    run.world.cluster.delete_namespace();
    run.act(async |services| watch::take(services, &[Change::All]).await).await;
    run.settle().await;
    run.act(async |services| labs::start(services, &teacher, lab).await).await;
    run.settle().await;
    run.act(async |services| labs::retry(services, &teacher, lab).await).await;
    run.settle().await;
    run.destroy(lab).await;
}

/// A key is added and removed again while a lab with an SSH server runs; later the keys are written once more.
async fn keys(run: &mut Run<'_>) {
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To";
    run.world.cluster.answer_programs(0);
    let (teacher, form) = (run.teacher.clone(), shell_order(&run.course, KEY));
    let lab = run.order(form).await.labs[0];
    run.settle().await;
    let form = SshKeyForm { name: "laptop".into(), public_key: KEY.into() };
    let key = run.act(async |services| ssh_keys::add(services, &teacher, &form).await).await.expect("an answer in the end");
    run.settle().await;
    run.act(async |services| match ssh_keys::remove(services, &teacher, key.id).await {
        // The answer was lost.
        Err(Error::NotFound) => Ok(()),
        other => other,
    })
    .await;
    run.settle().await;
    run.world.clock.advance(11 * MINUTE);
    run.act(renew_keys).await;
    run.settle().await;
    run.destroy(lab).await;
}

/// A lab becomes ready, another one of the same offering does not. Its owner is told once, and gives it up.
async fn late(run: &mut Run<'_>) {
    run.world.cluster.hold_pods();
    let ready = run.running().await;
    run.world.cluster.make_ready(ready);
    run.act(async |services| watch::take(services, &[Change::Lab(ready)]).await).await;
    run.settle().await;
    let slow = run.running().await;
    // Longer than any start takes in which somebody tries again.
    run.world.clock.advance(60 * MINUTE);
    run.act(labs::warn_late).await;
    run.act(labs::warn_late).await;
    for lab in [slow, ready] {
        run.destroy(lab).await;
    }
}

/// A job fails once and is tried again, and ends well; started again it fails. Its logs are kept until it is destroyed.
async fn job(run: &mut Run<'_>) {
    let (teacher, manager, form) = (run.teacher.clone(), run.manager.clone(), run.job());
    let order = run.order(form).await.order;
    if order.state == OrderState::PendingApproval {
        run.act(async |services| orders::approve(services, &manager, order.id, None).await).await;
    }
    run.settle().await;
    let lab = run.lab_of(order.id).await;
    run.world.cluster.write_log(lab, "loss=0.1\n");
    run.world.cluster.fail_try(lab, 1);
    run.world.clock.advance(MINUTE);
    run.world.cluster.finish(lab);
    run.act(async |services| watch::take(services, &[Change::Lab(lab)]).await).await;
    run.settle().await;
    assert_eq!(kept_logs(run, lab).await, ["1 9", "2 9"], "both tries");
    run.act(async |services| labs::start(services, &teacher, lab).await).await;
    run.settle().await;
    run.world.cluster.fail(lab, "BackoffLimitExceeded", "exit code 1");
    run.act(async |services| watch::take(services, &[Change::Lab(lab)]).await).await;
    run.settle().await;
    assert_eq!(kept_logs(run, lab).await, ["1 9", "2 9", "1 9"], "and that of the next start");
    run.act(labs::sweep_logs).await;
    run.destroy(lab).await;
    assert!(kept_logs(run, lab).await.is_empty(), "they go with the lab");
}

/// Try and bytes of each log that is kept of the lab.
async fn kept_logs(run: &Run<'_>, lab: LabId) -> Vec<String> {
    let sql = format!("SELECT attempt || ' ' || bytes FROM lab_logs WHERE lab_id = '{lab}' AND body IS NOT NULL ORDER BY generation, attempt");
    storage::testing::texts(&run.world.services.db, &sql).await
}

/// The cluster is unreachable while an order is made, and comes back. The portal is down when the lab's time is over.
async fn away(run: &mut Run<'_>) {
    run.world.cluster.go_away();
    let form = run.slice();
    let lab = run.order(form).await.labs[0];
    run.act(reconcile::due).await;
    run.act(cluster_status::refresh).await;
    run.world.clock.advance(MINUTE);
    run.world.cluster.come_back();
    run.act(reconcile::due).await;
    run.act(async |services| watch::take(services, &[Change::Away("cut off".into()), Change::All]).await).await;
    run.settle().await;
    run.world.clock.advance(MINUTE);
    run.act(cluster_status::refresh).await;
    // The portal is down until the lab's time is over; the watch sees the lab before the job that stops ended labs.
    let ends = run.lab(lab).await.ends_at.expect("it runs");
    run.world.clock.set(ends.plus_minutes(5));
    run.act(watch::resync).await;
    run.settle().await;
    run.destroy(lab).await;
}

/// Nobody uses the lab. A kernel that executes keeps it, and after a warning its owner does. After the next warning it is stopped.
async fn unused(run: &mut Run<'_>) {
    let (teacher, lab) = (run.teacher.clone(), run.running().await);
    let jupyter = FakeJupyter::start(&run.world.cluster, lab, Kernel::Busy);
    run.act(async |services| labs::set_autostop(services, &teacher, lab, Autostop { idle_minutes: Some(30), daily: None }).await).await;
    run.world.clock.advance(21 * MINUTE);
    run.act(labs::stop_idle).await;
    jupyter.turn(Kernel::Idle);
    run.world.clock.advance(21 * MINUTE);
    run.act(labs::stop_idle).await;
    run.act(async |services| labs::keep_running(services, &teacher, lab).await).await;
    run.world.clock.advance(21 * MINUTE);
    run.act(labs::stop_idle).await;
    run.world.clock.advance(11 * MINUTE);
    run.act(labs::stop_idle).await;
    run.settle().await;
    run.act(metering::run).await;
    run.destroy(lab).await;
}
