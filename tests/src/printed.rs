//! All that an error can print.

use std::error::Error;
use std::fmt::Write as _;

/// Display and Debug of an error and of each of its sources, one a line.
pub fn printed(error: &dyn Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        writeln!(text, "{error}\n{error:?}\n{error:#?}").expect("a String takes everything");
        next = error.source();
    }
    text
}
