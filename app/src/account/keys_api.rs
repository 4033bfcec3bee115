//! One's public keys for SSH: list, add, remove.

use domain::ssh_keys::SshKey;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// By which the page finds what the last try left behind.
pub const FORM: &str = "ssh_key";

#[server(ListSshKeys, endpoint = "account/ssh-keys", input = GetUrl)]
pub async fn ssh_keys() -> Result<Vec<SshKey>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::ssh_keys::list(&services()?, &caller()?).await?)
}

/// A private key that was pasted by mistake is not kept for the form.
#[server(AddSshKey, endpoint = "account/add-ssh-key")]
pub async fn add_ssh_key(#[server(default)] key_name: String, #[server(default)] public_key: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let kept = if public_key.contains("PRIVATE") { "" } else { public_key.as_str() };
    let typed = typed([("key_name", key_name.as_str()), ("public_key", kept)]);
    let form = domain::ssh_keys::SshKeyForm { name: key_name, public_key };
    let result = async {
        // The page has another name on it.
        services::ssh_keys::add(&services()?, &caller()?, &form).await.map_err(|error| error.at("name", "key_name"))?;
        Ok(())
    }
    .await;
    answer(FORM, routes::ACCOUNT, typed, result, |()| format!("{}#keys", routes::ACCOUNT)).await
}

#[server(RemoveSshKey, endpoint = "account/remove-ssh-key")]
pub async fn remove_ssh_key(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::ssh_keys::remove(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer(FORM, routes::ACCOUNT, typed([]), result, |()| format!("{}#keys", routes::ACCOUNT)).await
}
