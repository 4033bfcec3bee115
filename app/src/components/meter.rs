//! Used (solid), held or this order (hatched), left (empty): the same three for quotas, budgets, seats and cards.

use leptos::prelude::*;

use super::StatusKind;

/// Shares of `limit` in tenths of a percent, clipped so that the bar never overflows.
fn shares(used: i64, held: i64, limit: i64) -> (i64, i64) {
    if limit <= 0 {
        // Nothing is allowed: anything in use fills the bar.
        return if used > 0 {
            (1000, 0)
        } else if held > 0 {
            (0, 1000)
        } else {
            (0, 0)
        };
    }
    let share = |part: i64| i64::try_from(i128::from(part.max(0)) * 1000 / i128::from(limit)).unwrap_or(1000).min(1000);
    let used = share(used);
    (used, share(held).min(1000 - used))
}

fn percent(tenths: i64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A meter. `used`, `held` and `limit` share a unit of the caller's choice; `figure` says them in words
/// ("10 / 12", "¥3,681.60 left"). `attention` colours the bar: give it only when somebody must act.
#[component]
pub fn Meter(
    #[prop(into)] label: String,
    #[prop(into)] figure: String,
    used: i64,
    #[prop(optional)] held: i64,
    limit: i64,
    #[prop(into, optional)] attention: Option<StatusKind>,
    /// Small type below, left.
    #[prop(into, optional)]
    note: Option<String>,
    /// Small type below, right.
    #[prop(into, optional)]
    end_note: Option<String>,
) -> impl IntoView {
    let (used, held) = shares(used, held, limit);
    let under = note.is_some() || end_note.is_some();
    view! {
        <div class="meter" data-st=attention.map(StatusKind::name)>
            <div class="top"><span>{label.clone()}</span><b>{figure.clone()}</b></div>
            <div
                class="track"
                role="meter"
                aria-label=label
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=((used + held) / 10).to_string()
                aria-valuetext=figure
            >
                <span class="used" style=format!("--v:{}", percent(used))></span>
                {(held > 0).then(|| view! { <span class="held" style=format!("--v:{}", percent(held))></span> })}
            </div>
            {under.then(|| view! { <div class="under"><span>{note}</span><span>{end_note}</span></div> })}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_never_overflows() {
        assert_eq!(shares(4, 6, 12), (333, 500));
        assert_eq!(shares(10, 6, 12), (833, 167));
        assert_eq!(shares(99, 1, 12), (1000, 0));
        assert_eq!(shares(0, 0, 0), (0, 0));
        assert_eq!(shares(1, 0, 0), (1000, 0));
        assert_eq!(shares(-5, 3, 12), (0, 250));
        assert_eq!(shares(i64::MAX, i64::MAX, 1), (1000, 0));
    }
}
