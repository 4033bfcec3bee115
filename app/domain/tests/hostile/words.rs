//! Ids, states and other words out of a list: each reads what it writes, and nothing else.

use domain::{
    access::{Role, Scope},
    announcements::Level,
    approvals, audit,
    audit::{Chain, Hash, Range, run::RunState},
    billing::{AdjustmentKind, Dimension, bill_id, parse_bill_id},
    catalogue::{Purpose, Workload},
    courses::{DepartmentKind, check_code, check_college, check_course_name, check_department, department_choice},
    decisions,
    gpu::Card,
    ids::{LabId, OrderId},
    imports::{ImportKind, ImportState, RowResult, Verdict},
    labs::{LabState, host, ports},
    names,
    offerings::VersionState,
    orders::OrderState,
    people::{LinkKind, PersonState, check_login, check_name, check_password, device},
    pricing::{Meter, Quoted},
    quotas::BudgetAction,
    search,
    shares::Lasts,
    terminal::{FromBrowser, Notice, ToBrowser},
    tokens,
    visits::{
        PassEnd, UseKind, VisitEnd, VisitRole,
        real_use::{Talk, TalkUse, of_request},
    },
};
use proptest::prelude::*;

use crate::texts::{config, nasty, near};

/// For each type of words: what is read is what would be written.
macro_rules! words {
    ($text:expr; $($name:ty),+ $(,)?) => {$(
        if let Some(word) = <$name>::parse($text) {
            prop_assert_eq!(word.as_str(), $text, "{}", stringify!($name));
        }
    )+};
}

/// One word of every list, and what is next to it.
const WORDS: &[&str] = &[
    "teacher",
    "orders:read",
    "info",
    "web",
    "success",
    "week",
    "good",
    "credit",
    "card",
    "teaching",
    "notebook",
    "department",
    "people",
    "new",
    "done",
    "preview",
    "running",
    "draft",
    "pending_approval",
    "lab_stopped",
    "invite",
    "active",
    "minute",
    "block",
    "approve",
    "break_glass",
    "signed_out",
    "lab_stopped",
    "until",
    "Teacher",
    "orders:READ",
];

const ID: &str = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e";
const IDS: &[&str] = &[ID, "01988B5C-7F3E-7C1A-9D5E-2F4A6B8C0D1E", "{01988b5c7f3e7c1a9d5e2f4a6b8c0d1ex}", "urn:uuid:01988b5c-7f3e-7c1a-9d5e-2f4a6"];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_word_reads_as_itself_or_not_at_all(text in near(WORDS)) {
        words!(&text; Role, Scope, Level, audit::Via, audit::Outcome, Range, RunState, AdjustmentKind, Dimension, Purpose, Workload,
            DepartmentKind, ImportKind, Verdict, RowResult, ImportState, LabState, VersionState, OrderState, LinkKind, PersonState, Quoted,
            BudgetAction, decisions::Step, VisitRole, PassEnd, VisitEnd, Notice, Lasts, UseKind);
    }

    #[test]
    fn whatever_a_client_sends_is_use_or_not(path in nasty(), start in prop::collection::vec(any::<u8>(), 0..600), bytes in any::<u64>()) {
        let _ = of_request("POST", &path, false);
        for talk in [Talk::of_socket(&path), Talk::Kernel, Talk::JupyterTerminal, Talk::Messages, Talk::Bytes] {
            let mut connection = TalkUse::new(talk);
            for at in [u64::MAX, 0, bytes] {
                let _ = connection.message(Some(&start), bytes, std::time::Duration::from_secs(at));
                let _ = connection.message(None, bytes, std::time::Duration::from_secs(at));
            }
        }
    }

    #[test]
    fn a_label_of_a_host_is_a_name_and_a_suffix(text in near(&["lab-2047-1f0c9a33be", "lab-2047", "8888--lab-2047-1f0c9a33be", "-0123456789"])) {
        if let Some((name, suffix)) = host::split_label(&text) {
            prop_assert_eq!(format!("{name}-{suffix}"), text.clone());
            prop_assert!(!name.is_empty() && suffix.len() == 10);
        }
    }

    #[test]
    fn a_message_of_the_terminal_is_read_as_it_was_written_or_not_at_all(bytes in proptest::collection::vec(any::<u8>(), 0..40), kind in 0_u8..6) {
        let message = [&[kind][..], &bytes].concat();
        if let Some(read) = FromBrowser::read(&message) {
            prop_assert!(FromBrowser::read(&read.write()) == Some(read));
        }
        if let Some(read) = ToBrowser::read(&message) {
            prop_assert!(ToBrowser::read(&read.write()) == Some(read));
        }
    }

    #[test]
    fn a_label_of_a_port_reads_back_as_itself(text in near(&["8501--lab-2047-1f0c9a33be", "lab-2047-1f0c9a33be", "22--lab-7", "--lab-7"])) {
        if let Some((port, label)) = host::split_port(&text) {
            prop_assert_eq!(host::port_label(label, port), text.clone());
            prop_assert!(port == 0 || host::is_port(port));
        }
    }

    #[test]
    fn a_list_of_sockets_is_read_or_left_out(lines in proptest::collection::vec(near(&[
        "  sl  local_address rem_address   st tx_queue rx_queue",
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000",
        "   1: 0000000000000000FFFF00000100007F:1772 00000000000000000000000000000000:0000 0A",
    ]), 0..6)) {
        if let Some(found) = ports::listening(&lines.join("\n")) {
            prop_assert!(found.windows(2).all(|pair| pair[0].port < pair[1].port), "{found:?}");
        }
    }

    #[test]
    fn an_id_has_one_spelling(text in near(IDS)) {
        if let Ok(id) = text.parse::<OrderId>() {
            prop_assert_eq!(id.to_string(), text.to_lowercase());
        }
        let quoted = serde_json::to_string(&text).expect("a text");
        let _ = serde_json::from_str::<LabId>(&quoted);
    }

    #[test]
    fn a_chain_and_a_hash_read_back_as_themselves(text in near(&["system", ID, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])) {
        if let Ok(chain) = text.parse::<Chain>() {
            prop_assert_eq!(chain.to_string(), text.to_lowercase());
        }
        if let Ok(hash) = text.parse::<Hash>() {
            prop_assert_eq!(hash.to_string(), text);
        }
    }

    #[test]
    fn a_card_and_a_meter_read_back_as_themselves(text in near(&["a100-80g", "gpu-a100-80g-hour", "cpu-core-hour", "storage-gib-month", "gpu--hour"])) {
        if let Ok(card) = text.parse::<Card>() {
            prop_assert_eq!(card.id(), text.as_str());
        }
        if let Ok(meter) = text.parse::<Meter>() {
            prop_assert_eq!(meter.to_string(), text);
        }
    }

    #[test]
    fn a_bill_is_named_by_its_month_and_course(text in near(&["2026-11_CV2402", "2026-11_a_b", "2026-11_"])) {
        if let Some((month, course)) = parse_bill_id(&text) {
            prop_assert_eq!(bill_id(month, course), text.as_str());
        }
    }

    #[test]
    fn a_name_that_is_taken_stays_as_it_is(text in near(&["li.hua", "Li.Hua", "李华", "CV2402", "college", ID, "２０２４０１", "Li\u{200b}Hua", "\u{202e}Li", "Li\u{3164}", "Li\nHua"])) {
        if let Ok(login) = check_login(&text) {
            prop_assert!((2..=64).contains(&login.chars().count()));
            prop_assert_eq!(check_login(&login), Ok(login.clone()), "the stored form is its own");
        }
        for check in [check_name, check_department, check_course_name, check_college, tokens::check_name] {
            if let Ok(name) = check(&text) {
                prop_assert!(!name.trim().is_empty() && !name.chars().any(names::is_invisible), "{:?}", name);
                prop_assert_eq!(check(&name), Ok(name.clone()), "the stored form is its own");
            }
        }
        if check_code(&text).is_ok() {
            prop_assert!(text.is_ascii() && (2..=24).contains(&text.len()), "it names a namespace: {:?}", text);
        }
        if let Ok(name) = audit::search::check_name(&text) {
            prop_assert!(!name.chars().any(names::is_invisible));
        }
        let _ = (department_choice(&text), check_password(&text), device(&text));
    }

    #[test]
    fn a_question_is_a_few_short_words(text in nasty()) {
        let words = search::words(&text);
        prop_assert!(words.len() <= search::WORDS);
        // Lower case may take more characters than what was typed.
        prop_assert!(words.iter().all(|word| !word.is_empty() && word.chars().count() <= 3 * search::LENGTH));
    }

    #[test]
    fn a_model_is_known_or_not(text in near(&["a100-80g"])) {
        let condition: Result<approvals::Condition, _> = serde_json::from_value(serde_json::json!({"model_in": [text]}));
        prop_assert!(condition.is_ok(), "an unknown model is a rule that no order fits");
    }
}
