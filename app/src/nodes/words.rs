//! Nodes in words: why something waits, and what a node is.

use domain::{
    capacity::{Outlook, WaitReason},
    catalogue::LabSpec,
    cluster::Node,
};

use crate::{
    components::{MomentStyle, StatusKind, moment_text},
    i18n::td_string,
    language::Language,
    orders::words::pieces_text,
};

/// Whether a node takes pods, as shape and word.
pub fn state(language: Language, node: &Node) -> (StatusKind, &'static str) {
    match (node.ready, node.cordoned) {
        (false, _) => (StatusKind::Bad, td_string!(language, nodes.not_ready)),
        (true, true) => (StatusKind::Held, td_string!(language, nodes.cordoned)),
        (true, false) => (StatusKind::Ok, td_string!(language, nodes.ready)),
    }
}

/// Why something that is approved still waits, as a sentence; nothing where its place in line says it all.
pub fn wait_text(language: Language, wait: Option<WaitReason>) -> Option<String> {
    match wait? {
        WaitReason::NoSingleNode { card, per_node, largest } => Some(
            td_string!(
                language,
                nodes.wait_single_node,
                asked = pieces_text(language, card, per_node),
                card = card.name(),
                largest = pieces_text(language, card, largest)
            )
            .to_string(),
        ),
        WaitReason::NotEnough { card, free, needed } => Some(
            td_string!(
                language,
                nodes.wait_not_enough,
                card = card.name(),
                free = pieces_text(language, card, free),
                asked = pieces_text(language, card, needed)
            )
            .to_string(),
        ),
        WaitReason::Scheduled { at } => Some(td_string!(language, class.comes_up, at = moment_text(at, MomentStyle::Minute)).to_string()),
        WaitReason::NoMachine { card, cpu_cores, memory_gib } => {
            Some(td_string!(language, nodes.wait_no_machine, card = card.name(), cores = cpu_cores, memory = memory_gib).to_string())
        }
        WaitReason::Turn { .. } => None,
    }
}

/// Whether an order gets its cards now or waits, why, and about until when. `later`: it is for lessons, whose cards nobody holds yet.
pub fn outlook_text(language: Language, spec: &LabSpec, free: u32, outlook: Outlook, later: bool) -> String {
    let pieces = |count| pieces_text(language, spec.card, count);
    let seats = outlook.seats;
    let asked = pieces(spec.cards().saturating_mul(seats));
    let mut sentences = Vec::new();
    if outlook.never_fits() {
        return td_string!(language, nodes.outlook_never).to_owned();
    }
    if later {
        sentences.push(td_string!(language, class.cards_later, asked = asked).to_string());
    } else if outlook.wait.is_none() {
        return td_string!(language, orders.cards_enough, free = pieces(free), asked = asked).to_string();
    } else if seats > 1 {
        let (now, waiting) = (outlook.now, outlook.waiting());
        let text = if waiting == 1 {
            td_string!(language, nodes.outlook_seats_one, now = now, seats = seats, waiting = waiting).to_string()
        } else {
            td_string!(language, nodes.outlook_seats, now = now, seats = seats, waiting = waiting).to_string()
        };
        sentences.push(text);
    } else {
        sentences.push(td_string!(language, nodes.outlook_waits).to_owned());
    }
    if outlook.at_once < seats {
        let text = if later {
            td_string!(language, nodes.outlook_at_once_lesson, most = outlook.at_once, seats = seats, rest = seats - outlook.at_once).to_string()
        } else {
            td_string!(language, nodes.outlook_at_once, most = outlook.at_once).to_string()
        };
        sentences.push(text);
    }
    if !later {
        sentences.extend(match outlook.wait {
            Some(WaitReason::Turn { .. }) => Some(td_string!(language, nodes.outlook_turn).to_owned()),
            Some(WaitReason::NotEnough { card, free, needed }) if seats > 1 => {
                let (asked, free) = (pieces_text(language, card, needed), pieces_text(language, card, free));
                Some(td_string!(language, nodes.outlook_all_need, asked = asked, card = card.name(), free = free).to_string())
            }
            // It is about what is left once the first seats have their cards.
            wait if outlook.now > 0 => wait_text(language, wait).map(|why| td_string!(language, nodes.outlook_then, why = why).to_string()),
            wait => wait_text(language, wait),
        });
        sentences.extend(outlook.starts_at.map(|at| {
            let at = moment_text(at, MomentStyle::Minute);
            if seats > 1 {
                td_string!(language, nodes.outlook_next, at = at).to_string()
            } else {
                td_string!(language, nodes.outlook_from, at = at).to_string()
            }
        }));
    }
    // Chinese sentences follow each other without a space.
    sentences.join(if language == Language::zh_CN { "" } else { " " })
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

    use super::*;

    fn spec() -> LabSpec {
        let card = "a100-80g-1g.10gb";
        let spec = serde_json::json!({"workload": "notebook", "image": "x", "port": 8888, "card": card, "cards_per_node": 1, "nodes": 1,
            "cpu_cores": 1, "memory_gib": 1, "storage_gib": 0});
        serde_json::from_value(spec).expect("a spec")
    }

    #[test]
    fn a_class_is_told_how_many_seats_start_and_how_many_ever_run_together() {
        let card = spec().card;
        let outlook = Outlook { seats: 30, at_once: 14, now: 10, wait: Some(WaitReason::Turn { card }), starts_at: None };
        let text = outlook_text(Language::en, &spec(), 10, outlook, false);
        assert!(text.contains("10 of 30 seats start now, 20 wait") && text.contains("14 at once"), "{text}");
        let next = Outlook {
            now: 6,
            wait: Some(WaitReason::NotEnough { card, free: 6, needed: 30 }),
            starts_at: Some(Timestamp::from_seconds(0)),
            ..outlook
        };
        let text = outlook_text(Language::en, &spec(), 6, next, false).replace('\u{a0}', " ");
        assert!(text.contains("All seats together need 30 slices") && text.contains("the next seat starts at 1970-01-01 08:00"), "{text}");
        let lesson = outlook_text(Language::en, &spec(), 10, outlook, true);
        assert!(lesson.contains("14 of the 30 seats") && lesson.contains("16"), "{lesson}");
        let none = Outlook { seats: 1, at_once: 0, now: 0, ..outlook };
        assert!(outlook_text(Language::en, &spec(), 0, none, false).contains("no room"));
    }

    #[test]
    fn why_the_rest_waits_is_said_of_what_is_left_after_the_first_seats() {
        let card = spec().card;
        let wait = Some(WaitReason::NoSingleNode { card, per_node: 2, largest: 1 });
        let outlook = Outlook { seats: 3, at_once: 3, now: 2, wait, starts_at: None };
        let text = outlook_text(Language::en, &spec(), 5, outlook, false).replace('\u{a0}', " ");
        assert!(text.starts_with("2 of 3 seats start now, 1 waits in the queue. After that: No single node has 2 slices"), "{text}");
        assert!(text.ends_with("the most on one node is 1 slice."), "{text}");
        let none = outlook_text(Language::en, &spec(), 5, Outlook { now: 0, ..outlook }, false);
        assert!(none.contains("0 of 3 seats start now, 3 wait") && !none.contains("After that"), "{none}");
    }

    #[test]
    fn free_cards_that_others_wait_for_are_not_called_no_waiting() {
        let card = spec().card;
        let outlook = Outlook { seats: 1, at_once: 1, now: 0, wait: Some(WaitReason::Turn { card }), starts_at: None };
        let text = outlook_text(Language::en, &spec(), 3, outlook, false);
        assert!(text.contains("wait") && !text.contains("no waiting"), "{text}");
        let free = Outlook { now: 1, wait: None, ..outlook };
        assert!(outlook_text(Language::en, &spec(), 3, free, false).contains("no waiting"));
    }
}
