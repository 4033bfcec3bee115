//! Reading labs, and what people ask of them.

use domain::{
    labs::{LabDetail, LabView},
    page::Page,
    time::Timestamp,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// A lab, and what time it is, so that both sides of the wire count the same time left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabNow {
    pub detail: LabDetail,
    pub now: Timestamp,
}

#[server(ReadLab, endpoint = "labs/read", input = GetUrl)]
pub async fn read_lab(id: String) -> Result<LabNow, AppError> {
    use crate::caller::{caller, id_of, services};
    let services = services()?;
    let detail = services::labs::get(&services, &caller()?, id_of(&id)?).await?;
    Ok(LabNow { detail, now: services.clock.now() })
}

/// `state`: a state's name, `all`, `left` for labs whose owner left the course, `unused` for labs with unused cards, or empty for labs that
/// are not destroyed. `course`: its
/// code. `after`: the cursor from the previous page.
#[server(ListLabs, endpoint = "labs/list", input = GetUrl)]
pub async fn list_labs(
    #[server(default)] state: String,
    #[server(default)] course: String,
    #[server(default)] text: String,
    #[server(default)] after: String,
) -> Result<Page<LabView>, AppError> {
    use crate::caller::{caller, services};
    use domain::{
        courses::CourseKey,
        labs::{LabFilter, LabState},
        page::PageRequest,
    };
    let (owner_left, unused) = (state == super::filters::LEFT, state == super::filters::UNUSED);
    let live = state.is_empty() || owner_left || unused;
    let filter =
        LabFilter { state: LabState::parse(&state), live, owner_left, unused, course: CourseKey::read(&course), text, ..LabFilter::default() };
    let page = PageRequest { after: (!after.is_empty()).then_some(after), ..PageRequest::default() };
    Ok(services::labs::list(&services()?, &caller()?, &filter, &page).await?)
}

/// The YAML of everything that the cluster is given for the lab.
#[server(ReadManifests, endpoint = "labs/manifests", input = GetUrl)]
pub async fn read_manifests(id: String) -> Result<String, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::labs::manifests(&services()?, &caller()?, id_of(&id)?).await?)
}

/// By which the page finds what the last try left behind.
pub const FORM: &str = "lab";

#[server(StartLab, endpoint = "labs/start")]
pub async fn start_lab(id: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::labs::start(&caller::services()?, &caller::caller()?, caller::id_of(&id)?).await?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::lab(&id), caller::typed([]), result, |()| routes::lab(&id)).await
}

#[server(StopLab, endpoint = "labs/stop")]
pub async fn stop_lab(id: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::labs::stop(&caller::services()?, &caller::caller()?, caller::id_of(&id)?).await?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::lab(&id), caller::typed([]), result, |()| routes::lab(&id)).await
}

#[server(DestroyLab, endpoint = "labs/destroy")]
pub async fn destroy_lab(id: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::labs::destroy(&caller::services()?, &caller::caller()?, caller::id_of(&id)?).await?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::lab(&id), caller::typed([]), result, |()| routes::lab(&id)).await
}
