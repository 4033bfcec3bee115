//! The account page.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::api::{ChangePassword, RevokeToken, Token, tokens};
use crate::{
    caller_view::use_viewer,
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, Column, ConfirmDialog, DataTable, EmptyState, ErrorNotice, Fact, Facts, Glyph, Moment, Notice,
        PageHead, Row, Skeleton, TextField,
    },
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    orders::words::role_text,
    routes,
};

#[component]
pub fn AccountPage() -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    let failed = flash("password");
    let tokens = Resource::new(|| (), |()| tokens());
    let query = use_query_map();
    let done = move || query.with(|query| query.get("done").as_deref() == Some("password"));
    view! {
        <PageHead title=td_string!(language, account.title)/>
        {move || done().then(|| view! {
            <Notice title=td_string!(language, account.password_changed)>{td_string!(language, account.password_changed_text)}</Notice>
        })}
        <div class="cols main-side">
            <div class="stack">
                <Suspense fallback=|| view! { <Skeleton/> }>
                    {move || viewer.person().map(|person| {
                        let roles = person
                            .roles
                            .iter()
                            .filter_map(|role| domain::access::Role::parse(role))
                            .map(|role| role_text(language, role))
                            .collect::<Vec<_>>()
                            .join(td_string!(language, common.list_comma));
                        view! {
                            <Card title=td_string!(language, account.about)>
                                <Facts>
                                    <Fact name=td_string!(language, account.name)>{person.name}</Fact>
                                    <Fact name=td_string!(language, account.login)><span class="mono">{person.login}</span></Fact>
                                    <Fact name=td_string!(language, account.roles)>{roles}</Fact>
                                    <Fact name=td_string!(language, account.college)>{person.tenant_name}</Fact>
                                </Facts>
                            </Card>
                        }
                    })}
                </Suspense>
                <Suspense fallback=|| view! { <Skeleton/> }>
                    {move || tokens.get().map(|tokens| match tokens {
                        Ok(tokens) => token_card(language, tokens).into_any(),
                        Err(error) => view! { <ErrorNotice error/> }.into_any(),
                    })}
                </Suspense>
            </div>
            <aside class="stack">
                <Suspense>{move || failed.get().map(|failed| view! { <PasswordForm failed/> })}</Suspense>
            </aside>
        </div>
    }
}

#[component]
fn PasswordForm(failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    view! {
        <Card title=td_string!(language, account.password)>
            <form class="stack" method="post" action=ChangePassword::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <TextField
                    name="current"
                    label=td_string!(language, account.current)
                    error=problem("current")
                    input_type="password"
                    autocomplete="current-password"
                />
                <TextField
                    name="new"
                    label=td_string!(language, account.new)
                    help=td_string!(language, account.new_help, min = domain::people::PASSWORD_MIN).to_string()
                    error=problem("new")
                    input_type="password"
                    autocomplete="new-password"
                />
                <Button kind=ButtonKind::Primary>{td_string!(language, account.change)}</Button>
            </form>
        </Card>
    }
    .into_any()
}

fn token_card(language: Language, tokens: Vec<Token>) -> impl IntoView {
    let empty = tokens.is_empty();
    let columns = vec![
        Column::text(td_string!(language, account.token_name)),
        Column::text(td_string!(language, account.scopes)),
        Column::text(td_string!(language, account.last_used)),
        Column::text(""),
    ];
    let rows = tokens.into_iter().map(|token| token_row(language, token)).collect_view();
    view! {
        <Card title=td_string!(language, account.tokens) flush=true end=move || view! { <a href=routes::API_DOCS>{td_string!(language, api_docs.title)}</a> }>
            {if empty {
                view! { <EmptyState glyph=Glyph::Key title=td_string!(language, account.no_tokens) text=td_string!(language, account.no_tokens_text)/> }.into_any()
            } else {
                view! { <DataTable caption=td_string!(language, account.tokens) columns>{rows}</DataTable> }.into_any()
            }}
        </Card>
    }
}

fn token_row(language: Language, token: Token) -> impl IntoView {
    let scopes = token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
    let title = td_string!(language, account.revoke_title, name = token.name.as_str()).to_string();
    let id = token.id.to_string();
    view! {
        <Row>
            <Cell><div>{token.name}<small><Moment at=token.created_at/></small></div></Cell>
            <Cell label=td_string!(language, account.scopes)><span class="mono">{scopes}</span></Cell>
            <Cell label=td_string!(language, account.last_used)>
                {match token.last_used_at {
                    Some(at) => view! { <Moment at/> }.into_any(),
                    None => view! { <span class="muted">{td_string!(language, account.never)}</span> }.into_any(),
                }}
            </Cell>
            <Cell place=CellPlace::Wide>
                {if token.revoked_at.is_some() {
                    view! { <span class="muted">{td_string!(language, account.revoked)}</span> }.into_any()
                } else {
                    view! {
                        <ConfirmDialog
                            id=format!("revoke-{id}")
                            open_text=td_string!(language, account.revoke)
                            title
                            confirm_text=td_string!(language, account.revoke)
                            action=RevokeToken::PATH
                            kind=ButtonKind::Quiet
                            small=true
                        >
                            <input type="hidden" name="id" value=id/>
                            <p>{td_string!(language, account.revoke_text)}</p>
                        </ConfirmDialog>
                    }
                    .into_any()
                }}
            </Cell>
        </Row>
    }
}
