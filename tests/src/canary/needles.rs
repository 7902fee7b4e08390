//! The forms in which a password may be written.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::Canary;

/// What to look for: each form of a password, by name.
///
/// All are made of the password's first characters, so that one which was cut short is found as well; those are
/// letters and digits, so that what escapes the rest (a URL, a form, JSON, Debug) leaves them as they are.
#[derive(Clone)]
pub struct Needles(Vec<(&'static str, String)>);

impl Needles {
    /// Those of a canary.
    ///
    /// # Panics
    /// If its password does not begin with letters and digits.
    pub fn of(canary: &Canary) -> Self {
        let start = &canary.password()[..LENGTH];
        assert!(start.bytes().all(|byte| byte.is_ascii_alphanumeric()), "a start that nothing escapes");
        let bytes = |format: fn(u8) -> String, between: &str| {
            start.bytes().map(format).collect::<Vec<_>>().join(between)
        };
        let mut needles = vec![
            ("plain", start.to_owned()),
            ("upper case", start.to_uppercase()),
            ("hex", bytes(|byte| format!("{byte:02x}"), "")),
            ("upper case hex", bytes(|byte| format!("{byte:02X}"), "")),
            ("URL-encoded", bytes(|byte| format!("%{byte:02x}"), "")),
            ("upper case URL-encoded", bytes(|byte| format!("%{byte:02X}"), "")),
            ("bytes", bytes(|byte| byte.to_string(), ", ")),
            ("hex bytes", bytes(|byte| format!("{byte:x}"), ", ")),
        ];
        // Whatever stands before it, such as `user:`, its base64 form is one of three.
        for (shift, name) in
            ["base64", "base64, shifted once", "base64, shifted twice"].into_iter().enumerate()
        {
            for engine in [STANDARD, URL_SAFE] {
                let text = engine.encode("x".repeat(shift) + start);
                // The characters at both ends hold bits of what stands beside it.
                needles.push((name, text[if shift == 0 { 0 } else { 4 }..16].to_owned()));
                needles.push(("base64 in lower case", text[4..16].to_lowercase()));
                needles.push((
                    "bytes of base64",
                    format!("{:?}", &text.as_bytes()[4..16]).replace(['[', ']'], ""),
                ));
            }
        }
        Self(needles)
    }

    /// The name of a form in which the password is in `line`.
    pub fn found_in(&self, line: &str) -> Option<&'static str> {
        self.0.iter().find(|(_, needle)| line.contains(needle.as_str())).map(|(name, _)| *name)
    }
}

impl fmt::Debug for Needles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Characters of the password: enough that no chance writes them, and 12 is a multiple of 3.
const LENGTH: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_found_and_what_is_none_is_not() {
        let canary = Canary::draw();
        let (needles, password) = (Needles::of(&canary), canary.password());
        for user in ["", "u", "an", "ann", "root", canary.user()] {
            let pair = format!("{user}:{password}");
            assert!(needles.found_in(&STANDARD.encode(&pair)).is_some(), "behind {user:?}");
            assert!(needles.found_in(&URL_SAFE.encode(&pair).to_lowercase()).is_some(), "behind {user:?}");
        }
        let header = format!("Basic {}", STANDARD.encode(format!("ann:{password}")));
        assert_eq!(needles.found_in(&format!("{:?}", header.as_bytes())), Some("bytes of base64"));
        for (text, form) in [
            (password.to_owned(), "plain"),
            (format!("{:?}", &password[..15]), "plain"),
            (STANDARD.encode(password), "base64"),
            (format!("{:?}", password.as_bytes()), "bytes"),
            (format!("{:x?}", password.as_bytes()), "hex bytes"),
            (password.bytes().map(|byte| format!("{byte:02x}")).collect(), "hex"),
            (password.bytes().map(|byte| format!("%{byte:02X}")).collect(), "upper case URL-encoded"),
        ] {
            assert_eq!(needles.found_in(&format!("what=({text}) more")), Some(form));
        }
        assert_eq!(needles.found_in("what=*** canary-user c4n4ry"), None);
        assert_eq!(needles.found_in(&Canary::draw().password), None);
    }
}
