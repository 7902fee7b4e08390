//! What stands in arguments: times, and values that may come from standard input.

use std::io::{IsTerminal as _, Read as _};
use std::time::Duration;

use etcd_client::v2::Ttl;

use crate::failure::{Failure, Result};

/// Reads seconds (`90`, `1.5`) or a Go duration (`1m30s`).
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let go = match text.ends_with(|c: char| c.is_ascii_digit() || c == '.') {
        true => etcd_client::parse_go_duration(&format!("{text}s")),
        false => etcd_client::parse_go_duration(text),
    };
    go.map_err(|_| "no time such as 90, 500ms or 1m30s".to_owned())
}

/// A time to live of a key: none for 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyTtl(pub(crate) Option<Ttl>);

/// Reads a time to live: seconds or a Go duration, rounded up to whole seconds; 0 is none.
pub(crate) fn key_ttl(text: &str) -> Result<KeyTtl, String> {
    let time = duration(text)?;
    if time.is_zero() {
        return Ok(KeyTtl(None));
    }
    let too_long = |_| format!("more than {} s, which etcd cannot keep", Ttl::MAX_SECS);
    Ttl::try_from(time).map(|ttl| KeyTtl(Some(ttl))).map_err(too_long)
}

/// Reads how long a lock or a leadership lives without a renewal: as a [key's](key_ttl), but never for ever.
pub(crate) fn lock_ttl(text: &str) -> Result<Duration, String> {
    match key_ttl(text)? {
        KeyTtl(Some(ttl)) => Ok(Duration::from_secs(ttl.as_secs())),
        KeyTtl(None) => Err("nobody can hold a lock for no time, and nobody should for ever".to_owned()),
    }
}

/// The value of an argument, or else of standard input to its end, byte by byte.
pub(crate) async fn or_stdin(value: Option<String>) -> Result<String> {
    let Some(value) = value else { return stdin("the value").await };
    Ok(value)
}

/// All of standard input, which must be text. On a terminal nobody would know that it is waited for.
pub(crate) async fn stdin(what: &'static str) -> Result<String> {
    if std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("{what} is missing, and standard input is a terminal")));
    }
    // On a thread of its own, so that Ctrl-C is heard while nothing comes.
    let read = tokio::task::spawn_blocking(|| {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = match read.await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(Failure::io("cannot read standard input", &error)),
        Err(error) => return Err(Failure::new(crate::exit::Exit::Failed, error.to_string())),
    };
    text(bytes, what)
}

/// Bytes as text: etcd answers in JSON and would give back other bytes than it got.
pub(crate) fn text(bytes: Vec<u8>, what: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Failure::usage(format!(
            "{what} is no UTF-8 from byte {place} on: etcd's v2 API stores text (base64 makes text of bytes)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_go_durations() {
        for (text, millis) in [("5", 5_000), ("1.5", 1_500), ("500ms", 500), ("1m30s", 90_000), ("0", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "-1", "1d", "5 s", "five"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_ttl_is_rounded_up_and_zero_is_none() {
        let secs = |text| key_ttl(text).unwrap().0.map(Ttl::as_secs);
        assert_eq!((secs("0"), secs("0s"), secs("1500ms"), secs("2")), (None, None, Some(2), Some(2)));
        assert!(key_ttl("6000000001").unwrap_err().contains("6000000000"));
        assert!(key_ttl("-1").is_err());
    }

    #[test]
    fn a_lock_is_never_held_for_ever() {
        assert_eq!(lock_ttl("1500ms"), Ok(Duration::from_secs(2)));
        assert!(lock_ttl("0").unwrap_err().contains("for ever"));
        assert!(lock_ttl("0s").is_err() && lock_ttl("x").is_err());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let failure = text(vec![b'a', 0xff], "the value").unwrap_err();
        assert!(failure.text(false).contains("from byte 1 on"));
    }
}
