//! Figures of several rounds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Times of one scenario over several rounds, by what was timed.
#[derive(Clone, Debug, Default)]
pub struct Figures(BTreeMap<String, Vec<Duration>>);

impl Figures {
    /// Adds one measured time.
    pub fn add(&mut self, what: impl Into<String>, elapsed: Duration) {
        self.0.entry(what.into()).or_default().push(elapsed);
    }
}

impl fmt::Display for Figures {
    /// One line for each: median, least, most, how many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &self.0 {
            let (least, most) = (times.iter().min().copied(), times.iter().max().copied());
            writeln!(
                f,
                "{what:<72} median {:>8.1} ms   ({:.1} to {:.1} ms, {} rounds)",
                millis(median(times)),
                millis(least.unwrap_or_default()),
                millis(most.unwrap_or_default()),
                times.len(),
            )?;
        }
        Ok(())
    }
}

/// The middle one; of an even number the lower of the two. Zero of none.
pub fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
