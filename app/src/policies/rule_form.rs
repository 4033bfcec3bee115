//! The editor of one rule: every test a row, left open or asked; then what becomes of the order.

use domain::{
    access::Role,
    approvals::{APPROVERS, NAME_MAX, REASON_MAX, models_known},
    policies::PolicyView,
    policy_form::{RuleForm, filled},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;

use super::{
    api::{RULE, SaveRule, read_policy},
    words::{model_text, phrase},
};
use crate::{
    components::{Button, ButtonKind, CheckField, ErrorNotice, Failed, LinkButton, Needed, Notice, PageHead, SelectField, Skeleton, TextField},
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    orders::words::{approver_text, role_text},
    routes,
};

#[component]
pub fn RulePage() -> impl IntoView {
    let params = use_params_map();
    let number = Memo::new(move |_| params.with(|params| params.get_str("number").unwrap_or_default().to_owned()));
    let policy = Resource::new(|| (), |()| read_policy());
    let last_try = flash(RULE);
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {move || {
                let (policy, last_try) = (policy.get()?, last_try.get()?);
                Some(match policy {
                    Ok(view) => view! { <Editor view number=number.get() last_try/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

/// The form's start, and the sentence of a condition that it cannot show.
fn start(language: Language, view: &PolicyView, number: &str) -> Option<(RuleForm, Option<String>)> {
    if number == "new" {
        let begin = [("join", "all"), ("then", "stages"), ("stage1", "manager")];
        return Some((begin.map(|(name, value)| (name.to_owned(), value.to_owned())).into(), None));
    }
    let rule = view.stored.edited().rules.get(number.parse::<u32>().ok()? as usize)?;
    let (form, shown) = filled(rule);
    Some((form, (!shown).then(|| phrase(language, view.currency, &rule.when))))
}

#[component]
fn Editor(view: PolicyView, number: String, last_try: Flash) -> impl IntoView {
    let language = language::current();
    let found = start(language, &view, &number).filter(|_| view.may_write);
    let Some((form, kept)) = found else {
        return view! { <Failed error=AppError(domain::Error::NotFound)/> }.into_any();
    };
    let typed = if last_try.value("typed").is_empty() { form } else { last_try.values.clone() };
    let fields = StoredValue::new(Fields { language, typed, last_try: last_try.clone() });
    let title = if number == "new" { td_string!(language, policies.new_title) } else { td_string!(language, policies.rule_title) };
    let crumb = (routes::POLICIES.to_owned(), td_string!(language, policies.back).to_owned());
    let condition = match kept {
        Some(sentence) => view! { <Notice title=td_string!(language, policies.kept, sentence = sentence).to_string()/> }.into_any(),
        None => view! { <ConditionFields fields/> }.into_any(),
    };
    view! {
        <PageHead title lead=td_string!(language, policies.rule_lead) crumb/>
        {last_try.other().map(|error| view! { <ErrorNotice error=AppError(error)/> })}
        <form method="post" action=SaveRule::url() class="stack loose rule-form" novalidate>
            <input type="hidden" name="number" value=number/>
            <input type="hidden" name="revision" value=view.stored.revision.to_string()/>
            <fieldset class="stack">
                <legend><h2>{td_string!(language, policies.chapter_name)}</h2></legend>
                <div class="fields">
                    {fields.with_value(|fields| fields.text("name_zh", td_string!(language, policies.name_zh), Some(NAME_MAX)))}
                    {fields.with_value(|fields| fields.text("name_en", td_string!(language, policies.name_en), Some(NAME_MAX)))}
                </div>
            </fieldset>
            <fieldset class="stack"><legend><h2>{td_string!(language, policies.chapter_when)}</h2></legend>{condition}</fieldset>
            <fieldset class="stack"><legend><h2>{td_string!(language, policies.chapter_then)}</h2></legend><OutcomeFields fields/></fieldset>
            <div class="decide">
                <Button kind=ButtonKind::Primary>{td_string!(language, policies.save)}</Button>
                <LinkButton href=routes::POLICIES>{td_string!(language, policies.back)}</LinkButton>
            </div>
        </form>
    }
    .into_any()
}

/// What was typed and what is wrong with it.
#[derive(Clone)]
struct Fields {
    language: Language,
    typed: RuleForm,
    last_try: Flash,
}

impl Fields {
    fn value(&self, name: &str) -> String {
        self.typed.get(name).cloned().unwrap_or_default()
    }

    fn error(&self, name: &str) -> Signal<Option<String>> {
        let text = self.last_try.problem(&format!("rule.{name}")).map(|problem| field_problem_text(self.language, problem));
        Signal::derive(move || text.clone())
    }

    fn text(&self, name: &str, label: &'static str, max: Option<u32>) -> AnyView {
        let (value, error) = (self.value(name), self.error(name));
        view! { <TextField name=format!("rule[{name}]") label value error maxlength=max.unwrap_or(20) optional=max.is_none()/> }.into_any()
    }

    fn number(&self, name: &str, help: Option<&'static str>, unit: Option<&'static str>) -> AnyView {
        let (value, error) = (self.value(name), self.error(name));
        let label = td_string!(self.language, policies.field_value);
        view! {
            <TextField
                name=format!("rule[{name}]")
                label
                value
                error
                nostrip:help=help.map(ToOwned::to_owned)
                nostrip:unit=unit.map(ToOwned::to_owned)
                needed=Needed::Sometimes
                maxlength=12
            />
        }
        .into_any()
    }

    /// A menu whose first entry is "does not matter", or none of that when `first` is empty.
    fn select(&self, name: &str, label: &'static str, first: &'static str, choices: &[(&'static str, &'static str)]) -> AnyView {
        let (value, error) = (self.value(name), self.error(name));
        let first = (!first.is_empty()).then(|| (String::new(), first.to_owned()));
        let choices = first.into_iter().chain(choices.iter().map(|(value, text)| ((*value).to_owned(), (*text).to_owned()))).collect();
        view! { <SelectField name=format!("rule[{name}]") label choices value error/> }.into_any()
    }
}

#[component]
fn ConditionFields(fields: StoredValue<Fields>) -> impl IntoView {
    let language = language::current();
    let any = td_string!(language, policies.any);
    let (over, within) = (("over", td_string!(language, policies.over)), ("within", td_string!(language, policies.within)));
    let budget = [("under", td_string!(language, policies.under)), ("at_least", td_string!(language, policies.at_least))];
    let course = [("over", td_string!(language, policies.course_over)), ("within", td_string!(language, policies.course_within))];
    let models_is = [("in", td_string!(language, policies.models_in)), ("not_in", td_string!(language, policies.models_not_in))];
    let role_is = [("has", td_string!(language, policies.has)), ("has_not", td_string!(language, policies.has_not))];
    let roles: Vec<_> = Role::ALL.into_iter().map(|role| (role.as_str(), role_text(language, role))).collect();
    let join = [("all", td_string!(language, policies.join_all)), ("any", td_string!(language, policies.join_any))];
    fields.with_value(|fields| {
        let models = models_known()
            .into_iter()
            .map(|model| {
                let name = format!("model_{model}");
                let checked = fields.typed.contains_key(&name);
                view! { <CheckField name=format!("rule[{name}]") label=model_text(&model) checked/> }
            })
            .collect_view();
        view! {
            {fields.select("join", td_string!(language, policies.join), "", &join)}
            <div class="test">
                {fields.select("cards_is", td_string!(language, policies.field_cards), any, &[over, within])}
                {fields.number("cards", Some(td_string!(language, policies.cards_help)), None)}
            </div>
            <div class="test">
                {fields.select("cost_is", td_string!(language, policies.field_cost), any, &[over, within])}
                {fields.number("cost", Some(td_string!(language, policies.cost_help)), None)}
            </div>
            <div class="test">
                {fields.select("minutes_is", td_string!(language, policies.field_minutes), any, &[over, within])}
                {fields.number("minutes", None, Some(td_string!(language, policies.minutes)))}
            </div>
            <div class="test">
                {fields.select("budget_is", td_string!(language, policies.field_budget), any, &budget)}
                {fields.number("budget", None, Some("%"))}
            </div>
            <div class="test">
                {fields.select("models_is", td_string!(language, policies.field_models), any, &models_is)}
                <div class="row wrap">{models}</div>
            </div>
            <div class="test">
                {fields.select("role_is", td_string!(language, policies.field_role), any, &role_is)}
                {fields.select("role", td_string!(language, policies.field_value), any, &roles)}
            </div>
            <div class="test">
                {fields.select("per_order", td_string!(language, policies.field_per_order), any, &course)}
                {fields.select("per_day", td_string!(language, policies.field_per_day), any, &course)}
            </div>
        }
        .into_any()
    })
}

#[component]
fn OutcomeFields(fields: StoredValue<Fields>) -> impl IntoView {
    let language = language::current();
    let then = [
        ("automatic", td_string!(language, policies.then_automatic)),
        ("stages", td_string!(language, policies.then_stages)),
        ("refuse", td_string!(language, policies.then_refused)),
    ];
    let roles: Vec<_> = APPROVERS.into_iter().map(|role| (role.as_str(), approver_text(language, role))).collect();
    let stage = |number: u32| -> &'static str {
        match number {
            1 => td_string!(language, policies.stage_one),
            2 => td_string!(language, policies.stage_two),
            _ => td_string!(language, policies.stage_three),
        }
    };
    let none = td_string!(language, policies.no_stage);
    fields.with_value(|fields| {
        view! {
            {fields.select("then", td_string!(language, policies.field_then), "", &then)}
            <div class="fields">
                {fields.select("stage1", stage(1), none, &roles)}
                {fields.select("stage2", stage(2), none, &roles)}
                {fields.select("stage3", stage(3), none, &roles)}
            </div>
            <p class="fine">{td_string!(language, policies.budget_owner_note)}</p>
            <div class="fields">
                {fields.text("reason_zh", td_string!(language, policies.reason_zh), Some(REASON_MAX))}
                {fields.text("reason_en", td_string!(language, policies.reason_en), Some(REASON_MAX))}
            </div>
        }
        .into_any()
    })
}
