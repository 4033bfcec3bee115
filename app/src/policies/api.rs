//! Reading, editing the draft, and putting it in force.

use domain::{policies::PolicyView, policy_form::RuleForm};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// By which the pages find what the last try left behind.
pub const STEP: &str = "policy";
pub const RULE: &str = "policy.rule";

#[server(ReadPolicy, endpoint = "policies/read", input = GetUrl)]
pub async fn read_policy() -> Result<PolicyView, AppError> {
    use crate::caller::{caller, services};
    Ok(services::policies::get(&services()?, &caller()?).await?)
}

/// One step of the editor by its name: `up`, `down`, `remove`, `enable`, `disable` with the number of a rule; `allow`, `forbid`.
#[server(EditPolicy, endpoint = "policies/edit")]
pub async fn edit_policy(
    #[server(default)] step: String,
    #[server(default)] number: String,
    #[server(default)] revision: String,
) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        let edit = named(&step, &number)?;
        services::policies::edit(&caller::services()?, &caller::caller()?, revision.parse().unwrap_or_default(), &edit).await?;
        Ok(())
    }
    .await;
    caller::answer(STEP, routes::POLICIES, caller::typed([]), result, |()| routes::POLICIES.to_owned()).await
}

/// What is no step of ours names nothing.
#[cfg(feature = "ssr")]
fn named(step: &str, number: &str) -> Result<domain::policies::Edit, AppError> {
    use domain::policies::Edit;
    let number: u32 = number.parse().unwrap_or(u32::MAX);
    Ok(match step {
        "up" => Edit::Up(number),
        "down" => Edit::Down(number),
        "remove" => Edit::Remove(number),
        "enable" => Edit::Enable(number),
        "disable" => Edit::Disable(number),
        "allow" => Edit::AllowSamePerson,
        "forbid" => Edit::ForbidSamePerson,
        _ => return Err(domain::Error::NotFound.into()),
    })
}

/// A rule as typed, in the place of `number`, or a new one when that is `new`.
#[server(SaveRule, endpoint = "policies/save-rule")]
pub async fn save_rule(
    #[server(default)] number: String,
    #[server(default)] revision: String,
    #[server(default)] rule: RuleForm,
) -> Result<(), AppError> {
    use crate::{caller, routes};
    let mut typed = rule.clone();
    typed.insert("typed".into(), "1".into());
    let result = async {
        let (services, person) = (caller::services()?, caller::caller()?);
        services::policies::edit_rule(&services, &person, revision.parse().unwrap_or_default(), number.parse().ok(), &rule).await?;
        Ok(())
    }
    .await;
    caller::answer(RULE, &routes::policy_rule(&number), typed, result, |()| routes::POLICIES.to_owned()).await
}

#[server(PublishPolicy, endpoint = "policies/publish")]
pub async fn publish_policy(#[server(default)] revision: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::policies::publish(&caller::services()?, &caller::caller()?, revision.parse().unwrap_or_default()).await?;
        Ok(())
    }
    .await;
    caller::answer(STEP, routes::POLICIES, caller::typed([]), result, |()| routes::POLICIES.to_owned()).await
}

#[server(DiscardPolicy, endpoint = "policies/discard")]
pub async fn discard_policy(#[server(default)] revision: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::policies::discard(&caller::services()?, &caller::caller()?, revision.parse().unwrap_or_default()).await?;
        Ok(())
    }
    .await;
    caller::answer(STEP, routes::POLICIES, caller::typed([]), result, |()| routes::POLICIES.to_owned()).await
}
