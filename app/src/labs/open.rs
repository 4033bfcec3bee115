//! The way into a lab: the button on the pages, and the words of the two pages in between, which the server writes by itself
//! (`server/src/open.rs`).

use domain::{
    catalogue::Entrance,
    courses::CourseRef,
    labs::{Lab, LabState, LabView},
    visits::{REASON_MIN, VisitRole},
};
use leptos::prelude::*;

use crate::{
    components::{Button, ButtonKind, Glyph, LinkButton},
    i18n::td_string,
    language::{self, Language},
    routes,
};

/// Opens the lab in a tab of its own. `name`: for screen readers, where a page has several of these buttons.
#[component]
pub fn OpenLab(#[prop(into)] id: String, #[prop(into)] name: String, #[prop(optional)] small: bool) -> impl IntoView {
    let language = language::current();
    // The text that is seen comes first, so that the button can be named by voice.
    let rest = td_string!(language, open.rest, name = name.as_str()).to_string();
    view! {
        <form method="post" action=routes::lab_open(id) target="_blank">
            <Button kind=ButtonKind::Primary small icon=Glyph::Right>
                {td_string!(language, open.open)}<span class="sr">{rest}</span>
            </Button>
        </form>
    }
    .into_any()
}

/// Whether this reader can use the lab now. A shell needs a lab that runs; the site of a lab shows how far its start is.
pub fn is_open(view: &LabView) -> bool {
    view.may_enter && (view.lab.state == LabState::Running || view.lab.spec.entrance() == Entrance::Page)
}

/// The main button of a lab: its pages, its terminal or its log, by the kind of lab.
#[component]
pub fn EnterLab(id: String, name: String, entrance: Entrance, #[prop(optional)] small: bool) -> impl IntoView {
    let language = language::current();
    let (href, text) = match entrance {
        Entrance::Page => return view! { <OpenLab id name small/> }.into_any(),
        Entrance::Terminal => (routes::lab_terminal(&id), td_string!(language, terminal.button)),
        Entrance::Log => (routes::lab_log_card(&id), td_string!(language, open.log)),
    };
    let rest = td_string!(language, open.rest_here, name = name.as_str()).to_string();
    view! {
        <LinkButton href kind=ButtonKind::Primary small icon=Glyph::Right>{text}<span class="sr">{rest}</span></LinkButton>
    }
    .into_any()
}

/// The button of a lab that this reader can use now.
pub fn open_button(view: &LabView, small: bool) -> Option<AnyView> {
    let (id, name, entrance) = (view.lab.id.to_string(), view.lab.name.clone(), view.lab.spec.entrance());
    is_open(view).then(|| view! { <EnterLab id name entrance small/> }.into_any())
}

/// As what somebody enters a lab.
pub fn role_text(language: Language, role: VisitRole) -> &'static str {
    match role {
        VisitRole::Owner => td_string!(language, open.role_owner),
        VisitRole::Teacher => td_string!(language, open.role_teacher),
        VisitRole::Manager => td_string!(language, open.role_manager),
        VisitRole::BreakGlass => td_string!(language, open.role_break_glass),
        VisitRole::Share => td_string!(language, open.role_share),
    }
}

/// The owner, and the role in which the reader would enter; nothing more for the owner.
pub fn visit_text(language: Language, view: &LabView, role: VisitRole) -> String {
    let (name, owner) = (view.lab.name.as_str(), view.owner.name.as_str());
    match role {
        VisitRole::Owner => td_string!(language, open.own, name = name).to_string(),
        VisitRole::Teacher | VisitRole::Manager | VisitRole::Share => {
            td_string!(language, open.visit, name = name, owner = owner, role = role_text(language, role)).to_string()
        }
        VisitRole::BreakGlass => td_string!(language, open.break_glass, name = name, owner = owner).to_string(),
    }
}

/// The title of the page that asks whether to enter.
pub fn title_text(language: Language, name: &str, role: VisitRole) -> String {
    match role {
        VisitRole::Owner => td_string!(language, open.title, name = name).to_string(),
        VisitRole::Teacher | VisitRole::Manager | VisitRole::Share => td_string!(language, open.title_visit, name = name).to_string(),
        VisitRole::BreakGlass => td_string!(language, open.title_break_glass, name = name).to_string(),
    }
}

/// The lab in the eyes of somebody who is about to enter it.
pub fn about_facts(language: Language, lab: &Lab, course: &CourseRef, owner: &str) -> Vec<(&'static str, String)> {
    vec![
        (td_string!(language, labs.offering), format!("{} · {}", lab.name, lab.offering_name.get(language::tag(language)))),
        (td_string!(language, labs.course), format!("{} {}", course.code, course.name)),
        (td_string!(language, labs.owner), owner.to_owned()),
    ]
}

/// Of an operator's visit: until when it lasts.
pub fn limit_text(language: Language) -> &'static str {
    td_string!(language, open.break_glass_limit)
}

pub fn reason_help(language: Language) -> String {
    td_string!(language, open.reason_help, min = REASON_MIN).to_string()
}

/// Title and text in the place of a lab that nobody can enter: it is destroyed, or down in an emergency.
pub fn closed_texts(language: Language, destroyed: bool) -> (&'static str, &'static str) {
    if destroyed {
        (td_string!(language, open.gone_title), td_string!(language, open.gone))
    } else {
        (td_string!(language, open.down_title), td_string!(language, open.down))
    }
}

pub fn terminal_text(language: Language) -> &'static str {
    td_string!(language, terminal.button)
}

pub fn opening_text(language: Language, name: &str) -> String {
    td_string!(language, open.opening, name = name).to_string()
}

pub fn open_text(language: Language) -> &'static str {
    td_string!(language, open.open)
}

pub fn visit_button_text(language: Language, role: VisitRole) -> &'static str {
    if role == VisitRole::Owner { open_text(language) } else { td_string!(language, open.visit_do) }
}

pub fn reason_label(language: Language) -> &'static str {
    td_string!(language, open.reason)
}

pub fn to_lab_page_text(language: Language) -> &'static str {
    td_string!(language, open.to_lab_page)
}
