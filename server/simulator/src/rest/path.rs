//! What a path names.

use crate::registry::{self, Kind};

/// The part of an object that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Object,
    Status,
    Scale,
    Log,
    Eviction,
    Binding,
    Finalize,
    Exec,
    Attach,
    PortForward,
    /// Known to the API, but not simulated.
    Proxy,
}

impl What {
    /// As the path and as roles name it; `""` for the object itself.
    pub fn part(self) -> &'static str {
        match self {
            Self::Object => "",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Log => "log",
            Self::Eviction => "eviction",
            Self::Binding => "binding",
            Self::Finalize => "finalize",
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::PortForward => "portforward",
            Self::Proxy => "proxy",
        }
    }
}

/// A kind, a place, perhaps a name.
#[derive(Debug)]
pub struct Target {
    pub kind: &'static Kind,
    /// `""` for cluster-wide kinds and for all namespaces.
    pub namespace: String,
    pub name: Option<String>,
    pub what: What,
    /// Whether the path says `events.k8s.io`, whose Events are stored as core ones.
    pub is_new_event: bool,
}

pub fn parse(path: &str) -> Option<Target> {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (mut group, version, rest) = match steps.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return None,
    };
    let is_new_event = group == "events.k8s.io";
    if is_new_event {
        group = "";
    }
    let (namespace, plural, rest) = match rest {
        ["namespaces", namespace, plural, rest @ ..] if !["status", "finalize"].contains(plural) => (*namespace, *plural, rest),
        [plural, rest @ ..] => ("", *plural, rest),
        [] => return None,
    };
    let kind = registry::by_plural(group, version, plural)?;
    if is_new_event && plural != "events" {
        return None;
    }
    // A namespaced kind without a namespace is a list over all of them; one object needs its place.
    if !kind.namespaced && !namespace.is_empty() || kind.namespaced && namespace.is_empty() && !rest.is_empty() {
        return None;
    }
    let (name, what) = match rest {
        [] => (None, What::Object),
        [name] => (Some((*name).to_owned()), What::Object),
        [name, part] => (Some((*name).to_owned()), part_of(kind, part)?),
        _ => return None,
    };
    Some(Target { kind, namespace: namespace.to_owned(), name, what, is_new_event })
}

fn part_of(kind: &Kind, part: &str) -> Option<What> {
    match (kind.plural, part) {
        (_, "status") if kind.status => Some(What::Status),
        (_, "scale") if kind.scale => Some(What::Scale),
        ("pods", "log") => Some(What::Log),
        ("pods", "eviction") => Some(What::Eviction),
        ("pods", "binding") => Some(What::Binding),
        ("namespaces", "finalize") => Some(What::Finalize),
        ("pods", "exec") => Some(What::Exec),
        ("pods", "attach") => Some(What::Attach),
        ("pods", "portforward") => Some(What::PortForward),
        ("pods" | "services" | "nodes", "proxy") => Some(What::Proxy),
        _ => None,
    }
}
