//! Another text in the code.

/// What is replaced by what.
#[derive(Debug)]
pub(super) struct Patch {
    /// From the root of the workspace.
    pub(super) file: &'static str,
    /// It must be there exactly once.
    pub(super) text: &'static str,
    pub(super) replacement: &'static str,
}

impl Patch {
    /// The file's text with the replacement, or what is wrong with the patch.
    pub(super) fn apply(&self, text: &str) -> Result<String, String> {
        let Self { file, text: wanted, replacement } = self;
        match text.matches(wanted).count() {
            1 => Ok(text.replacen(wanted, replacement, 1)),
            0 => Err(format!("{file} does not have the text `{wanted}`; the mutant must follow the code")),
            count => Err(format!("{file} has the text `{wanted}` {count} times, and must have it once")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_not_there_once_is_told() {
        let patch = Patch { file: "a.rs", text: "one", replacement: "two" };
        assert_eq!(patch.apply("a one b").unwrap(), "a two b");
        assert!(patch.apply("nothing").unwrap_err().contains("a.rs does not have the text `one`"));
        assert!(patch.apply("one one").unwrap_err().contains("2 times"));
    }
}
