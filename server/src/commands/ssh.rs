//! `lectern ssh`: carries OpenSSH's connection to the SSH server in a lab, as its ProxyCommand; `lectern ssh-config` prints what goes into
//! `~/.ssh/config`. Only the connection's own bytes go to standard output; reasons go to standard error. It never starts a lab, since an
//! editor that lost its lab tries again and again.

use std::{
    env,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context as _, Result, bail};
use reqwest::{Response, StatusCode, Upgraded, header};
use tokio::{
    io::{AsyncWriteExt as _, copy, split, stdout},
    sync::mpsc,
};

use super::client::{Account, Lab, address, answered, json};

const PROTOCOL: &str = "lectern-tcp";
/// Ports of SSH servers, the usual one of those without root last.
const SSH: [u16; 2] = [22, 2_222];
/// Bytes of standard input that are read at once, and how many such pieces may wait.
const PIECE: usize = 32 * 1_024;
const WAITING: usize = 4;

/// `file`: where portal and token are, in the place of the usual file; `port`: in the place of the lab's own.
pub async fn run(file: Option<&Path>, name: &str, port: Option<u16>) -> Result<ExitCode> {
    let account = Account::read(file)?;
    let lab = Lab::find(&account, name).await?;
    let page = format!("{}/labs/{}", account.url, lab.id);
    if lab.state != "running" {
        bail!("{} is not running, it is {}. This program starts no labs: see {page}", lab.name, lab.state);
    }
    let Some(site) = &lab.site else { bail!("labs of this portal have no site of their own, so nothing reaches them from outside") };
    let port = port.unwrap_or_else(|| if SSH.contains(&lab.port) { lab.port } else { SSH[1] });
    let url = address(&format!("{site}/.lectern/tcp/{port}"))?;
    let request = account.get(url)?.header(header::CONNECTION, "Upgrade").header(header::UPGRADE, PROTOCOL);
    let response = answered(site, request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        bail!("{}", refusal(response, &account, &lab, port, &page).await);
    }
    let socket = response.upgrade().await.context("the connection to the lab broke")?;
    carry(socket, &lab, port).await
}

/// The reason why there is no connection, in one sentence.
async fn refusal(response: Response, account: &Account, lab: &Lab, port: u16, page: &str) -> String {
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap_or_default();
    let said = json(&body);
    match said["code"].as_str() {
        Some("lab_not_ready") => {
            let state = said["state"].as_str().unwrap_or("unknown");
            format!("{} is not ready, it is {state}. This program starts no labs: see {page}", lab.name)
        }
        Some("no_token") => account.bad_token(),
        Some("no_answer") => format!("nothing answers on port {port} of {}: its image needs an SSH server there", lab.name),
        _ => format!("{} cannot be reached: {} ({status})", lab.name, said["message"].as_str().unwrap_or("no reason given")),
    }
}

/// Copies both ways until the lab's side ends, each only as fast as the other side takes it.
async fn carry(socket: Upgraded, lab: &Lab, port: u16) -> Result<ExitCode> {
    let (mut from, mut to) = split(socket);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut typed = read_input(Arc::clone(&is_over));
    let up = async {
        while let Some(piece) = typed.recv().await {
            // Whether the lab's side still is there is seen below.
            if to.write_all(&piece).await.is_err() || to.flush().await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
        std::future::pending::<io::Result<u64>>().await
    };
    let down = async {
        let mut out = stdout();
        let bytes = copy(&mut from, &mut out).await?;
        out.flush().await?;
        io::Result::Ok(bytes)
    };
    let carried = tokio::select! {
        carried = down => carried,
        carried = up => carried,
    };
    match carried {
        Ok(0) if !is_over.load(Ordering::SeqCst) => bail!("port {port} of {} closed the connection: does an SSH server listen there?", lab.name),
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).with_context(|| format!("the connection to {} broke", lab.name)),
    }
}

/// Standard input, by a thread of its own that nobody waits for: a read that was begun cannot be given up, and would keep the process.
/// `is_over` becomes true at its end.
fn read_input(is_over: Arc<AtomicBool>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut buffer = vec![0; PIECE];
        loop {
            match stdin.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
                Ok(bytes) => {
                    if sender.blocking_send(buffer[..bytes].to_vec()).is_err() {
                        break;
                    }
                }
            }
        }
        is_over.store(true, Ordering::SeqCst);
    });
    receiver
}

/// `lectern ssh-config`: the block for `~/.ssh/config`. Host keys are known by the name of the lab, which is never used again, so no
/// HostKeyAlias is needed.
pub fn config(file: Option<&Path>, user: &str) -> Result<ExitCode> {
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("lectern"));
    super::say(&block(&program, file, user)?);
    Ok(ExitCode::SUCCESS)
}

fn block(program: &Path, file: Option<&Path>, user: &str) -> Result<String> {
    let good = !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !good {
        bail!("{user:?} is no name of a user");
    }
    let mut command = quoted(program)?;
    command.push_str(" ssh");
    if let Some(file) = file {
        let file = std::path::absolute(file).context("the folder of the file is not known")?;
        command.push_str(" --config ");
        command.push_str(&quoted(&file)?);
    }
    Ok(format!(
        "# Labs of Lectern: ssh lab-2047.lectern\n\
         Host *.lectern\n    \
         ProxyCommand {command} %n\n    \
         User {user}\n    \
         StrictHostKeyChecking accept-new\n    \
         ServerAliveInterval 30"
    ))
}

/// A path as one word for the shell that runs the ProxyCommand, in which `%` begins a placeholder of OpenSSH.
fn quoted(path: &Path) -> Result<String> {
    match path.to_str().filter(|path| !path.contains(char::is_control)) {
        Some(path) => Ok(format!("'{}'", path.replace('\'', "'\\''").replace('%', "%%"))),
        None => bail!("{} cannot be written into a configuration", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_quotes_what_a_shell_would_read_otherwise() {
        let plain = block(Path::new("/usr/local/bin/lectern"), None, "ubuntu").unwrap();
        for line in ["Host *.lectern", "ProxyCommand '/usr/local/bin/lectern' ssh %n", "User ubuntu", "StrictHostKeyChecking accept-new"] {
            assert!(plain.lines().any(|written| written.trim() == line), "{line}: {plain}");
        }
        let odd = block(Path::new("/home/li's 100%/lectern"), Some(Path::new("/a b/c")), "root").unwrap();
        assert!(odd.contains(r"ProxyCommand '/home/li'\''s 100%%/lectern' ssh --config '/a b/c' %n"), "{odd}");
        for bad in ["", "a b", "a\nProxyCommand x", "-oX=$(y)"] {
            assert!(block(Path::new("/lectern"), None, bad).is_err(), "{bad:?}");
        }
        assert!(block(Path::new("/a\nb"), None, "ubuntu").is_err());
    }
}
