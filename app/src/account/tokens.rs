//! One's access tokens: those there are, a form for another one, and its secret, shown once.

use domain::{
    access::Scope,
    ids::TokenId,
    people::Viewer,
    tokens::{LIFETIME, LIFETIMES, NAME_MAX, TokenView, useful_scopes},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use super::{
    api::{CreateToken, RevokeToken, Tokens, take_token, tokens},
    row_action::RowAction,
};
use crate::{
    caller_view::use_viewer,
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, CheckField, Column, CopyField, DataTable, EmptyState, ErrorNotice, Glyph, Moment, Notice,
        NoticeKind, Row, SelectField, Skeleton, TextField,
    },
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn TokensCard() -> impl IntoView {
    let viewer = use_viewer();
    let query = use_query_map();
    let tokens = Resource::new(|| (), |()| tokens());
    let failed = flash("token");
    let made = Resource::new(
        move || query.with(|query| query.get("token").unwrap_or_default()),
        |id| async move { if id.is_empty() { Ok(None) } else { take_token(id).await.map(|secret| Some(Made { secret })) } },
    );
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || Suspend::new(async move {
                let (failed, made) = (failed.await, made.await.ok().flatten());
                match (tokens.await, viewer.loaded().await) {
                    (Ok(tokens), Some(person)) => view! { <Whole tokens person failed made/> }.into_any(),
                    (Err(error), _) => view! { <ErrorNotice error/> }.into_any(),
                    (Ok(_), None) => ().into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// A token was made; `None` when its secret can be shown no more. With a name, since a bare `None` inside reads back as nothing made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    secret: Option<String>,
}

#[component]
fn Whole(tokens: Tokens, person: Viewer, failed: Flash, #[prop(optional_no_strip)] made: Option<Made>) -> impl IntoView {
    let language = language::current();
    let Tokens { tokens, next, now } = tokens;
    let columns = vec![
        Column::text(td_string!(language, account.token_name)),
        Column::text(td_string!(language, account.scopes)),
        Column::text(td_string!(language, account.expires)),
        Column::text(td_string!(language, account.last_used)),
        Column::text(""),
    ];
    let empty = tokens.is_empty();
    let rows = tokens
        .into_iter()
        .map(|token| {
            let good = token.is_good(now);
            token_row(language, token, good)
        })
        .collect_view();
    view! {
        <Card
            title=td_string!(language, account.tokens)
            flush=true
            id="tokens"
            end=move || view! { <a href=routes::API_DOCS>{td_string!(language, api_docs.title)}</a> }
        >
            {made.map(|Made { secret }| view! { <div class="inset"><OneTime secret/></div> })}
            {if empty {
                let (title, text) = (td_string!(language, account.no_tokens), td_string!(language, account.no_tokens_text));
                view! { <div class="inset"><EmptyState glyph=Glyph::Key title text/></div> }.into_any()
            } else {
                view! { <DataTable caption=td_string!(language, account.tokens) columns>{rows}</DataTable> }.into_any()
            }}
            <div class="inset"><NewToken next scopes=useful_scopes(&person) failed/></div>
        </Card>
    }
    .into_any()
}

/// The secret, this once.
#[component]
fn OneTime(secret: Option<String>) -> impl IntoView {
    let language = language::current();
    match secret {
        Some(secret) => view! {
            <Notice kind=NoticeKind::Warn title=td_string!(language, account.token_once) id="one-time-token">
                {td_string!(language, account.token_once_text)}
                <CopyField label=td_string!(language, account.token_name) text=secret/>
            </Notice>
        }
        .into_any(),
        None => view! {
            <Notice title=td_string!(language, account.token_gone)>{td_string!(language, account.token_gone_text)}</Notice>
        }
        .into_any(),
    }
}

/// Folded until it is wanted, or until a try has failed.
#[component]
fn NewToken(next: TokenId, scopes: Vec<Scope>, failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let problem = |field| failed.problem(field).map(|problem| field_problem_text(language, problem));
    let (name_problem, days_problem, scopes_problem) = (problem("token_name"), problem("days"), problem("scopes"));
    let days = if failed.value("days").is_empty() { LIFETIME.to_string() } else { failed.value("days").to_owned() };
    let lifetimes = LIFETIMES.map(|days| (days.to_string(), td_string!(language, account.token_days_count, days = days).to_string())).into();
    let boxes = scopes
        .into_iter()
        .enumerate()
        .map(|(index, scope)| {
            let checked = !failed.value(&format!("scopes.{}", scope.as_str())).is_empty();
            let label = scope_text(language, scope);
            view! { <CheckField name=format!("scopes[{index}]") label checked value=scope.as_str()/> }
        })
        .collect_view();
    let name = failed.value("token_name").to_owned();
    view! {
        <details class="unfold" open=failed.error.is_some()>
            <summary class="btn">{td_string!(language, account.token_new)}</summary>
            <form class="stack" method="post" action=format!("{}#tokens", CreateToken::PATH) novalidate>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <input type="hidden" name="id" value=next.to_string()/>
                <TextField
                    name="token_name"
                    label=td_string!(language, account.token_name)
                    value=name
                    help=td_string!(language, account.token_name_help)
                    error=Signal::stored(name_problem)
                    maxlength=NAME_MAX
                />
                <fieldset class="field" aria-describedby="scopes-problem">
                    <legend>{td_string!(language, account.token_scopes)}</legend>
                    {boxes}
                    <p class="error" id="scopes-problem">{scopes_problem}</p>
                </fieldset>
                <SelectField
                    name="days"
                    label=td_string!(language, account.token_days)
                    choices=lifetimes
                    value=days
                    error=Signal::stored(days_problem)
                />
                <div><Button kind=ButtonKind::Primary>{td_string!(language, account.token_make)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}

/// What a token may be used for, in words.
fn scope_text(language: Language, scope: Scope) -> &'static str {
    match scope {
        Scope::OfferingsRead => td_string!(language, account.scope_offerings_read),
        Scope::OrdersRead => td_string!(language, account.scope_orders_read),
        Scope::OrdersWrite => td_string!(language, account.scope_orders_write),
        Scope::OrdersDecide => td_string!(language, account.scope_orders_decide),
        Scope::LabsRead => td_string!(language, account.scope_labs_read),
        Scope::LabsWrite => td_string!(language, account.scope_labs_write),
        Scope::UsageRead => td_string!(language, account.scope_usage_read),
        Scope::BillsRead => td_string!(language, account.scope_bills_read),
        Scope::QuotasRead => td_string!(language, account.scope_quotas_read),
        Scope::AuditRead => td_string!(language, account.scope_audit_read),
        Scope::Admin => td_string!(language, account.scope_admin),
    }
}

fn token_row(language: Language, token: TokenView, good: bool) -> impl IntoView {
    let scopes = token
        .scopes
        .iter()
        .map(|scope| view! { <div>{scope_text(language, *scope)}" "<small class="mono">{scope.as_str()}</small></div> })
        .collect_view();
    let title = td_string!(language, account.revoke_title, name = token.name.as_str()).to_string();
    let id = token.id.to_string();
    view! {
        <Row>
            <Cell><div>{token.name}<small><Moment at=token.created_at/></small></div></Cell>
            <Cell label=td_string!(language, account.scopes)><div>{scopes}</div></Cell>
            <Cell label=td_string!(language, account.expires)>
                {match token.expires_at {
                    Some(at) => view! { <Moment at/> }.into_any(),
                    None => view! { <span class="muted">{td_string!(language, account.no_end)}</span> }.into_any(),
                }}
            </Cell>
            <Cell label=td_string!(language, account.last_used)>
                {match token.last_used_at {
                    Some(at) => view! { <Moment at/> }.into_any(),
                    None => view! { <span class="muted">{td_string!(language, account.never)}</span> }.into_any(),
                }}
            </Cell>
            <Cell place=CellPlace::Wide>
                {if token.revoked_at.is_some() {
                    view! { <span class="muted">{td_string!(language, account.revoked)}</span> }.into_any()
                } else if !good {
                    view! { <span class="muted">{td_string!(language, account.expired)}</span> }.into_any()
                } else {
                    view! {
                        <RowAction
                            name="revoke"
                            id
                            verb=td_string!(language, account.revoke)
                            title
                            text=td_string!(language, account.revoke_text)
                            action=RevokeToken::PATH
                        />
                    }
                    .into_any()
                }}
            </Cell>
        </Row>
    }
}
