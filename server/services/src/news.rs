//! Which news may reach whom: what an open page hears of is what its reader could read.

use domain::access::{Action, Actor, Resource};

use crate::hub::News;

/// Whether the actor could read what the news is about. Deciding needs no audit record: nothing was asked for.
pub fn may_hear(actor: &Actor, news: News) -> bool {
    let (action, on) = match news {
        // That the cluster is away is on everybody's page.
        News::Cluster => return true,
        News::Notice(user) => return user == actor.user,
        News::Access(_) => return false,
        News::Audit(tenant) => (Action::AuditRead, Resource::tenant(tenant)),
        News::Order(whose, _) => (Action::OrderRead, whose),
        News::Lab(whose, _) => (Action::LabRead, whose),
    };
    // Most news is of another college's or somebody else's: the quick look comes first.
    on.tenant == actor.tenant && actor.can(action, &on).is_ok()
}
