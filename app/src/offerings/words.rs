//! Words for kinds, states and fields of offerings.

use domain::{
    catalogue::{Purpose, Workload},
    offerings::VersionState,
};

use crate::{components::StatusKind, i18n::td_string, language::Language};

pub fn workload_text(language: Language, workload: Workload) -> &'static str {
    match workload {
        Workload::Notebook => td_string!(language, offerings.kind_notebook),
        Workload::CodeEditor => td_string!(language, offerings.kind_code_editor),
        Workload::Shell => td_string!(language, offerings.kind_shell),
        Workload::BatchJob => td_string!(language, offerings.kind_batch_job),
        Workload::DistributedJob => td_string!(language, offerings.kind_distributed_job),
        Workload::Inference => td_string!(language, offerings.kind_inference),
    }
}

pub fn purpose_text(language: Language, purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Teaching => td_string!(language, offerings.use_teaching),
        Purpose::Training => td_string!(language, offerings.use_training),
        Purpose::Serving => td_string!(language, offerings.use_serving),
    }
}

pub fn state_text(language: Language, state: VersionState) -> &'static str {
    match state {
        VersionState::Draft => td_string!(language, offerings.state_draft),
        VersionState::Published => td_string!(language, offerings.state_published),
        VersionState::Retired => td_string!(language, offerings.state_retired),
    }
}

pub const fn state_kind(state: VersionState) -> StatusKind {
    match state {
        VersionState::Draft => StatusKind::Busy,
        VersionState::Published => StatusKind::Live,
        VersionState::Retired => StatusKind::Off,
    }
}

pub fn icon_text(language: Language, icon: &str) -> &'static str {
    match icon {
        "code" => td_string!(language, offerings.icon_code),
        "lab" => td_string!(language, offerings.icon_lab),
        "batch" => td_string!(language, offerings.icon_batch),
        "ddp" => td_string!(language, offerings.icon_ddp),
        "serve" => td_string!(language, offerings.icon_serve),
        "screen" => td_string!(language, offerings.icon_screen),
        _ => td_string!(language, offerings.icon_book),
    }
}

/// What a parameter decides.
pub fn target_text(language: Language, target: &str) -> &'static str {
    match target {
        "image" => td_string!(language, offerings.target_image),
        "card" => td_string!(language, offerings.target_card),
        "cards_per_node" => td_string!(language, offerings.target_cards_per_node),
        "nodes" => td_string!(language, offerings.target_nodes),
        "cpu_cores" => td_string!(language, offerings.target_cpu_cores),
        "memory_gib" => td_string!(language, offerings.target_memory_gib),
        "storage_gib" => td_string!(language, offerings.target_storage_gib),
        "git_url" => td_string!(language, offerings.target_git_url),
        "retries" => td_string!(language, offerings.target_retries),
        _ => td_string!(language, offerings.target_environment),
    }
}

pub fn parameter_kind_text(language: Language, kind: &str) -> &'static str {
    match kind {
        "integer" => td_string!(language, offerings.kind_integer),
        "choice" => td_string!(language, offerings.kind_choice),
        "text" => td_string!(language, offerings.kind_text),
        _ => td_string!(language, offerings.kind_git_url),
    }
}

/// A field of the document as the editor calls it: `parameters.2.max` is "Parameter 3: Most".
pub fn field_text(language: Language, field: &str) -> String {
    if let Some(line) = field.strip_prefix("line ") {
        return td_string!(language, offerings.line, line = line).to_string();
    }
    if let Some((number, rest)) = field.strip_prefix("parameters.").and_then(|rest| rest.split_once('.')) {
        let which = match number.parse::<u32>() {
            Ok(number) => td_string!(language, offerings.parameter, number = number + 1).to_string(),
            // A difference between versions names parameters by their key.
            Err(_) => number.to_owned(),
        };
        return format!("{which} · {}", plain_text(language, rest).map_or_else(|| rest.to_owned(), str::to_owned));
    }
    let secret = field.strip_prefix("base.secrets.").and_then(|rest| rest.split_once('.'));
    if let Some((Ok(number), part)) = secret.map(|(number, part)| (number.parse::<usize>(), part)) {
        return match part {
            "name" => td_string!(language, offerings.secret_name, number = number + 1).to_string(),
            _ => td_string!(language, offerings.secret_value, number = number + 1).to_string(),
        };
    }
    plain_text(language, field).map_or_else(|| field.to_owned(), str::to_owned)
}

fn plain_text(language: Language, field: &str) -> Option<&'static str> {
    let field = field.strip_prefix("base.").unwrap_or(field);
    Some(match field {
        "slug" => td_string!(language, offerings.slug),
        "yaml" => td_string!(language, offerings.yaml_paste),
        "name.zh" => td_string!(language, offerings.name_zh),
        "name.en" => td_string!(language, offerings.name_en),
        "summary.zh" => td_string!(language, offerings.summary_zh),
        "summary.en" => td_string!(language, offerings.summary_en),
        "icon" => td_string!(language, offerings.icon),
        "workload" => td_string!(language, offerings.workload),
        "image" => td_string!(language, offerings.image),
        "card" => td_string!(language, offerings.card),
        "cards_per_node" => td_string!(language, offerings.cards_per_node),
        "nodes" => td_string!(language, offerings.nodes),
        "cpu_cores" => td_string!(language, offerings.cpu_cores),
        "memory_gib" => td_string!(language, offerings.memory_gib),
        "storage_gib" => td_string!(language, offerings.storage_gib),
        "port" => td_string!(language, offerings.port),
        "health_path" => td_string!(language, offerings.health_path),
        "retries" => td_string!(language, offerings.retries),
        "app_access.variable" => td_string!(language, offerings.access_variable),
        "app_access.header" => td_string!(language, offerings.access_header),
        "git_url" => td_string!(language, offerings.git_url),
        "duration.default" => td_string!(language, offerings.duration_default),
        "duration.min" => td_string!(language, offerings.duration_min),
        "duration.max" => td_string!(language, offerings.duration_max),
        "key" => td_string!(language, offerings.key),
        "label.zh" => td_string!(language, offerings.label_zh),
        "label.en" => td_string!(language, offerings.label_en),
        "help.zh" => td_string!(language, offerings.help_zh),
        "help.en" => td_string!(language, offerings.help_en),
        "variable" => td_string!(language, offerings.variable),
        "kind" => td_string!(language, offerings.parameter_kind),
        "min" => td_string!(language, offerings.min),
        "max" => td_string!(language, offerings.max),
        "step" => td_string!(language, offerings.step),
        "unit" => td_string!(language, offerings.unit),
        "max_length" => td_string!(language, offerings.max_length),
        "default" => td_string!(language, offerings.default),
        "optional" => td_string!(language, offerings.optional),
        "parameters" => td_string!(language, offerings.chapter_parameters),
        _ if field.starts_with("command") => td_string!(language, offerings.command),
        _ if field.starts_with("environment") => td_string!(language, offerings.environment),
        _ if field.starts_with("secrets") => td_string!(language, offerings.secrets),
        _ if field.starts_with("options") => td_string!(language, offerings.options),
        _ if field.starts_with("target") => td_string!(language, offerings.target),
        _ if field.starts_with("audience.tenants") => td_string!(language, offerings.audience_tenants),
        _ if field.starts_with("audience.roles") => td_string!(language, offerings.audience_roles),
        _ => return None,
    })
}
