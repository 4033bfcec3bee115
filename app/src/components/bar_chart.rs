//! A bar chart drawn on the server: SVG draws the marks and may stretch, HTML carries every letter, and a table says the
//! same to those who cannot see it.

use leptos::prelude::*;

/// One bar. `value` in any unit shared by all bars; `text` is the value in words ("¥47.46").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    pub label: String,
    pub value: i64,
    pub text: String,
}

/// Thousandths of the plot's height.
fn height(value: i64, top: i64) -> i64 {
    if top <= 0 {
        return 0;
    }
    i64::try_from(i128::from(value.max(0)) * 1000 / i128::from(top)).unwrap_or(1000).min(1000)
}

/// Bars from left to right. `limit`, with its words, is drawn as a dashed line.
#[component]
pub fn BarChart(
    /// What is shown, for screen readers.
    #[prop(into)]
    caption: String,
    bars: Vec<Bar>,
    #[prop(into, optional)] limit: Option<(i64, String)>,
) -> impl IntoView {
    let top = bars.iter().map(|bar| bar.value).chain(limit.iter().map(|(value, _)| *value)).max().unwrap_or(0);
    let count = i64::try_from(bars.len().max(1)).unwrap_or(i64::MAX);
    let step = 1000 / count;
    let marks = bars
        .iter()
        .zip(0i64..)
        .map(|(bar, index)| {
            let tall = height(bar.value, top);
            view! {
                <rect
                    class="v3 bar-mark"
                    x=(index * step + step / 5).to_string()
                    y=(1000 - tall).to_string()
                    width=(step * 3 / 5).to_string()
                    height=tall.to_string()
                >
                    <title>{format!("{}: {}", bar.label, bar.text)}</title>
                </rect>
            }
        })
        .collect_view();
    // At most eight letters of labels fit under a chart on a phone: leave out what would collide.
    let every = (count / 8).max(1);
    let ticks = bars
        .iter()
        .zip(0i64..)
        .filter(|(_, index)| index % every == 0)
        .map(|(bar, index)| {
            let at = (index * step + step / 2) / 10;
            view! { <span style=format!("--at:{at}")>{bar.label.clone()}</span> }
        })
        .collect_view();
    let line = limit.as_ref().map(|(value, _)| {
        let y = (1000 - height(*value, top)).to_string();
        view! { <line class="limit" x1="0" x2="1000" y1=y.clone() y2=y></line> }
    });
    let limit_words = limit.map(|(value, text)| {
        view! { <span class="mark left" style=format!("--x0:100;--y0:{}", height(value, top) / 10)>{text}</span> }
    });
    let rows = bars.into_iter().map(|bar| view! { <tr><th scope="row">{bar.label}</th><td>{bar.text}</td></tr> }).collect_view();
    view! {
        <figure class="stack tight">
            <div class="chart" aria-hidden="true">
                <div class="plot">
                    <svg viewBox="0 0 1000 1000" preserveAspectRatio="none">
                        {marks}
                        <line class="base" x1="0" x2="1000" y1="1000" y2="1000"></line>
                        {line}
                    </svg>
                    {limit_words}
                </div>
                <div class="x">{ticks}</div>
            </div>
            <table class="sr"><caption>{caption}</caption><tbody>{rows}</tbody></table>
        </figure>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::height;

    #[test]
    fn heights_stay_in_the_plot() {
        assert_eq!(height(5, 10), 500);
        assert_eq!(height(-5, 10), 0);
        assert_eq!(height(5, 0), 0);
        assert_eq!(height(i64::MAX, i64::MAX), 1000);
    }
}
