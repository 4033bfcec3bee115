//! The programs of a simulated container.

use std::{fmt::Write as _, time::Duration};

use time::OffsetDateTime;

use super::{
    base_name,
    shell::{BROKEN_PIPE, Shell},
};

/// Programs that are files in the container; `exit` and the like exist in a shell only.
pub const KNOWN: [&str; 15] =
    ["sh", "bash", "echo", "cat", "true", "false", "env", "hostname", "date", "sleep", "yes", "stty", "whoami", "pwd", "test"];

/// How much `yes` writes at once.
const YES_LINES: usize = 2048;

/// Runs a command, and gives its exit code.
pub async fn run(shell: &mut Shell, command: Vec<String>) -> u8 {
    let Some((program, arguments)) = command.split_first() else { return 0 };
    let first = arguments.first().map_or("", String::as_str);
    match base_name(program) {
        "sh" | "bash" => nested(shell, arguments).await,
        "true" | ":" => 0,
        "false" => 1,
        "echo" if first == "-n" => match shell.output.out(arguments[1..].join(" ").as_bytes()).await {
            Ok(()) => 0,
            Err(_) => BROKEN_PIPE,
        },
        "echo" => shell.say(&arguments.join(" ")).await,
        "cat" => cat(shell, arguments).await,
        "env" => env(shell, arguments).await,
        "hostname" => shell.say(&shell.environment.hostname).await,
        "whoami" => shell.say("lab").await,
        "pwd" => shell.say("/root").await,
        "date" => shell.say(&date(first)).await,
        "sleep" => sleep(shell, arguments).await,
        "yes" => yes(shell, arguments).await,
        "stty" => stty(shell, first).await,
        "test" | "[" => test(arguments),
        "cd" => 0,
        "exit" => {
            let asked = first.parse::<i64>().map_or(2, |code| u8::try_from(code.rem_euclid(256)).unwrap_or_default());
            let code = if first.is_empty() { shell.last } else { asked };
            shell.exit = Some(code);
            code
        }
        "exec" if first.is_empty() => 0,
        "exec" => {
            let code = shell.program(arguments.to_vec()).await;
            shell.exit = Some(code);
            code
        }
        "export" => arguments.iter().fold(0, |code, word| if assign(shell, word) { code } else { 1 }),
        "command" if first == "-v" => match arguments.get(1) {
            Some(name) if KNOWN.contains(&base_name(name)) => shell.say(&format!("/bin/{}", base_name(name))).await,
            _ => 127,
        },
        // A variable that is set for one command stays set.
        _ if assign(shell, program) => shell.program(arguments.to_vec()).await,
        _ => shell.complain(&format!("sh: {program}: command not found"), 127).await,
    }
}

/// A shell in the shell: `-c` with a text, else the input.
async fn nested(shell: &mut Shell, arguments: &[String]) -> u8 {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(option) = argument.strip_prefix('-') else {
            return shell.complain(&format!("sh: {argument}: No such file or directory"), 127).await;
        };
        if !option.starts_with('-') && option.contains('c') {
            let Some(text) = rest.next() else { return shell.complain("sh: -c: option requires an argument", 2).await };
            let code = shell.script(text).await;
            shell.exit = None;
            return code;
        }
    }
    shell.interactive().await
}

async fn cat(shell: &mut Shell, arguments: &[String]) -> u8 {
    let mut code = 0;
    for file in arguments {
        let ended = match file.as_str() {
            "-" => shell.copy().await,
            "/etc/hostname" => shell.say(&shell.environment.hostname).await,
            "/proc/net/tcp" => shell.say(&sockets(&shell.environment.listening)).await,
            "/proc/net/tcp6" => shell.say(&sockets(&[])).await,
            _ => shell.complain(&format!("cat: {file}: No such file or directory"), 1).await,
        };
        if ended != 0 {
            code = ended;
        }
    }
    if arguments.is_empty() { shell.copy().await } else { code }
}

/// Listening sockets as the kernel lists them.
fn sockets(ports: &[u16]) -> String {
    let mut list = String::from("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode");
    for (number, port) in ports.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(list, "\n{number:4}: 00000000:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {number} 1");
    }
    list
}

async fn env(shell: &mut Shell, arguments: &[String]) -> u8 {
    let mut rest = arguments;
    while let [first, after @ ..] = rest {
        if !assign(shell, first) {
            return shell.program(rest.to_vec()).await;
        }
        rest = after;
    }
    let lines: Vec<String> = shell.environment.variables.iter().map(|(name, text)| format!("{name}={text}")).collect();
    shell.say(&lines.join("\n")).await
}

/// Takes `NAME=text`.
fn assign(shell: &mut Shell, word: &str) -> bool {
    let Some((name, text)) = word.split_once('=') else { return false };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name {
        shell.environment.set(name, text);
    }
    is_name
}

fn date(format: &str) -> String {
    let now = OffsetDateTime::now_utc();
    if format == "+%s" {
        return now.unix_timestamp().to_string();
    }
    let (weekday, month) = (now.weekday().to_string(), now.month().to_string());
    let (day, hour, minute, second, year) = (now.day(), now.hour(), now.minute(), now.second(), now.year());
    format!("{weekday:.3} {month:.3} {day:>2} {hour:02}:{minute:02}:{second:02} UTC {year}")
}

async fn sleep(shell: &mut Shell, arguments: &[String]) -> u8 {
    let mut whole = Duration::ZERO;
    for word in arguments {
        if word == "infinity" {
            std::future::pending::<()>().await;
        }
        let (number, unit) = match word.chars().last() {
            Some('m') => (&word[..word.len() - 1], 60.0),
            Some('h') => (&word[..word.len() - 1], 3600.0),
            Some('s') => (&word[..word.len() - 1], 1.0),
            _ => (word.as_str(), 1.0),
        };
        let Some(time) = number.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number * unit).ok()) else {
            return shell.complain(&format!("sleep: invalid time interval '{word}'"), 1).await;
        };
        whole = whole.saturating_add(time);
    }
    tokio::time::sleep(whole).await;
    0
}

async fn yes(shell: &mut Shell, arguments: &[String]) -> u8 {
    let word = if arguments.is_empty() { "y".to_owned() } else { arguments.join(" ") };
    let lines = format!("{word}\n").repeat(YES_LINES);
    while shell.output.out(lines.as_bytes()).await.is_ok() {}
    BROKEN_PIPE
}

async fn stty(shell: &mut Shell, first: &str) -> u8 {
    if !shell.is_terminal {
        return shell.complain("stty: 'standard input': Inappropriate ioctl for device", 1).await;
    }
    if first != "size" {
        return 0;
    }
    let size = *shell.size.borrow();
    let (rows, columns) = size.map_or((0, 0), |size| (size.height, size.width));
    shell.say(&format!("{rows} {columns}")).await
}

/// Whether a file is there, a text is empty, or two texts are the same.
fn test(arguments: &[String]) -> u8 {
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "]").collect();
    let holds = match words.as_slice() {
        ["-x" | "-f" | "-e", file] => KNOWN.contains(&base_name(file)) && file.starts_with('/'),
        ["-n", text] | [text] => !text.is_empty(),
        ["-z", text] => text.is_empty(),
        [left, "=" | "==", right] => left == right,
        [left, "!=", right] => left != right,
        _ => false,
    };
    u8::from(!holds)
}
