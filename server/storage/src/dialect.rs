//! All that differs between the engines: row locks and text search. Everything else is one SQL text for both.

use crate::{
    database::{Engine, Write},
    error::Result,
    script::Insert,
};

/// Makes other transactions that lock the same `name` wait until this one ends. SQLite has one writer, so there it is nothing.
pub async fn lock(write: &mut Write, name: &str) -> Result<()> {
    lock_all(write, &[name.to_owned()]).await
}

/// The same for several, one after the other as they stand; none is empty or of several lines. One statement.
pub async fn lock_all(write: &mut Write, names: &[String]) -> Result<()> {
    debug_assert!(names.iter().all(|name| !name.is_empty() && !name.contains('\n')), "{names:?}");
    if write.engine() == Engine::Postgres {
        // 64 bits of the name; a collision only makes two names wait for each other.
        let sql = "SELECT CAST(pg_advisory_xact_lock(hashtextextended(name, 0)) AS TEXT) FROM unnest(string_to_array($1, chr(10))) AS name";
        sqlx::query(sql).bind(names.join("\n")).execute(&mut **write).await?;
    }
    Ok(())
}

/// Condition on `audit_events.id` for records that hold all words of `$1`, as sea-query numbers it anew (`Expr::cust_with_values`);
/// see [`words_query`] for its value.
pub const fn words_condition(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "id IN (SELECT id FROM audit_words WHERE audit_words MATCH $1)",
        Engine::Postgres => "id IN (SELECT id FROM audit_words WHERE to_tsvector('simple', words) @@ to_tsquery('simple', $1))",
    }
}

/// Bytes of a word: PostgreSQL indexes and looks for no longer one.
const LONGEST_WORD: usize = 2_000;
/// Words beyond these narrow no further: both engines give up on a condition of thousands.
const MOST_WORDS: usize = 100;

/// The value for [`words_condition`]: every token must occur, in narrow or in full width, or all of them as they were typed. The index has the
/// words as they were written, so that a search looks for both.
pub fn words_query(engine: Engine, text: &str) -> Option<String> {
    let (and, or, quote) = match engine {
        Engine::Sqlite => (" AND ", " OR ", '"'),
        Engine::Postgres => (" & ", " | ", '\''),
    };
    let quoted = |token: &String| format!("{quote}{token}{quote}");
    let of_both_widths = |token: &String| match wide(token) {
        Some(wide) => format!("({}{or}{})", quoted(token), quoted(&wide)),
        None => quoted(token),
    };
    let narrow = searched(&domain::text::narrow(text));
    let typed = searched(text).filter(|typed| narrow.as_ref() != Some(typed));
    let folded = narrow.map(|tokens| tokens.iter().map(of_both_widths).collect::<Vec<_>>().join(and));
    let typed = typed.map(|tokens| tokens.iter().map(quoted).collect::<Vec<_>>().join(and));
    match (folded, typed) {
        (Some(folded), Some(typed)) => Some(format!("({folded}){or}({typed})")),
        (folded, typed) => folded.or(typed),
    }
}

/// The tokens of a search; `None` where nothing can be found.
fn searched(text: &str) -> Option<Vec<String>> {
    let mut tokens = tokens(text);
    // A word that no index holds is in no record.
    if tokens.is_empty() || tokens.iter().any(|token| token.len() > LONGEST_WORD) {
        return None;
    }
    tokens.truncate(MOST_WORDS);
    Some(tokens)
}

/// The token with its letters and digits in full width; `None` where it has no other form.
fn wide(token: &str) -> Option<String> {
    let widened = |c: char| if c.is_ascii_graphic() { char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c) } else { c };
    Some(token.chars().map(widened).collect::<String>()).filter(|wide| wide != token && wide.len() <= LONGEST_WORD)
}

/// Words for the index: bigrams of Chinese runs (so that two-character words are found), lower-cased runs of letters and digits of the rest.
pub fn tokens(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut previous_han: Option<char> = None;
    let mut han_run = 0;
    let mut flush = |word: &mut String| {
        if !word.is_empty() {
            out.push(std::mem::take(word));
        }
    };
    let mut han = Vec::new();
    for c in text.chars() {
        if is_han(c) {
            flush(&mut word);
            if let Some(previous) = previous_han {
                han.push(format!("{previous}{c}"));
            }
            previous_han = Some(c);
            han_run += 1;
            continue;
        }
        if han_run == 1
            && let Some(single) = previous_han
        {
            han.push(single.to_string());
        }
        previous_han = None;
        han_run = 0;
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        } else {
            flush(&mut word);
        }
    }
    if han_run == 1
        && let Some(single) = previous_han
    {
        han.push(single.to_string());
    }
    flush(&mut word);
    out.extend(han);
    out
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2ebef}')
}

/// Characters of a record that are indexed; what is beyond is found by the other filters.
const INDEXED_CHARS: usize = 8_000;

/// A record's words for the index, and each Chinese character by itself, so that single characters are found too. Verification compares the
/// stored words with this function: after a change it must still accept words of the earlier version.
pub fn index_text(text: &str) -> String {
    let text: String = text.chars().take(INDEXED_CHARS).collect();
    let mut words = tokens(&text);
    words.extend(text.chars().filter(|c| is_han(*c)).map(String::from));
    words.join(" ")
}

pub fn words(id: &str, words: String) -> Insert {
    Insert::new("INSERT INTO audit_words (id, words) VALUES ($1, $2)").bind(id).bind(words)
}

/// Rows of the word index after place `$1`, at most `$2`, each with its place.
pub const fn index_page(engine: Engine) -> &'static str {
    match engine {
        // A full-text table has no other index than its row id.
        Engine::Sqlite => {
            "SELECT CAST(rowid AS TEXT) AS place, CAST(id AS TEXT) AS id, CAST(words AS TEXT) AS words FROM audit_words \
             WHERE rowid > CAST($1 AS BIGINT) ORDER BY rowid LIMIT $2"
        }
        Engine::Postgres => "SELECT id AS place, id, words FROM audit_words WHERE id > $1 ORDER BY id LIMIT $2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_cut_into_pairs_and_the_rest_into_words() {
        assert_eq!(tokens("李华 ordered JupyterLab: 深度学习 #2047"), ["ordered", "jupyterlab", "2047", "李华", "深度", "度学", "学习"]);
        assert_eq!(tokens("课"), ["课"]);
        assert_eq!(words_query(Engine::Sqlite, "--"), None);
        assert_eq!(words_query(Engine::Postgres, &"a".repeat(3_000)), None);
        let many = words_query(Engine::Sqlite, &"a ".repeat(3_000)).expect("words");
        assert_eq!(many.matches("AND").count(), 99);
        let query = |text| words_query(Engine::Sqlite, text).expect("words");
        assert_eq!(query("lab-7"), "(\"lab\" OR \"ｌａｂ\") AND (\"7\" OR \"７\")");
        assert_eq!(query("ＬＡＢ"), "((\"lab\" OR \"ｌａｂ\")) OR (\"ｌａｂ\")");
        assert_eq!(query("深度"), "\"深度\"");
    }
}
