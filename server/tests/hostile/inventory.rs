//! Where text from outside is read, and what feeds it nonsense. The source is searched: a file that begins to read text has no line here,
//! and the test asks for one.

use std::path::{Path, PathBuf};

/// Folder with the tests of the domain, and with these.
const DOMAIN: &str = "app/domain/tests/hostile/";
const SERVER: &str = "server/tests/hostile/";

/// File, and the file of the test that feeds what it reads. A new reader gets a property in one of them, or in a new one.
const READERS: [(&str, &str, &str); 85] = [
    ("app/domain/src/access.rs", DOMAIN, "words.rs"),
    ("app/domain/src/access/scopes.rs", DOMAIN, "words.rs"),
    ("app/domain/src/announcements.rs", DOMAIN, "forms.rs"),
    ("app/domain/src/approvals.rs", DOMAIN, "conditions.rs"),
    ("app/domain/src/audit.rs", DOMAIN, "words.rs"),
    ("app/domain/src/audit/export.rs", DOMAIN, "audit.rs"),
    ("app/domain/src/audit/run.rs", DOMAIN, "words.rs"),
    ("app/domain/src/audit/search.rs", DOMAIN, "words.rs"),
    ("app/domain/src/billing.rs", DOMAIN, "words.rs"),
    ("app/domain/src/billing/adjustment.rs", DOMAIN, "amounts.rs"),
    ("app/domain/src/billing/overview.rs", DOMAIN, "words.rs"),
    ("app/domain/src/catalogue/parameter.rs", DOMAIN, "offerings.rs"),
    ("app/domain/src/catalogue/workload.rs", DOMAIN, "words.rs"),
    ("app/domain/src/courses.rs", DOMAIN, "forms.rs"),
    ("app/domain/src/decisions.rs", DOMAIN, "words.rs"),
    ("app/domain/src/delegations.rs", DOMAIN, "forms.rs"),
    ("app/domain/src/gpu.rs", DOMAIN, "words.rs"),
    ("app/domain/src/ids.rs", DOMAIN, "words.rs"),
    ("app/domain/src/imports.rs", DOMAIN, "lists.rs"),
    ("app/domain/src/labs.rs", DOMAIN, "words.rs"),
    ("app/domain/src/labs/lifecycle.rs", DOMAIN, "times.rs"),
    ("app/domain/src/money.rs", DOMAIN, "amounts.rs"),
    ("app/domain/src/offerings.rs", DOMAIN, "words.rs"),
    ("app/domain/src/offerings/check.rs", DOMAIN, "offerings.rs"),
    ("app/domain/src/offerings/form.rs", DOMAIN, "offerings.rs"),
    ("app/domain/src/orders.rs", DOMAIN, "words.rs"),
    ("app/domain/src/orders/class.rs", DOMAIN, "classes.rs"),
    ("app/domain/src/page.rs", SERVER, "api.rs"),
    ("app/domain/src/people.rs", DOMAIN, "forms.rs"),
    ("app/domain/src/policy_form.rs", DOMAIN, "conditions.rs"),
    ("app/domain/src/pricing/book.rs", DOMAIN, "words.rs"),
    ("app/domain/src/pricing/forms.rs", DOMAIN, "forms.rs"),
    ("app/domain/src/pricing/meter.rs", DOMAIN, "words.rs"),
    ("app/domain/src/quotas.rs", DOMAIN, "words.rs"),
    ("app/domain/src/quotas/forms.rs", DOMAIN, "forms.rs"),
    ("app/domain/src/roster.rs", DOMAIN, "classes.rs"),
    ("app/domain/src/shares.rs", DOMAIN, "forms.rs"),
    ("app/domain/src/terminal.rs", DOMAIN, "words.rs"),
    ("app/domain/src/time.rs", DOMAIN, "times.rs"),
    ("app/domain/src/tokens.rs", DOMAIN, "forms.rs"),
    ("app/domain/src/visits.rs", DOMAIN, "words.rs"),
    ("app/domain/src/visits/real_use.rs", DOMAIN, "words.rs"),
    ("app/src/approvals/bulk.rs", SERVER, "functions.rs"),
    ("app/src/audit/filters.rs", SERVER, "readers.rs"),
    // Drafts that the browser's part of the code wrote.
    ("app/src/draft/back.rs", "app/src/", "draft.rs"),
    ("app/src/draft/browser.rs", "app/src/", "draft.rs"),
    ("app/src/language.rs", SERVER, "readers.rs"),
    // Of our own manifest, which the server reads as it starts.
    ("app/src/layout/document.rs", SERVER, "pages.rs"),
    ("app/src/preferences.rs", SERVER, "readers.rs"),
    ("app/src/labs/terminal/screen.rs", "app/src/labs/terminal/", "screen.rs"),
    ("server/src/config/simulated_labs.rs", "server/src/config/", "simulated_labs.rs"),
    ("server/cluster/src/quantity.rs", "server/cluster/src/", "quantity.rs"),
    ("server/cluster/src/reach/program.rs", "server/cluster/src/reach/program/", "tests.rs"),
    ("server/cluster/src/template.rs", "server/cluster/src/", "template.rs"),
    // What stands in a session, which only the server writes; its name is what the cookie says.
    ("server/services/src/accounts/sessions.rs", SERVER, "pages.rs"),
    ("server/services/src/visits/session_data.rs", "server/services/src/visits/", "session_data.rs"),
    ("server/services/src/audit/export.rs", SERVER, "readers.rs"),
    ("server/services/src/billing.rs", SERVER, "api.rs"),
    ("server/services/src/billing/export.rs", SERVER, "readers.rs"),
    ("server/services/src/billing/overview.rs", SERVER, "api.rs"),
    ("server/services/src/imports/decode.rs", SERVER, "readers.rs"),
    // An answer of a lab, of which only one word counts.
    ("server/services/src/labs/idle/kernels.rs", "server/services/src/labs/idle/", "kernels.rs"),
    ("server/services/src/offerings/yaml.rs", SERVER, "readers.rs"),
    ("server/services/src/orders/submit.rs", SERVER, "readers.rs"),
    ("server/services/src/ssh_keys/parse.rs", "server/services/src/ssh_keys/", "parse.rs"),
    ("server/services/src/encryption.rs", "server/services/src/", "encryption.rs"),
    ("server/services/src/secrets/clear.rs", "server/services/src/secrets/", "tests.rs"),
    ("server/src/auth/store.rs", SERVER, "pages.rs"),
    ("server/src/commands/client.rs", "server/src/commands/", "client.rs"),
    ("server/src/commands/client/account.rs", "server/src/commands/client/", "account.rs"),
    ("server/src/commands/token.rs", DOMAIN, "words.rs"),
    ("server/src/config.rs", SERVER, "readers.rs"),
    ("server/src/config/oidc.rs", SERVER, "readers.rs"),
    // Cookies that the portal itself encrypted.
    ("server/src/oidc/begun.rs", "server/src/oidc/", "begun.rs"),
    ("server/src/oidc/fetch.rs", "server/src/oidc/", "fetch.rs"),
    ("server/src/oidc/provider.rs", "server/tests/http/", "oidc_claims.rs"),
    ("server/src/oidc/signed.rs", "server/src/oidc/signed/", "tests.rs"),
    ("server/src/rest/audit.rs", SERVER, "api.rs"),
    ("server/src/rest/body.rs", SERVER, "api.rs"),
    ("server/src/rest/decisions.rs", SERVER, "api.rs"),
    ("server/src/rest/policies.rs", SERVER, "api.rs"),
    ("server/src/rest/query.rs", SERVER, "api.rs"),
    ("server/storage/src/audit/read.rs", SERVER, "readers.rs"),
    // What the database holds: what was written there was read before.
    ("server/storage/src/row.rs", SERVER, "api.rs"),
    ("server/storage/src/secrets.rs", "server/storage/src/secrets/", "tests.rs"),
];

const FOLDERS: [&str; 6] = ["app/domain/src", "app/src", "server/src", "server/services/src", "server/storage/src", "server/cluster/src"];
/// Only there in tests, or text of our own.
const LEFT_OUT: [&str; 5] = ["/testing", "/tests", "/demo/", "/crashes", "/site"];
/// By which a reader is known.
const MARKS: [&str; 8] =
    ["fn parse", "FromStr for ", "fn cursor(", "fn decode(", "fn milli(", "serde_json::from_", "serde_yaml_ng::from_", "toml::from_"];
/// The same for forms, whose checks are the domain's.
const FORM: &str = "pub fn check(&self";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn reads(name: &str, source: &str) -> bool {
    let is_form = |line: &str| name.starts_with("app/domain/") && line.contains(FORM);
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    product.lines().map(str::trim).filter(|line| !line.starts_with("//")).any(|line| is_form(line) || MARKS.iter().any(|mark| line.contains(mark)))
}

/// All source files of the product, with their names.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        files(&root().join(folder), &mut found);
    }
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    found.into_iter().map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn cells_of_spreadsheets_have_one_writer() {
    const WRITER: &str = "app/domain/src/csv/write.rs";
    // Signs of code that doubles quotes, or that looks for formulas.
    const MARKS: [&str; 3] = [r#"'"', "\"\"")"#, "['=', '+'", r"'\u{ff1d}'"];
    for (name, source) in sources().into_iter().filter(|(name, _)| name != WRITER) {
        let product = source.split("#[cfg(test)]").next().unwrap_or_default();
        for line in product.lines() {
            assert!(!MARKS.iter().any(|mark| line.contains(mark)), "{name} writes cells by itself, see {WRITER}: {line}");
            assert!(!line.contains(".write_string") || line.contains("harmless("), "{name} writes a cell that may be a formula: {line}");
            let joins = line.contains("\\r\\n") && (line.contains(".join(\",\")") || line.contains(".join(\";\")"));
            assert!(!joins, "{name} writes a line by itself, see {WRITER}: {line}");
        }
    }
}

#[test]
fn whatever_reads_text_is_fed_nonsense() {
    let mut unknown = Vec::new();
    for folder in FOLDERS {
        let mut found = Vec::new();
        files(&root().join(folder), &mut found);
        for path in found {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            let left_out = LEFT_OUT.iter().any(|part| name.contains(part));
            if !left_out && reads(&name, &std::fs::read_to_string(&path).unwrap()) && !READERS.iter().any(|(known, ..)| *known == name) {
                unknown.push(name);
            }
        }
    }
    assert!(unknown.is_empty(), "these read text: feed it nonsense and add a line here:\n{}", unknown.join("\n"));
    for (reader, folder, test) in READERS {
        for path in [reader.to_owned(), format!("{folder}{test}")] {
            assert!(root().join(&path).is_file(), "{path} is not there: take it off the list");
        }
    }
}

/// Serve pipes in memory, which only a client with the cluster's token reaches.
const IN_MEMORY: [&str; 1] = ["server/simulator/src/pods/site/mod.rs"];
/// Signs of a port that is served without the listener's limits.
const SERVING: [&str; 4] = ["axum::serve", "serve_connection", ".accept()", "hyper_util::server"];

#[test]
fn every_port_is_served_by_the_listener() {
    let (mut others, mut listened) = (Vec::new(), 0);
    let mut found = Vec::new();
    for folder in FOLDERS.into_iter().chain(["server/simulator/src", "server/listener/src"]) {
        files(&root().join(folder), &mut found);
    }
    for path in found {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        let source = std::fs::read_to_string(&path).unwrap();
        let product = source.split("#[cfg(test)]").next().unwrap_or_default();
        let serves = product.lines().any(|line| !line.trim().starts_with("//") && SERVING.iter().any(|mark| line.contains(mark)));
        if name.starts_with("server/listener/") {
            listened += usize::from(serves);
        } else if serves && !LEFT_OUT.iter().any(|part| name.contains(part)) && !IN_MEMORY.contains(&name.as_str()) {
            others.push(name);
        }
    }
    assert!(listened > 0, "the listener is known by the marks");
    assert!(others.is_empty(), "a port that is served by a `listener::Listener` has its limits; these serve one otherwise:\n{}", others.join("\n"));
}
