//! The temperature that each node reports of its hottest card: idle cards are lukewarm, busy ones hot, and neither jumps.

use std::time::Duration;

use rand::Rng as _;
use serde_json::Value;

use super::{Context, Work};
use crate::{
    admission::usage::{self, Side, has_ended},
    nodes::TEMPERATURE,
    ops::{
        Writer,
        update::{self, Part},
    },
    registry::Resource,
    store::Key,
    value,
};

const EVERY: Duration = Duration::from_secs(20);
/// Degrees Celsius of cards with nothing to do, and what full load adds.
const IDLE: i32 = 36;
const LOAD: i32 = 38;
/// Most degrees that one reading differs from the one before.
const STEP: i32 = 3;

/// Lets every node's reading move a little, and looks again later.
pub fn reconcile(context: &mut Context) {
    let mut txn = context.store.write();
    for node in txn.list(Resource::Nodes, "") {
        let Some(now) = value::annotation(&node, TEMPERATURE).and_then(|text| text.parse::<i32>().ok()) else { continue };
        let busy = usage::amounts(node.pointer("/status/allocatable"));
        let cards = busy.iter().filter(|(name, _)| is_card(name)).fold(0.0, |sum, (_, amount)| sum + as_number(&amount.to_string()));
        let mut used = 0.0;
        for pod in txn.iter(Resource::Pods, "").filter(|pod| value::text(pod, "/spec/nodeName") == value::name(&node) && !has_ended(pod)) {
            used += usage::pod(pod, Side::Requests)
                .iter()
                .filter(|(name, _)| is_card(name))
                .fold(0.0, |sum, (_, amount)| sum + as_number(&amount.to_string()));
        }
        let next = next(now, if cards > 0.0 { used / cards } else { 0.0 });
        let key = Key::new(Resource::Nodes, "", value::name(&node));
        update::modify(&mut txn, &key, Part::Main, &Writer::controller("node-report"), |node: &mut Value| {
            value::set(node, &["metadata", "annotations", TEMPERATURE], next.to_string());
        });
    }
    drop(txn);
    context.queue.push_later(Work::Heat, EVERY);
}

fn is_card(resource: &str) -> bool {
    resource.starts_with("nvidia.com/") || resource.starts_with("amd.com/")
}

/// Cards come as plain whole numbers.
fn as_number(quantity: &str) -> f64 {
    quantity.parse().unwrap_or(0.0)
}

#[expect(clippy::cast_possible_truncation, reason = "a few dozen degrees")]
fn next(now: i32, share: f64) -> i32 {
    let aim = IDLE + (f64::from(LOAD) * share.clamp(0.0, 1.0)).round() as i32;
    let drift = rand::rng().random_range(-1..=1);
    // The annotation may hold any number.
    let now = now.clamp(IDLE - 4, IDLE + LOAD + 4);
    (now + (aim - now).clamp(-STEP, STEP) + drift).clamp(IDLE - 4, IDLE + LOAD + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_that_cannot_be_true_is_corrected() {
        for reading in [i32::MIN, i32::MAX] {
            assert!((32..=78).contains(&next(reading, 0.5)), "{reading}");
        }
    }

    #[test]
    fn a_reading_moves_towards_the_load_in_small_steps() {
        let mut reading = IDLE;
        for _ in 0..40 {
            let before = reading;
            reading = next(before, 1.0);
            assert!((reading - before).abs() <= STEP + 1, "{before} to {reading}");
        }
        assert!((70..=78).contains(&reading), "{reading}");
        for _ in 0..40 {
            reading = next(reading, 0.0);
        }
        assert!((32..=40).contains(&reading), "{reading}");
    }
}
