//! What Lectern says by itself: states, notices, every error, and the pages without content.

use domain::Error;
use leptos::prelude::*;

use super::specimen::Specimen;
use crate::{
    components::{EmptyState, ErrorNotice, Failed, Glyph, LinkButton, LiveMark, Liveness, Notice, NoticeKind, Skeleton, Status, StatusKind},
    error::AppError,
    i18n::td_string,
    language, routes,
};

pub const STATUSES: [StatusKind; 9] = [
    StatusKind::Ok,
    StatusKind::Live,
    StatusKind::Busy,
    StatusKind::Wait,
    StatusKind::Held,
    StatusKind::Idle,
    StatusKind::Off,
    StatusKind::Warn,
    StatusKind::Bad,
];

#[component]
pub fn Statuses() -> impl IntoView {
    let all = STATUSES.into_iter().map(|kind| view! { <Status kind>{format!("{kind:?}")}</Status> }).collect_view();
    let marks = [Liveness::Connecting, Liveness::Live, Liveness::Polling]
        .into_iter()
        .map(|liveness| view! { <LiveMark liveness=signal(liveness).0/> })
        .collect_view();
    view! {
        <Specimen name="Status">{all}</Specimen>
        <Specimen name="LiveMark">{marks}</Specimen>
    }
    .into_any()
}

#[component]
pub fn Notices() -> impl IntoView {
    let language = language::current();
    let text = td_string!(language, design.sample_text);
    let title = td_string!(language, design.sample_title);
    let all = [(NoticeKind::Info, "Notice kind=Info"), (NoticeKind::Warn, "Notice kind=Warn"), (NoticeKind::Bad, "Notice kind=Bad")]
        .into_iter()
        .map(|(kind, name)| view! { <Specimen name block=true><Notice kind title>{text}</Notice></Specimen> })
        .collect_view();
    view! {
        {all}
        <Specimen name="Notice (title only)" block=true><Notice title/></Specimen>
    }
    .into_any()
}

#[component]
pub fn Errors() -> impl IntoView {
    let all = Error::one_of_each()
        .into_iter()
        .map(|error| view! { <Specimen name=format!("ErrorNotice {}", error.code()) block=true><ErrorNotice error=AppError(error)/></Specimen> });
    all.collect_view()
}

/// Nothing yet, not yet, not now, not for you.
#[component]
pub fn Waiting() -> impl IntoView {
    let language = language::current();
    view! {
        <Specimen name="EmptyState" block=true>
            <EmptyState glyph=Glyph::Lab title=td_string!(language, labs.empty_title) text=td_string!(language, labs.empty_text)>
                <LinkButton href=routes::CATALOGUE>{td_string!(language, labs.to_catalogue)}</LinkButton>
            </EmptyState>
        </Specimen>
        <Specimen name="EmptyState (no action)" block=true>
            <EmptyState glyph=Glyph::Find title=td_string!(language, labs.empty_filtered_title) text=td_string!(language, labs.empty_filtered_text)/>
        </Specimen>
        <Specimen name="Skeleton" block=true><Skeleton/></Specimen>
        <Specimen name="Failed error=Unavailable" block=true><Failed error=AppError(Error::Unavailable { retry_after_seconds: 5 })/></Specimen>
        <Specimen name="Failed error=Forbidden" block=true><Failed error=AppError(Error::Forbidden)/></Specimen>
    }
    .into_any()
}
