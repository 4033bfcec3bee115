//! Links to one's own lab: a form for another one, the link that was just made, shown once, and those that there are with who came by them.
//! The form and the link need no scripts; the list is read by the browser once the page is there, so that it costs the page nothing.

use domain::{
    shares::{Lasts, Share},
    time::Timestamp,
};
use leptos::{
    prelude::*,
    server_fn::{ServerFn, codec::GetUrl},
};
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use crate::{
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, CheckField, Column, ConfirmDialog, CopyField, DataTable, ErrorNotice, Moment, MomentStyle, Needed,
        Notice, NoticeKind, Row, SelectField, TextField, moment_text,
    },
    error::AppError,
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language::{self, Language},
};

/// By which the page finds what the last try left behind.
pub const FORM: &str = "share";

/// Links as they are at `now`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharesShown {
    pub shares: Vec<Share>,
    pub now: Timestamp,
}

#[server(ReadShares, endpoint = "labs/shares", input = GetUrl)]
pub async fn read_shares(id: String) -> Result<SharesShown, AppError> {
    use crate::caller::{caller, id_of, services};
    let services = services()?;
    let shares = services::shares::list(&services, &caller()?, id_of(&id)?).await?;
    Ok(SharesShown { shares, now: services.clock.now() })
}

/// `lasts`: the name of a [`Lasts`]; `share_until`: a minute on campus; `view_only`: not empty for looking only.
#[server(CreateShare, endpoint = "labs/share")]
pub async fn create_share(
    id: String,
    #[server(default)] lasts: String,
    #[server(default)] share_until: String,
    #[server(default)] view_only: String,
) -> Result<String, AppError> {
    use domain::shares::ShareForm;

    use crate::{
        caller::{answer, caller, id_of, services, typed},
        routes,
    };
    let typed = typed([("lasts", &lasts), ("share_until", &share_until), ("view_only", &view_only)]);
    let form = ShareForm { lasts, until: share_until, view_only: !view_only.is_empty() };
    let result = async {
        let (services, caller) = (services()?, caller()?);
        let made = services::shares::create(&services, &caller, id_of(&id)?, &form).await;
        // The page has another name on it.
        let link = made.map_err(|error| error.at("until", "share_until"))?;
        services::shares::keep(&services, &caller, &link);
        Ok(routes::with_query(&routes::lab(&id), &[("share", &link.share.id.to_string())]))
    }
    .await;
    answer(FORM, &routes::lab(&id), typed, result, Clone::clone).await
}

/// A link that was made a moment ago, whole, for its maker; the second look finds nothing. Posted, so that it stands in no address.
#[server(TakeShare, endpoint = "labs/take-share")]
#[cfg_attr(feature = "ssr", allow(clippy::unused_async, reason = "the macro writes it twice, and only one of the two never waits"))]
pub async fn take_share(id: String) -> Result<Option<String>, AppError> {
    use crate::caller::{caller, id_of, services, site};
    let link = services::shares::take(&services()?, &caller()?, id_of(&id)?);
    link.map(|link| Ok(format!("{}{}", site()?, link.path()))).transpose()
}

/// `id`: of the lab; `share`: of the link.
#[server(WithdrawShare, endpoint = "labs/unshare")]
pub async fn withdraw_share(id: String, #[server(default)] share: String) -> Result<(), AppError> {
    use crate::{
        caller::{answer, caller, id_of, services, typed},
        routes,
    };
    let result = async { Ok(services::shares::withdraw(&services()?, &caller()?, id_of(&id)?, id_of(&share)?).await?) }.await;
    answer(FORM, &routes::lab(&id), typed([]), result, |()| routes::lab(&id)).await
}

/// A link was made; `None` when it can be shown no more. With a name, since a bare `None` inside reads back as nothing made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    link: Option<String>,
}

/// The last try of the form, if it failed, and the link that was just made.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    pub failed: Flash,
    pub made: Option<Made>,
}

/// The link that this page is asked to show once.
pub fn made_link() -> Resource<Result<Option<Made>, AppError>> {
    let query = use_query_map();
    Resource::new(
        move || query.with(|query| query.get("share").unwrap_or_default()),
        |id| async move { if id.is_empty() { Ok(None) } else { take_share(id).await.map(|link| Some(Made { link })) } },
    )
}

/// The card. `read_at`: changes when the page has read the lab again.
#[component]
pub fn ShareCard(id: String, tried: Tried, read_at: Signal<Option<Timestamp>>) -> impl IntoView {
    let language = language::current();
    let Tried { failed, made } = tried;
    let list_id = id.clone();
    view! {
        <Card title=td_string!(language, shares.title) id="share">
            {made.map(|Made { link }| view! { <OneTime link/> })}
            <p class="soft">{td_string!(language, shares.lead)}</p>
            <NewLink id failed/>
            <div class="script-only"><Links id=list_id read_at/></div>
        </Card>
    }
    .into_any()
}

/// The link, this once.
#[component]
fn OneTime(link: Option<String>) -> impl IntoView {
    let language = language::current();
    match link {
        Some(link) => view! {
            <Notice kind=NoticeKind::Warn title=td_string!(language, shares.once) id="one-time-share">
                {td_string!(language, shares.once_text)}
                <CopyField label=td_string!(language, shares.link) text=link/>
            </Notice>
        }
        .into_any(),
        None => view! { <Notice title=td_string!(language, shares.gone)>{td_string!(language, shares.gone_text)}</Notice> }.into_any(),
    }
}

fn lasts_text(language: Language, lasts: Lasts) -> &'static str {
    match lasts {
        Lasts::Hour => td_string!(language, shares.lasts_hour),
        Lasts::Lab => td_string!(language, shares.lasts_lab),
        Lasts::Day => td_string!(language, shares.lasts_day),
        Lasts::Week => td_string!(language, shares.lasts_week),
        Lasts::Until => td_string!(language, shares.lasts_until),
    }
}

/// Folded until it is wanted, or until a try has failed.
#[component]
fn NewLink(id: String, failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let problem = |field| failed.problem(field).map(|problem| field_problem_text(language, problem));
    let (lasts_problem, until_problem) = (problem("lasts"), problem("share_until"));
    let choices = Lasts::ALL.map(|lasts| (lasts.as_str().to_owned(), lasts_text(language, lasts).to_owned())).into();
    let lasts = match failed.value("lasts") {
        "" => Lasts::Hour.as_str().to_owned(),
        typed => typed.to_owned(),
    };
    let until = failed.value("share_until").to_owned();
    let view_only = !failed.value("view_only").is_empty();
    view! {
        <details class="unfold" open=failed.error.is_some()>
            <summary class="btn">{td_string!(language, shares.new)}</summary>
            <form class="stack" method="post" action=format!("{}#share", CreateShare::PATH) novalidate>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <input type="hidden" name="id" value=id/>
                <SelectField
                    name="lasts"
                    label=td_string!(language, shares.lasts)
                    choices
                    value=lasts
                    help=td_string!(language, shares.lasts_help)
                    error=Signal::stored(lasts_problem)
                />
                // Shown for that choice only.
                <div class="until">
                    <TextField
                        name="share_until"
                        label=td_string!(language, shares.until)
                        value=until
                        help=td_string!(language, shares.until_help)
                        error=Signal::stored(until_problem)
                        input_type="datetime-local"
                        needed=Needed::Sometimes
                    />
                </div>
                <div class="field">
                    <CheckField name="view_only" label=td_string!(language, shares.view_only) checked=view_only/>
                    <p class="help">{td_string!(language, shares.view_only_help)}</p>
                </div>
                <div><Button>{td_string!(language, shares.make)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}

/// Links, each with whether it is good.
type Listed = Vec<(bool, Share)>;

#[component]
fn Links(id: String, read_at: Signal<Option<Timestamp>>) -> impl IntoView {
    let language = language::current();
    let of_lab = StoredValue::new(id);
    let read = Action::new(move |(): &()| read_shares(of_lab.get_value()));
    Effect::new(move |_| {
        read_at.track();
        read.dispatch(());
    });
    // Drawn anew only when something changed, so that an open dialog stays open.
    let listed = Memo::new(move |_| -> Option<Result<Listed, AppError>> {
        let read = read.value().get()?;
        Some(read.map(|SharesShown { shares, now }| shares.into_iter().map(|share| (share.is_good(now), share)).collect()))
    });
    let list = move || match listed.get() {
        None => view! { <p class="fine">{td_string!(language, shares.loading)}</p> }.into_any(),
        Some(Err(error)) => view! { <ErrorNotice error/> }.into_any(),
        Some(Ok(listed)) if listed.is_empty() => view! { <p class="soft">{td_string!(language, shares.empty)}</p> }.into_any(),
        Some(Ok(listed)) => view! { <Table lab=of_lab.get_value() listed/> }.into_any(),
    };
    view! { {list} }.into_any()
}

#[component]
fn Table(lab: String, listed: Listed) -> impl IntoView {
    let language = language::current();
    let columns = vec![
        Column::text(td_string!(language, shares.link)),
        Column::text(td_string!(language, shares.ends)),
        Column::text(td_string!(language, shares.visitors)),
        Column::text(""),
    ];
    let rows = listed.into_iter().map(|(good, share)| view! { <ShareRow lab=lab.clone() share good/> }).collect_view();
    view! { <DataTable caption=td_string!(language, shares.title) columns dense=true>{rows}</DataTable> }.into_any()
}

#[component]
fn ShareRow(lab: String, share: Share, good: bool) -> impl IntoView {
    let language = language::current();
    let Share { id, view_only, created_at, ends_at, withdrawn_at, visitors } = share;
    let kind = if view_only { td_string!(language, shares.view_only) } else { td_string!(language, shares.whole) };
    let made = td_string!(language, shares.made, at = moment_text(created_at, MomentStyle::Minute)).to_string();
    let came = if visitors.is_empty() {
        view! { <span class="muted">{td_string!(language, shares.nobody)}</span> }.into_any()
    } else {
        let line =
            |name: &str, at: Timestamp| td_string!(language, shares.visitor, name = name, at = moment_text(at, MomentStyle::Minute)).to_string();
        let lines = visitors.into_iter().map(|visitor| view! { <li>{line(&visitor.person.name, visitor.last_at)}</li> }).collect_view();
        view! { <ul class="plain-list">{lines}</ul> }.into_any()
    };
    let state = if withdrawn_at.is_some() {
        view! { <span class="muted">{td_string!(language, shares.withdrawn)}</span> }.into_any()
    } else if good {
        view! {
            <ConfirmDialog
                id=format!("withdraw-{id}")
                open_text=td_string!(language, shares.withdraw)
                title=td_string!(language, shares.withdraw_title)
                confirm_text=td_string!(language, shares.withdraw)
                action=WithdrawShare::PATH
                kind=ButtonKind::Quiet
                small=true
            >
                <input type="hidden" name="id" value=lab/>
                <input type="hidden" name="share" value=id.to_string()/>
                <p>{td_string!(language, shares.withdraw_text)}</p>
            </ConfirmDialog>
        }
        .into_any()
    } else {
        view! { <span class="muted">{td_string!(language, shares.over)}</span> }.into_any()
    };
    view! {
        <Row>
            <Cell><b>{kind}</b><small>{made}</small></Cell>
            <Cell label=td_string!(language, shares.ends)><Moment at=ends_at/></Cell>
            <Cell label=td_string!(language, shares.visitors)>{came}</Cell>
            <Cell place=CellPlace::Corner>{state}</Cell>
        </Row>
    }
    .into_any()
}
