//! One offering as its operator sees it: head with what can be done, tabs, the form in chapters and the preview beside it.

use domain::{
    access::Role,
    catalogue::{HEADER_EXAMPLE, Localized, Workload},
    gpu::Card,
    offerings::{Fields, ICONS, OfferingHistory, OfferingVersion, VersionState},
};
use leptos::{form::FromFormData, prelude::*, server_fn::ServerFn, wasm_bindgen::JsCast, web_sys};

use super::{
    api::{EditorPage, PreviewOffering, PublishOffering, RestoreOffering, RetireOffering, SaveOffering, preview_offering},
    fields::{Lines, Select, Text, Typed, control},
    page::Tab,
    parameters::ParameterRows,
    preview::PreviewPanel,
    secrets::{Exposed, SecretRows},
    versions::Versions,
    words::{icon_text, workload_text},
    yaml::YamlTab,
};
use crate::{
    components::{Button, ButtonKind, CheckField, ConfirmDialog, ErrorNotice, FormErrors, LinkItem, Notice, PageHead, Tabs},
    error::AppError,
    i18n::td_string,
    language::{self, Language},
    people::words::role_name,
    routes,
};

#[component]
pub fn Editor(page: EditorPage, slug: String, tab: Tab, saved: bool) -> impl IntoView {
    let language = language::current();
    let crumb = (routes::OFFERINGS.to_owned(), td_string!(language, offerings.title).to_owned());
    let (title, lead) = words(language, page.history.as_ref());
    let other = page.error.clone().filter(|error| !matches!(error, domain::Error::Invalid(_)));
    let here = routes::offering_editor(&slug);
    let link = |name: &str, text: &str, this: Tab| LinkItem::new(routes::with_query(&here, &[("tab", name)]), text, tab == this);
    let mut tabs =
        vec![link("", td_string!(language, offerings.tab_edit), Tab::Edit), link("yaml", td_string!(language, offerings.tab_yaml), Tab::Yaml)];
    if let Some(history) = &page.history {
        let versions = link("versions", td_string!(language, offerings.tab_versions), Tab::Versions);
        tabs.push(versions.with_count(history.versions.len().to_string()));
    }
    let body = match (tab, &page.history) {
        (Tab::Versions, Some(history)) => view! { <Versions history=history.clone()/> }.into_any(),
        (Tab::Yaml, _) => view! { <YamlTab page=page.clone() slug/> }.into_any(),
        _ => view! { <EditTab page=page.clone() slug/> }.into_any(),
    };
    view! {
        <PageHead title lead crumb>{page.history.map(|history| actions(language, &history))}</PageHead>
        {saved.then(|| view! { <Notice title=td_string!(language, offerings.saved)/> })}
        {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
        <Exposed names=page.exposed.clone()/>
        <Tabs label=td_string!(language, offerings.tabs) items=tabs/>
        {body}
    }
    .into_any()
}

/// Title and the sentence that says where the offering stands.
fn words(language: Language, history: Option<&OfferingHistory>) -> (String, String) {
    let Some((history, latest)) = history.and_then(|history| Some((history, history.latest()?))) else {
        return (td_string!(language, offerings.new_title).to_owned(), td_string!(language, offerings.new_lead).to_owned());
    };
    let name = latest.offering.name.get(language::tag(language)).to_owned();
    let (version, labs) = (latest.offering.version, history.labs());
    let lead = match (latest.state, history.published()) {
        (VersionState::Draft, Some(published)) => {
            td_string!(language, offerings.lead_draft_beside, draft = version, version = published.offering.version, labs = labs).to_string()
        }
        (VersionState::Draft, None) => td_string!(language, offerings.lead_draft, draft = version).to_string(),
        (VersionState::Published, _) => td_string!(language, offerings.lead_published, version = version, labs = labs).to_string(),
        (VersionState::Retired, _) => td_string!(language, offerings.lead_retired, labs = labs).to_string(),
    };
    (name, lead)
}

/// Retire or restore, and publish where there is a draft.
fn actions(language: Language, history: &OfferingHistory) -> impl IntoView + use<> {
    let name = |version: &OfferingVersion| version.offering.name.get(language::tag(language)).to_owned();
    let labs = history.labs();
    let retire = history.published().map(|version| {
        let slug = version.offering.slug.clone();
        let title = td_string!(language, offerings.retire_title, name = name(version)).to_string();
        view! {
            <ConfirmDialog
                id="retire"
                open_text=td_string!(language, offerings.retire)
                title
                confirm_text=td_string!(language, offerings.retire)
                action=RetireOffering::PATH
            >
                <p>{td_string!(language, offerings.retire_text, labs = labs).to_string()}</p>
                <input type="hidden" name="slug" value=slug/>
            </ConfirmDialog>
        }
    });
    let restore = history.restorable().map(|version| {
        let slug = version.offering.slug.clone();
        view! {
            <form method="post" action=RestoreOffering::PATH>
                <input type="hidden" name="slug" value=slug/>
                <Button>{td_string!(language, offerings.restore)}</Button>
            </form>
        }
    });
    let publish = history.draft().map(|draft| {
        let number = draft.offering.version;
        let (slug, revision) = (draft.offering.slug.clone(), draft.revision.to_string());
        let text = if labs == 0 {
            td_string!(language, offerings.publish_text_no_labs).to_owned()
        } else {
            td_string!(language, offerings.publish_text, labs = labs).to_string()
        };
        let title = td_string!(language, offerings.publish_title, name = name(draft), version = number).to_string();
        view! {
            <ConfirmDialog
                id="publish"
                open_text=td_string!(language, offerings.publish_version, version = number).to_string()
                title
                confirm_text=td_string!(language, offerings.publish)
                action=PublishOffering::PATH
                kind=ButtonKind::Primary
                confirm_kind=ButtonKind::Primary
            >
                <p>{text}</p>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="revision" value=revision/>
            </ConfirmDialog>
        }
    });
    view! { {retire}{restore}{publish} }.into_any()
}

#[component]
fn EditTab(page: EditorPage, slug: String) -> impl IntoView {
    let language = language::current();
    let EditorPage { history, tenants, others, fields, error, preview, .. } = page;
    let draft = history.as_ref().and_then(OfferingHistory::draft).cloned();
    let revision = draft.as_ref().map_or(0, |draft| draft.revision);
    let next = history.as_ref().and_then(|history| history.versions.first()).map_or(1, |newest| newest.offering.version + 1);
    let is_new = history.is_none();
    let save_text = if draft.is_some() {
        td_string!(language, offerings.save_draft).to_owned()
    } else {
        td_string!(language, offerings.save_as, version = next).to_string()
    };
    let typed = StoredValue::new(Typed::new(fields.clone(), error.as_ref()));
    let (messages, lost) = typed.with_value(|typed| (typed.messages(language), typed.lost_secrets()));
    let heading = lost.then(|| td_string!(language, offerings.fix_without_secrets).to_owned());
    let shown = RwSignal::new(preview);
    let compute = Action::new(move |fields: &domain::offerings::Fields| {
        let fields = fields.clone();
        async move {
            if let Ok(preview) = preview_offering(fields).await {
                shown.set(preview);
            }
        }
    });
    let recompute = move |event: leptos::ev::Event| {
        if let Some(fields) = typed_into(&event) {
            compute.dispatch(fields);
        }
    };
    view! {
        {is_new.then(|| view! { <StartFrom others/> })}
        <div class="cols main-side">
            <form class="form" method="post" action=SaveOffering::PATH novalidate=true id="offering-form" on:change=recompute>
                // The first button is what the Enter key presses.
                <button class="sr" type="submit" tabindex="-1" aria-hidden="true">{save_text.clone()}</button>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="revision" value=revision.to_string()/>
                <FormErrors messages=Signal::stored(messages) nostrip:heading=heading/>
                <NameChapter typed is_new/>
                <MachineChapter typed fields=fields.clone()/>
                <TimeChapter typed/>
                <ParameterRows typed fields/>
                <AudienceChapter typed tenants/>
                <div class="actions">
                    <Button kind=if draft.is_some() { ButtonKind::Plain } else { ButtonKind::Primary }>{save_text}</Button>
                </div>
            </form>
            <PreviewPanel preview=shown/>
        </div>
    }
    .into_any()
}

/// All that stands in the form of the control that changed; only ever called in the browser.
fn typed_into(event: &leptos::ev::Event) -> Option<domain::offerings::Fields> {
    let control = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    let form = control.closest("form").ok()??.dyn_into::<web_sys::HtmlFormElement>().ok()?;
    let data = web_sys::FormData::new_with_form(&form).ok()?;
    Some(PreviewOffering::from_form_data(&data).ok()?.fields)
}

/// Another offering's content as the beginning of a new one.
#[component]
fn StartFrom(others: Vec<(String, Localized)>) -> impl IntoView {
    let language = language::current();
    let choices: Vec<_> = others.into_iter().map(|(slug, name)| (slug, name.get(language::tag(language)).to_owned())).collect();
    view! {
        <form class="filters" method="get" action=routes::offering_editor("new")>
            <crate::components::SelectField
                name="from"
                label=td_string!(language, offerings.start_from)
                help=td_string!(language, offerings.start_from_help)
                choices
                optional=true
            />
            <div class="row"><Button>{td_string!(language, offerings.start_from_go)}</Button></div>
        </form>
    }
    .into_any()
}

/// A numbered chapter of the form.
#[component]
pub fn Chapter(number: u8, #[prop(into)] title: String, #[prop(into, optional)] id: Option<String>, children: Children) -> impl IntoView {
    view! {
        <fieldset class="chapter" id=id>
            <legend class="sr">{title.clone()}</legend>
            <span class="no" aria-hidden="true">{number}</span>
            <div class="in"><h2>{title}</h2>{children()}</div>
        </fieldset>
    }
    .into_any()
}

#[component]
fn NameChapter(typed: StoredValue<Typed>, is_new: bool) -> impl IntoView {
    let language = language::current();
    let icons = ICONS.map(|icon| (icon.to_owned(), icon_text(language, icon).to_owned())).to_vec();
    let kinds = Workload::ALL.map(|kind| (kind.as_str().to_owned(), workload_text(language, kind).to_owned())).to_vec();
    view! {
        <Chapter number=1 title=td_string!(language, offerings.chapter_card)>
            <div class="fields">
                <Text field="name.zh" label=td_string!(language, offerings.name_zh) typed/>
                <Text field="name.en" label=td_string!(language, offerings.name_en) typed/>
                <Text field="slug" label=td_string!(language, offerings.slug) help=td_string!(language, offerings.slug_help) typed readonly=!is_new/>
                <Select field="workload" label=td_string!(language, offerings.workload) typed choices=kinds/>
                <Select field="icon" label=td_string!(language, offerings.icon) typed choices=icons/>
            </div>
            <Lines field="summary.zh" label=td_string!(language, offerings.summary_zh) typed/>
            <Lines field="summary.en" label=td_string!(language, offerings.summary_en) typed/>
        </Chapter>
    }
    .into_any()
}

#[component]
fn MachineChapter(typed: StoredValue<Typed>, fields: Fields) -> impl IntoView {
    let language = language::current();
    let cards = Card::all().map(|card| (card.id().to_owned(), card.kind().name.to_owned())).collect::<Vec<_>>();
    let (cores, gib, pieces) =
        (td_string!(language, orders.unit_cores), td_string!(language, orders.unit_gib), td_string!(language, orders.unit_cards));
    view! {
        <Chapter number=2 title=td_string!(language, offerings.chapter_lab)>
            <p class="help">{td_string!(language, offerings.base_help)}</p>
            <Text field="base.image" label=td_string!(language, offerings.image) typed/>
            <div class="fields">
                <Select field="base.card" label=td_string!(language, offerings.card) typed choices=cards/>
                <Text field="base.cards_per_node" label=td_string!(language, offerings.cards_per_node) typed numeric=true unit=pieces/>
                <Text field="base.nodes" label=td_string!(language, offerings.nodes) help=td_string!(language, offerings.nodes_help) typed numeric=true/>
                <Text field="base.cpu_cores" label=td_string!(language, offerings.cpu_cores) typed numeric=true unit=cores/>
                <Text field="base.memory_gib" label=td_string!(language, offerings.memory_gib) typed numeric=true unit=gib/>
                <Text
                    field="base.storage_gib"
                    label=td_string!(language, offerings.storage_gib)
                    help=td_string!(language, offerings.storage_help)
                    typed
                    numeric=true
                    unit=gib
                />
                <Text field="base.port" label=td_string!(language, offerings.port) typed numeric=true/>
                <Text
                    field="base.health_path"
                    label=td_string!(language, offerings.health_path)
                    help=td_string!(language, offerings.health_help)
                    typed
                    optional=true
                />
                <Text
                    field="base.retries"
                    label=td_string!(language, offerings.retries)
                    typed
                    numeric=true
                    unit=td_string!(language, offerings.times)
                    optional=true
                />
                <Text field="base.git_url" label=td_string!(language, offerings.git_url) typed optional=true/>
                <Text
                    field="base.app_access.variable"
                    label=td_string!(language, offerings.access_variable)
                    help=td_string!(language, offerings.access_variable_help)
                    typed
                    optional=true
                />
                <Text
                    field="base.app_access.header"
                    label=td_string!(language, offerings.access_header)
                    help=format!("{} {HEADER_EXAMPLE}", td_string!(language, offerings.access_header_help))
                    typed
                    optional=true
                />
            </div>
            <Lines
                field="base.command"
                label=td_string!(language, offerings.command)
                help=td_string!(language, offerings.command_help)
                typed
                optional=true
                rows=3
            />
            <Lines
                field="base.environment"
                label=td_string!(language, offerings.environment)
                help=td_string!(language, offerings.environment_help)
                secret=true
                typed
                optional=true
            />
            <SecretRows typed fields/>
        </Chapter>
    }
    .into_any()
}

#[component]
fn TimeChapter(typed: StoredValue<Typed>) -> impl IntoView {
    let language = language::current();
    let minutes = td_string!(language, offerings.minutes);
    view! {
        <Chapter number=3 title=td_string!(language, offerings.chapter_time)>
            <div class="fields">
                <Text field="duration.default" label=td_string!(language, offerings.duration_default) typed numeric=true unit=minutes/>
                <Text field="duration.min" label=td_string!(language, offerings.duration_min) typed numeric=true unit=minutes/>
                <Text field="duration.max" label=td_string!(language, offerings.duration_max) typed numeric=true unit=minutes/>
            </div>
        </Chapter>
    }
    .into_any()
}

#[component]
fn AudienceChapter(typed: StoredValue<Typed>, tenants: Vec<(String, String)>) -> impl IntoView {
    let language = language::current();
    let check = move |field: String, label: String| {
        let checked = typed.with_value(|typed| typed.is_on(&field));
        view! { <CheckField name=control(&field) label checked value="on"/> }
    };
    let roles = Role::ALL.map(|role| check(format!("audience.roles.{}", role.as_str()), role_name(language, role).to_owned()));
    let tenants = tenants.into_iter().map(|(slug, name)| check(format!("audience.tenants.{slug}"), name)).collect_view();
    view! {
        <Chapter number=5 title=td_string!(language, offerings.chapter_audience)>
            <p class="help">{td_string!(language, offerings.audience_help)}</p>
            <div class="fields">
                <fieldset class="field"><legend>{td_string!(language, offerings.audience_tenants)}</legend>{tenants}</fieldset>
                <fieldset class="field"><legend>{td_string!(language, offerings.audience_roles)}</legend>{roles.into_iter().collect_view()}</fieldset>
            </div>
        </Chapter>
    }
    .into_any()
}
