//! One offering of the catalogue: what it is, what it costs, whether cards are free.

use domain::{
    access::Action,
    catalogue::{LabSpec, OfferingCard},
    pricing::EstimateLine,
};
use leptos::prelude::*;

use crate::{
    billing::words::meter_text,
    caller_view::use_viewer,
    components::{ButtonKind, Glyph, Icon, LinkButton, Status, StatusKind},
    i18n::td_string,
    language::{self, Language},
    orders::words::{cards_text, pieces_text, storage_text},
    routes,
};

/// Leads to the catalogue; only for those who may order.
#[component]
pub fn OrderButton(text: &'static str) -> impl IntoView {
    let viewer = use_viewer();
    view! {
        <Transition>
            {move || viewer.person().filter(|person| person.may(Action::OrderSubmit)).map(|_| view! {
                <LinkButton kind=ButtonKind::Primary href=routes::CATALOGUE icon=Glyph::Plus>{text}</LinkButton>
            })}
        </Transition>
    }
    .into_any()
}

/// `may_order`: the whole tile leads to the form.
#[component]
pub fn OfferingTile(card: OfferingCard, may_order: bool) -> impl IntoView {
    let language = language::current();
    let tag = language::tag(language);
    let OfferingCard { offering, per_hour, parts, cards_free } = card;
    let tags = spec_tags(language, &offering.base).into_iter().map(|text| view! { <span class="tag">{text}</span> }).collect_view();
    let price = match per_hour {
        Some(price) => view! {
            <div class="price">
                <span><b>{price.to_string()}</b><span class="per">"\u{a0}/\u{a0}"{td_string!(language, catalogue.per_hour)}</span></span>
            </div>
            {parts_text(language, &parts).map(|text| view! { <span class="fine">{text}</span> })}
        }
        .into_any(),
        None => view! { <p class="price">{td_string!(language, catalogue.price_missing)}</p> }.into_any(),
    };
    let name = offering.name.get(tag).to_owned();
    let label = td_string!(language, catalogue.order, name = offering.name.get(tag)).to_string();
    let details = routes::offering(&offering.slug);
    let details_label = format!("{}\u{a0}{}", td_string!(language, catalogue.details), offering.name.get(tag));
    view! {
        <article class="offering">
            <div class="top">
                <Icon glyph=glyph(&offering.icon)/>
                <h2>
                    {if may_order {
                        view! { <a href=routes::order_form(&offering.slug) aria-label=label>{name}</a> }.into_any()
                    } else {
                        view! { <a href=details.clone()>{name}</a> }.into_any()
                    }}
                </h2>
            </div>
            <p>{offering.summary.get(tag).to_owned()}</p>
            <div class="stack tight"><div class="chips">{tags}</div>{price}</div>
            <div class="where">
                <Free free=cards_free spec=offering.base.clone()/>
                // The whole tile is the link; this shows that it is one.
                {may_order.then(|| view! {
                    <a class="details" href=details aria-label=details_label>{td_string!(language, catalogue.details)}</a>
                    <span class="row go" aria-hidden="true">
                        {td_string!(language, catalogue.order_this)}<Icon glyph=Glyph::Right small=true/>
                    </span>
                })}
            </div>
        </article>
    }
    .into_any()
}

/// How many cards are free, and whether that is enough.
#[component]
pub fn Free(free: Option<u32>, spec: LabSpec) -> impl IntoView {
    let language = language::current();
    match free {
        None => view! { <Status kind=StatusKind::Idle>{td_string!(language, catalogue.not_reported)}</Status> }.into_any(),
        Some(free) if spec.cards() > 0 && free < spec.cards() => {
            view! { <Status kind=StatusKind::Wait>{too_few_text(language, &spec, free)}</Status> }.into_any()
        }
        Some(free) => {
            let text = td_string!(language, catalogue.free, count = pieces_text(language, spec.card, free)).to_string();
            view! { <Status kind=StatusKind::Ok>{text}</Status> }.into_any()
        }
    }
}

/// Not enough for one lab: none, or so many of those that it needs.
fn too_few_text(language: Language, spec: &LabSpec, free: u32) -> String {
    if free == 0 {
        return td_string!(language, catalogue.none_free).to_owned();
    }
    td_string!(language, catalogue.too_few_free, free = free, asked = pieces_text(language, spec.card, spec.cards())).to_string()
}

/// What it is made of, in a few words each.
fn spec_tags(language: Language, spec: &LabSpec) -> Vec<String> {
    let mut tags = vec![cards_text(spec)];
    if spec.nodes > 1 {
        tags.push(td_string!(language, catalogue.nodes, count = spec.nodes).to_string());
    }
    let each = |text: String| {
        if spec.nodes > 1 { format!("{}\u{a0}{text}", td_string!(language, catalogue.each)) } else { text }
    };
    tags.push(each(td_string!(language, catalogue.cores, count = spec.cpu_cores).to_string()));
    tags.push(each(td_string!(language, catalogue.memory, count = spec.memory_gib).to_string()));
    if spec.storage_gib > 0 {
        tags.push(td_string!(language, catalogue.storage, size = storage_text(spec.storage_gib)).to_string());
    }
    tags
}

/// `Per hour = A100 80 GB ¥10.80 + CPU ¥1.60 + ...`
fn parts_text(language: Language, parts: &[EstimateLine]) -> Option<String> {
    if parts.is_empty() {
        return None;
    }
    let words: Vec<_> = parts.iter().map(|part| format!("{}\u{a0}{}", meter_text(language, part.meter), part.per_hour)).collect();
    Some(td_string!(language, catalogue.parts, parts = words.join(" + ")).to_string())
}

/// The drawing that the offering names; a plain one for a name that the sprite lacks.
fn glyph(icon: &str) -> Glyph {
    Glyph::ALL.iter().copied().find(|glyph| glyph.href().strip_prefix("#i-") == Some(icon)).unwrap_or(Glyph::Lab)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_cards_are_counted_against_what_the_lab_needs() {
        let spec = serde_json::json!({"workload": "distributed_job", "image": "x", "port": 8888, "card": "a100-80g", "cards_per_node": 8,
            "nodes": 1, "cpu_cores": 1, "memory_gib": 1, "storage_gib": 0});
        let spec: LabSpec = serde_json::from_value(spec).expect("a spec");
        let text = too_few_text(Language::en, &spec, 6).replace('\u{a0}', " ");
        assert_eq!(text, "6 free, it needs 8 cards; orders queue");
        assert!(too_few_text(Language::zh_CN, &spec, 6).contains("空 6"));
        assert_eq!(too_few_text(Language::en, &spec, 0), "None free now; orders queue");
    }

    #[test]
    fn an_icon_is_found_by_its_name_in_the_sprite() {
        assert_eq!(glyph("ddp"), Glyph::Ddp);
        assert_eq!(glyph("no-such-icon"), Glyph::Lab);
    }
}
