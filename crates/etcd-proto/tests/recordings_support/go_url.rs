//! How etcd's servers read a request: Go's `net/url` rules, written down a second time so that the crate's
//! encoding is not checked by its own code.

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A `%` without two hexadecimal digits.
    Escape,
    /// A bare `;` in a form; Go splits at it before 1.17.
    Semicolon,
}

/// Percent-decodes a path: `+` stays.
pub(crate) fn path(text: &str) -> Result<Vec<u8>, Refusal> {
    unescape(text.as_bytes(), false)
}

/// Percent-decodes a query or a form body: pairs in their order, `+` is a space, a name without `=` has the
/// empty value, empty pieces are skipped.
pub(crate) fn form(text: &[u8], splits_at_semicolons: bool) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
    let separates = |byte: &u8| *byte == b'&' || (*byte == b';' && splits_at_semicolons);
    let mut pairs = Vec::new();
    for piece in text.split(separates) {
        if piece.contains(&b';') {
            return Err(Refusal::Semicolon);
        }
        if piece.is_empty() {
            continue;
        }
        let (name, value) = match piece.iter().position(|byte| *byte == b'=') {
            Some(at) => (&piece[..at], &piece[at + 1..]),
            None => (piece, &b""[..]),
        };
        let name = String::from_utf8(unescape(name, true)?).unwrap();
        pairs.push((name, unescape(value, true)?));
    }
    Ok(pairs)
}

fn unescape(text: &[u8], plus_is_space: bool) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match byte {
            b'%' => {
                let (Some(high), Some(low)) = (rest.first().and_then(digit), rest.get(1).and_then(digit))
                else {
                    return Err(Refusal::Escape);
                };
                rest = &rest[2..];
                high << 4 | low
            }
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    Ok(bytes)
}

fn digit(byte: &u8) -> Option<u8> {
    char::from(*byte).to_digit(16).map(|digit| u8::try_from(digit).unwrap())
}
