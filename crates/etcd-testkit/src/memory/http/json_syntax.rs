//! Why a text is no JSON, in the words of Go's `encoding/json`.

/// The first error of `text` as JSON, as Go words it; `None` if it is well-formed.
///
/// Go's scanner reads byte by byte and never looks back, and takes the end of the text for a blank.
pub(crate) fn error(text: &[u8]) -> Option<String> {
    let mut scanner = Scanner { state: State::Value, open: Vec::new() };
    for byte in text {
        if let Err(context) = scanner.step(*byte) {
            return Some(format!("invalid character {} {context}", quote(*byte)));
        }
    }
    if scanner.is_done() {
        return None;
    }
    match scanner.step(b' ') {
        Err(context) => Some(format!("invalid character ' ' {context}")),
        Ok(()) if scanner.is_done() => None,
        Ok(()) => Some("unexpected end of JSON input".into()),
    }
}

/// Go's scanner: a state, and a stack instead of recursion.
struct Scanner {
    state: State,
    /// What is open around the present place, outermost first.
    open: Vec<Open>,
}

/// What the next byte may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value.
    Value,
    /// A value or the end of the array.
    ValueOrEnd,
    /// The name of a field.
    Name,
    /// The name of a field or the end of the object.
    NameOrEnd,
    /// What follows a value.
    AfterValue,
    /// The inside of a string.
    Text,
    /// What follows a backslash.
    Escape,
    /// So many hexadecimal digits more.
    Hex(u8),
    /// The rest of a word, and the word.
    Word(&'static [u8], &'static str),
    /// The first digit behind a minus.
    Minus,
    /// What follows a leading zero.
    Zero,
    /// A digit or what follows a whole number.
    Digits,
    /// The first digit behind the point.
    Point,
    /// Digits behind the point.
    Fraction,
    /// The sign or first digit of the exponent.
    Exponent,
    /// The first digit of a signed exponent.
    ExponentSign,
    /// Digits of the exponent.
    ExponentDigits,
}

/// What a value stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// An object, before the colon.
    Name,
    /// An object, behind the colon.
    Field,
    Array,
}

impl Scanner {
    /// Takes a byte; `Err` is the context that it does not fit in.
    fn step(&mut self, byte: u8) -> Result<(), String> {
        let is_blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        match (self.state, byte) {
            (State::Value | State::ValueOrEnd | State::Name | State::NameOrEnd, _) if is_blank => {}
            (State::ValueOrEnd, b']') | (State::NameOrEnd, b'}') => self.close(),
            (State::Value | State::ValueOrEnd, _) => self.begin_value(byte)?,
            (State::Name | State::NameOrEnd, b'"') => self.state = State::Text,
            (State::Name | State::NameOrEnd, _) => {
                return Err("looking for beginning of object key string".into());
            }
            (State::AfterValue, _) => self.after_value(byte, is_blank)?,
            (State::Text, b'"') => self.state = State::AfterValue,
            (State::Text, b'\\') => self.state = State::Escape,
            (State::Text, 0..0x20) => return Err("in string literal".into()),
            (State::Text, _) => {}
            (State::Escape, b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => {
                self.state = State::Text
            }
            (State::Escape, b'u') => self.state = State::Hex(4),
            (State::Escape, _) => return Err("in string escape code".into()),
            (State::Hex(left), _) if byte.is_ascii_hexdigit() => {
                self.state = if left > 1 { State::Hex(left - 1) } else { State::Text };
            }
            (State::Hex(_), _) => return Err("in \\u hexadecimal character escape".into()),
            (State::Word(rest, word), _) => self.word(rest, word, byte)?,
            _ => self.number(byte, is_blank)?,
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.state == State::AfterValue && self.open.is_empty()
    }

    fn close(&mut self) {
        self.open.pop();
        self.state = State::AfterValue;
    }

    /// The first byte of a value.
    fn begin_value(&mut self, byte: u8) -> Result<(), String> {
        self.state = match byte {
            b'{' => {
                self.open.push(Open::Name);
                State::NameOrEnd
            }
            b'[' => {
                self.open.push(Open::Array);
                State::ValueOrEnd
            }
            b'"' => State::Text,
            b'-' => State::Minus,
            b'0' => State::Zero,
            b'1'..=b'9' => State::Digits,
            b't' => State::Word(b"rue", "true"),
            b'f' => State::Word(b"alse", "false"),
            b'n' => State::Word(b"ull", "null"),
            _ => return Err("looking for beginning of value".into()),
        };
        Ok(())
    }

    /// What may follow a value depends on what is open around it.
    fn after_value(&mut self, byte: u8, is_blank: bool) -> Result<(), String> {
        self.state = State::AfterValue;
        if is_blank {
            return Ok(());
        }
        match (self.open.last_mut(), byte) {
            (None, _) => return Err("after top-level value".into()),
            (Some(open @ Open::Name), b':') => {
                *open = Open::Field;
                self.state = State::Value;
            }
            (Some(Open::Name), _) => return Err("after object key".into()),
            (Some(open @ Open::Field), b',') => {
                *open = Open::Name;
                self.state = State::Name;
            }
            (Some(Open::Field), b'}') | (Some(Open::Array), b']') => self.close(),
            (Some(Open::Field), _) => return Err("after object key:value pair".into()),
            (Some(Open::Array), b',') => self.state = State::Value,
            (Some(Open::Array), _) => return Err("after array element".into()),
        }
        Ok(())
    }

    /// `true`, `false` and `null`, letter by letter.
    fn word(&mut self, rest: &'static [u8], word: &'static str, byte: u8) -> Result<(), String> {
        let Some((expected, rest)) = rest.split_first() else { return self.after_value(byte, false) };
        if *expected != byte {
            return Err(format!("in literal {word} (expecting '{}')", char::from(*expected)));
        }
        self.state = if rest.is_empty() { State::AfterValue } else { State::Word(rest, word) };
        Ok(())
    }

    /// Numbers end where something else begins.
    fn number(&mut self, byte: u8, is_blank: bool) -> Result<(), String> {
        self.state = match (self.state, byte) {
            (State::Minus, b'0') => State::Zero,
            (State::Minus, b'1'..=b'9') | (State::Digits, b'0'..=b'9') => State::Digits,
            (State::Minus, _) => return Err("in numeric literal".into()),
            (State::Zero | State::Digits, b'.') => State::Point,
            (State::Zero | State::Digits | State::Fraction, b'e' | b'E') => State::Exponent,
            (State::Point | State::Fraction, b'0'..=b'9') => State::Fraction,
            (State::Point, _) => return Err("after decimal point in numeric literal".into()),
            (State::Exponent, b'+' | b'-') => State::ExponentSign,
            (State::Exponent | State::ExponentSign | State::ExponentDigits, b'0'..=b'9') => {
                State::ExponentDigits
            }
            (State::Exponent | State::ExponentSign, _) => {
                return Err("in exponent of numeric literal".into());
            }
            _ => return self.after_value(byte, is_blank),
        };
        Ok(())
    }
}

/// A byte in single quotes, as Go shows it.
fn quote(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".into(),
        b'"' => "'\"'".into(),
        byte => {
            let quoted = super::escape::quote(char::from(byte).to_string().as_bytes());
            format!("'{}'", quoted.trim_matches('"'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_worded_as_go_does() {
        // All seen on 3.4.23 and 3.5.16.
        let cases = [
            ("", "unexpected end of JSON input"),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("[", "unexpected end of JSON input"),
            ("{\"a\"", "unexpected end of JSON input"),
            ("{\"a\":1}x", "invalid character 'x' after top-level value"),
            ("{\"a\":tru}", "invalid character '}' in literal true (expecting 'e')"),
            ("{\"a\":\"\\x\"}", "invalid character 'x' in string escape code"),
            ("{\"a\":01}", "invalid character '1' after object key:value pair"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{,", "invalid character ',' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("[1 2]", "invalid character '2' after array element"),
            ("-", "invalid character ' ' in numeric literal"),
            ("{\"a\":1.}", "invalid character '}' after decimal point in numeric literal"),
            ("nul", "invalid character ' ' in literal null (expecting 'l')"),
        ];
        for (text, expected) in cases {
            assert_eq!(error(text.as_bytes()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_json_has_no_error() {
        for text in ["null", "{}", "[]", " {\"a\":[1,-0.5e+3,\"\\u00e4\\\"\",true,{}]} ", "1", "12e4", "\"\""]
        {
            assert_eq!(error(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_million_brackets_cost_no_stack() {
        assert_eq!(error(&vec![b'['; 1_000_000]).as_deref(), Some("unexpected end of JSON input"));
    }
}
