//! One's public keys for SSH: those there are, and a form for another one.

use domain::ssh_keys::{NAME_MAX, SshKey, TEXT_MAX};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    keys_api::{AddSshKey, FORM, RemoveSshKey, ssh_keys},
    row_action::RowAction,
    ssh_steps::{SshSteps, connect_command},
};
use crate::{
    caller_view::use_viewer,
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, Column, DataTable, EmptyState, ErrorNotice, Glyph, Moment, Row, Skeleton, TextArea, TextField,
    },
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
};

#[component]
pub fn KeysCard() -> impl IntoView {
    let keys = Resource::new(|| (), |()| ssh_keys());
    let failed = flash(FORM);
    let viewer = use_viewer();
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || Suspend::new(async move {
                let (failed, person) = (failed.await, viewer.loaded().await);
                let way = person.map(|person| (person.portal_url, person.ssh_user));
                match keys.await {
                    Ok(keys) => view! { <Whole keys failed way/> }.into_any(),
                    Err(error) => view! { <ErrorNotice error/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Whole(keys: Vec<SshKey>, failed: Flash, #[prop(optional_no_strip)] way: Option<(Option<String>, String)>) -> impl IntoView {
    let language = language::current();
    let columns = vec![
        Column::text(td_string!(language, account.key_name)),
        Column::text(td_string!(language, account.key_fingerprint)),
        Column::text(td_string!(language, account.key_added)),
        Column::text(""),
    ];
    let empty = keys.is_empty();
    let rows = keys.into_iter().map(|key| row(language, key)).collect_view();
    view! {
        <Card title=td_string!(language, account.key_list) flush=true id="keys">
            {if empty {
                let (title, text) = (td_string!(language, account.no_keys), td_string!(language, account.no_keys_text));
                view! { <div class="inset"><EmptyState glyph=Glyph::Key title text/></div> }.into_any()
            } else {
                view! {
                    <DataTable caption=td_string!(language, account.key_list) columns>{rows}</DataTable>
                    <p class="inset soft">{td_string!(language, account.keys_about)}</p>
                }
                .into_any()
            }}
            <div class="inset"><NewKey failed/></div>
            {way.map(|(portal, user)| {
                let connect = connect_command(&user, "lab-2047");
                view! { <div class="inset"><SshSteps portal user connect/></div> }
            })}
        </Card>
    }
    .into_any()
}

fn row(language: Language, key: SshKey) -> impl IntoView {
    let title = td_string!(language, account.key_remove_title, name = key.name.as_str()).to_string();
    let (id, kind) = (key.id.to_string(), key.kind().to_owned());
    view! {
        <Row>
            <Cell><div>{key.name}<small class="mono">{kind}</small></div></Cell>
            <Cell label=td_string!(language, account.key_fingerprint)><span class="mono break">{key.fingerprint}</span></Cell>
            <Cell label=td_string!(language, account.key_added)><Moment at=key.created_at/></Cell>
            <Cell place=CellPlace::Wide>
                <RowAction
                    name="remove-key"
                    id
                    verb=td_string!(language, account.key_remove)
                    title
                    text=td_string!(language, account.key_remove_text)
                    action=RemoveSshKey::PATH
                />
            </Cell>
        </Row>
    }
}

/// Folded until it is wanted, or until a try has failed.
#[component]
fn NewKey(failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let problem = |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let (key_problem, name_problem) = (problem("public_key"), problem("key_name"));
    let (key, name) = (failed.value("public_key").to_owned(), failed.value("key_name").to_owned());
    view! {
        <details class="unfold" open=failed.error.is_some()>
            <summary class="btn">{td_string!(language, account.key_new)}</summary>
            <form class="stack" method="post" action=format!("{}#keys", AddSshKey::PATH) novalidate>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                // A private key may be pasted by mistake: the browser keeps nothing of it.
                <TextArea
                    name="public_key"
                    label=td_string!(language, account.key_public)
                    value=key
                    help=td_string!(language, account.key_public_help)
                    error=key_problem
                    secret=true
                    maxlength=TEXT_MAX
                />
                <TextField
                    name="key_name"
                    label=td_string!(language, account.key_name)
                    value=name
                    help=td_string!(language, account.key_name_help)
                    error=name_problem
                    optional=true
                    maxlength=NAME_MAX
                />
                <div><Button kind=ButtonKind::Primary>{td_string!(language, account.key_add)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}
