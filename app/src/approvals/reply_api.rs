//! What the requester says: yes or no to changes, and answers. The forms stand on the order's own page.

use leptos::prelude::*;

use crate::error::AppError;

/// By which the order's page finds what the last try left behind.
pub const REPLY: &str = "order.reply";

#[server(AcceptChanges, endpoint = "orders/accept")]
pub async fn accept(id: String, #[server(default)] seen_version: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::orders::accept(&caller::services()?, &caller::caller()?, caller::id_of(&id)?, seen_version.parse().ok()).await?;
        Ok(())
    }
    .await;
    caller::answer(REPLY, &routes::order(&id), caller::typed([]), result, |()| routes::order(&id)).await
}

#[server(DeclineChanges, endpoint = "orders/decline")]
pub async fn decline(id: String, #[server(default)] text: String, #[server(default)] seen_version: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let typed = caller::typed([("text", &text)]);
    let result = async {
        let (services, person, id) = (caller::services()?, caller::caller()?, caller::id_of(&id)?);
        services::orders::decline(&services, &person, id, &text, seen_version.parse().ok()).await?;
        Ok(())
    }
    .await;
    caller::answer(REPLY, &routes::order(&id), typed, result, |()| routes::order(&id)).await
}

#[server(Answer, endpoint = "orders/answer")]
pub async fn answer(id: String, #[server(default)] answer: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let typed = caller::typed([("answer", &answer)]);
    let result = async {
        let said = services::orders::answer(&caller::services()?, &caller::caller()?, caller::id_of(&id)?, &answer).await;
        said.map_err(|error| error.at("text", "answer"))?;
        Ok(())
    }
    .await;
    caller::answer(REPLY, &routes::order(&id), typed, result, |()| routes::order(&id)).await
}
