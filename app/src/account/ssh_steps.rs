//! All that is done once on a computer before `ssh` reaches labs from it, in order, with what to type.

use domain::ssh_keys::USER;
use leptos::prelude::*;

use crate::{components::CopyField, i18n::td_string, language, routes};

const KEY: &str = "ssh-keygen -t ed25519";

/// `portal`: its public address, if it has one; else the browser knows it. `user`: by whom labs are entered. `connect`: the command for a lab.
#[component]
pub fn SshSteps(portal: Option<String>, user: String, #[prop(into)] connect: String) -> impl IntoView {
    let language = language::current();
    let portal = RwSignal::new(portal.unwrap_or_default());
    Effect::new(move |_| {
        if portal.with_untracked(String::is_empty)
            && let Ok(origin) = window().location().origin()
        {
            portal.set(origin);
        }
    });
    let login =
        move || portal.with(|portal| if portal.is_empty() { "lectern login https://…".to_owned() } else { format!("lectern login {portal}") });
    view! {
        <details class="unfold">
            <summary class="btn small">{td_string!(language, account.ssh_steps)}</summary>
            <ol class="numbered stack tight">
                <li>{td_string!(language, account.ssh_program)}</li>
                <li>
                    {td_string!(language, account.ssh_key)}" "<a href=format!("{}#keys", routes::ACCOUNT)>{td_string!(language, account.key_list)}</a>
                    <CopyField label=td_string!(language, account.ssh_command) text=KEY/>
                </li>
                <li>
                    {td_string!(language, account.ssh_token)}" "<a href=format!("{}#tokens", routes::ACCOUNT)>{td_string!(language, account.tokens)}</a>
                </li>
                <li>
                    {td_string!(language, account.ssh_login)}
                    {move || view! { <CopyField label=td_string!(language, account.ssh_command) text=login()/> }}
                </li>
                <li>
                    {td_string!(language, account.ssh_config)}
                    <CopyField label=td_string!(language, account.ssh_command) text=config_command(&user)/>
                </li>
                <li>
                    {td_string!(language, account.ssh_connect)}
                    <CopyField label=td_string!(language, account.ssh_command) text=connect/>
                </li>
            </ol>
        </details>
    }
    .into_any()
}

/// Adds the block for labs to the configuration of OpenSSH.
fn config_command(user: &str) -> String {
    let named = if user == USER { String::new() } else { format!("--user {user} ") };
    format!("lectern ssh-config {named}>> ~/.ssh/config")
}

/// The command that reaches a lab. The configuration names the usual user; another one is said.
pub fn connect_command(user: &str, lab: &str) -> String {
    if user == USER { format!("ssh {lab}.lectern") } else { format!("ssh {user}@{lab}.lectern") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_a_user_that_is_not_the_usual_one() {
        assert_eq!(config_command("ubuntu"), "lectern ssh-config >> ~/.ssh/config");
        assert_eq!(config_command("root"), "lectern ssh-config --user root >> ~/.ssh/config");
        assert_eq!(connect_command("ubuntu", "lab-7"), "ssh lab-7.lectern");
        assert_eq!(connect_command("li", "lab-7"), "ssh li@lab-7.lectern");
    }
}
