//! What the charts of bills share: a scale with round steps, positions in percent, and the table that says the same in figures.

use domain::{
    money::{Currency, MICROS_PER_UNIT, grouped},
    time::Timestamp,
};
use leptos::prelude::*;

use crate::{components::MomentStyle, components::moment_text, i18n::td_string, language};

/// From `low` (at most 0) to `high`, in a few round steps of whole units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    low: i64,
    high: i64,
    step: i64,
}

impl Scale {
    /// Micro-units; the steps are 1, 2 or 5 times a power of ten.
    pub fn over(low: i64, high: i64) -> Self {
        let (low, high) = (low.min(0), high.max(MICROS_PER_UNIT));
        let rough = (high - low) / 4;
        let mut step = MICROS_PER_UNIT / 100;
        let factors = [2, 5, 10];
        'search: loop {
            for factor in factors {
                if step * factor >= rough {
                    step *= factor;
                    break 'search;
                }
            }
            step *= 10;
        }
        let up = (high + step - 1).div_euclid(step) * step;
        Self { low: low.div_euclid(step) * step, high: up, step }
    }

    /// Hundredths of a percent of the plot's height, from the bottom.
    pub fn at(self, micros: i64) -> i64 {
        let span = i128::from(self.high - self.low);
        i64::try_from(i128::from(micros.clamp(self.low, self.high) - self.low) * 10_000 / span).unwrap_or(0)
    }

    fn ticks(self) -> impl Iterator<Item = i64> {
        (0..=(self.high - self.low) / self.step).map(move |index| self.low + index * self.step)
    }

    /// Lines across the plot, in an SVG from 0 to 10,000 in height.
    pub fn grid(self, left: i64, right: i64) -> AnyView {
        self.ticks()
            .map(|micros| {
                let y = (10_000 - self.at(micros)).to_string();
                let class = if micros == 0 { "base" } else { "grid" };
                view! { <line class=class x1=left.to_string() x2=right.to_string() y1=y.clone() y2=y></line> }
            })
            .collect_view()
            .into_any()
    }

    /// The letters beside them.
    pub fn labels(self, currency: Currency) -> AnyView {
        let small = self.step < MICROS_PER_UNIT;
        let labels = self
            .ticks()
            .map(|micros| {
                let units = grouped(micros.unsigned_abs() / MICROS_PER_UNIT.unsigned_abs());
                let sign = if micros < 0 { "-" } else { "" };
                let cents = if small { format!(".{:02}", micros.unsigned_abs() / 10_000 % 100) } else { String::new() };
                view! { <span style=format!("--at:{}", percent(self.at(micros)))>{format!("{sign}{}{units}{cents}", currency.symbol())}</span> }
            })
            .collect_view();
        view! { <div class="y" style="--y:3.5rem">{labels}</div> }.into_any()
    }
}

/// Hundredths of a percent as CSS reads them: `12.34`.
pub fn percent(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// `2026-11-21`
pub fn day_text(day: i64) -> String {
    moment_text(Timestamp::of_campus_day(day), MomentStyle::Date)
}

/// `11-21`
pub fn short_day(day: i64) -> String {
    let civil = Timestamp::of_campus_day(day).on_campus();
    format!("{:02}-{:02}", civil.month, civil.day)
}

/// The chart's figures, folded away under it.
#[component]
pub fn Figures(#[prop(into)] caption: String, heads: Vec<String>, rows: Vec<Vec<String>>) -> impl IntoView {
    let language = language::current();
    let heads =
        heads.into_iter().enumerate().map(|(index, head)| view! { <th scope="col" class=(index > 0).then_some("num")>{head}</th> }).collect_view();
    let rows = rows
        .into_iter()
        .map(|row| {
            let cells = row
                .into_iter()
                .enumerate()
                .map(
                    |(index, text)| {
                        if index == 0 { view! { <th scope="row">{text}</th> }.into_any() } else { view! { <td class="num">{text}</td> }.into_any() }
                    },
                )
                .collect_view();
            view! { <tr>{cells}</tr> }
        })
        .collect_view();
    let label = caption.clone();
    view! {
        <details class="figures-table">
            <summary class="fine">{td_string!(language, bills.table)}</summary>
            <div class="table-wrap" tabindex="0" role="region" aria-label=label>
                <table class="table dense keep">
                    <caption class="sr">{caption}</caption>
                    <thead><tr>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_the_ends_are_steps() {
        let yuan = |units: i64| units * MICROS_PER_UNIT;
        let scale = Scale::over(0, yuan(730));
        assert_eq!(scale.ticks().map(|micros| micros / MICROS_PER_UNIT).collect::<Vec<_>>(), [0, 200, 400, 600, 800]);
        assert_eq!((scale.at(0), scale.at(yuan(400)), scale.at(yuan(9_000))), (0, 5_000, 10_000));
        let below = Scale::over(yuan(-120), yuan(1_000));
        assert_eq!(below.ticks().map(|micros| micros / MICROS_PER_UNIT).collect::<Vec<_>>(), [-500, 0, 500, 1_000]);
        assert_eq!(Scale::over(0, 0).ticks().count(), 3, "nothing spent still has a scale");
    }

    #[test]
    fn positions_are_written_for_css() {
        assert_eq!([percent(0), percent(1_234), percent(10_000)], ["0.00", "12.34", "100.00"]);
    }
}
