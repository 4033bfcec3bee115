//! Turns `locales/` into the module `i18n`, so that a misspelt key does not compile and a changed text is rebuilt.
//! A new namespace is a file in each language and a line in `NAMESPACES`.

use std::{env, error::Error, fs, path::PathBuf};

use leptos_i18n_parser::parse_locales::{
    options::{Config, ParseOptions},
    parse_locales,
};

const NAMESPACES: [&str; 40] = [
    "account",
    "announcements",
    "api_docs",
    "approvals",
    "audit",
    "audit_tools",
    "billing",
    "bills",
    "catalogue",
    "class",
    "common",
    "components",
    "courses",
    "decisions",
    "design",
    "errors",
    "home",
    "idle",
    "imports",
    "join",
    "labs",
    "layout",
    "lifecycle",
    "logs",
    "nodes",
    "notifications",
    "offerings",
    "open",
    "orders",
    "people",
    "policies",
    "ports",
    "prices",
    "quotas",
    "search",
    "session",
    "setup",
    "shares",
    "terminal",
    "visits",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=locales");
    let options = ParseOptions::default().interpolate_display(true);
    let config = Config::new("zh-CN")?.add_locale("en")?.add_namespaces(NAMESPACES)?.parse_options(options);
    let locales = parse_locales(None, config)?;
    for warning in locales.diag.warnings().iter() {
        println!("cargo::warning={warning}");
    }
    for error in locales.diag.errors().iter() {
        println!("cargo::error={error}");
    }
    let code = leptos_i18n_codegen::gen_code(&locales, None, false, None, false)?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("i18n.rs");
    // The generator writes one line of megabytes, in which the compiler and its lints look for the column of each expression from the first
    // character on: that took minutes.
    let code = prettyplease::unparse(&syn::parse2(code)?);
    // The generator's style is not ours to mend.
    let quiet = "pub mod i18n {\n    #![allow(clippy::all, clippy::pedantic, clippy::allow_attributes)]";
    fs::write(out, code.replacen("pub mod i18n {", quiet, 1))?;
    Ok(())
}
