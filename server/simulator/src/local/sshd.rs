//! sshd for a lab with a shell: on loopback, for the lab's keys only, without root where the server has none. It lets in the account that
//! runs the server, into the lab's folder. Keys that may enter are outside of the home, and the host key is on the volume, so that it is the
//! same after a restart.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use super::{
    folders::{self, Home},
    launch::variable,
    process::MARK,
};

/// Variables in which images and offerings expect the keys.
const KEYS: [&str; 3] = ["LECTERN_AUTHORIZED_KEYS", "PUBLIC_KEY", "AUTHORIZED_KEYS"];

/// Tells programs in the container where the keys that may enter are, so that they can be replaced while it runs.
pub const KEYS_FILE: &str = "LECTERN_AUTHORIZED_KEYS_FILE";

/// What each session runs. sshd begins in the account's own home; a lab's begins in its folder. File transfers come as a command too.
const SESSION: &str = r#"cd "$HOME" || exit 1
case "${SSH_ORIGINAL_COMMAND-}" in
"") exec "${SHELL:-/bin/sh}" -l ;;
internal-sftp)
  for server in /usr/lib/openssh /usr/libexec/openssh /usr/lib/ssh /usr/libexec; do
    [ ! -x "$server/sftp-server" ] || exec "$server/sftp-server"
  done
  echo "sftp-server is not installed on this machine" >&2
  exit 127 ;;
*) exec "${SHELL:-/bin/sh}" -c "$SSH_ORIGINAL_COMMAND" ;;
esac
"#;

/// The file of keys that may enter, below the `folder` of [`prepare`].
pub fn keys_file(folder: &Path) -> PathBuf {
    folder.join("authorized_keys")
}

/// Writes what the sshd of a lab needs into `folder`, and gives its arguments.
pub async fn prepare(folder: &Path, home: &Home, port: u16, variables: &[(String, String)]) -> io::Result<Vec<String>> {
    folders::make(folder)?;
    let host_key = host_key(home, variables).await?;
    let keys: Vec<&str> = KEYS.iter().filter_map(|name| variable(variables, name)).collect();
    let (authorized, session, config) = (keys_file(folder), folder.join("session.sh"), folder.join("sshd_config"));
    write(&authorized, &(keys.join("\n") + "\n"))?;
    write(&session, SESSION)?;
    let mark = variable(variables, MARK).unwrap_or_default();
    let path = |path: &Path| path.display().to_string();
    let text = [
        format!("Port {port}"),
        "ListenAddress 127.0.0.1".to_owned(),
        format!("HostKey \"{}\"", path(&host_key)),
        "PidFile none".to_owned(),
        format!("AuthorizedKeysFile \"{}\"", path(&authorized)),
        "StrictModes yes".to_owned(),
        "PasswordAuthentication no".to_owned(),
        "KbdInteractiveAuthentication no".to_owned(),
        "UsePAM no".to_owned(),
        "PrintMotd no".to_owned(),
        // The mark lets the end of the lab find the sessions.
        format!("SetEnv \"HOME={}\" \"{MARK}={mark}\"", path(&home.folder)),
        "Subsystem sftp internal-sftp".to_owned(),
        format!("ForceCommand /bin/sh '{}'", path(&session).replace('\'', "'\\''")),
    ];
    write(&config, &(text.join("\n") + "\n"))?;
    // Root's sshd wants this folder, which the system makes where it starts sshd itself.
    let _ = fs::create_dir_all("/run/sshd");
    Ok(vec!["-D".to_owned(), "-e".to_owned(), "-f".to_owned(), path(&config)])
}

/// The lab's host key, made at its first start.
async fn host_key(home: &Home, variables: &[(String, String)]) -> io::Result<PathBuf> {
    let folder = home.folder.join(".lectern");
    folders::make(&folder)?;
    let key = folder.join("ssh_host_ed25519_key");
    if key.is_file() {
        return Ok(key);
    }
    // Made beside it, so that it is whole or not there.
    let draft = folder.join("ssh_host_ed25519_key.new");
    let _ = fs::remove_file(&draft);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"]).arg(&draft).stdin(Stdio::null()).kill_on_drop(true);
    let made = command.env("HOME", &home.folder).env(MARK, variable(variables, MARK).unwrap_or_default()).output().await?;
    if !made.status.success() {
        return Err(io::Error::other(format!("ssh-keygen: {}", String::from_utf8_lossy(&made.stderr).trim())));
    }
    fs::rename(&draft, &key)?;
    Ok(key)
}

/// Writes a file that only its owner may read or change.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let _ = fs::remove_file(path);
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn keys_that_may_enter_are_outside_of_the_home_and_the_host_key_stays() {
        let root = tempfile::tempdir().unwrap();
        let home = folders::Folders::open(root.path()).unwrap().home(&json!({}), &json!({}));
        let host_key = home.folder.join(".lectern/ssh_host_ed25519_key");
        folders::make(host_key.parent().unwrap()).unwrap();
        fs::write(&host_key, "made at the first start").unwrap();
        let folder = root.path().join("it's");
        let variables = [("LECTERN_AUTHORIZED_KEYS", "ssh-ed25519 AAAA one"), (MARK, "u/main")];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        // The second start replaces what the first one wrote.
        for port in [40_001, 40_002] {
            let arguments = prepare(&folder, &home, port, &variables).await.unwrap();
            assert_eq!(arguments[..3], ["-D", "-e", "-f"]);
            let config = fs::read_to_string(&arguments[3]).unwrap();
            let host_key = format!("HostKey \"{}\"", host_key.display());
            let port = format!("Port {port}");
            for wanted in
                [port.as_str(), "ListenAddress 127.0.0.1", "StrictModes yes", "PasswordAuthentication no", host_key.as_str(), "it'\\''s/session.sh"]
            {
                assert!(config.contains(wanted), "{wanted} in {config}");
            }
        }
        assert_eq!(fs::read_to_string(&host_key).unwrap(), "made at the first start");
        let keys = folder.join("authorized_keys");
        assert_eq!(fs::read_to_string(&keys).unwrap(), "ssh-ed25519 AAAA one\n");
        assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!keys.starts_with(&home.folder));
    }
}
