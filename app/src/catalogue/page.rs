//! The catalogue, and the page of its order form.

use domain::access::Action;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{api::list_offerings, offering::OfferingTile};
use crate::{
    caller_view::use_viewer,
    components::{EmptyState, Failed, Glyph, PageHead, Skeleton},
    flash::flash,
    i18n::td_string,
    language,
    orders::{
        api::read_order_form,
        form::{FORM, OrderFormView},
    },
    quotas::meters::CourseQuotas,
};

#[component]
pub fn CataloguePage() -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    let offerings = Resource::new(|| (), |()| list_offerings());
    view! {
        <PageHead title=td_string!(language, catalogue.title) lead=td_string!(language, catalogue.lead)/>
        <div class="cols main-side">
            <Transition fallback=|| view! { <Skeleton lines=6/> }>
                {move || offerings.get().map(|offerings| match offerings {
                    Ok(cards) if cards.is_empty() => view! {
                        <EmptyState
                            glyph=Glyph::Shelf
                            title=td_string!(language, catalogue.empty_title)
                            text=td_string!(language, catalogue.empty_text)
                        />
                    }
                    .into_any(),
                    Ok(cards) => {
                        let may_order = viewer.person().is_some_and(|person| person.may(Action::OrderSubmit));
                        let cards = cards.into_iter().map(|card| view! { <li><OfferingTile card may_order/></li> }).collect_view();
                        view! { <ul class="offerings">{cards}</ul> }.into_any()
                    }
                    Err(error) => view! { <crate::components::ErrorNotice error/> }.into_any(),
                })}
            </Transition>
            <aside class="stack" aria-label=td_string!(language, quotas.lead)><CourseQuotas/></aside>
        </div>
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
