//! Reading and writing offerings. The editor posts its fields as one map, so that rows come and go without scripts.

use domain::{
    catalogue::Localized,
    offerings::{Fields, ManagedOffering, OfferingHistory, OfferingPreview},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// By which the editor finds what its last try left behind.
pub const FORM: &str = "offering";

/// What the editor is drawn from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditorPage {
    /// `None` for a new offering.
    pub history: Option<OfferingHistory>,
    /// Slug and name of every tenant.
    pub tenants: Vec<(String, String)>,
    /// Slugs and names to start a new one from.
    pub others: Vec<(String, Localized)>,
    /// As typed before, else of the latest version.
    pub fields: Fields,
    /// Why the last try did not work.
    pub error: Option<domain::Error>,
    pub preview: OfferingPreview,
    /// The latest version as a file.
    pub yaml: String,
    /// What was pasted and refused.
    pub pasted: String,
    /// How much of the pasted text is there again.
    pub kept: Kept,
    /// Names of secrets that were stored unencrypted before and have to be replaced.
    pub exposed: Vec<String>,
}

/// How much of a refused text comes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kept {
    #[default]
    Whole,
    /// Without the values of its secrets.
    WithoutSecrets,
    /// Nothing: a secret may be anywhere in it.
    Nothing,
}

#[cfg(feature = "ssr")]
impl Kept {
    fn of(typed: &str, kept: &str) -> Self {
        match kept {
            kept if kept == typed => Self::Whole,
            "" => Self::Nothing,
            _ => Self::WithoutSecrets,
        }
    }
    const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::WithoutSecrets => "without_secrets",
            Self::Nothing => "nothing",
        }
    }
    fn named(text: &str) -> Self {
        [Self::WithoutSecrets, Self::Nothing].into_iter().find(|kept| kept.as_str() == text).unwrap_or_default()
    }
}

#[server(ListManagedOfferings, endpoint = "offerings/list", input = GetUrl)]
pub async fn managed_offerings() -> Result<Vec<ManagedOffering>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::offerings::list(&services()?, &caller()?).await?)
}

/// `slug` may be `new`; then `from` names the offering to start from.
#[server(ReadOfferingEditor, endpoint = "offerings/editor", input = GetUrl)]
pub async fn read_editor(#[server(default)] slug: String, #[server(default)] from: String) -> Result<EditorPage, AppError> {
    use crate::caller::{caller, services, take_flash};
    use domain::offerings::{fields_of, offering_of};
    let (services, caller) = (services()?, caller()?);
    services::offerings::allowed(&services, &caller).await?;
    let tenants = services::offerings::tenants(&services, &caller).await?;
    let mut page = EditorPage { tenants: tenants.into_iter().map(|tenant| (tenant.slug, tenant.name)).collect(), ..EditorPage::default() };
    let is_new = slug == "new";
    let source = if is_new { from } else { slug };
    let source = if source.is_empty() { None } else { Some(services::offerings::history(&services, &caller, &source).await?) };
    if is_new {
        let all = services::offerings::list(&services, &caller).await?;
        page.others = all.into_iter().map(|row| (row.current.offering.slug, row.current.offering.name)).collect();
    }
    match source.as_ref().and_then(OfferingHistory::latest) {
        Some(latest) => {
            page.fields = fields_of(&latest.offering);
            page.yaml = services::offerings::yaml::write(&latest.offering);
            page.exposed = services::secrets::once_in_clear(&services, &latest.offering).await?;
        }
        None => page.fields = blank(),
    }
    if is_new {
        page.fields.insert("slug".into(), String::new());
        // The secrets of another offering are not copied: the new offering needs values of its own.
        page.fields.retain(|name, _| !(name.starts_with("base.secrets.") && name.ends_with(".stored")));
    } else {
        page.history = source;
    }
    if let Some(flash) = take_flash(FORM).await {
        page.error = flash.error;
        match flash.values.get("yaml") {
            Some(pasted) => {
                page.pasted.clone_from(pasted);
                page.kept = flash.values.get("kept").map_or(Kept::Whole, |kept| Kept::named(kept));
            }
            None if !flash.values.is_empty() => page.fields = flash.values,
            None => {}
        }
    }
    let id = domain::ids::OfferingId::from_uuid(services.entropy.uuid());
    page.preview = match offering_of(&page.fields, id, 1) {
        Ok(offering) => services::offerings::preview(&services, &caller, &offering).await?,
        Err(error) => problems(error)?,
    };
    Ok(page)
}

/// A new offering before anything is typed.
#[cfg(feature = "ssr")]
fn blank() -> Fields {
    let start = [
        ("icon", "book"),
        ("workload", "notebook"),
        ("base.port", "8888"),
        ("base.card", "a100-80g-1g.10gb"),
        ("base.cards_per_node", "1"),
        ("base.nodes", "1"),
        ("base.cpu_cores", "4"),
        ("base.memory_gib", "16"),
        ("base.storage_gib", "20"),
        ("duration.default", "90"),
        ("duration.min", "30"),
        ("duration.max", "720"),
    ];
    start.into_iter().map(|(field, value)| (field.to_owned(), value.to_owned())).collect()
}

#[cfg(feature = "ssr")]
fn problems(error: domain::Error) -> Result<OfferingPreview, AppError> {
    match error {
        domain::Error::Invalid(problems) => Ok(OfferingPreview { problems, ..OfferingPreview::default() }),
        other => Err(other.into()),
    }
}

/// The services and somebody who may write offerings. Called before anything is done with what was sent.
#[cfg(feature = "ssr")]
async fn writer() -> Result<(crate::caller::Services, crate::caller::Caller), AppError> {
    let (services, caller) = (crate::caller::services()?, crate::caller::caller()?);
    services::offerings::allowed(&services, &caller).await?;
    Ok((services, caller))
}

/// What the fields as they are would cost and make.
#[server(PreviewOffering, endpoint = "offerings/preview")]
pub async fn preview_offering(#[server(default)] fields: Fields) -> Result<OfferingPreview, AppError> {
    let (services, caller) = writer().await?;
    match domain::offerings::offering_of(&fields, domain::ids::OfferingId::from_uuid(services.entropy.uuid()), 1) {
        Ok(offering) => Ok(services::offerings::preview(&services, &caller, &offering).await?),
        Err(error) => problems(error),
    }
}

/// `slug` is `new` or the offering's; `intent` is empty to save, else `add`, `remove.2` or `show`, which only change the form.
#[server(SaveOffering, endpoint = "offerings/save")]
pub async fn save_offering(
    #[server(default)] slug: String,
    #[server(default)] intent: String,
    #[server(default)] revision: String,
    #[server(default)] fields: Fields,
) -> Result<String, AppError> {
    use crate::{caller::*, routes};
    use domain::offerings::without_secrets;
    let page = routes::offering_editor(&slug);
    let (services, caller) = match writer().await {
        Ok(writer) => writer,
        Err(error) => return answer::<String>(FORM, &page, typed([]), Err(error), |slug| saved(slug)).await,
    };
    if let Some(changed) = super::fields::reshaped(&fields, &intent) {
        keep(FORM, without_secrets(changed)).await?;
        see_other(&format!("{page}#parameters"));
        return Ok(slug);
    }
    let result = async {
        let offering = domain::offerings::offering_of(&fields, domain::ids::OfferingId::from_uuid(services.entropy.uuid()), 1)?;
        let known = (slug != "new").then_some(slug.as_str());
        let saved = services::offerings::save(&services, &caller, known, offering, revision.trim().parse().ok()).await;
        Ok(saved.map_err(|error| domain::offerings::at_rows(&fields, error))?.offering.slug)
    }
    .await;
    answer(FORM, &page, without_secrets(fields), result, |slug| saved(slug)).await
}

/// Saves a pasted file as a draft.
#[server(ImportOffering, endpoint = "offerings/import")]
pub async fn import_offering(#[server(default)] slug: String, #[server(default)] yaml: String) -> Result<String, AppError> {
    use crate::{caller::*, routes};
    let page = routes::with_query(&routes::offering_editor(&slug), &[("tab", "yaml")]);
    let (services, caller) = match writer().await {
        Ok(writer) => writer,
        Err(error) => return answer::<String>(FORM, &page, typed([]), Err(error), |slug| saved(slug)).await,
    };
    let kept = services::offerings::yaml::without_secrets_apart(yaml.clone()).await;
    let how = Kept::of(&yaml, &kept);
    let pasted = typed([("yaml", kept.as_str()), ("kept", how.as_str())]);
    let result = async {
        // Lines are only of use beside the text that they count.
        let offering = if how == Kept::Whole {
            services::offerings::yaml::parse_shown_apart(yaml.clone()).await?
        } else {
            services::offerings::yaml::parse_apart(yaml.clone()).await?
        };
        let known = (slug != "new").then_some(slug.as_str());
        Ok(services::offerings::save(&services, &caller, known, offering, None).await?.offering.slug)
    }
    .await;
    answer(FORM, &page, pasted, result, |slug| saved(slug)).await
}

#[cfg(feature = "ssr")]
fn saved(slug: &str) -> String {
    crate::routes::with_query(&crate::routes::offering_editor(slug), &[("saved", "1")])
}

#[server(PublishOffering, endpoint = "offerings/publish")]
pub async fn publish_offering(#[server(default)] slug: String, #[server(default)] revision: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let page = routes::offering_editor(&slug);
    let result = async {
        services::offerings::publish(&services()?, &caller()?, &slug, revision.trim().parse().ok()).await?;
        Ok(())
    }
    .await;
    answer(FORM, &page, typed([]), result, |()| page.clone()).await
}

#[server(RetireOffering, endpoint = "offerings/retire")]
pub async fn retire_offering(#[server(default)] slug: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let page = routes::offering_editor(&slug);
    let result = async {
        services::offerings::retire(&services()?, &caller()?, &slug).await?;
        Ok(())
    }
    .await;
    answer(FORM, &page, typed([]), result, |()| page.clone()).await
}

#[server(RestoreOffering, endpoint = "offerings/restore")]
pub async fn restore_offering(#[server(default)] slug: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let page = routes::offering_editor(&slug);
    let result = async {
        services::offerings::restore(&services()?, &caller()?, &slug).await?;
        Ok(())
    }
    .await;
    answer(FORM, &page, typed([]), result, |()| page.clone()).await
}
