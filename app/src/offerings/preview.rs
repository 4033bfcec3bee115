//! Beside the form: what a lab with the defaults would cost, and the Kubernetes objects that it would be made of.

use domain::offerings::OfferingPreview;
use leptos::prelude::*;

use crate::{
    billing::words::meter_text,
    components::{Card, Glyph, Icon},
    i18n::td_string,
    language::{self, Language},
    orders::words::duration_text,
};

#[component]
pub fn PreviewPanel(preview: RwSignal<OfferingPreview>) -> impl IntoView {
    let language = language::current();
    view! {
        <aside class="sticky stack loose" id="preview">
            <div class="summary" aria-live="polite">
                <div><h2>{td_string!(language, offerings.preview)}</h2></div>
                <div>{move || preview.with(|preview| price(language, preview))}</div>
                <div class="no-script">
                    <button class="btn wide" type="submit" form="offering-form" name="intent" value="show">
                        {td_string!(language, offerings.recompute)}
                    </button>
                </div>
            </div>
            {move || preview.with(|preview| objects(language, preview))}
        </aside>
    }
    .into_any()
}

fn price(language: Language, preview: &OfferingPreview) -> AnyView {
    if !preview.problems.is_empty() {
        let count = preview.problems.len().to_string();
        return view! { <p>{td_string!(language, offerings.preview_problems, count = count).to_string()}</p> }.into_any();
    }
    if let Some(meter) = &preview.price_missing {
        return view! { <p>{td_string!(language, offerings.price_missing, meter = meter.as_str()).to_string()}</p> }.into_any();
    }
    let Some(estimate) = &preview.estimate else {
        return view! { <p class="fine">{td_string!(language, offerings.preview_wait)}</p> }.into_any();
    };
    let parts: Vec<_> = estimate.lines.iter().map(|line| format!("{}\u{a0}{}", meter_text(language, line.meter), line.per_hour)).collect();
    let duration = duration_text(language, estimate.minutes);
    view! {
        <dl class="prices">
            <dt>{td_string!(language, offerings.per_hour_row)}</dt>
            <dd class="total">{estimate.per_hour.to_string()}</dd>
            <dt>{td_string!(language, offerings.for_default, duration = duration).to_string()}</dt>
            <dd>{estimate.total.to_string()}</dd>
        </dl>
        <p class="fine">{parts.join(" + ")}</p>
    }
    .into_any()
}

fn objects(language: Language, preview: &OfferingPreview) -> Option<impl IntoView + use<>> {
    if preview.objects.is_empty() {
        return None;
    }
    let count = preview.objects.len().to_string();
    let folds = preview
        .objects
        .iter()
        .cloned()
        .map(|(kind, yaml)| {
            view! {
                <details>
                    <summary>
                        <Icon glyph=Glyph::Right small=true/>
                        <span><b>{kind.clone()}</b></span>
                        <span></span>
                    </summary>
                    <div class="in"><pre class="listing" tabindex="0" role="region" aria-label=kind>{yaml}</pre></div>
                </details>
            }
        })
        .collect_view();
    let end = move || view! { <span class="soft">{td_string!(language, offerings.objects_count, count = count.as_str()).to_string()}</span> };
    Some(view! {
        <Card title=td_string!(language, offerings.objects) end=end>
            <p class="fine">{td_string!(language, offerings.objects_text)}</p>
            <div class="folds">{folds}</div>
        </Card>
    })
}
