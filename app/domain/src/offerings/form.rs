//! An offering as the flat fields of the editor and back. Fields are texts named as in the document, so that a problem found
//! by `check` stands at its field; a parameter is a row: `parameters.2.label.zh`.

use std::collections::BTreeMap;

use super::{Audience, check::is_variable};
use crate::{
    access::Role,
    catalogue::{AppAccess, ChoiceOption, DurationLimits, LabSpec, Localized, Offering, Parameter, ParameterKind, Target, Workload},
    error::{Error, FieldError, FieldErrors, Problem},
    gpu::Card,
    ids::OfferingId,
    secret::{SecretValue, has_secret, has_secret_argument, is_secret, is_secret_name},
};

const ENVIRONMENT: &str = "base.environment";
const SECRETS: &str = "base.secrets.";
/// Before the name of a field whose secret was not kept.
const AGAIN: &str = "again.";

/// Field name to typed text.
pub type Fields = BTreeMap<String, String>;

/// Number of parameter rows in the form.
pub fn rows(fields: &Fields) -> usize {
    let numbers = fields.keys().filter_map(|key| key.strip_prefix("parameters.")?.split('.').next()?.parse::<usize>().ok());
    numbers.max().map_or(0, |last| last.min(super::MAX_PARAMETERS * 2) + 1)
}

/// Number of secret rows in the form.
pub fn secret_rows(fields: &Fields) -> usize {
    let numbers = fields.keys().filter_map(|key| key.strip_prefix(SECRETS)?.split('.').next()?.parse::<usize>().ok());
    numbers.max().map_or(0, |last| last.min(super::MAX_SECRETS * 2) + 1)
}

/// The fields without the values of secrets: a form that was refused may be kept in this form only. Each field that lost a value is
/// marked: see [`must_be_typed_again`].
#[must_use]
pub fn without_secrets(mut fields: Fields) -> Fields {
    let secret_variables: Vec<String> = fields
        .iter()
        .filter(|(_, text)| is_secret_name(text.trim()))
        .filter_map(|(name, _)| Some(format!("{}.", name.strip_suffix(".variable")?)))
        .collect();
    let mut again = Vec::new();
    for (name, text) in &mut fields {
        let is_value = name.strip_prefix(SECRETS).is_some_and(|row| row.rsplit('.').next() == Some("value"));
        // Values that people choose from, and the default, of a variable that is a secret by its name.
        let of_variable = |row: &String| name.strip_prefix(row.as_str()).is_some_and(|field| ["default", "options"].contains(&field));
        let is_secret = is_value || secret_variables.iter().any(of_variable) || name != ENVIRONMENT && is_found(text);
        if is_secret && !text.is_empty() {
            text.clear();
            again.push(name.clone());
        }
    }
    if let Some(text) = fields.get_mut(ENVIRONMENT) {
        let is_lost = |line: &str| line.split_once('=').is_some_and(|(name, value)| !value.trim().is_empty() && is_secret(name.trim(), value));
        if text.lines().any(is_lost) {
            again.push(ENVIRONMENT.to_owned());
        }
        let line = |line: &str| match line.split_once('=') {
            Some((name, value)) if is_secret(name.trim(), value) => format!("{name}="),
            _ => line.to_owned(),
        };
        *text = text.lines().map(line).collect::<Vec<_>>().join("\n");
    }
    fields.extend(again.into_iter().map(|name| (format!("{AGAIN}{name}"), "on".to_owned())));
    fields
}

/// Whether [`without_secrets`] took a value out of this field.
pub fn must_be_typed_again(fields: &Fields, field: &str) -> bool {
    fields.contains_key(&format!("{AGAIN}{field}"))
}

/// All fields of which [`must_be_typed_again`] is true.
pub fn typed_again(fields: &Fields) -> impl Iterator<Item = &str> {
    fields.keys().filter_map(|name| name.strip_prefix(AGAIN))
}

/// Whether a text holds a secret in one of its lines: a command has one argument a line.
fn is_found(text: &str) -> bool {
    has_secret(text) || has_secret_argument(&text.lines().map(str::to_owned).collect::<Vec<_>>())
}

/// What the editor's fields start with.
pub fn fields_of(offering: &Offering) -> Fields {
    let Offering { id: _, slug, version: _, name, summary, icon, workload, audience, base, duration, parameters } = offering;
    let mut out = Fields::new();
    let mut put = |name: &str, text: String| _ = out.insert(name.to_owned(), text);
    put("slug", slug.clone());
    put("name.zh", name.zh.clone());
    put("name.en", name.en.clone());
    put("summary.zh", summary.zh.clone());
    put("summary.en", summary.en.clone());
    put("icon", icon.clone());
    put("workload", workload.as_str().into());
    audience.tenants.iter().for_each(|tenant| put(&format!("audience.tenants.{tenant}"), "on".into()));
    audience.roles.iter().for_each(|role| put(&format!("audience.roles.{}", role.as_str()), "on".into()));
    let LabSpec {
        workload: _,
        image,
        command,
        port,
        card,
        cards_per_node,
        nodes,
        cpu_cores,
        memory_gib,
        storage_gib,
        git_url,
        environment,
        secrets,
        retries,
        health_path,
        app_access,
    } = base;
    put("base.image", image.clone());
    put("base.command", command.iter().map(|argument| escaped(argument)).collect::<Vec<_>>().join("\n"));
    put("base.port", port.to_string());
    put("base.card", card.id().to_owned());
    let numbers = [
        ("base.cards_per_node", cards_per_node),
        ("base.nodes", nodes),
        ("base.cpu_cores", cpu_cores),
        ("base.memory_gib", memory_gib),
        ("base.storage_gib", storage_gib),
        ("base.retries", retries),
        ("duration.default", &duration.default),
        ("duration.min", &duration.min),
        ("duration.max", &duration.max),
    ];
    for (name, number) in numbers {
        put(name, number.to_string());
    }
    put("base.git_url", git_url.clone().unwrap_or_default());
    put("base.health_path", health_path.clone().unwrap_or_default());
    put("base.app_access.variable", app_access.as_ref().map(|access| access.variable.clone()).unwrap_or_default());
    put("base.app_access.header", app_access.as_ref().map(|access| access.header.clone()).unwrap_or_default());
    for (number, (name, value)) in secrets.iter().enumerate() {
        put(&format!("{SECRETS}{number}.name"), name.clone());
        put(&format!("{SECRETS}{number}.value"), String::new());
        if value.stored().is_some() {
            put(&format!("{SECRETS}{number}.stored"), "on".to_owned());
        }
    }
    put(ENVIRONMENT, environment.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n"));
    for (number, parameter) in parameters.iter().enumerate() {
        row_of(parameter, &mut |name, text| put(&format!("parameters.{number}.{name}"), text));
    }
    out
}

fn row_of(parameter: &Parameter, put: &mut impl FnMut(&str, String)) {
    let Parameter { key, label, help, target, kind, default, optional } = parameter;
    put("key", key.clone());
    put("label.zh", label.zh.clone());
    put("label.en", label.en.clone());
    put("help.zh", help.as_ref().map(|help| help.zh.clone()).unwrap_or_default());
    put("help.en", help.as_ref().map(|help| help.en.clone()).unwrap_or_default());
    put("target", target.as_str().to_owned());
    if let Target::Environment(name) = target {
        put("variable", name.clone());
    }
    put("kind", kind.as_str().to_owned());
    match kind {
        ParameterKind::Integer { min, max, step, unit } => {
            put("min", min.to_string());
            put("max", max.to_string());
            put("step", step.to_string());
            put("unit", unit.clone());
        }
        ParameterKind::Choice { options } => {
            let line = |option: &ChoiceOption| format!("{} | {} | {}", option.value, option.label.zh, option.label.en);
            put("options", options.iter().map(line).collect::<Vec<_>>().join("\n"));
        }
        ParameterKind::Text { max_length } => put("max_length", max_length.to_string()),
        ParameterKind::GitUrl => {}
    }
    put("default", default.clone().unwrap_or_default());
    if *optional {
        put("optional", "on".to_owned());
    }
}

/// The offering that the fields describe, checked. Rows without anything typed are left out.
///
/// Errors: [`Error::Invalid`] with every problem, each at its field.
pub fn offering_of(fields: &Fields, id: OfferingId, version: u32) -> Result<Offering, Error> {
    let mut form = Form { fields, errors: FieldErrors::default() };
    let workload = form.word("workload", Workload::parse, || Workload::ALL.map(Workload::as_str).to_vec()).unwrap_or(Workload::Notebook);
    let mut offering = Offering {
        id,
        slug: form.text("slug"),
        version,
        name: form.localized("name"),
        summary: form.localized("summary"),
        icon: form.text("icon"),
        workload,
        audience: form.audience(),
        base: LabSpec {
            workload,
            image: form.text("base.image"),
            command: form.lines("base.command").iter().map(|line| unescaped(line)).collect(),
            port: form.port("base.port"),
            card: form.word("base.card", |text| text.parse::<Card>().ok(), cards).unwrap_or_else(first_card),
            cards_per_node: form.number("base.cards_per_node"),
            nodes: form.number("base.nodes"),
            cpu_cores: form.number("base.cpu_cores"),
            memory_gib: form.number("base.memory_gib"),
            storage_gib: form.number("base.storage_gib"),
            git_url: form.optional("base.git_url"),
            environment: form.environment(),
            secrets: form.secrets(),
            retries: form.number_or("base.retries", 0),
            health_path: form.optional("base.health_path"),
            app_access: form.app_access(),
        },
        duration: DurationLimits { default: form.number("duration.default"), min: form.number("duration.min"), max: form.number("duration.max") },
        parameters: Vec::new(),
    };
    // Rows that stay keep their numbers in messages.
    let mut numbers = Vec::new();
    for number in 0..rows(fields) {
        if let Some(parameter) = form.parameter(number) {
            numbers.push(number);
            offering.parameters.push(parameter);
        }
    }
    let Form { mut errors, .. } = form;
    offering.base.separate_secrets();
    if let Err(Error::Invalid(problems)) = offering.check() {
        for problem in problems {
            let FieldError { field, problem } = at_row(fields, FieldError { field: renumbered(&problem.field, &numbers), ..problem });
            if !errors.has(&field) {
                errors.push(field, problem);
            }
        }
    }
    errors.finish()?;
    Ok(offering.normalised())
}

/// `parameters.1.key` of the offering as the row that it came from.
fn renumbered(field: &str, numbers: &[usize]) -> String {
    let row = field.strip_prefix("parameters.").and_then(|rest| rest.split_once('.')).and_then(|(number, rest)| {
        let number: usize = number.parse().ok()?;
        Some(format!("parameters.{}.{rest}", numbers.get(number)?))
    });
    row.unwrap_or_else(|| field.to_owned())
}

/// The same error, with each problem of a secret moved to the row of that secret.
#[must_use]
pub fn at_rows(fields: &Fields, error: Error) -> Error {
    match error {
        Error::Invalid(problems) => Error::Invalid(problems.into_iter().map(|problem| at_row(fields, problem)).collect()),
        other => other,
    }
}

/// The same problem, at the row of the secret that a field such as `base.secrets.HF_TOKEN` names: at its name or at its value. A secret
/// without a row came from a line of the environment.
fn at_row(fields: &Fields, problem: FieldError) -> FieldError {
    let Some(name) = problem.field.strip_prefix(SECRETS) else { return problem };
    let is_named = |number: &usize| fields.get(&format!("{SECRETS}{number}.name")).is_some_and(|typed| typed.trim() == name);
    let is_line = |line: &str| line.split_once('=').is_some_and(|(typed, _)| typed.trim() == name);
    let part = if !is_variable(name) || problem.problem == Problem::Taken { "name" } else { "value" };
    let field = match (0..secret_rows(fields)).find(is_named) {
        Some(number) => format!("{SECRETS}{number}.{part}"),
        None if fields.get(ENVIRONMENT).is_some_and(|text| text.lines().any(is_line)) => ENVIRONMENT.to_owned(),
        None => return problem,
    };
    FieldError { field, ..problem }
}

struct Form<'f> {
    fields: &'f Fields,
    errors: FieldErrors,
}

impl Form<'_> {
    fn text(&self, name: &str) -> String {
        self.fields.get(name).map(|text| text.trim().to_owned()).unwrap_or_default()
    }
    fn optional(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }
    fn is_on(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }
    fn localized(&self, name: &str) -> Localized {
        Localized { zh: self.text(&format!("{name}.zh")), en: self.text(&format!("{name}.en")) }
    }
    fn lines(&self, name: &str) -> Vec<String> {
        let text = self.fields.get(name).map_or("", String::as_str);
        text.lines().map(|line| line.trim_end_matches('\r').to_owned()).filter(|line| !line.trim().is_empty()).collect()
    }
    /// A number that is too large for its type becomes the largest one; the check of the offering then refuses it with the range of the
    /// field.
    fn number(&mut self, name: &str) -> u32 {
        let text = self.text(name);
        match text.parse() {
            Ok(number) => number,
            Err(_) if text.is_empty() => self.wrong(name, Problem::Missing),
            Err(_) if text.bytes().all(|byte| byte.is_ascii_digit()) => u32::MAX,
            Err(_) => self.wrong(name, Problem::NotANumber),
        }
    }
    fn port(&mut self, name: &str) -> u16 {
        let number = self.number(name);
        u16::try_from(number).unwrap_or_else(|_| self.wrong(name, Problem::OutOfRange { min: 1, max: u16::MAX.into() }))
    }
    fn wrong<T: Default>(&mut self, name: &str, problem: Problem) -> T {
        self.errors.push(name, problem);
        T::default()
    }
    fn number_or(&mut self, name: &str, otherwise: u32) -> u32 {
        if self.text(name).is_empty() { otherwise } else { self.number(name) }
    }
    fn word<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>, choices: impl Fn() -> Vec<&'static str>) -> Option<T> {
        let text = self.text(name);
        let word = parse(&text);
        if word.is_none() {
            let known = || Problem::NotOneOf { choices: choices().into_iter().map(str::to_owned).collect() };
            self.errors.push(name, if text.is_empty() { Problem::Missing } else { known() });
        }
        word
    }

    fn audience(&mut self) -> Audience {
        let tenants = self.fields.keys().filter_map(|name| name.strip_prefix("audience.tenants.")).map(str::to_owned).collect();
        let roles = Role::ALL.into_iter().filter(|role| self.is_on(&format!("audience.roles.{}", role.as_str()))).collect();
        Audience { tenants, roles }
    }

    fn environment(&mut self) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for line in self.lines("base.environment") {
            match line.split_once('=') {
                Some((name, value)) => _ = out.insert(name.trim().to_owned(), value.trim().to_owned()),
                None => self.errors.push("base.environment", Problem::BadFormat { example: "LESSON_NAME=lesson-1".into() }),
            }
        }
        out
    }

    /// `None` if both fields are empty; the check refuses one without the other.
    fn app_access(&self) -> Option<AppAccess> {
        let access = AppAccess { variable: self.text("base.app_access.variable"), header: self.text("base.app_access.header") };
        (!access.variable.is_empty() || !access.header.is_empty()).then_some(access)
    }

    /// A row without a name and value is left out; a value without a name is an error.
    fn secrets(&mut self) -> BTreeMap<String, SecretValue> {
        let mut out = BTreeMap::new();
        for number in 0..secret_rows(self.fields) {
            let field = format!("{SECRETS}{number}.name");
            let name = self.text(&field);
            // Not trimmed: a space may be part of a password.
            let value = self.fields.get(&format!("{SECRETS}{number}.value")).map_or("", String::as_str);
            if name.is_empty() {
                if !value.is_empty() {
                    self.errors.push(field, Problem::Missing);
                }
            } else if out.insert(name, SecretValue::typed(value)).is_some() {
                self.errors.push(field, Problem::Taken);
            }
        }
        out
    }

    fn parameter(&mut self, number: usize) -> Option<Parameter> {
        let name = |field: &str| format!("parameters.{number}.{field}");
        let typed = ["key", "label.zh", "label.en", "help.zh", "help.en", "default"];
        if typed.iter().all(|field| self.text(&name(field)).is_empty()) {
            return None;
        }
        let key = self.text(&name("key"));
        let variable = self.text(&name("variable"));
        let target = self.word(&name("target"), |text| Target::parse(text, &variable), || Target::WORDS.to_vec()).unwrap_or(Target::GitUrl);
        let kind = match self.text(&name("kind")).as_str() {
            "integer" => ParameterKind::Integer {
                min: self.number(&name("min")),
                max: self.number(&name("max")),
                step: self.number_or(&name("step"), 1),
                unit: self.text(&name("unit")),
            },
            "choice" => ParameterKind::Choice { options: self.options(&name("options")) },
            "text" => ParameterKind::Text { max_length: self.number_or(&name("max_length"), 200) },
            "git_url" => ParameterKind::GitUrl,
            _ => {
                let kinds = ["integer", "choice", "text", "git_url"];
                self.errors.push(name("kind"), Problem::NotOneOf { choices: kinds.map(str::to_owned).to_vec() });
                ParameterKind::GitUrl
            }
        };
        let help = Some(self.localized(&name("help"))).filter(|help| !(help.zh.is_empty() && help.en.is_empty()));
        let (default, optional) = (self.optional(&name("default")), self.is_on(&name("optional")));
        Some(Parameter { key, label: self.localized(&name("label")), help, target, kind, default, optional })
    }

    /// `value | 中文 | English`; one text stands for both languages, none for the value itself.
    fn options(&self, name: &str) -> Vec<ChoiceOption> {
        let option = |line: String| {
            let mut parts = line.split('|').map(str::trim);
            let value = parts.next().unwrap_or_default().to_owned();
            let zh = parts.next().filter(|text| !text.is_empty()).unwrap_or(&value).to_owned();
            let en = parts.next().filter(|text| !text.is_empty()).unwrap_or(&zh).to_owned();
            ChoiceOption { value, label: Localized { zh, en } }
        };
        self.lines(name).into_iter().map(option).collect()
    }
}

impl Target {
    pub const WORDS: [&str; 10] =
        ["image", "card", "cards_per_node", "nodes", "cpu_cores", "memory_gib", "storage_gib", "git_url", "retries", "environment"];

    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Card => "card",
            Self::CardsPerNode => "cards_per_node",
            Self::Nodes => "nodes",
            Self::CpuCores => "cpu_cores",
            Self::MemoryGib => "memory_gib",
            Self::StorageGib => "storage_gib",
            Self::GitUrl => "git_url",
            Self::Retries => "retries",
            Self::Environment(_) => "environment",
        }
    }
    /// `variable` is the name that `environment` sets.
    pub fn parse(text: &str, variable: &str) -> Option<Self> {
        Some(match text {
            "image" => Self::Image,
            "card" => Self::Card,
            "cards_per_node" => Self::CardsPerNode,
            "nodes" => Self::Nodes,
            "cpu_cores" => Self::CpuCores,
            "memory_gib" => Self::MemoryGib,
            "storage_gib" => Self::StorageGib,
            "git_url" => Self::GitUrl,
            "retries" => Self::Retries,
            "environment" => Self::Environment(variable.to_owned()),
            _ => return None,
        })
    }
}

fn cards() -> Vec<&'static str> {
    Card::all().map(Card::id).collect()
}

/// Any card will do where the field has a problem of its own.
fn first_card() -> Card {
    Card::all().next().unwrap_or_else(|| unreachable!("there are cards"))
}

/// An argument on a line of its own: a line break inside is `\n`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match (sign, if sign == '\\' { signs.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some(other)) => out.push(other),
            (sign, _) => out.push(sign),
        }
    }
    out
}
