//! That one's account is joined to the identity provider, and parting it.

use domain::people::JoinedIdentity;
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::RemoveIdentity;
use crate::{
    components::{ButtonKind, ConfirmDialog, Fact, Moment},
    i18n::td_string,
    language::{self, Language},
};

/// Since when, when it was last used, and what can be done about it.
pub fn identity_facts(language: Language, identity: JoinedIdentity) -> impl IntoView {
    let JoinedIdentity { provider, since, last_used_at, has_password } = identity;
    let name = provider.get(language::tag(language)).to_owned();
    let title = td_string!(language, account.remove_identity_title, name = name.as_str()).to_string();
    let end = if has_password {
        view! {
            <ConfirmDialog
                id="remove-identity"
                open_text=td_string!(language, account.remove_identity)
                title
                confirm_text=td_string!(language, account.remove_identity)
                action=RemoveIdentity::PATH
                kind=ButtonKind::Plain
                small=true
            >
                <p>{td_string!(language, account.remove_identity_text)}</p>
            </ConfirmDialog>
        }
        .into_any()
    } else {
        view! { <div class="fine">{td_string!(language, account.identity_only)}</div> }.into_any()
    };
    view! {
        <Fact name>
            <div>{td_string!(language, account.identity_since)}" "<Moment at=since/></div>
            <div class="fine">{td_string!(language, account.identity_used)}" "<Moment at=last_used_at/></div>
            {end}
        </Fact>
    }
    .into_any()
}
