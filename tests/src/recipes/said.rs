//! What a contender says of itself, as a line of text and back.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a contender says of itself. Times are [`boottime`] of the machine, which all processes on it share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It was granted what it wanted.
    Granted {
        /// The number of its token.
        token: u64,
        /// When it knew.
        at: Duration,
    },
    /// It asked whether it still holds it.
    Checked {
        /// The number of its token.
        token: u64,
        /// Just before the question.
        from: Duration,
        /// Just after the answer.
        to: Duration,
        /// The answer.
        is_held: bool,
        /// When its holding ends unless it is renewed, as it said at the time.
        until: Duration,
    },
    /// It gave it back.
    Released {
        /// The number of its token.
        token: u64,
        /// When the release had ended.
        at: Duration,
        /// Whether it was still there to be given back.
        was_held: bool,
    },
    /// It has tried to write to a fenced key.
    Wrote {
        /// The number of its token.
        token: u64,
        /// When it was told.
        at: Duration,
        /// Whether the key took it.
        taken: bool,
    },
    /// It could not go on.
    Failed {
        /// Why.
        why: String,
    },
}

/// The time since this machine started, its sleep counted: the same for all processes.
///
/// Read from the system here and not by the recipe's clock, so that a clock that is wrong is found.
pub fn boottime() -> Duration {
    let time = rustix::time::clock_gettime(CLOCK);
    let secs = u64::try_from(time.tv_sec).expect("no machine starts in the future");
    Duration::new(secs, u32::try_from(time.tv_nsec).expect("below a second"))
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted { token, at } => write!(f, "granted {token} {}", at.as_nanos()),
            Self::Checked { token, from, to, is_held, until } => {
                let (from, to, until) = (from.as_nanos(), to.as_nanos(), until.as_nanos());
                write!(f, "checked {token} {from} {to} {is_held} {until}")
            }
            Self::Released { token, at, was_held } => {
                write!(f, "released {token} {} {was_held}", at.as_nanos())
            }
            Self::Wrote { token, at, taken } => write!(f, "wrote {token} {} {taken}", at.as_nanos()),
            Self::Failed { why } => write!(f, "failed {}", why.replace('\n', " ")),
        }
    }
}

impl FromStr for Said {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        read(line).ok_or_else(|| format!("no line of a contender: {line:?}"))
    }
}

fn read(line: &str) -> Option<Said> {
    let (verb, rest) = line.split_once(' ')?;
    let mut words = rest.split(' ');
    let said = match verb {
        "granted" => Said::Granted { token: words.next()?.parse().ok()?, at: time(words.next()?)? },
        "checked" => Said::Checked {
            token: words.next()?.parse().ok()?,
            from: time(words.next()?)?,
            to: time(words.next()?)?,
            is_held: words.next()?.parse().ok()?,
            until: time(words.next()?)?,
        },
        "released" => Said::Released {
            token: words.next()?.parse().ok()?,
            at: time(words.next()?)?,
            was_held: words.next()?.parse().ok()?,
        },
        "wrote" => Said::Wrote {
            token: words.next()?.parse().ok()?,
            at: time(words.next()?)?,
            taken: words.next()?.parse().ok()?,
        },
        "failed" => return Some(Said::Failed { why: rest.to_owned() }),
        _ => return None,
    };
    words.next().is_none().then_some(said)
}

fn time(nanos: &str) -> Option<Duration> {
    nanos.parse().ok().map(Duration::from_nanos)
}

#[cfg(target_os = "linux")]
const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_comes_back_from_its_line() {
        let time = Duration::from_nanos;
        let all = [
            Said::Granted { token: 7, at: time(1_000_000_007) },
            Said::Checked { token: 7, from: time(1), to: time(2), is_held: true, until: time(3) },
            Said::Released { token: 7, at: time(9), was_held: false },
            Said::Wrote { token: 7, at: time(9), taken: false },
            Said::Failed { why: "no such thing".to_owned() },
        ];
        for said in all {
            assert_eq!(said.to_string().parse(), Ok(said));
        }
        for line in ["", "granted", "granted 7", "granted 7 8 9", "checked 7 1 2 maybe 3", "gone 1 2"] {
            assert!(line.parse::<Said>().is_err(), "{line}");
        }
    }
}
