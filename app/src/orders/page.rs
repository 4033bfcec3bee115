//! The list of orders, and the page of one.

use domain::{
    orders::{OrderState, OrderView},
    page::Page,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    api::{CANCEL, list_orders, read_order},
    class::lesson_text,
    detail::OrderDetail,
    words::{change_text, state_kind, state_text, view_text},
};
use crate::{
    approvals::reply_api::REPLY,
    catalogue::offering::OrderButton,
    components::{
        Amount, Card, Cell, CellPlace, Column, DataTable, EmptyState, Failed, Glyph, LinkButton, LinkItem, Moment, NEWS, Notice, PageHead, Pager,
        Row, Segmented, Skeleton, Status, StatusKind, latest, use_news,
    },
    flash::flash,
    i18n::td_string,
    language, routes,
};

#[component]
pub fn OrdersPage() -> impl IntoView {
    let language = language::current();
    let query = use_query_map();
    let wanted = Memo::new(move |_| {
        let get = |name| query.with(|query| query.get_str(name).unwrap_or_default().to_owned());
        (get("state"), get("class"), get("after"))
    });
    let cancelled = Memo::new(move |_| query.with(|query| query.get_str("cancelled").and_then(|count| count.parse::<u32>().ok())));
    let orders = Resource::new(move || wanted.get(), |(state, class, after)| list_orders(state, class, after));
    use_news(NEWS.to_owned(), move || orders.refetch());
    view! {
        <PageHead title=td_string!(language, orders.title) lead=td_string!(language, orders.lead)>
            <OrderButton text=td_string!(language, orders.new)/>
        </PageHead>
        {move || cancelled.get().map(|count| view! { <Notice title=td_string!(language, class.cancelled, count = count).to_string()/> })}
        {move || match wanted.get() {
            (state, class, _) if class.is_empty() => view! { <States current=state/> }.into_any(),
            _ => view! {
                <p class="soft">{td_string!(language, class.showing)}" "<a href=routes::ORDERS>{td_string!(language, orders.drop_filter)}</a></p>
            }
            .into_any(),
        }}
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {let orders = latest(orders);
            move || orders.get().map(|orders| match orders {
                Ok(orders) => {
                    let (state, class, after) = wanted.get_untracked();
                    view! { <Orders orders state class after/> }.into_any()
                }
                Err(error) => view! { <crate::components::ErrorNotice error/> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

/// One link for each state.
#[component]
fn States(current: String) -> impl IntoView {
    let language = language::current();
    let mut items = vec![LinkItem::new(routes::ORDERS, td_string!(language, orders.state_all), OrderState::parse(&current).is_none())];
    items.extend(OrderState::ALL.into_iter().map(|state| {
        let href = routes::with_query(routes::ORDERS, &[("state", state.as_str())]);
        // Lessons to come are among them.
        let text = if state == OrderState::Queued { td_string!(language, orders.filter_queued) } else { state_text(language, state) };
        LinkItem::new(href, text, state.as_str() == current)
    }));
    view! { <div class="row"><Segmented label=td_string!(language, orders.filter) items/></div> }.into_any()
}

#[component]
fn Orders(orders: Page<OrderView>, state: String, class: String, after: String) -> impl IntoView {
    let language = language::current();
    if orders.items.is_empty() {
        return view! { <NoOrders filtered=!state.is_empty() || !class.is_empty() || !after.is_empty()/> }.into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, orders.order)),
        Column::text(td_string!(language, orders.state)),
        Column::text(td_string!(language, orders.course)),
        Column::text(td_string!(language, orders.owner)),
        Column::text(td_string!(language, orders.submitted)),
        Column::number(td_string!(language, orders.estimate)),
    ];
    let rows = orders.items.into_iter().map(|view| view! { <OrderRow view/> }).collect_view();
    let newer = (!after.is_empty()).then(|| routes::with_query(routes::ORDERS, &[("state", &state), ("class", &class)]));
    let older = orders.next.map(|next| routes::with_query(routes::ORDERS, &[("state", &state), ("class", &class), ("after", &next)]));
    let newest = newer.map(|href| view! { <p><a href=href>{td_string!(language, orders.newest)}</a></p> });
    view! {
        {newest}
        <Card title=td_string!(language, orders.title) flush=true>
            <DataTable caption=td_string!(language, orders.title) columns>{rows}</DataTable>
            <Pager nostrip:older=older/>
        </Card>
    }
    .into_any()
}

#[component]
fn OrderRow(view: OrderView) -> impl IntoView {
    let language = language::current();
    let state = view_text(language, &view);
    let order = view.order;
    let name = match &order.change {
        Some(change) => change_text(language, change),
        None => order.offering_name.get(language::tag(language)).to_owned(),
    };
    let place = view.queue_position.map(|place| td_string!(language, orders.queue_place, place = place).to_string());
    let lesson = order.seat.clone().into_iter().chain(lesson_text(language, &order)).collect::<Vec<_>>().join(" · ");
    let attention = (order.state == OrderState::Failed).then_some(StatusKind::Bad);
    view! {
        <Row nostrip:attention=attention>
            <Cell>
                <a href=routes::order(order.id)><b>{format!("#{}", order.number)}</b>" "{name}</a>
                {(!order.purpose.is_empty()).then(|| view! { <small>{order.purpose.clone()}</small> })}
                {(!lesson.is_empty()).then(|| view! { <small>{lesson}</small> })}
            </Cell>
            <Cell label=td_string!(language, orders.state) place=CellPlace::Corner>
                <Status kind=state_kind(order.state)>{state}{place.map(|place| format!("\u{a0}· {place}"))}</Status>
            </Cell>
            <Cell label=td_string!(language, orders.course)>{view.course.code}</Cell>
            <Cell label=td_string!(language, orders.owner)>{view.owner.name}</Cell>
            <Cell label=td_string!(language, orders.submitted)><Moment at=order.submitted_at/></Cell>
            <Cell label=td_string!(language, orders.estimate) numeric=true><Amount money=order.estimate.total/></Cell>
        </Row>
    }
    .into_any()
}

#[component]
fn NoOrders(filtered: bool) -> impl IntoView {
    let language = language::current();
    if filtered {
        return view! {
            <EmptyState
                glyph=Glyph::Find
                title=td_string!(language, orders.empty_filtered_title)
                text=td_string!(language, orders.empty_filtered_text)
            >
                <LinkButton small=true href=routes::ORDERS>{td_string!(language, orders.drop_filter)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    view! {
        <EmptyState glyph=Glyph::List title=td_string!(language, orders.empty_title) text=td_string!(language, orders.empty_text)>
            <LinkButton small=true href=routes::CATALOGUE>{td_string!(language, orders.to_catalogue)}</LinkButton>
        </EmptyState>
    }
    .into_any()
}

#[component]
pub fn OrderPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id").unwrap_or_default().to_owned()));
    let just_sent = Memo::new(move |_| query.with(|query| query.get_str("sent").is_some()));
    let order = Resource::new(move || id.get(), read_order);
    let last_try = flash(CANCEL);
    let reply = flash(REPLY);
    use_news(NEWS.to_owned(), move || order.refetch());
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {let order = latest(order);
            move || {
                let (order, last_try, reply) = (order.get()?, last_try.get()?, reply.get()?);
                Some(match order {
                    Ok(view) => view! { <OrderDetail view just_sent=just_sent.get() refusal=last_try.error.or(reply.other()) reply/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}
