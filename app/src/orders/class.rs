//! What an order has in common with those that were made together with it: its seat, its lesson, and the way to the others.

use domain::orders::{ClassRef, Order, class::LEAD};
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::CancelClass;
use crate::{
    components::{ConfirmDialog, Fact, MomentStyle, moment_text},
    i18n::td_string,
    language::{self, Language},
    routes,
};

/// The list of orders that were made together.
pub fn class_link(class: ClassRef) -> String {
    routes::with_query(routes::ORDERS, &[("class", &class.id.to_string())])
}

/// `23 November 08:20 to 10:20`: from the bell to the end of the lesson.
pub fn lesson_text(language: Language, order: &Order) -> Option<String> {
    let (from, to) = (order.bell()?, order.ends_at()?);
    Some(td_string!(language, class.lesson_at, from = moment_text(from, MomentStyle::Minute), to = to.on_campus().time()).to_string())
}

/// `30 seats × 4 lessons`; of one seat or one lesson only the other is counted.
pub fn set_text(language: Language, class: ClassRef) -> String {
    match (class.seats, class.lessons) {
        (seats, 1) if seats > 1 => td_string!(language, class.only_seats, seats = seats).to_string(),
        (1, lessons) if lessons > 1 => td_string!(language, class.only_lessons, lessons = lessons).to_string(),
        (seats, lessons) => td_string!(language, class.inbox_title, seats = seats, lessons = lessons).to_string(),
    }
}

/// Seat, lesson and the others; inside `<Facts>`. Also on the page of an approval.
#[component]
pub fn ClassFacts(order: Order) -> impl IntoView {
    let language = language::current();
    let whose = order.seat.clone().map(|seat| view! { <Fact name=td_string!(language, class.seat)>{seat}</Fact> });
    let lesson = lesson_text(language, &order).map(|lesson| {
        let number = order.class.filter(|class| class.lessons > 1);
        let number = number.map(|class| td_string!(language, class.lesson_of, lesson = class.lesson, lessons = class.lessons).to_string());
        let up = order.starts_at.map(|at| moment_text(at, MomentStyle::Minute)).unwrap_or_default();
        let up = td_string!(language, class.comes_up_later, at = up, lead = LEAD).to_string();
        view! { <Fact name=td_string!(language, class.lesson)>{lesson}{number.map(|number| format!(" · {number}"))}<br/><span class="fine">{up}</span></Fact> }
    });
    let together = order.class.map(|class| {
        let about = td_string!(language, class.made_together_about, orders = class.orders(), set = set_text(language, class)).to_string();
        view! {
            <Fact name=td_string!(language, class.made_together)>
                {about}" "<a href=class_link(class)>{td_string!(language, class.see_all)}</a>
            </Fact>
        }
    });
    view! { {whose}{lesson}{together} }.into_any()
}

/// The price of all of them, below the price of one.
#[component]
pub fn PriceInAll(orders: u32, #[prop(into)] total: String) -> impl IntoView {
    let language = language::current();
    let orders = td_string!(language, class.of_orders, orders = orders).to_string();
    view! {
        <dl class="prices">
            <dt>{td_string!(language, class.in_all)}<br/><span class="fine">{orders}</span></dt>
            <dd class="total">{total}</dd>
        </dl>
    }
    .into_any()
}

/// That the order was sent: one, or how many together at what price.
pub fn sent_text(language: Language, order: &Order) -> String {
    match order.class.filter(|class| class.orders() > 1) {
        Some(class) => {
            let (set, total) = (set_text(language, class), order.in_all().to_string());
            td_string!(language, class.sent_title, orders = class.orders(), set = set, total = total).to_string()
        }
        None => td_string!(language, orders.sent_title, number = order.number).to_string(),
    }
}

/// Cancels all that were made together and have not run.
#[component]
pub fn CancelAll(class: ClassRef) -> impl IntoView {
    let language = language::current();
    view! {
        <ConfirmDialog
            id="cancel-class"
            open_text=td_string!(language, class.cancel)
            title=td_string!(language, class.cancel_title, orders = class.orders()).to_string()
            confirm_text=td_string!(language, class.cancel)
            keep_text=td_string!(language, class.cancel_keep).to_owned()
            action=CancelClass::PATH
        >
            <input type="hidden" name="id" value=class.id.to_string()/>
            <p>{td_string!(language, class.cancel_about)}</p>
        </ConfirmDialog>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lesson_and_one_seat_are_not_counted() {
        let id = "01980000-0000-7000-8000-000000000001".parse().expect("an id");
        let set = |seats, lessons| set_text(Language::en, ClassRef { id, seats, lessons, lesson: 1 });
        assert_eq!([set(30, 3), set(30, 1), set(1, 3)], ["30 seats × 3 lessons", "30 seats", "3 lessons"]);
    }
}
