//! The key file for the secrets in the database: read, or made at the first start of an empty database. A server that lacks a key which its
//! database needs does not start, and never makes a new key instead.

use std::{fs, io, os::unix::fs::PermissionsExt as _, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use domain::secret::Secret;
use services::{
    Services,
    encryption::Keyring,
    ports::Clock as _,
    secrets::{self, KeyError},
};
use storage::Database;

use crate::{
    config::Config,
    lock,
    outside::{SystemClock, SystemEntropy},
};

/// Name of the file in the data folder, unless the settings name another file.
const NAME: &str = "secret.key";

fn path(config: &Config) -> PathBuf {
    config.secrets.key_file.clone().unwrap_or_else(|| config.storage.data.join(NAME))
}

/// The content of a key file with a new key.
pub fn new_file() -> Secret {
    Keyring::new_file(&SystemEntropy)
}

/// The keys of this server. Errors: the file cannot be read; it lacks a key that the database needs; the file named in the settings does
/// not exist.
pub async fn keyring(config: &Config, database: &Database) -> Result<Keyring> {
    let path = path(config);
    let found = read(&path)?;
    let there = if found.is_some() { "does not have it" } else { "is not there" };
    let make = || {
        if config.secrets.key_file.is_some() {
            bail!("secrets.key_file names {}, which is not there; `lectern secret-key` prints a new one", path.display());
        }
        let file = new_file();
        lock::write_private(&path, file.expose())?;
        tracing::info!("made the key file {}: back it up, apart from the database", path.display());
        Ok(Keyring::parse(file.expose())?)
    };
    match secrets::adopt(database, found, SystemClock.now(), make).await {
        Ok(keyring) => Ok(keyring),
        Err(error) => match error.downcast_ref::<KeyError>() {
            Some(KeyError::Missing(ids)) => bail!(
                "the secrets in the database are encrypted under the key {}, and {} {there}. Copy the key file of the server that made it \
                 there, or name it by secrets.key_file or --secret-key-file. No new key is made, since what is under the old one would be lost",
                ids.join(", "),
                path.display()
            ),
            _ => Err(error),
        },
    }
}

fn read(path: &std::path::Path) -> Result<Option<Keyring>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read the key file {}", path.display())),
    };
    if fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0) {
        tracing::warn!("everybody on this machine can read the key file {}: chmod 600 it", path.display());
    }
    Keyring::parse(text.expose()).map(Some).with_context(|| format!("the key file {} cannot be used", path.display()))
}

/// Encrypts secrets that an earlier release stored unencrypted, and re-encrypts those under an earlier key.
pub async fn encrypt(services: &Services) -> Result<()> {
    let moved = secrets::encrypt_clear(services).await.context("secrets that lie in clear could not be encrypted")?;
    for (offering, names) in &moved.offerings {
        let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        tracing::warn!(
            "{names} of the offering {offering} lay in the database in clear and are encrypted now. Earlier audit records, backups and \
             exports still hold them: replace them at their source, and enter the new ones in the offering"
        );
    }
    if !moved.orders.is_empty() {
        tracing::warn!(
            "secrets that were typed into {} orders lay in clear and are encrypted now: ask those who typed them to replace them",
            moved.orders.len()
        );
    }
    let renewed = secrets::renew(services).await.context("secrets could not be encrypted under the new key")?;
    if renewed > 0 {
        tracing::info!("{renewed} secrets are encrypted under the new key; the earlier one is needed no longer");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn database(folder: &std::path::Path) -> Database {
        let database = Database::open(&format!("sqlite:{}", folder.join("lectern.db").display())).await.unwrap();
        database.migrate().await.unwrap();
        database
    }

    fn config(data: &std::path::Path) -> Config {
        let mut config = Config::default();
        config.storage.data = data.to_owned();
        config
    }

    #[tokio::test]
    async fn the_first_start_makes_a_key_for_its_owner_only_and_the_next_ones_use_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path()).await;
        let made = keyring(&config(folder.path()), &database).await.unwrap();
        let file = folder.path().join(NAME);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = keyring(&config(folder.path()), &database).await.unwrap();
        assert_eq!(again.current(), made.current());
    }

    #[tokio::test]
    async fn a_second_server_without_the_key_is_refused_and_makes_none() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let database = database(first.path()).await;
        let made = keyring(&config(first.path()), &database).await.unwrap();
        let id = made.current().unwrap();
        let refused = keyring(&config(second.path()), &database).await.unwrap_err().to_string();
        assert!(refused.contains(id) && refused.contains("is not there") && refused.contains("--secret-key-file"), "{refused}");
        assert!(!second.path().join(NAME).exists(), "another key would open nothing");

        fs::write(second.path().join(NAME), new_file().expose()).unwrap();
        let refused = keyring(&config(second.path()), &database).await.unwrap_err().to_string();
        assert!(refused.contains(id) && refused.contains("does not have it"), "{refused}");

        let mut shared = config(second.path());
        shared.secrets.key_file = Some(first.path().join(NAME));
        assert_eq!(keyring(&shared, &database).await.unwrap().current(), made.current());
    }

    #[tokio::test]
    async fn a_named_file_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path()).await;
        let mut named = config(folder.path());
        named.secrets.key_file = Some(folder.path().join("shared.key"));
        let refused = keyring(&named, &database).await.unwrap_err().to_string();
        assert!(refused.contains("shared.key") && refused.contains("lectern secret-key"), "{refused}");
        fs::write(folder.path().join("shared.key"), "lectern-key-1 cafe\n").unwrap();
        let refused = format!("{:#}", keyring(&named, &database).await.unwrap_err());
        assert!(refused.contains("line 1") && !refused.contains("cafe"), "{refused}");
    }

    #[tokio::test]
    async fn a_new_key_on_top_of_the_old_one_becomes_the_current_one() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path()).await;
        let old = keyring(&config(folder.path()), &database).await.unwrap();
        let file = folder.path().join(NAME);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{}{text}", new_file().expose())).unwrap();
        let both = keyring(&config(folder.path()), &database).await.unwrap();
        assert!(both.current() != old.current() && both.has(old.current().unwrap()));
        fs::write(&file, &text).unwrap();
        let refused = keyring(&config(folder.path()), &database).await.unwrap_err().to_string();
        assert!(refused.contains(both.current().unwrap()), "the old key alone is not enough any more: {refused}");
    }
}
