//! Searches kept under a name, and taking what a search finds away as a file.

use domain::audit::SavedSearch;
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::{DeleteSearch, Query, SaveSearch},
    filters::query_of,
};
use crate::{
    caller_view::use_viewer,
    components::{Button, ButtonKind, Card, CheckField, ConfirmDialog, ErrorNotice, Glyph, Icon, TextField},
    error::AppError,
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn SavedList(saved: Vec<SavedSearch>, query: Query, last_try: Flash) -> impl IntoView {
    let language = language::current();
    let me = use_viewer().person().map(|person| person.user_id.to_string()).unwrap_or_default();
    let none = saved.is_empty();
    let items = saved.into_iter().map(|each| item(language, each, &me)).collect_view();
    view! {
        <Card title=td_string!(language, audit_tools.saved)>
            {if none {
                view! { <p class="muted">{td_string!(language, audit_tools.saved_none)}</p> }.into_any()
            } else {
                view! { <ul class="plain-list">{items}</ul> }.into_any()
            }}
            <SaveForm query last_try/>
        </Card>
    }
    .into_any()
}

fn item(language: Language, search: SavedSearch, me: &str) -> impl IntoView + use<> {
    let mine = search.owner.id.to_string() == me;
    let note = if !mine {
        Some(td_string!(language, audit_tools.saved_by, name = search.owner.name.as_str()).to_string())
    } else if search.shared {
        Some(td_string!(language, audit_tools.saved_shared).to_owned())
    } else {
        None
    };
    let href = query_of(&search.filter).link("");
    let id = search.id.to_string();
    view! {
        <li class="row between">
            <span><a href=href>{search.name.clone()}</a>{note.map(|note| view! { <small class="muted">" "{note}</small> })}</span>
            {mine.then(|| view! {
                <ConfirmDialog
                    id=format!("drop-{id}")
                    open_text=td_string!(language, audit_tools.delete)
                    title=td_string!(language, audit_tools.delete_title, name = search.name.as_str()).to_string()
                    confirm_text=td_string!(language, audit_tools.delete_confirm)
                    action=DeleteSearch::url()
                    kind=ButtonKind::Quiet
                    small=true
                >
                    <p class="soft">{td_string!(language, audit_tools.delete_text)}</p>
                    <input type="hidden" name="id" value=id/>
                </ConfirmDialog>
            })}
        </li>
    }
}

/// The browser's own form: after it the page shows the search under its name.
#[component]
fn SaveForm(query: Query, last_try: Flash) -> impl IntoView {
    let language = language::current();
    let problem = last_try.problem("name").map(|problem| field_problem_text(language, problem));
    let full = last_try.problem("searches").is_some();
    let other = last_try.error.clone().filter(|error| problem.is_none() && !full && !matches!(error, domain::Error::Invalid(_)));
    let open = last_try.error.is_some();
    let fields = query
        .conditions()
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| view! { <input type="hidden" name=format!("query[{name}]") value=value.to_owned()/> })
        .collect_view();
    view! {
        <div class="folds">
            <details open=open>
                <summary><Icon glyph=Glyph::Plus/><span>{td_string!(language, audit_tools.save)}</span></summary>
                <form class="stack tight in" method="post" action=SaveSearch::PATH>
                    {fields}
                    {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                    {full.then(|| view! { <p class="error">{td_string!(language, audit_tools.too_many)}</p> })}
                    <TextField
                        name="name"
                        label=td_string!(language, audit_tools.save_name)
                        value=last_try.value("name").to_owned()
                        error=Signal::stored(problem)
                        maxlength=domain::audit::search::NAME_MAX
                        autocomplete="off"
                    />
                    <CheckField name="shared" label=td_string!(language, audit_tools.save_shared)/>
                    <div class="actions"><Button small=true>{td_string!(language, audit_tools.save)}</Button></div>
                </form>
            </details>
        </div>
    }
    .into_any()
}

/// Links to files, which the server answers outside the pages.
#[component]
pub fn Export(query: Query) -> impl IntoView {
    let language = language::current();
    let link = move |format: &'static str| {
        let mut pairs = query.conditions().to_vec();
        pairs.push(("format", format));
        routes::with_query(routes::AUDIT_EXPORT, &pairs)
    };
    view! {
        <Card title=td_string!(language, audit_tools.export)>
            <p class="soft">{td_string!(language, audit_tools.export_text)}</p>
            <div class="actions">
                <a class="btn small" href=link("jsonl") rel="external" download="">
                    <Icon glyph=Glyph::Export small=true/>{td_string!(language, audit_tools.export_jsonl)}
                </a>
                <a class="btn small" href=link("csv") rel="external" download="">
                    <Icon glyph=Glyph::Export small=true/>{td_string!(language, audit_tools.export_csv)}
                </a>
            </div>
            <p class="fine">{td_string!(language, audit_tools.export_hint)}</p>
        </Card>
    }
    .into_any()
}
