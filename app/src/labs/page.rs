//! The list of labs and the page of one; both are kept up to date by news from the server.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    api::{FORM, list_labs, read_lab},
    detail::LabDetailView,
    filters::{Search, States, Wanted},
    list::LabList,
    share::{self, Tried},
};
use crate::{
    catalogue::offering::OrderButton,
    components::{ErrorNotice, Failed, LiveMark, NEWS, PageHead, Skeleton, latest, news_of_lab, outline, use_news},
    flash::flash,
    i18n::td_string,
    language,
};

#[component]
pub fn LabsPage() -> impl IntoView {
    let language = language::current();
    let query = use_query_map();
    let wanted = Memo::new(move |_| {
        let get = |name| query.with(|query| query.get_str(name).unwrap_or_default().to_owned());
        Wanted { state: get("state"), course: get("course"), text: get("text"), after: get("after") }
    });
    let labs = Resource::new(move || wanted.get(), |Wanted { state, course, text, after }| list_labs(state, course, text, after));
    let reload = Callback::new(move |()| labs.refetch());
    let liveness = use_news(NEWS.to_owned(), move || labs.refetch());
    view! {
        <PageHead title=td_string!(language, labs.title) lead=td_string!(language, labs.lead)>
            <OrderButton text=td_string!(language, labs.new)/>
        </PageHead>
        <div class="row between">{move || view! { <States wanted=wanted.get()/> }}<LiveMark liveness/></div>
        <Search wanted=wanted.get_untracked()/>
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {let labs = latest(labs);
            move || labs.get().map(|labs| match labs {
                Ok(labs) => {
                    view! { <LabList labs wanted=wanted.get_untracked() reload/> }.into_any()
                }
                Err(error) => view! { <ErrorNotice error/> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

#[component]
pub fn LabPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id").unwrap_or_default().to_owned()));
    let lab = Resource::new(move || id.get(), read_lab);
    let last_try = flash(FORM);
    let (share_try, share_made) = (flash(share::FORM), share::made_link());
    let reload = Callback::new(move |()| lab.refetch());
    // One lab, one stream: the page of another lab is another page.
    let liveness = use_news(news_of_lab(id.get_untracked()), move || lab.refetch());
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {let lab = latest(lab);
            let outline = outline(lab);
            move || {
                let (outline, last_try) = (outline.get()?, last_try.get()?);
                let tried = Tried { failed: share_try.get()?, made: share_made.get()?.ok().flatten() };
                Some(match outline {
                    Ok(()) => view! { <LabDetailView lab refusal=last_try.error tried liveness reload/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}
