//! The catalogue, and the page of its order form.

use domain::{
    access::Action,
    catalogue::{OfferingCard, Purpose},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{api::list_offerings, filter::Filter, offering::OfferingTile};
use crate::{
    caller_view::use_viewer,
    components::{Button, EmptyState, Failed, Glyph, Icon, LinkButton, LinkItem, PageHead, Segmented, Skeleton},
    flash::flash,
    i18n::td_string,
    language,
    offerings::words::purpose_text,
    orders::{
        api::read_order_form,
        form::{FORM, OrderFormView},
    },
    quotas::meters::CourseQuotas,
    routes,
};

#[component]
pub fn CataloguePage() -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(Filter::of));
    let offerings = Resource::new(|| (), |()| list_offerings());
    view! {
        <PageHead title=td_string!(language, catalogue.title) lead=td_string!(language, catalogue.lead)/>
        <div class="cols main-side">
            <div class="stack">
                {move || view! { <Filters filter=filter.get()/> }}
                <Transition fallback=|| view! { <Skeleton lines=6/> }>
                    {move || offerings.get().map(|offerings| match offerings {
                        Ok(cards) => {
                            let may_order = viewer.person().is_some_and(|person| person.may(Action::OrderSubmit));
                            view! { <Tiles cards filter=filter.get() may_order/> }.into_any()
                        }
                        Err(error) => view! { <crate::components::ErrorNotice error/> }.into_any(),
                    })}
                </Transition>
            </div>
            <aside class="stack" aria-label=td_string!(language, quotas.lead)><CourseQuotas/></aside>
        </div>
    }
    .into_any()
}

/// Search, use, and whether cards are free: links and a form that change the address.
#[component]
fn Filters(filter: Filter) -> impl IntoView {
    let language = language::current();
    let with = |purpose| Filter { purpose, ..filter.clone() }.href();
    let mut uses = vec![LinkItem::new(with(None), td_string!(language, offerings.use_all), filter.purpose.is_none())];
    uses.extend(Purpose::ALL.map(|purpose| LinkItem::new(with(Some(purpose)), purpose_text(language, purpose), filter.purpose == Some(purpose))));
    let now = Filter { fits_now: !filter.fits_now, ..filter.clone() }.href();
    let purpose = filter.purpose.map_or("", Purpose::as_str);
    view! {
        <div class="row between wrap">
            <form class="row find-offering" role="search" method="get" action=routes::CATALOGUE>
                <div class="affix">
                    <Icon glyph=Glyph::Find/>
                    <input
                        class="input"
                        type="search"
                        name="text"
                        maxlength="100"
                        aria-label=td_string!(language, catalogue.search)
                        placeholder=td_string!(language, catalogue.search_placeholder)
                        value=filter.text.clone()
                    />
                </div>
                {(!purpose.is_empty()).then(|| view! { <input type="hidden" name="use" value=purpose/> })}
                {filter.fits_now.then(|| view! { <input type="hidden" name="now" value="1"/> })}
                <Button>{td_string!(language, catalogue.find)}</Button>
            </form>
            <Segmented label=td_string!(language, catalogue.purpose) items=uses/>
        </div>
        <div class="chips">
            <a class=if filter.fits_now { "tag on" } else { "tag" } href=now aria-pressed=filter.fits_now.to_string() role="button">
                {td_string!(language, catalogue.fits_now)}
            </a>
            {filter.is_narrow().then(|| view! { <a href=routes::CATALOGUE>{td_string!(language, catalogue.clear)}</a> })}
        </div>
    }
    .into_any()
}

#[component]
fn Tiles(cards: Vec<OfferingCard>, filter: Filter, may_order: bool) -> impl IntoView {
    let language = language::current();
    if cards.is_empty() {
        return view! {
            <EmptyState
                glyph=Glyph::Shelf
                title=td_string!(language, catalogue.empty_title)
                text=td_string!(language, catalogue.empty_text)
            />
        }
        .into_any();
    }
    let found: Vec<_> = cards.into_iter().filter(|card| filter.admits(card)).collect();
    if found.is_empty() {
        return view! {
            <EmptyState glyph=Glyph::Find title=td_string!(language, catalogue.none_title) text=td_string!(language, catalogue.none_text)>
                <LinkButton href=routes::CATALOGUE>{td_string!(language, catalogue.clear)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let count = found.len().to_string();
    let tiles = found.into_iter().map(|card| view! { <li><OfferingTile card may_order/></li> }).collect_view();
    view! {
        <p class="fine" role="status">{td_string!(language, catalogue.found, count = count).to_string()}</p>
        <ul class="offerings">{tiles}</ul>
    }
    .into_any()
}

#[component]
pub fn OrderFormPage() -> impl IntoView {
    let params = use_params_map();
    let slug = move || params.with(|params| params.get_str("slug").unwrap_or_default().to_owned());
    let page = Resource::new(slug, read_order_form);
    let last_try = flash(FORM);
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {move || {
                let (page, last_try) = (page.get()?, last_try.get()?);
                Some(match page {
                    Ok(page) => view! { <OrderFormView page last_try/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}
