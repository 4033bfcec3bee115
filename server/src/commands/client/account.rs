//! The portal and the access token that commands use: from the environment, or from a file that nobody else can read. The token is never an
//! argument, since all people on a machine see those.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use domain::secret::Secret;
use reqwest::{RequestBuilder, Url, header};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde::Deserialize;
use serde_json::Value;
use services::secret;

use super::{address, answered, client, json};
use crate::{commands::say, lock};

const URL: &str = "LECTERN_URL";
const TOKEN: &str = "LECTERN_TOKEN";

/// A portal and somebody's token for it.
#[derive(Debug)]
pub struct Account {
    /// Without a slash at its end.
    pub url: String,
    token: Secret,
}

/// The file. A token that is missing may be in the environment.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    url: Option<String>,
    token: Option<Secret>,
}

impl Account {
    /// `file`: in the place of the usual one. The environment goes over it.
    pub fn read(file: Option<&Path>) -> Result<Self> {
        let stored = match file {
            Some(file) => stored(file)?,
            None => match usual_file() {
                Some(file) if file.exists() => stored(&file)?,
                _ => Stored::default(),
            },
        };
        let given = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
        let url = given(URL).or(stored.url);
        let token = given(TOKEN).map(Secret::new).or(stored.token);
        let (Some(url), Some(token)) = (url, token) else { bail!("there is no portal or no token: run lectern login, or set {URL} and {TOKEN}") };
        Self::of(&url, token)
    }

    fn of(url: &str, token: Secret) -> Result<Self> {
        address(url)?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), token })
    }

    /// A request that carries the token, to the portal or to a lab's site.
    pub fn get(&self, url: Url) -> Result<RequestBuilder> {
        let client = client(&url)?;
        Ok(client.get(url).bearer_auth(self.token.expose()).header(header::ACCEPT_LANGUAGE, "en"))
    }

    /// Why the portal or a lab's site takes no token, and what to do.
    pub fn bad_token(&self) -> String {
        let url = &self.url;
        format!(
            "this access token is not good (401): it was revoked, has expired or is mistyped. Make a new one on {url}/account and run lectern login {url}"
        )
    }

    /// Asks the API. `None` where it answers 404. Errors: the sentence of its refusal.
    pub async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Value>> {
        let url = address(&format!("{}/api/v1{path}", self.url))?;
        let response = answered(&self.url, self.get(url)?.query(query)).await?;
        let status = response.status();
        if status == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = tokio::time::timeout(super::ANSWER, response.bytes()).await.context("the answer does not end")?.unwrap_or_default();
        let answer = json(&body);
        if status.is_success() {
            return if answer.is_object() { Ok(Some(answer)) } else { bail!("{} is no portal of Lectern", self.url) };
        }
        if status == reqwest::StatusCode::UNAUTHORIZED {
            bail!("{}", self.bad_token());
        }
        let said = answer["detail"].as_str().or_else(|| answer["title"].as_str());
        bail!("{} answers {}: {}", self.url, status.as_u16(), said.unwrap_or("no reason given"))
    }
}

fn stored(file: &Path) -> Result<Stored> {
    let name = file.display();
    let mut opened = File::open(file).with_context(|| format!("{name} cannot be read"))?;
    let mode = opened.metadata().with_context(|| format!("{name} cannot be read"))?.mode();
    if mode & 0o077 != 0 {
        bail!("others on this machine may read {name}: chmod 600 it, and make a new token");
    }
    let mut text = String::new();
    opened.read_to_string(&mut text).with_context(|| format!("{name} cannot be read"))?;
    read(&text).with_context(|| format!("{name} is not right: it holds url = \"…\" and token = \"…\""))
}

/// The reader's own error would show the line, and with it perhaps the token.
fn read(text: &str) -> Result<Stored> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.lines().count().max(1));
        anyhow::anyhow!("the mistake is at line {line}")
    })
}

/// `~/.config/lectern/config.toml`
fn usual_file() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))?;
    Some(config.join("lectern").join("config.toml"))
}

/// `lectern login`: reads a token from standard input, tries it, and stores it with the portal's address.
pub async fn login(file: Option<PathBuf>, url: &str) -> Result<ExitCode> {
    let file = file.or_else(usual_file).context("there is no home folder: say where to store the token with --config")?;
    address(url)?;
    let account = Account::of(url, read_token(url)?)?;
    account.ask("/labs", &[("limit", "1")]).await?.with_context(|| format!("{} is no portal of Lectern", account.url))?;
    write(&file, &account)?;
    say(&format!("stored in {}", file.display()));
    Ok(ExitCode::SUCCESS)
}

fn read_token(url: &str) -> Result<Secret> {
    let stdin = io::stdin();
    let hidden = if stdin.is_terminal() {
        eprint!("Access token for {url}: ");
        Some(Hidden::begin()?)
    } else {
        None
    };
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if hidden.is_some() {
        eprintln!();
    }
    drop(hidden);
    read.context("standard input cannot be read")?;
    let token = line.trim();
    if !token.starts_with(secret::TOKEN) {
        bail!("this is no access token: one begins with {}", secret::TOKEN);
    }
    Ok(Secret::new(token.to_owned()))
}

/// The terminal shows nothing of what is typed until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> Result<Self> {
        let before = tcgetattr(io::stdin()).context("the terminal cannot be used")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent).context("the terminal cannot be used")?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// In one step, so that a file that is cut off takes no place of a good one.
fn write(file: &Path, account: &Account) -> Result<()> {
    let told = || format!("{} cannot be written", file.display());
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        lock::make_private_folder(folder)?;
    }
    let new = file.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).with_context(told)?;
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    writeln!(opened, "url = {}\ntoken = {}", text(&account.url), text(account.token.expose())).with_context(told)?;
    opened.sync_all().with_context(told)?;
    fs::rename(&new, file).with_context(told)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_file_makes_a_panic_or_is_repeated(text in "(url|token|=|\"|\n| |é|lct_[a-z]{8}){0,12}") {
            if let Err(error) = read(&text) {
                let said = format!("{error:?}");
                prop_assert!(!said.contains("lct_"));
            }
        }
    }

    #[test]
    fn what_is_stored_is_read_back_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lectern").join("config.toml");
        let account = Account::of("https://lectern.example.edu/", Secret::new("lct_\"a\\".into())).unwrap();
        write(&file, &account).unwrap();
        write(&file, &account).unwrap();
        let back = stored(&file).unwrap();
        assert_eq!((back.url.as_deref(), back.token.unwrap().expose().as_str()), (Some("https://lectern.example.edu"), "lct_\"a\\"));
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(stored(&file).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_file_that_is_not_right_is_refused_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        for text in ["url = \"a\"\ntoken = lct_hush", "tokens = \"lct_hush\"", "token = 7"] {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            let error = format!("{:?}", stored(&file).unwrap_err());
            assert!(error.contains("config.toml") && !error.contains("hush"), "{error}");
        }
        let account = Account::of("https://lectern.example.edu", Secret::new("lct_hush".into())).unwrap();
        assert!(!format!("{account:?}").contains("hush"));
    }
}
