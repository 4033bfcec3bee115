//! Moves unencrypted secrets from documents into the secret store when the server starts; they are from before the store existed. Audit
//! records cannot be changed and keep their values, so the log asks to replace these secrets.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Result,
    catalogue::Offering,
    ids::{OfferingId, SecretId},
    secret::{MASK, Secret, SecretValue, is_known_secret},
};
use serde_json::{Value, json};
use storage::{
    Write,
    secrets::{
        Owner, OwnerKind,
        clear::{Document, Place, documents, replace},
    },
};

use super::{keep, of_offering};
use crate::{
    Services,
    audit::{self, Entry},
    error::{OrDomain, internal},
};

/// Key in `settings`: set when the move was made.
const DONE: &str = "secrets.moved";
/// Audit action of the move.
const ACTION: &str = "offering.encrypt_secrets";

/// The moved secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// Slug of each offering, with the names of its secrets.
    pub offerings: BTreeMap<String, BTreeSet<String>>,
    /// Orders that had a secret typed into a parameter.
    pub orders: BTreeSet<String>,
}

/// Encrypts all unencrypted secrets in documents, once in the life of a database. One transaction: all or none.
pub async fn encrypt_clear(services: &Services) -> Result<Moved> {
    let mut write = services.db.begin_write().await.or_domain()?;
    storage::dialect::lock(&mut write, DONE).await.or_domain()?;
    if storage::settings::get::<bool>(&mut write, DONE).await.or_domain()?.is_some() {
        return Ok(Moved::default());
    }
    let mut mover = Mover { services, write, moved: Moved::default(), stored: BTreeMap::new(), typed: BTreeMap::new() };
    for place in Place::ALL {
        // Typed parameters matter only if an offering has one that sets a secret.
        if place == Place::OrderParameters && mover.typed.is_empty() {
            continue;
        }
        for document in documents(&mut mover.write, place).await.or_domain()? {
            mover.document(&document).await?;
        }
    }
    let Mover { mut write, moved, .. } = mover;
    if moved != Moved::default() {
        storage::offerings::raise_version(&mut write).await.or_domain()?;
        for (slug, names) in &moved.offerings {
            let entry = Entry::new(ACTION, "offering", "", slug.clone()).after(json!({ "secrets": names, "values": MASK }));
            audit::by_system(services, &mut write, "secrets", entry).await?;
        }
    }
    storage::settings::set(&mut write, DONE, &true).await.or_domain()?;
    write.commit().await.or_domain()?;
    Ok(moved)
}

struct Mover<'s> {
    services: &'s Services,
    write: Write,
    moved: Moved,
    /// By offering, name and value: a value is stored once, even if several documents copied it.
    stored: BTreeMap<(OfferingId, String, String), SecretId>,
    /// Keys of parameters that set a secret variable.
    typed: BTreeMap<OfferingId, BTreeSet<String>>,
}

impl Mover<'_> {
    async fn document(&mut self, document: &Document) -> Result<()> {
        let mut value: Value = serde_json::from_str(&document.text).map_err(|error| internal(&error))?;
        match document.place {
            Place::Offering => self.offering(&mut value).await?,
            Place::OrderParameters => self.parameters(document.offering, &mut value),
            _ => self.everywhere(document, &mut value).await?,
        }
        let text = serde_json::to_string(&value).map_err(|error| internal(&error))?;
        // Only changed documents are written, so that numbers and texts of the others stay as they were.
        let before: Value = serde_json::from_str(&document.text).map_err(|error| internal(&error))?;
        if before != value {
            replace(&mut self.write, document, &text).await.or_domain()?;
        }
        Ok(())
    }

    /// Handles the base's variables, and the defaults of parameters that set a secret.
    async fn offering(&mut self, value: &mut Value) -> Result<()> {
        let mut offering: Offering = serde_json::from_value(value.clone()).map_err(|error| internal(&error))?;
        let id = offering.id;
        for parameter in &mut offering.parameters {
            let Some(name) = parameter.typed_variable().map(str::to_owned) else { continue };
            if !is_known_secret(&name, parameter.default.as_deref().unwrap_or_default()) {
                continue;
            }
            self.typed.entry(id).or_default().insert(parameter.key.clone());
            parameter.optional = true;
            if let Some(default) = parameter.default.take() {
                offering.base.environment.insert(name, default);
            }
        }
        offering.base.separate_secrets();
        for (name, secret) in &mut offering.base.secrets {
            if let SecretValue::Typed(typed) = secret {
                let stored = self.store(&of_offering(id), id, name, &typed.clone()).await?;
                *secret = SecretValue::Stored(stored);
                self.moved.offerings.entry(offering.slug.clone()).or_default().insert(name.clone());
            }
        }
        // A mask that was saved as a value is dropped.
        offering.base.secrets.retain(|_, secret| secret.stored().is_some());
        *value = serde_json::to_value(&offering).map_err(|error| internal(&error))?;
        Ok(())
    }

    /// Removes the typed values of such parameters.
    fn parameters(&mut self, offering: OfferingId, value: &mut Value) {
        if let (Some(keys), Value::Object(members)) = (self.typed.get(&offering), value) {
            members.retain(|key, _| !keys.contains(key));
        }
    }

    /// Handles every lab spec in a document, at any depth: moves secrets from `environment` to `secrets`; and every `parameters`.
    async fn everywhere(&mut self, document: &Document, value: &mut Value) -> Result<()> {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(parameters @ Value::Object(_)) = members.get_mut("parameters") {
                        self.parameters(document.offering, parameters);
                    }
                    let secrets = self.variables(document, members.get_mut("environment")).await?;
                    if !secrets.is_empty() {
                        let known = members.entry("secrets").or_insert_with(|| json!({}));
                        if let Value::Object(known) = known {
                            known.extend(secrets);
                        }
                    }
                    open.extend(members.values_mut());
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        Ok(())
    }

    async fn variables(&mut self, document: &Document, environment: Option<&mut Value>) -> Result<serde_json::Map<String, Value>> {
        let mut out = serde_json::Map::new();
        let Some(Value::Object(variables)) = environment else { return Ok(out) };
        let secret: Vec<(String, String)> = variables
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .filter(|(name, value)| is_known_secret(name, value))
            .collect();
        for (name, text) in secret {
            variables.remove(&name);
            let owner = Owner { kind: OwnerKind::Order, id: document.order.clone() };
            if !self.stored.contains_key(&(document.offering, name.clone(), text.clone())) {
                self.moved.orders.insert(document.order.clone());
            }
            let id = self.store(&owner, document.offering, &name, &Secret::new(text)).await?;
            out.insert(name, json!({ "stored": id }));
        }
        Ok(out)
    }

    async fn store(&mut self, owner: &Owner, offering: OfferingId, name: &str, value: &Secret) -> Result<SecretId> {
        let key = (offering, name.to_owned(), value.expose().clone());
        if let Some(id) = self.stored.get(&key) {
            return Ok(*id);
        }
        let id = keep(self.services, &mut self.write, owner, name, value, true).await?;
        self.stored.insert(key, id);
        Ok(id)
    }
}
