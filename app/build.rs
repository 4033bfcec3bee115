//! Rebuilds the crate when a text changes: `load_locales!()` reads the files but cannot tell cargo so.

fn main() {
    println!("cargo:rerun-if-changed=locales");
    println!("cargo:rerun-if-changed=Cargo.toml");
}
