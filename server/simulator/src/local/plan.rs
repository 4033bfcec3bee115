//! What a container runs on this machine: a program that is known and gets its port and folder, else the container's own command if its
//! program is here, else nothing but the page of a simulated lab.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use serde_json::Value;

use crate::value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// JupyterLab, which is installed for that.
    Jupyter,
    /// This sshd.
    Sshd(PathBuf),
    /// This program, with the words after it.
    Command(PathBuf, Vec<String>),
    /// Nothing, and why.
    Page(String),
}

/// `words`: the container's command and arguments, with variables and paths as they are here. `folder`: where it would run.
pub fn of(container: &Value, words: &[String], path: &str, folder: &Path) -> Plan {
    let image = value::text(container, "/image");
    let mentions = |name: &str| words.iter().any(|word| word.contains(name));
    if repository(image).contains("jupyter") && (words.is_empty() || mentions("jupyter")) {
        return Plan::Jupyter;
    }
    if is_ssh(container) || has_ssh_port(container) && mentions("sshd") {
        // It is mostly in no path but root's.
        let path = format!("{path}:/usr/local/sbin:/usr/sbin:/sbin");
        return find("sshd", &path, folder)
            .map_or_else(|| Plan::Page("sshd is not installed on this machine: apt-get install openssh-server".to_owned()), Plan::Sshd);
    }
    let Some((program, rest)) = words.split_first() else {
        return Plan::Page(format!("the image {image} is not run on this machine, and its container names no command"));
    };
    let needed = inner(program, rest).unwrap_or(program);
    match (find(program, path, folder), find(needed, path, folder)) {
        (Some(found), Some(_)) => Plan::Command(found, rest.to_vec()),
        _ => Plan::Page(format!("{needed} is not installed on this machine")),
    }
}

/// An image without its tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

fn is_ssh(container: &Value) -> bool {
    let repository = repository(value::text(container, "/image"));
    ["openssh-server", "sshd"].iter().any(|name| repository.contains(name))
}

fn has_ssh_port(container: &Value) -> bool {
    value::items(container, "/ports").iter().any(|port| matches!(value::int(port, "/containerPort"), Some(22 | 2222)))
}

/// The program that a shell is only there to become: `sh -c 'exec vllm serve'`.
fn inner<'a>(program: &str, rest: &'a [String]) -> Option<&'a str> {
    let is_shell = matches!(Path::new(program).file_name()?.to_str()?, "sh" | "bash" | "dash");
    let [flag, script, ..] = rest else { return None };
    let after = script.trim_start().strip_prefix("exec ").filter(|_| is_shell && flag == "-c")?;
    let name = after.split_ascii_whitespace().next()?;
    name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter)).then_some(name)
}

/// The file of a program, as a shell finds it.
pub fn find(program: &str, path: &str, folder: &Path) -> Option<PathBuf> {
    let is_program = |file: &PathBuf| file.is_file() && access(file.as_path(), Access::EXEC_OK).is_ok();
    if program.contains('/') {
        return Some(folder.join(program)).filter(is_program);
    }
    path.split(':').filter(|part| !part.is_empty() && !program.is_empty()).map(|part| Path::new(part).join(program)).find(is_program)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

    fn plan(image: &str, words: &[&str]) -> Plan {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        of(&json!({"image": image, "ports": [{"containerPort": 2222}]}), &words, PATH, Path::new("/"))
    }

    #[test]
    fn known_images_are_known_by_their_repository() {
        assert_eq!(plan("quay.io/jupyter/pytorch-notebook:cuda12-python-3.12", &[]), Plan::Jupyter);
        assert_eq!(plan("mirror:5000/jupyter/base@sha256:00", &["start-notebook.py", "--jupyter"]), Plan::Jupyter);
        let script = ["sh", "-c", "exec \"$(command -v sshd)\" -D"];
        for made in [plan("lscr.io/linuxserver/openssh-server:latest", &[]), plan("ubuntu", &script)] {
            assert!(matches!(&made, Plan::Sshd(_)) || matches!(&made, Plan::Page(why) if why.contains("openssh-server")), "{made:?}");
        }
        assert!(matches!(plan("pytorch:2-jupyter", &[]), Plan::Page(why) if why.contains("names no command")));
    }

    #[test]
    fn a_command_runs_if_its_program_is_here() {
        let Plan::Command(program, rest) = plan("busybox", &["sh", "-c", "exec sh -i"]) else { panic!("sh is everywhere") };
        assert!(program.ends_with("sh") && rest == ["-c", "exec sh -i"], "{} {rest:?}", program.display());
        assert!(matches!(plan("jupyter:1", &["/bin/sh", "-c", "true"]), Plan::Command(..)), "the command comes before the image");
        for words in [vec!["no-such-program"], vec!["sh", "-c", " exec no-such-program serve"], vec!["/bin/no-such-program"]] {
            assert!(matches!(plan("vllm", &words), Plan::Page(why) if why.contains("no-such-program is not installed")), "{words:?}");
        }
    }
}
