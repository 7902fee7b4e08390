//! The parameters of a request, from body and query.

use std::collections::HashMap;

/// The parameters of a request: of each name the first value, the body's before the query's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    values: HashMap<Vec<u8>, Vec<u8>>,
}

impl Form {
    /// Adds a value, unless the name has one.
    pub(crate) fn add(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.values.entry(name).or_insert(value);
    }

    /// The value of a name; `None` if it does not occur.
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name.as_bytes()).map(Vec::as_slice)
    }

    /// The value of a name; empty if it does not occur.
    pub(crate) fn text(&self, name: &str) -> &[u8] {
        self.get(name).unwrap_or_default()
    }

    /// A flag: absent is false; `Err` for what is no flag, the empty text included.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, NotThat> {
        match self.get(name) {
            None => Ok(false),
            Some(b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True") => Ok(true),
            Some(b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False") => Ok(false),
            Some(_) => Err(NotThat),
        }
    }

    /// A number: absent is 0; `Err` for what is not made of digits alone, or above 2^64 - 1.
    pub(crate) fn number(&self, name: &str) -> Result<u64, NotThat> {
        let Some(digits) = self.get(name) else { return Ok(0) };
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(NotThat);
        }
        let digits = std::str::from_utf8(digits).map_err(|_| NotThat)?;
        digits.parse().map_err(|_| NotThat)
    }
}

/// A value is not of the wanted sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotThat;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_numbers_are_read_as_strictly_as_go_does() {
        let mut form = Form::default();
        for (name, value) in
            [("t", "True"), ("f", "0"), ("e", ""), ("y", "yes"), ("n", "18446744073709551615")]
        {
            form.add(name.into(), value.into());
        }
        form.add("t".into(), "false".into());
        assert_eq!((form.flag("t"), form.flag("f"), form.flag("none")), (Ok(true), Ok(false), Ok(false)));
        assert_eq!((form.flag("e"), form.flag("y")), (Err(NotThat), Err(NotThat)));
        assert_eq!((form.number("n"), form.number("none")), (Ok(u64::MAX), Ok(0)));
        for bad in ["", "+5", " 5", "1.5", "-1", "18446744073709551616"] {
            let mut form = Form::default();
            form.add("n".into(), bad.into());
            assert_eq!(form.number("n"), Err(NotThat), "{bad}");
        }
    }
}
