//! The rest of a course's budget over the term: actual, even pace, and where the present pace leads.

use std::fmt::Write as _;

use domain::{
    billing::{BurnDown, THRESHOLDS},
    money::Money,
};
use leptos::prelude::*;

use super::plot::{Figures, Scale, day_text, percent, short_day};
use crate::{components::Card, i18n::td_string, language, language::Language};

#[component]
pub fn BurnDownChart(burn: BurnDown) -> impl IntoView {
    let language = language::current();
    let left = burn.left();
    let now_left = left.last().map_or(burn.budget, |(_, left)| *left);
    let lowest = left.iter().map(|(_, left)| left.micros).chain(burn.at_end().map(|money| money.micros)).min().unwrap_or(0);
    // Far below nothing would flatten what matters: the forecast leaves the plot at its foot.
    let scale = Scale::over(lowest.max(-burn.budget.micros / 4).min(now_left.micros), burn.budget.micros);
    let days = (burn.last - burn.first).max(1);
    let x = |day: i64| (day - burn.first) * 100;
    let y = |money: Money| 10_000 - scale.at(money.micros);
    let mut actual = String::new();
    for (day, money) in &left {
        let _ = write!(actual, "{}{} {}", if actual.is_empty() { "M" } else { "L" }, x(*day), y(*money));
    }
    let start = burn.budget.minus(burn.before);
    let pace = format!("M0 {}L{} {}", y(start), x(burn.last), y(Money::zero(burn.budget.currency)));
    let ahead = burn.at_end().filter(|_| burn.today < burn.last).map(|end| format!("M{} {}L{} {}", x(burn.today), y(now_left), x(burn.last), y(end)));
    let marks = THRESHOLDS
        .into_iter()
        .map(|used| {
            let rest = Money::new(burn.budget.micros / 100 * (100 - used), burn.budget.currency);
            let at = y(rest).to_string();
            view! { <line class="limit" x1="0" x2=x(burn.last).to_string() y1=at.clone() y2=at></line> }
        })
        .collect_view();
    let mark_words = THRESHOLDS
        .into_iter()
        .map(|used| {
            let rest = Money::new(burn.budget.micros / 100 * (100 - used), burn.budget.currency);
            let style = format!("--x0:0;--y0:{}", percent(scale.at(rest.micros)));
            view! { <span class="mark" aria-hidden="true" style=style>{td_string!(language, bills.used_mark, percent = used).to_string()}</span> }
        })
        .collect_view();
    let today_x = percent((burn.today.min(burn.last) - burn.first).max(0) * 10_000 / days);
    let today = x(burn.today.clamp(burn.first, burn.last)).to_string();
    // A little under the line, which would run through the letters.
    let today_style = format!("--x0:{today_x};--y0:{}", percent((scale.at(now_left.micros) - 1_300).max(0)));
    let side = if burn.today - burn.first > days / 2 { "mark left" } else { "mark" };
    let ticks = (burn.first..=burn.last)
        .step_by(usize::try_from(days / 4).unwrap_or(1).max(1))
        .map(|day| view! { <span style=format!("--at:{}", percent((day - burn.first) * 10_000 / days))>{short_day(day)}</span> })
        .collect_view();
    let code = burn.course.code.clone();
    let title = td_string!(language, bills.burn_down, code = code.as_str()).to_string();
    let aria = td_string!(language, bills.burn_aria, code = code.as_str()).to_string();
    let legend = td_string!(language, bills.burn_legend, first = day_text(burn.first), end = day_text(burn.last)).to_string();
    let rows = left.iter().rev().map(|(day, left)| vec![day_text(*day), left.to_string()]).collect();
    let heads = vec![td_string!(language, bills.day).to_owned(), td_string!(language, bills.left).to_owned()];
    let words = words(language, &burn);
    view! {
        <Card title=title.clone()>
            <p>{words}</p>
            <figure class="stack tight">
                <div class="chart" style="--h:13rem" role="img" aria-label=aria>
                    {scale.labels(burn.budget.currency)}
                    <div class="plot">
                        <svg viewBox=format!("0 0 {} 10000", days * 100) preserveAspectRatio="none" aria-hidden="true">
                            {scale.grid(0, days * 100)}
                            {marks}
                            <path class="pace" d=pace></path>
                            <path class="line" d=actual></path>
                            {ahead.map(|path| view! { <path class="line dash" d=path></path> })}
                            <line class="now" x1=today.clone() x2=today y1="0" y2="10000"></line>
                        </svg>
                        {mark_words}
                        <span class=side aria-hidden="true" style=today_style>
                            {td_string!(language, bills.left_today)}" "<b>{now_left.to_string()}</b>
                        </span>
                    </div>
                    <div class="x" aria-hidden="true">{ticks}</div>
                </div>
                <p class="fine">{legend}</p>
            </figure>
            <Figures caption=title heads rows/>
        </Card>
    }
    .into_any()
}

fn words(language: Language, burn: &BurnDown) -> String {
    let end = day_text(burn.last);
    match (burn.runs_out(), burn.per_day) {
        (Some(day), _) if day <= burn.today => td_string!(language, bills.burn_words_gone).to_owned(),
        (_, None) => td_string!(language, bills.burn_words_none).to_owned(),
        (Some(day), Some(pace)) => td_string!(language, bills.burn_words_out, amount = pace.to_string(), day = day_text(day), end = end).to_string(),
        (None, Some(pace)) => td_string!(language, bills.burn_words_lasts, amount = pace.to_string(), end = end).to_string(),
    }
}
