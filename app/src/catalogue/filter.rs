//! Which offerings a reader looks for. The filter is the URL: it works without scripts and can be sent to a colleague.

use domain::catalogue::{OfferingCard, Purpose};
use leptos_router::params::ParamsMap;

use crate::routes;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that all must occur in name, summary, card or image.
    pub text: String,
    pub purpose: Option<Purpose>,
    /// Only what finds its cards now.
    pub fits_now: bool,
}

impl Filter {
    pub fn of(query: &ParamsMap) -> Self {
        Self {
            text: query.get("text").unwrap_or_default().trim().chars().take(100).collect(),
            purpose: query.get_str("use").and_then(Purpose::parse),
            fits_now: query.get_str("now").is_some(),
        }
    }

    pub fn is_narrow(&self) -> bool {
        *self != Self::default()
    }

    pub fn href(&self) -> String {
        let purpose = self.purpose.map_or("", Purpose::as_str);
        routes::with_query(routes::CATALOGUE, &[("text", &self.text), ("use", purpose), ("now", if self.fits_now { "1" } else { "" })])
    }

    pub fn admits(&self, card: &OfferingCard) -> bool {
        let offering = &card.offering;
        let by_purpose = self.purpose.is_none_or(|purpose| offering.workload.purpose() == purpose);
        by_purpose && (!self.fits_now || fits(card)) && self.text.split_whitespace().all(|word| holds(card, &word.to_lowercase()))
    }
}

/// Whether the cards of the default are free; what needs none always fits.
pub fn fits(card: &OfferingCard) -> bool {
    let needed = card.offering.base.cards();
    needed == 0 || card.cards_free.is_some_and(|free| free >= needed)
}

fn holds(card: &OfferingCard, word: &str) -> bool {
    let offering = &card.offering;
    let texts = [
        offering.name.zh.as_str(),
        &offering.name.en,
        &offering.summary.zh,
        &offering.summary.en,
        &offering.slug,
        &offering.base.image,
        offering.base.card.kind().name,
    ];
    texts.iter().any(|text| text.to_lowercase().contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(free: Option<u32>) -> OfferingCard {
        let document = serde_json::json!({
            "id": "01936f00-0000-7000-8000-000000000004", "slug": "vscode", "version": 1,
            "name": {"zh": "VS Code 编辑器", "en": "VS Code"}, "summary": {"zh": "写程序的课", "en": "For programming lessons"},
            "icon": "code", "workload": "code_editor",
            "base": {"workload": "code_editor", "image": "codercom/code-server", "port": 8080, "card": "a100-80g", "cards_per_node": 2,
                "nodes": 1, "cpu_cores": 8, "memory_gib": 32, "storage_gib": 20},
            "duration": {"default": 90, "min": 30, "max": 720}, "parameters": [],
        });
        OfferingCard { offering: serde_json::from_value(document).expect("an offering"), per_hour: None, parts: vec![], cards_free: free }
    }

    #[test]
    fn every_word_must_occur_somewhere_in_either_language() {
        let by = |text: &str| Filter { text: text.into(), ..Filter::default() }.admits(&card(None));
        assert!(by("") && by("vs code") && by("程序") && by("LESSONS a100") && by("code-server"));
        assert!(!by("vs pytorch"));
    }

    #[test]
    fn use_and_free_cards_narrow_the_list() {
        let serving = Filter { purpose: Some(Purpose::Serving), ..Filter::default() };
        assert!(!serving.admits(&card(Some(4))));
        let now = Filter { fits_now: true, ..Filter::default() };
        assert!(now.admits(&card(Some(2))));
        assert!(!now.admits(&card(Some(1))) && !now.admits(&card(None)), "what is not known does not fit");
    }

    #[test]
    fn the_filter_is_its_address() {
        let filter = Filter { text: "推理".into(), purpose: Some(Purpose::Serving), fits_now: true };
        assert_eq!(filter.href(), "/catalogue?text=%E6%8E%A8%E7%90%86&use=serving&now=1");
        assert_eq!(Filter::default().href(), "/catalogue");
    }
}
