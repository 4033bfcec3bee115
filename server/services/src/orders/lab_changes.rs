//! Orders for more time or another size of a lab that exists, where the policy asks somebody: filed here, decided like every order.

use domain::{
    Result,
    approvals::Ruling,
    catalogue::{LabSpec, Offering},
    orders::{ChangeTo, LabChange, Order},
    pricing::Estimate,
};
use storage::{Write, labs::Listed, script::Script};

use super::{audited, grant::write_all, tell, undecided::Undecided};
use crate::{Caller, Services, audit, error::OrDomain, hub::News, notifications::Told};

/// A requested change: the lab as it would be, its additional cost, and the approvers that it needs.
#[derive(Debug)]
pub(crate) struct Wanted<'o> {
    pub offering: &'o Offering,
    pub to: ChangeTo,
    pub spec: LabSpec,
    /// Its total is held of the budget, and its minutes are those of the order.
    pub estimate: Estimate,
    pub ruling: Ruling,
}

/// An order that was filed. Tell of it once the transaction is committed.
#[must_use = "approvers hear of it by `filed.tell(services)` after the commit"]
#[derive(Debug)]
pub(crate) struct Filed {
    news: News,
    told: Told,
}

impl Filed {
    pub(crate) fn tell(self, services: &Services) {
        services.hub.tell(self.news);
        self.told.tell(services);
    }
}

/// Files the order in the caller's name. The budget was checked in this transaction, under the course's lock.
pub(crate) async fn file_change(services: &Services, write: &mut Write, caller: &Caller, listed: &Listed, wanted: Wanted<'_>) -> Result<Filed> {
    let Wanted { offering, to, mut spec, estimate, ruling } = wanted;
    // They stay with the lab and its own order.
    spec.secrets.clear();
    let (now, lab) = (services.clock.now(), &listed.lab);
    let number = storage::orders::next_numbers(write, 1).await.or_domain()?;
    let undecided = Undecided { tenant: lab.tenant, course: lab.course, owner: caller.actor.user, offering, spec, estimate, ruling };
    let order = Order {
        offering_name: lab.offering_name.clone(),
        seat: listed.seat.clone(),
        change: Some(LabChange { lab: lab.id, name: lab.name.clone(), to }),
        ..undecided.order(services, number, now)
    };
    let mut script = Script::default();
    script.add(storage::orders::new(&order));
    let entry = audited::entry("order.submit", &order).after(audited::tracked(&order));
    script.extend(audit::success_record(services, caller, entry));
    write_all(write, script).await?;
    let told = tell::waits(services, write, &order).await?;
    Ok(Filed { news: News::order(&order), told })
}
