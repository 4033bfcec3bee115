//! A program with all that it needs to start: where, with which words, in which environment.

use std::{
    fmt, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tokio::process::Command;

use super::{Local, folders::Home, loopback, process::MARK};
use crate::{
    pods::{Environment, Place},
    value,
};

/// Variables that a program gets from the server's own environment: of this machine and its network, and no secret of the server.
const PASSED_ON: [&str; 17] = [
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "USER",
    "LOGNAME",
    "SHELL",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PIP_INDEX_URL",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// The path where the server has none.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The variables hold secrets of a lab, and are never printed.
pub struct Launch {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub folder: PathBuf,
    /// The container's ports, and those on loopback that they lead to.
    pub ports: Vec<(u16, u16)>,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch").field("program", &self.program).field("folder", &self.folder).field("ports", &self.ports).finish_non_exhaustive()
    }
}

impl Launch {
    pub fn command(&self) -> Command {
        let mut command = self.command_of(&self.program, &self.arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Another program in the same place, in a group of its own, which a signal reaches as a whole.
    pub fn command_of(&self, program: &Path, arguments: &[String]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.variables.iter().map(|(name, text)| (name, text))).current_dir(&self.folder);
        command.process_group(0).kill_on_drop(true);
        command
    }
}

/// The mark of all processes of a container.
pub fn mark(uid: &str, container: &str) -> String {
    format!("{uid}/{container}")
}

/// The environment of a container: its own variables with paths as they are here, and what this machine needs.
pub fn variables(place: &Place, mark: &str, container: &str, home: &Home, ports: &[(u16, u16)]) -> Vec<(String, String)> {
    let mut environment = Environment::of(place, container);
    environment.variables.retain(|(name, _)| !matches!(name.as_str(), "PATH" | "KUBERNETES_SERVICE_HOST"));
    for (_, text) in &mut environment.variables {
        *text = loopback::text(&home.path(text));
    }
    for name in PASSED_ON {
        if let Some(text) = std::env::var(name).ok().filter(|_| environment.get(name).is_none()) {
            environment.set(name, &text);
        }
    }
    if environment.get("PATH").is_none() {
        environment.set("PATH", PATH);
    }
    if environment.get("LANG").is_none() {
        environment.set("LANG", "C.UTF-8");
    }
    for (name, address) in loopback::VARIABLES {
        if environment.get(name).is_none() {
            environment.set(name, address);
        }
    }
    environment.set("HOME", &home.folder.display().to_string());
    // Programs that read their port here answer; the port that the container declares may be another lab's on this machine.
    for (declared, chosen) in ports.iter().rev() {
        environment.set(&format!("PORT_{declared}"), &chosen.to_string());
        environment.set("PORT", &chosen.to_string());
    }
    environment.set(MARK, mark);
    environment.variables
}

/// One variable.
pub fn variable<'a>(variables: &'a [(String, String)], name: &str) -> Option<&'a str> {
    variables.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
}

/// The container's command and arguments: variables replaced as a kubelet does, paths as they are here, on loopback.
pub fn words(container: &Value, variables: &[(String, String)], home: &Home) -> Vec<String> {
    let words = value::items(container, "/command").iter().chain(value::items(container, "/args"));
    words.filter_map(Value::as_str).map(|word| loopback::text(&home.path(&expanded(word, variables)))).collect()
}

/// `$(NAME)` becomes the variable where there is one, `$$` is one `$`.
fn expanded(word: &str, variables: &[(String, String)]) -> String {
    let mut output = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        output.push_str(before);
        let named = after.strip_prefix('(').and_then(|after| after.split_once(')'));
        if let Some(after) = after.strip_prefix('$') {
            output.push('$');
            rest = after;
        } else if let Some((text, after)) = named.and_then(|(name, after)| Some((variable(variables, name)?, after))) {
            output.push_str(text);
            rest = after;
        } else {
            output.push('$');
            rest = after;
        }
    }
    output.push_str(rest);
    output
}

/// A free port on loopback for each TCP port that the container declares.
pub fn choose_ports(container: &Value) -> io::Result<Vec<(u16, u16)>> {
    let tcp = value::items(container, "/ports").iter().filter(|port| matches!(value::text(port, "/protocol"), "" | "TCP"));
    let declared = tcp.filter_map(|port| u16::try_from(value::int(port, "/containerPort")?).ok());
    let mut taken = Vec::new();
    for port in declared {
        // All are held until the last is chosen, so that they differ.
        taken.push((port, TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?));
    }
    taken.iter().map(|(port, listener)| listener.local_addr().map(|address| (*port, address.port()))).collect()
}

impl Local {
    /// The pod of a worker, for its environment.
    pub fn place(&self, pod: &Value) -> Place {
        Place::new(&self.store, &self.faults, &self.stopping, pod)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_variables_as_a_kubelet_reads_them() {
        let variables = [("PORT".to_owned(), "4711".to_owned())];
        for (word, wanted) in
            [("--port=$(PORT)", "--port=4711"), ("$(NO) $PORT $", "$(NO) $PORT $"), ("$$(PORT)", "$(PORT)"), ("$(PORT)$(PORT)", "47114711")]
        {
            assert_eq!(expanded(word, &variables), wanted, "{word}");
        }
    }

    #[test]
    fn each_declared_port_gets_one_of_its_own() {
        let container = serde_json::json!({"ports": [{"containerPort": 8888}, {"containerPort": 53, "protocol": "UDP"}, {"containerPort": 22}]});
        let ports = choose_ports(&container).unwrap();
        assert_eq!(ports.iter().map(|(declared, _)| *declared).collect::<Vec<_>>(), [8888, 22]);
        assert_ne!(ports[0].1, ports[1].1);
    }
}
