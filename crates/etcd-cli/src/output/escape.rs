//! Stored text where a terminal or a line would take it for more than text.

use std::borrow::Cow;
use std::fmt::Write as _;

/// For one line on a terminal or in a message: control characters and those that turn the direction of writing are
/// escaped.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe)
}

/// For several lines on a terminal: as [`line()`], but line breaks and tabs stay.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_unsafe(c) && !matches!(c, '\n' | '\t'))
}

/// For one record in a line, to be read back: as [`line()`], and backslashes are doubled.
pub(crate) fn record(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_unsafe(c) || c == '\\')
}

/// For a document of JSON on a terminal, which stays the same document: as [`line()`], in JSON's own way. Outside of
/// strings there is nothing to escape.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // All of them are below U+10000. Writing to a string cannot fail.
            c if is_unsafe(c) => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn escaped(text: &str, escapes: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&escapes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !escapes(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            // Writing to a string cannot fail.
            c if c.is_ascii() => drop(write!(out, "\\x{:02x}", u32::from(c))),
            c => drop(write!(out, "{}", c.escape_unicode())),
        }
    }
    Cow::Owned(out)
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_in_place() {
        assert_eq!(line("a\u{1b}[2J\u{9b}b\r\n"), "a\\x1b[2J\\u{9b}b\\r\\n");
        assert_eq!(line("nomal \u{202e}txet"), "nomal \\u{202e}txet");
        assert_eq!(text("one\n\ttwo\u{7}"), "one\n\ttwo\\x07");
    }

    #[test]
    fn a_record_can_be_read_back() {
        assert_eq!(record("a\\n\nb"), "a\\\\n\\nb");
    }

    #[test]
    fn a_document_is_the_same_behind_its_escapes() {
        let value = "a\u{1b}[2J\u{9b}b\u{7f}\u{202e}\"\\n grün";
        let written = serde_json::to_string(value).unwrap();
        let shown = json(&written);
        assert!(!shown.contains(is_unsafe), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), value);
        assert!(matches!(json("{\"a\":\"grün\"}"), Cow::Borrowed(_)));
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(line("grün 日本 \\"), Cow::Borrowed(_)));
    }
}
