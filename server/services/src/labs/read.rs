//! Reading labs.

use domain::{
    Result,
    ids::LabId,
    labs::{LabDetail, LabFilter, LabView},
    page::{Page, PageRequest},
};

use crate::{Caller, Services};

pub async fn get(_services: &Services, _caller: &Caller, _id: LabId) -> Result<LabDetail> {
    todo!()
}

/// What the caller may read, newest first.
pub async fn list(_services: &Services, _caller: &Caller, _filter: &LabFilter, _page: &PageRequest) -> Result<Page<LabView>> {
    todo!()
}

/// The YAML that the cluster is given for the lab.
pub async fn manifests(_services: &Services, _caller: &Caller, _id: LabId) -> Result<String> {
    todo!()
}
