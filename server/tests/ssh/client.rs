//! Somebody's own computer: a home with a key and a stored token, and stock OpenSSH that is set up by `lectern ssh-config`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{io::AsyncWriteExt as _, process::Command};

/// For a whole transfer: a bound against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(3);

/// The binary of this build.
pub fn lectern() -> PathBuf {
    std::env::var_os("LECTERN").map_or_else(|| env!("CARGO_BIN_EXE_lectern").into(), PathBuf::from)
}

pub fn search_path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned())
}

/// How a program ended and what it printed.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn is_good(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
    }
}

/// Waits for the end of a program.
pub async fn ended(output: impl Future<Output = io::Result<Output>>) -> Said {
    let output = tokio::time::timeout(PATIENCE, output).await.expect("it ends").expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

pub struct Client {
    home: PathBuf,
    /// The lab, as `ssh` is told it.
    pub host: String,
}

impl Client {
    /// A home with a key of the name `key`.
    pub fn at(home: PathBuf) -> Self {
        fs::create_dir_all(&home).expect("a home");
        let client = Self { home, host: String::new() };
        client.make_key("key");
        client
    }

    /// Stores the token and sets OpenSSH up for this lab, whose user is this one.
    pub async fn login(&mut self, portal: &str, token: &str, user: &str, lab: &str) {
        self.host = format!("{lab}.lectern");
        let mut login = self.plain(&lectern(), &["login", portal]);
        let mut child = login.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(format!("{token}\n").as_bytes()).await.expect("it reads");
        drop(stdin);
        ended(child.wait_with_output()).await.is_good();
        let block = ended(self.plain(&lectern(), &["ssh-config", "--user", user]).output()).await;
        block.is_good();
        // Nothing of the account that runs the tests is used.
        let mine = format!(
            "Host *\n  UserKnownHostsFile \"{}\"\n  GlobalKnownHostsFile /dev/null\n  IdentitiesOnly yes\n  IdentityAgent none\n  BatchMode yes\n",
            self.file("known_hosts")
        );
        fs::write(self.file("config"), format!("{}\n{mine}", block.out)).expect("written");
    }

    /// A path in the home.
    pub fn file(&self, name: &str) -> String {
        self.home.join(name).display().to_string()
    }

    /// Makes a key, and gives its public half, without a comment.
    pub fn make_key(&self, name: &str) -> String {
        let file = self.file(name);
        let mut command = std::process::Command::new("ssh-keygen");
        let made = command.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file.as_str()]).stdin(Stdio::null()).output();
        let made = made.expect("ssh-keygen runs");
        assert!(made.status.success(), "{made:?}");
        self.public_key(name)
    }

    pub fn public_key(&self, name: &str) -> String {
        fs::read_to_string(self.file(&format!("{name}.pub"))).expect("a public key").trim().to_owned()
    }

    pub fn known_hosts(&self) -> String {
        fs::read_to_string(self.file("known_hosts")).unwrap_or_default()
    }

    /// A program with nothing from the environment but where programs are.
    fn plain(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", search_path()).env("HOME", &self.home).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// `ssh` or `scp` with the key of the name `key`.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let (config, key) = (self.file("config"), self.file("key"));
        let set_up = ["-F", config.as_str(), "-i", key.as_str()];
        self.plain(Path::new(program), &[&set_up[..], arguments].concat())
    }

    pub async fn ssh(&self, words: &[&str]) -> Said {
        ended(self.command("ssh", &[&[self.host.as_str()][..], words].concat()).output()).await
    }

    pub async fn ssh_with(&self, options: &[&str], command: &str) -> Said {
        ended(self.command("ssh", &[options, &[self.host.as_str(), command][..]].concat()).output()).await
    }

    /// With another key.
    pub async fn ssh_as(&self, key: &str, command: &str) -> Said {
        let (config, key) = (self.file("config"), self.file(key));
        let words = ["-F", config.as_str(), "-i", key.as_str(), self.host.as_str(), command];
        ended(self.plain(Path::new("ssh"), &words).output()).await
    }

    pub async fn scp(&self, options: &[&str], from: &str, to: &str) -> Said {
        ended(self.command("scp", &[options, &[from, to][..]].concat()).output()).await
    }

    pub async fn rsync(&self, from: &str, to: &str) -> Said {
        let shell = format!("ssh -F '{}' -i '{}'", self.file("config"), self.file("key"));
        ended(self.plain(Path::new("rsync"), &["-a", "-e", shell.as_str(), from, to]).output()).await
    }
}
