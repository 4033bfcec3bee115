//! Notices to owners about their labs. Labs that were ordered together give one notice for all of them, not one for each seat.

use domain::{
    Result,
    labs::{Job, Lab},
    notifications::Notice,
    orders::ClassRef,
    time::Timestamp,
};
use storage::Write;

use crate::{
    Services,
    error::OrDomain,
    notifications::{Told, notify},
};

/// The class order that the lab's order belongs to, and the number of its first order.
pub(crate) async fn class_of(write: &mut Write, lab: &Lab) -> Result<Option<(ClassRef, i64)>> {
    let Some(order) = storage::orders::find(write, lab.order).await.or_domain()? else { return Ok(None) };
    let Some(class) = order.class else { return Ok(None) };
    let standing = storage::orders::standing(write, class.id, None).await.or_domain()?;
    Ok(Some((class, standing.map_or(order.number, |standing| standing.number))))
}

/// Labs of a class whose warnings are about instants within this many seconds of each other share one notice.
const TOGETHER_SECONDS: i64 = 15 * 60;

/// The owner is told of a warning that was just noted; the owner of a class once for all its seats. `notice`: of the class and the number
/// of its first order, or of the lab alone.
pub(super) async fn warned(
    services: &Services,
    write: &mut Write,
    lab: &Lab,
    (kind, about): (&str, Timestamp),
    notice: impl FnOnce(Option<(ClassRef, i64)>) -> Notice + Send,
) -> Result<Told> {
    let class = class_of(write, lab).await?;
    if let Some((class, _)) = &class
        && storage::labs::class_warned(write, class.id, lab.id, kind, (about, TOGETHER_SECONDS)).await.or_domain()?
    {
        return Ok(Told::default());
    }
    notify(services, write, &[lab.owner].into(), &notice(class)).await
}

/// The lab is ready; nothing is told of a single job, which nobody opens. Call it in the transaction that marks the lab running, after its
/// order is fulfilled.
pub(crate) async fn ready(services: &Services, write: &mut Write, lab: &Lab) -> Result<Told> {
    if let Some((class, number)) = class_of(write, lab).await? {
        return class_ready(services, write, lab, class, number).await;
    }
    if lab.spec.workload.ends() {
        return Ok(Told::default());
    }
    let resized = storage::labs::is_resized(write, lab.id).await.or_domain()?;
    let notice = Notice::LabReady { lab: lab.id, name: lab.name.clone(), generation: lab.lifecycle.generation, resized };
    notify(services, write, &[lab.owner].into(), &notice).await
}

/// The job ended well. Call it in the transaction that marks it stopping. Of a class each is told of: they end at times of their own.
pub(crate) async fn finished(services: &Services, write: &mut Write, lab: &Lab) -> Result<Told> {
    if !lab.spec.workload.ends() {
        return Ok(Told::default());
    }
    let notice = Notice::JobFinished { lab: lab.id, name: lab.name.clone(), generation: lab.lifecycle.generation };
    notify(services, write, &[lab.owner].into(), &notice).await
}

/// The lab failed. Call it in the transaction that marks it failed, after its order.
pub(crate) async fn failed(services: &Services, write: &mut Write, lab: &Lab, at: Timestamp) -> Result<Told> {
    let Some((class, number)) = class_of(write, lab).await? else {
        let notice = match Job::of(lab, false).and_then(|job| job.outcome) {
            Some(outcome) => Notice::JobFailed { lab: lab.id, name: lab.name.clone(), exit_code: outcome.exit_code(), at },
            None => Notice::LabFailed { lab: lab.id, name: lab.name.clone(), at },
        };
        return notify(services, write, &[lab.owner].into(), &notice).await;
    };
    let notice = Notice::ClassFailed { class: class.id, number, lesson: class.lesson, day: at.start_of_campus_day() };
    let told = notify(services, write, &[lab.owner].into(), &notice).await?;
    // The notice that the others are ready may have waited for this lab.
    Ok(told.and(class_ready(services, write, lab, class, number).await?))
}

/// The lab is down and will be destroyed at `about`.
pub(super) async fn goes_soon(services: &Services, write: &mut Write, lab: &Lab, about: Timestamp) -> Result<Told> {
    let notice = match class_of(write, lab).await? {
        Some((class, number)) => Notice::ClassGoesSoon { class: class.id, number, day: about.start_of_campus_day() },
        None => Notice::LabGoesSoon { lab: lab.id, name: lab.name.clone(), kept_until: about },
    };
    notify(services, write, &[lab.owner].into(), &notice).await
}

/// The labs of the lesson are ready: given once no lab of it is still to start. Labs that become ready at the same moment take a lock, so
/// that only the last one gives the notice.
async fn class_ready(services: &Services, write: &mut Write, lab: &Lab, class: ClassRef, number: i64) -> Result<Told> {
    storage::dialect::lock(write, &format!("class ready:{}", class.id)).await.or_domain()?;
    let lesson = storage::orders::lesson(write, class.id, class.lesson).await.or_domain()?;
    if lesson.coming > 0 || lesson.ready == 0 {
        return Ok(Told::default());
    }
    let notice = Notice::ClassReady { class: class.id, number, lesson: class.lesson };
    notify(services, write, &[lab.owner].into(), &notice).await
}
