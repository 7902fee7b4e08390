//! Durations as Go programs write them.

use std::time::Duration;

use crate::{Error, ErrorKind, Result};

/// Reads a duration as etcd's own programs take it: `1m30s`, `500ms`, `1.5h`; numbers with the units `ns`, `us`, `ms`,
/// `s`, `m` and `h`. For options and settings that were written for etcdctl.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(etcd_client::parse_go_duration("1m30s")?, Duration::from_secs(90));
/// assert!(etcd_client::parse_go_duration("90").is_err());
/// # Ok::<(), etcd_client::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidConfig`], naming the text: for a number without unit (but `0`), and for a negative one.
pub fn parse_go_duration(text: &str) -> Result<Duration> {
    parse(text).ok_or_else(|| {
        let shown = text.chars().take(LONGEST_SHOWN).collect::<String>();
        let error = Error::new(ErrorKind::InvalidConfig);
        error.with_source(format!("{shown:?} is no duration such as 5s or 500ms"))
    })
}

/// Reads `1m30s`, `500ms`, `1.5h`: numbers with the units `ns`, `us`, `µs`, `ms`, `s`, `m` and `h`, as Go's
/// `time.ParseDuration` takes them, but not negative. A bare `0` needs no unit.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        total = total.checked_add(part(number, unit)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

/// A number with its unit.
fn part(number: &str, unit: &str) -> Option<Duration> {
    let nanos_of_unit: u64 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let mut nanos = u128::from(whole) * u128::from(nanos_of_unit);
    let mut scale = u128::from(nanos_of_unit);
    for digit in fraction.chars() {
        scale /= 10;
        nanos += u128::from(digit.to_digit(10)?) * scale;
    }
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

/// Characters of a bad text that stand in its error.
const LONGEST_SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_go_are_read() {
        for (text, millis) in [
            ("0", 0),
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("500ms", 500),
            ("1.5h", 5_400_000),
            (".5s", 500),
            ("+2s", 2_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("3us"), Some(Duration::from_micros(3)));
        assert_eq!(parse("7ns"), Some(Duration::from_nanos(7)));
    }

    #[test]
    fn what_go_refuses_and_what_is_negative_is_refused() {
        for text in
            ["", "+", "5", "-1s", "1.2.3s", "s", ".s", "1d", "1 s", "99999999999999999999s", "300000000h"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_named() {
        let error = parse_go_duration("5 apples").unwrap_err();
        assert!(error.is_invalid_config());
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("5 apples"));
    }
}
