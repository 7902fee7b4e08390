//! Content types by the rules of Go's `mime.ParseMediaType`.

/// Why a content type is refused, in Go's words; some come with the type all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadMediaType {
    /// Go's text.
    pub(crate) message: &'static str,
    /// The type, where only its parameters are bad: Go then reads the form and refuses it afterwards.
    pub(crate) media_type: Option<String>,
}

/// The type without parameters, in lower case.
pub(crate) fn parse(header: &[u8]) -> Result<String, BadMediaType> {
    let header = String::from_utf8_lossy(header).into_owned();
    let base = header.split(';').next().unwrap_or_default();
    let media_type = base.trim().to_lowercase();
    check_type(&media_type).map_err(|message| BadMediaType { message, media_type: None })?;
    let mut rest = header.get(base.len()..).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(media_type);
        }
        let Some((name, after)) = parameter(rest) else {
            // One semicolon too many at the end is forgiven.
            return if rest.trim() == ";" {
                Ok(media_type)
            } else {
                Err(BadMediaType { message: "mime: invalid media parameter", media_type: Some(media_type) })
            };
        };
        if names.contains(&name) {
            return Err(BadMediaType { message: "mime: duplicate parameter name", media_type: None });
        }
        names.push(name);
        rest = after;
    }
}

/// Whether this is a type, with or without a subtype.
fn check_type(text: &str) -> Result<(), &'static str> {
    let (kind, rest) = token(text);
    if kind.is_empty() {
        return Err("mime: no media type");
    }
    if rest.is_empty() {
        return Ok(());
    }
    let Some(rest) = rest.strip_prefix('/') else { return Err("mime: expected slash after first token") };
    let (subtype, rest) = token(rest);
    if subtype.is_empty() {
        return Err("mime: expected token after slash");
    }
    if rest.is_empty() { Ok(()) } else { Err("mime: unexpected content after media subtype") }
}

/// `; name=value` from the front of a text: the name, and what follows.
fn parameter(text: &str) -> Option<(String, &str)> {
    let rest = text.trim_start().strip_prefix(';')?.trim_start();
    let (name, rest) = token(rest);
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let after = value(rest)?;
    Some((name.to_lowercase(), after))
}

/// What follows a value, in quotes or not.
fn value(text: &str) -> Option<&str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = token(text);
        return (!token.is_empty()).then_some(rest);
    };
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return quoted.get(at + 1..),
            '\\' => {
                characters.next();
            }
            '\r' | '\n' => return None,
            _ => {}
        }
    }
    None
}

/// A token of RFC 2045 from the front of a text, and what follows.
fn token(text: &str) -> (&str, &str) {
    let is_token = |byte: u8| byte.is_ascii_graphic() && !br#"()<>@,;:\"/[]?="#.contains(&byte);
    let end = text.bytes().position(|byte| !is_token(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_do_not_matter() {
        for header in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-Urlencoded ; charset=utf-8",
            "application/x-www-form-urlencoded; a=\"x;\\\"y\"; b=c;",
        ] {
            assert_eq!(parse(header.as_bytes()).as_deref(), Ok("application/x-www-form-urlencoded"));
        }
        assert_eq!(parse(b"foo").as_deref(), Ok("foo"));
    }

    #[test]
    fn what_go_cannot_parse_is_refused_in_its_words() {
        let message = |header: &str| parse(header.as_bytes()).unwrap_err().message;
        assert_eq!(message("a/b; ="), "mime: invalid media parameter");
        assert_eq!(message("a/b; c=d; c=e"), "mime: duplicate parameter name");
        assert_eq!(message("/b"), "mime: no media type");
        assert_eq!(message("a b"), "mime: expected slash after first token");
        assert_eq!(message("a/"), "mime: expected token after slash");
        assert_eq!(message("a/b/c"), "mime: unexpected content after media subtype");
        assert_eq!(message("a/b; c=\"d"), "mime: invalid media parameter");
    }
}
