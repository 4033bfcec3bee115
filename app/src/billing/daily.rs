//! Spending by day: a column for each day of the month, stacked by course, drawn on the server.

use std::collections::BTreeMap;

use domain::{
    billing::{CourseMonth, DaySpend},
    ids::CourseId,
    money::{Currency, Money},
    time::Month,
};
use leptos::prelude::*;

use super::plot::{Figures, Scale, day_text, percent};
use crate::{components::Card, i18n::td_string, language};

/// Courses with a colour of their own; all others are "the rest".
const NAMED: usize = 5;

#[component]
pub fn DailyChart(month: Month, days: Vec<DaySpend>, courses: Vec<CourseMonth>) -> impl IntoView {
    let language = language::current();
    let currency = courses.first().map_or(Currency::Cny, |each| each.budget.currency);
    let series = series(&days, &courses);
    let first = month.start().campus_day();
    let count = month.end().campus_day() - first;
    let columns = columns(&days, &series, first, count);
    let top = columns.iter().map(|column| column.iter().sum::<i64>()).max().unwrap_or(0);
    let scale = Scale::over(0, top);
    let bars = (0i64..).zip(&columns).map(|(index, column)| bar(index, column, scale, series.len())).collect_view();
    let ticks = (0..count)
        .step_by(7)
        .map(|index| {
            let at = percent((index * 2 + 1) * 5_000 / count);
            view! { <span style=format!("--at:{at}")>{(index + 1).to_string()}</span> }
        })
        .collect_view();
    let rest = td_string!(language, bills.rest);
    let names = || series.iter().map(|(_, name)| name.clone().unwrap_or_else(|| rest.to_owned()));
    let legend = names().enumerate().map(|(index, name)| view! { <li><i class=colour(index, series.len())></i>{name}</li> }).collect_view();
    let money = |micros| Money::new(micros, currency).to_string();
    let rows = (first..)
        .zip(&columns)
        .filter(|(_, column)| column.iter().any(|micros| *micros != 0))
        .map(|(day, column)| {
            let total = column.iter().sum::<i64>();
            [day_text(day)].into_iter().chain(column.iter().map(|micros| money(*micros))).chain([money(total)]).collect()
        })
        .collect();
    let heads =
        [td_string!(language, bills.day).to_owned()].into_iter().chain(names()).chain([td_string!(language, bills.total).to_owned()]).collect();
    let title = td_string!(language, bills.daily);
    view! {
        <Card title>
            <figure class="stack tight">
                <div class="chart" style="--h:13rem" role="img" aria-label=td_string!(language, bills.daily_aria)>
                    {scale.labels(currency)}
                    <div class="plot">
                        <svg viewBox=format!("0 0 {} 10000", count * 100) preserveAspectRatio="none" aria-hidden="true">
                            {scale.grid(0, count * 100)}
                            {bars}
                        </svg>
                    </div>
                    <div class="x" aria-hidden="true">{ticks}</div>
                </div>
                <ul class="legend">{legend}</ul>
            </figure>
            <Figures caption=title heads rows/>
        </Card>
    }
    .into_any()
}

/// The dearest courses of the month in order, and the rest if there is any.
fn series(days: &[DaySpend], courses: &[CourseMonth]) -> Vec<(Option<CourseId>, Option<String>)> {
    let mut sums = BTreeMap::<CourseId, i64>::new();
    for each in days {
        *sums.entry(each.course).or_default() += each.micros;
    }
    let mut order: Vec<_> = sums.into_iter().collect();
    order.sort_by_key(|(id, micros)| (-micros, *id));
    let name = |id| courses.iter().find(|each| each.course.id == id).map(|each| format!("{} {}", each.course.code, each.course.name));
    let more = order.len() > NAMED;
    let mut series: Vec<_> = order.into_iter().take(NAMED).map(|(id, _)| (Some(id), Some(name(id).unwrap_or_default()))).collect();
    if more {
        series.push((None, None));
    }
    series
}

/// For each day what each series cost, in the order of the series.
fn columns(days: &[DaySpend], series: &[(Option<CourseId>, Option<String>)], first: i64, count: i64) -> Vec<Vec<i64>> {
    let mut columns = vec![vec![0; series.len()]; usize::try_from(count).unwrap_or(0)];
    for each in days {
        let index = series.iter().position(|(id, _)| *id == Some(each.course)).or_else(|| series.iter().position(|(id, _)| id.is_none()));
        let cell =
            usize::try_from(each.day - first).ok().and_then(|day| columns.get_mut(day)).zip(index).and_then(|(column, index)| column.get_mut(index));
        if let Some(cell) = cell {
            *cell += each.micros;
        }
    }
    columns
}

fn colour(index: usize, count: usize) -> &'static str {
    // The last of six is the rest, hollow.
    match index {
        5 if count == NAMED + 1 => "v0",
        0 => "v1",
        1 => "v2",
        2 => "v3",
        3 => "v4",
        _ => "v5",
    }
}

fn bar(index: i64, column: &[i64], scale: Scale, series: usize) -> AnyView {
    let mut below = 0;
    let marks = column
        .iter()
        .enumerate()
        .filter(|(_, micros)| **micros > 0)
        .map(|(number, micros)| {
            let (from, to) = (scale.at(below), scale.at(below + micros));
            below += micros;
            view! {
                <rect
                    class=format!("bar-mark {}", colour(number, series))
                    x=(index * 100 + 14).to_string()
                    y=(10_000 - to).to_string()
                    width="72"
                    height=(to - from).to_string()
                ></rect>
            }
        })
        .collect_view();
    marks.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_courses_have_a_colour_and_the_others_are_the_rest() {
        let id = |number: i64| format!("01988b5c-7f3e-7c1a-9d5e-{number:012}").parse::<CourseId>().expect("an id");
        let days: Vec<_> = (1..=7).map(|number| DaySpend { day: 100, course: id(number), micros: number }).collect();
        let series = series(&days, &[]);
        assert_eq!(
            series.iter().map(|(course, _)| *course).collect::<Vec<_>>(),
            [Some(id(7)), Some(id(6)), Some(id(5)), Some(id(4)), Some(id(3)), None]
        );
        assert_eq!(columns(&days, &series, 99, 3), [vec![0; 6], vec![7, 6, 5, 4, 3, 3], vec![0; 6]]);
        assert_eq!((colour(5, 6), colour(4, 5)), ("v0", "v5"));
    }
}
