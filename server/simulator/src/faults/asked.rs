//! Switches as an operator writes them: `{"fault": "Timeout", "verbs": ["patch"], "every": 2, "seconds": 30}`.

use std::{num::NonZeroU32, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Extent, Fault, Listed, Rule};

/// A fault to switch on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Order {
    fault: Name,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    resources: Vec<String>,
    every: Option<NonZeroU32>,
    requests: Option<u32>,
    seconds: Option<f64>,
    retry_after_seconds: Option<u32>,
    delay_seconds: Option<f64>,
    node: Option<String>,
    webhook: Option<String>,
    message: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Name {
    TooManyRequests,
    Conflict,
    InternalError,
    Unavailable,
    Timeout,
    Expired,
    Dropped,
    Slow,
    WebhookDown,
    WebhookDenies,
    Unauthorized,
    Away,
    NodeLost,
    NamespacesStuck,
}

/// An order that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("NodeLost needs the name of a node: \"node\"")]
    NoNode,
    #[error("Slow needs how much longer answers take: \"delaySeconds\"")]
    NoDelay,
    #[error("Away needs how long: \"seconds\"; while the server is away nobody can switch it off")]
    NoEnd,
    #[error("\"requests\" or \"seconds\", not both")]
    TwoEnds,
    #[error("this fault is a state of the cluster: it takes \"seconds\", but no \"requests\", \"every\", \"verbs\" or \"resources\"")]
    Bounded,
    #[error("seconds are a number from 0 to 86400")]
    BadTime,
}

impl TryFrom<Order> for Rule {
    type Error = Wrong;

    fn try_from(order: Order) -> Result<Self, Wrong> {
        let fault = match order.fault {
            Name::TooManyRequests => Fault::TooManyRequests { retry_after_seconds: order.retry_after_seconds.unwrap_or(1) },
            Name::Conflict => Fault::Conflict,
            Name::InternalError => Fault::InternalError,
            Name::Unavailable => Fault::Unavailable,
            Name::Timeout => Fault::Timeout,
            Name::Expired => Fault::Expired,
            Name::Dropped => Fault::Dropped,
            Name::WebhookDown => Fault::WebhookDown(order.webhook.unwrap_or_else(|| "pods.example.com".into())),
            Name::WebhookDenies => Fault::WebhookDenies(order.message.unwrap_or_else(|| "not today".into())),
            Name::Unauthorized => Fault::Unauthorized,
            Name::Slow => Fault::Slow(time(order.delay_seconds.ok_or(Wrong::NoDelay)?)?),
            Name::Away => Fault::Away,
            Name::NodeLost => Fault::NodeLost(order.node.ok_or(Wrong::NoNode)?),
            Name::NamespacesStuck => Fault::NamespacesStuck,
        };
        let extent = match (order.requests, order.seconds) {
            (Some(_), Some(_)) => return Err(Wrong::TwoEnds),
            (Some(count), None) => Extent::Requests(count),
            (None, Some(seconds)) => Extent::For(time(seconds)?),
            (None, None) if fault == Fault::Away => return Err(Wrong::NoEnd),
            (None, None) => Extent::UntilSwitchedOff,
        };
        let is_bounded = order.every.is_some() || order.requests.is_some() || !order.verbs.is_empty() || !order.resources.is_empty();
        if !fault.strikes() && is_bounded {
            return Err(Wrong::Bounded);
        }
        Ok(Self { fault, verbs: order.verbs, resources: order.resources, every: order.every.unwrap_or(NonZeroU32::MIN), extent })
    }
}

fn time(seconds: f64) -> Result<Duration, Wrong> {
    Duration::try_from_secs_f64(seconds).ok().filter(|time| time.as_secs() <= 86_400).ok_or(Wrong::BadTime)
}

impl Listed {
    /// As the operator reads it.
    pub fn shown(&self) -> Value {
        let rule = &self.rule;
        let mut shown = json!({
            "id": self.switch.0, "on": self.is_on, "fault": name(&rule.fault), "verbs": rule.verbs, "resources": rule.resources,
            "every": rule.every, "struck": self.struck,
        });
        match &rule.fault {
            Fault::TooManyRequests { retry_after_seconds } => shown["retryAfterSeconds"] = (*retry_after_seconds).into(),
            Fault::Slow(delay) => shown["delaySeconds"] = delay.as_secs_f64().into(),
            Fault::NodeLost(node) => shown["node"] = node.as_str().into(),
            Fault::WebhookDown(webhook) => shown["webhook"] = webhook.as_str().into(),
            Fault::WebhookDenies(message) => shown["message"] = message.as_str().into(),
            _ => {}
        }
        match rule.extent {
            Extent::UntilSwitchedOff => {}
            Extent::Requests(count) => shown["requests"] = count.into(),
            Extent::For(time) => shown["seconds"] = time.as_secs_f64().into(),
        }
        shown
    }
}

fn name(fault: &Fault) -> &'static str {
    match fault {
        Fault::TooManyRequests { .. } => "TooManyRequests",
        Fault::Conflict => "Conflict",
        Fault::InternalError => "InternalError",
        Fault::Unavailable => "Unavailable",
        Fault::Timeout => "Timeout",
        Fault::Expired => "Expired",
        Fault::Dropped => "Dropped",
        Fault::Slow(_) => "Slow",
        Fault::WebhookDown(_) => "WebhookDown",
        Fault::WebhookDenies(_) => "WebhookDenies",
        Fault::Unauthorized => "Unauthorized",
        Fault::Away => "Away",
        Fault::NodeLost(_) => "NodeLost",
        Fault::NamespacesStuck => "NamespacesStuck",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rule, String> {
        let order: Order = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Rule::try_from(order).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn an_order_says_what_where_and_how_long() {
        let rule = read(r#"{"fault": "TooManyRequests", "retryAfterSeconds": 2, "verbs": ["patch"], "resources": ["pods"], "seconds": 1.5}"#);
        let wanted = Rule::new(Fault::TooManyRequests { retry_after_seconds: 2 }).on_verbs(&["patch"]).on_resources(&["pods"]);
        assert_eq!(rule, Ok(wanted.lasting(Duration::from_millis(1_500))));
    }

    #[test]
    fn an_order_that_makes_no_sense_is_refused_with_what_it_lacks() {
        for (order, wrong) in [
            (r#"{"fault": "Away"}"#, Wrong::NoEnd),
            (r#"{"fault": "Slow"}"#, Wrong::NoDelay),
            (r#"{"fault": "Slow", "delaySeconds": -1}"#, Wrong::BadTime),
            (r#"{"fault": "NodeLost"}"#, Wrong::NoNode),
            (r#"{"fault": "NamespacesStuck", "requests": 1}"#, Wrong::Bounded),
            (r#"{"fault": "Timeout", "requests": 1, "seconds": 1}"#, Wrong::TwoEnds),
        ] {
            assert_eq!(read(order), Err(wrong.to_string()), "{order}");
        }
        assert!(read(r#"{"fault": "Timeout", "request": 1}"#).is_err_and(|error| error.contains("unknown field `request`")));
    }
}
