//! The language of the simulated shell: words, quotes, variables, `;`, `&&`, `||`, and output to `/dev/null`. No pipes, no files.

use std::{iter::Peekable, str::Chars};

use super::console::Muted;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    /// The name of a variable; `?` is the last exit code.
    Variable(String),
}

/// A word before its variables are known.
pub type Word = Vec<Piece>;

/// On what a command depends.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum When {
    #[default]
    Always,
    IfOk,
    IfFailed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub when: When,
    pub words: Vec<Word>,
    pub muted: Muted,
}

/// The commands of a text; an error is what a shell says after its name.
pub fn parse(text: &str) -> Result<Vec<Command>, String> {
    let mut parser = Parser::default();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            ' ' | '\t' | '\r' => parser.end_word(),
            '\n' | ';' => parser.end_command(When::Always)?,
            '#' if parser.word.is_none() => while rest.next_if(|next| *next != '\n').is_some() {},
            '&' if rest.next_if_eq(&'&').is_some() => parser.end_command(When::IfOk)?,
            '&' if rest.peek() == Some(&'>') => parser.both = true,
            '&' => return Err("the simulated shell runs nothing in the background".into()),
            '|' if rest.next_if_eq(&'|').is_some() => parser.end_command(When::IfFailed)?,
            '|' => return Err("the simulated shell has no pipes".into()),
            '>' | '<' => parser.redirect(character, &mut rest)?,
            '\'' => parser.push(&quoted(&mut rest)?),
            '"' => parser.double_quoted(&mut rest)?,
            '\\' => parser.push(&rest.next().map(String::from).unwrap_or_default()),
            '$' => parser.variable(&mut rest),
            other => parser.push(other.encode_utf8(&mut [0; 4])),
        }
    }
    parser.end_command(When::Always)?;
    Ok(parser.commands)
}

type Rest<'a> = Peekable<Chars<'a>>;

#[derive(Default)]
struct Parser {
    commands: Vec<Command>,
    when: When,
    words: Vec<Word>,
    word: Option<Word>,
    muted: Muted,
    /// `&>` was begun.
    both: bool,
}

fn quoted(rest: &mut Rest<'_>) -> Result<String, String> {
    let mut text = String::new();
    loop {
        match rest.next() {
            Some('\'') => return Ok(text),
            Some(other) => text.push(other),
            None => return Err("unterminated quoted string".into()),
        }
    }
}

impl Parser {
    fn push(&mut self, text: &str) {
        let word = self.word.get_or_insert_default();
        match word.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => word.push(Piece::Text(text.to_owned())),
        }
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self, next: When) -> Result<(), String> {
        self.end_word();
        if self.words.is_empty() {
            if self.when != When::Always || next != When::Always {
                return Err("syntax error: a command is missing".into());
            }
            return Ok(());
        }
        let command = Command { when: self.when, words: std::mem::take(&mut self.words), muted: std::mem::take(&mut self.muted) };
        self.commands.push(command);
        self.when = next;
        Ok(())
    }

    fn double_quoted(&mut self, rest: &mut Rest<'_>) -> Result<(), String> {
        // Also an empty one is a word.
        self.push("");
        loop {
            match rest.next() {
                Some('"') => return Ok(()),
                Some('$') => self.variable(rest),
                Some('\\') => match rest.next() {
                    Some(escaped @ ('"' | '\\' | '$' | '`')) => self.push(&escaped.to_string()),
                    Some(other) => self.push(&format!("\\{other}")),
                    None => return Err("unterminated quoted string".into()),
                },
                Some(other) => self.push(&other.to_string()),
                None => return Err("unterminated quoted string".into()),
            }
        }
    }

    fn variable(&mut self, rest: &mut Rest<'_>) {
        let mut name = String::new();
        if let Some(special) = rest.next_if(|next| matches!(next, '?' | '$')) {
            name.push(special);
        } else if rest.next_if_eq(&'{').is_some() {
            name.extend(std::iter::from_fn(|| rest.next_if(|next| *next != '}')));
            rest.next();
        } else {
            name.extend(std::iter::from_fn(|| rest.next_if(|next| next.is_ascii_alphanumeric() || *next == '_')));
        }
        if name.is_empty() {
            self.push("$");
        } else {
            self.word.get_or_insert_default().push(Piece::Variable(name));
        }
    }

    /// Takes a redirection; only `/dev/null` and `2>&1` are known.
    fn redirect(&mut self, sign: char, rest: &mut Rest<'_>) -> Result<(), String> {
        let stream = match self.word.as_deref() {
            Some([Piece::Text(number)]) if number == "1" || number == "2" => Some(number.clone()),
            _ => None,
        };
        if stream.is_some() {
            self.word = None;
        }
        self.end_word();
        while rest.next_if(|next| matches!(next, '>' | ' ')).is_some() {}
        let target: String = std::iter::from_fn(|| rest.next_if(|next| !matches!(next, ' ' | '\t' | '\n' | ';' | ')'))).collect();
        let is_error = stream.as_deref() == Some("2");
        match (sign, target.as_str()) {
            ('<', "/dev/null") => {}
            // Errors go where the output goes.
            ('>', "&1") if is_error => self.muted.err |= self.muted.out,
            ('>', "&2") if !is_error => {}
            ('>', "/dev/null") => {
                self.muted.out |= !is_error;
                self.muted.err |= is_error || std::mem::take(&mut self.both);
            }
            _ => return Err(format!("{target}: the simulated shell has no files")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        let shown = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Variable(name) => format!("<{name}>"),
        };
        let commands = parse(text).unwrap();
        commands.iter().map(|command| command.words.iter().map(|word| word.iter().map(shown).collect()).collect()).collect()
    }

    #[test]
    fn a_text_is_taken_apart_as_a_shell_does() {
        assert_eq!(words("echo a  'b c' \"d $E\" f\\ g; exit 3"), [vec!["echo", "a", "b c", "d <E>", "f g"], vec!["exit", "3"]]);
        assert_eq!(words("echo ${A}b$? '' # no\ntrue"), [vec!["echo", "<A>b<?>", ""], vec!["true"]]);
        let whens: Vec<_> = parse("a && b || c\nd;").unwrap().iter().map(|command| command.when).collect();
        assert_eq!(whens, [When::Always, When::IfOk, When::IfFailed, When::Always]);
    }

    #[test]
    fn output_goes_nowhere_or_stays() {
        let muted = |text| parse(text).unwrap()[0].muted;
        assert_eq!(muted("a > /dev/null 2>&1"), Muted { out: true, err: true });
        assert_eq!(muted("a 2>/dev/null"), Muted { out: false, err: true });
        assert_eq!(muted("a &>/dev/null"), Muted { out: true, err: true });
        assert_eq!(muted("a 2>&1 >/dev/null"), Muted { out: true, err: false });
        for wrong in ["a > file", "a | b", "a &", "&& a", "'a", "a &&"] {
            parse(wrong).unwrap_err();
        }
    }
}
