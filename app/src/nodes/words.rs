//! Nodes in words: why something waits, and what a node is.

use domain::{capacity::WaitReason, cluster::Node, gpu::Card, orders::Preview};

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

/// Enough cards are free, and no node has as many as one pod needs: what the order form says of it.
pub fn scattered_text(language: Language, preview: &Preview) -> Option<String> {
    let spec = &preview.spec;
    scattered(language, spec.card, spec.cards(), spec.cards_per_node, preview.cards_free, preview.largest_free_node)
}

/// The same for whoever decides.
pub fn scattered(language: Language, card: Card, needed: u32, per_node: u32, free: Option<u32>, largest: Option<u32>) -> Option<String> {
    let (free, largest) = (free?, largest?);
    (free >= needed && per_node > largest).then(|| {
        td_string!(
            language,
            nodes.scattered_now,
            free = pieces_text(language, card, free),
            asked = pieces_text(language, card, per_node),
            largest = pieces_text(language, card, largest)
        )
        .to_string()
    })
}
