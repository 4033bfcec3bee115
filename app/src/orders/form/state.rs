//! What is typed, what it means, and which problems are worth showing yet.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Error, FieldError,
    orders::{
        ClassForm, OrderContext, OrderForm, Preview,
        class::{NOW, ONE},
    },
};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use crate::{
    components::FieldMessage,
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language::{self, Language},
};

/// Cheap to copy: all of it is in signals.
#[derive(Clone, Copy)]
pub struct FormState {
    context: StoredValue<Arc<OrderContext>>,
    pub typed: RwSignal<OrderForm>,
    /// What submitting would do, computed anew with every key.
    pub preview: Memo<Result<Preview, Error>>,
    /// Fields that the reader has left: a half-typed address is no mistake yet.
    touched: RwSignal<BTreeSet<String>>,
    /// After a try every problem shows.
    tried: RwSignal<bool>,
    /// What the server answered, and to which form.
    answered: RwSignal<Option<(OrderForm, Error)>>,
}

/// The name of a field's control: `parameters.cpu` is `parameters[cpu]` in a form.
pub fn control(field: &str) -> String {
    field.split_once('.').map_or_else(|| field.to_owned(), |(map, key)| format!("{map}[{key}]"))
}

impl FormState {
    pub fn new(context: OrderContext, last_try: &Flash, query: &ParamsMap) -> Self {
        let start = initial(&context, last_try, query);
        let context = Arc::new(context);
        let typed = RwSignal::new(start.clone());
        let rules = Arc::clone(&context);
        let preview = Memo::new(move |_| typed.with(|form| rules.preview(form)));
        let asked_for_price = query.get_str("duration_minutes").is_some();
        Self {
            context: StoredValue::new(context),
            typed,
            preview,
            touched: RwSignal::new(BTreeSet::new()),
            tried: RwSignal::new(asked_for_price || last_try.error.is_some()),
            answered: RwSignal::new(last_try.error.clone().map(|error| (start, error))),
        }
    }

    pub fn context(self) -> Arc<OrderContext> {
        self.context.get_value()
    }

    /// Takes what was typed into a field.
    pub fn put(self, field: &str, text: String) {
        self.typed.update(|form| match field {
            "course" => form.course = text,
            "duration_minutes" => form.duration_minutes = text,
            "purpose" => form.purpose = text,
            "seats" => form.class.seats = text,
            "seat_count" => form.class.seat_count = text,
            "when" => form.class.when = text,
            "first_day" => form.class.first_day = text,
            "bell" => form.class.bell = text,
            "weeks" => form.class.weeks = text,
            _ => {
                if let Some(key) = field.strip_prefix("parameters.") {
                    form.parameters.insert(key.to_owned(), text);
                }
            }
        });
    }

    /// The reader has left this control.
    pub fn touch(self, control: &str) {
        if !control.is_empty() && !self.touched.with_untracked(|touched| touched.contains(control)) {
            self.touched.update(|touched| {
                touched.insert(control.to_owned());
            });
        }
    }

    /// Before the form goes to the server: `true` when there is something to mend first, which then shows.
    pub fn check_before_sending(self) -> bool {
        self.tried.set(true);
        self.answered.set(None);
        let wrong = self.preview.with_untracked(|preview| matches!(preview, Err(Error::Invalid(_))));
        if wrong {
            show_refusal();
        }
        wrong
    }

    /// The server said no.
    pub fn refused(self, error: Error) {
        self.tried.set(true);
        self.answered.set(Some((self.typed.get_untracked(), error)));
        show_refusal();
    }

    /// What the server said no to, until something is typed.
    pub fn refusal(self) -> Option<Error> {
        let (form, error) = self.answered.get()?;
        self.typed.with(|typed| *typed == form).then_some(error)
    }

    /// Problems by field: the form's own, then those that only the server knew of.
    pub fn problems(self) -> Vec<FieldError> {
        let mut problems = match self.preview.get() {
            Err(Error::Invalid(problems)) => problems,
            _ => Vec::new(),
        };
        if let Some(Error::Invalid(more)) = self.refusal() {
            for problem in more {
                if !problems.iter().any(|known| known.field == problem.field) {
                    problems.push(problem);
                }
            }
        }
        problems
    }

    /// What to say below a field now.
    pub fn error(self, field: &str) -> Signal<Option<String>> {
        let language = language::current();
        let field = field.to_owned();
        let control = control(&field);
        Signal::derive(move || {
            if !self.tried.get() && !self.touched.with(|touched| touched.contains(&control)) {
                return None;
            }
            let problem = self.problems().into_iter().find(|problem| problem.field == field)?;
            Some(field_problem_text(language, &problem.problem))
        })
    }

    /// What is left to mend after a try, for the list above the form.
    pub fn messages(self, language: Language) -> Vec<FieldMessage> {
        if !self.tried.get() {
            return Vec::new();
        }
        self.problems().iter().map(|problem| self.message(language, problem)).collect()
    }

    pub fn message(self, language: Language, problem: &FieldError) -> FieldMessage {
        FieldMessage {
            field: control(&problem.field),
            label: self.label(language, &problem.field),
            text: field_problem_text(language, &problem.problem),
        }
    }

    /// A field's label in the reader's language.
    fn label(self, language: Language, field: &str) -> String {
        match field {
            "course" => td_string!(language, orders.course_label).to_owned(),
            "duration_minutes" => td_string!(language, orders.duration).to_owned(),
            "purpose" => td_string!(language, orders.purpose).to_owned(),
            "seats" => td_string!(language, class.seats).to_owned(),
            "seat_count" => td_string!(language, class.seat_count).to_owned(),
            "when" => td_string!(language, class.when).to_owned(),
            "first_day" => td_string!(language, class.first_day).to_owned(),
            "bell" => td_string!(language, class.bell).to_owned(),
            "weeks" => td_string!(language, class.weeks).to_owned(),
            _ => {
                let key = field.strip_prefix("parameters.").unwrap_or(field);
                let context = self.context();
                context
                    .offering
                    .parameters
                    .iter()
                    .find(|parameter| parameter.key == key)
                    .map_or_else(|| key.to_owned(), |parameter| parameter.label.get(language::tag(language)).to_owned())
            }
        }
    }
}

/// What the form starts with: the last try, else what the address says, else the offering's defaults.
fn initial(context: &OrderContext, last_try: &Flash, query: &ParamsMap) -> OrderForm {
    let value =
        |field: &str| -> Option<String> { last_try.values.get(field).cloned().or_else(|| query.get_str(&control(field)).map(ToOwned::to_owned)) };
    let offering = &context.offering;
    let parameters = offering
        .parameters
        .iter()
        .map(|parameter| {
            let text = value(&format!("parameters.{}", parameter.key)).or_else(|| parameter.default.clone());
            (parameter.key.clone(), text.unwrap_or_default())
        })
        .collect();
    let first_course = || context.courses.first().map(|(course, _)| course.code.clone());
    OrderForm {
        offering: offering.slug.clone(),
        course: value("course").or_else(first_course).unwrap_or_default(),
        parameters,
        duration_minutes: value("duration_minutes").unwrap_or_else(|| offering.duration.default.to_string()),
        purpose: value("purpose").unwrap_or_default(),
        class: ClassForm {
            seats: value("seats").filter(|text| !text.is_empty()).unwrap_or_else(|| ONE.to_owned()),
            seat_count: value("seat_count").unwrap_or_default(),
            when: value("when").filter(|text| !text.is_empty()).unwrap_or_else(|| NOW.to_owned()),
            first_day: value("first_day").unwrap_or_default(),
            bell: value("bell").unwrap_or_default(),
            weeks: value("weeks").unwrap_or_default(),
        },
    }
}

/// Brings what is wrong into view and under the reader's fingers.
fn show_refusal() {
    #[cfg(feature = "hydrate")]
    request_animation_frame(|| {
        use wasm_bindgen::JsCast;
        let element = document().get_element_by_id("refusal");
        if let Some(element) = element.and_then(|element| element.dyn_into::<leptos::web_sys::HtmlElement>().ok()) {
            element.scroll_into_view();
            // It only fails where nothing can be focused.
            let _ = element.focus();
        }
    });
}
