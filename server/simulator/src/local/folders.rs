//! Where things are: volumes in `labs/<claim>`, programs in `tools`, and for each pod a folder with its logs and what goes with it.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::value;

#[derive(Debug, Clone)]
pub struct Folders {
    root: PathBuf,
}

/// A container's main folder, and the paths in the container that it stands for.
#[derive(Debug, Clone)]
pub struct Home {
    pub folder: PathBuf,
    mounts: Vec<String>,
}

impl Folders {
    /// Programs run in other folders, so the path becomes an absolute one.
    pub fn open(root: &Path) -> Result<Self> {
        let root = std::path::absolute(root).with_context(|| format!("{} is no folder for labs", root.display()))?;
        make(&root).with_context(|| format!("cannot make the folder {}", root.display()))?;
        Ok(Self { root })
    }

    pub fn volume(&self, claim: &str) -> PathBuf {
        self.root.join("labs").join(claim)
    }

    pub fn tools(&self) -> PathBuf {
        self.root.join("tools")
    }

    /// Logs and keys of a pod, and its files where it has no volume.
    pub fn pod(&self, uid: &str) -> PathBuf {
        self.root.join("lab-pods").join(uid)
    }

    pub fn log(&self, uid: &str, container: &str, run: i64) -> PathBuf {
        self.pod(uid).join("logs").join(container).join(format!("{run}.log"))
    }

    /// Records of processes that run: those of pods, and those that install something.
    pub fn records(&self) -> PathBuf {
        self.root.join("lab-processes")
    }

    /// Removes what is kept of pods that are gone.
    pub fn forget_pods(&self, is_there: impl Fn(&str) -> bool) {
        let entries = fs::read_dir(self.root.join("lab-pods")).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(|uid| !is_there(uid))) {
            remove(&entry.path());
        }
    }

    /// Where a container of a pod lives: on the first claim that it mounts, else in a folder that goes with the pod.
    pub fn home(&self, pod: &Value, container: &Value) -> Home {
        let mounts = value::items(container, "/volumeMounts");
        let volume = |mount: &Value| value::items(pod, "/spec/volumes").iter().find(|volume| volume["name"] == mount["name"]);
        let claim = |mount: &Value| volume(mount).map(|volume| value::text(volume, "/persistentVolumeClaim/claimName").to_owned());
        let scratch = |mount: &Value| volume(mount).is_some_and(|volume| volume.get("emptyDir").is_some_and(|empty| empty["medium"] != "Memory"));
        let paths = |is_it: &dyn Fn(&Value) -> bool| {
            let found = mounts.iter().filter(|mount| is_it(mount)).map(|mount| value::text(mount, "/mountPath").trim_end_matches('/').to_owned());
            found.filter(|path| !path.is_empty()).collect::<Vec<_>>()
        };
        match mounts.iter().filter_map(claim).find(|claim| !claim.is_empty()) {
            Some(name) => Home { folder: self.volume(&name), mounts: paths(&|mount| claim(mount).as_deref() == Some(name.as_str())) },
            None => Home { folder: self.pod(value::uid(pod)).join("files"), mounts: paths(&scratch) },
        }
    }
}

impl Home {
    /// A path in the container as the one on this machine; anything else as it is.
    pub fn path(&self, text: &str) -> String {
        let rest = self.mounts.iter().find_map(|mount| text.strip_prefix(mount.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/')));
        rest.map_or_else(|| text.to_owned(), |rest| format!("{}{rest}", self.folder.display()))
    }
}

/// Makes a folder that others on this machine cannot look into.
pub fn make(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Removes a folder that may be gone already.
pub fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(folder = %folder.display(), %error, "a folder of a lab cannot be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lab_lives_on_its_claim_and_its_paths_lead_there() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::open(root.path()).unwrap();
        let pod = json!({"metadata": {"uid": "u"}, "spec": {"volumes": [
            {"name": "shm", "emptyDir": {"medium": "Memory"}}, {"name": "work", "persistentVolumeClaim": {"claimName": "lab-1"}},
        ]}});
        let container = json!({"volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}, {"name": "work", "mountPath": "/workspace"}]});
        let home = folders.home(&pod, &container);
        assert_eq!(home.folder, folders.volume("lab-1"));
        let inside = format!("{}/models", home.folder.display());
        assert_eq!(home.path("/workspace/models"), inside);
        for other in ["/workspaces", "/dev/shm", "workspace", "cd /workspace"] {
            assert_eq!(home.path(other), other);
        }
        let without = json!({"metadata": {"uid": "u"}, "spec": {"volumes": [{"name": "work", "emptyDir": {}}]}});
        assert_eq!(folders.home(&without, &container).path("/workspace"), folders.pod("u").join("files").display().to_string());
    }
}
