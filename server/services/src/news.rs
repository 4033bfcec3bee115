//! Which news may reach whom: what an open page hears of is what its reader could read.

use domain::{
    Result,
    access::{Action, Actor, Resource},
};

use crate::{Services, error::OrDomain, hub::News};

/// What the news is about, for [`may_hear`]; `None` when it is gone, or is nobody's in particular. Owners never change: keep it.
pub async fn about(services: &Services, news: News) -> Result<Option<Resource>> {
    match news {
        News::Cluster | News::Notice(_) => Ok(None),
        News::Audit(tenant) => Ok(Some(Resource::tenant(tenant))),
        News::Order(_, id) => {
            let mut connection = services.db.read().await.or_domain()?;
            storage::figures::order_resource(&mut connection, id).await.or_domain()
        }
        News::Lab(_, id) => {
            let mut connection = services.db.read().await.or_domain()?;
            storage::figures::lab_resource(&mut connection, id).await.or_domain()
        }
    }
}

/// Whether the actor could read what the news is about. Deciding needs no audit record: nothing was asked for.
pub fn may_hear(actor: &Actor, news: News, about: Option<&Resource>) -> bool {
    let action = match news {
        // That the cluster is away is on everybody's page.
        News::Cluster => return true,
        News::Notice(user) => return user == actor.user,
        News::Audit(_) => Action::AuditRead,
        News::Order(..) => Action::OrderRead,
        News::Lab(..) => Action::LabRead,
    };
    about.is_some_and(|on| actor.can(action, on).is_ok())
}
