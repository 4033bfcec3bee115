//! The style sheet: `@import "x.css";` lines of `main.css` are replaced by the files they name, comments and spare
//! white space go. Layers, nesting and the rest are for the browser.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

/// One sheet of `entry` and all that it imports, in order.
pub fn bundle(entry: &Path) -> Result<String> {
    Ok(minify(&inline(entry, 0)?))
}

fn inline(path: &Path, depth: u8) -> Result<String> {
    if depth > 8 {
        bail!("style sheets import each other in a circle at {}", path.display());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let import = line.trim().strip_prefix("@import \"").and_then(|rest| rest.strip_suffix("\";"));
        match import {
            Some(name) => out.push_str(&inline(&folder.join(name), depth + 1)?),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    Ok(out)
}

/// Drops comments, folds white space and takes it away where it can never matter: around `{ } ; ,` and after `:`.
/// Strings and `url(...)` stay as they are.
fn minify(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\'' => {
                out.push(c);
                let mut escaped = false;
                for inside in rest.by_ref() {
                    out.push(inside);
                    if inside == c && !escaped {
                        break;
                    }
                    escaped = inside == '\\' && !escaped;
                }
            }
            '/' if rest.peek() == Some(&'*') => {
                rest.next();
                let mut last = ' ';
                for inside in rest.by_ref() {
                    if last == '*' && inside == '/' {
                        break;
                    }
                    last = inside;
                }
                // A comment separates like a space does.
                fold_space(&mut out);
            }
            c if c.is_whitespace() => fold_space(&mut out),
            '{' | '}' | ';' | ',' => {
                if out.ends_with(' ') {
                    out.pop();
                }
                if c == '}' && out.ends_with(';') {
                    out.pop();
                }
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.trim_end().to_owned()
}

fn fold_space(out: &mut String) {
    let spare = out.is_empty() || out.ends_with([' ', '{', '}', ';', ',', ':']);
    if !spare {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_spare_space_go() {
        assert_eq!(minify("a {\n  color: red; /* why */\n  margin: 0 auto;\n}\n\n/* end */\n"), "a{color:red;margin:0 auto}");
        assert_eq!(minify("a , b > c { x: calc(1px + 2px); }"), "a,b > c{x:calc(1px + 2px)}");
    }

    #[test]
    fn what_carries_meaning_stays() {
        assert_eq!(minify("a :hover { }"), "a :hover{}");
        assert_eq!(minify("x { content: \"a  /* b */ { ; \"; }"), "x{content:\"a  /* b */ { ; \"}");
        assert_eq!(minify("@media (48rem <= width < 68rem) { & .a { b: c } }"), "@media (48rem <= width < 68rem){& .a{b:c}}");
        assert_eq!(minify("a { b: 'it\\'s  ok'; }"), "a{b:'it\\'s  ok'}");
        assert_eq!(minify("a/**/b{}"), "a b{}");
    }

    #[test]
    fn imports_are_put_in_place() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("main.css"), "@import \"one.css\";\nb { c: d }\n")?;
        fs::write(folder.path().join("one.css"), "a { b: c }\n")?;
        assert_eq!(bundle(&folder.path().join("main.css"))?, "a{b:c}b{c:d}");
        fs::write(folder.path().join("one.css"), "@import \"main.css\";\n")?;
        assert!(bundle(&folder.path().join("main.css")).is_err());
        Ok(())
    }
}
