//! What a hit is called, what stands beside it and where it leads.

use domain::{access::Action, search::Hit};

use crate::{
    audit::words::action_text,
    caller_view::Viewer,
    components::{Glyph, MomentStyle, moment_text},
    i18n::td_string,
    labs,
    language::{self, Language},
    orders, routes,
};

/// Which list a hit belongs to; in the order of [`domain::search::Hit`].
pub fn group(language: Language, hit: &Hit) -> &'static str {
    match hit {
        Hit::Lab { .. } => td_string!(language, search.labs),
        Hit::Order { .. } => td_string!(language, search.orders),
        Hit::Offering { .. } => td_string!(language, search.offerings),
        Hit::Course { .. } => td_string!(language, search.courses),
        Hit::Person { .. } => td_string!(language, search.people),
        Hit::Audit { .. } => td_string!(language, search.audit),
    }
}

pub const fn glyph(hit: &Hit) -> Glyph {
    match hit {
        Hit::Lab { .. } => Glyph::Lab,
        Hit::Order { .. } => Glyph::List,
        Hit::Offering { .. } => Glyph::Shelf,
        Hit::Course { .. } => Glyph::Book,
        Hit::Person { .. } => Glyph::People,
        Hit::Audit { .. } => Glyph::Shield,
    }
}

/// Its name, and what tells it from others of its kind.
pub fn texts(language: Language, hit: &Hit) -> (String, String) {
    let tag = language::tag(language);
    match hit {
        Hit::Lab { name, offering, course, state, .. } => {
            (name.clone(), format!("{} · {course} · {}", offering.get(tag), labs::words::state_text(language, *state)))
        }
        Hit::Order { number, offering, course, state, ahead, .. } => (
            td_string!(language, search.order_number, number = *number).to_string(),
            format!("{} · {course} · {}", offering.get(tag), orders::words::waiting_text(language, *state, *ahead)),
        ),
        Hit::Offering { name, summary, .. } => (name.get(tag).to_owned(), summary.get(tag).to_owned()),
        Hit::Course { code, name } => (code.clone(), name.clone()),
        Hit::Person { person } => (person.name.clone(), person.login.clone()),
        Hit::Audit { action, object, who, at, .. } => {
            (format!("{} {object}", action_text(language, action)), format!("{who} · {}", moment_text(*at, MomentStyle::Minute)))
        }
    }
}

/// The page of it that this reader may open.
pub fn link(viewer: &Viewer, hit: &Hit) -> String {
    match hit {
        Hit::Lab { id, .. } => routes::lab(id),
        Hit::Order { id, .. } => routes::order(id),
        Hit::Offering { slug, .. } if viewer.may(Action::OrderSubmit) => routes::order_form(slug),
        Hit::Offering { .. } => routes::CATALOGUE.to_owned(),
        Hit::Course { .. } if viewer.may(Action::CourseWrite) => routes::COURSES.to_owned(),
        Hit::Course { code, .. } if viewer.may(Action::BillRead) => routes::with_query(routes::BILLING, &[("course", code)]),
        Hit::Course { .. } => routes::COURSES.to_owned(),
        Hit::Person { person } if viewer.may(Action::AuditRead) => {
            routes::with_query(routes::AUDIT, &[("person", &person.login), ("view", "timeline")])
        }
        Hit::Person { .. } if viewer.may(Action::PeopleWrite) => routes::PEOPLE.to_owned(),
        Hit::Person { person } => routes::with_query(routes::SEARCH, &[("q", &person.login)]),
        Hit::Audit { id, .. } => routes::audit_event(id),
    }
}

/// Hits with their neighbours of the same kind, in order.
pub fn grouped(language: Language, hits: Vec<Hit>) -> Vec<(&'static str, Vec<Hit>)> {
    let mut groups: Vec<(&'static str, Vec<Hit>)> = Vec::new();
    for hit in hits {
        let name = group(language, &hit);
        match groups.last_mut() {
            Some((last, hits)) if *last == name => hits.push(hit),
            _ => groups.push((name, vec![hit])),
        }
    }
    groups
}
