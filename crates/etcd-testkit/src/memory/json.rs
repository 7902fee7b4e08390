//! JSON as Go's encoder writes it: compact, safe to stand in HTML, bytes that are no UTF-8 as U+FFFD.

use bytes::Bytes;
use serde::Serialize;

use super::Profile;

/// Appends `text` as a JSON string.
///
/// Every single byte that is no UTF-8 becomes an escaped U+FFFD, while a U+FFFD in the text stays as it is;
/// both seen on 3.4.23 and 3.5.16.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &[u8], profile: Profile) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            write_char(out, character, profile);
        }
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
    out.push(b'"');
}

/// Appends `,"name":`, or without the comma where the object has just begun.
pub(crate) fn write_name(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a whole number.
pub(crate) fn write_number(out: &mut Vec<u8>, number: impl Into<i128>) {
    out.extend_from_slice(number.into().to_string().as_bytes());
}

/// A value as Go would write it, without a line end.
///
/// serde's own text differs only inside strings, where `<`, `>`, `&` and two line separators are escaped; none
/// of these can stand outside a string. Fails never for the crate's own types; a failure reads as `null`.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Bytes {
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".into());
    let mut out = Vec::with_capacity(text.len() + 8);
    for character in text.chars() {
        match html_escape(character) {
            Some(escape) => out.extend_from_slice(escape.as_bytes()),
            None => push_char(&mut out, character),
        }
    }
    out.into()
}

/// As [`encode`], with the line end that Go's stream encoder adds.
pub(crate) fn encode_line<T: Serialize + ?Sized>(value: &T) -> Bytes {
    let mut out = encode(value).to_vec();
    out.push(b'\n');
    out.into()
}

/// Control characters have escapes of their own or four digits; DEL stands as it is.
fn write_char(out: &mut Vec<u8>, character: char, profile: Profile) {
    let escape = match character {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{8}' if profile.has_short_escapes() => "\\b",
        '\u{c}' if profile.has_short_escapes() => "\\f",
        '\0'..' ' => {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            return;
        }
        other => match html_escape(other) {
            Some(escape) => escape,
            None => return push_char(out, other),
        },
    };
    out.extend_from_slice(escape.as_bytes());
}

/// The characters that Go escapes though JSON need not: they would matter in HTML or JavaScript.
fn html_escape(character: char) -> Option<&'static str> {
    match character {
        '<' => Some("\\u003c"),
        '>' => Some("\\u003e"),
        '&' => Some("\\u0026"),
        '\u{2028}' => Some("\\u2028"),
        '\u{2029}' => Some("\\u2029"),
        _ => None,
    }
}

fn push_char(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &[u8], profile: Profile) -> String {
        let mut out = Vec::new();
        write_string(&mut out, text, profile);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_escaped_so_that_it_can_stand_in_html() {
        let text = "<b>\u{2028}&'\"\\</b>\n\0\u{7f}ä😀".as_bytes();
        assert_eq!(
            string(text, Profile::V3_4),
            "\"\\u003cb\\u003e\\u2028\\u0026'\\\"\\\\\\u003c/b\\u003e\\n\\u0000\u{7f}ä😀\""
        );
    }

    #[test]
    fn each_byte_that_is_no_text_comes_back_escaped_and_a_real_replacement_character_as_it_is() {
        assert_eq!(string(b"\xff\xfex", Profile::V3_4), r#""\ufffd\ufffdx""#);
        assert_eq!(string(b"\xe2\x82", Profile::V3_4), r#""\ufffd\ufffd""#);
        assert_eq!(string("\u{fffd}".as_bytes(), Profile::V3_4), "\"\u{fffd}\"");
    }

    #[test]
    fn backspace_and_form_feed_depend_on_the_go_version() {
        assert_eq!(string(b"\x08\x0c", Profile::V3_4), r#""\u0008\u000c""#);
        assert_eq!(string(b"\x08\x0c", Profile::V3_5), r#""\b\f""#);
    }

    #[test]
    fn serde_values_get_the_same_escapes() {
        assert_eq!(encode("a<b"), r#""a\u003cb""#);
        assert_eq!(encode_line(&[1]), "[1]\n");
    }
}
