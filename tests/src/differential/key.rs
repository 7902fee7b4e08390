//! Random keys: few enough that they meet, odd enough that they matter.

use fastrand::Rng;

/// A path below `/v2/keys`, percent-encoded, with a slash in front unless it is the root.
pub(crate) fn key(rng: &mut Rng) -> String {
    match rng.u32(0..100) {
        0..2 => return String::new(),
        2..4 => return deep(rng),
        _ => {}
    }
    let depth = [1, 1, 2, 2, 2, 3, 3, 4][rng.usize(0..8)];
    let elements = (0..depth).map(|_| element(rng));
    elements.fold(String::new(), |path, element| path + "/" + element)
}

/// Twenty elements of one letter.
fn deep(rng: &mut Rng) -> String {
    let depth = rng.usize(8..20);
    "/n".repeat(depth)
}

fn element(rng: &mut Rng) -> &'static str {
    match rng.u32(0..100) {
        0..82 => PLAIN[rng.usize(0..PLAIN.len())],
        82..94 => HIDDEN[rng.usize(0..HIDDEN.len())],
        _ => STRANGE[rng.usize(0..STRANGE.len())],
    }
}

/// The same key in another spelling, or a path that is refused or cleaned.
pub(crate) fn respell(rng: &mut Rng, key: &str) -> String {
    match rng.u32(0..9) {
        0 => format!("{key}/"),
        1 => format!("{key}//"),
        2 => format!("/{key}"),
        3 => format!("{key}/../a"),
        4 => format!("{key}/./a"),
        5 => format!("{key}/%2e%2e/a"),
        6 => key.replacen("/", "/%2F", 1),
        7 => format!("{key}%2Fa"),
        _ => format!("{key}/%zz"),
    }
}

/// Percent-encodes all but letters and digits.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' => out + &char::from(byte).to_string(),
        _ => format!("{out}%{byte:02X}"),
    })
}

/// Some are prefixes of others.
const PLAIN: [&str; 8] = ["a", "ab", "b", "abc", "d", "d0", "dz", "1"];
const HIDDEN: [&str; 3] = ["_a", "_h", "_"];
const STRANGE: [&str; 14] = [
    "%20",
    "+",
    "%3F",
    "%00",
    "%FF",
    "%C3%A9",
    "%E2%80%A8",
    "%25",
    "a%2Fb",
    "%22",
    "%3Cb%3E",
    "a%0Ab",
    "%08",
    "...",
];
