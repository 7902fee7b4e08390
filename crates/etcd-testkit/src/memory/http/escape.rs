//! Percent encoding by the rules of Go's `net/url`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// What `+` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plus {
    /// Itself, in paths.
    Stays,
    /// A blank, in forms.
    IsBlank,
}

/// A `%` without two hexadecimal digits; holds it with up to two bytes behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadEscape(pub(crate) Vec<u8>);

/// Decodes a path or a piece of a form.
pub(crate) fn unescape(text: &[u8], plus: Plus) -> Result<Vec<u8>, BadEscape> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        match byte {
            b'%' => {
                let Some((byte, tail)) = hex_pair(tail) else {
                    return Err(BadEscape(rest.iter().copied().take(3).collect()));
                };
                out.push(byte);
                rest = tail;
                continue;
            }
            b'+' if plus == Plus::IsBlank => out.push(b' '),
            byte => out.push(byte),
        }
        rest = tail;
    }
    Ok(out)
}

/// Encodes a decoded path for a header.
pub(crate) fn escape_path(path: &[u8]) -> String {
    percent_encode(path, ESCAPED_IN_PATHS).to_string()
}

/// Bytes in double quotes, as Go's `strconv.Quote` shows them in messages.
pub(crate) fn quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            quote_char(&mut out, character);
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

fn quote_char(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        '\0'..' ' | '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
        other => out.push(other),
    }
}

fn hex_pair(text: &[u8]) -> Option<(u8, &[u8])> {
    let (pair, rest) = text.split_at_checked(2)?;
    let mut byte = 0;
    for digit in pair {
        byte = byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
    }
    Some((byte, rest))
}

/// All but what Go leaves as it is in a path.
const ESCAPED_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_escape_is_quoted_with_what_follows_it() {
        let bad = |text: &str| quote(&unescape(text.as_bytes(), Plus::Stays).unwrap_err().0);
        assert_eq!(bad("a%zzb"), "\"%zz\"");
        assert_eq!(bad("100%"), "\"%\"");
        assert_eq!(bad("%4"), "\"%4\"");
        assert_eq!(bad("%\"\n"), "\"%\\\"\\n\"");
        assert_eq!(quote(b"\xff\x01"), "\"\\xff\\x01\"");
    }

    #[test]
    fn a_plus_is_a_blank_in_forms_only() {
        assert_eq!(unescape(b"a+%2b", Plus::Stays).unwrap(), b"a++");
        assert_eq!(unescape(b"a+%2B", Plus::IsBlank).unwrap(), b"a +");
    }

    #[test]
    fn paths_are_escaped_as_go_does() {
        assert_eq!(escape_path(b"/a b?%\xff:;=@&+$,~!*'()"), "/a%20b%3F%25%FF:;=@&+$,~%21%2A%27%28%29");
    }
}
