//! Another size for a lab: the size parameters of its offering, what an hour costs before and after, and what happens to a running lab.

use domain::{
    Error,
    catalogue::{Parameter, ParameterInput, ParameterKind, Target},
    ids::OrderId,
    labs::{
        LabState,
        resize::{CardChange, ResizeContext, Resized, size_parameters, size_values},
    },
    orders::PURPOSE_MAX,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::{use_navigate, use_params_map, use_query_map};

use super::changes::{ResizeLab, read_resize};
use crate::{
    components::{
        Button, ButtonKind, Card, ErrorNotice, Fact, Facts, Failed, LinkButton, Notice, PageHead, SelectField, Skeleton, TextArea, TextField,
    },
    draft,
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    orders::{
        form::unit_text,
        words::{rule_text, ruling_text, size_text},
    },
    routes,
};

/// By which the page finds what its last try left behind.
pub const FORM: &str = "lab.resize";

#[component]
pub fn ResizePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id").unwrap_or_default().to_owned()));
    let context = Resource::new(move || id.get(), read_resize);
    let last_try = flash(FORM);
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=6/> }>
            {move || {
                let (context, last_try) = (context.get()?, last_try.get()?);
                Some(match context {
                    Ok(context) => view! { <ResizeForm context last_try/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Suspense>
    }
    .into_any()
}

#[component]
fn ResizeForm(context: ResizeContext, last_try: Flash) -> impl IntoView {
    let language = language::current();
    let lab = context.lab.clone();
    let id = lab.id;
    let mut start = size_values(&context.offering, &lab.spec);
    start.extend(last_try.values.iter().filter_map(|(field, text)| Some((field.strip_prefix("parameters.")?.to_owned(), text.clone()))));
    // Without scripts the form asks the page for the price, with what was typed in the address.
    let query = use_query_map().get_untracked();
    for (key, text) in &mut start {
        if let Some(typed) = query.get_str(&format!("parameters[{key}]")) {
            typed.clone_into(text);
        }
    }
    let purpose = query.get_str("purpose").unwrap_or_else(|| last_try.value("purpose")).to_owned();
    let typed = RwSignal::new(start);
    let answered = RwSignal::new(last_try.error.clone());
    let action = ServerAction::<ResizeLab>::new();
    let navigate = use_navigate();
    Effect::new(move |_| match action.value().get() {
        Some(Ok(())) => {
            draft::forget();
            navigate(&routes::lab(id), leptos_router::NavigateOptions::default());
        }
        Some(Err(AppError(error))) => answered.set(Some(error)),
        None => {}
    });
    let (pending, spec) = (context.pending_change, lab.spec.clone());
    let fields = size_parameters(&context.offering).cloned().collect::<Vec<_>>();
    let running = lab.state == LabState::Running;
    let rules = StoredValue::new(context);
    let preview = Memo::new(move |_| rules.with_value(|rules| typed.with(|typed| rules.preview(typed))));
    let waits = Memo::new(move |_| rules.with_value(|rules| preview.with(|preview| rules.waits_for(preview.as_ref().ok()?))));
    // Without scripts the form does not know what is typed, so it can always be sent.
    let scripted = RwSignal::new(false);
    Effect::new(move |_| scripted.set(true));
    let why_not = Memo::new(move |_| {
        let same = preview.with(|preview| preview.as_ref().is_ok_and(|resized| resized.spec == spec));
        scripted.get().then(|| why_not(same, waits.with(Option::is_some), pending)).flatten()
    });
    let errors = Signal::derive(move || match (preview.get(), answered.get()) {
        (Err(error), _) | (Ok(_), Some(error)) => Some(error),
        (Ok(_), None) => None,
    });
    let fields = fields.into_iter().map(|parameter| view! { <SizeField parameter typed errors/> }).collect_view();
    view! {
        <PageHead
            title=td_string!(language, lifecycle.resize_title, name = lab.name.as_str()).to_string()
            lead=td_string!(language, lifecycle.resize_lead)
            crumb=(routes::lab(id), lab.name.clone())
        />
        {move || answered.get().filter(|error| !matches!(error, Error::Invalid(_))).map(|error| view! { <ErrorNotice error=AppError(error)/> })}
        <div class="cols main-side">
            <ActionForm action attr:class="stack loose" attr:novalidate=true attr:id="resize-form">
                <input type="hidden" name="id" value=id.to_string()/>
                <div class="fields">{fields}</div>
                <TextArea
                    name="purpose"
                    label=td_string!(language, lifecycle.resize_purpose)
                    value=purpose
                    help=td_string!(language, lifecycle.resize_purpose_help)
                    error=Signal::derive(move || problem(language, errors.get().as_ref(), "purpose"))
                    maxlength=PURPOSE_MAX
                    optional=true
                    rows=2
                />
                {running.then(|| view! {
                    <Notice title=td_string!(language, lifecycle.resize_running_title)>{td_string!(language, lifecycle.resize_running)}</Notice>
                })}
                {(!running).then(|| view! { <p class="fine">{td_string!(language, lifecycle.resize_stopped)}</p> })}
                {move || waits.get().map(|ruling| match pending {
                    Some(order) => view! {
                        <Notice title=td_string!(language, lifecycle.resize_pending)>
                            <a href=routes::order(order)>{td_string!(language, lifecycle.pending_see)}</a>
                        </Notice>
                    }
                    .into_any(),
                    None => view! {
                        <Notice title=td_string!(language, lifecycle.resize_waits)>
                            <b>{ruling_text(language, &ruling)}</b>" "<span class="fine">{rule_text(language, &ruling)}</span>
                        </Notice>
                    }
                    .into_any(),
                })}
                <p class="soft" aria-live="polite">
                    {move || (why_not.get() == Some(WhyNot::Same)).then(|| td_string!(language, lifecycle.resize_same))}
                </p>
                <div class="actions">
                    <LinkButton href=routes::lab(id)>{td_string!(language, lifecycle.resize_back)}</LinkButton>
                    <Button kind=ButtonKind::Primary disabled=Signal::derive(move || why_not.get().is_some()) busy=action.pending()>
                        {move || match (waits.with(Option::is_some), running) {
                            (true, _) => td_string!(language, lifecycle.resize_ask),
                            (false, true) => td_string!(language, lifecycle.resize_do_running),
                            (false, false) => td_string!(language, lifecycle.resize_do),
                        }}
                    </Button>
                </div>
            </ActionForm>
            <aside class="stack">
                <Card title=td_string!(language, lifecycle.resize_price)>
                    {move || match preview.get() {
                        Ok(resized) => {
                            let change = rules.with_value(|rules| rules.cards(&resized));
                            let cards = cards_text(language, change, waits.with(Option::is_some));
                            view! { <Prices resized cards/> }.into_any()
                        }
                        Err(_) => view! { <p class="soft">{td_string!(language, lifecycle.resize_mend)}</p> }.into_any(),
                    }}
                    <div class="no-script">
                        <button class="btn" form="resize-form" formmethod="get" formaction=routes::lab_resize(id)>
                            {td_string!(language, lifecycle.resize_ask_price)}
                        </button>
                    </div>
                </Card>
            </aside>
        </div>
    }
    .into_any()
}

/// Why the form cannot be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WhyNot {
    /// The lab has this size.
    Same,
    /// It would need approval, and the order of another change waits for it already.
    Pending(OrderId),
}

fn why_not(same: bool, needs_approval: bool, pending: Option<OrderId>) -> Option<WhyNot> {
    if same { Some(WhyNot::Same) } else { pending.filter(|_| needs_approval).map(WhyNot::Pending) }
}

/// Cards that the change takes or gives back. `waits`: for somebody's approval, which takes them.
fn cards_text(language: Language, change: CardChange, waits: bool) -> String {
    match change {
        CardChange::None => td_string!(language, lifecycle.resize_cards_none).to_owned(),
        CardChange::More { free: None, .. } | CardChange::AtStart { free: None, .. } => {
            td_string!(language, lifecycle.resize_cards_unknown).to_owned()
        }
        CardChange::More { asked, free: Some(free) } if asked > free && !waits => {
            td_string!(language, lifecycle.resize_cards_short, asked = asked, free = free).to_string()
        }
        CardChange::More { asked, free: Some(free) } => td_string!(language, lifecycle.resize_cards_more, asked = asked, free = free).to_string(),
        CardChange::AtStart { asked, free: Some(free) } => td_string!(language, lifecycle.resize_cards_start, asked = asked, free = free).to_string(),
        CardChange::Fewer(fewer) => td_string!(language, lifecycle.resize_cards_fewer, fewer = fewer).to_string(),
    }
}

/// Before, after, what the rest of the time costs more or less, and the cards.
#[component]
fn Prices(resized: Resized, cards: String) -> impl IntoView {
    let language = language::current();
    let Resized { spec, per_hour_before, per_hour_after, difference, more: _ } = resized;
    let before = td_string!(language, lifecycle.per_hour, price = per_hour_before.to_string()).to_string();
    let after = td_string!(language, lifecycle.per_hour, price = per_hour_after.to_string()).to_string();
    view! {
        <Facts>
            <Fact name=td_string!(language, lifecycle.resize_before)>{before}</Fact>
            <Fact name=td_string!(language, lifecycle.resize_after)><b>{after}</b></Fact>
            <Fact name=td_string!(language, lifecycle.resize_difference)>{difference.to_string()}</Fact>
            <Fact name=td_string!(language, lifecycle.resize_becomes)>
                {size_text(language, &spec)}
            </Fact>
            <Fact name=td_string!(language, lifecycle.resize_cards)>{cards}</Fact>
        </Facts>
        <p class="fine">{td_string!(language, lifecycle.resize_metered)}</p>
    }
    .into_any()
}

#[component]
fn SizeField(parameter: Parameter, typed: RwSignal<ParameterInput>, errors: Signal<Option<Error>>) -> impl IntoView {
    let language = language::current();
    let tag = language::tag(language);
    let field = format!("parameters.{}", parameter.key);
    let name = format!("parameters[{}]", parameter.key);
    let label = parameter.label.get(tag).to_owned();
    let value = typed.with_untracked(|typed| typed.get(&parameter.key).cloned().unwrap_or_default());
    let error = Signal::derive(move || problem(language, errors.get().as_ref(), &field));
    let key = parameter.key.clone();
    let put = Callback::new(move |text: String| {
        typed.update(|typed| {
            typed.insert(key.clone(), text);
        });
    });
    match parameter.kind {
        ParameterKind::Choice { options } => {
            let choices = options.into_iter().map(|option| (option.value, option.label.get(tag).to_owned())).collect();
            view! { <SelectField name label choices value error on_change=put/> }.into_any()
        }
        ParameterKind::Integer { min, max, unit, .. } => {
            let unit = unit_text(language, unit);
            // A volume does not shrink.
            let min = if parameter.target == Target::StorageGib { value.parse().map_or(min, |now: u32| min.max(now)) } else { min };
            let help = td_string!(language, lifecycle.resize_range, min = min, max = max.max(min)).to_string();
            view! { <TextField name label value help error unit input_mode="numeric" on_input=put/> }.into_any()
        }
        ParameterKind::Text { .. } | ParameterKind::GitUrl => view! { <TextField name label value error on_input=put/> }.into_any(),
    }
}

/// What is wrong with this field.
fn problem(language: Language, error: Option<&Error>, field: &str) -> Option<String> {
    let Some(Error::Invalid(problems)) = error else { return None };
    problems.iter().find(|problem| problem.field == field).map(|problem| field_problem_text(language, &problem.problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_sent_only_if_it_changes_something_that_can_be_asked_for() {
        let order: OrderId = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e".parse().expect("an order");
        assert_eq!(why_not(true, false, None), Some(WhyNot::Same));
        assert_eq!(why_not(true, false, Some(order)), Some(WhyNot::Same));
        assert_eq!(why_not(false, true, Some(order)), Some(WhyNot::Pending(order)));
        assert_eq!(why_not(false, false, Some(order)), None, "what needs no approval is done at once");
        assert_eq!(why_not(false, true, None), None);
    }

    #[test]
    fn the_cards_are_told_with_those_that_are_free() {
        let text = |change, waits| cards_text(Language::en, change, waits);
        let more = |free| CardChange::More { asked: 2, free };
        assert!(text(more(Some(2)), false).contains("2 more needed, 2 free now"));
        assert!(text(more(Some(1)), false).contains("refused"));
        assert!(!text(more(Some(1)), true).contains("refused"), "it can be asked for");
        assert_eq!(text(more(None), false), text(CardChange::AtStart { asked: 2, free: None }, false));
        assert!(text(CardChange::AtStart { asked: 2, free: Some(0) }, false).contains("next start"));
        assert!(cards_text(Language::zh_CN, CardChange::Fewer(3), false).contains("3 张"));
    }
}
