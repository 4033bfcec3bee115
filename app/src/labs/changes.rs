//! What owners ask of a lab that exists: restart, more time, another size, a new try, keeping it, stopping by the clock.

use domain::{catalogue::ParameterInput, courses::CourseRef, labs::resize::ResizeContext};
use leptos::{prelude::*, server_fn::codec::GetUrl};

#[cfg(feature = "ssr")]
use super::api::FORM;
use crate::error::AppError;

/// `generation`: of the pods that the page showed; what was made anew since is not made anew again.
#[server(RestartLab, endpoint = "labs/restart")]
pub async fn restart_lab(id: String, #[server(default)] generation: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::labs::restart(&caller::services()?, &caller::caller()?, caller::id_of(&id)?, generation.parse().ok()).await?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::lab(&id), caller::typed([]), result, |()| routes::lab(&id)).await
}

#[server(RetryLab, endpoint = "labs/retry")]
pub async fn retry_lab(id: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::labs::retry(&caller::services()?, &caller::caller()?, caller::id_of(&id)?).await?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::lab(&id), caller::typed([]), result, |()| routes::lab(&id)).await
}

#[server(KeepLab, endpoint = "labs/keep")]
pub async fn keep_lab(id: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::labs::keep(&caller::services()?, &caller::caller()?, caller::id_of(&id)?).await?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::lab(&id), caller::typed([]), result, |()| routes::lab(&id)).await
}

/// `minutes` more, or `until` a time on campus (`13:30`, the next one to come) or an instant (RFC 3339). `seen`: all minutes of the lab as the page showed them.
/// Gives whether it waits for somebody to approve it.
#[server(ExtendLab, endpoint = "labs/extend")]
pub async fn extend_lab(
    id: String,
    #[server(default)] minutes: String,
    #[server(default)] until: String,
    #[server(default)] seen: String,
) -> Result<bool, AppError> {
    use crate::{caller, routes};
    let typed = caller::typed([("until", &until)]);
    let result = async {
        let services = caller::services()?;
        let by = wanted(&minutes, &until, services.clock.now())?;
        let seen = seen.parse().ok();
        let lab = services::labs::extend(&services, &caller::caller()?, caller::id_of(&id)?, by, seen).await?;
        Ok(lab.change_filed)
    }
    .await;
    caller::answer(FORM, &routes::lab(&id), typed, result, |_| routes::lab(&id)).await
}

#[cfg(feature = "ssr")]
fn wanted(minutes: &str, until: &str, now: domain::time::Timestamp) -> Result<domain::labs::Extension, domain::Error> {
    use domain::{
        Error, Problem,
        labs::{Extension, TimeOfDay},
    };
    if until.is_empty() {
        return minutes.parse().map(Extension::Minutes).map_err(|_| Error::field("minutes", Problem::NotANumber));
    }
    if let Some(until) = domain::time::Timestamp::parse_rfc3339(until) {
        return Ok(Extension::Until(until));
    }
    let time: TimeOfDay = until.parse().map_err(|_| Error::field("until", Problem::BadFormat { example: "13:30".into() }))?;
    Ok(Extension::Until(time.next_after(now)))
}

#[server(ResizeLab, endpoint = "labs/resize")]
pub async fn resize_lab(id: String, #[server(default)] parameters: ParameterInput, #[server(default)] purpose: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let mut typed = caller::typed([("purpose", &purpose)]);
    typed.extend(parameters.iter().map(|(key, text)| (format!("parameters.{key}"), text.clone())));
    let result = async {
        Box::pin(services::labs::resize(&caller::services()?, &caller::caller()?, caller::id_of(&id)?, &parameters, &purpose)).await?;
        Ok(())
    }
    .await;
    caller::answer(super::resize::FORM, &routes::lab_resize(&id), typed, result, |()| routes::lab(&id)).await
}

#[server(ReadResize, endpoint = "labs/resize_form", input = GetUrl)]
pub async fn read_resize(id: String) -> Result<ResizeContext, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::labs::resize_context(&services()?, &caller()?, id_of(&id)?).await?)
}

/// Counts as use of a running lab.
#[server(KeepRunning, endpoint = "labs/keep-running")]
pub async fn keep_running(id: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::labs::keep_running(&caller::services()?, &caller::caller()?, caller::id_of(&id)?).await?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::lab(&id), caller::typed([]), result, |()| routes::lab(&id)).await
}

/// The whole setting. `daily`: a time on campus (`22:00`); empty for no daily stop. `idle_minutes`: without use; empty for the college's.
#[server(SetAutostop, endpoint = "labs/autostop")]
pub async fn set_autostop(id: String, #[server(default)] daily: String, #[server(default)] idle_minutes: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    use domain::{Error, Problem, labs::Autostop};
    let typed = caller::typed([("daily", &daily), ("idle_minutes", &idle_minutes)]);
    let result = async {
        let (services, caller) = (caller::services()?, caller::caller()?);
        let id = caller::id_of(&id)?;
        let daily = match daily.trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| Error::field("daily", Problem::BadFormat { example: "22:00".into() }))?),
        };
        let idle_minutes = match idle_minutes.trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| Error::field("idle_minutes", Problem::NotANumber))?),
        };
        services::labs::set_autostop(&services, &caller, id, Autostop { idle_minutes, daily }).await?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::lab(&id), typed, result, |()| routes::lab(&id)).await
}

/// Courses whose labs the reader may look for; none for a reader without quotas.
#[server(LabCourses, endpoint = "labs/courses", input = GetUrl)]
pub async fn lab_courses() -> Result<Vec<CourseRef>, AppError> {
    use crate::caller::{caller, services};
    match services::quotas::list(&services()?, &caller()?).await {
        Ok(all) => Ok(all.into_iter().map(|(course, _)| course).collect()),
        Err(domain::Error::Forbidden) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}
