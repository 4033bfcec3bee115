//! Labs' own secrets: values by which only the door reaches the application of a lab. Each belongs to one lab and one making of its pods. None is
//! stored: they are derived from one random value, which is stored like every other secret. So a change of the key that encrypts it
//! changes none of them, and the same call after a crash gives the same.

use domain::{
    Result,
    catalogue::AppAccess,
    ids::LabId,
    labs::{Lab, LabPod},
    secret::Secret,
};
use ring::hmac;
use storage::{
    Write,
    secrets::{Owner, OwnerKind, StoredSecret},
};
use tokio::sync::OnceCell;

use super::{keep, open};
use crate::{
    Services,
    encryption::{EncryptionError, hex},
    error::{OrDomain, internal},
};

const NAME: &str = "root";
/// Bytes of the random value.
const LENGTH: usize = 32;

/// The value that all are derived from, once it was read.
#[derive(Default)]
pub(crate) struct Root(OnceCell<hmac::Key>);

fn owner() -> Owner {
    Owner { kind: OwnerKind::Labs, id: "labs".into() }
}

/// Derives the own secrets of labs.
#[derive(Clone)]
pub(crate) struct OwnSecrets(hmac::Key);

impl OwnSecrets {
    /// The secret of the lab's pods of this generation: 64 hexadecimal digits.
    pub(crate) fn of(&self, lab: LabId, generation: u32) -> Secret {
        // Another purpose gets another first line.
        let tag = hmac::sign(&self.0, format!("lectern lab secret 1\n{lab}\n{generation}").as_bytes());
        Secret::new(hex(tag.as_ref()))
    }
}

/// The derivation of this installation, from memory after the first time. Errors: `Internal` if the stored value cannot be decrypted.
pub(crate) async fn own_secrets(services: &Services) -> Result<OwnSecrets> {
    // On the heap: all calls but the first need no room for its statements.
    let key = services.own_root.0.get_or_try_init(|| Box::pin(load(services))).await?;
    Ok(OwnSecrets(key.clone()))
}

/// The lab's own secret for the pods that it is to have now; `None` if its application takes none.
pub(crate) async fn of_pods_to_come(services: &Services, lab: &Lab) -> Result<Option<Secret>> {
    if lab.spec.app_access.is_none() {
        return Ok(None);
    }
    Ok(Some(own_secrets(services).await?.of(lab.id, lab.lifecycle.generation)))
}

/// The way in which the application of one lab takes its secret.
#[derive(Clone)]
pub(crate) struct Shown {
    secrets: OwnSecrets,
    lab: LabId,
    access: AppAccess,
}

impl Shown {
    /// The header for the application in this pod: its name in lower case and its value.
    pub(crate) fn to(&self, pod: &LabPod) -> Option<(String, Secret)> {
        let (name, before, after) = self.access.parts()?;
        let secret = self.secrets.of(self.lab, pod.generation);
        Some((name, Secret::new([before, secret.expose().as_str(), after].concat())))
    }
}

/// The way in which the lab's application takes its secret; `None` if it takes none.
pub(crate) async fn shown(services: &Services, lab: LabId, access: Option<&AppAccess>) -> Result<Option<Shown>> {
    let Some(access) = access else { return Ok(None) };
    Ok(Some(Shown { secrets: own_secrets(services).await?, lab, access: access.clone() }))
}

/// Makes the value that all are derived from, if there is none. Does nothing without a key to encrypt it with.
pub(crate) async fn lay_down(services: &Services, write: &mut Write) -> Result<()> {
    storage::dialect::lock(write, "own secrets of labs").await.or_domain()?;
    if services.settings.keyring.is_empty() || !storage::secrets::of_owner(write, &owner()).await.or_domain()?.is_empty() {
        return Ok(());
    }
    let mut bytes = [0; LENGTH];
    services.entropy.fill(&mut bytes);
    keep(services, write, &owner(), NAME, &Secret::new(hex(&bytes)), false).await.map(drop)
}

async fn load(services: &Services) -> Result<hmac::Key> {
    let stored = if let Some(stored) = find(services).await? {
        stored
    } else {
        // An installation from before there were own secrets.
        let mut write = services.db.begin_write().await.or_domain()?;
        lay_down(services, &mut write).await?;
        write.commit().await.or_domain()?;
        find(services).await?.ok_or_else(|| internal(&EncryptionError::NoKey))?
    };
    let root = open(services, &stored).map_err(|error| internal(&error))?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, root.expose().as_bytes()))
}

async fn find(services: &Services) -> Result<Option<StoredSecret>> {
    let mut read = services.db.read().await.or_domain()?;
    Ok(storage::secrets::of_owner(&mut read, &owner()).await.or_domain()?.into_iter().next())
}
