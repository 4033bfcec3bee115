//! Search over the audit record. The search is the URL, so it can be sent to a colleague; it needs no scripts.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

pub use super::detail::AuditEventPage;
use super::{
    api::{FORM, Query, VerifyAudit, search},
    chain::{Chains, ProofMark},
    form::{Ranges, SearchForm},
    results::results,
    saved::{Export, SavedList},
};
use crate::{
    components::{ErrorNotice, Failed, PageHead, Skeleton, Topic, use_news_of},
    error::AppError,
    flash::flash,
    i18n::td_string,
    language,
};

#[component]
pub fn AuditPage() -> impl IntoView {
    let language = language::current();
    let params = use_query_map();
    let query = Memo::new(move |_| params.with(|map| Query::read(|key| map.get(key).unwrap_or_default())));
    let found = Resource::new(move || query.get(), search);
    let verify = ServerAction::<VerifyAudit>::new();
    let chain = Resource::new(move || verify.version().get(), |_| super::api::chain());
    let saved = Resource::new(|| (), |()| super::api::saved());
    let last_try = flash(FORM);
    use_news_of(Topic::Audit, move || chain.refetch());
    // Somebody who may not read the record is told so once, and shown no form.
    let page = move || {
        view! {
            <PageHead title=td_string!(language, audit.title) lead=td_string!(language, audit.lead)>
                <Transition>{move || chain.get().and_then(Result::ok).map(|card| view! { <ProofMark card/> })}</Transition>
            </PageHead>
            <Transition>
                {
                    // Drawn anew for another search alone, not for its answer: by then somebody may be typing.
                    let form = Memo::new(move |_| found.get().map(|found| (query.get(), found.err())));
                    move || form.get().map(|(query, failed)| view! { <SearchForm query failed/> })
                }
            </Transition>
            {move || view! { <Ranges query=query.get()/> }}
            <div class="cols main-side">
                <Transition fallback=|| view! { <Skeleton lines=8/> }>
                    {move || found.get().map(|found| match found {
                        Ok(page) => results(language, page, &query.get()).into_any(),
                        Err(error) => view! { <ErrorNotice error/> }.into_any(),
                    })}
                </Transition>
                <aside class="stack">
                    <Transition fallback=|| view! { <Skeleton/> }>
                        {move || chain.get().map(|card| match card {
                            Ok(card) => view! { <Chains card verify/> }.into_any(),
                            Err(error) => view! { <ErrorNotice error/> }.into_any(),
                        })}
                    </Transition>
                    <Transition fallback=|| view! { <Skeleton/> }>
                        {move || {
                            let last_try = last_try.get().unwrap_or_default();
                            saved.get().map(|saved| match saved {
                                Ok(saved) => view! { <SavedList saved query=query.get() last_try/> }.into_any(),
                                Err(error) => view! { <ErrorNotice error/> }.into_any(),
                            })
                        }}
                    </Transition>
                    {move || view! { <Export query=query.get()/> }}
                </aside>
            </div>
        }
        .into_any()
    };
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {
                let refused = Memo::new(move |_| found.get().map(|found| found.err().filter(AppError::is_refusal)));
                move || refused.get().map(|refused| match refused {
                    Some(error) => view! { <Failed error/> }.into_any(),
                    None => page(),
                })
            }
        </Transition>
    }
    .into_any()
}
