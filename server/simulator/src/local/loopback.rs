//! Programs of labs are to listen on loopback: addresses that mean every interface are replaced in the words of commands and in variables,
//! and known programs are told where they do not take loopback by themselves. A program that chooses its address in its own code cannot be
//! kept from it without more rights than Lectern has.

use std::path::Path;

const LOOPBACK: &str = "127.0.0.1";
const EVERYWHERE: &str = "0.0.0.0";

/// Variables from which programs read their address, where the container does not set them.
pub const VARIABLES: [(&str, &str); 6] = [
    ("HOST", LOOPBACK),
    ("CODE_SERVER_HOST", LOOPBACK),
    ("FLASK_RUN_HOST", LOOPBACK),
    ("GRADIO_SERVER_NAME", LOOPBACK),
    ("STREAMLIT_SERVER_ADDRESS", LOOPBACK),
    ("UVICORN_HOST", LOOPBACK),
];

/// The text with loopback in the place of every interface. A network (`0.0.0.0/0`) and a part of another address stay.
pub fn text(text: &str) -> String {
    if is_every_interface(text) {
        return LOOPBACK.to_owned();
    }
    if let Some((option, _)) = text.split_once('=').filter(|(option, address)| option.starts_with("--") && is_every_interface(address)) {
        return format!("{option}={LOOPBACK}");
    }
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(EVERYWHERE) {
        output.push_str(before);
        let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
        let is_whole = !output.ends_with(is_part) && !after.starts_with(is_part) && !after.starts_with('/');
        output.push_str(if is_whole { LOOPBACK } else { EVERYWHERE });
        rest = after;
    }
    output.push_str(rest);
    output
}

fn is_every_interface(address: &str) -> bool {
    matches!(address, EVERYWHERE | "::" | "[::]")
}

/// The words after a known program's name, with the address that it would not take by itself.
pub fn arguments(program: &Path, mut rest: Vec<String>) -> Vec<String> {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let has = |rest: &[String], option: &str| rest.iter().any(|word| word == option || word.starts_with(&format!("{option}=")));
    let option = match rest.as_slice() {
        [first, ..] if name == "vllm" && first == "serve" => "--host",
        [flag, module, ..] if name.starts_with("python") && flag == "-m" && module == "http.server" => "--bind",
        _ => return rest,
    };
    if !has(&rest, option) {
        rest.extend([option.to_owned(), LOOPBACK.to_owned()]);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_becomes_loopback_and_nothing_else_does() {
        for (given, expected) in [
            ("0.0.0.0", "127.0.0.1"),
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("--host=0.0.0.0", "--host=127.0.0.1"),
            ("exec code-server --bind-addr 0.0.0.0:$PORT .", "exec code-server --bind-addr 127.0.0.1:$PORT ."),
            ("http://0.0.0.0:80/x", "http://127.0.0.1:80/x"),
            ("::", "127.0.0.1"),
            ("--host=::", "--host=127.0.0.1"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("10.0.0.0", "10.0.0.0"),
            ("0.0.0.01", "0.0.0.01"),
            ("a::b", "a::b"),
            ("", ""),
        ] {
            assert_eq!(text(given), expected, "{given}");
        }
    }

    #[test]
    fn known_programs_are_told_their_address_once() {
        let of = |program: &str, words: &[&str]| arguments(Path::new(program), words.iter().map(|word| (*word).to_owned()).collect()).join(" ");
        assert_eq!(of("/usr/bin/vllm", &["serve", "m"]), "serve m --host 127.0.0.1");
        assert_eq!(of("vllm", &["serve", "m", "--host=127.0.0.1"]), "serve m --host=127.0.0.1");
        assert_eq!(of("/usr/bin/python3", &["-m", "http.server", "80"]), "-m http.server 80 --bind 127.0.0.1");
        assert_eq!(of("/usr/bin/python3", &["train.py"]), "train.py");
    }
}
