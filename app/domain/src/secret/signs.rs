//! How a secret is recognised where a text is kept in clear: by the name of its variable, or by the form of its value. Names that only may
//! be secret count where an offering is written; orders from offerings of before are held to the certain names.

/// Parts of names that always mark secrets.
const CERTAIN: [&str; 9] = ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "CREDENTIAL", "API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY"];
/// Other parts of names that mark secrets.
const PARTS: [&str; 4] = ["CONNECTION_STRING", "CONNECTIONSTRING", "LICENSE_KEY", "WEBHOOK"];
/// Whole words of names that mark secrets.
const WORDS: [&str; 8] = ["PASS", "PWD", "PAT", "KEY", "CREDS", "AUTH", "JWT", "DSN"];
/// Words that end with `PASS` and are no password.
const NO_PASSWORDS: [&str; 4] = ["BYPASS", "COMPASS", "HIGHPASS", "LOWPASS"];
/// Words before `KEY` that make it public.
const PUBLIC: [&str; 11] = ["PUBLIC", "PUB", "PRIMARY", "FOREIGN", "SORT", "PARTITION", "CACHE", "GROUP", "INDEX", "COLUMN", "HOT"];
/// Last words of names that tell of a secret and do not hold it: `KEY_ID`, `AUTH_TYPE`, `PASS_MARK`.
const DESCRIPTIONS: [&str; 32] = [
    "ID",
    "NAME",
    "TYPE",
    "LENGTH",
    "SIZE",
    "FILE",
    "PATH",
    "DIR",
    "URL",
    "URI",
    "ENDPOINT",
    "HOST",
    "PORT",
    "SOCK",
    "METHOD",
    "MODE",
    "ENABLED",
    "DISABLED",
    "REQUIRED",
    "PROVIDER",
    "ALGORITHM",
    "BITS",
    "COLUMN",
    "FIELD",
    "COUNT",
    "MARK",
    "RATE",
    "GRADE",
    "SCORE",
    "TTL",
    "HEADER",
    "PREFIX",
];
/// Values that are no secret, whatever the name.
const SETTINGS: [&str; 12] = ["", "0", "1", "true", "false", "yes", "no", "on", "off", "none", "null", "basic"];
/// Beginnings of tokens of GitHub, GitLab, Docker and Slack.
const TOKENS: [&str; 13] =
    ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "dckr_pat_", "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xapp-"];

/// Whether a variable of this name certainly holds a secret: `HF_TOKEN`, `DB_PASSWORD`; not `MAX_TOKENS` or `TOKENIZERS_PARALLELISM`.
pub fn is_certain_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    CERTAIN.iter().any(|part| upper.contains(part)) || upper.split('_').any(|word| word.ends_with("TOKEN"))
}

/// Whether a variable of this name may hold a secret: also `GITHUB_PAT`, `DB_PASS`, `SSH_KEY`; not `PUBLIC_KEY`, `KEY_ID` or `PWD`, which is
/// the working folder.
pub fn is_secret_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    if is_certain_name(&upper) || PARTS.iter().any(|part| upper.contains(part)) {
        return true;
    }
    let words: Vec<&str> = upper.split('_').filter(|word| !word.is_empty()).collect();
    if upper == "PWD" || words.last().is_some_and(|last| DESCRIPTIONS.contains(last)) {
        return false;
    }
    words.iter().enumerate().any(|(at, word)| {
        let is_public = *word == "KEY" && at > 0 && PUBLIC.contains(&words[at - 1]);
        let is_password = word.ends_with("PASS") && !NO_PASSWORDS.contains(word);
        is_password || WORDS.contains(word) && !is_public
    })
}

/// Whether the variable may be a secret, by its name or its value: for offerings that are written.
pub fn is_secret(name: &str, value: &str) -> bool {
    is_known_secret(name, value) || is_secret_name(name) && !is_setting(value)
}

/// Whether the variable is certainly a secret, by its name or its value: for offerings and orders that are stored.
pub fn is_known_secret(name: &str, value: &str) -> bool {
    is_certain_name(name) || has_secret(value)
}

fn is_setting(value: &str) -> bool {
    SETTINGS.contains(&value.trim().to_ascii_lowercase().as_str())
}

/// Whether the text holds a secret by its form: a token, a private key, a password in a URL, `password=…`, `--token …`.
pub fn has_secret(text: &str) -> bool {
    let is_private_key = text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----");
    is_private_key || has_password(text) || has_token(text) || has_header(text) || has_assignment(text) || has_option(text)
}

/// Whether a command holds a secret: in an argument, or in one after an option such as `--token`.
pub fn has_secret_argument(command: &[String]) -> bool {
    command.iter().any(|argument| has_secret(argument)) || has_option(&command.join(" "))
}

/// `--token …`
fn has_option(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|pair| pair[0].starts_with("--") && !pair[0].contains('=') && is_assigned(pair[0], pair[1]))
}

/// `postgres://user:password@host/db`.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
        authority
            .rsplit_once('@')
            .is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !password.starts_with('$')))
    })
}

fn has_token(text: &str) -> bool {
    let words = || text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
    // A JSON web token: two objects in base64 with a dot between them.
    let is_web_token = text.contains(".eyJ") && words().any(|word| word.starts_with("eyJ"));
    is_web_token || words().any(is_token)
}

fn is_token(word: &str) -> bool {
    let is_mixed = |rest: &str| {
        let has = |kind: fn(&char) -> bool| rest.chars().any(|c| kind(&c));
        has(char::is_ascii_digit) || has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase)
    };
    let is_random = |rest: &str| rest.len() >= 20 || rest.len() >= 8 && is_mixed(rest);
    let is_amazon = |word: &str| word.len() == 20 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    TOKENS.iter().filter_map(|start| word.strip_prefix(*start)).any(|rest| rest.len() >= 6)
        || word.strip_prefix("hf_").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_alphanumeric()) && is_random(rest))
        || word.strip_prefix("sk-").is_some_and(is_random)
        || (word.starts_with("AKIA") || word.starts_with("ASIA")) && is_amazon(word)
}

/// `Authorization: Bearer …`
fn has_header(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["bearer ", "authorization: basic "].iter().any(|scheme| {
        lower.match_indices(*scheme).any(|(at, _)| {
            let token = literal(&text[at + scheme.len()..]);
            token.len() >= 20 || token.len() >= 8 && token.chars().any(|c| !c.is_ascii_lowercase())
        })
    })
}

/// `?private_token=…`, `HF_TOKEN=…`, `AccountKey=…`.
fn has_assignment(text: &str) -> bool {
    text.match_indices('=').any(|(at, _)| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let name = text[..at].trim_end().rsplit(|c: char| !is_name(c)).next().unwrap_or_default();
        is_assigned(name, &text[at + 1..])
    })
}

/// Whether the name is that of a secret, and the text after it begins with its value: not with `$HF_TOKEN` or another expression.
fn is_assigned(name: &str, after: &str) -> bool {
    let name = name.trim_start_matches('-').replace(['-', '.'], "_");
    let lower = name.to_ascii_lowercase();
    let is_described = name.to_ascii_uppercase().rsplit('_').next().is_some_and(|last| DESCRIPTIONS.contains(&last));
    // In lower case, words such as `key` are also the names of arguments in programs.
    let is_secret = if name.contains(|c: char| c.is_ascii_lowercase()) {
        is_certain_name(&name) || ["account_key", "accountkey", "accesskey", "privatekey", "pwd"].iter().any(|end| lower.ends_with(end))
    } else {
        is_secret_name(&name)
    };
    if !is_secret || is_described {
        return false;
    }
    let after = after.trim_start();
    let unquoted = after.trim_start_matches(['"', '\'', '\\']);
    let value = literal(unquoted);
    let is_path = after.len() == unquoted.len() && value.contains('.') && value.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '.' | '_'));
    let is_expression = is_path || unquoted[value.len()..].starts_with(['(', '[']);
    value.len() >= 3 && !value.starts_with(['=', '-']) && !is_setting(value) && !is_expression
}

/// The beginning of the text, as far as a token or password may go without quotes; its first 200 signs say enough.
fn literal(text: &str) -> &str {
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+/=.~!@#%^*:".contains(byte);
    &text[..text.bytes().take(200).take_while(is_sign).count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_the_names_of_their_variables() {
        for name in ["HF_TOKEN", "HFTOKEN", "WANDB_API_KEY", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "token"] {
            assert!(is_certain_name(name) && is_secret(name, ""), "{name}");
        }
        for name in [
            "DB_PASS",
            "PGPASS",
            "MYSQL_PWD",
            "PWD_DB",
            "SSH_KEY",
            "WANDB_KEY",
            "SIGNING_KEY",
            "GITHUB_PAT",
            "JWT",
            "AUTH",
            "REGISTRY_AUTH",
            "CONNECTION_STRING",
            "SENTRY_DSN",
            "SLACK_WEBHOOK",
            "SLACK_WEBHOOK_URL",
            "LICENSE_KEY",
        ] {
            assert!(is_secret_name(name) && is_secret(name, "value-1"), "{name}");
            assert!(!is_known_secret(name, "value-1") && !is_secret(name, "None"), "{name}: orders of before go on");
        }
        for name in [
            "MAX_TOKENS",
            "TOKENIZERS_PARALLELISM",
            "LESSON",
            "KEYBOARD",
            "PUBLIC_KEY",
            "PRIMARY_KEY",
            "KEY_ID",
            "KEY_FILE",
            "AUTH_TYPE",
            "SSH_AUTH_SOCK",
            "PASS_MARK",
            "BYPASS",
            "PWD",
            "OLDPWD",
            "PATH",
            "AUTHOR",
            "MONKEY",
        ] {
            assert!(!is_secret(name, "value-1"), "{name}");
        }
    }

    #[test]
    fn secrets_are_known_by_the_form_of_their_values() {
        for value in [
            "postgres://li:hush@db:5432/course",
            "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
            "gho_abc123def456",
            "https://github_pat_11ABCDEFG0@example.edu/x.git",
            "glpat-abcdefghij1234567890",
            "sk-proj-abcDEF123456",
            "hf_AbCdEfGhIjKlMnOpQrStUvWxYz",
            "xoxb-123456789012-abcdef",
            "AKIAIOSFODNN7EXAMPLE",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
            "Bearer hf_hush12",
            "authorization: bearer abcdefgh1",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
            "https://git.example.edu/x.git?private_token=abc12345",
            "x --token=abc12345",
            "Server=db;Password=hush-1;",
            "AccountName=x;AccountKey=abcd/efg==;",
            "HF_TOKEN=hf_x python train.py",
            "export WANDB_KEY='0123abcd'; run",
            "password = \"hush-1\"",
            "python train.py --token abc12345",
        ] {
            assert!(has_secret(value) && is_known_secret("PLACE", value), "{value}");
        }
        for value in [
            "",
            "https://example.edu/@li:x",
            "https://li@example.edu",
            "http://proxy:8080",
            "1:2@3",
            "https://li:$PASSWORD@example.edu",
            "pip install hf_transfer sk-learn",
            "task-2026-11-30-lesson",
            "Bearer of good news",
            "curl -H \"Authorization: Bearer $HF_TOKEN\"",
            "jupyter lab --ServerApp.token= --auth=none",
            "token=\"$HF_TOKEN\" run",
            "token=os.environ[\"HF_TOKEN\"], key=len",
            "token=args.token",
            "sorted(rows, key=by_name)",
            "pad_token=\"[PAD]\"",
            "if token == 'x1234': pass",
            "--token-file=/run/token",
            "max_tokens=4096",
            "HF_HOME=/workspace/models",
            "课程=第一课",
        ] {
            assert!(!has_secret(value), "{value}");
        }
    }

    #[test]
    fn a_secret_after_an_option_of_a_command_is_found() {
        let command = |text: &str| has_secret_argument(&text.split('|').map(ToOwned::to_owned).collect::<Vec<_>>());
        for text in ["serve|--token|abc12345", "sh|-c|exec serve --api-key abc12345", "sh|-c|HF_TOKEN=hf_x run"] {
            assert!(command(text), "{text}");
        }
        for text in ["serve|--token|$HF_TOKEN", "serve|--auth|none", "sh|-c|serve --token \"$T\" --port 80", "serve|--token|--port"] {
            assert!(!command(text), "{text}");
        }
    }
}
