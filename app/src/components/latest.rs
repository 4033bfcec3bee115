//! What a page that is kept up to date shows: the newest good reading. While the server does not answer the last one stays,
//! and parts that did not change are not drawn again, so that an open dialog or fold stays open.

use domain::Error;
use leptos::prelude::*;

use crate::error::AppError;

/// What a resource last said; `None` while it loads.
pub type Reading<T> = Option<Result<T, AppError>>;

/// Follows `resource`. Make it inside the `<Transition>` that waits for the resource.
pub fn latest<T>(resource: Resource<Result<T, AppError>>) -> Signal<Reading<T>>
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    told_of_changes(move |before| choose(before, resource.get()))
}

/// The same without its content: changes only between loading, there and refused.
pub fn outline<T>(latest: Signal<Reading<T>>) -> Signal<Reading<()>>
where
    T: Send + Sync + 'static,
{
    told_of_changes(move |_| latest.with(|latest| latest.as_ref().map(|result| result.as_ref().map(|_| ()).map_err(Clone::clone))))
}

/// A part of what was read, told of only when it has changed.
pub fn part<T, P>(latest: Signal<Reading<T>>, choose: impl Fn(&T) -> P + Send + Sync + 'static) -> Signal<Option<P>>
where
    T: Send + Sync + 'static,
    P: PartialEq + Send + Sync + 'static,
{
    told_of_changes(move |_| latest.with(|latest| latest.as_ref()?.as_ref().ok().map(&choose)))
}

/// A memo in the browser. The server draws once, on several threads: a memo that is computed at the moment its resource
/// arrives there would keep the emptiness it saw, so it reads through.
fn told_of_changes<T: PartialEq + Send + Sync + 'static>(compute: impl Fn(Option<&T>) -> T + Send + Sync + 'static) -> Signal<T> {
    #[cfg(feature = "ssr")]
    {
        Signal::derive(move || compute(None))
    }
    #[cfg(not(feature = "ssr"))]
    {
        Memo::new(compute).into()
    }
}

fn choose<T: Clone>(before: Option<&Reading<T>>, now: Reading<T>) -> Reading<T> {
    match (before, now) {
        (Some(Some(Ok(good))), None | Some(Err(AppError(Error::Unavailable { .. })))) => Some(Ok(good.clone())),
        (_, now) => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_good_reading_stays_while_the_server_is_away() {
        let away = || Some(Err(AppError(Error::Unavailable { retry_after_seconds: 5 })));
        let good = Some(Ok(1));
        assert_eq!(choose(Some(&good), away()), Some(Ok(1)));
        assert_eq!(choose(Some(&good), None), Some(Ok(1)));
        assert_eq!(choose(Some(&good), Some(Ok(2))), Some(Ok(2)));
        assert_eq!(choose::<i32>(None, away()), away());
    }

    #[test]
    fn what_is_gone_is_not_shown_any_more() {
        let gone = || Some(Err(AppError(Error::NotFound)));
        assert_eq!(choose(Some(&Some(Ok(1))), gone()), gone());
    }
}
