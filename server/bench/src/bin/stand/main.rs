//! The servers that the section `door` measures, each as a process of its own, so that its memory and processor time can be told apart. All
//! have the product's allocator. A new one is a file with `serve` and a line in [`run`].
//!
//! - `stand upstream ADDRESS`: the application in every lab
//! - `stand bare ADDRESS UPSTREAM`: the least that a proxy does
//! - `stand door ADDRESS UPSTREAM DATABASE`: the door with the passes of this database; every pod is the upstream

mod bare;
mod machine;
mod site;
mod upstream;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use tokio::{net::TcpListener, runtime::Builder};

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stand: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<()> {
    listener::raise_descriptor_limit();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Builder::new_multi_thread().enable_all().build()?.block_on(async {
        match words[..] {
            ["upstream", address] => upstream::serve(address).await,
            ["bare", address, upstream] => bare::serve(address, upstream).await,
            ["door", address, upstream, database] => site::serve(address, upstream, database).await,
            _ => bail!("upstream ADDRESS, bare ADDRESS UPSTREAM, or door ADDRESS UPSTREAM DATABASE"),
        }
    })
}

/// Binds the address. The line that it writes tells the bench to begin.
async fn bind(address: &str) -> Result<TcpListener> {
    let socket = TcpListener::bind(address).await.with_context(|| address.to_owned())?;
    eprintln!("listening on {address}");
    Ok(socket)
}
