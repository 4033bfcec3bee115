//! The command line. A new command is a variant here and a file in `commands`.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand, builder::BoolishValueParser};

use crate::{
    commands,
    config::{Config, SimulatedLabs, Source},
    lock, telemetry,
};

/// Self-service labs for GPU teaching clusters.
#[derive(Debug, Parser)]
#[command(name = "lectern", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the portal (the default)
    Serve(Serve),
    /// Personal access tokens for the API
    #[command(subcommand)]
    Token(Token),
    /// The audit record
    #[command(subcommand)]
    Audit(Audit),
    /// Offerings as YAML files
    #[command(subcommand)]
    Offering(Offering),
    /// Accounts, for when nobody can sign in
    #[command(subcommand)]
    User(User),
    /// Print a new key file for the secrets in the database, and nothing else, on standard output
    SecretKey,
    /// The simulated cluster alone, for kubectl and for tests
    Simulator(Simulator),
    /// Store a portal's address and an access token, which is read from standard input
    Login(Login),
    /// Carry a connection to the SSH server in a lab over standard input and output, as OpenSSH's ProxyCommand
    Ssh(Ssh),
    /// Print the block for ~/.ssh/config, by which `ssh lab-2047.lectern` works
    SshConfig(SshConfig),
    /// Print the version
    Version,
}

/// Where the data is.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// Folder for everything that must survive a restart [default: data]
    #[arg(long, env = "LECTERN_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// sqlite:PATH or postgres://… [default: a SQLite file in the data folder]
    #[arg(long, env = "LECTERN_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// TOML file with settings; flags and environment go over it
    #[arg(long, env = "LECTERN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, Args)]
pub struct Serve {
    #[command(flatten)]
    pub place: Place,
    /// Address and port [default: 127.0.0.1:3000]
    #[arg(long, env = "LECTERN_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// simulator, kubeconfig, kubeconfig:PATH or in-cluster [default: simulator]
    #[arg(long, env = "LECTERN_CLUSTER", value_name = "CLUSTER")]
    pub cluster: Option<Source>,
    /// What runs in the simulated cluster: pretend, or local for processes of this machine without isolation [default: pretend]
    #[arg(long, env = "LECTERN_LABS", value_name = "LABS")]
    pub labs: Option<SimulatedLabs>,
    /// What people type to get here, like `https://lectern.example.edu`
    #[arg(long, env = "LECTERN_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Address and port of the lab site [default: that of the portal with the next port, on a loopback address]
    #[arg(long, env = "LECTERN_LABS_LISTEN", value_name = "ADDRESS")]
    pub labs_listen: Option<SocketAddr>,
    /// What browsers call the site of a lab, like `https://{lab}.labs.example.edu` [default: `http://{lab}.localhost:PORT`]
    #[arg(long, env = "LECTERN_LABS_URL", value_name = "URL")]
    pub labs_url: Option<String>,
    /// File with the keys that secrets in the database are encrypted under [default: secret.key in the data folder]
    #[arg(long, env = "LECTERN_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
    /// Folder with the built site [default: the site in the binary where there is one, else target/site]
    #[arg(long, env = "LECTERN_SITE_ROOT", value_name = "FOLDER")]
    pub site_root: Option<PathBuf>,
    /// Demonstration content in an empty installation, on a loopback address only
    #[arg(long, overrides_with = "no_demo")]
    pub demo: bool,
    /// No demonstration content: the first visitor sets up, with a code from the log (the default)
    #[arg(long, overrides_with = "demo")]
    pub no_demo: bool,
    /// Whether demonstration content comes with a whole term [default: 1]
    #[arg(long, env = "LECTERN_DEMO_HISTORY", value_name = "0|1", value_parser = BoolishValueParser::new())]
    pub demo_history: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token and print it, and nothing else, on standard output
    Create {
        #[command(flatten)]
        place: Place,
        /// Login of the person whose rights the token has
        #[arg(long, value_name = "LOGIN")]
        user: String,
        /// What it may be used for; may be given several times
        #[arg(long, required = true, num_args = 1.., value_delimiter = ',', value_name = "SCOPE")]
        scope: Vec<String>,
        /// What it is for, to recognise it by
        #[arg(long, default_value = "command line")]
        name: String,
        /// Days until it ends, 365 at most
        #[arg(long, default_value_t = domain::tokens::LIFETIME, value_parser = clap::value_parser!(u32).range(1..=i64::from(domain::tokens::LIFETIME_MAX)))]
        days: u32,
    },
}

#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Recompute the hash chains; names the first bad record and fails when there is one
    Verify {
        #[command(flatten)]
        place: Place,
        /// Check an exported file of JSON lines instead; needs no database
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Offering {
    /// Check files: a line with the price for each good one; what is wrong, with its field and an example, for the others
    Check {
        /// YAML files; `-` reads standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum User {
    /// Give a new random password and print it, and nothing else, on standard output; every session and token of the person ends
    ResetPassword {
        #[command(flatten)]
        place: Place,
        /// Login of the person
        #[arg(value_name = "LOGIN")]
        login: String,
    },
    /// Disable an account; its sessions and tokens end
    Disable {
        #[command(flatten)]
        place: Place,
        /// Login of the person
        #[arg(value_name = "LOGIN")]
        login: String,
    },
}

/// Where the portal's address and the token are.
#[derive(Debug, Args)]
pub struct Client {
    /// File with url and token, readable by its owner only; LECTERN_URL and LECTERN_TOKEN go over it [default: ~/.config/lectern/config.toml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Login {
    #[command(flatten)]
    pub client: Client,
    /// Address of the portal, like `https://lectern.example.edu`
    #[arg(value_name = "URL")]
    pub url: String,
}

#[derive(Debug, Args)]
pub struct Ssh {
    #[command(flatten)]
    pub client: Client,
    /// Name or id of the lab; `.lectern` at its end is left out
    #[arg(value_name = "LAB")]
    pub lab: String,
    /// Port of the SSH server: 22, 2222 or the lab's own [default: the lab's own if it is one of these, else 2222]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
}

#[derive(Debug, Args)]
pub struct SshConfig {
    #[command(flatten)]
    pub client: Client,
    /// User in the labs
    #[arg(long, default_value = "ubuntu", value_name = "NAME")]
    pub user: String,
}

#[derive(Debug, Args)]
pub struct Simulator {
    /// Loopback address and port
    #[arg(long, default_value = "127.0.0.1:8990", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Where to write the kubeconfig that leads to it
    #[arg(long, value_name = "FILE")]
    pub kubeconfig_out: PathBuf,
    /// Folder for its objects; without one they are gone at the end
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// As quick as possible instead of at a believable pace
    #[arg(long)]
    pub fast: bool,
}

impl Place {
    /// The file's settings with these over them.
    pub fn config(&self) -> Result<Config> {
        let mut config = Config::read(self.config.as_deref())?;
        if let Some(data) = &self.data {
            config.storage.data.clone_from(data);
        }
        if let Some(url) = &self.database {
            config.storage.database = Some(url.clone());
        }
        Ok(config)
    }
}

impl Serve {
    /// Flags over environment over file over defaults.
    pub fn config(&self) -> Result<Config> {
        let mut config = self.place.config()?;
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        if let Some(source) = &self.cluster {
            config.cluster.source = source.clone();
        }
        if let Some(labs) = self.labs {
            config.cluster.simulator_labs = labs;
        }
        if let Some(url) = &self.public_url {
            config.server.public_url = Some(url.trim_end_matches('/').to_owned());
        }
        if let Some(listen) = self.labs_listen {
            config.labs.listen = Some(listen);
        }
        if let Some(url) = &self.labs_url {
            config.labs.url = Some(url.trim_end_matches('/').to_owned());
        }
        if let Some(file) = &self.secret_key_file {
            config.secrets.key_file = Some(file.clone());
        }
        if let Some(root) = &self.site_root {
            config.server.site_root = Some(root.clone());
        }
        if self.demo || self.no_demo {
            config.server.demo = self.demo;
        }
        if let Some(history) = self.demo_history {
            config.demo.history = history;
        }
        config.check()?;
        Ok(config)
    }
}

/// Runs the command that the arguments ask for. Failures are one sentence on standard error.
pub fn run() -> ExitCode {
    // One TLS provider, before anything could pick another. Installed already only in tests.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    lock::make_files_private();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime") {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let done = runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve(cli.serve)) {
            Command::Serve(serve) => Box::pin(commands::serve::run(serve.config()?)).await,
            Command::Token(Token::Create { place, user, scope, name, days }) => {
                quiet(&place, async |config| commands::token::create(config, &user, &scope, &name, days).await).await
            }
            Command::Audit(Audit::Verify { place: _, file: Some(file) }) => commands::audit::verify_file(&file),
            Command::Audit(Audit::Verify { place, file: None }) => quiet(&place, commands::audit::verify).await,
            Command::Offering(Offering::Check { files }) => commands::offering::check(&files),
            Command::User(User::ResetPassword { place, login }) => {
                quiet(&place, async |config| commands::user::reset_password(config, &login).await).await
            }
            Command::User(User::Disable { place, login }) => quiet(&place, async |config| commands::user::disable(config, &login).await).await,
            Command::Simulator(simulator) => commands::simulator::run(simulator).await,
            Command::SecretKey => commands::secret_key::show(),
            Command::Login(Login { client, url }) => commands::client::login(client.config, &url).await,
            Command::Ssh(Ssh { client, lab, port }) => commands::ssh::run(client.config.as_deref(), &lab, port).await,
            Command::SshConfig(SshConfig { client, user }) => commands::ssh::config(client.config.as_deref(), &user),
            Command::Version => commands::version::show(),
        }
    });
    match done {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

/// Commands beside the server log only what goes wrong.
async fn quiet(place: &Place, command: impl AsyncFnOnce(Config) -> Result<ExitCode>) -> Result<ExitCode> {
    let mut config = place.config()?;
    "warn".clone_into(&mut config.log.filter);
    telemetry::start(&config.log);
    command(config).await
}

#[expect(clippy::print_stderr, reason = "the output of a command line tool")]
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("lectern: {error:#}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(arguments: &[&str]) -> Config {
        let cli = Cli::try_parse_from(std::iter::once("lectern").chain(arguments.iter().copied())).unwrap();
        match cli.command {
            Some(Command::Serve(serve)) => serve.config().unwrap(),
            None => cli.serve.config().unwrap(),
            other => panic!("not serve: {other:?}"),
        }
    }

    #[test]
    fn serving_is_the_default() {
        assert_eq!(serve(&["--listen", "127.0.0.1:4000"]), serve(&["serve", "--listen", "127.0.0.1:4000"]));
    }

    #[test]
    fn flags_go_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lectern.toml");
        std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:5000\"\ndemo = true\n[cluster]\nsource = \"in-cluster\"\n").unwrap();
        let file = file.to_str().unwrap();
        let config = serve(&["serve", "--config", file, "--no-demo", "--cluster", "kubeconfig:/k"]);
        assert_eq!(config.server.listen.port(), 5000);
        assert!(!config.server.demo && config.demo.history);
        assert!(!serve(&["serve", "--demo-history", "0"]).demo.history);
        let labs = serve(&["--labs-listen", "127.0.0.1:5001", "--labs-url", "https://{lab}.labs.example.edu/"]).labs;
        assert_eq!((labs.listen, labs.url.as_deref()), ("127.0.0.1:5001".parse().ok(), Some("https://{lab}.labs.example.edu")));
        assert_eq!(config.cluster.source, Source::Kubeconfig(Some("/k".into())));
        assert_eq!(serve(&["--labs", "local"]).cluster.simulator_labs, SimulatedLabs::Local);
    }

    #[test]
    fn the_commands_fit_together() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
