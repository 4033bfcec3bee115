//! Lists of people and courses. A file is posted to the server's own route, since server functions take no files.

use std::collections::BTreeMap;

use domain::{
    imports::{Import, ImportRow},
    page::Page,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

#[server(ListImports, endpoint = "imports/list", input = GetUrl)]
pub async fn imports(#[server(default)] after: String) -> Result<Page<Import>, AppError> {
    use crate::caller::{caller, services};
    let page = domain::page::PageRequest { after: Some(after).filter(|after| !after.is_empty()), ..Default::default() };
    Ok(services::imports::list(&services()?, &caller()?, &page).await?)
}

/// `show`: a verdict, or nothing for all rows.
#[server(GetImport, endpoint = "imports/get", input = GetUrl)]
pub async fn import(id: String, #[server(default)] show: String, #[server(default)] after: String) -> Result<(Import, Page<ImportRow>), AppError> {
    use crate::caller::{caller, id_of, services};
    let page = domain::page::PageRequest { after: Some(after).filter(|after| !after.is_empty()), ..Default::default() };
    let verdict = domain::imports::Verdict::parse(&show);
    Ok(services::imports::get(&services()?, &caller()?, id_of(&id)?, verdict, &page).await?)
}

#[server(MendRow, endpoint = "imports/mend")]
pub async fn mend(
    id: String,
    #[server(default)] number: String,
    #[server(default)] show: String,
    #[server(default)] cells: BTreeMap<String, String>,
) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        services::imports::mend(&services()?, &caller()?, id_of(&id)?, id_of(&number)?, &cells).await?;
        Ok(())
    }
    .await;
    answer("import", routes::IMPORTS, typed([]), result, |()| routes::with_query(&routes::import(&id), &[("show", &show)])).await
}

#[server(StartImport, endpoint = "imports/start")]
pub async fn start(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        services::imports::start(&services()?, &caller()?, id_of(&id)?).await?;
        Ok(())
    }
    .await;
    answer("import", routes::IMPORTS, typed([]), result, |()| routes::import(&id)).await
}
