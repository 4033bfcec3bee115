//! The environment variables of a container, resolved as a kubelet does when it starts it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::Place;
use crate::{
    registry::Resource,
    store::{Key, Object},
    value,
};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The name, the variables and the servers that a program in a container sees.
#[derive(Debug, Clone)]
pub struct Environment {
    pub hostname: String,
    /// In order; a later one replaces an earlier one of its name.
    pub variables: Vec<(String, String)>,
    /// Ports on which the pod's containers listen.
    pub listening: Vec<u16>,
}

impl Environment {
    pub fn of(place: &Place, container: &str) -> Self {
        let Some(pod) = place.pod() else { return Self { hostname: String::new(), variables: Vec::new(), listening: Vec::new() } };
        let hostname = Some(value::text(&pod, "/spec/hostname")).filter(|name| !name.is_empty()).unwrap_or(value::name(&pod)).to_owned();
        let declared = value::items(&pod, "/spec/containers").iter().flat_map(|one| value::items(one, "/ports"));
        let listening = declared.filter_map(|port| u16::try_from(value::int(port, "/containerPort")?).ok()).collect();
        let mut environment = Self { hostname: hostname.clone(), variables: Vec::new(), listening };
        for (name, text) in [("PATH", PATH), ("HOSTNAME", hostname.as_str()), ("HOME", "/root"), ("KUBERNETES_SERVICE_HOST", "10.96.0.1")] {
            environment.set(name, text);
        }
        let containers = value::items(&pod, "/spec/containers").iter().chain(value::items(&pod, "/spec/initContainers"));
        let Some(container) = containers.into_iter().find(|one| value::text(one, "/name") == container) else { return environment };
        for source in value::items(container, "/envFrom") {
            environment.take_all(place, source);
        }
        for variable in value::items(container, "/env") {
            let text = match variable.get("valueFrom") {
                Some(source) => resolved(place, &pod, source),
                None => Some(value::text(variable, "/value").to_owned()),
            };
            if let Some(text) = text {
                environment.set(value::text(variable, "/name"), &text);
            }
        }
        environment
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    pub fn set(&mut self, name: &str, text: &str) {
        match self.variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => text.clone_into(known),
            None => self.variables.push((name.to_owned(), text.to_owned())),
        }
    }

    fn take_all(&mut self, place: &Place, source: &Value) {
        let prefix = value::text(source, "/prefix");
        for (field, resource) in [("configMapRef", Resource::ConfigMaps), ("secretRef", Resource::Secrets)] {
            let Some(reference) = source.get(field) else { continue };
            let Some(object) = named(place, resource, value::text(reference, "/name")) else { continue };
            for (name, _) in value::entries(&object, "/data") {
                if let Some(text) = entry(resource, &object, name) {
                    self.set(&format!("{prefix}{name}"), &text);
                }
            }
        }
    }
}

fn named(place: &Place, resource: Resource, name: &str) -> Option<Object> {
    place.store.write().get(&Key::new(resource, place.key.namespace.as_str(), name))
}

fn entry(resource: Resource, object: &Value, name: &str) -> Option<String> {
    let text = object.get("data")?.get(name)?.as_str()?;
    if resource == Resource::Secrets {
        return Some(String::from_utf8_lossy(&STANDARD.decode(text).ok()?).into_owned());
    }
    Some(text.to_owned())
}

fn resolved(place: &Place, pod: &Value, source: &Value) -> Option<String> {
    for (field, resource) in [("secretKeyRef", Resource::Secrets), ("configMapKeyRef", Resource::ConfigMaps)] {
        if let Some(reference) = source.get(field) {
            let object = named(place, resource, value::text(reference, "/name"))?;
            return entry(resource, &object, value::text(reference, "/key"));
        }
    }
    let path = value::text(source, "/fieldRef/fieldPath");
    if path.is_empty() || path.contains('[') {
        return None;
    }
    Some(value::text(pod, &format!("/{}", path.replace('.', "/"))).to_owned())
}
