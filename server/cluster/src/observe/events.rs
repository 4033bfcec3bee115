//! Kubernetes Events about a lab, newest first.

use domain::{labs::ClusterEvent, time::Timestamp};
use k8s_openapi::api::core::v1::Event;

use super::seen::stamp;

/// As many as a person reads.
const SHOWN: usize = 50;
const SHOWN_OF_NODE: usize = 20;

pub fn readable(events: &[Event]) -> Vec<ClusterEvent> {
    let mut all: Vec<_> = events.iter().filter_map(of_event).collect();
    all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.object.cmp(&b.object)).then_with(|| a.reason.cmp(&b.reason)));
    all.truncate(SHOWN);
    all
}

/// What a node has of events: those about the node itself.
pub fn of_node<'e>(events: impl Iterator<Item = &'e Event>, node: &str) -> Vec<ClusterEvent> {
    let about = |event: &&Event| {
        let object = &event.involved_object;
        object.kind.as_deref() == Some("Node") && object.name.as_deref() == Some(node)
    };
    let mut all: Vec<_> = events.filter(about).filter_map(of_event).collect();
    all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.reason.cmp(&b.reason)));
    all.truncate(SHOWN_OF_NODE);
    all
}

fn of_event(event: &Event) -> Option<ClusterEvent> {
    let object = &event.involved_object;
    let series = event.series.as_ref().and_then(|series| series.count);
    Some(ClusterEvent {
        at: last(event)?,
        warning: event.type_.as_deref() == Some("Warning"),
        reason: event.reason.clone().unwrap_or_default(),
        message: message(event).to_owned(),
        object: format!("{}/{}", object.kind.as_deref().unwrap_or_default(), object.name.as_deref().unwrap_or_default()),
        count: series.or(event.count).and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1),
    })
}

/// The event's message, without the prefix of an event that combines several.
pub fn message(event: &Event) -> &str {
    let text = event.message.as_deref().unwrap_or_default();
    text.strip_prefix("(combined from similar events): ").unwrap_or(text)
}

/// When it was last reported. Older reporters fill `lastTimestamp`, newer ones `eventTime` and the series.
pub fn last(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
    let newer = series.or(event.event_time.as_ref()).map(|time| Timestamp::from_micros(time.0.as_microsecond()));
    let older = event.last_timestamp.as_ref().map(stamp);
    newer.max(older).or_else(|| event.metadata.creation_timestamp.as_ref().map(stamp))
}

/// When it was first reported.
pub fn first(event: &Event) -> Option<Timestamp> {
    let older = event.first_timestamp.as_ref().map(stamp);
    let newer = event.event_time.as_ref().map(|time| Timestamp::from_micros(time.0.as_microsecond()));
    older.or(newer).or_else(|| event.metadata.creation_timestamp.as_ref().map(stamp))
}

/// Whether it is about this lab's objects, whose names are the lab's own or begin with it and a hyphen.
pub fn is_about(event: &Event, name: &str) -> bool {
    let object = event.involved_object.name.as_deref().unwrap_or_default();
    object.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
