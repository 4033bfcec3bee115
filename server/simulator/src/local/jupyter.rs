//! JupyterLab for labs whose image is one of Jupyter's: one virtual environment for all, installed at the first need.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tokio::{process::Command, sync::Mutex};

use super::{
    folders::{self, Folders, Home},
    launch::variable,
    log::Log,
    process::{self, Group, MARK, Record},
};
use crate::value;

/// What is installed from PyPI.
pub const VERSION: &str = "4.6.4";

/// The variable from which it reads its token.
const TOKEN: &str = "JUPYTER_TOKEN";

/// The port of its images, where a container declares none.
const PORT: u16 = 8_888;

#[derive(Debug)]
pub struct Jupyter {
    folders: Folders,
    folder: PathBuf,
    /// One lab installs, the others wait.
    installing: Mutex<()>,
}

impl Jupyter {
    pub fn new(folders: &Folders) -> Self {
        Self { folders: folders.clone(), folder: folders.tools().join("jupyter"), installing: Mutex::new(()) }
    }

    /// The Python that has JupyterLab, installed if it is not there yet. An installation that was interrupted begins again. Errors: what
    /// could not be had, in a sentence.
    pub async fn python(&self, log: &Log, say: impl Fn(&str)) -> Result<PathBuf, String> {
        let python = self.folder.join("bin/python");
        if self.is_there() {
            return Ok(python);
        }
        log.say("waits for JupyterLab, which is installed once for all labs");
        let _installing = self.installing.lock().await;
        if self.is_there() {
            return Ok(python);
        }
        say(&format!("Installing JupyterLab {VERSION} from PyPI, once for all labs"));
        folders::remove(&self.folder);
        folders::make(&self.folder).map_err(|error| format!("{} cannot be made: {error}", self.folder.display()))?;
        let folder = self.folder.display().to_string();
        let made = self.run(log, "python3", &["-m", "venv", folder.as_str()]).await;
        if !matches!(made, Ok(true)) {
            return Err("Python 3 with venv is missing on this machine: apt-get install python3-venv".to_owned());
        }
        let package = format!("jupyterlab=={VERSION}");
        let options = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off", package.as_str()];
        match self.run(log, &python.display().to_string(), &options).await {
            Ok(true) => {}
            Ok(false) => return Err(format!("JupyterLab {VERSION} cannot be had from PyPI, as the log says. PIP_INDEX_URL names a mirror")),
            Err(error) => return Err(format!("pip cannot be run: {error}")),
        }
        fs::write(self.marker(), VERSION).map_err(|error| format!("{} cannot be written: {error}", self.marker().display()))?;
        Ok(python)
    }

    /// Written last, so that it is not there after an interruption.
    fn marker(&self) -> PathBuf {
        self.folder.join("lectern-installed")
    }

    fn is_there(&self) -> bool {
        fs::read_to_string(self.marker()).is_ok_and(|version| version == VERSION)
    }

    /// Whether a program of the installation succeeded; it writes to the log. It has the server's environment, since settings of pip are
    /// there, without the server's own.
    async fn run(&self, log: &Log, program: &str, arguments: &[&str]) -> io::Result<bool> {
        const NAME: &str = "jupyter";
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LECTERN_")) {
            command.env_remove(name);
        }
        let mark = format!("installs-{NAME}-{}", std::process::id());
        let mut child = command.env(MARK, &mark).spawn()?;
        let group = Group::of(&child);
        let record = Record::keep(&self.folders, NAME, &mark, &child)?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let out = async {
            if let Some(output) = output {
                log.take(output).await;
            }
        };
        let err = async {
            if let Some(errors) = errors {
                log.take(errors).await;
            }
        };
        let ((), (), status) = tokio::join!(out, err, child.wait());
        group.end();
        process::sweep(&mark).await;
        record.forget();
        Ok(status?.success())
    }
}

/// The words for the Python. With a token in the container's variables it lets in those who show it, which is the door; it reads the variable by
/// itself, so that no process list shows it. Without one it has no password: every program on this machine that reaches its port is let in. It answers
/// to the lab's own host name and to `localhost` only, so that pages of other sites cannot be led to it by a name of theirs.
pub fn arguments(container: &Value, home: &Home, ports: &[(u16, u16)], host: Option<&str>) -> Vec<String> {
    let port = ports.first().map_or(PORT, |(_, chosen)| *chosen);
    let hosts: Vec<String> = ["localhost"].into_iter().chain(host).map(|host| format!("'{host}'")).collect();
    let settings = [
        "--no-browser".to_owned(),
        "--ServerApp.ip=127.0.0.1".to_owned(),
        format!("--ServerApp.port={port}"),
        // Another port would not be found.
        "--ServerApp.port_retries=0".to_owned(),
        format!("--ServerApp.local_hostnames=[{}]", hosts.join(", ")),
        format!("--ServerApp.root_dir={}", home.folder.display()),
        "--ServerApp.allow_root=True".to_owned(),
        "--ServerApp.quit_button=False".to_owned(),
        "--PasswordIdentityProvider.hashed_password=".to_owned(),
        "--LabApp.news_url=None".to_owned(),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate".to_owned(),
    ];
    // A token that is declared and missing must not open the server.
    let takes_token = value::items(container, "/env").iter().any(|variable| value::text(variable, "/name") == TOKEN);
    let open = (!takes_token).then(|| "--IdentityProvider.token=".to_owned());
    ["-m".to_owned(), "jupyterlab".to_owned()].into_iter().chain(settings).chain(open).collect()
}

/// What it gets besides the container's variables: its own programs first, and a place on the lab's volume for packages that people install,
/// since the virtual environment is shared.
pub fn prepare(python: &Path, home: &Home, variables: &mut Vec<(String, String)>) {
    let programs = python.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let packages = home.folder.join(".lectern/packages").display().to_string();
    let path = variable(variables, "PATH").map_or_else(|| programs.clone(), |path| format!("{programs}:{path}"));
    variables.retain(|(name, _)| !matches!(name.as_str(), "PATH" | "PIP_TARGET" | "PYTHONPATH"));
    for (name, text) in [("PATH", path), ("PIP_TARGET", packages.clone()), ("PYTHONPATH", packages)] {
        variables.push((name.to_owned(), text));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_on_loopback_at_its_port_and_answers_to_its_own_host() {
        let root = tempfile::tempdir().unwrap();
        let home = Folders::open(root.path()).unwrap().home(&json!({}), &json!({}));
        let words = arguments(&json!({}), &home, &[(8_888, 40_001)], Some("lab-7-0123456789.localhost"));
        for wanted in
            ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=40001", "--ServerApp.local_hostnames=['localhost', 'lab-7-0123456789.localhost']"]
        {
            assert!(words.iter().any(|word| word == wanted), "{wanted} in {words:?}");
        }
        assert!(arguments(&json!({}), &home, &[], None).contains(&"--ServerApp.local_hostnames=['localhost']".to_owned()));
    }

    #[test]
    fn it_is_open_only_if_its_container_declares_no_token() {
        let root = tempfile::tempdir().unwrap();
        let home = Folders::open(root.path()).unwrap().home(&json!({}), &json!({}));
        let is_open = |container: &Value| arguments(container, &home, &[], None).iter().any(|word| word == "--IdentityProvider.token=");
        assert!(is_open(&json!({"env": [{"name": "OTHER", "value": "hush"}]})));
        let source = json!({"secretKeyRef": {"name": "lab-7-door", "key": "JUPYTER_TOKEN"}});
        let closed = json!({"env": [{"name": "JUPYTER_TOKEN", "valueFrom": source}]});
        assert!(!is_open(&closed), "it reads the token from the variable, and without one makes its own");
        assert!(arguments(&closed, &home, &[], None).iter().all(|word| !word.contains("token")), "no process list shows it");
    }

    #[test]
    fn packages_go_to_the_labs_volume() {
        let root = tempfile::tempdir().unwrap();
        let home = Folders::open(root.path()).unwrap().home(&json!({}), &json!({}));
        let mut variables = vec![("PATH".to_owned(), "/usr/bin".to_owned())];
        prepare(Path::new("/tools/jupyter/bin/python"), &home, &mut variables);
        assert_eq!(variable(&variables, "PATH"), Some("/tools/jupyter/bin:/usr/bin"));
        assert!(variable(&variables, "PIP_TARGET").is_some_and(|target| Path::new(target).starts_with(&home.folder)));
    }
}
